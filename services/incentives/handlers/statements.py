"""What people have earned, why, and what is missing for more."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Final, NamedTuple

import grpc
from foothold.incentives.v1 import statements_pb2, statements_pb2_grpc
from sqlalchemy import Connection

from access import Directory, Scope, caller
from chassis.clock import Clock
from chassis.database import Database
from chassis.errors import NotFound
from chassis.paging import decode_token, encode_token
from chassis.validation import Fields
from services.incentives.carrying import of_nothing_stored, with_drawn
from services.incentives.catalogue import Catalogue
from services.incentives.domain.closing import Adjustment, Frozen
from services.incentives.domain.evaluation import Line
from services.incentives.domain.inverse import NextAmount, next_amounts
from services.incentives.domain.metrics import COURSE, is_course
from services.incentives.domain.periods import FURTHEST_AHEAD, Period, PeriodKind, period_of, today
from services.incentives.domain.plan_book import PlanBook
from services.incentives.domain.plans import Plan
from services.incentives.domain.statements import Standing, Statement, lines, origin, shown_on
from services.incentives.domain.tracing import trace
from services.incentives.store.closing import Key
from services.incentives.store.courses import passed_of
from services.incentives.store.placements import stood_at, then
from services.incentives.store.prizes import won_of
from services.incentives.store.standing import StandingStore
from services.incentives.store.statements import StatementStore
from services.incentives.wire.closing import complete
from services.incentives.wire.plans import from_numbers
from services.incentives.wire.statements import (
    from_inputs,
    from_line,
    from_next_amount,
    from_placing,
    from_statement,
    from_steps,
    metric_read,
)
from services.incentives.wire.values import from_date, from_period

_PERMISSION: Final = "incentives.statements.read"
_REMEMBERED: Final = 10_000

NextAmounts = Callable[[Plan, tuple[tuple[str, int], ...]], tuple[NextAmount, ...]]


class Asked(NamedTuple):
    """Whose statement, of the period that holds which day (None for today), as known when (None for now)."""

    person_id: str
    on: date | None
    known_at: datetime | None = None


class _After(NamedTuple):
    """What became of statements when their periods were over."""

    periods: Sequence[Period]
    frozen: Mapping[Key, Frozen]
    paid_in: Mapping[Key, Sequence[Adjustment]]

    def over(self, stored: Mapping[PeriodKind, Statement], person_id: str) -> Mapping[PeriodKind, Statement]:
        """The person's statements, with frozen ones in the place of what is computed on."""
        found = {
            period.kind: frozen.statement
            for period in self.periods
            if (frozen := self.frozen.get((person_id, period))) is not None
        }
        return {**stored, **found} if found else stored

    def known_by(self, instant: datetime) -> "_After":
        """What had become of them by then. An adjustment that was changed since is as it is now."""
        return _After(
            self.periods,
            {key: each for key, each in self.frozen.items() if each.closed_at <= instant},
            {
                key: [each for each in paid if each.changed_at <= instant]
                for key, paid in self.paid_in.items()
            },
        )


class StatementsHandler(statements_pb2_grpc.StatementsServiceServicer):
    def __init__(self, database: Database, catalogue: Catalogue, clock: Clock, currency: str) -> None:
        self._database = database
        self._catalogue = catalogue
        self._clock = clock
        self._currency = currency
        # A search over a few thousand what-ifs, and the same answer until the next event.
        self._next_amounts: NextAmounts = lru_cache(_REMEMBERED)(_search)

    def GetStatement(
        self, request: statements_pb2.GetStatementRequest, context: grpc.ServicerContext
    ) -> statements_pb2.GetStatementResponse:
        scope = caller(context).scope(_PERMISSION)
        asked = self._asked(scope, request, Fields())
        with self._database.read() as connection:
            statement, book, standing, after = self._shown(connection, scope, asked._replace(known_at=None))
            then_shown = self._shown(connection, scope, asked) if asked.known_at is not None else None
        plan = book.get(statement.plan_id)
        response = statements_pb2.GetStatementResponse(
            statement=self._complete(statement, plan, after, standing.today)
        )
        if then_shown is not None:
            response.now.CopyFrom(response.statement)
            statement, book, standing, after = then_shown
            plan = book.get(statement.plan_id)
            response.statement.CopyFrom(self._complete(statement, plan, after, standing.today))
        elif plan is not None and statement.period.holds(standing.today):
            answers = self._next_amounts(plan, tuple(sorted(statement.figures.items())))
            response.next_amounts.extend(from_next_amount(each, self._currency) for each in answers)
        return response

    def ExplainLine(
        self, request: statements_pb2.ExplainLineRequest, context: grpc.ServicerContext
    ) -> statements_pb2.ExplainLineResponse:
        scope = caller(context).scope(_PERMISSION)
        fields = Fields()
        rule_id = fields.text("rule_id", request.rule_id, max_length=40)
        asked = self._asked(scope, request, fields)
        with self._database.read() as connection:
            return self.explain(connection, scope, asked, rule_id)

    def explain(
        self, connection: Connection, scope: Scope, asked: Asked, rule_id: str
    ) -> statements_pb2.ExplainLineResponse:
        """How a line comes about. NotFound where the statement has no such line."""
        statement, book, standing, _ = self._shown(connection, scope, asked)
        plan = book.get(statement.plan_id)
        found = lines(statement, plan) if plan is not None else ()
        for index, line in enumerate(found):
            if plan is not None and line.rule.id == rule_id:
                inside = range(index + 1, plan.nodes[index].end)
                passed = self._passed_on(connection, asked, line)
                nodes = book.setting_nodes(
                    plan, standing.path, statement.period.first_day, standing.closed_at
                )
                return statements_pb2.ExplainLineResponse(
                    placing=self._placing(connection, statement, plan, line),
                    passed_on=None if passed is None else from_date(passed),
                    line=from_line(line, plan.nodes[index], plan, self._currency),
                    steps=from_steps(trace(plan, index, statement.figures, statement.amounts)),
                    plan_id=statement.plan_id,
                    plan_node_ids=origin(book, plan, standing, statement.period),
                    inputs=from_inputs(line.rule, statement.figures, self._currency),
                    period=from_period(statement.period),
                    goals_position=statement.goals_position,
                    person_node_ids=standing.path[1:],
                    inside=[from_line(found[at], plan.nodes[at], plan, self._currency) for at in inside],
                    numbers=[
                        each for each in from_numbers(plan, nodes, self._currency) if each.rule_id == rule_id
                    ],
                )
        raise NotFound("LINE_UNKNOWN", "There is no such line in the statement of that period.")

    def _placing(
        self, connection: Connection, statement: Statement, plan: Plan, line: Line
    ) -> statements_pb2.Placing | None:
        """Of a prize that was won: the rank."""
        kind = plan.prize_rules.get(line.rule.id)
        if kind is None:
            return None
        key = (statement.person_id, statement.period)
        won = won_of(connection, [key]).get(key, {}).get((plan.written_id, line.rule.id))
        return None if won is None else from_placing(won, kind.ranked, self._currency)

    def _passed_on(self, connection: Connection, asked: Asked, line: Line) -> date | None:
        """The day the course was passed that a line's condition asks for, where the line counted it."""
        name = metric_read(line.rule).name
        if not is_course(name) or not line.value.numerator:
            return None
        course_id = name.removeprefix(COURSE)
        until = asked.known_at or self._clock.now()
        passed = passed_of(connection, [asked.person_id], [course_id], until)
        return passed.get(asked.person_id, {}).get(course_id)

    def ListStatements(
        self, request: statements_pb2.ListStatementsRequest, context: grpc.ServicerContext
    ) -> statements_pb2.ListStatementsResponse:
        scope = caller(context).scope(_PERMISSION)
        directory = scope.caller.directory
        fields = Fields()
        node_id = fields.identifier("node_id", request.node_id, required=False)
        size = fields.page_size(request.page_size)
        day = (
            fields.date("on", request.on)
            if request.HasField("on")
            else self._today(directory, directory.root_id)
        )
        fields.require_valid()
        cursor = decode_token(request.page_token, query=request, shape=(str,))
        if node_id:
            scope.require(node_id)
        begin = str(cursor[0]) if cursor else ""
        response = statements_pb2.ListStatementsResponse()
        with self._database.read() as connection:
            book = self._catalogue.plans(connection)
            store = StatementStore(connection, scope)
            people = store.people(node_id, day, after=begin, limit=size + 1)
            if len(people) > size:
                people.pop()
                response.next_page_token = encode_token([people[-1]], query=request)
            stored = store.of_people(people, day)
            now = {person_id: self._standing(directory, person_id) for person_id in people}
            periods = {kind: period_of(kind, day) for kind in PeriodKind}
            without = [
                (person_id, period)
                for person_id in people
                for kind, period in periods.items()
                if kind not in stored[person_id]
            ]
            stood = then(connection, without, now)
            if book.draws:
                stands = {key: stood.get(key, now[key[0]]) for key in without}
                stood |= with_drawn(connection, book, stands, now)
            after = self._after(StandingStore(connection, scope), people, tuple(periods.values()))
        for person_id in people:
            standings = {
                kind: stood.get((person_id, period), now[person_id]) for kind, period in periods.items()
            }
            statement = shown_on(book, after.over(stored[person_id], person_id), person_id, standings, day)
            plan = book.get(statement.plan_id)
            response.statements.append(self._complete(statement, plan, after, now[person_id].today))
        return response

    def _asked(
        self,
        scope: Scope,
        request: statements_pb2.GetStatementRequest | statements_pb2.ExplainLineRequest,
        fields: Fields,
    ) -> Asked:
        """What a request asks for; refused with everything that is wrong with it."""
        person_id = fields.identifier("person_id", request.person_id)
        on = fields.date("on", request.on) if request.HasField("on") else None
        known_at = fields.optional_instant("known_at", request.known_at, present=request.HasField("known_at"))
        if known_at is not None and known_at > self._clock.now():
            fields.refuse("known_at", "must not be in the future")
        fields.require_valid()
        scope.require_person(person_id)
        return Asked(person_id, on, known_at)

    def _shown(
        self, connection: Connection, scope: Scope, asked: Asked
    ) -> tuple[Statement, PlanBook, Standing, _After]:
        """The statement asked for, and where the person stands or, when its period ended, stood."""
        person_id, on, known_at = asked
        directory = scope.caller.directory
        standing = self._standing(directory, person_id)
        day = on or standing.today
        store = StatementStore(connection, scope)
        if known_at is None:
            version, stored = store.on(person_id, day)
            book = self._catalogue.plans(connection, version)
        else:
            book = self._catalogue.plans(connection).known_by(known_at)
            stored = store.known_at(person_id, day, known_at)
            was = standing._replace(today=today(known_at, directory.zone_of(person_id)))
            standing = stood_at(connection, person_id, was, known_at)
        periods = {kind: period_of(kind, day) for kind in PeriodKind}
        stood = then(connection, [(person_id, each) for each in periods.values()], {person_id: standing})
        after = self._after(StandingStore(connection, scope), [person_id], tuple(periods.values()))
        if known_at is not None:
            after = after.known_by(known_at)
        standings = {kind: stood.get((person_id, each), standing) for kind, each in periods.items()}
        if known_at is None:
            without = {periods[kind]: each for kind, each in standings.items() if kind not in stored}
            standings |= of_nothing_stored(connection, book, person_id, without, self._clock.now())
        statement = shown_on(book, after.over(stored, person_id), person_id, standings, day)
        return statement, book, standings[statement.period.kind], after

    def _after(self, store: StandingStore, people: Sequence[str], periods: Sequence[Period]) -> _After:
        # Nothing that runs anywhere is closed: the statement of today, asked for most, asks for one thing less.
        day = today(self._clock.now(), FURTHEST_AHEAD)
        over = [(person_id, each) for person_id in people for each in periods if each.end_day <= day]
        paid = [(person_id, each) for person_id in people for each in periods]
        return _After(periods, store.frozen(over) if over else {}, store.paid_in(paid))

    def _complete(
        self, statement: Statement, plan: Plan | None, after: _After, day: date
    ) -> statements_pb2.Statement:
        key = (statement.person_id, statement.period)
        return complete(
            from_statement(statement, plan, self._currency),
            statement,
            frozen=after.frozen.get(key),
            adjustments=after.paid_in.get(key, ()),
            today=day,
            currency=self._currency,
        )

    def _standing(self, directory: Directory, person_id: str) -> Standing:
        person = directory.person(person_id)
        role, hired = (person.job_role, person.hire_date) if person is not None else ("", None)
        return Standing(directory.ancestors(person_id), role, self._today(directory, person_id), hired=hired)

    def _today(self, directory: Directory, node_id: str) -> date:
        return today(self._clock.now(), directory.zone_of(node_id))


def _search(plan: Plan, figures: tuple[tuple[str, int], ...]) -> tuple[NextAmount, ...]:
    return next_amounts(plan, dict(figures))

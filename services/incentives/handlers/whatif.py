"""What-ifs: nothing is stored, and only the period that holds today is asked about."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final

import grpc
from foothold.incentives.v1 import whatif_pb2, whatif_pb2_grpc

from access import Scope, caller
from chassis.clock import Clock
from chassis.database import Database
from chassis.errors import NotFound
from chassis.validation import Fields
from services.incentives.carrying import of_nothing_stored
from services.incentives.catalogue import Catalogue
from services.incentives.domain.evaluation import evaluate
from services.incentives.domain.inverse import unpassed, with_passed
from services.incentives.domain.metrics import COURSE, METRICS, Figure, Figures, Metric, measure
from services.incentives.domain.periods import PeriodKind, period_of, today
from services.incentives.domain.plans import Plan
from services.incentives.domain.reaching import (
    MOST_ALONE,
    MOST_MONEY,
    MOST_OWN,
    MOST_TOGETHER,
    Changes,
    Reach,
    after,
    keep,
    levers,
    reach,
    what_if,
    with_own,
)
from services.incentives.domain.statements import Standing, Statement, shown_on
from services.incentives.store.statements import StatementStore
from services.incentives.wire.values import from_money, from_period, to_money
from services.incentives.wire.whatif import (
    from_changes,
    from_lines,
    from_own_levers,
    from_values,
    from_way,
    to_changes,
)

_PERMISSION: Final = "incentives.statements.read"
_MOST_HELD: Final = 20
_MOST_OWN_CHANGES: Final = 50
_LARGEST_TOTAL: Final = 10**12
_MOST: Final = Changes(*(MOST_MONEY if lever == "order_value" else MOST_ALONE for lever in Changes._fields))


class WhatIfHandler(whatif_pb2_grpc.WhatIfServiceServicer):
    def __init__(self, database: Database, catalogue: Catalogue, clock: Clock, currency: str) -> None:
        self._database = database
        self._catalogue = catalogue
        self._clock = clock
        self._currency = currency

    def TryChanges(
        self, request: whatif_pb2.TryChangesRequest, context: grpc.ServicerContext
    ) -> whatif_pb2.TryChangesResponse:
        scope = caller(context).scope(_PERMISSION)
        fields = Fields()
        person_id = fields.identifier("person_id", request.person_id)
        hold = _hold(fields, request.hold)
        inside = fields.within("changes")
        for lever, most in _MOST._asdict().items():
            inside.integer(lever, getattr(request.changes, lever), minimum=0, maximum=most)
        fields.require_valid()
        statement, plan = self._today(scope, person_id)
        _require_read(plan, hold, request.passed)
        own = _own(plan, request.own)
        now_has = with_passed(statement.figures, request.passed)
        held = keep(plan, now_has, hold)
        figures = with_own(now_has, own)
        changes = to_changes(request.changes)
        before = evaluate(plan, statement.figures)
        then = what_if(plan, figures, held, changes)
        return whatif_pb2.TryChangesResponse(
            before=from_money(before.total, self._currency),
            after=from_money(then.total, self._currency),
            lines=from_lines(before, then, self._currency),
            values=from_values(_assumed(plan, statement.figures, figures, held, changes), self._currency),
            period=from_period(statement.period),
            plan_id=plan.id,
            levers=levers(plan, figures, {}),
            own_levers=from_own_levers(plan.own_bases),
            course_ids=unpassed(plan, statement.figures),
        )

    def ReachTotal(
        self, request: whatif_pb2.ReachTotalRequest, context: grpc.ServicerContext
    ) -> whatif_pb2.ReachTotalResponse:
        scope = caller(context).scope(_PERMISSION)
        fields = Fields()
        person_id = fields.identifier("person_id", request.person_id)
        hold = _hold(fields, request.hold)
        total = self._total(fields, request)
        fields.require_valid()
        statement, plan = self._today(scope, person_id)
        _require_read(plan, hold, request.passed)
        figures = with_passed(statement.figures, request.passed)
        held = keep(plan, figures, hold)
        now = evaluate(plan, statement.figures)
        found = _reach(plan, tuple(figures.items()), tuple(held.items()), total)

        def way(changes: Changes) -> whatif_pb2.Way:
            then, unheld = (what_if(plan, figures, each, changes) for each in (held, {}))
            return from_way(changes, now, then, unheld, self._currency)

        return whatif_pb2.ReachTotalResponse(
            now=from_money(now.total, self._currency),
            reached=now.total >= total,
            ways=map(way, found.ways),
            left_out=found.left_out,
            best=way(found.best_changes),
            tried=from_changes(_MOST),
            tried_together=MOST_TOGETHER.values(),
            period=from_period(statement.period),
            plan_id=plan.id,
            course_ids=unpassed(plan, figures),
        )

    def _total(self, fields: Fields, request: whatif_pb2.ReachTotalRequest) -> int:
        asked = to_money(request.total)
        if asked.currency != self._currency:
            fields.refuse("total.currency_code", f"must be {self._currency}, the enterprise's currency")
        if asked.minor is None or not 0 < asked.minor <= _LARGEST_TOTAL:
            fields.refuse("total", f"must be whole hundredths above zero, at most {_LARGEST_TOTAL} of them")
        return asked.minor or 0

    def _today(self, scope: Scope, person_id: str) -> tuple[Statement, Plan]:
        """The person's statement of the period that holds today, and its plan."""
        scope.require_person(person_id)
        directory = scope.caller.directory
        person = directory.person(person_id)
        day = today(self._clock.now(), directory.zone_of(person_id))
        role, hired = (person.job_role, person.hire_date) if person is not None else ("", None)
        standing = Standing(directory.ancestors(person_id), role, day, hired=hired)
        with self._database.read() as connection:
            version, stored = StatementStore(connection, scope).on(person_id, day)
            book = self._catalogue.plans(connection, version)
            standings = dict.fromkeys(PeriodKind, standing)
            without = {period_of(kind, day): standing for kind in PeriodKind if kind not in stored}
            standings |= of_nothing_stored(connection, book, person_id, without, self._clock.now())
        statement = shown_on(book, stored, person_id, standings, day)
        plan = book.get(statement.plan_id)
        if plan is None:
            raise NotFound("PLAN_UNKNOWN", "No plan applies today, so there is nothing to reckon with.")
        return statement, plan


@lru_cache(maxsize=512)
def _reach(
    plan: Plan, figures: tuple[tuple[str, int], ...], held: tuple[tuple[str, Figure], ...], total: int
) -> Reach:
    """A search takes up to half a second; the same question of the same figures has the same answer."""
    return reach(plan, dict(figures), dict(held), total)


def _hold(fields: Fields, names: Iterable[str]) -> list[str]:
    asked = list(names)
    if len(asked) > _MOST_HELD or len(set(asked)) < len(asked):
        fields.refuse("hold", f"must name each metric once, at most {_MOST_HELD}")
    return asked


def _require_read(plan: Plan, hold: Iterable[str], passed: Sequence[str]) -> None:
    """INVALID_ARGUMENT where what is to be held, or reckoned as passed, is nothing that this plan reads."""
    fields = Fields()
    if len(passed) > _MOST_HELD or len(set(passed)) < len(passed):
        fields.refuse("passed", f"must name each course once, at most {_MOST_HELD}")
    for index, course_id in enumerate(passed[:_MOST_HELD]):
        if f"{COURSE}{course_id}" not in plan.courses:
            fields.refuse(f"passed[{index}]", "is no course that the plan asks for")
    for index, name in enumerate(hold):
        if name not in METRICS and name not in plan.known:
            fields.refuse(f"hold[{index}]", "is no metric that plans read")
    fields.require_valid()


def _own(plan: Plan, asked: Sequence[whatif_pb2.OwnChange]) -> list[tuple[Metric, int]]:
    """INVALID_ARGUMENT for what is nothing of the enterprise's own that this plan reads, told twice, or too much."""
    fields = Fields()
    bases = {base.name: base for base in plan.own_bases}
    names = [each.metric for each in asked]
    if len(names) > _MOST_OWN_CHANGES or len(set(names)) < len(names):
        fields.refuse("own", f"must name each metric once, at most {_MOST_OWN_CHANGES}")
    for index, each in enumerate(asked[:_MOST_OWN_CHANGES]):
        if each.metric not in bases:
            fields.refuse(
                f"own[{index}].metric", "is no base figure of the enterprise's own that the plan reads"
            )
            continue
        most = MOST_OWN[bases[each.metric].unit]
        fields.within(f"own[{index}]").integer("more", each.more, minimum=0, maximum=most)
    fields.require_valid()
    return [(bases[each.metric], each.more) for each in asked]


def _assumed(
    plan: Plan, now_has: Figures, figures: Figures, held: Mapping[str, Figure], changes: Changes
) -> list[tuple[Metric, Figure, Figure]]:
    """Every metric the plan reads, now and then."""
    then = after(figures, changes)
    return [
        (
            metric,
            now := measure(metric, now_has),
            now if name in held else measure(metric, then),
        )
        for name, metric in plan.metrics.items()
    ]

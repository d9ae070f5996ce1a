"""Closing periods, and how they stand."""

from collections.abc import Sequence
from datetime import date
from typing import Final

import grpc
from foothold.incentives.v1 import periods_pb2, periods_pb2_grpc
from sqlalchemy import Connection

from access import Directory, Kind, Scope, caller
from chassis.clock import Clock
from chassis.database import Database
from chassis.errors import FailedPrecondition
from chassis.idempotency import answer_once
from chassis.ids import new_id
from chassis.validation import Fields
from services.incentives.calculating import Calculator
from services.incentives.carrying import with_drawn
from services.incentives.catalogue import Catalogue
from services.incentives.correcting import freeze
from services.incentives.domain.closing import Closing
from services.incentives.domain.periods import Period, PeriodKind, period_of, today
from services.incentives.domain.plan_book import PlanBook
from services.incentives.domain.statements import Statement, plan_of, renew
from services.incentives.store import closing as store
from services.incentives.store.catalogue import begin_calculation, keep_variants
from services.incentives.store.ledger import Ledger
from services.incentives.store.placements import then
from services.incentives.store.standing import StandingStore
from services.incentives.wire.closing import from_standing

_CLOSE: Final = "incentives.periods.close"
_READ: Final = "incentives.statements.read"
_METHOD: Final = "/foothold.incentives.v1.PeriodsService/ClosePeriod"
_BATCH: Final = 2_000
_KINDS: Final = frozenset(map(int, PeriodKind))


class PeriodsHandler(periods_pb2_grpc.PeriodsServiceServicer):
    def __init__(
        self, database: Database, catalogue: Catalogue, calculator: Calculator, clock: Clock, currency: str
    ) -> None:
        self._database = database
        self._catalogue = catalogue
        self._calculator = calculator
        self._clock = clock
        self._currency = currency

    def ClosePeriod(
        self, request: periods_pb2.ClosePeriodRequest, context: grpc.ServicerContext
    ) -> periods_pb2.ClosePeriodResponse:
        scope = caller(context).scope(_CLOSE)
        directory = scope.caller.directory
        fields = Fields()
        fields.request_id(request.request_id)
        node_id = fields.identifier("node_id", request.node_id)
        kind = fields.one_of("period_kind", request.period_kind, _KINDS)
        day = fields.date("on", request.on)
        fields.require_valid()
        scope.require(node_id)
        node = directory.node(node_id)
        if node is None or node.kind not in (Kind.ENTERPRISE, Kind.BRANCH):
            fields.refuse("node_id", "must be the enterprise or a branch")
        fields.require_valid()
        period = period_of(PeriodKind(kind), day)
        with self._database.begin() as connection:

            def produce() -> periods_pb2.ClosePeriodResponse:
                book = self._catalogue.plans(connection, begin_calculation(connection))
                closing = self._closing(connection, directory, node_id, period)
                is_new = closing is None
                if closing is None:
                    closing = Closing(new_id(), node_id, period, scope.caller.id, self._clock.now())
                people = sorted(directory.people_under(node_id))
                self._require_over(people, node_id, directory, period)
                if is_new:
                    # Before it is closed, so that what is frozen holds the prizes.
                    ranked = [
                        plan
                        for plan in book.listed
                        if plan.prize_rules
                        and plan.period_kind is period.kind
                        and node_id in directory.ancestors(plan.node_id)
                    ]
                    self._calculator.settle(connection, ranked, period)
                    store.close(connection, closing)
                count = 0
                for begin in range(0, len(people), _BATCH):
                    page = people[begin : begin + _BATCH]
                    count += self._freeze(connection, book, page, directory, closing)
                return periods_pb2.ClosePeriodResponse(
                    standing=self._standing(connection, scope, node_id, period), frozen_now=count
                )

            return answer_once(
                connection,
                caller=scope.caller.id,
                method=_METHOD,
                request=request,
                response=periods_pb2.ClosePeriodResponse,
                produce=produce,
            )

    def GetPeriod(
        self, request: periods_pb2.GetPeriodRequest, context: grpc.ServicerContext
    ) -> periods_pb2.GetPeriodResponse:
        scope = caller(context).scope(_READ)
        fields = Fields()
        node_id = fields.identifier("node_id", request.node_id)
        kind = fields.one_of("period_kind", request.period_kind, _KINDS)
        asked = fields.date("on", request.on) if request.HasField("on") else None
        fields.require_valid()
        scope.require(node_id)
        day = asked or self._today(scope.caller.directory, node_id)
        with self._database.read() as connection:
            return periods_pb2.GetPeriodResponse(
                standing=self._standing(connection, scope, node_id, period_of(PeriodKind(kind), day))
            )

    def _standing(
        self, connection: Connection, scope: Scope, node_id: str, period: Period
    ) -> periods_pb2.PeriodStanding:
        directory = scope.caller.directory
        sums = StandingStore(connection, scope).sums(node_id, period)
        closing = self._closing(connection, directory, node_id, period)
        runs = self._today(directory, node_id) < period.end_day
        return from_standing(node_id, closing, sums, runs=runs, currency=self._currency)

    def _closing(
        self, connection: Connection, directory: Directory, node_id: str, period: Period
    ) -> Closing | None:
        """The closing of a node's period, its own or one above."""
        path = directory.ancestors(node_id)
        return next((each for each in store.closings_of(connection, [period]) if each.node_id in path), None)

    def _require_over(
        self, people: Sequence[str], node_id: str, directory: Directory, period: Period
    ) -> None:
        """Every zone at or below counts: where a day begins last, the period ends last."""
        now = self._clock.now()
        days: dict[str, date] = {}
        for each in (node_id, *people):
            zone = directory.zone_of(each)
            day = days.get(zone) or days.setdefault(zone, today(now, zone))
            if day < period.end_day:
                raise FailedPrecondition(
                    "PERIOD_RUNS",
                    "The period still runs.",
                    metadata={"node_id": each, "end_day": period.end_day.isoformat()},
                )

    def _freeze(
        self,
        connection: Connection,
        book: PlanBook,
        people: Sequence[str],
        directory: Directory,
        closing: Closing,
    ) -> int:
        """Freeze the statements of people of whom none is frozen yet; how many those are."""
        period = closing.period
        keys = [(person_id, period) for person_id in people]
        frozen = store.frozen_of(connection, keys)
        keys = [key for key in keys if key not in frozen]
        ledger = Ledger(connection)
        known = ledger.known(keys)
        standings = ledger.standings([person_id for person_id, _ in keys], self._clock.now(), book.courses)
        without = [key for key in keys if key not in known]
        stood = then(connection, without, standings)
        if book.draws:
            stands_at = {key: stood.get(key, standings[key[0]]) for key in without if key[0] in standings}
            stood |= with_drawn(connection, book, stands_at, standings)
        adjusted = store.paid_in(connection, without)
        empty = []
        for key in without:
            person = directory.person(key[0])
            stands = stood.get(key, standings.get(key[0]))
            if person is None or stands is None or not (person.active or key in adjusted):
                continue
            statement = Statement(*key, {})
            # Whoever has left earns nothing any more, but is paid what is learned of what they earned.
            plan = plan_of(book, None, stands, period) if person.active else None
            empty.append(statement if plan is None else renew(statement, plan, stands))
        # Whoever had no facts is computed on with the plan that was in force, as everybody is.
        ledger.write(empty, self._clock.now())
        keep_variants(connection, book)
        found = [*known.values(), *empty]
        freeze(connection, book, [(statement, closing) for statement in found])
        return len(found)

    def _today(self, directory: Directory, node_id: str) -> date:
        return today(self._clock.now(), directory.zone_of(node_id))

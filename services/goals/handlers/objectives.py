"""ObjectivesService."""

from datetime import date
from fractions import Fraction
from typing import Final

import grpc
from foothold.goals.v1 import objectives_pb2, objectives_pb2_grpc, values_pb2

from access import Scope, caller
from chassis.clock import Clock
from chassis.database import Database
from chassis.errors import InvalidArgument
from chassis.idempotency import answer_once
from chassis.ids import new_id
from chassis.paging import decode_token, encode_token
from chassis.validation import Fields
from services.goals.domain.metrics import Direction
from services.goals.domain.objectives import KeyResult, Objective, weights_sum
from services.goals.domain.periods import CALENDAR_KINDS, PeriodKind
from services.goals.domain.targets import LARGEST_DENOMINATOR, check_value
from services.goals.handlers.cascade import LONGEST_ID, LONGEST_REASON, read_periods
from services.goals.handlers.metrics import find_metric
from services.goals.permissions import OBJECTIVES_READ, OBJECTIVES_WRITE
from services.goals.store.library import LibraryCache
from services.goals.store.measured import unfit
from services.goals.store.objectives import Objectives
from services.goals.wire.objectives import from_objective, from_score
from services.goals.wire.targets import to_value

_LONGEST_TITLE: Final = 200
_MOST_RESULTS: Final = 10
_LARGEST_PAGE: Final = 200
_SET: Final = "/foothold.goals.v1.ObjectivesService/SetObjective"
_WITHDRAW: Final = "/foothold.goals.v1.ObjectivesService/WithdrawObjective"
_PLACE: Final = (str, str, str)


class ObjectivesHandler(objectives_pb2_grpc.ObjectivesServiceServicer):
    """Sets, takes back, tells and scores objectives."""

    def __init__(self, database: Database, library: LibraryCache, clock: Clock, currency: str) -> None:
        self._database = database
        self._library = library
        self._clock = clock
        self._currency = currency

    def SetObjective(
        self, request: objectives_pb2.SetObjectiveRequest, context: grpc.ServicerContext
    ) -> objectives_pb2.SetObjectiveResponse:
        scope = caller(context).scope(OBJECTIVES_WRITE)
        new = self._read(request, scope)
        scope.require(new.node_id)
        with self._database.begin() as connection:

            def produce() -> objectives_pb2.SetObjectiveResponse:
                objectives = Objectives(connection, scope, self._library)
                objectives.require_sources(new)
                stored = objectives.set(new, supersedes=bool(request.objective.id))
                told = objectives.filled([stored])[0]
                return objectives_pb2.SetObjectiveResponse(objective=from_objective(told, self._currency))

            return answer_once(
                connection,
                caller=scope.caller.id,
                method=_SET,
                request=request,
                response=objectives_pb2.SetObjectiveResponse,
                produce=produce,
            )

    def WithdrawObjective(
        self, request: objectives_pb2.WithdrawObjectiveRequest, context: grpc.ServicerContext
    ) -> objectives_pb2.WithdrawObjectiveResponse:
        scope = caller(context).scope(OBJECTIVES_WRITE)
        fields = Fields()
        fields.request_id(request.request_id)
        objective_id = fields.identifier("objective_id", request.objective_id)
        reason = fields.text("reason", request.reason, max_length=LONGEST_REASON)
        fields.require_valid()
        with self._database.begin() as connection:

            def produce() -> objectives_pb2.WithdrawObjectiveResponse:
                objectives = Objectives(connection, scope, self._library)
                told = objectives.withdraw(
                    objectives.get(objective_id),
                    reason=reason,
                    author_id=scope.caller.id,
                    at=self._clock.now(),
                )
                told = objectives.filled([told])[0]
                return objectives_pb2.WithdrawObjectiveResponse(
                    objective=from_objective(told, self._currency)
                )

            return answer_once(
                connection,
                caller=scope.caller.id,
                method=_WITHDRAW,
                request=request,
                response=objectives_pb2.WithdrawObjectiveResponse,
                produce=produce,
            )

    def GetObjective(
        self, request: objectives_pb2.GetObjectiveRequest, context: grpc.ServicerContext
    ) -> objectives_pb2.GetObjectiveResponse:
        scope = caller(context).scope(OBJECTIVES_READ)
        fields = Fields()
        objective_id = fields.identifier("objective_id", request.objective_id)
        known_at = fields.optional_instant("known_at", request.known_at, present=request.HasField("known_at"))
        as_of = fields.optional_instant("as_of", request.as_of, present=request.HasField("as_of"))
        fields.require_valid()
        with self._database.read() as connection:
            objectives = Objectives(connection, scope, self._library)
            found = objectives.get(objective_id, known_at=known_at)
            scored = objectives.scores([found], self._clock.now(), as_of=as_of or known_at, known_at=known_at)
        return objectives_pb2.GetObjectiveResponse(score=from_score(scored[0], self._currency))

    def ListObjectives(
        self, request: objectives_pb2.ListObjectivesRequest, context: grpc.ServicerContext
    ) -> objectives_pb2.ListObjectivesResponse:
        scope = caller(context).scope(OBJECTIVES_READ)
        fields = Fields()
        node_id = fields.text("node_id", request.node_id, max_length=LONGEST_ID, required=False)
        on: date | None = fields.date("on", request.on) if request.HasField("on") else None
        known_at = fields.optional_instant("known_at", request.known_at, present=request.HasField("known_at"))
        as_of = fields.optional_instant("as_of", request.as_of, present=request.HasField("as_of"))
        size = fields.page_size(request.page_size, maximum=_LARGEST_PAGE)
        fields.require_valid()
        after = decode_token(request.page_token, query=request, shape=_PLACE)
        with self._database.read() as connection:
            objectives = Objectives(connection, scope, self._library)
            found = objectives.page(
                node_id=node_id,
                on=on,
                known_at=known_at,
                after=after,  # type: ignore[arg-type]  # its shape was checked
                limit=size + 1,
            )
            scored = objectives.scores(
                [one for one, _ in found[:size]],
                self._clock.now(),
                as_of=as_of or known_at,
                known_at=known_at,
            )
        return objectives_pb2.ListObjectivesResponse(
            objectives=[from_score(each, self._currency) for each in scored],
            next_page_token=encode_token(found[size - 1][1], query=request) if len(found) > size else "",
        )

    def _read(self, request: objectives_pb2.SetObjectiveRequest, scope: Scope) -> Objective:
        told = request.objective
        fields = Fields()
        fields.request_id(request.request_id)
        within = fields.within("objective")
        objective_id = within.identifier("id", told.id, required=False)
        node_id = within.identifier("node_id", told.node_id)
        title = within.text("title", told.title, max_length=_LONGEST_TITLE)
        kind, first, _ = read_periods(within, int(told.period_kind), told.first_day, 1)
        reason = within.text("reason", told.reason, max_length=LONGEST_REASON, required=bool(objective_id))
        within.count("key_results", len(told.key_results), maximum=_MOST_RESULTS)
        key_results = tuple(
            self._key_result(within.within(f"key_results[{place}]"), each)
            for place, each in enumerate(told.key_results[:_MOST_RESULTS])
        )
        fields.require_valid()
        whole = weights_sum(key_results)
        if whole != 1:
            raise InvalidArgument(
                "WEIGHTS_NOT_ONE",
                f"The weights sum to {whole}, not to 1.",
                metadata={"sum": str(whole)},
                fields={"objective.key_results": f"the weights sum to {whole}"},
            )
        return Objective(
            objective_id or new_id(),
            node_id,
            title,
            kind,
            first,
            key_results,
            reason,
            scope.caller.id,
            self._clock.now(),
        )

    def _key_result(self, fields: Fields, told: objectives_pb2.KeyResult) -> KeyResult:
        weight = Fraction(0)
        low, high = told.weight.numerator, told.weight.denominator
        if told.weight.unit == values_pb2.UNIT_RATE and 1 <= low <= high <= LARGEST_DENOMINATOR:
            weight = Fraction(low, high)
        else:
            fields.refuse(
                "weight", f"must be a rate above 0, at most 1, denominator at most {LARGEST_DENOMINATOR}"
            )
        direction = None
        if told.direction:
            known = fields.one_of("direction", int(told.direction), {int(each) for each in Direction})
            direction = Direction(known) if known else None
        target_id = fields.identifier("target_id", told.target_id, required=False)
        goal_id = fields.identifier("goal_id", told.goal_id, required=False)
        if target_id and goal_id:
            fields.refuse("goal_id", "name a target or a goal, not both")
        if target_id or goal_id:
            return KeyResult(weight, target_id, goal_id, direction=direction)
        kind = fields.one_of("period_kind", int(told.period_kind), {int(each) for each in CALENDAR_KINDS})
        metric = find_metric(self._library.metrics(date.max, retired=False), told.metric)
        if metric.rolling_days:
            raise unfit("objective.key_results.metric", metric.rolling_days)
        value = to_value(told.value)
        wrong = "its unit must be one of the documented ones"
        if value is not None:
            wrong = (
                check_value(metric, value, currency=told.value.currency, expected_currency=self._currency)
                or ""
            )
        if value is None or wrong:
            raise InvalidArgument(
                "VALUE_INVALID", f"{metric.name}: {wrong}", fields={"objective.key_results.value": wrong}
            )
        return KeyResult(
            weight,
            metric=metric.name,
            period_kind=PeriodKind(kind or PeriodKind.MONTH),
            value=value,
            direction=direction,
        )

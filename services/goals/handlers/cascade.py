"""CascadeService."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

import grpc
from foothold.goals.v1 import cascade_pb2, cascade_pb2_grpc

from access import Kind, Scope, caller
from chassis.clock import Clock
from chassis.database import Database
from chassis.errors import InvalidArgument, NotFound
from chassis.idempotency import answer_once
from chassis.ids import new_id
from chassis.paging import decode_token, encode_token
from chassis.validation import Fields
from services.goals.domain.cascade import MONTHS, Goal, Method, Share, wrong_periods, wrong_value
from services.goals.domain.metrics import METRICS
from services.goals.domain.periods import PeriodKind
from services.goals.domain.values import Value
from services.goals.handlers.metrics import find_metric
from services.goals.permissions import PROGRESS_READ, TARGETS_READ, TARGETS_WRITE
from services.goals.store.cascade import Goals, View, unknown
from services.goals.wire.cascade import from_goal, from_goal_progress, from_link, from_view
from services.goals.wire.targets import to_value

LONGEST_REASON: Final = 500
LONGEST_ID: Final = 64
_LONGEST_METRIC: Final = 64
_SET: Final = "/foothold.goals.v1.CascadeService/SetGoal"
_WITHDRAW: Final = "/foothold.goals.v1.CascadeService/WithdrawGoal"
_PLACE: Final = (str, int, str, str, str)


class CascadeHandler(cascade_pb2_grpc.CascadeServiceServicer):
    """Sets, takes back, tells and explains goals."""

    def __init__(self, database: Database, clock: Clock, currency: str) -> None:
        self._database = database
        self._clock = clock
        self._currency = currency

    def SetGoal(
        self, request: cascade_pb2.SetGoalRequest, context: grpc.ServicerContext
    ) -> cascade_pb2.SetGoalResponse:
        scope = caller(context).scope(TARGETS_WRITE)
        new = self._read(request, scope)
        scope.require(new.node_id)
        with self._database.begin() as connection:

            def produce() -> cascade_pb2.SetGoalResponse:
                stored = Goals(connection, scope).set(new)
                return cascade_pb2.SetGoalResponse(goal=from_goal(stored, self._currency))

            return answer_once(
                connection,
                caller=scope.caller.id,
                method=_SET,
                request=request,
                response=cascade_pb2.SetGoalResponse,
                produce=produce,
            )

    def WithdrawGoal(
        self, request: cascade_pb2.WithdrawGoalRequest, context: grpc.ServicerContext
    ) -> cascade_pb2.WithdrawGoalResponse:
        scope = caller(context).scope(TARGETS_WRITE)
        fields = Fields()
        fields.request_id(request.request_id)
        goal_id = fields.identifier("goal_id", request.goal_id)
        reason = fields.text("reason", request.reason, max_length=LONGEST_REASON)
        fields.require_valid()
        with self._database.begin() as connection:

            def produce() -> cascade_pb2.WithdrawGoalResponse:
                goals = Goals(connection, scope)
                goal = writable(goals, scope, goal_id)
                told = goals.withdraw(goal, reason=reason, author_id=scope.caller.id, at=self._clock.now())
                return cascade_pb2.WithdrawGoalResponse(goal=from_goal(told, self._currency))

            return answer_once(
                connection,
                caller=scope.caller.id,
                method=_WITHDRAW,
                request=request,
                response=cascade_pb2.WithdrawGoalResponse,
                produce=produce,
            )

    def GetGoal(
        self, request: cascade_pb2.GetGoalRequest, context: grpc.ServicerContext
    ) -> cascade_pb2.GetGoalResponse:
        scope = caller(context).scope(TARGETS_READ)
        fields = Fields()
        goal_id = fields.identifier("goal_id", request.goal_id)
        known_at = fields.optional_instant("known_at", request.known_at, present=request.HasField("known_at"))
        as_of = fields.optional_instant("as_of", request.as_of, present=request.HasField("as_of"))
        fields.require_valid()
        with self._database.read() as connection:
            goals = Goals(connection, scope)
            views = goals.views([goals.get(goal_id, known_at=known_at)], known_at=known_at)
            told = self._told(scope, views)
            self._fill(goals, scope, views, told, as_of=as_of or known_at, known_at=known_at)
        return cascade_pb2.GetGoalResponse(view=told[0])

    def ListGoals(
        self, request: cascade_pb2.ListGoalsRequest, context: grpc.ServicerContext
    ) -> cascade_pb2.ListGoalsResponse:
        scope = caller(context).scope(TARGETS_READ)
        fields = Fields()
        parent_id = fields.identifier("parent_id", request.parent_id, required=False)
        if parent_id and request.roots:
            fields.refuse("roots", "a root has no parent")
        node_id = fields.text("node_id", request.node_id, max_length=LONGEST_ID, required=False)
        metric = fields.text("metric", request.metric, max_length=_LONGEST_METRIC, required=False)
        on: date | None = fields.date("on", request.on) if request.HasField("on") else None
        known_at = fields.optional_instant("known_at", request.known_at, present=request.HasField("known_at"))
        as_of = fields.optional_instant("as_of", request.as_of, present=request.HasField("as_of"))
        size = fields.page_size(request.page_size)
        fields.require_valid()
        after = decode_token(request.page_token, query=request, shape=_PLACE)
        with self._database.read() as connection:
            goals = Goals(connection, scope)
            found = goals.page(
                parent_id=parent_id or ("" if request.roots else None),
                node_id=node_id,
                metric=metric,
                on=on,
                known_at=known_at,
                after=after,  # type: ignore[arg-type]  # its shape was checked
                limit=size + 1,
            )
            views = goals.views([goal for goal, _ in found[:size]], known_at=known_at)
            told = self._told(scope, views)
            if request.with_progress:
                self._fill(goals, scope, views, told, as_of=as_of or known_at, known_at=known_at)
        token = encode_token(found[size - 1][1], query=request) if len(found) > size else ""
        return cascade_pb2.ListGoalsResponse(goals=told, next_page_token=token)

    def ExplainGoal(
        self, request: cascade_pb2.ExplainGoalRequest, context: grpc.ServicerContext
    ) -> cascade_pb2.ExplainGoalResponse:
        scope = caller(context).scope(TARGETS_READ)
        fields = Fields()
        goal_id = fields.identifier("goal_id", request.goal_id)
        known_at = fields.optional_instant("known_at", request.known_at, present=request.HasField("known_at"))
        fields.require_valid()
        with self._database.read() as connection:
            goals = Goals(connection, scope)
            links = goals.chain(goals.get(goal_id, known_at=known_at), known_at=known_at)
        return cascade_pb2.ExplainGoalResponse(steps=[from_link(each, self._currency) for each in links])

    def _told(self, scope: Scope, views: Sequence[View]) -> list[cascade_pb2.GoalView]:
        """The views, with what the caller may know of each."""
        return [
            from_view(
                view.goal,
                view.children,
                view.coverage if scope.covers(view.goal.node_id) else (),
                view.parent,
                self._currency,
            )
            for view in views
        ]

    def _fill(
        self,
        goals: Goals,
        scope: Scope,
        views: Sequence[View],
        told: Sequence[cascade_pb2.GoalView],
        *,
        as_of: datetime | None,
        known_at: datetime | None,
    ) -> None:
        """Tell how far those are whose progress the caller may see."""
        seen = [view.goal for view in views if scope.caller.may(PROGRESS_READ, view.goal.node_id)]
        progress = goals.progress(seen, self._clock.now(), as_of=as_of, known_at=known_at)
        for view, message in zip(views, told, strict=True):
            if view.goal.id in progress:
                period, standing = progress[view.goal.id]
                message.progress.CopyFrom(from_goal_progress(period, standing, self._currency))

    def _read(self, request: cascade_pb2.SetGoalRequest, scope: Scope) -> Goal:
        told = request.goal
        fields = Fields()
        fields.request_id(request.request_id)
        within = fields.within("goal")
        parent_id = within.identifier("parent_id", told.parent_id, required=False)
        node_id = within.identifier("node_id", told.node_id)
        kind, first, periods = read_periods(within, int(told.period_kind), told.first_day, told.periods)
        node = scope.caller.directory.node(node_id)
        needs_reason = node is not None and node.kind is not Kind.ENTERPRISE
        reason = within.text("reason", told.reason, max_length=LONGEST_REASON, required=needs_reason)
        fields.require_valid()
        value = read_value(told.metric, told.value, self._currency, field="goal.value")
        return Goal(
            new_id(),
            parent_id,
            node_id,
            told.metric,
            kind,
            first,
            periods,
            value,
            Share(Method.GIVEN),
            reason,
            scope.caller.id,
            self._clock.now(),
        )


def read_periods(fields: Fields, kind: int, first_day: object, periods: int) -> tuple[PeriodKind, date, int]:
    """A goal's kind of period, first day and number of periods; wrong ones are noted."""
    first = fields.date("first_day", first_day)  # type: ignore[arg-type]  # a google.type.Date
    known = fields.one_of("period_kind", kind, {int(each) for each in MONTHS})
    if not known:
        return PeriodKind.MONTH, first, 1
    wrong = wrong_periods(PeriodKind(known), first, periods or 1)
    if wrong is not None:
        fields.refuse(*wrong)
    return PeriodKind(known), first, periods or 1


def read_value(metric: str, told: object, currency: str, *, field: str) -> Value:
    """A goal's value, of a built-in metric. NotFound METRIC_UNKNOWN, InvalidArgument VALUE_INVALID."""
    find_metric(METRICS, metric)
    value = to_value(told)  # type: ignore[arg-type]  # a Value message
    wrong = "its unit must be one of the documented ones"
    if value is not None:
        told_currency: str = told.currency  # type: ignore[attr-defined]  # a Value message
        wrong = wrong_value(metric, value, currency=told_currency, expected_currency=currency) or ""
    if value is None or wrong:
        raise InvalidArgument("VALUE_INVALID", f"{metric}: {wrong}", fields={field: wrong})
    return value


def writable(goals: Goals, scope: Scope, goal_id: str) -> Goal:
    """A goal the scope covers. NotFound GOAL_UNKNOWN; PermissionDenied where it may only be seen."""
    goal = goals.get(goal_id)
    try:
        scope.require(goal.node_id)
    except NotFound:
        raise unknown() from None
    return goal

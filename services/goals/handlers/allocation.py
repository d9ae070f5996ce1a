"""AllocationService."""

from datetime import date
from typing import Final

import grpc
from foothold.goals.v1 import allocation_pb2, allocation_pb2_grpc

from access import Scope, caller
from chassis.clock import Clock
from chassis.database import Database
from chassis.errors import InvalidArgument, NotFound
from chassis.idempotency import answer_once
from chassis.validation import Fields
from services.goals.domain.allocation import BY_PLACE, BY_TIME, Into, Step, wrong_method, wrong_weights
from services.goals.domain.cascade import Goal, Method, Share
from services.goals.domain.periods import local_day
from services.goals.domain.values import Value
from services.goals.handlers.cascade import LONGEST_ID, LONGEST_REASON, read_periods, read_value, writable
from services.goals.permissions import TARGETS_WRITE
from services.goals.store.allocating import Act, Allocation, Allocator
from services.goals.store.assigning import Assigner
from services.goals.store.cascade import Goals
from services.goals.wire.allocation import from_cut
from services.goals.wire.cascade import from_coverage
from services.goals.wire.values import from_value

_MOST_STEPS: Final = 4
_MOST_NODES: Final = 1_000
_MOST_WEIGHTS: Final = 10_000
_MOST_PEOPLE: Final = 10_000
_LARGEST_WEIGHT: Final = 10**12
_TOLD: Final = 1_000
_LONGEST_ROLE: Final = 40
_ALLOCATE: Final = "/foothold.goals.v1.AllocationService/AllocateGoal"
_ASSIGN: Final = "/foothold.goals.v1.AllocationService/AssignGoal"


class AllocationHandler(allocation_pb2_grpc.AllocationServiceServicer):
    """Cuts goals into shares and assigns them to people."""

    def __init__(self, database: Database, clock: Clock, currency: str) -> None:
        self._database = database
        self._clock = clock
        self._currency = currency

    def AllocateGoal(
        self, request: allocation_pb2.AllocateGoalRequest, context: grpc.ServicerContext
    ) -> allocation_pb2.AllocateGoalResponse:
        scope = caller(context).scope(TARGETS_WRITE)
        fields = Fields()
        if not request.validate_only:
            fields.request_id(request.request_id)
        goal_id = fields.identifier("goal_id", request.goal_id)
        reason = fields.text(
            "reason", request.reason, max_length=LONGEST_REASON, required=not request.validate_only
        )
        fields.text("told_for_node_id", request.told_for_node_id, max_length=LONGEST_ID, required=False)
        fields.count("steps", len(request.steps), maximum=_MOST_STEPS)
        steps = [
            _step(fields.within(f"steps[{level}]"), step, level)
            for level, step in enumerate(request.steps[:_MOST_STEPS])
        ]
        fields.require_valid()
        act = Act(scope.caller.id, reason, self._clock.now(), self._today(scope))

        def allocate(goals: Goals, allocator: Allocator) -> tuple[Goal, Allocation]:
            goal = writable(goals, scope, goal_id)
            _require_below(scope, goal, steps[0])
            amount = self._amount(request, goal)
            return goal, allocator.allocate(goal, steps, amount, act)

        if request.validate_only:
            with self._database.read() as connection:
                goal, found = allocate(Goals(connection, scope), Allocator(connection, scope))
            return self._told(request, goal, found, stored=False)
        with self._database.begin() as connection:

            def produce() -> allocation_pb2.AllocateGoalResponse:
                goals, allocator = Goals(connection, scope), Allocator(connection, scope)
                goals.take_turn()
                goal, found = allocate(goals, allocator)
                allocator.store(found)
                return self._told(request, goal, found, stored=True)

            return answer_once(
                connection,
                caller=scope.caller.id,
                method=_ALLOCATE,
                request=request,
                response=allocation_pb2.AllocateGoalResponse,
                produce=produce,
            )

    def AssignGoal(
        self, request: allocation_pb2.AssignGoalRequest, context: grpc.ServicerContext
    ) -> allocation_pb2.AssignGoalResponse:
        scope = caller(context).scope(TARGETS_WRITE)
        fields = Fields()
        fields.request_id(request.request_id)
        parent_id = fields.identifier("parent_id", request.parent_id, required=False)
        target_id = fields.identifier("target_id", request.target_id, required=False)
        if target_id and (request.metric or request.HasField("value")):
            fields.refuse("target_id", "gives the metric and the value; leave them out")
        kind, first, periods = read_periods(
            fields, int(request.period_kind), request.first_day, request.periods
        )
        fields.count("person_ids", len(request.person_ids), maximum=_MOST_PEOPLE)
        reason = fields.text("reason", request.reason, max_length=LONGEST_REASON)
        fields.require_valid()
        given = (
            None if target_id else read_value(request.metric, request.value, self._currency, field="value")
        )

        with self._database.begin() as connection:

            def produce() -> allocation_pb2.AssignGoalResponse:
                assigner = Assigner(connection, scope)
                metric, value = request.metric, given
                if value is None:
                    metric, value = assigner.target(target_id, kind)
                template = Goal(
                    "",
                    parent_id,
                    "",
                    metric,
                    kind,
                    first,
                    periods,
                    value,
                    Share(Method.ASSIGNED),
                    reason,
                    scope.caller.id,
                    self._clock.now(),
                )
                return allocation_pb2.AssignGoalResponse(
                    results=[
                        allocation_pb2.AssignmentResult(
                            person_id=each.person_id,
                            outcome=int(each.outcome),  # type: ignore[arg-type]  # the enums have the same numbers
                            reason=each.reason,
                            goal_id=each.goal_id,
                        )
                        for each in assigner.assign(template, request.person_ids)
                    ]
                )

            return answer_once(
                connection,
                caller=scope.caller.id,
                method=_ASSIGN,
                request=request,
                response=allocation_pb2.AssignGoalResponse,
                produce=produce,
            )

    def _today(self, scope: Scope) -> date:
        directory = scope.caller.directory
        return local_day(self._clock.now(), directory.zone_of(directory.root_id))

    def _amount(self, request: allocation_pb2.AllocateGoalRequest, goal: Goal) -> int | None:
        if not request.HasField("amount"):
            return None
        if not goal.is_sum:
            why = "a rate is passed down as it is"
            raise InvalidArgument("VALUE_INVALID", f"{goal.metric}: {why}", fields={"amount": why})
        return read_value(goal.metric, request.amount, self._currency, field="amount").numerator

    def _told(
        self, request: allocation_pb2.AllocateGoalRequest, goal: Goal, found: Allocation, *, stored: bool
    ) -> allocation_pb2.AllocateGoalResponse:
        wanted = request.told_for_node_id
        told = [cut for cut in found.cuts if (cut.parent_node == wanted if wanted else cut.level == 0)]
        answer = allocation_pb2.AllocateGoalResponse(
            shares=[
                from_cut(cut.goal, cut.portion, cut.before, self._currency, stored=stored)
                for cut in told[:_TOLD]
            ],
            told_for=len(told),
            made=len(found.cuts),
        )
        if found.divided is not None:
            answer.divided.CopyFrom(from_value(Value(goal.value.unit, found.divided), self._currency))
        if found.coverage is not None:
            answer.coverage.CopyFrom(from_coverage(goal, found.coverage, self._currency))
        return answer


def _step(fields: Fields, told: allocation_pb2.AllocationStep, level: int) -> Step:
    into = Into(fields.one_of("into", int(told.into), {int(each) for each in Into}) or Into.NODES)
    methods = {int(each) for each in BY_PLACE | BY_TIME}
    method = Method(fields.one_of("method", int(told.method), methods) or Method.EQUAL)
    fields.count("weights", len(told.weights), minimum=0, maximum=_MOST_WEIGHTS)
    weights = {
        fields.within(f"weights[{place}]").text("key", each.key, max_length=LONGEST_ID): fields.within(
            f"weights[{place}]"
        ).integer("weight", each.weight, minimum=0, maximum=_LARGEST_WEIGHT)
        for place, each in enumerate(told.weights[:_MOST_WEIGHTS])
    }
    if len(weights) != len(told.weights):
        fields.refuse("weights", "one weight for each")
    history = None
    if told.HasField("history_from") or told.HasField("history_to"):
        history = fields.date("history_from", told.history_from), fields.date("history_to", told.history_to)
        if history[0] >= history[1]:
            fields.refuse("history_to", "must be after history_from")
    if into is Into.NODES:
        fields.count("node_ids", len(told.node_ids), maximum=_MOST_NODES)
        if level:
            fields.refuse("into", "nodes can be named in the first step only")
    elif told.node_ids:
        fields.refuse("node_ids", "are for INTO_NODES")
    if len(set(told.node_ids)) != len(told.node_ids):
        fields.refuse("node_ids", "each once")
    role = fields.text("job_role", told.job_role, max_length=_LONGEST_ROLE, required=False)
    step = Step(into, method, weights, history, tuple(told.node_ids), role, told.newcomers_only)
    for field, wrong in (("method", wrong_method(step)), ("weights", wrong_weights(step))):
        if wrong:
            fields.refuse(field, wrong)
    return step


def _require_below(scope: Scope, goal: Goal, step: Step) -> None:
    """Pass where every named node lies strictly below the goal's. NotFound NODE_UNKNOWN."""
    for node_id in step.node_ids:
        if goal.node_id not in scope.caller.directory.ancestors(node_id)[1:]:
            raise NotFound(
                "NODE_UNKNOWN", "There is no such node below the goal's.", fields={"node_ids": node_id}
            )

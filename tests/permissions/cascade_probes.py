"""Reaching for the goal tree and for objectives."""

from collections.abc import Mapping
from itertools import count
from typing import Final

from foothold.goals.v1 import allocation_pb2, cascade_pb2, objectives_pb2, values_pb2
from google.type.date_pb2 import Date

from chassis.ids import new_id
from tests.permissions.enterprise import NODES
from tests.permissions.probes import Probe, Reach, Request, shown_if

_numbers = count(1)
_COUNTED: Final = ("emails_sent", "new_customers", "customers_followed", "deals_won", "orders_placed")
_TEN: Final = values_pb2.Value(unit=values_pb2.UNIT_COUNT, numerator=10, denominator=1)


def goal(node_id: str) -> cascade_pb2.Goal:
    """Ten of something in a month that no other goal is about."""
    metric, number = divmod(next(_numbers), 12 * 60)
    return cascade_pb2.Goal(
        node_id=node_id,
        metric=_COUNTED[metric],
        period_kind=values_pb2.PERIOD_KIND_MONTH,
        first_day=Date(year=2030 + number // 12, month=number % 12 + 1, day=1),
        value=_TEN,
        reason="the plan",
    )


def objective(node_id: str) -> objectives_pb2.Objective:
    """Ten e-mails."""
    whole = values_pb2.Value(unit=values_pb2.UNIT_RATE, numerator=1, denominator=1)
    return objectives_pb2.Objective(
        node_id=node_id,
        title="Write to customers",
        period_kind=values_pb2.PERIOD_KIND_MONTH,
        first_day=Date(year=2030, month=1, day=1),
        key_results=[
            objectives_pb2.KeyResult(
                weight=whole, metric="emails_sent", period_kind=values_pb2.PERIOD_KIND_MONTH, value=_TEN
            )
        ],
    )


def _known_goal(reach: Reach) -> str:
    """The id of a goal at the node; of none for an unknown node."""
    if reach.target not in NODES.values():
        return new_id()
    return reach.enterprise.content.add_goal(goal(reach.target))


def _known_objective(reach: Reach) -> str:
    """The id of an objective at the node; of none for an unknown node."""
    if reach.target not in NODES.values():
        return new_id()
    return reach.enterprise.content.add_objective(objective(reach.target))


def _allocate(reach: Reach) -> Request:
    step = allocation_pb2.AllocationStep(
        into=allocation_pb2.AllocationStep.INTO_PEOPLE, method=cascade_pb2.GOAL_METHOD_EQUAL
    )
    return allocation_pb2.AllocateGoalRequest(
        request_id=new_id(), goal_id=_known_goal(reach), steps=[step], reason="shared out"
    )


def _assign(reach: Reach) -> Request:
    asked = goal(reach.target)
    return allocation_pb2.AssignGoalRequest(
        request_id=new_id(),
        parent_id=_known_goal(reach),
        metric=asked.metric,
        value=asked.value,
        period_kind=asked.period_kind,
        first_day=asked.first_day,
        person_ids=["newcomer"],
        reason="for everybody",
    )


def _withdraw_goal(reach: Reach) -> Request:
    return cascade_pb2.WithdrawGoalRequest(
        request_id=new_id(), goal_id=_known_goal(reach), reason="not asked any more"
    )


def _withdraw_objective(reach: Reach) -> Request:
    return objectives_pb2.WithdrawObjectiveRequest(
        request_id=new_id(), objective_id=_known_objective(reach), reason="not meant any more"
    )


def _list_goals(reach: Reach) -> Request:
    _known_goal(reach)
    return cascade_pb2.ListGoalsRequest(roots=True, node_id=reach.target)


def _list_objectives(reach: Reach) -> Request:
    _known_objective(reach)
    return objectives_pb2.ListObjectivesRequest(node_id=reach.target)


_CASCADE: Final = "/foothold.goals.v1.CascadeService/"
_ALLOCATION: Final = "/foothold.goals.v1.AllocationService/"
_OBJECTIVES: Final = "/foothold.goals.v1.ObjectivesService/"

PROBES: Final[Mapping[str, Probe]] = {
    _CASCADE + "SetGoal": Probe(
        "nodes", lambda r: cascade_pb2.SetGoalRequest(request_id=new_id(), goal=goal(r.target))
    ),
    _CASCADE + "WithdrawGoal": Probe("nodes", _withdraw_goal),
    _CASCADE + "GetGoal": Probe("nodes", lambda r: cascade_pb2.GetGoalRequest(goal_id=_known_goal(r))),
    _CASCADE + "ListGoals": Probe(
        "nodes", _list_goals, meaning=shown_if(lambda answer, _: bool(answer.goals))
    ),
    _CASCADE + "ExplainGoal": Probe(
        "nodes", lambda r: cascade_pb2.ExplainGoalRequest(goal_id=_known_goal(r))
    ),
    _ALLOCATION + "AllocateGoal": Probe("nodes", _allocate),
    _ALLOCATION + "AssignGoal": Probe("nodes", _assign),
    _OBJECTIVES + "SetObjective": Probe(
        "nodes",
        lambda r: objectives_pb2.SetObjectiveRequest(request_id=new_id(), objective=objective(r.target)),
    ),
    _OBJECTIVES + "WithdrawObjective": Probe("nodes", _withdraw_objective),
    _OBJECTIVES + "GetObjective": Probe(
        "nodes", lambda r: objectives_pb2.GetObjectiveRequest(objective_id=_known_objective(r))
    ),
    _OBJECTIVES + "ListObjectives": Probe(
        "nodes", _list_objectives, meaning=shown_if(lambda answer, _: bool(answer.objectives))
    ),
}

"""Reaching for coaching: tasks of people, rules of nodes."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import grpc
from foothold.goals.v1 import coaching_pb2, coaching_rules_pb2
from google.type.date_pb2 import Date

from chassis.errors import from_rpc_error
from chassis.ids import new_id
from tests.permissions.enterprise import NODES
from tests.permissions.probes import Probe, Reach, Request, shown_if

_TASKS: Final = "/foothold.goals.v1.CoachingService/"
_RULES: Final = "/foothold.goals.v1.CoachingRulesService/"


def task(person_id: str) -> coaching_pb2.CoachingTask:
    """A call together, within the week."""
    due = datetime.now(UTC).date() + timedelta(days=7)
    return coaching_pb2.CoachingTask(
        person_id=person_id,
        situation=coaching_rules_pb2.COACHING_SITUATION_NO_FOLLOW_UP,
        text="Make the first call together",
        due_day=Date(year=due.year, month=due.month, day=due.day),
    )


def rule(node_id: str) -> coaching_rules_pb2.CoachingRule:
    """A step for whoever is behind."""
    return coaching_rules_pb2.CoachingRule(
        node_id=node_id,
        situation=coaching_rules_pb2.COACHING_SITUATION_BEHIND,
        step_zh="旁听两通电话",
        step_en="Listen in on two calls",
        days=3,
        active=True,
        reason="as everywhere",
    )


def _open(reach: Reach) -> Request:
    return coaching_pb2.OpenTaskRequest(request_id=new_id(), task=task(reach.target))


def _known_task(reach: Reach) -> str:
    """The id of the open task of the person; of none for somebody unknown or gone."""
    try:
        return reach.enterprise.content.add_task(task(reach.target))
    except grpc.RpcError as error:
        return from_rpc_error(error).metadata.get("task_id") or new_id()


def _answer(reach: Reach) -> Request:
    return coaching_pb2.AnswerTaskRequest(
        request_id=new_id(), task_id=_known_task(reach), answer="We called two."
    )


def _close(reach: Reach) -> Request:
    return coaching_pb2.CloseTaskRequest(
        request_id=new_id(), task_id=_known_task(reach), outcome=coaching_pb2.COACHING_TASK_STATE_DONE
    )


def _set_rule(reach: Reach) -> Request:
    return coaching_rules_pb2.SetRuleRequest(request_id=new_id(), rule=rule(reach.target))


def _withdraw_rule(reach: Reach) -> Request:
    return coaching_rules_pb2.WithdrawRuleRequest(
        request_id=new_id(),
        node_id=reach.target,
        situation=coaching_rules_pb2.COACHING_SITUATION_BEHIND,
        reason="no longer",
    )


def _list_rules(reach: Reach) -> Request:
    if reach.target in NODES.values():
        reach.enterprise.content.add_rule(rule(reach.target))
    return coaching_rules_pb2.ListRulesRequest(node_id=reach.target)


PROBES: Final[Mapping[str, Probe]] = {
    _TASKS + "SuggestSteps": Probe(
        "people", lambda r: coaching_pb2.SuggestStepsRequest(person_ids=[r.target])
    ),
    # Somebody else has opened it before: whoever is told so was let through.
    _TASKS + "OpenTask": Probe("people", _open, through=frozenset({"ALREADY_EXISTS"})),
    _TASKS + "AnswerTask": Probe("people", _answer),
    _TASKS + "CloseTask": Probe("people", _close),
    _TASKS + "ListTasks": Probe("people", lambda r: coaching_pb2.ListTasksRequest(person_id=r.target)),
    _RULES + "SetRule": Probe("nodes", _set_rule),
    _RULES + "WithdrawRule": Probe("nodes", _withdraw_rule),
    _RULES + "ListRules": Probe("nodes", _list_rules, meaning=shown_if(lambda answer, _: bool(answer.rules))),
}

"""Reaching for coaching: tasks of people, rules of nodes."""

from collections.abc import Mapping
from typing import Final

from foothold.goals.v1 import coaching_pb2, coaching_rules_pb2

from chassis.ids import new_id
from tests.permissions.content import rule, task
from tests.permissions.enterprise import NODES
from tests.permissions.probes import Probe, Reach, Request, shown_if

_TASKS: Final = "/foothold.goals.v1.CoachingService/"
_RULES: Final = "/foothold.goals.v1.CoachingRulesService/"


def _open(reach: Reach) -> Request:
    return coaching_pb2.OpenTaskRequest(request_id=new_id(), task=task(reach.target))


def _answer(reach: Reach) -> Request:
    return coaching_pb2.AnswerTaskRequest(
        request_id=new_id(), task_id=reach.enterprise.content.task_of(reach.target), answer="We called two."
    )


def _close(reach: Reach) -> Request:
    return coaching_pb2.CloseTaskRequest(
        request_id=new_id(),
        task_id=reach.enterprise.content.task_of(reach.target),
        outcome=coaching_pb2.COACHING_TASK_STATE_DONE,
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

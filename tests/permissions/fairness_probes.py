"""Reaching for fair play: flags of people, rules of nodes."""

from collections.abc import Mapping
from typing import Final

from foothold.goals.v1 import fairness_pb2

from chassis.ids import new_id
from tests.permissions.content import fairness_rule
from tests.permissions.enterprise import NODES
from tests.permissions.probes import Probe, Reach, Request, shown_if

_SERVICE: Final = "/foothold.goals.v1.FairnessService/"
# Somebody else has answered it before, or it is one's own: whoever is told so was let through.
_THROUGH: Final = frozenset({"FLAG_ANSWERED", "SECOND_PERSON_NEEDED"})


def _flag(reach: Reach) -> str:
    return reach.enterprise.content.flag_of(reach.target)


def _answer(reach: Reach) -> Request:
    return fairness_pb2.AnswerFlagRequest(
        request_id=new_id(),
        flag_id=_flag(reach),
        outcome=fairness_pb2.FLAG_STATE_DISMISSED,
        reason="nothing in it",
    )


def _list_rules(reach: Reach) -> Request:
    if reach.target in NODES.values():
        reach.enterprise.content.add_fairness_rule(fairness_rule(reach.target))
    return fairness_pb2.ListFairnessRulesRequest(node_id=reach.target)


PROBES: Final[Mapping[str, Probe]] = {
    _SERVICE + "ListFlags": Probe("people", lambda r: fairness_pb2.ListFlagsRequest(person_id=r.target)),
    _SERVICE + "GetFlag": Probe("people", lambda r: fairness_pb2.GetFlagRequest(flag_id=_flag(r))),
    _SERVICE + "AnswerFlag": Probe("people", _answer, through=_THROUGH),
    _SERVICE + "ReplyToFlag": Probe(
        "people",
        lambda r: fairness_pb2.ReplyToFlagRequest(
            request_id=new_id(), flag_id=_flag(r), reply="For my aunt."
        ),
        through=_THROUGH,
    ),
    _SERVICE + "SetFairnessRule": Probe(
        "nodes",
        lambda r: fairness_pb2.SetFairnessRuleRequest(request_id=new_id(), rule=fairness_rule(r.target)),
    ),
    _SERVICE + "PreviewFairnessRule": Probe(
        "nodes", lambda r: fairness_pb2.PreviewFairnessRuleRequest(rule=fairness_rule(r.target))
    ),
    _SERVICE + "ListFairnessRules": Probe(
        "nodes", _list_rules, meaning=shown_if(lambda answer, _: bool(answer.rules))
    ),
}

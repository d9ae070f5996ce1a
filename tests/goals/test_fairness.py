"""Fair play through the contract: flags soon after facts, a second person's answer, one's own word, rules at nodes."""

import time
from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any

import grpc
import pytest
from foothold.goals.v1 import facts_pb2, fairness_pb2

from chassis.errors import Failure, from_rpc_error
from tests.goals.enterprise import NOW, Enterprise, fact, fresh

KIND, STATE = fairness_pb2.FairnessKind, fairness_pb2.FlagState
PHONE = {"customer_phone": "138-0000-0001"}


def refusal(call: Callable[[], Any]) -> Failure:
    with pytest.raises(grpc.RpcError) as raised:
        call()
    return from_rpc_error(raised.value)


def flags(goals: Enterprise, by: str = "hr", **fields: Any) -> list[fairness_pb2.Flag]:
    return list(goals.as_(by).fairness.ListFlags(fairness_pb2.ListFlagsRequest(**fields)).flags)


def waited(
    goals: Enterprise, holds: Callable[[list[fairness_pb2.Flag]], bool], by: str = "hr", **fields: Any
) -> list[fairness_pb2.Flag]:
    until = time.monotonic() + 8
    while not holds(found := flags(goals, by, **fields)):
        assert time.monotonic() < until, found
        time.sleep(0.02)
    return found


def one_flag(goals: Enterprise) -> fairness_pb2.Flag:
    return waited(goals, lambda found: len(found) == 1)[0]


def duplicates(person: str = "li") -> list[facts_pb2.Fact]:
    return [fact("FOLLOW_UP", person, customer=each, attributes=PHONE) for each in ("c1", "c2")]


def answer(goals: Enterprise, flag_id: str, outcome: str, by: str = "hr", **fields: Any) -> fairness_pb2.Flag:
    request = fairness_pb2.AnswerFlagRequest(
        request_id=fresh("r"),
        flag_id=flag_id,
        outcome=STATE.Value(f"FLAG_STATE_{outcome}"),
        **{"reason": "as seen", **fields},
    )
    return goals.as_(by).fairness.AnswerFlag(request).flag


def reply(goals: Enterprise, flag_id: str, by: str) -> fairness_pb2.Flag:
    request = fairness_pb2.ReplyToFlagRequest(request_id=fresh("r"), flag_id=flag_id, reply="Mother and son.")
    return goals.as_(by).fairness.ReplyToFlag(request).flag


def rule(node: str, **fields: Any) -> fairness_pb2.FairnessRule:
    made: dict[str, Any] = {
        "kind": KIND.FAIRNESS_KIND_DUPLICATE_CUSTOMERS,
        "active": True,
        "most": 1,
        "reason": "agreed",
    } | fields
    return fairness_pb2.FairnessRule(node_id=node, **made)


def set_rule(goals: Enterprise, told: fairness_pb2.FairnessRule, by: str = "hr") -> None:
    request = fairness_pb2.SetFairnessRuleRequest(request_id=fresh("r"), rule=told)
    goals.as_(by).fairness.SetFairnessRule(request)


def test_a_flag_says_the_rule_and_its_facts_and_takes_none_away(goals: Enterprise) -> None:
    crm = goals.as_("crm")
    crm.record(*duplicates())
    flag = one_flag(goals)
    assert (flag.person_id, flag.state, flag.counted, flag.fact_count) == ("li", STATE.FLAG_STATE_OPEN, 2, 2)
    assert (flag.rule.kind, flag.rule.most, flag.rule.node_id) == (
        KIND.FAIRNESS_KIND_DUPLICATE_CUSTOMERS,
        1,
        "",
    )
    assert goals.as_("hr").value("customers_followed") == (2, 1)
    shown = goals.as_("manager").fairness.GetFlag(fairness_pb2.GetFlagRequest(flag_id=flag.id))
    assert [(each.fact.customer, each.counts) for each in shown.facts] == [("c1", True), ("c2", True)]
    hidden = goals.as_("hr").fairness.GetFlag(fairness_pb2.GetFlagRequest(flag_id=flag.id))
    assert [(each.fact.customer, dict(each.fact.attributes)) for each in hidden.facts] == [("", {})] * 2


def test_a_correction_in_the_crm_ends_a_flag_also_a_confirmed_one(goals: Enterprise) -> None:
    first, second = duplicates()
    goals.as_("crm").record(first, second)
    flag = answer(goals, one_flag(goals).id, "CONFIRMED")
    second.voided, second.version = True, 1
    goals.as_("crm").record(second)
    (ended,) = waited(goals, lambda found: found[0].state == STATE.FLAG_STATE_CORRECTED)
    assert (ended.id, ended.answer, ended.answered_by) == (flag.id, "as seen", "hr")
    assert refusal(lambda: answer(goals, flag.id, "DISMISSED")).reason == "FLAG_ANSWERED"


def test_the_same_flags_whatever_order_facts_came_in(goals: Enterprise) -> None:
    told = duplicates() + [
        fact("FOLLOW_UP", customer=f"b{n}", at=NOW - timedelta(days=1, seconds=9 * n)) for n in range(20)
    ]
    seen = []
    for seed in range(2):
        goals.clear()
        again = told * 2
        Random(seed).shuffle(again)
        for each in again:
            goals.as_("crm").record(each)
        found = waited(goals, lambda found: len(found) == 2 and max(each.counted for each in found) == 20)
        seen.append(sorted((each.rule.kind, each.counted, each.fact_count) for each in found))
    assert seen[0] == seen[1] == [(1, 2, 2), (2, 20, 20)]


def test_what_was_dismissed_does_not_come_back_for_the_same_facts(goals: Enterprise) -> None:
    goals.as_("crm").record(*duplicates())
    flag = answer(goals, one_flag(goals).id, "DISMISSED")
    assert (flag.state, flag.answered_by) == (STATE.FLAG_STATE_DISMISSED, "hr")
    goals.as_("crm").record(fact("FOLLOW_UP", customer="c9"))
    goals.as_("crm").record(fact("FOLLOW_UP", "wang", customer="c1", attributes=PHONE), *duplicates("wang"))
    assert [each.person_id for each in waited(goals, lambda found: len(found) == 2)] == ["wang", "li"]
    goals.as_("crm").record(fact("FOLLOW_UP", customer="c3", attributes=PHONE))
    again = waited(goals, lambda found: len(found) == 3)
    assert sorted((each.person_id, each.state) for each in again) == [("li", 1), ("li", 3), ("wang", 1)]


def test_nobody_answers_their_own_and_only_oneself_replies(goals: Enterprise) -> None:
    goals.as_("crm").record(*duplicates())
    flag = one_flag(goals)
    assert reply(goals, flag.id, "li").reply == "Mother and son."
    assert refusal(lambda: reply(goals, flag.id, "wang")).reason == "FLAG_UNKNOWN"
    assert refusal(lambda: reply(goals, flag.id, "hr")).reason == "PERMISSION_MISSING"
    for by in ("li", "manager", "mentor"):
        assert refusal(lambda by=by: answer(goals, flag.id, "DISMISSED", by)).reason == "PERMISSION_MISSING"  # type: ignore[misc]
    assert answer(goals, flag.id, "CONFIRMED", "branch-hr").answered_by == "branch-hr"
    assert refusal(lambda: reply(goals, flag.id, "li")).reason == "FLAG_ANSWERED"
    assert answer(goals, flag.id, "DISMISSED", "second-hr").state == STATE.FLAG_STATE_DISMISSED
    assert refusal(lambda: answer(goals, flag.id, "CONFIRMED")).reason == "FLAG_ANSWERED"
    goals.as_("crm").record(*duplicates("branch-hr"))
    (own,) = waited(goals, bool, person_id="branch-hr")
    assert refusal(lambda: answer(goals, own.id, "DISMISSED", "branch-hr")).reason == "SECOND_PERSON_NEEDED"


def test_everybody_sees_the_flags_of_their_own_people(goals: Enterprise) -> None:
    goals.as_("crm").record(*duplicates("li"), *duplicates("zhao"))
    waited(goals, lambda found: len(found) == 2)
    for by, seen in (("li", ["li"]), ("manager", ["li"]), ("other-manager", ["zhao"]), ("branch-hr", ["li"])):
        assert [each.person_id for each in flags(goals, by)] == seen, by
    for by in ("mentor", "trainer"):
        assert refusal(lambda by=by: flags(goals, by)).reason == "PERMISSION_MISSING"  # type: ignore[misc]
    assert [each.person_id for each in flags(goals, node_id="shanghai")] == ["li"]
    assert flags(goals, kinds=[KIND.FAIRNESS_KIND_BURST]) == []
    page = goals.as_("hr").fairness.ListFlags(fairness_pb2.ListFlagsRequest(page_size=1))
    rest = fairness_pb2.ListFlagsRequest(page_size=1, page_token=page.next_page_token)
    both = [*page.flags, *goals.as_("hr").fairness.ListFlags(rest).flags]
    assert (page.total_size, {each.person_id for each in both}) == (2, {"li", "zhao"})


def test_a_branch_sets_its_own_rule_sees_first_what_it_would_notice(goals: Enterprise) -> None:
    goals.as_("crm").record(*duplicates())
    one_flag(goals)
    preview = fairness_pb2.PreviewFairnessRuleRequest(rule=rule("shanghai", most=2))
    told = goals.as_("branch-hr").fairness.PreviewFairnessRule(preview)
    assert (told.flags, told.people, told.now) == (0, 0, 1)
    assert told.looked_at > 3
    set_rule(goals, preview.rule, "branch-hr")
    goals.as_("crm").record(fact("FOLLOW_UP", customer="c9"))
    waited(goals, lambda found: found[0].state == STATE.FLAG_STATE_CORRECTED)
    goals.as_("crm").record(fact("FOLLOW_UP", customer="c3", attributes=PHONE))
    (flag, _) = waited(goals, lambda found: len(found) == 2)
    assert (flag.rule.node_id, flag.rule.most, flag.counted) == ("shanghai", 2, 3)
    listed = goals.as_("li").fairness.ListFairnessRules(fairness_pb2.ListFairnessRulesRequest())
    assert [each.node_id for each in listed.rules] == ["shanghai"]
    assert {each.kind for each in listed.built_in} == {1, 2, 3, 4, 5}


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"most": 0}, "rule.most"),
        ({"minutes": 5}, "rule.minutes"),
        ({"kind": 0}, "rule.kind"),
        ({"kind": KIND.FAIRNESS_KIND_BURST}, "rule.minutes"),
        ({"kind": KIND.FAIRNESS_KIND_MONTH_END_REVERSALS, "days": 11, "percent": 30}, "rule.days"),
        ({"reason": " "}, "rule.reason"),
    ],
)
def test_a_rule_with_numbers_that_are_not_of_its_kind_is_refused(
    goals: Enterprise, wrong: dict[str, Any], field: str
) -> None:
    failure = refusal(lambda: set_rule(goals, rule("hq", **wrong)))
    assert failure.reason == "FIELD_INVALID"
    assert field in failure.fields


def test_followers_hear_of_a_flag_and_not_what_was_said(goals: Enterprise) -> None:
    after = goals.as_component("incentives").head()
    goals.as_("crm").record(*duplicates())
    flag = one_flag(goals)
    answer(goals, flag.id, "DISMISSED", reason="their secret")
    heard = goals.as_component("incentives").heard(after, "flag_changed", 2)
    assert [(each.flag_changed.flag_id, each.flag_changed.state) for each in heard] == [
        (flag.id, 1),
        (flag.id, 3),
    ]
    assert b"secret" not in heard[1].SerializeToString()

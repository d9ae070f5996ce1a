"""Coaching rules: the nearest node's wins, what is switched off suggests nothing, and what was known stays readable."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import grpc
import pytest
from foothold.goals.v1 import coaching_pb2, coaching_rules_pb2

from chassis.errors import Failure, from_rpc_error
from services.goals.coached import load_built_in
from services.goals.domain.coaching import Situation
from services.goals.domain.metrics import METRICS
from tests.goals.enterprise import Enterprise, count, fact, fresh, instant, rate

SITUATION = coaching_rules_pb2.CoachingSituation
BEHIND = SITUATION.COACHING_SITUATION_BEHIND


def refusal(call: Callable[[], Any]) -> Failure:
    with pytest.raises(grpc.RpcError) as raised:
        call()
    return from_rpc_error(raised.value)


def set_rule(goals: Enterprise, node: str, step: str, *, by: str = "hr", **fields: Any) -> None:
    made: dict[str, Any] = {
        "situation": BEHIND,
        "step_zh": f"做 {step}",
        "step_en": step,
        "days": 3,
        "active": True,
        "reason": "it worked here",
    } | fields
    rule = coaching_rules_pb2.CoachingRule(node_id=node, **made)
    request = coaching_rules_pb2.SetRuleRequest(request_id=fresh("r"), rule=rule)
    goals.as_(by).coaching_rules.SetRule(request)


def withdraw(goals: Enterprise, node: str, *, by: str = "hr", metric: str = "") -> None:
    request = coaching_rules_pb2.WithdrawRuleRequest(
        request_id=fresh("r"), node_id=node, situation=BEHIND, metric=metric, reason="no longer"
    )
    goals.as_(by).coaching_rules.WithdrawRule(request)


def step_of(goals: Enterprise, person: str, metric: str) -> str:
    """What is suggested to somebody behind with a metric; empty for nothing."""
    request = coaching_pb2.SuggestStepsRequest(person_ids=[person])
    found = goals.as_("hr").coaching.SuggestSteps(request).people[0].steps
    step = next(each for each in found if each.metric == metric and each.situation == BEHIND)
    return str(step.rule.step_en)


def rules(goals: Enterprise, by: str = "hr", **fields: Any) -> list[coaching_rules_pb2.CoachingRule]:
    return list(goals.as_(by).coaching_rules.ListRules(coaching_rules_pb2.ListRulesRequest(**fields)).rules)


@pytest.fixture
def behind(goals: Enterprise) -> Enterprise:
    """Everybody is behind with new customers and e-mails."""
    goals.as_("hr").set_target("new_customers", count(20))
    goals.as_("hr").set_target("emails_sent", count(20))
    return goals


def test_the_rules_that_come_with_the_program_say_something_for_every_situation() -> None:
    built_in = load_built_in()
    assert {rule.key.situation for rule in built_in if not rule.key.metric} == set(Situation)
    assert len({rule.key for rule in built_in}) == len(built_in)
    for rule in built_in:
        assert not rule.key.metric or rule.key.metric in METRICS
        assert 1 <= rule.days <= 30
        assert all(0 < len(step) <= 300 for step in (rule.step_zh, rule.step_en))


def test_the_nearest_node_wins_and_there_the_metric_before_any(behind: Enterprise) -> None:
    built_in = step_of(behind, "li", "new_customers")
    assert built_in
    set_rule(behind, "hq", "everywhere")
    assert step_of(behind, "li", "new_customers") == "everywhere"
    set_rule(behind, "hq", "for e-mails", metric="emails_sent")
    assert (step_of(behind, "li", "emails_sent"), step_of(behind, "li", "new_customers")) == (
        "for e-mails",
        "everywhere",
    )
    set_rule(behind, "shanghai", "in shanghai", by="branch-hr")
    assert step_of(behind, "li", "emails_sent") == "in shanghai"
    assert step_of(behind, "zhao", "emails_sent") == "for e-mails"
    withdraw(behind, "shanghai", by="branch-hr")
    withdraw(behind, "hq")
    withdraw(behind, "hq")
    assert (step_of(behind, "li", "emails_sent"), step_of(behind, "li", "new_customers")) == (
        "for e-mails",
        built_in,
    )


def test_what_a_branch_switches_off_is_not_suggested_there(behind: Enterprise) -> None:
    set_rule(behind, "hq", "everywhere")
    set_rule(behind, "shanghai", "not here", active=False)
    assert (step_of(behind, "li", "emails_sent"), step_of(behind, "zhao", "emails_sent")) == (
        "",
        "everywhere",
    )


def test_what_was_known_of_a_rule_stays_readable(goals: Enterprise) -> None:
    set_rule(goals, "hq", "first")
    before = instant(goals.clock.now())
    goals.clock.advance(timedelta(hours=1))
    try:
        set_rule(goals, "hq", "second", reason="better")
        (now,) = rules(goals)
        assert (now.step_en, now.reason, now.author_id) == ("second", "better", "hr")
        assert [each.step_en for each in rules(goals, known_at=before)] == ["first"]
        withdraw(goals, "hq")
        assert rules(goals) == []
        assert [each.step_en for each in rules(goals, known_at=before)] == ["first"]
    finally:
        goals.clock.advance(timedelta(hours=-1))


def test_rules_are_listed_by_place_in_pages_with_those_that_come_along(goals: Enterprise) -> None:
    for node in ("shanghai", "hq", "beijing"):
        set_rule(goals, node, node)
    set_rule(goals, "hq", "for e-mails", metric="emails_sent")
    request = coaching_rules_pb2.ListRulesRequest(page_size=1)
    found = []
    while True:
        page = goals.as_("hr").coaching_rules.ListRules(request)
        assert len(page.built_in) == len(load_built_in())
        found += [each.step_en for each in page.rules]
        request.page_token = page.next_page_token
        if not request.page_token:
            break
    assert found == ["beijing", "hq", "for e-mails", "shanghai"]
    assert [each.step_en for each in rules(goals, node_id="shanghai")] == ["shanghai"]
    assert {each.step_en for each in rules(goals, by="li")} == {"hq", "for e-mails", "shanghai"}


def test_sent_twice_it_is_one_rule(goals: Enterprise) -> None:
    rule = coaching_rules_pb2.CoachingRule(
        node_id="hq", situation=BEHIND, step_zh="一", step_en="one", days=1, active=True, reason="so"
    )
    request = coaching_rules_pb2.SetRuleRequest(request_id=fresh("r"), rule=rule)
    first = goals.as_("hr").coaching_rules.SetRule(request)
    rows = goals.rows()
    assert goals.as_("hr").coaching_rules.SetRule(request) == first
    assert goals.rows() == rows


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"situation": 0}, "rule.situation"),
        ({"situation": SITUATION.COACHING_SITUATION_NO_FOLLOW_UP, "metric": "revenue"}, "rule.metric"),
        ({"step_zh": ""}, "rule.step_zh"),
        ({"step_en": "x" * 301}, "rule.step_en"),
        ({"days": 0}, "rule.days"),
        ({"days": 31}, "rule.days"),
        ({"course_id": "No"}, "rule.course_id"),
        ({"reason": " "}, "rule.reason"),
    ],
)
def test_what_cannot_be_a_rule_is_refused_on_its_field(
    goals: Enterprise, fields: dict[str, Any], field: str
) -> None:
    before = goals.rows()
    failure = refusal(lambda: set_rule(goals, "hq", "x", **fields))
    assert (failure.reason, set(failure.fields)) == ("FIELD_INVALID", {field})
    assert refusal(lambda: set_rule(goals, "hq", "x", metric="luck")).reason == "METRIC_UNKNOWN"
    assert goals.rows() == before


@pytest.mark.parametrize(
    ("caller", "node", "reason"),
    [
        ("manager", "shanghai-sales", "PERMISSION_MISSING"),
        ("mentor", "li", "PERMISSION_MISSING"),
        ("li", "li", "PERMISSION_MISSING"),
        ("branch-hr", "beijing", "NODE_UNKNOWN"),
        ("hr", "nowhere", "NODE_UNKNOWN"),
    ],
)
def test_who_may_not_set_a_rule(goals: Enterprise, caller: str, node: str, reason: str) -> None:
    assert refusal(lambda: set_rule(goals, node, "x", by=caller)).reason == reason
    assert refusal(lambda: withdraw(goals, node, by=caller)).reason == reason


def test_a_rate_behind_its_target_has_its_own_step(goals: Enterprise) -> None:
    goals.as_("hr").set_target("close_rate", rate(1, 10))
    built_in = next(
        rule
        for rule in load_built_in()
        if rule.key.metric == "close_rate" and rule.key.situation is Situation.BEHIND
    )
    goals.as_("crm").record(fact("FOLLOW_UP", customer="c"))
    assert step_of(goals, "li", "close_rate") == built_in.step_en

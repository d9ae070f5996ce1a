"""Cutting goals into shares: they always sum to what was divided, each says why it is what it is."""

from collections.abc import Callable
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import grpc
import pytest
from foothold.goals.v1 import allocation_pb2, cascade_pb2, values_pb2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.errors import Failure, from_rpc_error
from tests.goals.cascading import (
    METHODS,
    allocate,
    below,
    goal,
    money,
    number,
    set_goal,
    shares,
    step,
    tree,
    view,
)
from tests.goals.enterprise import Enterprise, count, day, fact, fresh, rate, yuan

DEPARTMENTS = ("beijing-sales", "shanghai-key", "shanghai-sales")


def refusal(call: Callable[[], Any]) -> Failure:
    with pytest.raises(grpc.RpcError) as raised:
        call()
    return from_rpc_error(raised.value)


@pytest.fixture
def company(goals: Enterprise) -> cascade_pb2.Goal:
    return set_goal(goals.as_("hr"), goal("hq", money(100_00)))


def test_equal_shares_to_the_cent_and_what_is_left_to_the_smaller_id(
    goals: Enterprise, company: cascade_pb2.Goal
) -> None:
    answer = allocate(goals.as_("hr"), company.id, step("DEPARTMENTS"))
    assert shares(answer) == {"beijing-sales": 33_34, "shanghai-key": 33_33, "shanghai-sales": 33_33}
    assert [each.rounded_up for each in answer.shares] == [True, False, False]
    assert answer.divided.numerator == answer.coverage.sum.numerator == 100_00
    kept = below(goals.as_("hr"), company.id)
    assert {each.goal.node_id: each.goal.value.numerator for each in kept} == shares(answer)
    told = kept[0].goal.share
    assert (told.method, told.weight, told.weight_sum, told.divided) == (
        METHODS.GOAL_METHOD_EQUAL,
        1,
        3,
        100_00,
    )
    assert (kept[0].goal.author_id, kept[0].goal.reason) == ("hr", "shared out")


def test_by_given_weights(goals: Enterprise, company: cascade_pb2.Goal) -> None:
    weights = {"shanghai": 7, "beijing": 3}
    answer = allocate(goals.as_("hr"), company.id, step("BRANCHES", "WEIGHTED", weights=weights))
    assert shares(answer) == {"shanghai": 70_00, "beijing": 30_00}
    assert [(each.goal.share.weight, each.goal.share.weight_sum) for each in answer.shares] == [
        (3, 10),
        (7, 10),
    ]


def test_by_headcount(goals: Enterprise, company: cascade_pb2.Goal) -> None:
    # Shanghai sales: li, wang, mentor, manager; Shanghai key: chen; Beijing sales: zhao, other-manager.
    answer = allocate(goals.as_("hr"), company.id, step("DEPARTMENTS", "HEADCOUNT"))
    assert shares(answer) == {"shanghai-sales": 57_14, "shanghai-key": 14_29, "beijing-sales": 28_57}
    assert {each.goal.share.weight_sum for each in answer.shares} == {7}


def test_by_history_of_the_metric_over_the_year_before_or_the_days_given(
    goals: Enterprise, company: cascade_pb2.Goal
) -> None:
    goals.as_("crm").record(
        fact("DEAL_WON", "li", customer="a", amount=yuan(300), at=_on(2024, 6)),
        fact("DEAL_WON", "wang", customer="b", amount=yuan(100), at=_on(2024, 7)),
        fact("DEAL_WON", "zhao", customer="c", amount=yuan(400), at=_on(2024, 8)),
        fact("DEAL_WON", "chen", customer="d", amount=yuan(900), at=_on(2023, 8)),
    )
    hr = goals.as_("hr")
    answer = allocate(hr, company.id, step("DEPARTMENTS", "HISTORY"), preview=True)
    assert shares(answer) == {"shanghai-sales": 50_00, "beijing-sales": 50_00, "shanghai-key": 0}
    told = answer.shares[0].goal.share
    assert (told.basis_from, told.basis_to) == (day(date(2024, 1, 1)), day(date(2025, 1, 1)))
    longer = step(
        "PEOPLE",
        "HISTORY",
        job_role="sales",
        history_from=day(date(2023, 1, 1)),
        history_to=day(date(2025, 1, 1)),
    )
    assert shares(allocate(hr, company.id, longer, preview=True)) == {
        "li": 17_65,
        "wang": 5_88,
        "zhao": 23_53,
        "chen": 52_94,
    }


def test_by_month_profile_given_or_as_last_year_went(goals: Enterprise, company: cascade_pb2.Goal) -> None:
    hr = goals.as_("hr")
    weights = {str(month): 1 + (month == 11) * 8 for month in range(1, 13)}
    answer = allocate(hr, company.id, step("MONTHS", "MONTH_PROFILE", weights=weights), preview=True)
    assert shares(answer)["11"] == 45_00
    assert sum(shares(answer).values()) == 100_00
    assert answer.coverage.axis == cascade_pb2.GoalCoverage.AXIS_TIME
    quarters = allocate(hr, company.id, step("QUARTERS", "MONTH_PROFILE", weights=weights), preview=True)
    assert shares(quarters) == {"01": 15_00, "04": 15_00, "07": 15_00, "10": 55_00}
    goals.as_("crm").record(
        fact("DEAL_WON", "li", customer="a", amount=yuan(30), at=_on(2024, 2)),
        fact("DEAL_WON", "zhao", customer="b", amount=yuan(10), at=_on(2024, 12)),
    )
    last_year = shares(allocate(hr, company.id, step("MONTHS", "MONTH_PROFILE"), preview=True))
    assert (last_year["02"], last_year["12"], last_year["05"]) == (75_00, 25_00, 0)


def test_a_preview_stores_nothing_and_the_same_call_stores_what_it_showed(
    goals: Enterprise, company: cascade_pb2.Goal
) -> None:
    hr = goals.as_("hr")
    before = goals.rows()
    shown = allocate(hr, company.id, step("DEPARTMENTS", "HEADCOUNT"), preview=True)
    assert goals.rows() == before
    assert {each.goal.id for each in shown.shares} == {""}
    stored = allocate(hr, company.id, step("DEPARTMENTS", "HEADCOUNT"))
    assert shares(stored) == shares(shown)


def test_one_call_cuts_down_to_the_persons_month(goals: Enterprise, company: cascade_pb2.Goal) -> None:
    hr = goals.as_("hr")
    levels = (
        step("BRANCHES", "HEADCOUNT"),
        step("DEPARTMENTS"),
        step("PEOPLE", newcomers_only=True),
        step("MONTHS"),
    )
    answer = allocate(hr, company.id, *levels, told_for_node_id="li")
    assert len(answer.shares) == answer.told_for == 12
    assert answer.made == 2 + 3 + 3 + 36
    # Every goal's children make exactly the goal; a department without newcomers keeps its own.
    waiting = [company.id]
    looked_at = 0
    while waiting:
        for each in below(hr, waiting.pop()):
            if each.children:
                assert number(each.coverage[0].share) == 1, each
                waiting.append(each.goal.id)
                looked_at += 1
    assert looked_at == 2 + 2 + 3


def test_rates_are_passed_down_as_they_are(goals: Enterprise) -> None:
    hr = goals.as_("hr")
    rated = set_goal(hr, goal("hq", rate(8, 100), metric="close_rate"))
    answer = allocate(hr, rated.id, step("DEPARTMENTS"), step("PEOPLE", job_role="sales"), step("MONTHS"))
    assert {(each.goal.value.numerator, each.goal.value.denominator) for each in answer.shares} == {(8, 100)}
    assert {each.goal.share.method for each in answer.shares} == {METHODS.GOAL_METHOD_PASSED_DOWN}
    assert answer.made == 3 + 4 + 48
    assert not answer.HasField("coverage")
    refused = refusal(lambda: allocate(hr, rated.id, step("DEPARTMENTS"), amount=rate(1, 100)))
    assert refused.reason == "VALUE_INVALID"


def test_less_or_more_than_the_goal_may_be_given_out_and_the_coverage_says_so(
    goals: Enterprise, company: cascade_pb2.Goal
) -> None:
    hr = goals.as_("hr")
    less = allocate(hr, company.id, step("BRANCHES"), amount=money(90_01), preview=True)
    assert sorted(shares(less).values()) == [45_00, 45_01]
    assert (number(less.coverage.share), less.coverage.gap.numerator) == (Fraction(9001, 10000), 9_99)
    more = allocate(hr, company.id, step("BRANCHES"), amount=money(110_00), preview=True)
    assert more.coverage.gap.numerator == -10_00


def test_allocating_again_supersedes_and_names_what_stood_there(
    goals: Enterprise, company: cascade_pb2.Goal
) -> None:
    hr = goals.as_("hr")
    first = allocate(hr, company.id, step("BRANCHES"))
    goals.clock.advance(timedelta(hours=1))
    try:
        again = allocate(hr, company.id, step("BRANCHES", "WEIGHTED", weights={"shanghai": 1, "beijing": 3}))
    finally:
        goals.clock.advance(timedelta(hours=-1))
    assert {each.goal.id for each in again.shares} == {each.goal.id for each in first.shares}
    assert {each.superseded.numerator for each in again.shares} == {50_00}
    assert sorted(each.goal.value.numerator for each in below(hr, company.id)) == [25_00, 75_00]


def test_the_same_request_allocates_once(goals: Enterprise, company: cascade_pb2.Goal) -> None:
    hr = goals.as_("hr")
    first = allocate(hr, company.id, step("PEOPLE"), request_id="once-only")
    rows = goals.rows()
    assert allocate(hr, company.id, step("PEOPLE"), request_id="once-only") == first
    assert goals.rows() == rows


def test_goals_that_stay_count_and_those_counted_twice_are_refused(goals: Enterprise) -> None:
    company, department, _ = tree(goals)
    hr = goals.as_("hr")
    failure = refusal(lambda: allocate(hr, company.id, step("BRANCHES"), preview=True))
    assert failure.reason == "GOAL_OVERLAPS"
    kept = allocate(hr, company.id, step("NODES", node_ids=["beijing"]), amount=money(1_00), preview=True)
    assert kept.coverage.children == 2
    assert kept.coverage.sum.numerator == department.value.numerator + 1_00


@pytest.mark.parametrize(
    ("made", "reason", "field"),
    [
        (step("MONTHS", "HEADCOUNT"), "FIELD_INVALID", "steps[0].method"),
        (step("PEOPLE", "MONTH_PROFILE"), "FIELD_INVALID", "steps[0].method"),
        (step("BRANCHES", "WEIGHTED", weights={"shanghai": 1}), "ALLOCATION_IMPOSSIBLE", "steps[0].weights"),
        (step("BRANCHES", weights={"shanghai": 1}), "FIELD_INVALID", "steps[0].weights"),
        (step("MONTHS", "MONTH_PROFILE", weights={"1": 1}), "FIELD_INVALID", "steps[0].weights"),
        (step("BRANCHES", "HISTORY"), "ALLOCATION_IMPOSSIBLE", "steps[0].method"),
        (step("PEOPLE", job_role="pilot"), "ALLOCATION_IMPOSSIBLE", "steps[0].into"),
        (step("NODES", node_ids=["hq"]), "NODE_UNKNOWN", "node_ids"),
        (step("NODES", node_ids=["shanghai", "shanghai"]), "FIELD_INVALID", "steps[0].node_ids"),
        (step("NODES"), "FIELD_INVALID", "steps[0].node_ids"),
    ],
)
def test_what_cannot_be_divided_is_refused_by_name(
    goals: Enterprise,
    company: cascade_pb2.Goal,
    made: allocation_pb2.AllocationStep,
    reason: str,
    field: str,
) -> None:
    before = goals.rows()
    failure = refusal(lambda: allocate(goals.as_("hr"), company.id, made))
    assert failure.reason == reason
    assert field in failure.fields or reason == "NODE_UNKNOWN"
    assert goals.rows() == before


def test_a_month_is_not_cut_into_months(goals: Enterprise) -> None:
    made = set_goal(goals.as_("hr"), goal("hq", money(5), kind="MONTH"))
    failure = refusal(lambda: allocate(goals.as_("hr"), made.id, step("MONTHS")))
    assert failure.reason == "ALLOCATION_IMPOSSIBLE"


@pytest.mark.parametrize(
    ("caller", "reason"),
    [("li", "PERMISSION_MISSING"), ("manager", "PERMISSION_MISSING"), ("branch-hr", "GOAL_UNKNOWN")],
)
def test_who_may_not_allocate_the_companys_goal(
    goals: Enterprise, company: cascade_pb2.Goal, caller: str, reason: str
) -> None:
    for preview in (True, False):
        failure = refusal(
            lambda how=preview: allocate(goals.as_(caller), company.id, step("BRANCHES"), preview=how)  # type: ignore[misc]  # bound per round
        )
        assert failure.reason == reason


def test_branch_hr_divides_the_branchs_goal(goals: Enterprise, company: cascade_pb2.Goal) -> None:
    allocate(goals.as_("hr"), company.id, step("BRANCHES"))
    own = next(
        each.goal for each in below(goals.as_("branch-hr"), company.id) if each.goal.node_id == "shanghai"
    )
    allocate(goals.as_("branch-hr"), own.id, step("DEPARTMENTS"))
    assert number(view(goals.as_("branch-hr"), own.id).coverage[0].share) == 1


@given(
    total=st.integers(0, 10**15),
    weights=st.lists(st.integers(0, 10**12), min_size=2, max_size=2).filter(any),
    profile=st.lists(st.integers(0, 10**12), min_size=12, max_size=12).filter(any),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_shares_always_sum_to_what_was_divided(
    goals: Enterprise, total: int, weights: list[int], profile: list[int]
) -> None:
    hr = goals.as_("hr")
    year = set_goal(hr, goal("hq", money(total)))
    given_weights = dict(zip(("shanghai", "beijing"), weights, strict=True))
    months = {str(month): weight for month, weight in enumerate(profile, 1)}
    for made in (
        step("BRANCHES", "WEIGHTED", weights=given_weights),
        step("MONTHS", "MONTH_PROFILE", weights=months),
        step("PEOPLE"),
    ):
        answer = allocate(hr, year.id, made, preview=True)
        assert sum(each.goal.value.numerator for each in answer.shares) == total
        for each in answer.shares:
            share = each.goal.share
            exact = Fraction(share.divided * share.weight, share.weight_sum)
            # Nobody is more than one unit from the exact share, and nobody with no weight gets anything.
            assert 0 <= each.goal.value.numerator - exact.__floor__() <= 1
            assert exact or not each.goal.value.numerator


def test_each_person_is_refused_for_a_reason_of_their_own(goals: Enterprise) -> None:
    _, department, _ = tree(goals)
    standing = goals.as_("hr").set_target("revenue", money(50_000_00))
    request = allocation_pb2.AssignGoalRequest(
        request_id=fresh("r"),
        parent_id=department.id,
        target_id=standing.id,
        period_kind=values_pb2.PERIOD_KIND_MONTH,
        first_day=day(date(2025, 1, 1)),
        periods=12,
        person_ids=["li", "wang", "chen", "zhao", "wang"],
        reason="as the standard says",
    )
    results = goals.as_("branch-hr").allocation.AssignGoal(request).results
    assert [
        (each.person_id, allocation_pb2.AssignmentResult.Outcome.Name(each.outcome)[8:], each.reason)
        for each in results
    ] == [
        ("li", "ALREADY", ""),
        ("wang", "ASSIGNED", ""),
        ("chen", "REFUSED", "GOAL_LINK_INVALID"),
        ("zhao", "REFUSED", "PERSON_UNKNOWN"),
        ("wang", "ASSIGNED", ""),
    ]
    made = view(goals.as_("branch-hr"), results[1].goal_id).goal
    assert (made.value.numerator, made.share.method) == (50_000_00, METHODS.GOAL_METHOD_ASSIGNED)
    request.request_id, request.first_day.month, request.periods = fresh("r"), 2, 2
    del request.person_ids[:]
    request.person_ids.append("wang")
    assert goals.as_("hr").allocation.AssignGoal(request).results[0].reason == "GOAL_OVERLAPS"
    request.request_id, request.target_id = fresh("r"), "none"
    assert refusal(lambda: goals.as_("hr").allocation.AssignGoal(request)).reason == "TARGET_UNKNOWN"


def test_nobody_who_has_left_is_asked_for_anything(goals: Enterprise) -> None:
    from foothold.identity.v1 import directory_pb2

    gone = goals.person("gone", "shanghai-sales")
    gone.status = directory_pb2.PERSON_STATUS_DISMISSED
    goals.tell({"person_changed": gone})
    request = allocation_pb2.AssignGoalRequest(
        request_id=fresh("r"),
        metric="emails_sent",
        value=count(5),
        period_kind=values_pb2.PERIOD_KIND_MONTH,
        first_day=day(date(2025, 1, 1)),
        person_ids=["gone"],
        reason="too late",
    )
    assert goals.as_("hr").allocation.AssignGoal(request).results[0].reason == "PERSON_LEFT"
    assert refusal(lambda: goals.as_("manager").allocation.AssignGoal(request)).reason == "PERMISSION_MISSING"


def _on(year: int, month: int) -> Any:
    from datetime import UTC, datetime

    return datetime(year, month, 10, 4, tzinfo=UTC)

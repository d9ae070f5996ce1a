"""The goal tree: S01, what may hang where, what is told to whom, and what was known when."""

from collections.abc import Callable
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import grpc
import pytest
from foothold.goals.v1 import cascade_pb2, progress_pb2

from chassis.errors import Failure, from_rpc_error
from tests.goals.cascading import YEAR, below, goal, money, number, set_goal, steps, tree, view
from tests.goals.enterprise import NOW, Enterprise, count, day, fact, fresh, instant, rate, yuan

AXIS = cascade_pb2.GoalCoverage.Axis


def refusal(call: Callable[[], Any]) -> Failure:
    with pytest.raises(grpc.RpcError) as raised:
        call()
    return from_rpc_error(raised.value)


def test_s01_a_goal_tree_with_a_gap_is_shown_and_nothing_is_forced(goals: Enterprise) -> None:
    company, department, newcomer = tree(goals)
    rated = set_goal(
        goals.as_("hr"),
        goal("li", rate(10, 100), metric="close_rate", kind="MONTH", periods=12, parent_id=department.id),
    )
    assert (department.parent_id, newcomer.parent_id, rated.parent_id) == (
        company.id,
        department.id,
        department.id,
    )
    hr = goals.as_("hr")
    whole = view(hr, company.id)
    assert [(each.axis, each.children) for each in whole.coverage] == [(AXIS.AXIS_PLACE, 1)]
    assert number(whole.coverage[0].share) == Fraction(1, 2)
    assert whole.coverage[0].gap.numerator == 50_000_000_00
    part = view(hr, department.id)
    assert number(part.share_of_parent) == Fraction(1, 2)
    assert part.children == 2
    assert part.coverage[0].sum.numerator == 600_000_00
    assert number(part.coverage[0].share) == Fraction(600_000, 50_000_000)
    own = view(goals.as_("li"), newcomer.id)
    assert own.goal.total.numerator == 600_000_00
    needed = number(own.needed_for_parent)
    assert needed == Fraction(250, 3)
    assert round(needed, 2) == Fraction("83.33")
    # A rate serves the goal above it and adds nothing to it.
    assert not view(hr, rated.id).HasField("share_of_parent")
    assert [each.goal.value.numerator for each in steps(goals.as_("li"), newcomer.id)] == [
        50_000_00,
        50_000_000_00,
        100_000_000_00,
    ]


def test_too_much_given_out_is_shown_as_over(goals: Enterprise) -> None:
    company, _, _ = tree(goals)
    hr = goals.as_("hr")
    set_goal(hr, goal("beijing", money(60_000_000_00), parent_id=company.id))
    told = view(hr, company.id).coverage[0]
    assert (told.children, number(told.share), told.gap.numerator) == (2, Fraction(11, 10), -10_000_000_00)


def test_months_divide_a_year_on_an_axis_of_their_own(goals: Enterprise) -> None:
    company, _, _ = tree(goals)
    hr = goals.as_("hr")
    for month in range(1, 12):
        set_goal(
            hr,
            goal("hq", money(8_000_000_00), kind="MONTH", first=date(2025, month, 1), parent_id=company.id),
        )
    told = {each.axis: each for each in view(hr, company.id).coverage}
    assert number(told[AXIS.AXIS_PLACE].share) == Fraction(1, 2)
    assert number(told[AXIS.AXIS_TIME].share) == Fraction(88, 100)


@pytest.mark.parametrize(
    ("told", "reason", "field"),
    [
        ({"node": "beijing-sales"}, "GOAL_LINK_INVALID", "goal.node_id"),
        ({"node": "li", "first": date(2026, 1, 1)}, "GOAL_LINK_INVALID", "goal.first_day"),
        (
            {"node": "shanghai-sales", "kind": "QUARTER", "periods": 4},
            "GOAL_LINK_INVALID",
            "goal.period_kind",
        ),
        ({"node": "li", "first": date(2025, 2, 1), "kind": "QUARTER"}, "FIELD_INVALID", "goal.first_day"),
        ({"node": "li", "kind": "WEEK", "first": date(2025, 1, 6)}, "FIELD_INVALID", "goal.period_kind"),
        ({"node": "li", "kind": "MONTH", "periods": 13}, "FIELD_INVALID", "goal.periods"),
        ({"node": "li", "reason": ""}, "FIELD_INVALID", "goal.reason"),
    ],
)
def test_what_cannot_hang_below_a_goal_is_refused_by_name(
    goals: Enterprise, told: dict[str, Any], reason: str, field: str
) -> None:
    _, department, _ = tree(goals)
    made = goal(told.pop("node"), money(1), parent_id=department.id, **told)
    failure = refusal(lambda: set_goal(goals.as_("hr"), made))
    assert failure.reason == reason
    assert field in failure.fields


@pytest.mark.parametrize("value", [money(-1), money(10**15 + 1), count(5), rate(1, 2)])
def test_a_value_that_does_not_fit_is_refused(goals: Enterprise, value: Any) -> None:
    assert refusal(lambda: set_goal(goals.as_("hr"), goal("hq", value))).reason == "VALUE_INVALID"


def test_a_goal_is_never_above_itself(goals: Enterprise) -> None:
    hr = goals.as_("hr")
    sold = set_goal(hr, goal("li", money(100), kind="MONTH"))
    rated = set_goal(hr, goal("li", rate(1, 10), metric="close_rate", kind="MONTH", parent_id=sold.id))
    ring = goal("li", money(100), kind="MONTH", parent_id=rated.id)
    failure = refusal(lambda: set_goal(hr, ring))
    assert (failure.reason, "goal.parent_id" in failure.fields) == ("GOAL_LINK_INVALID", True)


def test_nobody_is_counted_twice_below_one_goal(goals: Enterprise) -> None:
    company, department, _ = tree(goals)
    hr = goals.as_("hr")
    twice = goal("shanghai", money(60_000_000_00), parent_id=company.id)
    failure = refusal(lambda: set_goal(hr, twice))
    assert failure.reason == "GOAL_OVERLAPS"
    assert department.id in {failure.metadata["goal"], failure.metadata["other"]}
    quarter = goal("li", money(100), kind="QUARTER", parent_id=department.id)
    assert refusal(lambda: set_goal(hr, quarter)).reason == "GOAL_OVERLAPS"


def test_a_goal_is_superseded_and_what_was_known_stays_readable(goals: Enterprise) -> None:
    company, department, newcomer = tree(goals)
    before = instant(goals.clock.now())
    goals.clock.advance(timedelta(days=1))
    try:
        changed = set_goal(goals.as_("hr"), goal("hq", money(120_000_000_00), reason="a second factory"))
        assert changed.id == company.id
        chain = steps(goals.as_("li"), newcomer.id)
        assert [each.parent_changed for each in chain] == [False, True, False]
        assert number(chain[1].share_of_parent) == Fraction(5, 12)
        assert chain[2].goal.reason == "a second factory"
        then = steps(goals.as_("li"), newcomer.id, known_at=before)
        assert number(then[1].share_of_parent) == Fraction(1, 2)
        assert number(view(goals.as_("hr"), department.id, known_at=before).share_of_parent) == Fraction(1, 2)
        assert view(goals.as_("hr"), company.id, known_at=before).coverage[0].children == 1
    finally:
        goals.clock.advance(timedelta(days=-1))


def test_a_goal_is_taken_back_once_nothing_hangs_below_it(goals: Enterprise) -> None:
    _, department, newcomer = tree(goals)
    hr = goals.as_("hr")

    def withdraw(goal_id: str) -> cascade_pb2.Goal:
        request = cascade_pb2.WithdrawGoalRequest(request_id=fresh("r"), goal_id=goal_id, reason="leaves")
        return hr.cascade.WithdrawGoal(request).goal

    failure = refusal(lambda: withdraw(department.id))
    assert (failure.reason, failure.metadata["children"]) == ("GOAL_HAS_CHILDREN", "1")
    assert withdraw(newcomer.id).reason == "leaves"
    assert refusal(lambda: view(hr, newcomer.id)).reason == "GOAL_UNKNOWN"
    assert not below(hr, department.id)
    again = set_goal(hr, goal("li", money(1), kind="MONTH", parent_id=department.id))
    assert again.id != newcomer.id


def test_setting_a_goal_twice_with_one_request_makes_one(goals: Enterprise) -> None:
    hr = goals.as_("hr")
    request = cascade_pb2.SetGoalRequest(request_id=fresh("r"), goal=goal("hq", money(5)))
    first = hr.cascade.SetGoal(request)
    rows = goals.rows()
    assert hr.cascade.SetGoal(request) == first
    assert goals.rows() == rows
    request.goal.value.numerator = 6
    assert refusal(lambda: hr.cascade.SetGoal(request)).reason == "REQUEST_ID_REUSED"


def test_how_far_a_goal_is_comes_from_the_figures_of_everybody_below(goals: Enterprise) -> None:
    company, department, newcomer = tree(goals)
    crm = goals.as_("crm")
    crm.record(
        fact("DEAL_WON", "li", customer="a", amount=yuan(30_000)),
        fact("DEAL_WON", "wang", customer="b", amount=yuan(10_000)),
        fact("DEAL_WON", "zhao", customer="c", amount=yuan(5_000)),
        fact("DEAL_WON", "li", customer="d", amount=yuan(7_000), at=NOW - timedelta(days=40)),
    )
    own = view(goals.as_("li"), newcomer.id).progress
    assert (own.done.numerator, number(own.attainment)) == (30_000_00, Fraction(3, 5))
    assert own.remaining.numerator == 20_000_00
    assert (own.period.first_day.month, own.period.end_day.month) == (3, 4)
    assert view(goals.as_("manager"), department.id).progress.done.numerator == 47_000_00
    assert number(view(goals.as_("hr"), company.id).progress.attainment) == Fraction(52, 100_000)


def test_s05_more_than_the_goal_is_more_than_the_whole(goals: Enterprise) -> None:
    made = set_goal(
        goals.as_("hr"),
        goal("li", count(20), metric="customers_followed", kind="MONTH", first=date(2025, 3, 1)),
    )
    goals.as_("crm").record(*(fact("FOLLOW_UP", customer=f"c{n}") for n in range(25)))
    told = view(goals.as_("li"), made.id).progress
    assert (number(told.attainment), told.remaining.numerator) == (Fraction(5, 4), 0)
    assert told.status == progress_pb2.PROGRESS_STATUS_MET


def test_r4_a_rate_nobody_can_be_judged_by_is_no_data(goals: Enterprise) -> None:
    made = set_goal(
        goals.as_("hr"), goal("li", rate(8, 100), metric="close_rate", kind="MONTH", first=date(2025, 3, 1))
    )
    told = view(goals.as_("li"), made.id).progress
    assert (told.done.denominator, told.attainment.denominator) == (0, 0)
    assert told.status == progress_pb2.PROGRESS_STATUS_NO_DATA


def test_everybody_sees_their_line_up_to_the_company_and_nobody_beside_it(goals: Enterprise) -> None:
    company, department, newcomer = tree(goals)
    hr = goals.as_("hr")
    beside = set_goal(hr, goal("wang", money(5), kind="MONTH", parent_id=department.id))
    elsewhere = set_goal(hr, goal("beijing", money(7), parent_id=company.id))
    for caller, ids in {
        "li": {newcomer.id},
        "mentor": {newcomer.id},
        "manager": {newcomer.id, beside.id},
        "branch-hr": {newcomer.id, beside.id},
        "other-manager": set(),
    }.items():
        assert {each.goal.id for each in below(goals.as_(caller), department.id)} == ids, caller
    assert {each.goal.id for each in below(goals.as_("li"), company.id)} == {department.id}
    assert refusal(lambda: view(goals.as_("li"), beside.id)).reason == "GOAL_UNKNOWN"
    assert refusal(lambda: steps(goals.as_("li"), elsewhere.id)).reason == "GOAL_UNKNOWN"
    # What others make together, and how far they are, is not told to somebody who only stands below.
    above = view(goals.as_("li"), company.id)
    assert above.goal.value.numerator == 100_000_000_00
    assert (list(above.coverage), above.HasField("progress")) == ([], False)


@pytest.mark.parametrize(
    ("caller", "node", "reason"),
    [
        ("li", "li", "PERMISSION_MISSING"),
        ("manager", "li", "PERMISSION_MISSING"),
        ("branch-hr", "hq", "NODE_UNKNOWN"),
        ("branch-hr", "beijing", "NODE_UNKNOWN"),
        ("trainer", "hq", "PERMISSION_MISSING"),
        ("crm", "hq", "PERMISSION_MISSING"),
    ],
)
def test_who_may_not_set_a_goal(goals: Enterprise, caller: str, node: str, reason: str) -> None:
    before = goals.rows()
    assert refusal(lambda: set_goal(goals.as_(caller), goal(node, money(5)))).reason == reason
    assert goals.rows() == before


def test_branch_hr_sets_goals_in_the_branch_below_the_companys(goals: Enterprise) -> None:
    company, _, _ = tree(goals)
    made = set_goal(goals.as_("branch-hr"), goal("shanghai-key", money(9), parent_id=company.id))
    assert (made.author_id, made.parent_id) == ("branch-hr", company.id)
    beyond = cascade_pb2.WithdrawGoalRequest(request_id=fresh("r"), goal_id=company.id, reason="no")
    assert refusal(lambda: goals.as_("branch-hr").cascade.WithdrawGoal(beyond)).reason == "GOAL_UNKNOWN"


def test_a_long_level_is_told_a_page_at_a_time(goals: Enterprise) -> None:
    hr = goals.as_("hr")
    year = set_goal(hr, goal("hq", money(1200)))
    for month in range(1, 13):
        set_goal(hr, goal("hq", money(100), kind="MONTH", first=date(2025, month, 1), parent_id=year.id))
    request = cascade_pb2.ListGoalsRequest(parent_id=year.id, page_size=5)
    months: list[int] = []
    while True:
        answer = hr.cascade.ListGoals(request)
        months += [each.goal.first_day.month for each in answer.goals]
        if not answer.next_page_token:
            break
        request.page_token = answer.next_page_token
    assert months == list(range(1, 13))
    on = cascade_pb2.ListGoalsRequest(node_id="hq", on=day(date(2025, 3, 20)))
    assert [each.goal.period_kind for each in hr.cascade.ListGoals(on).goals] == [5, 3]
    roots = hr.cascade.ListGoals(cascade_pb2.ListGoalsRequest(roots=True)).goals
    assert [each.goal.id for each in roots] == [year.id]
    assert roots[0].goal.first_day == day(YEAR)

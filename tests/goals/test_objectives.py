"""Objectives and key results: S02's arithmetic, exact weights, raw attainments, who may see and set them."""

from collections.abc import Callable
from datetime import timedelta
from fractions import Fraction
from typing import Any

import grpc
import pytest
from foothold.goals.v1 import objectives_pb2, progress_pb2, targets_pb2, values_pb2

from chassis.errors import Failure, from_rpc_error
from tests.goals.cascading import goal, key_result, money, number, scored, set_goal, set_objective
from tests.goals.enterprise import Enterprise, count, fact, fresh, instant, rate, yuan

STATUS = progress_pb2.ProgressStatus
THIRD = Fraction(1, 3)


def refusal(call: Callable[[], Any]) -> Failure:
    with pytest.raises(grpc.RpcError) as raised:
        call()
    return from_rpc_error(raised.value)


def work(goals: Enterprise, *, followed: int, won: int, first: int = 0) -> None:
    goals.as_("crm").record(
        *(fact("FOLLOW_UP", customer=f"c{n}") for n in range(first, first + followed)),
        *(fact("DEAL_WON", customer=f"c{n}", amount=yuan(100)) for n in range(won)),
    )


def s02(goals: Enterprise, **fields: Any) -> objectives_pb2.Objective:
    """Twenty new customers, a close rate of 8 %, and a second rate of 5 %, in thirds."""
    return set_objective(
        goals.as_("manager"),
        key_result(THIRD, metric="new_customers", value=count(20)),
        key_result(THIRD, metric="close_rate", value=rate(8, 100)),
        key_result(THIRD, metric="close_rate", value=rate(5, 100)),
        **fields,
    )


def test_s02_nineteen_is_unmet_and_twenty_is_met(goals: Enterprise) -> None:
    objective = s02(goals)
    work(goals, followed=19, won=2)
    told = scored(goals.as_("li"), objective.id)
    assert (number(told.key_results[0].attainment), told.key_results[0].status) == (
        Fraction(19, 20),
        STATUS.PROGRESS_STATUS_ON_PACE,
    )
    assert number(told.score) == (Fraction(19, 20) + 1 + 1) / 3
    work(goals, followed=1, won=0, first=19)
    told = scored(goals.as_("li"), objective.id)
    assert told.key_results[0].status == STATUS.PROGRESS_STATUS_AT_THRESHOLD
    assert (number(told.score), number(told.weight_with_data)) == (Fraction(1), Fraction(1))


def test_s02_two_of_twenty_five_meets_eight_percent(goals: Enterprise) -> None:
    objective = s02(goals)
    work(goals, followed=25, won=2)
    told = scored(goals.as_("li"), objective.id).key_results
    assert (told[1].done.numerator, told[1].done.denominator) == (2, 25)
    assert (number(told[1].attainment), told[1].status) == (Fraction(1), STATUS.PROGRESS_STATUS_AT_THRESHOLD)


def test_s02_one_of_twenty_meets_five_percent(goals: Enterprise) -> None:
    objective = s02(goals)
    work(goals, followed=20, won=1)
    told = scored(goals.as_("li"), objective.id).key_results
    assert (number(told[1].attainment), told[1].status) == (Fraction(5, 8), STATUS.PROGRESS_STATUS_BEHIND)
    assert (number(told[2].attainment), told[2].status) == (Fraction(1), STATUS.PROGRESS_STATUS_AT_THRESHOLD)


def test_more_than_the_whole_counts_as_the_whole_and_the_raw_stands_beside_it(goals: Enterprise) -> None:
    objective = set_objective(
        goals.as_("manager"),
        key_result(Fraction(3, 4), metric="new_customers", value=count(20)),
        key_result(Fraction(1, 4), metric="emails_sent", value=count(10)),
    )
    work(goals, followed=30, won=0)
    told = scored(goals.as_("li"), objective.id)
    assert [number(each.attainment) for each in told.key_results] == [Fraction(3, 2), 0]
    assert number(told.score) == Fraction(3, 4)


def test_no_data_is_neither_nought_nor_unmet(goals: Enterprise) -> None:
    objective = set_objective(
        goals.as_("manager"),
        key_result(Fraction(2, 5), metric="close_rate", value=rate(8, 100)),
        key_result(Fraction(3, 5), metric="emails_sent", value=count(4)),
    )
    goals.as_("crm").record(fact("EMAIL"))
    told = scored(goals.as_("li"), objective.id)
    assert told.key_results[0].status == STATUS.PROGRESS_STATUS_NO_DATA
    assert (number(told.score), number(told.weight_with_data)) == (Fraction(1, 4), Fraction(3, 5))
    alone = set_objective(goals.as_("manager"), key_result(1, metric="close_rate", value=rate(8, 100)))
    assert number(scored(goals.as_("li"), alone.id).score) is None


@pytest.mark.parametrize("weights", [(Fraction(1, 2), Fraction(1, 3)), (Fraction(1, 2), Fraction(3, 5))])
def test_weights_that_do_not_sum_to_one_are_refused_with_their_sum(
    goals: Enterprise, weights: tuple[Fraction, Fraction]
) -> None:
    before = goals.rows()
    results = [key_result(weight, metric="new_customers", value=count(20)) for weight in weights]
    failure = refusal(lambda: set_objective(goals.as_("manager"), *results))
    assert (failure.reason, failure.metadata["sum"]) == ("WEIGHTS_NOT_ONE", str(sum(weights)))
    assert goals.rows() == before


def test_thirds_sum_to_one_exactly(goals: Enterprise) -> None:
    assert number(s02(goals).key_results[2].weight) == THIRD


def test_less_is_better_where_it_says_so(goals: Enterprise) -> None:
    objective = set_objective(
        goals.as_("manager"),
        key_result(
            1,
            metric="deals_lost",
            value=count(3),
            direction=objectives_pb2.KEY_RESULT_DIRECTION_AT_MOST,
        ),
    )
    told = scored(goals.as_("li"), objective.id)
    assert (number(told.score), told.key_results[0].status) == (Fraction(1), STATUS.PROGRESS_STATUS_MET)
    goals.as_("crm").record(*(fact("DEAL_LOST", customer=f"c{n}") for n in range(4)))
    told = scored(goals.as_("li"), objective.id)
    assert (number(told.score), told.key_results[0].status) == (
        Fraction(3, 4),
        STATUS.PROGRESS_STATUS_BEHIND,
    )


def test_a_key_result_follows_the_target_or_goal_it_names(goals: Enterprise) -> None:
    hr = goals.as_("hr")
    target = hr.set_target("new_customers", count(20))
    own = set_goal(hr, goal("li", money(1_000_00), kind="MONTH", periods=12))
    objective = set_objective(
        goals.as_("manager"),
        key_result(Fraction(1, 2), target_id=target.id),
        key_result(Fraction(1, 2), goal_id=own.id),
    )
    work(goals, followed=10, won=5)
    told = scored(goals.as_("li"), objective.id)
    assert [number(each.attainment) for each in told.key_results] == [Fraction(1, 2), Fraction(1, 2)]
    goals.clock.advance(timedelta(minutes=1))
    try:
        set_goal(hr, goal("li", money(500_00), kind="MONTH", periods=12))
        told = scored(goals.as_("li"), objective.id)
        assert number(told.key_results[1].attainment) == 1
        assert told.key_results[1].key_result.value.numerator == 500_00
    finally:
        goals.clock.advance(timedelta(minutes=-1))
    elsewhere = set_goal(hr, goal("beijing", money(5)))
    for wrong, reason in (
        ({"goal_id": elsewhere.id}, "GOAL_UNKNOWN"),
        ({"target_id": "none"}, "TARGET_UNKNOWN"),
        ({"metric": "luck", "value": count(1)}, "METRIC_UNKNOWN"),
        ({"metric": "close_rate", "value": count(1)}, "VALUE_INVALID"),
    ):
        made = key_result(1, **wrong)
        assert refusal(lambda one=made: set_objective(goals.as_("manager"), one)).reason == reason  # type: ignore[misc]  # bound per round


def test_a_target_that_waits_for_approval_is_no_key_result_yet(goals: Enterprise) -> None:
    hr, branch = goals.as_("hr"), goals.as_("branch-hr")
    hr.set_target("deals_won", count(20), rule=targets_pb2.OverrideRule(approval_required=True))
    waiting = branch.set_target("deals_won", count(30), node="shanghai", reason="more shops")
    made = key_result(1, target_id=waiting.id)
    failure = refusal(lambda: set_objective(goals.as_("manager"), made))
    assert (failure.reason, failure.metadata["state"]) == ("TARGET_NOT_IN_FORCE", "pending")


def test_a_departments_objective_counts_everybody_in_it(goals: Enterprise) -> None:
    objective = set_objective(
        goals.as_("manager"), key_result(1, metric="new_customers", value=count(40)), node="shanghai-sales"
    )
    work(goals, followed=12, won=0)
    goals.as_("crm").record(*(fact("FOLLOW_UP", "wang", customer=f"w{n}") for n in range(8)))
    assert number(scored(goals.as_("manager"), objective.id).score) == Fraction(1, 2)
    assert refusal(lambda: scored(goals.as_("li"), objective.id)).reason == "OBJECTIVE_UNKNOWN"


def test_an_objective_is_superseded_and_its_old_version_stays_readable(goals: Enterprise) -> None:
    manager = goals.as_("manager")
    first = s02(goals)
    before = instant(goals.clock.now())
    goals.clock.advance(timedelta(hours=1))
    try:
        made = key_result(1, metric="new_customers", value=count(25))
        assert refusal(lambda: set_objective(manager, made, id=first.id)).reason == "FIELD_INVALID"
        again = set_objective(manager, made, id=first.id, reason="one thing at a time")
        assert (again.id, len(again.key_results)) == (first.id, 1)
        request = objectives_pb2.GetObjectiveRequest(objective_id=first.id, known_at=before)
        assert len(manager.objectives.GetObjective(request).score.key_results) == 3
        moved = refusal(lambda: set_objective(manager, made, id=first.id, node="wang", reason="moves"))
        assert moved.reason == "OBJECTIVE_UNKNOWN"
        withdraw = objectives_pb2.WithdrawObjectiveRequest(
            request_id=fresh("r"), objective_id=first.id, reason="done with"
        )
        assert manager.objectives.WithdrawObjective(withdraw).objective.reason == "done with"
        assert refusal(lambda: scored(manager, first.id)).reason == "OBJECTIVE_UNKNOWN"
    finally:
        goals.clock.advance(timedelta(hours=-1))


def test_setting_an_objective_twice_with_one_request_makes_one(goals: Enterprise) -> None:
    objective = objectives_pb2.Objective(
        node_id="li",
        title="Find customers",
        period_kind=values_pb2.PERIOD_KIND_MONTH,
        key_results=[key_result(1, metric="new_customers", value=count(20))],
    )
    objective.first_day.year, objective.first_day.month, objective.first_day.day = 2025, 3, 1
    request = objectives_pb2.SetObjectiveRequest(request_id=fresh("r"), objective=objective)
    manager = goals.as_("manager")
    first = manager.objectives.SetObjective(request)
    rows = goals.rows()
    assert manager.objectives.SetObjective(request) == first
    assert goals.rows() == rows


@pytest.mark.parametrize(
    ("caller", "reason"),
    [
        ("li", "PERMISSION_MISSING"),
        ("mentor", "PERMISSION_MISSING"),
        ("trainer", "PERMISSION_MISSING"),
        ("crm", "PERMISSION_MISSING"),
        ("other-manager", "NODE_UNKNOWN"),
    ],
)
def test_who_may_not_set_somebodys_objective(goals: Enterprise, caller: str, reason: str) -> None:
    made = key_result(1, metric="new_customers", value=count(20))
    assert refusal(lambda: set_objective(goals.as_(caller), made)).reason == reason


def test_who_sees_whose_objectives(goals: Enterprise) -> None:
    s02(goals)
    s02(goals, node="wang")
    set_objective(
        goals.as_("hr"), key_result(1, metric="new_customers", value=count(9)), node="beijing-sales"
    )
    for caller, nodes in {
        "li": {"li"},
        "mentor": {"li"},
        "manager": {"li", "wang"},
        "branch-hr": {"li", "wang"},
        "hr": {"li", "wang", "beijing-sales"},
        "other-manager": {"beijing-sales"},
    }.items():
        request = objectives_pb2.ListObjectivesRequest(page_size=1)
        found = set()
        while True:
            answer = goals.as_(caller).objectives.ListObjectives(request)
            found |= {each.objective.node_id for each in answer.objectives}
            if not answer.next_page_token:
                break
            request.page_token = answer.next_page_token
        assert found == nodes, caller
    denied = refusal(
        lambda: goals.as_("trainer").objectives.ListObjectives(objectives_pb2.ListObjectivesRequest())
    )
    assert denied.reason == "PERMISSION_MISSING"

"""One goal for many people in one call. A module of its own: its people stay until the module ends."""

from datetime import date

from foothold.goals.v1 import allocation_pb2, values_pb2

from tests.goals.cascading import goal, number, set_goal, view
from tests.goals.enterprise import Enterprise, count, day, fresh


def test_one_goal_is_assigned_to_two_thousand_people_in_one_call(goals: Enterprise) -> None:
    people = [f"many-{n:04}" for n in range(2_000)]
    goals.add_people(people)
    hr = goals.as_("hr")
    company = set_goal(hr, goal("hq", count(1_000_000), metric="new_customers"))
    request = allocation_pb2.AssignGoalRequest(
        request_id=fresh("r"),
        parent_id=company.id,
        metric="new_customers",
        value=count(20),
        period_kind=values_pb2.PERIOD_KIND_MONTH,
        first_day=day(date(2025, 1, 1)),
        periods=12,
        person_ids=[*people, "nobody"],
        reason="the standard of the year",
    )
    results = hr.allocation.AssignGoal(request, timeout=30).results
    outcome = allocation_pb2.AssignmentResult
    assert [each.person_id for each in results] == [*people, "nobody"]
    assert {each.outcome for each in results[:-1]} == {outcome.OUTCOME_ASSIGNED}
    assert (results[-1].outcome, results[-1].reason) == (outcome.OUTCOME_REFUSED, "PERSON_UNKNOWN")
    assert number(view(hr, company.id).coverage[0].sum) == 2_000 * 240
    rows = goals.rows()
    assert list(hr.allocation.AssignGoal(request).results) == list(results)
    assert goals.rows() == rows
    request.request_id = fresh("r")
    again = hr.allocation.AssignGoal(request).results
    assert {each.outcome for each in again[:-1]} == {outcome.OUTCOME_ALREADY}
    assert [each.goal_id for each in again] == [each.goal_id for each in results]

"""Goals, shares and objectives as the tests of the tree speak of them."""

from datetime import date
from fractions import Fraction
from typing import Any

from foothold.goals.v1 import allocation_pb2, cascade_pb2, objectives_pb2, values_pb2

from tests.goals.enterprise import Client, Enterprise, day, fresh

INTO = allocation_pb2.AllocationStep
METHODS = cascade_pb2.GoalMethod
YEAR = date(2025, 1, 1)


def money(fen: int) -> values_pb2.Value:
    return values_pb2.Value(unit=values_pb2.UNIT_MONEY, numerator=fen, denominator=1, currency="CNY")


def number(value: values_pb2.Value) -> Fraction | None:
    return Fraction(value.numerator, value.denominator) if value.denominator else None


def goal(
    node: str,
    value: values_pb2.Value,
    *,
    metric: str = "revenue",
    kind: str = "YEAR",
    first: date = YEAR,
    **fields: Any,
) -> cascade_pb2.Goal:
    fields.setdefault("reason", "the year's plan")
    return cascade_pb2.Goal(
        node_id=node,
        metric=metric,
        period_kind=values_pb2.PeriodKind.Value(f"PERIOD_KIND_{kind}"),
        first_day=day(first),
        value=value,
        **fields,
    )


def set_goal(client: Client, told: cascade_pb2.Goal) -> cascade_pb2.Goal:
    return client.cascade.SetGoal(cascade_pb2.SetGoalRequest(request_id=fresh("r"), goal=told)).goal


def view(client: Client, goal_id: str, **fields: Any) -> cascade_pb2.GoalView:
    return client.cascade.GetGoal(cascade_pb2.GetGoalRequest(goal_id=goal_id, **fields)).view


def below(client: Client, goal_id: str, **fields: Any) -> list[cascade_pb2.GoalView]:
    request = cascade_pb2.ListGoalsRequest(parent_id=goal_id, page_size=1000, **fields)
    return list(client.cascade.ListGoals(request).goals)


def steps(client: Client, goal_id: str, **fields: Any) -> list[cascade_pb2.GoalStep]:
    return list(client.cascade.ExplainGoal(cascade_pb2.ExplainGoalRequest(goal_id=goal_id, **fields)).steps)


def step(into: str, method: str = "EQUAL", **fields: Any) -> allocation_pb2.AllocationStep:
    weights = fields.pop("weights", {})
    return INTO(
        into=INTO.Into.Value(f"INTO_{into}"),
        method=METHODS.Value(f"GOAL_METHOD_{method}"),
        weights=[INTO.Weight(key=key, weight=weight) for key, weight in weights.items()],
        **fields,
    )


def allocate(
    client: Client, goal_id: str, *made: allocation_pb2.AllocationStep, preview: bool = False, **fields: Any
) -> allocation_pb2.AllocateGoalResponse:
    fields.setdefault("request_id", fresh("r"))
    fields.setdefault("reason", "shared out")
    return client.allocation.AllocateGoal(
        allocation_pb2.AllocateGoalRequest(goal_id=goal_id, steps=made, validate_only=preview, **fields)
    )


def shares(answer: allocation_pb2.AllocateGoalResponse) -> dict[str, int]:
    """Units by node, or by first day where one node has several."""
    nodes = {each.goal.node_id for each in answer.shares}
    if len(nodes) == len(answer.shares):
        return {each.goal.node_id: each.goal.value.numerator for each in answer.shares}
    return {f"{each.goal.first_day.month:02}": each.goal.value.numerator for each in answer.shares}


def key_result(weight: Fraction | int, **fields: Any) -> objectives_pb2.KeyResult:
    part = Fraction(weight)
    fields.setdefault("period_kind", values_pb2.PERIOD_KIND_MONTH)
    return objectives_pb2.KeyResult(
        weight=values_pb2.Value(
            unit=values_pb2.UNIT_RATE, numerator=part.numerator, denominator=part.denominator
        ),
        **fields,
    )


def set_objective(
    client: Client,
    *results: objectives_pb2.KeyResult,
    node: str = "li",
    first: date = YEAR,
    **fields: Any,
) -> objectives_pb2.Objective:
    fields.setdefault("title", "Find customers of one's own")
    fields.setdefault("period_kind", values_pb2.PERIOD_KIND_QUARTER)
    objective = objectives_pb2.Objective(node_id=node, first_day=day(first), key_results=results, **fields)
    request = objectives_pb2.SetObjectiveRequest(request_id=fresh("r"), objective=objective)
    return client.objectives.SetObjective(request).objective


def scored(client: Client, objective_id: str) -> objectives_pb2.ObjectiveScore:
    request = objectives_pb2.GetObjectiveRequest(objective_id=objective_id)
    return client.objectives.GetObjective(request).score


def tree(goals: Enterprise) -> tuple[cascade_pb2.Goal, cascade_pb2.Goal, cascade_pb2.Goal]:
    """S01's: the company's year, its sales department's half, and a newcomer's 50,000 a month."""
    hr = goals.as_("hr")
    company = set_goal(hr, goal("hq", money(100_000_000_00)))
    department = set_goal(hr, goal("shanghai-sales", money(50_000_000_00), parent_id=company.id))
    newcomer = set_goal(hr, goal("li", money(50_000_00), kind="MONTH", periods=12, parent_id=department.id))
    return company, department, newcomer

"""Where a person's goals come from: each with the chain up to where the tree begins."""

from dataclasses import dataclass
from datetime import date
from functools import partial

from foothold.goals.v1 import cascade_pb2

from services.gateway.clients import ask
from services.gateway.figures import from_date
from services.gateway.parts import clients
from services.gateway.sections import at_once

_MOST = 50


@dataclass(frozen=True, slots=True)
class Origin:
    """A goal, how far it is, and the steps it comes from, the goal itself first."""

    view: cascade_pb2.GoalView
    steps: list[cascade_pb2.GoalStep]


def origins(person_id: str, on: date, *, metric: str = "", kind: int = 0) -> list[Origin]:
    """The goals of a person that hold on a day, of one metric and kind of period where they are given.

    Failure from goals when the person is not the caller's to see.
    """
    asked = cascade_pb2.ListGoalsRequest(
        node_id=person_id, metric=metric, on=from_date(on), with_progress=True, page_size=_MOST
    )
    views = [
        each for each in ask(clients().cascade.ListGoals, asked).goals if kind in (0, each.goal.period_kind)
    ]
    chains = at_once(partial(_steps, each.goal.id) for each in views)
    return [Origin(view, steps) for view, steps in zip(views, chains, strict=True)]


def _steps(goal_id: str) -> list[cascade_pb2.GoalStep]:
    asked = cascade_pb2.ExplainGoalRequest(goal_id=goal_id)
    return list(ask(clients().cascade.ExplainGoal, asked).steps)

"""Shares, as stored or as they would be."""

from foothold.goals.v1 import allocation_pb2

from services.goals.domain.allocation import Portion
from services.goals.domain.cascade import Goal
from services.goals.wire.cascade import from_goal
from services.goals.wire.values import from_value


def from_cut(
    goal: Goal, portion: Portion | None, before: Goal | None, currency: str, *, stored: bool
) -> allocation_pb2.AllocationShare:
    """One share; `portion` is None for a rate, `before` is what stood there."""
    return allocation_pb2.AllocationShare(
        goal=from_goal(goal, currency, stored=stored),
        rounded_up=portion is not None and portion.rounded_up,
        superseded=None if before is None else from_value(before.value, currency),
    )

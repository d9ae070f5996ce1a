"""Cutting a whole number of units into shares that sum to it, and why each is what it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from typing import Final, NamedTuple

from services.goals.domain.cascade import LARGEST_SUM, Method

MONTHS: Final = tuple(str(number) for number in range(1, 13))
"""The keys of a month profile's weights."""


class Into(IntEnum):
    """What a goal is divided into; the numbers of `foothold.goals.v1.AllocationStep.Into`."""

    BRANCHES = 1
    DEPARTMENTS = 2
    PEOPLE = 3
    QUARTERS = 4
    MONTHS = 5
    NODES = 6


PERIODS: Final = frozenset({Into.QUARTERS, Into.MONTHS})
BY_PLACE: Final = frozenset({Method.EQUAL, Method.WEIGHTED, Method.HEADCOUNT, Method.HISTORY})
BY_TIME: Final = frozenset({Method.EQUAL, Method.MONTH_PROFILE})


@dataclass(frozen=True, slots=True)
class Step:
    """One level of an allocation. `history` is half-open; None for the year before the goal's days."""

    into: Into
    method: Method
    weights: Mapping[str, int]
    history: tuple[date, date] | None
    node_ids: tuple[str, ...]
    job_role: str
    newcomers_only: bool

    @property
    def reads_history(self) -> bool:
        """Whether the weights come from earlier days."""
        return self.method is Method.HISTORY or (self.method is Method.MONTH_PROFILE and not self.weights)


class Portion(NamedTuple):
    """One share: `units`, of exactly `weight` / `weight_sum` of what was divided before it was made whole."""

    units: int
    weight: int
    weight_sum: int
    rounded_up: bool


def largest_remainder(total: int, weights: Sequence[int]) -> list[Portion] | None:
    """`total` units in proportion to `weights`, by the largest remainder; None where all weights are 0.

    Each gets its exact share rounded down; what is left goes, one each, to the largest remainders, and between
    equal ones to the earlier in `weights`. The units always sum to `total`, and a weight of 0 gets none.
    """
    whole = sum(weights)
    if not whole:
        return None
    shares = [divmod(total * weight, whole) for weight in weights]
    left = total - sum(units for units, _ in shares)
    raised = set(sorted(range(len(shares)), key=lambda place: (-shares[place][1], place))[:left])
    return [
        Portion(units + (place in raised), weight, whole, place in raised)
        for place, ((units, _), weight) in enumerate(zip(shares, weights, strict=True))
    ]


def wrong_method(step: Step) -> str | None:
    """What is wrong with how a step divides, in English."""
    if step.method not in (BY_TIME if step.into in PERIODS else BY_PLACE):
        return "cannot divide that way"
    return None


def wrong_weights(step: Step) -> str | None:
    """What is wrong with a step's weights, in English."""
    weighted = step.method in (Method.WEIGHTED, Method.MONTH_PROFILE)
    if step.weights and not weighted:
        return "weights are for WEIGHTED and MONTH_PROFILE"
    if step.method is Method.MONTH_PROFILE and step.weights and set(step.weights) != set(MONTHS):
        return "a month profile has one weight for each month, 1 to 12"
    if sum(step.weights.values()) > LARGEST_SUM:
        return "the weights are too large together"
    return None

"""The goal tree: what a goal is, what may hang where, and what children make together."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import IntEnum
from fractions import Fraction
from typing import Final, NamedTuple

from services.goals.domain.metrics import METRICS, Aggregation
from services.goals.domain.periods import Period, PeriodKind, months_after, period_of
from services.goals.domain.targets import LARGEST_DENOMINATOR
from services.goals.domain.values import Unit, Value

LARGEST_GOAL: Final = 10**15
"""Per period, in minor units, things or minutes."""

LARGEST_SUM: Final = 2**62
"""What weights may sum to, so that every part of it is a bigint."""

MONTHS: Final[Mapping[PeriodKind, int]] = {PeriodKind.MONTH: 1, PeriodKind.QUARTER: 3, PeriodKind.YEAR: 12}
"""How many months each kind of period that a goal may have is long."""


class Method(IntEnum):
    """How a goal's value was made; the numbers of `foothold.goals.v1.GoalMethod`."""

    GIVEN = 1
    EQUAL = 2
    WEIGHTED = 3
    HEADCOUNT = 4
    HISTORY = 5
    MONTH_PROFILE = 6
    PASSED_DOWN = 7
    ASSIGNED = 8


class Axis(IntEnum):
    """What children divide; the numbers of `foothold.goals.v1.GoalCoverage.Axis`."""

    PLACE = 1
    TIME = 2


class Share(NamedTuple):
    """How a value came about: `weight` of `weight_sum` parts of `divided`, weights read from the days of `basis`."""

    method: Method
    weight: int = 0
    weight_sum: int = 0
    divided: int = 0
    basis: tuple[date, date] | None = None


class Key(NamedTuple):
    """There is one goal of a node, metric and first period."""

    node_id: str
    metric: str
    period_kind: PeriodKind
    first_day: date


@dataclass(frozen=True, slots=True)
class Goal:
    """So much of a metric, at a node, in each of `periods` consecutive periods."""

    id: str
    parent_id: str
    node_id: str
    metric: str
    period_kind: PeriodKind
    first_day: date
    periods: int
    value: Value
    share: Share
    reason: str
    author_id: str
    recorded_at: datetime

    @property
    def key(self) -> Key:
        """What makes it the same goal."""
        return Key(self.node_id, self.metric, self.period_kind, self.first_day)

    @property
    def months(self) -> int:
        """How long it is."""
        return MONTHS[self.period_kind] * self.periods

    @property
    def end_day(self) -> date:
        """The day after its last."""
        return months_after(self.first_day, self.months)

    @property
    def is_sum(self) -> bool:
        """Whether it is cut into shares; a rate is passed down as it is."""
        return adds_up(self.metric)

    @property
    def total(self) -> Value:
        """The value over all its periods; for a rate the rate."""
        if not self.is_sum:
            return self.value
        return Value(self.value.unit, self.value.numerator * self.periods, self.value.denominator)

    def period_on(self, today: date, zone: str) -> Period:
        """Its period that holds on a day: the first before it begins, the last after it has ended."""
        day = min(max(today, self.first_day), self.end_day - timedelta(days=1))
        return period_of(self.period_kind, day, zone)


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the children of a goal's own metric make together along one axis, in units."""

    axis: Axis
    children: int
    total: int


class Link(NamedTuple):
    """One step of a goal's chain: its part of the next step, and whether that was changed since."""

    goal: Goal
    share_of_parent: Fraction | None
    parent_changed: bool


class Overlap(NamedTuple):
    """Two goals under one parent that ask for the same again."""

    goal: Goal
    other: Goal


def adds_up(metric: str) -> bool:
    """Whether values of a metric are cut into shares and summed; ratios are not."""
    return METRICS[metric].aggregation is not Aggregation.RATIO


def wrong_value(metric: str, value: Value, *, currency: str, expected_currency: str) -> str | None:
    """What is wrong with a goal's value, in English."""
    unit = METRICS[metric].unit
    if value.unit is not unit:
        return f"{metric} is counted in {unit.name}"
    if currency != (expected_currency if unit is Unit.MONEY else ""):
        return f"must be in {expected_currency}" if unit is Unit.MONEY else "a currency is for money only"
    most = 1 if adds_up(metric) else LARGEST_DENOMINATOR
    if not 1 <= value.denominator <= most:
        return f"the denominator must be 1 to {most}" if most > 1 else "must be whole: the denominator is 1"
    if not 0 <= value.numerator <= LARGEST_GOAL:
        return f"the numerator must be 0 to {LARGEST_GOAL}"
    if unit is Unit.RATE and value.numerator > value.denominator:
        return "a rate is at most 1"
    return None


def wrong_periods(kind: PeriodKind, first_day: date, periods: int) -> tuple[str, str] | None:
    """The field and what is wrong with it, in English."""
    if kind not in MONTHS:
        return "period_kind", "must be a month, a quarter or a year"
    if period_of(kind, first_day, "UTC").first != first_day:
        return "first_day", "must be the first day of such a period"
    if not 1 <= periods <= 12 // MONTHS[kind]:
        return "periods", f"must be 1 to {12 // MONTHS[kind]}"
    return None


def wrong_link(goal: Goal, parent: Goal, path: tuple[str, ...]) -> tuple[str, str] | None:
    """Why a goal cannot hang below a parent: the field and why, in English. `path` leads from its node to the root."""
    if parent.node_id not in path:
        return "node_id", "must be at or below the parent's node"
    if not (parent.first_day <= goal.first_day and goal.end_day <= parent.end_day):
        return "first_day", "its days must be within the parent's"
    if goal.metric == parent.metric and goal.node_id == parent.node_id and goal.months >= parent.months:
        return "period_kind", "a part of a goal is lower in the tree or shorter in time"
    return None


def axis_of(goal: Goal, parent: Goal) -> Axis | None:
    """Which of the parent's sums a child adds to; None where it adds to none."""
    if goal.metric != parent.metric or not goal.is_sum:
        return None
    return Axis.TIME if goal.node_id == parent.node_id else Axis.PLACE


def share_of(goal: Goal, parent: Goal) -> Fraction | None:
    """A goal's part of its parent; None where it adds nothing to it or the parent asks for nothing."""
    if axis_of(goal, parent) is None or not parent.total.numerator:
        return None
    return Fraction(goal.total.numerator, parent.total.numerator)


def needed_for(goal: Goal, parent: Goal) -> Fraction | None:
    """How many goals like this one, over the parent's whole length, make the parent."""
    if axis_of(goal, parent) is not Axis.PLACE or not goal.value.numerator:
        return None
    each = goal.value.numerator * Fraction(parent.months, MONTHS[goal.period_kind])
    return Fraction(parent.total.numerator) / each


def chain(goals: Iterable[Goal]) -> list[Link]:
    """The links of a goal's chain, itself first."""
    steps = list(goals)
    above: list[Goal | None] = [*steps[1:], None]
    return [
        Link(
            step,
            None if parent is None else share_of(step, parent),
            parent is not None and parent.recorded_at > step.recorded_at,
        )
        for step, parent in zip(steps, above, strict=True)
    ]


class Siblings:
    """Children of one parent, by what they divide and where, to find those that would be counted twice."""

    def __init__(self, parent: Goal, children: Iterable[Goal]) -> None:
        self._parent = parent
        self._at: dict[tuple[Axis, str], list[Goal]] = defaultdict(list)
        self._children = list(children)
        for child in self._children:
            axis = axis_of(child, parent)
            if axis is not None:
                self._at[axis, child.node_id].append(child)

    def above(self, goal: Goal, path: tuple[str, ...]) -> Goal | None:
        """A sibling at or above a goal's node, on common days; `path` leads from its node to the root."""
        axis = axis_of(goal, self._parent)
        if axis is None:
            return None
        for node_id in path:
            for other in self._at.get((axis, node_id), ()):
                common = other.first_day < goal.end_day and goal.first_day < other.end_day
                if common and other.key != goal.key:
                    return other
            if node_id == self._parent.node_id:
                break  # no child of the parent lies above it
        return None

    def overlap(self, path_of: Callable[[str], tuple[str, ...]]) -> Overlap | None:
        """Two of them that would be counted twice: one's node at or above the other's, on common days."""
        for goal in self._children:
            other = self.above(goal, path_of(goal.node_id))
            if other is not None:
                return Overlap(goal, other)
        return None

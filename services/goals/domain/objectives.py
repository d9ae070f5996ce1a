"""Objectives and their key results: what they may be, and how they are scored."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from fractions import Fraction
from typing import NamedTuple

from services.goals.domain.cascade import MONTHS
from services.goals.domain.metrics import Direction, Metric
from services.goals.domain.periods import Period, PeriodKind, months_after
from services.goals.domain.progress import Status, even_course, judge
from services.goals.domain.values import Unit, Value


@dataclass(frozen=True, slots=True)
class KeyResult:
    """A metric with what it must reach, or the target or goal that says so.

    `direction` None is the metric's own; `value` is None while it is the named target's or goal's.
    """

    weight: Fraction
    target_id: str = ""
    goal_id: str = ""
    metric: str = ""
    period_kind: PeriodKind = PeriodKind.MONTH
    value: Value | None = None
    direction: Direction | None = None

    def measured_by(self, metric: Metric) -> Metric:
        """The metric, better in the direction asked for."""
        return metric if self.direction is None else replace(metric, direction=self.direction)


@dataclass(frozen=True, slots=True)
class Objective:
    """What a node means to reach in a period."""

    id: str
    node_id: str
    title: str
    period_kind: PeriodKind
    first_day: date
    key_results: tuple[KeyResult, ...]
    reason: str
    author_id: str
    recorded_at: datetime

    @property
    def end_day(self) -> date:
        """The day after its period."""
        return months_after(self.first_day, MONTHS[self.period_kind])


class KeyResultScore(NamedTuple):
    """How far a key result is; `attainment` is raw, and None without data."""

    key_result: KeyResult
    period: Period
    done: Value
    attainment: Fraction | None
    status: Status


class ObjectiveScore(NamedTuple):
    """An objective's score over the key results that have data, and the sum of their weights."""

    objective: Objective
    key_results: tuple[KeyResultScore, ...]
    score: Fraction | None
    weight_with_data: Fraction


def weights_sum(key_results: Sequence[KeyResult]) -> Fraction:
    """What the weights sum to; it must be 1 exactly."""
    return sum((each.weight for each in key_results), Fraction(0))


def score_key_result(
    key_result: KeyResult, measured: Metric, done: Value, period: Period, today: date
) -> KeyResultScore:
    """How far a key result whose value is known is; `measured` is the version that measures the period."""
    metric = key_result.measured_by(measured)
    asked = Fraction(0) if key_result.value is None else key_result.value.fraction or Fraction(0)
    standing = judge(metric, done, asked, even_course(period, today))
    return KeyResultScore(
        key_result, period, done, _attainment(metric.direction, done.fraction, asked), standing.status
    )


def score(objective: Objective, key_results: Sequence[KeyResultScore]) -> ObjectiveScore:
    """The weighted mean of min(1, attainment) over the key results with data: no data is neither 0 nor unmet (R4)."""
    known = [(each.key_result.weight, each.attainment) for each in key_results if each.attainment is not None]
    weight = sum((part for part, _ in known), Fraction(0))
    reached = sum((part * min(Fraction(1), attained) for part, attained in known), Fraction(0))
    return ObjectiveScore(objective, tuple(key_results), reached / weight if weight else None, weight)


def _attainment(direction: Direction, done: Fraction | None, asked: Fraction) -> Fraction | None:
    if done is None:
        return None
    above, below = (done, asked) if direction is Direction.AT_LEAST else (asked, done)
    return above / below if below else Fraction(1)


def as_rate(number: Fraction | None) -> Value:
    """A share as a value; no data where there is none."""
    return (
        Value(Unit.RATE, 0, 0) if number is None else Value(Unit.RATE, number.numerator, number.denominator)
    )

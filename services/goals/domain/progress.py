"""How a value stands against a target."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import IntEnum
from fractions import Fraction
from typing import Final, NamedTuple

from services.goals.domain.metrics import Direction, Figures, Metric
from services.goals.domain.periods import Period
from services.goals.domain.targets import ResolvedTarget
from services.goals.domain.values import Unit, Value, exactly, no_data


class Status(IntEnum):
    """How a person stands with a target; the numbers of `foothold.goals.v1.ProgressStatus`."""

    MET = 1
    AT_THRESHOLD = 2
    ON_PACE = 3
    BEHIND = 4
    NO_DATA = 5


NEEDS_ATTENTION: Final = frozenset({Status.BEHIND, Status.AT_THRESHOLD, Status.NO_DATA})


@dataclass(frozen=True, slots=True)
class Standing:
    """A value against its target. `pace` is None for ratios, which have none."""

    done: Value
    remaining: Value
    attainment: Value
    status: Status
    pace: Value | None


class TargetStanding(NamedTuple):
    """A target, its period and how the person stands with it."""

    resolved: ResolvedTarget
    period: Period
    standing: Standing


@dataclass(frozen=True, slots=True)
class Progress:
    """One person's progress. `values` has the week's figures, then the month's."""

    targets: list[TargetStanding]
    values: list[tuple[Period, Figures]]
    last_recorded_at: datetime | None


@dataclass(frozen=True, slots=True)
class Member:
    """One person's progress in a team. `probation_end` is None for people not on probation."""

    person_id: str
    name: str
    employee_number: str
    targets: list[TargetStanding]
    reasons: tuple[str, ...]
    last_follow_up: date | None
    probation_end: date | None

    @property
    def statuses(self) -> list[Status]:
        """How the person stands with each target."""
        return [each.standing.status for each in self.targets]

    @property
    def needs_attention(self) -> bool:
        """Whether a target is behind, at threshold or without data."""
        return any(status in NEEDS_ATTENTION for status in self.statuses)

    @property
    def urgency(self) -> tuple[int, int, int, str]:
        """Most targets behind first, then without data, then at threshold, then by employee number."""
        statuses = self.statuses
        return (
            -statuses.count(Status.BEHIND),
            -statuses.count(Status.NO_DATA),
            -statuses.count(Status.AT_THRESHOLD),
            self.employee_number,
        )


def judge(metric: Metric, done: Value, target: Fraction, period: Period, today: date) -> Standing:
    """How `done` stands in `period` on its day `today`. Thresholds are inclusive (R3).

    The pace asks for the days before `today`: nobody is behind in the morning for what the day is there for.
    """
    value = done.fraction
    if value is None:
        return Standing(done, no_data(metric.unit), no_data(Unit.RATE), Status.NO_DATA, None)
    upwards = metric.direction is Direction.AT_LEAST
    missing = max(Fraction(0), target - value if upwards else value - target)
    attainment = value / target if target else Fraction(1)
    needed = None if metric.is_ratio else pace(target, period, today - timedelta(days=1))
    if missing:
        on_pace = upwards and needed is not None and value >= needed
        status = Status.ON_PACE if on_pace else Status.BEHIND
    elif upwards:
        status = Status.MET if _one_less(done) >= target else Status.AT_THRESHOLD
    else:
        status = Status.MET if _one_more(done) <= target else Status.AT_THRESHOLD
    if upwards and not target:
        status = Status.MET
    return Standing(
        done=done,
        remaining=exactly(metric.unit, missing),
        attainment=exactly(Unit.RATE, attainment),
        status=status,
        pace=None if needed is None else exactly(metric.unit, needed),
    )


def pace(target: Fraction, period: Period, through: date) -> Fraction:
    """What an even pace over the period's days needs by the end of `through`."""
    elapsed = min(max((through - period.first).days + 1, 0), period.days)
    return target * Fraction(elapsed, period.days)


def _one_less(done: Value) -> Fraction:
    """The value with one deal, customer or smallest coin fewer."""
    return Fraction(done.numerator - 1, done.denominator)


def _one_more(done: Value) -> Fraction:
    return Fraction(done.numerator + 1, done.denominator)

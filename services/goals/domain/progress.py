"""How a value stands against a target."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum
from fractions import Fraction
from typing import Final, NamedTuple

from services.goals.domain.leave import Asked
from services.goals.domain.metrics import Direction, Figures, Metric
from services.goals.domain.periods import Period
from services.goals.domain.targets import ResolvedTarget
from services.goals.domain.values import Unit, Value, exactly, no_data
from services.goals.domain.windows import NoPeriod, Probation


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
    """A value against its target. `pace` is None for ratios and rolling windows and without a calendar.

    `daily_pace` is what each day left asks for; None too where nothing is missing or no day is left.
    """

    done: Value
    remaining: Value
    attainment: Value
    status: Status
    pace: Value | None
    daily_pace: Value | None


class Course(NamedTuple):
    """How far a period is: the share of its days that are over, and how many are left."""

    gone: Fraction
    left: int
    total: int


class TargetStanding(NamedTuple):
    """A target, its period, what it asks of the person and how the person stands with that on a day."""

    resolved: ResolvedTarget
    period: Period
    standing: Standing
    asked: Asked
    course: Course | None

    @property
    def asked_value(self) -> Value:
        """What is asked of the person: the target's value as it was told where nothing changes it."""
        told = self.resolved.target.value
        return exactly(told.unit, self.asked.amount) if self.asked.steps else told


class Unmeasured(NamedTuple):
    """A target that there is no period for, and why."""

    resolved: ResolvedTarget
    why: NoPeriod
    probation: Probation


@dataclass(frozen=True, slots=True)
class Progress:
    """One person's progress. `values` has the week's figures, then the month's."""

    targets: list[TargetStanding]
    values: list[tuple[Period, Figures]]
    last_recorded_at: datetime | None
    unmeasured: Sequence[Unmeasured] = ()


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


def judge(
    metric: Metric, done: Value, target: Fraction, course: Course | None, *, paced: bool = True
) -> Standing:
    """How `done` stands in a period that is so far; None where no calendar tells. Thresholds are inclusive (R3).

    Without a pace, over a window that never runs out, what is missing is missing now.

    The pace asks for the days that are over: nobody is behind in the morning for what the day is there for.
    """
    value = done.fraction
    if value is None:
        return Standing(done, no_data(metric.unit), no_data(Unit.RATE), Status.NO_DATA, None, None)
    upwards = metric.direction is Direction.AT_LEAST
    missing = max(Fraction(0), target - value if upwards else value - target)
    attainment = value / target if target else Fraction(1)
    paced = paced and not metric.is_ratio
    needed = target * course.gone if paced and course is not None else None
    daily = None
    if missing and upwards and needed is not None and course is not None and course.left:
        daily = exactly(metric.unit, missing / course.left)
    if missing and upwards and course is None and paced:
        status = Status.NO_DATA
    elif missing:
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
        daily_pace=daily,
    )


def course_of(worked: Sequence[date], today: date) -> Course:
    """How far somebody who works on these days, in order, is before `today`."""
    gone, total = bisect_left(worked, today), len(worked)
    return Course(Fraction(gone, total) if total else Fraction(0), total - gone, total)


def even_course(period: Period, today: date) -> Course:
    """How far a period is before its day `today`, every day the same: for nodes, below which calendars differ."""
    gone = min(max((today - period.first).days, 0), period.days)
    return Course(Fraction(gone, period.days), period.days - gone, period.days)


def _one_less(done: Value) -> Fraction:
    """The value with one deal, customer or smallest coin fewer."""
    return Fraction(done.numerator - 1, done.denominator)


def _one_more(done: Value) -> Fraction:
    return Fraction(done.numerator + 1, done.denominator)

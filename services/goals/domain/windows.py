"""Periods that are no calendar's: a person's probation, and a metric's own window over the last days."""

from datetime import date, timedelta
from enum import IntEnum
from typing import Final, NamedTuple

from services.goals.domain.periods import Period, PeriodKind, months_after, period_of

_DAY: Final = timedelta(days=1)
LONGEST_WINDOW: Final = 366
"""Days of a rolling window."""


class Probation(NamedTuple):
    """First and last day, each None where it is not known."""

    first: date | None
    last: date | None

    def holds(self, day: date) -> bool:
        """Whether somebody is on probation that day; without a last day, from the first on."""
        return bool(self.first and self.first <= day and (self.last is None or day <= self.last))


NO_PROBATION: Final = Probation(None, None)


class NoPeriod(IntEnum):
    """Why no probation holds on a day; the numbers of `foothold.goals.v1.UnmeasuredTarget.Reason`."""

    PROBATION_UNKNOWN = 1
    END_UNKNOWN = 2
    NOT_BEGUN = 3
    OVER = 4


class Days(NamedTuple):
    """A day somebody's figures are asked for, where they are and what is known of their probation."""

    today: date
    zone: str
    probation: Probation

    def period(self, kind: PeriodKind, rolling_days: int = 0) -> Period | NoPeriod:
        """The period of that kind that holds the day, or why there is none. Nothing is guessed.

        `rolling_days` is how long the window is, for ROLLING.
        """
        if kind is PeriodKind.ROLLING:
            return rolling(rolling_days, self.today, self.zone)
        if kind is not PeriodKind.PROBATION:
            return period_of(kind, self.today, self.zone)
        first, last = self.probation
        if first is None:
            return NoPeriod.PROBATION_UNKNOWN
        if self.today < first:
            return NoPeriod.NOT_BEGUN
        if last is None:
            return NoPeriod.END_UNKNOWN
        if last < self.today:
            return NoPeriod.OVER
        return Period(kind, first, last + _DAY, self.zone)


def rolling(days: int, last: date, zone: str) -> Period:
    """The window of so many days that ends with a day."""
    return Period(PeriodKind.ROLLING, last + _DAY - timedelta(days=days), last + _DAY, zone)


def fits(kind: PeriodKind, rolling_days: int) -> bool:
    """Whether a metric is measured over periods of a kind: one with a window of its own over that and nothing else."""
    return (kind is PeriodKind.ROLLING) == bool(rolling_days)


def month_ends(first: date, stop: date) -> dict[str, date]:
    """The months (YYYY-MM) of the days from `first` up to `stop`, each with the day after its last one of these."""
    found = {}
    begin = first.replace(day=1)
    while begin < stop:
        following = months_after(begin, 1)
        found[f"{begin:%Y-%m}"] = min(following, stop)
        begin = following
    return found

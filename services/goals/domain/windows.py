"""Periods that are a person's own: probation, from its first through its last day."""

from datetime import date, timedelta
from enum import IntEnum
from typing import Final, NamedTuple

from services.goals.domain.periods import Period, PeriodKind, period_of

_DAY: Final = timedelta(days=1)


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

    def period(self, kind: PeriodKind) -> Period | NoPeriod:
        """The period of that kind that holds the day, or why there is none. Nothing is guessed."""
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

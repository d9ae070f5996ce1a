"""The periods plans pay for and boards rank: calendar weeks and months, half-open (R9)."""

from datetime import date, datetime, timedelta
from enum import IntEnum
from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

FURTHEST_AHEAD: Final = "Pacific/Kiritimati"
"""The zone in which a day begins first: what is yet to come there has begun nowhere."""
_LONGEST_PERIOD: Final = timedelta(days=31)
_LAST_MONTH: Final = 12


class PeriodKind(IntEnum):
    """How long a period is; the numbers of the contract's `PeriodKind`."""

    WEEK = 1
    MONTH = 2

    # Enum's own hashes the name in Python, and periods are in the key of every statement.
    __hash__ = int.__hash__


class Period(NamedTuple):
    """From `first_day` up to, not including, `end_day`."""

    kind: PeriodKind
    first_day: date

    @property
    def end_day(self) -> date:
        return _end_day(self)

    def holds(self, day: date) -> bool:
        return self.first_day <= day < self.end_day


@lru_cache(maxsize=1024)
def _end_day(period: Period) -> date:
    first = period.first_day
    if period.kind is PeriodKind.WEEK:
        return first + timedelta(days=7)
    if first.month == _LAST_MONTH:
        return date(first.year + 1, 1, 1)
    return first.replace(month=first.month + 1)


def period_of(kind: PeriodKind, day: date) -> Period:
    """The period of that kind that holds the day; weeks begin on Monday."""
    if kind is PeriodKind.WEEK:
        return Period(kind, day - timedelta(days=day.weekday()))
    return Period(kind, day.replace(day=1))


def today(now: datetime, zone: str) -> date:
    """The date that an instant has in an IANA zone."""
    return now.astimezone(ZoneInfo(zone)).date()


def recent(now: datetime) -> date:
    """No period that begins before this day still runs anywhere."""
    return today(now, FURTHEST_AHEAD) - _LONGEST_PERIOD - timedelta(days=1)

"""Days and periods in a time zone, half-open (R9).

A local day runs from its local midnight to the next one. Where a clock change skips midnight, the day begins
at the change; where it repeats midnight, at the first of the two. So every instant lies in exactly one
day, and in exactly one period of each kind, whatever the zone's history.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import IntEnum
from typing import Final
from zoneinfo import ZoneInfo

_DAY: Final = timedelta(days=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_ORDINAL: Final = _EPOCH.toordinal()
_KEPT_HOURS: Final = 100_000


class PeriodKind(IntEnum):
    """How long a period is; the numbers of `foothold.goals.v1.PeriodKind`."""

    DAY = 1
    WEEK = 2
    MONTH = 3
    QUARTER = 4
    YEAR = 5
    PROBATION = 6
    ROLLING = 7


CALENDAR_KINDS: Final = frozenset(PeriodKind) - {PeriodKind.PROBATION, PeriodKind.ROLLING}
"""The kinds of period that the calendar makes, for nodes and everybody alike; `period_of` knows these."""


@dataclass(frozen=True, slots=True)
class Period:
    """The days from `first` up to, not including, `end`, in `zone`."""

    kind: PeriodKind
    first: date
    end: date
    zone: str

    @property
    def start(self) -> datetime:
        """The first instant, UTC."""
        return day_start(self.first, self.zone)

    @property
    def stop(self) -> datetime:
        """The first instant after the period, UTC."""
        return day_start(self.end, self.zone)

    @property
    def measured_on(self) -> date:
        """The day whose version of a metric measures it: its first, of a rolling window its last."""
        return self.end - _DAY if self.kind is PeriodKind.ROLLING else self.first

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.end - self.first).days


def day_start(day: date, zone: str) -> datetime:
    """The first instant of a local day, UTC."""
    return datetime.combine(day, time.min, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def local_day(instant: datetime, zone: str) -> date:
    """The local day an instant lies in."""
    day = instant.astimezone(ZoneInfo(zone)).date()
    # A clock turned back past midnight shows yesterday's date again; that hour is today's all the same.
    while instant >= day_start(day + _DAY, zone):
        day += _DAY
    while instant < day_start(day, zone):
        day -= _DAY
    return day


def period_of(kind: PeriodKind, day: date, zone: str) -> Period:
    """The period of a calendar kind that holds the day. Weeks begin on Monday."""
    if kind is PeriodKind.DAY:
        first, end = day, day + _DAY
    elif kind is PeriodKind.WEEK:
        first = day - timedelta(days=day.weekday())
        end = first + 7 * _DAY
    elif kind is PeriodKind.MONTH:
        first = day.replace(day=1)
        end = months_after(first, 1)
    elif kind is PeriodKind.QUARTER:
        first = day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
        end = months_after(first, 3)
    else:
        assert kind is PeriodKind.YEAR  # noqa: S101  the others are no calendar's
        first = day.replace(month=1, day=1)
        end = months_after(first, 12)
    return Period(kind, first, end, zone)


def months_after(first: date, months: int) -> date:
    """The first of the month so many months after the one that begins on `first`."""
    index = first.year * 12 + first.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


class Calendar:
    """Turns instants into local days quickly, by remembering each hour's day and the next midnight.

    Days are counted from 1970-01-01 and instants in microseconds from its start, as the ledger writes them.
    """

    def __init__(self) -> None:
        self._hours: dict[tuple[str, int], tuple[int, int]] = {}

    def day_number(self, micros: int, zone: str) -> int:
        """The local day, as days since 1970-01-01, of an instant in microseconds since then."""
        key = (zone, micros // 3_600_000_000)
        known = self._hours.get(key)
        if known is None:
            known = self._look(zone, key[1])
            if len(self._hours) >= _KEPT_HOURS:
                self._hours = {}
            self._hours[key] = known
        day, following = known
        if micros < following:
            return day
        return local_day(_EPOCH + timedelta(microseconds=micros), zone).toordinal() - _EPOCH_ORDINAL

    @staticmethod
    def _look(zone: str, hour: int) -> tuple[int, int]:
        day = local_day(_EPOCH + timedelta(hours=hour), zone)
        following = day_start(day + _DAY, zone) - _EPOCH
        return day.toordinal() - _EPOCH_ORDINAL, following // timedelta(microseconds=1)

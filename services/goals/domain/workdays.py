"""Which days are worked at a place in the org tree: calendars, public holidays and special days."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum
from typing import Final, NamedTuple

MOST_SHIFT_DAYS: Final = 60
_SATURDAY: Final = 5
_DAY: Final = timedelta(days=1)
_KEPT_RANGES: Final = 4096


class CalendarKind(IntEnum):
    """How a week goes; the numbers of `foothold.goals.v1.CalendarKind`."""

    FIVE_DAY = 1
    ALTERNATE_SATURDAYS = 2
    SHIFTS = 3


class DayReason(IntEnum):
    """Why a day is worked or not; the numbers of `foothold.goals.v1.DayReason`."""

    WEEKDAY = 1
    WEEKEND = 2
    PUBLIC_HOLIDAY = 3
    MAKE_UP_WORKDAY = 4
    WORKING_SATURDAY = 5
    SHIFT_ON = 6
    SHIFT_OFF = 7
    SPECIAL_HOLIDAY = 8
    SPECIAL_WORKDAY = 9


_WORKED: Final = frozenset(
    {
        DayReason.WEEKDAY,
        DayReason.MAKE_UP_WORKDAY,
        DayReason.WORKING_SATURDAY,
        DayReason.SHIFT_ON,
        DayReason.SPECIAL_WORKDAY,
    }
)


class WorkCalendar(NamedTuple):
    """Which days are worked. `anchor` is a worked Saturday, or the day a shift pattern begins on."""

    kind: CalendarKind
    anchor: date | None = None
    pattern: str = ""


class PublicYear(NamedTuple):
    """What is known of a year: days off by name, and workdays that make up for them."""

    holidays: Mapping[date, str]
    made_up: Mapping[date, str]


class SpecialDay(NamedTuple):
    """A day that is not as its calendar would have it, as entered at a node."""

    node_id: str
    day: date
    works: bool
    name: str


class Day(NamedTuple):
    """A day at a place. `node_id` is the node whose entry decides; empty where none is set."""

    day: date
    reason: DayReason
    name: str = ""
    node_id: str = ""

    @property
    def works(self) -> bool:
        """Whether it is a workday."""
        return self.reason in _WORKED


class UnknownYear(NamedTuple):
    """A year whose workdays nothing tells, and the node whose calendar would have to know."""

    year: int
    node_id: str


class YearUnknownError(Exception):
    """Asked for a day of a year whose workdays nothing tells."""

    def __init__(self, unknown: UnknownYear) -> None:
        super().__init__(unknown)
        self.unknown = unknown


FIVE_DAY: Final = WorkCalendar(CalendarKind.FIVE_DAY)
"""What holds where no calendar is set."""

CalendarOn = Callable[[date], tuple[WorkCalendar, str]]
"""The calendar in force at a place on a day, and the node it is set at; empty for none."""
PublicDays = Callable[[int], PublicYear | None]
"""What is known of a year; None for nothing."""


@dataclass(frozen=True, slots=True)
class Entered:
    """What was entered at the nodes of a path, nearest first: special days, and years those make complete."""

    path: Sequence[str]
    special: Sequence[Mapping[date, SpecialDay]]
    complete: Collection[int]

    def nearest(self, day: date, *, up_to: str = "") -> SpecialDay | None:
        """The special day entered nearest; of nodes above `up_to` none counts, where that is given."""
        for node_id, known in zip(self.path, self.special, strict=True):
            if day in known:
                return known[day]
            if node_id == up_to:
                break
        return None


class Workplace:
    """The days of one place in the tree. What was looked up is remembered: rules are few and change seldom."""

    def __init__(self, calendar_on: CalendarOn, entered: Entered, public: PublicDays) -> None:
        self._calendar_on = calendar_on
        self._entered = entered
        self._public = public
        self._days: dict[date, Day] = {}
        self._ranges: dict[tuple[date, date], tuple[date, ...]] = {}

    def day(self, day: date) -> Day:
        """A workday or not, and why. YearUnknownError where nothing tells."""
        known = self._days.get(day)
        if known is None:
            known = self._days[day] = self._look(day)
        return known

    def days(self, first: date, end: date) -> Iterator[Day]:
        """Each day from `first` up to, not including, `end`. YearUnknownError where nothing tells."""
        return (self.day(each) for each in days_of(first, end))

    def workdays(self, first: date, end: date) -> tuple[date, ...]:
        """The workdays among those days, in order. YearUnknownError where nothing tells."""
        asked = (first, end)
        known = self._ranges.get(asked)
        if known is None:
            if len(self._ranges) >= _KEPT_RANGES:
                self._ranges.clear()
            known = tuple(each.day for each in self.days(first, end) if each.works)
            self._ranges[asked] = known
        return known

    def _look(self, day: date) -> Day:
        calendar, node_id = self._calendar_on(day)
        shifts = calendar.kind is CalendarKind.SHIFTS
        special = self._entered.nearest(day, up_to=node_id if shifts else "")
        if special is not None:
            reason = DayReason.SPECIAL_WORKDAY if special.works else DayReason.SPECIAL_HOLIDAY
            return Day(day, reason, special.name, special.node_id)
        if shifts:
            return _shift(calendar, day, node_id)
        if day.year not in self._entered.complete:
            public = self._public(day.year)
            if public is None:
                raise YearUnknownError(UnknownYear(day.year, node_id or self._entered.path[-1]))
            if day in public.holidays:
                return Day(day, DayReason.PUBLIC_HOLIDAY, public.holidays[day], node_id)
            if day in public.made_up:
                return Day(day, DayReason.MAKE_UP_WORKDAY, public.made_up[day], node_id)
        if day.weekday() < _SATURDAY:
            return Day(day, DayReason.WEEKDAY, "", node_id)
        if calendar.kind is CalendarKind.ALTERNATE_SATURDAYS and _worked_saturday(calendar, day):
            return Day(day, DayReason.WORKING_SATURDAY, "", node_id)
        return Day(day, DayReason.WEEKEND, "", node_id)


def check_calendar(calendar: WorkCalendar) -> tuple[str, str] | None:
    """The field of a calendar that is wrong, and why, in English."""
    if calendar.kind is CalendarKind.SHIFTS:
        if not 1 <= len(calendar.pattern) <= MOST_SHIFT_DAYS or set(calendar.pattern) - {"0", "1"}:
            return (
                "pattern",
                f"must be 1 to {MOST_SHIFT_DAYS} characters, 1 for a day worked and 0 for one off",
            )
        if "1" not in calendar.pattern:
            return "pattern", "must have at least one day that is worked"
        return None if calendar.anchor else ("anchor", "a shift pattern needs the day it begins on")
    if calendar.pattern:
        return "pattern", "is for SHIFTS only"
    if calendar.kind is CalendarKind.ALTERNATE_SATURDAYS:
        if calendar.anchor is None or calendar.anchor.weekday() != _SATURDAY:
            return "anchor", "must be a Saturday that is worked"
        return None
    return None if calendar.anchor is None else ("anchor", "is not for FIVE_DAY")


def days_of(first: date, end: date) -> Iterable[date]:
    """Each day from `first` up to, not including, `end`."""
    return (first + ahead * _DAY for ahead in range((end - first).days))


def _shift(calendar: WorkCalendar, day: date, node_id: str) -> Day:
    assert calendar.anchor is not None  # noqa: S101  checked when it was set
    works = calendar.pattern[(day - calendar.anchor).days % len(calendar.pattern)] == "1"
    return Day(day, DayReason.SHIFT_ON if works else DayReason.SHIFT_OFF, "", node_id)


def _worked_saturday(calendar: WorkCalendar, day: date) -> bool:
    assert calendar.anchor is not None  # noqa: S101  checked when it was set
    return (day - calendar.anchor).days % 14 == 0

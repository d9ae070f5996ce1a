"""What a person puts in, day by day and week by week, beside their own weeks before."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from statistics import median
from typing import Final, NamedTuple

FEWEST_WEEKS: Final = 3
"""Whole weeks that what is usual rests on at least."""
WEEK: Final = timedelta(days=7)


class Effort(NamedTuple):
    """Minutes, and how many of each; `calls` are those of the follow-ups that were made by phone."""

    minutes: int = 0
    follow_ups: int = 0
    calls: int = 0
    emails: int = 0
    meetings: int = 0


class Week(NamedTuple):
    """From Monday `first` on."""

    first: date
    effort: Effort


class Usual(NamedTuple):
    """The median of each kind of effort over so many whole weeks, exactly."""

    weeks: int
    each: tuple[Fraction, ...]


def together(efforts: Iterable[Effort]) -> Effort:
    """Their sum."""
    return Effort(*map(sum, zip(Effort(), *efforts, strict=True)))


def between(days: Mapping[date, Effort], first: date, stop: date) -> Effort:
    """The effort of the days from `first` up to `stop`."""
    return together(effort for day, effort in days.items() if first <= day < stop)


def first_week(last: date, weeks: int, started: date | None) -> date:
    """The Monday to begin with: `weeks` weeks that end with the one from `last` on, none from before the first day.

    The week somebody started in counts, and two are told at least: a comparison needs them.
    """
    asked = last - (weeks - 1) * WEEK
    if started is None:
        return asked
    return min(max(asked, started - timedelta(days=started.weekday())), last - WEEK)


def weeks_of(days: Mapping[date, Effort], first: date, last: date) -> list[Week]:
    """Every week from Monday `first` to Monday `last`."""
    count = (last - first).days // 7 + 1
    mondays = [first + number * WEEK for number in range(count)]
    return [Week(monday, between(days, monday, monday + WEEK)) for monday in mondays]


def usual(weeks: Sequence[Week], started: date | None) -> Usual | None:
    """What is usual in the whole weeks among these; None where they are too few.

    The week somebody started in is whole only if that was its Monday.
    """
    whole = [each.effort for each in weeks if started is None or each.first >= started]
    if len(whole) < FEWEST_WEEKS:
        return None
    return Usual(len(whole), tuple(median(map(Fraction, kind)) for kind in zip(*whole, strict=True)))

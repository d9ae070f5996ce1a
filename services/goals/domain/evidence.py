"""Evidence: what earlier people reached by month of tenure, and how figures compare. It says what was, never why."""

import calendar
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from fractions import Fraction
from typing import Final, NamedTuple

from services.goals.domain.values import Unit, Value, exactly, no_data

LEAST: Final = 8
"""Of fewer people no quartiles are told: one of them would be told apart, and chance would be taken for a rule."""
_QUARTILES: Final = (25, 50, 75)
# The two-sided 95 % point of the normal distribution; seven digits are far more than hundredths of a point need.
_Z: Final = Decimal("1.959964")
_PLACES: Final = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class TenureMonth:
    """What was reached in a month of tenure, by so many people. `quartiles` is empty where they are too few."""

    month: int
    n: int
    quartiles: tuple[Fraction, ...]
    first: date | None
    end: date | None


class Reached(NamedTuple):
    """What one person reached in one month of tenure, from its first day up to, not including, its end."""

    month: int
    first: date
    end: date
    value: Value


class Published(NamedTuple):
    """A figure of others; `kind` has the numbers of `foothold.goals.v1.Benchmark.Kind`."""

    metric: str
    low: Fraction
    high: Fraction
    kind: int
    sources: Mapping[str, str]
    year: int


class Interval(NamedTuple):
    """Where a difference of rates lies with 95 % confidence, rounded outwards to hundredths of a percentage point."""

    low: Fraction
    high: Fraction


class Change(NamedTuple):
    """How a figure compares with an earlier one; see `foothold.goals.v1.Change`."""

    before: Value
    after: Value
    difference: Value
    relative: Value


def months_of(start: date, through: date, most: int) -> list[tuple[date, date]]:
    """The months of tenure that are over by `through`: first day, and the day after the last; at most so many.

    A month begins on the day of the month that the first one did, or on the last there is.
    """
    found = []
    for number in range(most):
        first, end = _months_after(start, number), _months_after(start, number + 1)
        if end > through:
            break
        found.append((first, end))
    return found


def _months_after(start: date, months: int) -> date:
    index = start.year * 12 + start.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(start.day, calendar.monthrange(year, month)[1]))


def summarise(reached: Iterable[Reached], months: int) -> list[TenureMonth]:
    """Each month's quartiles over those who have data in it."""
    by_month: dict[int, list[Reached]] = {number: [] for number in range(1, months + 1)}
    for each in reached:
        if each.value.denominator:
            by_month[each.month].append(each)
    return [
        TenureMonth(
            number,
            len(found),
            quartiles([each.value.fraction or Fraction(0) for each in found]),
            min((each.first for each in found), default=None),
            max((each.end for each in found), default=None),
        )
        for number, found in by_month.items()
    ]


def quartiles(values: Sequence[Fraction]) -> tuple[Fraction, ...]:
    """The 25th, 50th and 75th percentile; none of fewer than `LEAST` values.

    By the nearest rank (Hyndman and Fan's definition 1): each is a value that somebody reached, never one in between.
    """
    if len(values) < LEAST:
        return ()
    ordered = sorted(values)
    return tuple(ordered[-(-percent * len(ordered) // 100) - 1] for percent in _QUARTILES)


def change(before: Value, after: Value) -> Change:
    """How one figure compares with another of the same unit."""
    was, now = before.fraction, after.fraction
    if was is None or now is None:
        return Change(before, after, no_data(after.unit), no_data(Unit.RATE))
    relative = exactly(Unit.RATE, (now - was) / was) if was else no_data(Unit.RATE)
    return Change(before, after, exactly(after.unit, now - was), relative)


def interval(before: Value, after: Value) -> Interval | None:
    """The interval of a difference of two rates; None where one of them is no share of a whole.

    R. G. Newcombe, Interval estimation for the difference between independent proportions, Statistics in Medicine 17
    (1998), method 10.
    """
    for each in (before, after):
        if each.unit is not Unit.RATE or not 0 <= each.numerator <= each.denominator or not each.denominator:
            return None
    with localcontext() as context:
        context.prec = 50
        was, was_low, was_high = _wilson(before)
        now, now_low, now_high = _wilson(after)
        difference = now - was
        low = difference - ((now - now_low) ** 2 + (was_high - was) ** 2).sqrt()
        high = difference + ((now_high - now) ** 2 + (was - was_low) ** 2).sqrt()
        return Interval(
            Fraction(max(low, Decimal(-1)).quantize(_PLACES, ROUND_FLOOR)),
            Fraction(min(high, Decimal(1)).quantize(_PLACES, ROUND_CEILING)),
        )


def _wilson(rate: Value) -> tuple[Decimal, Decimal, Decimal]:
    """The rate and Wilson's interval around it."""
    n, p = Decimal(rate.denominator), Decimal(rate.numerator) / Decimal(rate.denominator)
    middle = p + _Z**2 / (2 * n)
    half = _Z * (p * (1 - p) / n + _Z**2 / (4 * n**2)).sqrt()
    whole = 1 + _Z**2 / n
    return p, (middle - half) / whole, (middle + half) / whole

"""What people counted over their workdays: the histories that forecasts are made from."""

from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import Final, NamedTuple

from services.goals.domain.conditions import Novelty
from services.goals.domain.facts import PARTS
from services.goals.domain.leave import Absence, leave_days
from services.goals.domain.metrics import Aggregation, Metric
from services.goals.domain.values import Unit

FEWEST_WORKDAYS_OF_A_COLLEAGUE: Final = 20
WORKING_WEEK: Final = 5
"""Workdays in the blocks that scatter is read from: whole weeks, so that a quiet weekday is none."""
CUSTOMERS: Final = -1
"""Stands for different customers followed up, beside kinds of fact and counters."""
NEW_CUSTOMERS: Final = -2
_WHOLE_DAY: Final = 2
_NOTHING: Final[frozenset[int]] = frozenset()


class History(NamedTuple):
    """What somebody counted over so many workdays, and in each whole working week of them, the newest last."""

    days: int
    total: int
    weeks: tuple[int, ...]


class Sizes(NamedTuple):
    """What somebody's events came to: how many, in all, on how many days; and how the days' means lie apart.

    `scatter` is the sum over days of events x (the day's mean - the mean of all)^2; over one less than the days it is
    the variance of one size.
    """

    events: int
    total: int
    days: int
    scatter: Fraction


def sizes_of(days: Collection[tuple[int, int]]) -> Sizes:
    """From each day's events and what they came to together; days without an event are none."""
    there = [(events, total) for events, total in days if events]
    events, total = sum(each for each, _ in there), sum(each for _, each in there)
    scatter = sum((Fraction(amount**2, number) for number, amount in there), Fraction(0))
    return Sizes(events, total, len(there), scatter - Fraction(total**2, events) if events else Fraction(0))


class SizeParts(NamedTuple):
    """Of a sum or a mean of sizes: which events are counted, and whether minutes are meant, not money."""

    counted: frozenset[int]
    minutes: bool
    mean: bool


_SUMS: Final = {
    Aggregation.SUM_AMOUNT: (False, False),
    Aggregation.SUM_MINUTES: (True, False),
    Aggregation.MEAN_AMOUNT: (False, True),
    Aggregation.MEAN_MINUTES: (True, True),
}


def sized_in(metric: Metric) -> SizeParts | None:
    """What a sum or mean of sizes is made of; None for what is none."""
    if metric.rolling_days:
        return None
    if metric.aggregation is Aggregation.RATIO:
        return _sized_mean(metric)
    if metric.aggregation not in _SUMS or metric.conditions.customers is not Novelty.ANYBODY:
        return None
    counter = metric.counter
    if counter is not None and counter.by_customer:
        return None
    kinds = frozenset(int(each) for each in metric.kinds) if counter is None else frozenset({counter.id})
    return SizeParts(kinds, *_SUMS[metric.aggregation])


def _sized_mean(metric: Metric) -> SizeParts | None:
    """Of a ratio: a sum over how many it is the sum of."""
    above = metric.above
    events = frozenset(int(kind) for each in metric.below for kind in each.kinds)
    if above is None or above.aggregation not in _SUMS or events != _events_of(above):
        return None
    if any(each.aggregation is not Aggregation.COUNT for each in metric.below):
        return None
    if any(each.conditions != above.conditions for each in metric.below):
        return None
    found = sized_in(above)
    if found is None or found.mean:
        return None
    return found._replace(mean=True, counted=events if above.counter is None else found.counted)


def _events_of(metric: Metric) -> frozenset[int]:
    """What a mean of these sizes has one of for each.

    A share of a colleague's deal is money without a deal of one's own: what there is of it counts, and no more is
    foreseen.
    """
    kinds = frozenset(int(each) for each in metric.kinds)
    return kinds - PARTS if metric.counter is None else kinds


def counted_in(metric: Metric) -> frozenset[int]:
    """The kinds of fact and counters whose daily numbers add up to a metric; empty where it has no model."""
    if (
        metric.unit is not Unit.COUNT
        or metric.conditions.customers is not Novelty.ANYBODY
        or metric.rolling_days
    ):
        return _NOTHING
    counter = metric.counter
    if metric.aggregation is Aggregation.COUNT:
        kinds = frozenset(int(each) for each in metric.kinds) if counter is None else frozenset({counter.id})
        return _NOTHING if counter is not None and counter.by_customer else kinds
    if metric.aggregation is Aggregation.DISTINCT_CUSTOMERS:
        return frozenset({CUSTOMERS if counter is None else counter.id})
    if metric.aggregation is Aggregation.NEW_CUSTOMERS and counter is None:
        return frozenset({NEW_CUSTOMERS})
    return _NOTHING


def adds_up_over_any_days(metric: Metric) -> bool:
    """Whether days add up over any window: different customers do so only within the periods they are told apart in."""
    return all(
        each.aggregation is not Aggregation.DISTINCT_CUSTOMERS for each in metric.components or (metric,)
    )


class RateParts(NamedTuple):
    """Of a rate of counts: what adds up above the line, and what adds up below it beside that.

    With `within` what stands above is counted below as well: a share of the whole.
    """

    above: frozenset[int]
    beside: frozenset[int]
    within: bool


def parts_of(metric: Metric) -> RateParts | None:
    """What a rate is made of; None for what has no model."""
    above = metric.above
    if metric.aggregation is not Aggregation.RATIO or above is None:
        return None
    within = any(each.name == above.name for each in metric.below)
    beside = [counted_in(each) for each in metric.below if each.name != above.name]
    tops = counted_in(above)
    if not tops or not beside or not all(beside) or metric.rolling_days:
        return None
    return RateParts(tops, frozenset().union(*beside), within)


def days_worked(workdays: Sequence[date], absences: Sequence[Absence]) -> list[date]:
    """These workdays without those wholly on leave."""
    away = {each.day for each in leave_days(absences, workdays) if each.halves == _WHOLE_DAY}
    return [each for each in workdays if each not in away]


def history_of(counts: Mapping[date, int], workdays: Sequence[date]) -> History:
    """What was counted over these workdays, in order. What a day off brought belongs to the workday before it."""
    by_workday = [0] * len(workdays)
    for day, count in counts.items():
        if workdays:
            by_workday[max(0, bisect_right(workdays, day) - 1)] += count
    # The newest weeks are whole; what is left over lies at the beginning.
    over = len(workdays) % WORKING_WEEK
    weeks = (sum(by_workday[at : at + WORKING_WEEK]) for at in range(over, len(workdays), WORKING_WEEK))
    return History(len(workdays), sum(by_workday), tuple(weeks))


def comparable(colleagues: Sequence[History]) -> list[History]:
    """Those with enough workdays to tell a rate."""
    return [each for each in colleagues if each.days >= FEWEST_WORKDAYS_OF_A_COLLEAGUE]

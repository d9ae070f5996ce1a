"""Metric definitions, as data, and their evaluation over figures kept for a person and a range of days."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from services.goals.domain.facts import FactKind
from services.goals.domain.values import Unit, Value


class Aggregation(IntEnum):
    """How facts become a value; the numbers of `foothold.goals.v1.MetricDefinition.Aggregation`."""

    COUNT = 1
    DISTINCT_CUSTOMERS = 2
    NEW_CUSTOMERS = 3
    SUM_AMOUNT = 4
    SUM_MINUTES = 5
    RATIO = 6


class Direction(IntEnum):
    """What better means; the numbers of `foothold.goals.v1.MetricDefinition.Direction`."""

    AT_LEAST = 1
    AT_MOST = 2


@dataclass(frozen=True, slots=True)
class Metric:
    """One definition. Ratios name other metrics; everything else names kinds of fact."""

    name: str
    unit: Unit
    aggregation: Aggregation
    description: str
    kinds: tuple[FactKind, ...] = ()
    numerator: str = ""
    denominators: tuple[str, ...] = ()
    direction: Direction = Direction.AT_LEAST

    @property
    def components(self) -> tuple[str, ...]:
        """For ratios: the metric above the line, then those below it."""
        return (self.numerator, *self.denominators) if self.numerator else ()


@dataclass(slots=True)
class Figures:
    """What the ledger keeps of one person over a range of days: per kind of fact the number, amount and minutes."""

    counts: dict[int, int] = field(default_factory=dict)
    amounts: dict[int, int] = field(default_factory=dict)
    minutes: dict[int, int] = field(default_factory=dict)
    customers: int = 0
    new_customers: int = 0

    def add(self, kind: int, count: int, amount: int, minutes: int) -> None:
        """Take in more facts of a kind."""
        self.counts[kind] = self.counts.get(kind, 0) + count
        self.amounts[kind] = self.amounts.get(kind, 0) + amount
        self.minutes[kind] = self.minutes.get(kind, 0) + minutes

    def merge(self, other: "Figures") -> None:
        """Take in another person's figures; a customer of both counts for each."""
        for kind, count in other.counts.items():
            self.add(kind, count, other.amounts[kind], other.minutes[kind])
        self.customers += other.customers
        self.new_customers += other.new_customers


_BUILT_IN: Final = (
    Metric(
        "customers_followed",
        Unit.COUNT,
        Aggregation.DISTINCT_CUSTOMERS,
        "Different customers followed up in the period; a second follow-up of the same customer adds nothing.",
        (FactKind.FOLLOW_UP,),
    ),
    Metric(
        "new_customers",
        Unit.COUNT,
        Aggregation.NEW_CUSTOMERS,
        "Different customers whose first follow-up ever by this person falls into the period.",
        (FactKind.FOLLOW_UP,),
    ),
    Metric(
        "deals_won",
        Unit.COUNT,
        Aggregation.COUNT,
        "Deals won in the period that were not taken back.",
        (FactKind.DEAL_WON,),
    ),
    Metric(
        "deals_lost",
        Unit.COUNT,
        Aggregation.COUNT,
        "Deals lost in the period.",
        (FactKind.DEAL_LOST,),
        direction=Direction.AT_MOST,
    ),
    Metric(
        "close_rate",
        Unit.RATE,
        Aggregation.RATIO,
        "Deals won over different customers followed up in the period; no data when nobody was followed up.",
        numerator="deals_won",
        denominators=("customers_followed",),
    ),
    Metric(
        "win_rate",
        Unit.RATE,
        Aggregation.RATIO,
        "Deals won over deals won and lost in the period; no data when no deal was decided.",
        numerator="deals_won",
        denominators=("deals_won", "deals_lost"),
    ),
    Metric(
        "revenue",
        Unit.MONEY,
        Aggregation.SUM_AMOUNT,
        "Amounts of the deals won and of the further orders in the period that were not taken back.",
        (FactKind.DEAL_WON, FactKind.ORDER),
    ),
    Metric(
        "average_order_value",
        Unit.MONEY,
        Aggregation.RATIO,
        "Revenue over the number of deals won and further orders in the period; no data when there was none.",
        numerator="revenue",
        denominators=("deals_won", "orders_placed"),
    ),
    Metric(
        "orders_placed",
        Unit.COUNT,
        Aggregation.COUNT,
        "Further purchases in the period, beyond the winning of a deal, that were not taken back.",
        (FactKind.ORDER,),
    ),
    Metric(
        "followup_minutes",
        Unit.MINUTES,
        Aggregation.SUM_MINUTES,
        "Minutes of follow-ups and of time spent in the period.",
        (FactKind.FOLLOW_UP, FactKind.TIME_SPENT),
    ),
    Metric("emails_sent", Unit.COUNT, Aggregation.COUNT, "E-mails sent in the period.", (FactKind.EMAIL,)),
    Metric(
        "meetings_attended",
        Unit.COUNT,
        Aggregation.COUNT,
        "Meetings held in the period.",
        (FactKind.MEETING,),
    ),
)

METRICS: Final[Mapping[str, Metric]] = {metric.name: metric for metric in _BUILT_IN}
"""Every definition by name, in the order people read them."""

BASE_METRICS: Final = tuple(metric for metric in _BUILT_IN if metric.aggregation is not Aggregation.RATIO)
"""Those that are not ratios."""


def evaluate(metric: Metric, figures: Figures) -> Value:
    """A metric's value, exact. A ratio keeps its numerator and denominator as counted."""
    if metric.aggregation is Aggregation.RATIO:
        below = sum(_base(METRICS[name], figures) for name in metric.denominators)
        if not below:
            return Value(metric.unit, 0, 0)
        return Value(metric.unit, _base(METRICS[metric.numerator], figures), below)
    return Value(metric.unit, _base(metric, figures))


def _base(metric: Metric, figures: Figures) -> int:
    aggregation = metric.aggregation
    if aggregation is Aggregation.DISTINCT_CUSTOMERS:
        return figures.customers
    if aggregation is Aggregation.NEW_CUSTOMERS:
        return figures.new_customers
    if aggregation is Aggregation.SUM_AMOUNT:
        kept = figures.amounts
    elif aggregation is Aggregation.SUM_MINUTES:
        kept = figures.minutes
    else:
        kept = figures.counts
    return sum(kept.get(kind, 0) for kind in metric.kinds)


def kinds_of(metric: Metric) -> frozenset[FactKind]:
    """The kinds of fact a metric reads, itself or through what it is a ratio of."""
    if metric.aggregation is Aggregation.RATIO:
        return frozenset(kind for name in metric.components for kind in METRICS[name].kinds)
    return frozenset(metric.kinds)

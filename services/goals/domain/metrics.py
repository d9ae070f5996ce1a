"""Metric definitions, as data, and their evaluation over figures kept for a person and a range of days."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Final

from services.goals.domain.conditions import UNCONDITIONAL, Conditions, Novelty
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
    MEAN_AMOUNT = 7
    MEAN_MINUTES = 8
    REPEAT_CUSTOMERS = 9


class Direction(IntEnum):
    """What better means; the numbers of `foothold.goals.v1.MetricDefinition.Direction`."""

    AT_LEAST = 1
    AT_MOST = 2


@dataclass(frozen=True, slots=True)
class Counter:
    """Something kept over the facts of some kinds that meet conditions, under a number of its own.

    `by_customer` counters keep a row per customer, for whom a customer is depends on the period read; the others
    keep sums per day. Numbers from `FIRST_COUNTER` on stand where kinds of fact stand otherwise.
    """

    id: int
    kinds: frozenset[int]
    conditions: Conditions = UNCONDITIONAL
    by_customer: bool = False

    @property
    def apart(self) -> "Counter":
        """Where is kept what is recorded while the counter's facts of before are being counted: only differences."""
        return replace(self, id=self.id + LAST_COUNTER)

    def admits(self, kind: int, channel: str, product: str, amount: int | None, attributes: str) -> bool:
        """Whether a fact is counted."""
        return kind in self.kinds and self.conditions.admit(channel, product, amount, attributes)


FIRST_COUNTER: Final = 100
LAST_COUNTER: Final = 16_384
"""Numbers beyond are those of `Counter.apart`."""
PURCHASES: Final = Counter(
    FIRST_COUNTER, frozenset({int(FactKind.DEAL_WON), int(FactKind.ORDER)}), by_customer=True
)
"""Who bought: kept for everybody, because repurchase is built in."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One version of a definition. Ratios are made of other metrics; everything else counts facts.

    `counter` keeps its figures; None where what is kept by kind of fact is enough. `titles` are by language.
    `rolling_days` is the length of a window of its own; 0 for none.
    """

    name: str
    unit: Unit
    aggregation: Aggregation
    description: str
    kinds: tuple[FactKind, ...] = ()
    above: "Metric | None" = None
    below: "tuple[Metric, ...]" = ()
    direction: Direction = Direction.AT_LEAST
    conditions: Conditions = UNCONDITIONAL
    counter: Counter | None = None
    titles: tuple[tuple[str, str], ...] = ()
    version: int = 0
    rolling_days: int = 0

    @property
    def numerator(self) -> str:
        """For ratios: the name of the metric above the line."""
        return self.above.name if self.above else ""

    @property
    def denominators(self) -> tuple[str, ...]:
        """For ratios: the names of the metrics whose sum is below the line."""
        return tuple(each.name for each in self.below)

    @property
    def components(self) -> "tuple[Metric, ...]":
        """For ratios: the metric above the line, then those below it."""
        return (self.above, *self.below) if self.above else ()

    @property
    def is_ratio(self) -> bool:
        """Whether its values are one figure over another, so that it has no pace and may have no data."""
        return self.aggregation in RATIOS


RATIOS: Final = frozenset({Aggregation.RATIO, Aggregation.MEAN_AMOUNT, Aggregation.MEAN_MINUTES})


@dataclass(slots=True)
class Sums:
    """Facts added up. `customers` are different ones, for counters by customer only."""

    n: int = 0
    amount: int = 0
    minutes: int = 0
    customers: int = 0

    def add(self, other: "Sums") -> None:
        """Take in more."""
        self.n += other.n
        self.amount += other.amount
        self.minutes += other.minutes
        self.customers += other.customers


@dataclass(slots=True)
class Figures:
    """What the ledger keeps of one person over a range of days: per kind of fact the number, amount and minutes.

    `counted` has the same per counter, and for those by customer also per novelty. `repeats` has how many customers
    came again, per counter.
    """

    counts: dict[int, int] = field(default_factory=dict)
    amounts: dict[int, int] = field(default_factory=dict)
    minutes: dict[int, int] = field(default_factory=dict)
    customers: int = 0
    new_customers: int = 0
    counted: dict[tuple[int, Novelty], Sums] = field(default_factory=dict)
    repeats: dict[int, int] = field(default_factory=dict)

    def add(self, kind: int, count: int, amount: int, minutes: int) -> None:
        """Take in more facts of a kind."""
        self.counts[kind] = self.counts.get(kind, 0) + count
        self.amounts[kind] = self.amounts.get(kind, 0) + amount
        self.minutes[kind] = self.minutes.get(kind, 0) + minutes

    def count(self, counter: int, novelty: Novelty, sums: Sums) -> None:
        """Take in what a counter keeps."""
        self.counted.setdefault((counter, novelty), Sums()).add(sums)

    def merge(self, other: "Figures") -> None:
        """Take in another person's figures; a customer of both counts for each."""
        for kind, count in other.counts.items():
            self.add(kind, count, other.amounts[kind], other.minutes[kind])
        self.customers += other.customers
        self.new_customers += other.new_customers
        for (counter, novelty), sums in other.counted.items():
            self.count(counter, novelty, sums)
        for counter, number in other.repeats.items():
            self.repeats[counter] = self.repeats.get(counter, 0) + number


_DEALS_WON: Final = Metric(
    "deals_won",
    Unit.COUNT,
    Aggregation.COUNT,
    "Deals won in the period that were not taken back.",
    (FactKind.DEAL_WON,),
)
_DEALS_LOST: Final = Metric(
    "deals_lost",
    Unit.COUNT,
    Aggregation.COUNT,
    "Deals lost in the period.",
    (FactKind.DEAL_LOST,),
    direction=Direction.AT_MOST,
)
_CUSTOMERS_FOLLOWED: Final = Metric(
    "customers_followed",
    Unit.COUNT,
    Aggregation.DISTINCT_CUSTOMERS,
    "Different customers followed up in the period; a second follow-up of the same customer adds nothing.",
    (FactKind.FOLLOW_UP,),
)
_ORDERS_PLACED: Final = Metric(
    "orders_placed",
    Unit.COUNT,
    Aggregation.COUNT,
    "Further purchases in the period, beyond the winning of a deal, that were not taken back.",
    (FactKind.ORDER,),
)
_REVENUE: Final = Metric(
    "revenue",
    Unit.MONEY,
    Aggregation.SUM_AMOUNT,
    "Amounts of the deals won and of the further orders in the period that were not taken back; of a shared one what is"
    " this person's.",
    (FactKind.DEAL_WON, FactKind.ORDER, FactKind.DEAL_CREDITED),
)
_CUSTOMERS_BOUGHT: Final = Metric(
    "customers_bought",
    Unit.COUNT,
    Aggregation.DISTINCT_CUSTOMERS,
    "Different customers with a deal won or a further order in the period that was not taken back.",
    (FactKind.DEAL_WON, FactKind.ORDER),
    counter=PURCHASES,
)
_CUSTOMERS_BOUGHT_AGAIN: Final = Metric(
    "customers_bought_again",
    Unit.COUNT,
    Aggregation.REPEAT_CUSTOMERS,
    "Different customers who bought in the period and had bought from this person before, in the period or earlier.",
    (FactKind.DEAL_WON, FactKind.ORDER),
    counter=PURCHASES,
)
_BUILT_IN: Final = (
    _CUSTOMERS_FOLLOWED,
    Metric(
        "new_customers",
        Unit.COUNT,
        Aggregation.NEW_CUSTOMERS,
        "Different customers whose first follow-up ever by this person falls into the period.",
        (FactKind.FOLLOW_UP,),
    ),
    _DEALS_WON,
    _DEALS_LOST,
    Metric(
        "close_rate",
        Unit.RATE,
        Aggregation.RATIO,
        "Deals won over different customers followed up in the period; no data when nobody was followed up.",
        above=_DEALS_WON,
        below=(_CUSTOMERS_FOLLOWED,),
    ),
    Metric(
        "win_rate",
        Unit.RATE,
        Aggregation.RATIO,
        "Deals won over deals won and lost in the period; no data when no deal was decided.",
        above=_DEALS_WON,
        below=(_DEALS_WON, _DEALS_LOST),
    ),
    _REVENUE,
    Metric(
        "overlay_revenue",
        Unit.MONEY,
        Aggregation.SUM_AMOUNT,
        "What overlay credits on others' deals and orders in the period come to; no part of anybody's revenue.",
        (FactKind.DEAL_OVERLAY,),
    ),
    Metric(
        "average_order_value",
        Unit.MONEY,
        Aggregation.RATIO,
        "Revenue over the number of deals won and further orders in the period; no data when there was none.",
        above=_REVENUE,
        below=(_DEALS_WON, _ORDERS_PLACED),
    ),
    _ORDERS_PLACED,
    _CUSTOMERS_BOUGHT,
    _CUSTOMERS_BOUGHT_AGAIN,
    Metric(
        "repurchase_rate",
        Unit.RATE,
        Aggregation.RATIO,
        "Customers who bought again over customers who bought in the period; no data when nobody bought.",
        above=_CUSTOMERS_BOUGHT_AGAIN,
        below=(_CUSTOMERS_BOUGHT,),
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
"""The built-in definitions by name, in the order people read them."""


def evaluate(metric: Metric, figures: Figures) -> Value:
    """A metric's value, exact. A ratio keeps its numerator and denominator as counted (R4)."""
    if metric.above is not None:
        below = sum(_base(each, figures) for each in metric.below)
        return Value(metric.unit, _base(metric.above, figures), below) if below else Value(metric.unit, 0, 0)
    if metric.is_ratio:
        sums = _sums(metric, figures)
        total = sums.amount if metric.aggregation is Aggregation.MEAN_AMOUNT else sums.minutes
        return Value(metric.unit, total, sums.n) if sums.n else Value(metric.unit, 0, 0)
    return Value(metric.unit, _base(metric, figures))


def _base(metric: Metric, figures: Figures) -> int:
    aggregation = metric.aggregation
    if aggregation is Aggregation.REPEAT_CUSTOMERS:
        assert metric.counter is not None  # noqa: S101  its definition sees to that
        return figures.repeats.get(metric.counter.id, 0)
    if aggregation is Aggregation.NEW_CUSTOMERS and metric.counter is None:
        return figures.new_customers
    if aggregation is Aggregation.DISTINCT_CUSTOMERS and metric.counter is None:
        return figures.customers
    sums = _sums(metric, figures)
    if aggregation in {Aggregation.DISTINCT_CUSTOMERS, Aggregation.NEW_CUSTOMERS}:
        return sums.customers
    if aggregation is Aggregation.SUM_AMOUNT:
        return sums.amount
    return sums.minutes if aggregation is Aggregation.SUM_MINUTES else sums.n


def _sums(metric: Metric, figures: Figures) -> Sums:
    """What the metric's facts add up to."""
    total = Sums()
    if metric.counter is None:
        for kind in metric.kinds:
            total.n += figures.counts.get(kind, 0)
            total.amount += figures.amounts.get(kind, 0)
            total.minutes += figures.minutes.get(kind, 0)
        return total
    wanted = metric.conditions.customers
    if metric.aggregation is Aggregation.NEW_CUSTOMERS:
        wanted = Novelty.NEW
    for novelty in (wanted,) if wanted is not Novelty.ANYBODY else Novelty:
        found = figures.counted.get((metric.counter.id, novelty))
        if found is not None:
            total.add(found)
    return total


def kinds_of(metric: Metric) -> frozenset[FactKind]:
    """The kinds of fact a metric reads, itself or through what it is a ratio of."""
    return frozenset(kind for each in metric.components or (metric,) for kind in each.kinds)

"""What plans and boards can read, as data: base figures as goals tells them, and ratios that follow.

Goals owns the definitions of the base figures. Ratios are derived here from the same numerators and
denominators, never from a rounded share, so that both services say the same to the last digit (R1, R4).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction
from types import MappingProxyType
from typing import Final, NamedTuple


class Unit(IntEnum):
    """What a value is counted in; the numbers of the contract's `Unit`."""

    COUNT = 1
    RATE = 2
    MONEY = 3
    MINUTES = 4


@dataclass(frozen=True, slots=True)
class Metric:
    """A base figure (no denominators), or the numerator over the sum of the denominators."""

    name: str
    unit: Unit
    numerator: str
    denominators: tuple[str, ...] = ()

    @property
    def is_ratio(self) -> bool:
        return bool(self.denominators)

    @property
    def largest(self) -> int | None:
        """The value that none passes; None where there is none.

        Only a share of a whole ends at 1: what is counted above the line is counted below it as well, as with
        win_rate. Deals may be won with customers followed in an earlier period, so close_rate passes 100 % (R4).
        """
        return 1 if self.numerator in self.denominators else None

    @property
    def inputs(self) -> tuple[str, ...]:
        """The base figures it is made of, each once."""
        return tuple(dict.fromkeys((self.numerator, *self.denominators)))


class Figure(NamedTuple):
    """An exact value as counted, never reduced: 3/25. Denominator 0 is "no data" (R4)."""

    numerator: int
    denominator: int

    @property
    def exact(self) -> Fraction:
        """The value; ask only where there is data."""
        return Fraction(self.numerator, self.denominator)


Figures = Mapping[str, int]
"""A person's base figures in one period by metric name; what is absent is 0."""


def _base(name: str, unit: Unit) -> Metric:
    return Metric(name, unit, name)


METRICS: Final[Mapping[str, Metric]] = MappingProxyType(
    {
        metric.name: metric
        for metric in (
            _base("customers_followed", Unit.COUNT),
            _base("new_customers", Unit.COUNT),
            _base("deals_won", Unit.COUNT),
            _base("deals_lost", Unit.COUNT),
            Metric("close_rate", Unit.RATE, "deals_won", ("customers_followed",)),
            Metric("win_rate", Unit.RATE, "deals_won", ("deals_won", "deals_lost")),
            _base("revenue", Unit.MONEY),
            _base("overlay_revenue", Unit.MONEY),
            Metric("average_order_value", Unit.MONEY, "revenue", ("deals_won", "orders_placed")),
            _base("orders_placed", Unit.COUNT),
            _base("followup_minutes", Unit.MINUTES),
            _base("emails_sent", Unit.COUNT),
            _base("meetings_attended", Unit.COUNT),
        )
    }
)


TENURE: Final = "tenure_month"
"""Not what a person did but which month of tenure a period begins in, from 1; absent where it is not known."""


COURSE: Final = "course:"
"""Before a course's id: not what a person did in a period but whether they had passed the course by its end, 1 or 0."""
_COURSE_NAME: Final = re.compile(r"course:[a-z0-9-]{1,64}")


def is_course(name: str) -> bool:
    """Whether a name is that of a course."""
    return _COURSE_NAME.fullmatch(name) is not None


def metric_of(name: str) -> Metric:
    """The metric of a name that was found valid, a course's included."""
    known = METRICS.get(name)
    return Metric(name, Unit.COUNT, name) if known is None else known


def unit_of(name: str) -> Unit:
    """What a metric, a course or the month of tenure is counted in."""
    return metric_of(name).unit


def is_standing(name: str) -> bool:
    """Whether a figure is of where a person stands, not of what they did: the month of tenure, a course passed."""
    return name == TENURE or name.startswith(COURSE)


def measure(metric: Metric, figures: Figures) -> Figure:
    """The metric's value, from the base figures."""
    numerator = figures.get(metric.numerator, 0)
    if not metric.denominators:
        return Figure(numerator, 1)
    denominator = 0
    for name in metric.denominators:
        denominator += figures.get(name, 0)
    return Figure(numerator, max(0, denominator))

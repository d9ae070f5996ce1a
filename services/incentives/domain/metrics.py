"""What plans and boards can read, as data: base figures as goals tells them, and ratios that follow.

Goals owns the definitions of the base figures. Ratios are derived here from the same numerators and
denominators, never from a rounded share, so that both services say the same to the last digit (R1, R4).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction
from functools import lru_cache
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
    """A base figure (no denominators), or the numerator over the sum of the denominators.

    `parts` are the base figures that a ratio is made of, each once, the numerator first.
    """

    name: str
    unit: Unit
    numerator: str
    denominators: tuple[str, ...] = ()
    parts: tuple["Metric", ...] = ()

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
    def bases(self) -> tuple["Metric", ...]:
        """The base figures it is made of, each once; of a base figure itself."""
        return self.parts or (self,)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(base.name for base in self.bases)


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


def base(name: str, unit: Unit) -> Metric:
    """A base figure."""
    return Metric(name, unit, name)


def ratio(name: str, unit: Unit, above: Metric, *below: Metric) -> Metric:
    """One base figure over the sum of others."""
    parts = tuple(dict.fromkeys((above, *below)))
    return Metric(name, unit, above.name, tuple(each.name for each in below), parts)


_FOLLOWED: Final = base("customers_followed", Unit.COUNT)
_WON: Final = base("deals_won", Unit.COUNT)
_LOST: Final = base("deals_lost", Unit.COUNT)
_REVENUE: Final = base("revenue", Unit.MONEY)
_ORDERS: Final = base("orders_placed", Unit.COUNT)
METRICS: Final[Mapping[str, Metric]] = MappingProxyType(
    {
        metric.name: metric
        for metric in (
            _FOLLOWED,
            base("new_customers", Unit.COUNT),
            _WON,
            _LOST,
            ratio("close_rate", Unit.RATE, _WON, _FOLLOWED),
            ratio("win_rate", Unit.RATE, _WON, _WON, _LOST),
            _REVENUE,
            base("overlay_revenue", Unit.MONEY),
            ratio("average_order_value", Unit.MONEY, _REVENUE, _WON, _ORDERS),
            _ORDERS,
            base("followup_minutes", Unit.MINUTES),
            base("emails_sent", Unit.COUNT),
            base("meetings_attended", Unit.COUNT),
        )
    }
)
"""Those that are built in."""

Known = Mapping[str, Metric]
"""Metrics by name: what is built in, the enterprise's own, or those of one plan."""

UNREAD: Final = base("", Unit.COUNT)
"""What a rule with a weighted credit reads instead of one metric: nothing."""
MONTH: Final = base("tenure_month", Unit.COUNT)


TENURE: Final = MONTH.name
"""Not what a person did but which month of tenure a period begins in, from 1; absent where it is not known."""


DRAWN: Final = "drawn:"
"""Before a rule's id: what it advanced and was not paid back yet when the period begins, in minor units."""
MENTEES: Final = "mentees:"
"""Before a rule's id: how many of those whom the person mentors meet its condition."""
PRIZE: Final = "prize:"
"""Before a rule's id: what the person's rank won when the period was closed, in minor units."""
COURSE: Final = "course:"
"""Before a course's id: not what a person did in a period but whether they had passed the course by its end, 1 or 0."""
_COURSE_NAME: Final = re.compile(r"course:[a-z0-9-]{1,64}")


def is_course(name: str) -> bool:
    """Whether a name is that of a course."""
    return _COURSE_NAME.fullmatch(name) is not None


def named(known: Known, name: str) -> Metric:
    """What a figure's name means: one of these metrics, one built in, else money owed or won, a course, the month."""
    return (
        known.get(name)
        or METRICS.get(name)
        or base(name, Unit.MONEY if name.startswith((DRAWN, PRIZE)) else Unit.COUNT)
    )


@lru_cache(maxsize=1024)
def is_standing(name: str) -> bool:
    """Whether a figure is not of what a person did in the period: the month, a course, mentees, a prize."""
    return name == TENURE or name.startswith((COURSE, DRAWN, MENTEES, PRIZE))


def measure(metric: Metric, figures: Figures) -> Figure:
    """The metric's value, from the base figures."""
    numerator = figures.get(metric.numerator, 0)
    if not metric.denominators:
        return Figure(numerator, 1)
    denominator = 0
    for name in metric.denominators:
        denominator += figures.get(name, 0)
    return Figure(numerator, max(0, denominator))

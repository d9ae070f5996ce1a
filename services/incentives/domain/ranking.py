"""Who is ahead: boards, and an order that is exact for ratios without ever dividing to a float (R8)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from types import MappingProxyType
from typing import Final, NamedTuple

from services.incentives.domain.metrics import Figure, Figures, Metric, measure
from services.incentives.domain.periods import Period, PeriodKind
from services.incentives.domain.statements import tenure_month

DEFAULT_MINIMUM: Final = 5
LARGEST_MINIMUM: Final = 1_000_000
MOST_BOARDS: Final = 100
LONGEST_TENURE: Final = 120
"""Months."""
MOST_SHOWN: Final = 10
_SHIFT: Final = 256
_NOTHING: Final[Mapping[str, int]] = MappingProxyType({})


class Measure(IntEnum):
    """What of a metric is ranked; the numbers of the contract's `Board.Measure`."""

    LEVEL = 1
    CHANGE = 2


@dataclass(frozen=True, slots=True)
class Board:
    """Ranks people by one metric in one kind of period, or by its change against the period before, highest first.

    A ratio needs a denominator of at least `minimum_denominator` to be ranked, for its change in both periods;
    `job_role` empty is everybody. Of people in months `tenure_from` to `tenure_to` of tenure, both included; 0 is open.
    Whoever is first when a period is over may be honoured: `honour` is what for, empty for nothing.
    """

    id: str
    name: str
    metric: Metric
    period_kind: PeriodKind
    minimum_denominator: int = DEFAULT_MINIMUM
    job_role: str = ""
    measure: Measure = Measure.LEVEL
    tenure_from: int = 0
    tenure_to: int = 0
    ended: bool = False
    honour: str = ""

    def admits(self, job_role: str, hired: date | None, period: Period) -> bool:
        """Whether it is for somebody of this job role; of a tenure by the month in which the period begins."""
        if self.job_role not in ("", job_role):
            return False
        if not self.tenure_from and not self.tenure_to:
            return True
        month = tenure_month(hired, period)
        return month > 0 and self.tenure_from <= month and (not self.tenure_to or month <= self.tenure_to)


class Place(NamedTuple):
    """Where a person goes on a board: lowest `order` first, which compares as the exact value reversed."""

    ranked: bool
    order: int
    value: Figure


def place(board: Board, figures: Figures, before: Figures = _NOTHING) -> Place | None:
    """The place a person's figures give on a board; None for no data and for a count of nothing.

    A count that went back to 0 is like one that never was: boards must not tell the two apart (R10). `before` is of
    the period before, for a change: of a count from nothing too, of a ratio only where there is data in both.
    """
    metric = board.metric
    value = measure(metric, figures)
    values = [value] if board.measure is Measure.LEVEL else [value, measure(metric, before)]
    if metric.is_ratio:
        if any(each.denominator <= 0 for each in values):
            return None
    elif not any(each.numerator for each in values):
        return None
    ranked = not metric.is_ratio or all(each.denominator >= board.minimum_denominator for each in values)
    if board.measure is Measure.CHANGE:
        value = _difference(*values)
    return Place(ranked, -exact_order(value), value)


def shown_to_all(ranked: int) -> int:
    """The last rank that everybody sees: the first ten, and at most the better half; of one or two the first."""
    return min(MOST_SHOWN, (ranked + 1) // 2)


def _difference(value: Figure, before: Figure) -> Figure:
    """The one less the other, exact; of counts over 1."""
    numerator = value.numerator * before.denominator - before.numerator * value.denominator
    return Figure(numerator, value.denominator * before.denominator)


def exact_order(value: Figure) -> int:
    """A whole number that compares exactly as numerator / denominator does.

    Two different fractions with denominators under 2**126, as differences of two with such under 2**63 have, differ
    by more than 2**-252, so their floors at a scale of 2**256 differ in the same sense; equal fractions (1/2, 2/4)
    give the same number.
    """
    return (value.numerator << _SHIFT) // value.denominator

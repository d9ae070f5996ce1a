"""Who is ahead: boards, and an order that is exact for ratios without ever dividing to a float (R8)."""

from dataclasses import dataclass
from typing import Final, NamedTuple

from services.incentives.domain.metrics import METRICS, Figure, Figures, measure
from services.incentives.domain.periods import PeriodKind

DEFAULT_MINIMUM: Final = 5
LARGEST_MINIMUM: Final = 1_000_000
MOST_BOARDS: Final = 100
_SHIFT: Final = 128


@dataclass(frozen=True, slots=True)
class Board:
    """Ranks people by one metric in one kind of period, highest first.

    A ratio needs a denominator of at least `minimum_denominator` to be ranked; `job_role` empty is everybody.
    """

    id: str
    name: str
    metric: str
    period_kind: PeriodKind
    minimum_denominator: int = DEFAULT_MINIMUM
    job_role: str = ""


class Place(NamedTuple):
    """Where a person goes on a board: lowest `order` first, which compares as the exact value reversed."""

    ranked: bool
    order: int
    value: Figure


def place(board: Board, figures: Figures) -> Place | None:
    """The place a person's figures give on a board; None for no data and for a count of nothing.

    A count that went back to 0 is like one that never was: boards must not tell the two apart (R10).
    """
    metric = METRICS[board.metric]
    value = measure(metric, figures)
    if value.denominator <= 0 or (not metric.is_ratio and value.numerator == 0):
        return None
    ranked = not metric.is_ratio or value.denominator >= board.minimum_denominator
    return Place(ranked, -exact_order(value), value)


def exact_order(value: Figure) -> int:
    """A whole number that compares exactly as numerator / denominator does.

    Two different fractions with denominators under 2**63 differ by more than 2**-126, so their floors at a
    scale of 2**128 differ in the same sense; equal fractions (1/2, 2/4) give the same number.
    """
    return (value.numerator << _SHIFT) // value.denominator

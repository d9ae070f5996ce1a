"""Who wins what by a rank: standard competition ranks (R8), and those who are level share the prizes they take up."""

from collections.abc import Mapping
from itertools import groupby
from typing import NamedTuple

from services.incentives.domain.metrics import Figure, Figures
from services.incentives.domain.periods import Period
from services.incentives.domain.ranking import Board, place
from services.incentives.domain.rules import RankingPrize


class Won(NamedTuple):
    """A person's prize in minor units, and what for: `tied` people are level there, the person among them."""

    person_id: str
    rank: int
    tied: int
    value: Figure
    amount: int


def holds(kind: RankingPrize, period: Period) -> bool:
    """Whether prizes are given for a period: it begins within the rule's dates."""
    return (kind.first is None or kind.first <= period.first_day) and (
        kind.end is None or period.first_day < kind.end
    )


def winners(kind: RankingPrize, period: Period, figures: Mapping[str, Figures]) -> list[Won]:
    """Those who win something, best first, of people with these figures.

    People who are level share equally the prizes of the ranks they take up, each rounded down to the minor unit: the
    sum of all prizes is never exceeded. Below the least denominator nobody is ranked.
    """
    board = Board("", "", kind.ranked, period.kind, kind.minimum_denominator)
    places = [
        (found.order, who, found.value)
        for who, own in figures.items()
        if (found := place(board, own)) and found.ranked
    ]
    won: list[Won] = []
    rank = 1
    for _, level in groupby(sorted(places), key=lambda each: each[0]):
        those = list(level)
        amount = sum(kind.prizes[rank - 1 : rank - 1 + len(those)]) // len(those)
        if amount:
            won += [Won(who, rank, len(those), value, amount) for _, who, value in those]
        rank += len(those)
        if rank > len(kind.prizes):
            break
    return won

"""Who wins what by a rank: standard competition ranks (R8), and those who are level share the prizes they take up."""

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from services.incentives.domain.metrics import Figure, Figures
from services.incentives.domain.periods import Period, PeriodKind
from services.incentives.domain.ranking import Board, Place, exact_order, place
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


def winners(kind: RankingPrize, figures: Mapping[str, Figures]) -> list[Won]:
    """Those who win something, best first, of people with these figures of one period.

    People who are level share equally the prizes of the ranks they take up, each rounded down to the minor unit: the
    sum of all prizes is never exceeded. Below the least denominator nobody is ranked.
    """
    board = _board(kind)
    places = [
        (found.order, who, found.value)
        for who, own in figures.items()
        if (found := place(board, own)) and found.ranked
    ]
    won: list[Won] = []
    rank = 1
    for _, level in groupby(sorted(places), key=lambda each: each[0]):
        those = list(level)
        amount = _shared(kind.prizes, rank, len(those))
        if amount:
            won += [Won(who, rank, len(those), value, amount) for _, who, value in those]
        rank += len(those)
        if rank > len(kind.prizes):
            break
    return won


class Level(NamedTuple):
    """So many people who are level: first what they are ordered by, then their value."""

    order: int
    value: Figure
    people: int


class Leaders:
    """Of any number of people those values that prizes go to: whom `winners` finds, without everybody at once.

    `settled` says that the prizes were given: nobody wins others then.
    """

    def __init__(
        self, kind: RankingPrize, levels: Iterable[tuple[Figure, int]] = (), *, settled: bool = False
    ) -> None:
        self._kind = kind
        self._board = _board(kind)
        self._levels = sorted(Level(-exact_order(value), value, people) for value, people in levels)
        self.settled = settled

    @property
    def levels(self) -> list[tuple[Figure, int]]:
        """How many people are at each of the values, best first."""
        return [(each.value, each.people) for each in self._levels]

    def add(self, figures: Figures) -> None:
        """Somebody more with these figures."""
        found = self._place(figures)
        if found is None:
            return
        at, is_known = self._find(found.order)
        if is_known:
            level = self._levels[at]
            self._levels[at] = level._replace(people=level.people + 1)
        else:
            insort(self._levels, Level(found.order, found.value, 1))
        before = 0
        for number, level in enumerate(self._levels):
            if before >= len(self._kind.prizes):
                del self._levels[number:]
                break
            before += level.people

    def amount(self, figures: Figures) -> int:
        """What somebody with these figures, who was added, wins, in minor units."""
        found = None if self.settled else self._place(figures)
        if found is None:
            return 0
        at, is_known = self._find(found.order)
        if not is_known:
            return 0
        rank = 1 + sum(each.people for each in self._levels[:at])
        return _shared(self._kind.prizes, rank, self._levels[at].people)

    def _place(self, figures: Figures) -> Place | None:
        found = place(self._board, figures)
        return found if found is not None and found.ranked else None

    def _find(self, order: int) -> tuple[int, bool]:
        at = bisect_left(self._levels, order, key=_order)
        return at, at < len(self._levels) and self._levels[at].order == order


def _order(level: Level) -> int:
    return level.order


def _board(kind: RankingPrize) -> Board:
    return Board("", "", kind.ranked, PeriodKind.MONTH, kind.minimum_denominator)


def _shared(prizes: Sequence[int], rank: int, people: int) -> int:
    """What each of those gets who take up the ranks from this one on together."""
    return sum(prizes[rank - 1 : rank - 1 + people]) // people

"""One board at one node in one period, sorted in memory: a rank among 100,000 costs microseconds (R8)."""

import threading
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from sortedcontainers import SortedList

from services.incentives.domain.metrics import Figure
from services.incentives.domain.ranking import Place, shown_to_all

Cursor = tuple[bool, int, str]
"""Where a page ends: ranked or not, the order, the person."""


class Entry(NamedTuple):
    """One person on a board; rank 0 is unranked."""

    rank: int
    person_id: str
    value: Figure
    cursor: Cursor


class Page(NamedTuple):
    """A page of a board at one `version`."""

    version: int
    entries: list[Entry]
    more: bool
    ranked_size: int
    unranked_size: int
    as_of: datetime | None


class Stand(NamedTuple):
    """Where a person stands at one `version` of a board, and the next better one: of a tie the last."""

    version: int
    entry: Entry | None
    above: Entry | None


class Standings:
    """Who stands where. Entries sort by (order, person id), so equal values are neighbours."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._version = 0
        self._places: dict[str, Place] = {}
        self._ranked: SortedList[tuple[int, str]] = SortedList()
        self._unranked: SortedList[tuple[int, str]] = SortedList()
        self._as_of: datetime | None = None

    def load(self, places: dict[str, Place], as_of: datetime | None) -> None:
        """Start from these, before anybody looks."""
        self._places = places
        self._ranked = SortedList((place.order, who) for who, place in places.items() if place.ranked)
        self._unranked = SortedList((place.order, who) for who, place in places.items() if not place.ranked)
        self._as_of = as_of

    def put(self, person_id: str, place: Place | None, as_of: datetime | None) -> None:
        """Move a person to a place, or off the board."""
        with self._lock:
            before = self._places.get(person_id)
            if before == place:
                return
            self._version += 1
            if before is not None:
                del self._places[person_id]
                self._sorted(before.ranked).remove((before.order, person_id))
            if place is not None:
                self._places[person_id] = place
                self._sorted(place.ranked).add((place.order, person_id))
            if as_of is not None and (self._as_of is None or as_of > self._as_of):
                self._as_of = as_of

    def page(self, *, after: Cursor | None, limit: int) -> Page:
        """The entries beyond a cursor, best first, then unranked ones."""
        with self._lock:
            entries = list(self._entries(after, limit + 1))
            return Page(
                self._version,
                entries[:limit],
                len(entries) > limit,
                len(self._ranked),
                len(self._unranked),
                self._as_of,
            )

    def top(self, *, limit: int) -> Page:
        """What everybody sees: the entries up to the rank that `shown_to_all` says, at most so many."""
        with self._lock:
            last = shown_to_all(len(self._ranked))
            entries = [each for each in self._entries(None, limit) if 0 < each.rank <= last]
            return Page(
                self._version,
                entries,
                more=False,
                ranked_size=len(self._ranked),
                unranked_size=len(self._unranked),
                as_of=self._as_of,
            )

    def stand(self, person_id: str) -> Stand:
        """Where a person stands."""
        with self._lock:
            entry = self._entry(person_id)
            if entry is None or entry.rank <= 1:
                return Stand(self._version, entry, None)
            return Stand(self._version, entry, self._entry(self._ranked[entry.rank - 2][1]))

    def stands(self, people: Iterable[str]) -> tuple[int, list[Entry]]:
        """The version, and the entries of those of these people who are on the board, best first."""
        with self._lock:
            found = [entry for each in people if (entry := self._entry(each)) is not None]
            return self._version, sorted(found, key=lambda entry: (not entry.cursor[0], *entry.cursor[1:]))

    def _entry(self, person_id: str) -> Entry | None:
        place = self._places.get(person_id)
        if place is None:
            return None
        cursor = (place.ranked, place.order, person_id)
        return Entry(self._rank(place), person_id, place.value, cursor)

    def _sorted(self, ranked: bool) -> "SortedList[tuple[int, str]]":  # noqa: FBT001  which of two, not a flag
        return self._ranked if ranked else self._unranked

    def _rank(self, place: Place) -> int:
        """One more than how many are strictly better: 1, 2, 2, 4. "" sorts before every id."""
        return self._ranked.bisect_left((place.order, "")) + 1 if place.ranked else 0

    def _entries(self, after: Cursor | None, limit: int) -> Iterator[Entry]:
        for ranked in (True, False):
            if after is not None and after[0] and not ranked:
                after = None
            if after is not None and not after[0] and ranked:
                continue
            entries = self._sorted(ranked)
            start = 0 if after is None else entries.bisect_right(after[1:])
            rank, of_order = 0, None
            for index, (order, person_id) in enumerate(entries.islice(start, start + limit), start + 1):
                if order != of_order:
                    place = self._places[person_id]
                    rank = self._rank(place) if index == start + 1 else index * ranked
                    of_order = order
                limit -= 1
                yield Entry(rank, person_id, self._places[person_id].value, (ranked, order, person_id))
            if limit <= 0:
                return

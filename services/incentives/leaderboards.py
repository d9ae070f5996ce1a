"""Every board somebody looked at, kept up with what goals and identity tell, whichever process heard it."""

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from access import Directory
from chassis.clock import Clock
from chassis.database import Database
from chassis.logs import logger
from services.incentives.catalogue import Catalogue
from services.incentives.domain.periods import Period, period_of, today
from services.incentives.domain.ranking import Board, Measure, Place, place
from services.incentives.domain.statements import Standing
from services.incentives.standings import Standings
from services.incentives.store.board_rows import (
    BoardRow,
    changed_since,
    goals_position,
    moved_since,
    of_period,
    read_closings,
    rewritten,
    signs_of_change,
    stood_then,
)

_POLL_SECONDS: Final = 0.1
_SICK_AFTER: Final = 50
_KEPT_LIVE: Final = 24
_KEPT_OTHER: Final = 4
"""So many boards in a period stay in memory, each about 60 MB among 100,000; the longest unused goes first.

Boards of periods that run have places of their own: whoever looks through old ones never makes them cold.
"""
_LAST_TO_END, _FIRST_TO_BEGIN = "Etc/GMT+12", "Etc/GMT-14"


class _Race:
    """One board in one period: everybody's place, and who stands where at each node somebody looked at.

    `stood` has where those stood at its end whose period is closed: they stay on the board they were on.
    """

    def __init__(self, board: Board, period: Period) -> None:
        self.board = board
        self.period = period
        changes = board.measure is Measure.CHANGE
        self.before = period_of(period.kind, period.first_day - timedelta(days=1)) if changes else None
        self.places: dict[str, Place] = {}
        self.frozen: set[str] = set()
        self.stood: Mapping[str, Standing] = {}
        self.as_of: datetime | None = None
        self.at: dict[str, Standings] = {}
        self.used = time.monotonic()
        self._figures: dict[str, Mapping[str, int]] = {}
        self._earlier: dict[str, Mapping[str, int]] = {}

    @property
    def periods(self) -> tuple[Period, ...]:
        """The periods whose figures it is made of."""
        return (self.period,) if self.before is None else (self.before, self.period)

    def note(self, row: BoardRow) -> None:
        """A person's figures in one of its periods."""
        if self.before is None:
            found = place(self.board, row.figures)
        else:
            figures = self._figures if row.period == self.period else self._earlier
            figures[row.person_id] = row.figures
            of = row.person_id
            found = place(self.board, self._figures.get(of, {}), self._earlier.get(of, {}))
        if found is None:
            self.places.pop(row.person_id, None)
        else:
            self.places[row.person_id] = found
        if row.frozen and row.period == self.period:
            self.frozen.add(row.person_id)
        if row.as_of is not None and (self.as_of is None or row.as_of > self.as_of):
            self.as_of = row.as_of


class Leaderboards:
    """Boards in memory, loaded when first looked at, and a thread that keeps them up."""

    def __init__(self, database: Database, directory: Directory, catalogue: Catalogue, clock: Clock) -> None:
        self._database = database
        self._directory = directory
        self._catalogue = catalogue
        self._clock = clock
        self._changing = threading.Lock()
        # One board is read at a time, of running periods and of others: old ones must not hold up live ones.
        self._loading = {True: threading.Lock(), False: threading.Lock()}
        self._races: dict[tuple[str, Period], _Race] = {}
        self._goals = 0
        self._identity = 0
        self._closings: Mapping[Period, Mapping[str, datetime]] = {}
        self._closed = 0
        self._figures = 0
        self._signs: tuple[int, ...] = ()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._failures = 0

    def start(self) -> None:
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="leaderboards", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def wake(self) -> None:
        """Figures were committed; look now."""
        self._wake.set()

    def check(self) -> str | None:
        """For health: boards that are not kept up show old ranks."""
        return "boards are not kept up" if self._failures >= _SICK_AFTER else None

    def standings(self, board: Board, node_id: str, period: Period) -> Standings:
        """Who stands where on a board at the enterprise or a branch; the first look reads the database."""
        race = self._races.get((board.id, period))
        if race is not None:
            race.used = time.monotonic()
            found = race.at.get(node_id)
            if found is not None:
                return found
        return self._open(board, node_id, period)

    def closed_at(self, node_id: str, period: Period) -> datetime | None:
        """When a node's period was closed, there or above; as far as this process has heard."""
        closings = self._closings.get(period, {})
        path = self._directory.ancestors(node_id) if closings else ()
        return min((closings[each] for each in path if each in closings), default=None)

    def preview(self, board: Board, node_id: str, period: Period) -> Standings:
        """Who would stand where on a board that is not kept."""
        race, _ = self._read_from(board, period)
        return self._standings(race, node_id)

    def refresh(self) -> None:
        """Take in what was committed since the last time."""
        known = self._directory.version
        with self._changing, self._database.read() as connection:
            self._refresh(connection, known)

    def _refresh_where_behind(self) -> None:
        """Mostly nothing was committed, and that is seen in one statement."""
        known = self._directory.version
        with self._database.look() as connection:
            signs = (*signs_of_change(connection), known)
        if signs != self._signs:
            self.refresh()
            self._signs = signs

    def _open(self, board: Board, node_id: str, period: Period) -> Standings:
        with self._loading[self._is_live(period)]:
            race = self._races.get((board.id, period)) or self._load(board, period)
        with self._changing:
            standings = race.at.get(node_id)
            if standings is None:
                standings = race.at[node_id] = self._standings(race, node_id)
            return standings

    def _standings(self, race: _Race, node_id: str) -> Standings:
        standings = Standings()
        works_here, stood = self._directory.active_under(node_id), race.stood
        standings.load(
            {
                who: found
                for who, found in race.places.items()
                if (who in works_here if who not in stood else node_id in stood[who].path)
                and self._is_for(race, who)
            },
            race.as_of,
        )
        return standings

    def _load(self, board: Board, period: Period) -> _Race:
        """Read everybody's place; changes go on meanwhile, and what was missed is taken in at the end."""
        race, seen = self._read_from(board, period)
        known = self._directory.version
        with self._changing, self._database.read() as connection:
            self._refresh(connection, known)
            for row in changed_since(connection, seen):
                if row.period in race.periods:
                    race.note(row)
            self._keep(race)
        return race

    def _read_from(self, board: Board, period: Period) -> tuple[_Race, int]:
        """Everybody's place, and up to which position of goals it is read."""
        race = _Race(board, period)
        with self._database.read() as connection:
            seen = goals_position(connection)
            for each in race.periods:
                for row in of_period(connection, each):
                    race.note(row)
            if race.frozen:
                race.stood = stood_then(connection, race.frozen, period, self._clock.now())
        return race, seen

    def _keep(self, race: _Race) -> None:
        """Put a board on its shelf; one without anybody costs nothing to read again and takes no place there."""
        if not race.places and not self._is_live(race.period):
            return
        races = {**self._races, (race.board.id, race.period): race}
        for live, most in ((True, _KEPT_LIVE), (False, _KEPT_OTHER)):
            shelf = [key for key in races if self._is_live(key[1]) is live]
            shelf.sort(key=lambda key: races[key].used, reverse=True)
            for key in shelf[most:]:
                del races[key]
        self._races = races

    def _is_live(self, period: Period) -> bool:
        """Whether the period runs somewhere on Earth."""
        now = self._clock.now()
        return period.end_day > today(now, _LAST_TO_END) and period.first_day <= today(now, _FIRST_TO_BEGIN)

    def _is_for(self, race: _Race, person_id: str) -> bool:
        """Whether somebody is on the board at all: of a closed period as they were when it ended."""
        then = race.stood.get(person_id)
        if then is not None:
            return race.board.admits(then.job_role, then.hired, race.period)
        person = self._directory.person(person_id)
        if person is None or not person.active:
            return False
        return race.board.admits(person.job_role, person.hire_date, race.period)

    def _refresh(self, connection: Connection, known: int) -> None:
        """`known` is the directory's version from before the connection's snapshot: that holds at least as much."""
        self._catalogue.refresh_boards(connection)
        closed, figures = rewritten(connection)
        if figures != self._figures:
            self._races, self._figures = {}, figures
        if closed != self._closed:
            # Read again when somebody looks: of those closed since, where they stood then is kept.
            self._races = {key: race for key, race in self._races.items() if self._is_live(key[1])}
            self._closings, self._closed = read_closings(connection), closed
        reached = goals_position(connection)
        if reached != self._goals:
            if self._races:
                self._take_figures(changed_since(connection, self._goals))
            self._goals = reached
        if known != self._identity:
            if self._races:
                self._take_people(*moved_since(connection, self._identity))
            self._identity = known

    def _take_figures(self, rows: Iterable[BoardRow]) -> None:
        for row in rows:
            for race in self._races.values():
                if row.period in race.periods:
                    race.note(row)
                    self._put(race, row.person_id, row.as_of)

    def _take_people(self, people: set[str], above: bool) -> None:  # noqa: FBT001  whether a node above people changed
        for race in self._races.values():
            if above:
                # A branch came or moved: who belongs where is read again when somebody looks.
                race.at = {}
            for person_id in people & race.places.keys():
                self._put(race, person_id, None)

    def _put(self, race: _Race, person_id: str, as_of: datetime | None) -> None:
        found = race.places.get(person_id)
        path: Sequence[str] = ()
        if found is not None and self._is_for(race, person_id):
            then = race.stood.get(person_id)
            path = self._directory.ancestors(person_id) if then is None else then.path
        for node_id, standings in race.at.items():
            standings.put(person_id, found if node_id in path else None, as_of)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                self._refresh_where_behind()
                self._failures = 0
            except Exception as error:  # noqa: BLE001  whatever goes wrong, the next look may find it right
                self._failures += 1
                logger(__name__).warning("leaderboards_refresh_failed", error=type(error).__name__)
            self._wake.wait(_POLL_SECONDS)

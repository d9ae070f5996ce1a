"""Computes simulations: in the background, some people a transaction, and on from there after a restart."""

import hashlib
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from chassis.clock import Clock
from chassis.database import Database
from chassis.errors import Unavailable
from chassis.logs import logger
from services.incentives.carrying import with_mentees
from services.incentives.catalogue import Catalogue
from services.incentives.domain.metrics import COURSE
from services.incentives.domain.periods import Period
from services.incentives.domain.plan_book import PlanBook
from services.incentives.domain.simulation import Outcome, Prizes, Simulation, State, Tally, branch_of, count
from services.incentives.domain.statements import Standing, Statement
from services.incentives.store import simulations as store
from services.incentives.store.ledger import Ledger
from services.incentives.store.placements import then
from services.incentives.store.statements import versions

_PEOPLE: Final = 200
"""People a transaction: progress moves several times a second, and little is computed twice after a crash."""
# Whoever answers questions gets its turn between two.
_BREATH_SECONDS: Final = 0.002
_POLL_SECONDS: Final = 1.0


class Simulator:
    """A thread that computes what was started, oldest first; of several processes each takes another."""

    def __init__(self, database: Database, catalogue: Catalogue, clock: Clock) -> None:
        self._database = database
        self._catalogue = catalogue
        self._clock = clock
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="simulating", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def wake(self) -> None:
        """Something was started; look now."""
        self._wake.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                while not self._stopping.is_set() and self._step():
                    self._stopping.wait(_BREATH_SECONDS)
            except (SQLAlchemyError, Unavailable) as error:
                logger(__name__).warning("simulation_interrupted", error=type(error).__name__, exc_info=error)
            self._wake.wait(_POLL_SECONDS)

    def _step(self) -> bool:
        """Go on with the oldest; whether there was one."""
        simulation_id = ""
        try:
            with self._database.begin() as connection:
                found = store.next_open(connection)
                if found is None:
                    return False
                simulation_id = found[0].id
                self._advance(connection, *found)
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            # Tried again it would fail again, and hold up those behind it.
            logger(__name__).error("simulation_failed", simulation=simulation_id, exc_info=error)
            with self._database.begin() as connection:
                store.end(connection, simulation_id, State.FAILED, self._clock.now())
        return True

    def _advance(self, connection: Connection, simulation: Simulation, tally: Tally, prizes: Prizes) -> None:
        if simulation.ranks:
            self._rank(connection, simulation, prizes)
            return
        people = store.people_below(connection, simulation.node_id, simulation.after_person, _PEOPLE)
        made = self._count(connection, simulation, tally, prizes, people)
        is_last = len(people) < _PEOPLE
        moved = replace(
            simulation,
            state=State.DONE if is_last else State.RUNNING,
            done=simulation.done + len(people),
            after_person=people[-1] if people else simulation.after_person,
            digest=made[1],
            finished_at=self._clock.now() if is_last else None,
        )
        store.advance(connection, moved, tally, made[0])

    def _rank(self, connection: Connection, simulation: Simulation, prizes: Prizes) -> None:
        """Who leads among all is to be known before anybody's prize is."""
        people = store.people_below(connection, simulation.node_id, simulation.ranked_to, _PEOPLE)
        read = self._read(connection, simulation, people)
        for of_person in read.of_person.values():
            for statement, standing in of_person:
                prizes.rank(statement, read.book, standing)
        moved = replace(
            simulation,
            state=State.RUNNING,
            ranks=len(people) == _PEOPLE,
            ranked=simulation.ranked + len(people),
            ranked_to=people[-1] if people else simulation.ranked_to,
        )
        store.note_ranked(connection, moved, prizes)

    def _count(
        self,
        connection: Connection,
        simulation: Simulation,
        tally: Tally,
        prizes: Prizes,
        people: Sequence[str],
    ) -> tuple[list[Outcome], str]:
        """What comes of people, and the digest over everything up to them."""
        read = self._read(connection, simulation, people)
        branches = store.branches(connection)
        made = []
        told = hashlib.sha256(simulation.digest.encode())
        for person_id, statements in read.of_person.items():
            branch_id = branch_of(read.standings[person_id].path, branches)
            outcome = count(tally, simulation.plans, person_id, branch_id, statements, read.book, prizes)
            if outcome is None:
                continue
            made.append(outcome)
            told.update(repr((outcome, [_seen(each) for each, _ in statements])).encode())
        return made, told.hexdigest()

    def _read(self, connection: Connection, simulation: Simulation, people: Sequence[str]) -> "_Read":
        """People's statements of the months tried, as they were known when it was started."""
        book = self._catalogue.plans(connection).known_by(simulation.created_at)
        seen = (people, simulation.first_month, simulation.end, simulation.created_at)
        found: dict[tuple[str, Period], Statement] = {}
        for each in (*versions(connection, *seen), *store.frozen_by(connection, *seen)):
            found[each.person_id, each.period] = each
        asked = {name.removeprefix(COURSE) for plan in simulation.plans for name in plan.courses}
        standings = Ledger(connection).standings(people, simulation.created_at, asked | book.courses)
        stood = then(connection, list(found), standings)
        at_end = {
            key: stands for key in found if (stands := stood.get(key) or standings.get(key[0])) is not None
        }
        if any(plan.mentor_rules for plan in simulation.plans):
            at_end = with_mentees(connection, at_end)
        of_person: dict[str, list[tuple[Statement, Standing]]] = {}
        for key in sorted(found):
            if key in at_end:
                of_person.setdefault(key[0], []).append((found[key], at_end[key]))
        return _Read(book, standings, of_person)


class _Read(NamedTuple):
    """The plans, where people stand today, and their statements with where they stood then."""

    book: PlanBook
    standings: Mapping[str, Standing]
    of_person: Mapping[str, Sequence[tuple[Statement, Standing]]]


def _seen(statement: Statement) -> tuple[object, ...]:
    kind, first_day = statement.period
    return (
        kind.name,
        first_day.isoformat(),
        sorted(statement.figures.items()),
        statement.plan_id,
        statement.total,
    )

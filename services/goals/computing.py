"""Computes the values of new metric versions from the facts there are: in the background, resumably.

A moment alone at the ledger's gate parts the facts: those before are in a snapshot, counted in one pass while
recording goes on; those after, and whatever takes something away from those before, are kept apart as differences.
Counting is adding, so that in the end the one is added to the other. Nobody waits for the pass; until the last
difference is in, the version before goes on serving. docs/decisions/0318.
"""

import threading
import time
from collections.abc import Callable
from typing import Final, TypeVar

from sqlalchemy import Connection, text

from chassis.database import Database
from chassis.logs import logger
from services.goals.domain.definitions import Taking, Version
from services.goals.store.computations import Computations, Waiting
from services.goals.store.counting import bring_in
from services.goals.store.library import LibraryCache
from services.goals.store.recording import enter_ledger, gate_key
from services.goals.store.staging import Staging, forget_apart

_ONE_SNAPSHOT: Final = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
_TAKE_SNAPSHOT: Final = text("SELECT 1")
_FIRST_BLOCKS: Final = 256
_READ_SECONDS: Final = 0.1
# Of what was kept apart; corrections wait for it.
_BRING_SECONDS: Final = 0.04
_FIRST_BROUGHT: Final = 500
_MOST_BROUGHT: Final = 5_000
_POLL_SECONDS: Final = 0.5
# A pass that failed is tried again ever later, for it reads the whole ledger each time.
_LONGEST_PAUSE: Final = 10.0
_SICK_AFTER: Final = 5
# Writing what was read takes about three times as long as reading it (measured).
_READING_SHARE: Final = 4


T = TypeVar("T")


class _StoppingError(Exception):
    """The process stops: the pass is given up, and begins anew with the next one."""


class _Pace:
    """How much of something to do at a time so that it takes about so long, from how long the last time took."""

    def __init__(self, first: int, most: int, seconds: float) -> None:
        self.size = first
        self._most = most
        self._seconds = seconds

    def time(self, work: Callable[[], T]) -> T:
        """Do something of this size."""
        began = time.monotonic()
        done = work()
        ratio = self._seconds / max(time.monotonic() - began, 0.001)
        self.size = min(max(int(self.size * min(max(ratio, 0.5), 2)), 1), self._most)
        return done


class Computer:
    """A thread that computes what waits, and keeps the copy of the library fresh.

    Of several processes one computes at a time.
    """

    def __init__(self, database: Database, cache: LibraryCache) -> None:
        self._database = database
        self._cache = cache
        self._key = gate_key(database.schema)
        self._bringing = _Pace(_FIRST_BROUGHT, _MOST_BROUGHT, _BRING_SECONDS)
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._failures = 0
        self._not_before = 0.0

    def start(self) -> None:
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="metric-computing", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish the step at hand."""
        self._stopping.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def wake(self) -> None:
        """Something was defined; look now."""
        self._wake.set()

    def check(self) -> str | None:
        """For health: a new version that cannot be computed never comes into use."""
        return "computing a metric keeps failing" if self._failures >= _SICK_AFTER else None

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                self._cache.refresh()
                if time.monotonic() >= self._not_before:
                    while not self._stopping.is_set() and self._step():
                        pass
                    self._failures = 0
            except _StoppingError:
                return
            except Exception as error:  # noqa: BLE001  whatever goes wrong, what waits is still there to be tried again
                self._failures += 1
                pause = min(_POLL_SECONDS * 2**self._failures, _LONGEST_PAUSE)
                self._not_before = time.monotonic() + pause
                logger(__name__).warning("computing_failed", error=type(error).__name__, exc_info=error)
            self._wake.wait(_POLL_SECONDS)

    def _step(self) -> bool:
        """The next step of a version that waits; whether there was one for this process to take."""
        if self._waiting() is None:
            return False
        with self._database.begin() as turn:
            turn.exec_driver_sql(_ONE_SNAPSHOT)
            if not Computations(turn).take_turn():
                return False
            # Whoever had the turn before may have gone on with it.
            found = self._waiting()
            if found is None:
                return False
            version, counted = found
            if not counted:
                self._count_before(turn, version)
            elif version.taking is Taking.APART:
                self._take(version, Taking.IN_PLACE)
            else:
                self._bring_in(version)
        return True

    def _waiting(self) -> Waiting | None:
        with self._database.look() as connection:
            return Computations(connection).waiting()

    def _count_before(self, scan: Connection, version: Version) -> None:
        """Count the facts there are. `scan` has no snapshot yet."""
        counter = version.kept
        if version.taking is not Taking.NOTHING:
            # A pass was cut off, and with it went its snapshot.
            self._take(version, Taking.NOTHING)
        with self._database.begin() as connection:
            forget_apart(connection, counter)
        self._take(version, Taking.APART, at_the_gate=lambda: scan.execute(_TAKE_SNAPSHOT))
        staging = Staging(scan, counter)
        whole = _READING_SHARE * staging.blocks
        pace = _Pace(_FIRST_BLOCKS, staging.blocks, _READ_SECONDS)
        first = 0
        while first < staging.blocks:
            self._go_on(version, first, whole)
            stop = min(first + pace.size, staging.blocks)
            pace.time(lambda: staging.read(first, stop))  # noqa: B023  called at once
            first = stop
        whole = _READING_SHARE * staging.slices
        for number in range(staging.slices):
            self._go_on(version, staging.slices + (_READING_SHARE - 1) * number, whole)
            staging.write(number)
        staging.end()
        Computations(scan).counted(version)

    def _go_on(self, version: Version, part: int, whole: int) -> None:
        """Tell how far it is, where there is time left."""
        if self._stopping.is_set():
            raise _StoppingError
        with self._database.begin() as connection:
            Computations(connection).reached(version, version.total * part // whole)

    def _take(
        self, version: Version, taking: Taking, *, at_the_gate: Callable[[], object] = lambda: None
    ) -> None:
        """Part the facts: what passes the gate from now on is taken otherwise."""
        with self._database.begin() as connection:
            enter_ledger(connection, self._key, alone=True)
            Computations(connection).take(version, taking)
            at_the_gate()

    def _bring_in(self, version: Version) -> None:
        """Add some of what was kept apart; with the last of it the version serves."""
        most = self._bringing.size
        with self._database.begin() as connection:
            # Beside whoever adds, for this adds too; not beside corrections, which look at what there is.
            enter_ledger(connection, self._key, alone=False)
            many = self._bringing.time(lambda: bring_in(connection, version.kept, most))
            if many < most:
                Computations(connection).serve(version)
        if many < most:
            self._cache.refresh()

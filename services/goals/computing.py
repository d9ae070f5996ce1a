"""Computes the values of new metric versions from the facts there are: in the background, resumably.

A version's counter takes in every fact recorded after it was defined. What was recorded before is computed in batches
of people, each in a transaction that has the ledger's gate alone: so a batch is exact, and nobody waits longer than it
takes. Until the last batch the version before goes on serving.
"""

import threading
import time
from typing import Final

from sqlalchemy import Connection

from chassis.database import Database
from chassis.logs import logger
from services.goals.store.counting import rebuild
from services.goals.store.library import LibraryCache, Versions
from services.goals.store.recording import enter_ledger, gate_key

# Writers wait for a batch, and are not to wait for 100 ms: its size follows the time that the last one took.
_FIRST_BATCH: Final = 20
_LARGEST_BATCH: Final = 2_000
_BATCH_SECONDS: Final = 0.04
_POLL_SECONDS: Final = 0.5
_SICK_AFTER: Final = 20


class Computer:
    """A thread that computes what waits, and keeps the copy of the library fresh.

    Of several processes each takes the next batch in turn: the gate lets one in at a time.
    """

    def __init__(self, database: Database, cache: LibraryCache) -> None:
        self._database = database
        self._cache = cache
        self._key = gate_key(database.schema)
        self._batch = _FIRST_BATCH
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._failures = 0

    def start(self) -> None:
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="metric-computing", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish the batch at hand."""
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
                while not self._stopping.is_set() and self._step():
                    pass
                self._failures = 0
            except Exception as error:  # noqa: BLE001  whatever goes wrong, what waits is still there to be tried again
                self._failures += 1
                logger(__name__).warning("computing_failed", error=type(error).__name__, exc_info=error)
            self._wake.wait(_POLL_SECONDS)

    def _step(self) -> bool:
        """Compute the next batch; whether there was one."""
        with self._database.read() as connection:
            if Versions(connection).waiting() is None:
                return False
        with self._database.begin() as connection:
            enter_ledger(connection, self._key, alone=True)
            began = time.monotonic()
            more = self._compute(connection)
            took = time.monotonic() - began
        pace = _BATCH_SECONDS / max(took, 0.001)
        self._batch = min(max(int(self._batch * min(max(pace, 0.5), 2)), 1), _LARGEST_BATCH)
        if not more:
            self._cache.refresh()
        return True

    def _compute(self, connection: Connection) -> bool:
        """Of the version that waits longest, the next people; whether any are left of it."""
        versions = Versions(connection)
        found = versions.waiting()
        if found is None:
            return False
        version, after = found
        people = versions.next_people(after, self._batch)
        if version.counter is not None and people:
            rebuild(connection, version.counter, people)
            versions.computed(version, after=people[-1], done=len(people))
        if len(people) == self._batch:
            return True
        versions.serve(version)
        versions.changed()
        return False

"""Computes statements anew that a plan or a move made stale: in the background, in small batches, resumably."""

import gc
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from chassis.database import Database
from chassis.logs import logger
from services.incentives.ahead import HELD_SECONDS, Ahead
from services.incentives.calculating import Calculator
from services.incentives.store.catalogue import is_waited_for
from services.incentives.store.ledger import is_waiting

_FEWEST, _FIRST, _MOST = 20, 100, 800
"""People per transaction: as many as fit into that time on this machine, as busy as it is just now."""
# Whoever waits for a row is woken when it is free, and finds it taken by whoever asks again at once. So those who wait
# go first, as long as it takes them to get a core; but one that is stuck must not hold up everybody's amounts.
_LOOK_SECONDS, _GIVE_WAY_SECONDS = 0.002, 0.1
_POLL_SECONDS: Final = 0.2
_SICK_AFTER: Final = 20


class Recomputer:
    """A thread that empties the queue. Of several processes one works at a time, the others find it empty."""

    def __init__(self, database: Database, calculator: Calculator, ahead: Ahead) -> None:
        self._database = database
        self._calculator = calculator
        self._ahead = ahead
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._failures = 0

    def start(self) -> None:
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="recomputing", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def wake(self) -> None:
        """Something was queued; look now."""
        self._wake.set()

    def check(self) -> str | None:
        """For health: a queue that cannot be worked off leaves old amounts standing."""
        return "recomputing statements keeps failing" if self._failures >= _SICK_AFTER else None

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                self._empty()
                self._failures = 0
            except Exception as error:  # noqa: BLE001  whatever goes wrong, the queue is still there to be tried again
                self._failures += 1
                logger(__name__).warning("recompute_failed", error=type(error).__name__, exc_info=error)
            self._wake.wait(_POLL_SECONDS)

    def _empty(self) -> None:
        with self._database.look() as connection:
            waiting = is_waiting(connection)
        if waiting:
            with _old_objects_left_alone():
                self._work_off()

    def _work_off(self) -> None:
        waiting, goes_ahead, people = True, True, _FIRST
        while waiting and not self._stopping.is_set():
            if goes_ahead:
                goes_ahead = self._ahead.work_off(self._give_way, self._stopping.is_set)
            began = time.monotonic()
            with self._database.begin() as connection:
                waiting = self._calculator.renew(connection, people)
                waited_for = is_waited_for(connection)
            took = time.monotonic() - began
            people = max(_FEWEST, min(_MOST, 2 * people, int(people * HELD_SECONDS / max(took, 0.001))))
            if waited_for:
                self._give_way()

    def _give_way(self) -> None:
        until = time.monotonic() + _GIVE_WAY_SECONDS
        waited_for = True
        while waited_for and time.monotonic() < until:
            self._stopping.wait(_LOOK_SECONDS)
            with self._database.begin() as connection:
                waited_for = is_waited_for(connection)


@contextmanager
def _old_objects_left_alone() -> Iterator[None]:
    """Not to search what is there already for garbage: that took 50 to 90 ms at a time, with the lock held."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()

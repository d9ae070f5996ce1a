"""A metric whose values are computed step by step, held up before each so that a test can do something meanwhile."""

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final, Self

from foothold.goals.v1 import metrics_pb2
from sqlalchemy import text

from services.goals.domain.definitions import Taking
from services.goals.store.recording import gate_key
from tests.goals.enterprise import Enterprise
from tests.goals.library import STATE, newest, request, wait_for

MOMENTS: Final = ("defined", "counting", "counted", "bringing in", "served")
"""Before the facts are parted; while those from before are counted; when they are; when new ones count in place, and
what was kept apart is still to be added; at the end."""
_TURN: Final = "LOCK TABLE uncounted IN SHARE UPDATE EXCLUSIVE MODE"
_NEXT: Final = "LOCK TABLE uncounted IN ACCESS EXCLUSIVE MODE"
# In this table a pass sets facts down: who makes one of that name meanwhile waits for the other.
_NAME: Final = "CREATE TABLE staged (number integer)"
_GATE: Final = "SELECT pg_advisory_xact_lock_shared({})"
_WAITS: Final = text("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = :kind")
_SOON: Final = 10.0


class Stepwise:
    """Computes a definition's values through the public contract, with locks as the only means of holding it up."""

    def __init__(self, goals: Enterprise, told: metrics_pb2.MetricDefinition, *, replaces: int = 0) -> None:
        self._goals = goals
        self._request = request(told, replaces=replaces)
        self._hr = goals.as_("hr")
        self._name = told.name

    def define(self) -> None:
        """The same request again is no news, but makes the service look at once."""
        self._hr.library.DefineMetric(self._request)

    def through(self, between: Callable[[str], None]) -> None:
        """Define, and call `between` at every moment."""
        with ExitStack() as stack:

            def lock(statement: str) -> "_Lock":
                return stack.enter_context(_Lock(self._goals, statement))

            name, turn = lock(_NAME).wait(), lock(_TURN).wait()
            self.define()
            between("defined")
            turn.release()
            self.define()
            _until(lambda: self._taking() is Taking.APART)
            between("counting")
            counted = lock(_NEXT)
            _until(lambda: self._waits("relation"))
            name.release()
            counted.wait()
            between("counted")
            assert self._taking() is Taking.APART
            gate = lock(_GATE.format(gate_key(self._goals.database.schema))).wait()
            counted.release()
            self.define()
            _until(lambda: self._waits("advisory"))
            parted = lock(_NEXT)
            _until(lambda: self._waits("relation"))
            gate.release()
            parted.wait()
            between("bringing in")
            assert self._taking() is Taking.IN_PLACE
            assert newest(self._hr, self._name).state == STATE.STATE_COMPUTING
        self.define()
        wait_for(self._hr, self._name)
        between("served")

    def _taking(self) -> Taking:
        query = text("SELECT taking FROM metric_version WHERE metric = :metric ORDER BY version DESC LIMIT 1")
        with self._goals.database.read() as connection:
            return Taking(connection.execute(query, {"metric": self._name}).scalar_one())

    def _waits(self, kind: str) -> bool:
        with self._goals.database.read() as connection:
            return bool(connection.execute(_WAITS, {"kind": kind}).scalar_one())


class _Lock:
    """A lock in a transaction of its own, waited for in the background; let go at the end of the block."""

    def __init__(self, goals: Enterprise, statement: str) -> None:
        self._goals = goals
        self._statement = statement
        self._held = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._hold)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def wait(self) -> Self:
        assert self._held.wait(_SOON), f"{self._statement} waits for good"
        return self

    def release(self) -> None:
        self._over.set()
        self._thread.join()

    def _hold(self) -> None:
        with self._goals.database.engine.connect() as connection:
            connection.exec_driver_sql(self._statement)
            self._held.set()
            self._over.wait()
            connection.rollback()


def _until(happened: Callable[[], bool]) -> None:
    until = time.monotonic() + _SOON
    while not happened():
        assert time.monotonic() < until, "it does not come to that"
        time.sleep(0.002)

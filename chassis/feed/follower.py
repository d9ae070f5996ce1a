"""Applies another feed's events exactly once, in order.

The cursor moves in the transaction that has the effect, so that neither can happen without the other, and
its row is locked meanwhile, so that of several replicas one applies an event and the rest see it applied.
"""

import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import grpc
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from chassis import telemetry
from chassis.database import Database
from chassis.logs import logger
from chassis.migrations import Operations

E = TypeVar("E")

_WAIT_SECONDS: Final = 5.0
_BACKOFF_SECONDS: Final = (0.05, 5.0)
_SICK_SECONDS: Final = 10.0
# A feed that answers "nothing" at once, although asked to wait, must not be asked in a tight loop.
_BREATH_SECONDS: Final = 0.05

_ENROL: Final = text("INSERT INTO cursors (name) VALUES (:name) ON CONFLICT DO NOTHING")
_POSITION: Final = text("SELECT position FROM cursors WHERE name = :name")
_HOLD: Final = text("SELECT position FROM cursors WHERE name = :name FOR UPDATE")
_MOVE: Final = text("UPDATE cursors SET position = :position, moved_at = now() WHERE name = :name")


@dataclass(frozen=True)
class Page(Generic[E]):
    """What a fetch brought: (position, event) in order, and the feed's head at that time.

    Beyond `floor` there is no gap; up to it only the newest event of each state may be left.
    """

    events: Sequence[tuple[int, E]]
    head: int
    floor: int = 0


class GapError(RuntimeError):
    """The feed skipped a position; applying what came would lose an event for good."""


def create_cursors(op: Operations) -> None:
    """Make the table of a service's followers, in a migration."""
    op.execute("""
        CREATE TABLE cursors (
            name text PRIMARY KEY,
            position bigint NOT NULL DEFAULT 0,
            moved_at timestamptz NOT NULL DEFAULT now()
        ) WITH (fillfactor = 50)
    """)


class Follower(Generic[E]):
    """A thread that follows one feed.

    `fetch(after, wait_seconds)` asks the feed; `apply(connection, events)` has the effect, and is called
    again with the same events if it or the commit fails; `after_commit()` is told whenever the position has
    moved, whichever replica moved it.
    """

    def __init__(
        self,
        name: str,
        *,
        database: Database,
        fetch: Callable[[int, float], Page[E]],
        apply: Callable[[Connection, Sequence[E]], None],
        after_commit: Callable[[], None] | None = None,
    ) -> None:
        self.name = name
        self._database = database
        self._fetch = fetch
        self._apply = apply
        self._after_commit = after_commit
        self._stopping = threading.Event()
        self._fetching = threading.Event()
        self._thread: threading.Thread | None = None
        self._position = 0
        self._head = 0
        self._failing_since: float | None = None
        self._error: str | None = None

    @property
    def position(self) -> int:
        """The last position whose effect is committed, as far as this process knows."""
        return self._position

    @property
    def head(self) -> int:
        """The feed's last position as last seen."""
        return max(self._head, self._position)

    @property
    def error(self) -> str | None:
        """What stops it just now, an unreachable feed included, without details; None when all is well."""
        return self._error

    def start(self) -> None:
        self._stopping.clear()
        telemetry.observe_lag(
            self._database.schema.removeprefix("foothold_"), self.name, lambda: self.head - self.position
        )
        self._thread = threading.Thread(target=self._run, name=f"follower-{self.name}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish the page at hand. A fetch that waits for news is left behind; its answer is ignored."""
        self._stopping.set()
        thread, self._thread = self._thread, None
        while thread and thread.is_alive() and not self._fetching.is_set():
            thread.join(0.02)

    def check(self) -> str | None:
        """Why events cannot be applied, once that has lasted 10 s; None otherwise. For health.

        A feed that cannot be reached is not reported: this service still serves what it knows.
        """
        since = self._failing_since
        if since is None or time.monotonic() - since < _SICK_SECONDS:
            return None
        return f"following {self.name} is stuck at position {self._position}"

    def _run(self) -> None:
        backoff, longest = _BACKOFF_SECONDS
        enrolled = False
        while not self._stopping.is_set():
            try:
                if not enrolled:
                    self._enrol()
                    enrolled = True
                self._step()
                self._failing_since, self._error = None, None
                backoff = _BACKOFF_SECONDS[0]
            except Exception as error:  # noqa: BLE001  whatever an effect raises, the follower must go on
                if self._stopping.is_set():
                    return
                self._note(error)
                self._stopping.wait(backoff * random.uniform(0.5, 1.0))  # noqa: S311  spread, not secrecy
                backoff = min(backoff * 2, longest)

    def _note(self, error: Exception) -> None:
        told = {"follower": self.name, "position": self._position, "error": type(error).__name__}
        outage = isinstance(error, grpc.RpcError | OperationalError)
        if outage and self._error == type(error).__name__:
            # Once is enough for a neighbour or a database that is away; it says nothing about the events.
            logger(__name__).debug("follower_waits", **told)
        else:
            logger(__name__).warning("follower_failed", **told, exc_info=None if outage else error)
        self._error = type(error).__name__

    def _enrol(self) -> None:
        with self._database.begin() as connection:
            connection.execute(_ENROL, {"name": self.name})
            position = connection.execute(_POSITION, {"name": self.name}).scalar_one()
        self._reached(position)

    def _step(self) -> None:
        asked_at = time.monotonic()
        self._fetching.set()
        try:
            page = self._fetch(self._position, _WAIT_SECONDS)
        finally:
            self._fetching.clear()
        if self._stopping.is_set():
            return
        self._head = page.head
        if not page.events:
            if time.monotonic() - asked_at < _BREATH_SECONDS:
                self._stopping.wait(_BREATH_SECONDS)
            return
        try:
            self._reached(self._take(page))
        except Exception:
            self._failing_since = self._failing_since or time.monotonic()
            raise

    def _take(self, page: Page[E]) -> int:
        """Apply what is new of a page, in one transaction; the position reached."""
        with self._database.begin() as connection:
            held = connection.execute(_HOLD, {"name": self.name}).scalar_one()
            new = [(position, event) for position, event in page.events if position > held]
            expected = held + 1
            for position, _ in new:
                if position != expected and not expected < position <= page.floor + 1:
                    raise GapError(f"{self.name}: position {position} came where {expected} was due")
                expected = position + 1
            if not new:
                return int(held)
            self._apply(connection, [event for _, event in new])
            reached = new[-1][0]
            connection.execute(_MOVE, {"name": self.name, "position": reached})
        return reached

    def _reached(self, position: int) -> None:
        moved = position != self._position
        self._position = position
        if moved and self._after_commit:
            self._after_commit()

"""Gives committed events their positions.

A `bigserial` alone loses events: a lower number can commit after a reader has passed it. A counter row
locked by every writer loses nothing and makes writers queue. So writers only insert, and one thread numbers
what has committed, batch by batch in the order of their ids, under an advisory lock; replicas stand by and take
over.
"""

import threading
import time
import zlib
from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from chassis.database import Database
from chassis.errors import Unavailable
from chassis.logs import logger

# How often to look for what other processes committed: while events come, and when all has been quiet for a
# while. Four services that look twenty times a second cost a laptop a tenth of a core for nothing.
_POLL_SECONDS: Final = (0.05, 0.25)
_QUIET_AFTER_SECONDS: Final = 2.0
_MOST_BATCHES: Final = 1_000
_LATE_SECONDS: Final = 5.0
_BACKOFF_SECONDS: Final = (0.1, 0.5)

_PEEK: Final = text("""
SELECT position, EXISTS (SELECT 1 FROM outbox_batch WHERE first_position IS NULL) FROM outbox_head
""")
_LOCK: Final = text("SELECT pg_try_advisory_xact_lock(:key)")
# Numbering is a statement of its own: its snapshot must be younger than the lock, or it numbers batches again.
# Their ids go through an array, so that they are looked up by index however large the table is.
_NUMBER: Final = text("""
WITH waiting AS (
    SELECT id, size, sum(size) OVER (ORDER BY id) - size AS before
    FROM (SELECT id, size FROM outbox_batch WHERE first_position IS NULL ORDER BY id LIMIT :limit) AS first
), batches AS MATERIALIZED (
    SELECT array_agg(id) AS ids, array_agg(before) AS before, count(*) AS count, coalesce(sum(size), 0) AS events
    FROM waiting
), head AS (
    UPDATE outbox_head SET position = position + batches.events FROM batches
    RETURNING position, position - batches.events AS last
), numbered AS (
    UPDATE outbox_batch SET first_position = head.last + 1 + batch.before
    FROM head, batches, unnest(batches.ids, batches.before) AS batch (id, before)
    WHERE outbox_batch.id = batch.id
)
SELECT head.position, batches.count FROM head, batches
""")


class Sequencer:
    """A thread that numbers new events and lets readers wait for them.

    It wakes by itself after every commit that published through the same `Database`; what other processes
    commit it finds within 50 ms, or within 250 ms when no event came for two seconds.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._key = zlib.crc32(f"foothold sequencer {database.schema}".encode())
        self._moved = threading.Condition()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._head = 0
        self._released = False
        self._seen_at = time.monotonic()
        self._moved_at = self._seen_at
        database.on_publish(self.wake)

    @property
    def head(self) -> int:
        """The last position given, as far as this process knows."""
        return self._head

    @property
    def stopping(self) -> bool:
        """Whether it will end soon; nothing is worth waiting for then."""
        return self._released

    def start(self) -> None:
        self._stopping.clear()
        self._released = False
        self._seen_at = time.monotonic()
        self._thread = threading.Thread(
            target=self._run, name=f"sequencer-{self._database.schema}", daemon=True
        )
        self._thread.start()

    def release(self) -> None:
        """Send everybody home who waits, and let nobody wait any more; go on numbering until `stop`."""
        with self._moved:
            self._released = True
            self._moved.notify_all()

    def stop(self) -> None:
        """Release the waiters and finish the batch at hand."""
        self.release()
        self._stopping.set()
        self._wake.set()
        if self._thread:
            self._thread.join()
            self._thread = None

    def wake(self) -> None:
        """Something was committed; look now rather than at the next poll."""
        self._wake.set()

    def wait_beyond(self, position: int, seconds: float) -> None:
        """Return when the head is beyond `position`, or after `seconds`, or when the sequencer stops."""
        with self._moved:
            self._moved.wait_for(lambda: self._head > position or self._released, timeout=seconds)

    def check(self) -> str | None:
        """None while positions are being given, else why not. For health."""
        late = time.monotonic() - self._seen_at
        return f"no event has been sequenced for {late:.0f} s" if late > _LATE_SECONDS else None

    def _run(self) -> None:
        backoff, longest = _BACKOFF_SECONDS
        woken = False
        while not self._stopping.is_set():
            try:
                pause = self._advance(told=woken)
                backoff = _BACKOFF_SECONDS[0]
            except (SQLAlchemyError, Unavailable) as error:
                logger(__name__).warning(
                    "sequencer_failed", schema=self._database.schema, error=type(error).__name__
                )
                pause, backoff = backoff, min(backoff * 2, longest)
                self._stopping.wait(pause)
                continue
            woken = self._wake.wait(pause)
            if woken:
                self._wake.clear()

    def _advance(self, *, told: bool) -> float:
        """Number what waits; how long to sleep at most before the next look."""
        waiting = told
        if not told:
            with self._database.look() as connection:
                head, waiting = connection.execute(_PEEK).one()
            self._reached(head)
        while waiting and not self._stopping.is_set():
            with self._database.begin() as connection:
                if not connection.execute(_LOCK, {"key": self._key}).scalar():
                    # Another process is numbering them at this very moment.
                    return 0.002
                head, count = connection.execute(_NUMBER, {"limit": _MOST_BATCHES}).one()
            self._reached(head)
            waiting = count == _MOST_BATCHES
        busy, quiet = _POLL_SECONDS
        return quiet if self._seen_at - self._moved_at > _QUIET_AFTER_SECONDS else busy

    def _reached(self, head: int) -> None:
        self._seen_at = time.monotonic()
        if head != self._head:
            self._moved_at = self._seen_at
            with self._moved:
                # Not only upwards: a database restored from a backup starts again from where it was.
                self._head = head
                self._moved.notify_all()

"""What a FeedService's ListEvents does: wait for news, then read a page."""

import threading
import time
from collections.abc import Callable
from typing import Final, NamedTuple

from chassis import deadline
from chassis.database import Database
from chassis.errors import InvalidArgument, ResourceExhausted
from chassis.feed.outbox import StoredEvent, read_events, read_extent, require_within
from chassis.feed.sequencer import Sequencer

LONGEST_WAIT: Final = 30.0
DEFAULT_PAGE: Final = 500
LARGEST_PAGE: Final = 2_000
# A slice of waiting; between slices a caller that hung up is noticed.
_SLICE_SECONDS: Final = 1.0
# The answer has to reach the caller before the caller's deadline does.
_ANSWER_SECONDS: Final = 0.2


class FeedPage(NamedTuple):
    """Events in order, the feed's last position when they were read, and up to where positions may be missing."""

    events: list[StoredEvent]
    head: int
    floor: int


class FeedReader:
    """Reads pages of one feed. At most `waiters` callers wait at a time: each holds a server thread."""

    def __init__(self, database: Database, sequencer: Sequencer, *, waiters: int = 16) -> None:
        self._database = database
        self._sequencer = sequencer
        self._waiters = waiters
        self._waiting = 0
        self._lock = threading.Lock()

    @property
    def waiting(self) -> int:
        """How many callers wait just now."""
        return self._waiting

    def page(
        self,
        *,
        after: int,
        wait: float = 0.0,
        page_size: int = 0,
        compacted: bool = False,
        active: Callable[[], bool] | None = None,
    ) -> FeedPage:
        """The events after position `after`, waiting up to `wait` seconds (at most 30) for the first.

        `page_size` 0 means 500; more than 2000 is read as 2000. `compacted`: of old events the newest of each
        state will do. `active` is the call's `context.is_active`. INVALID_ARGUMENT FIELD_INVALID for negative
        values; OUT_OF_RANGE FEED_POSITION_EXPIRED or FEED_POSITION_UNKNOWN; RESOURCE_EXHAUSTED TOO_MANY_WAITERS.
        """
        negative = {
            name: "must not be negative"
            for name, value in (("after_position", after), ("wait", wait), ("page_size", page_size))
            if value < 0
        }
        if negative:
            raise InvalidArgument("FIELD_INVALID", "the request has invalid fields", fields=negative)
        if after == self._sequencer.head and wait > 0:
            self._wait(after, min(wait, deadline.limit(LONGEST_WAIT) - _ANSWER_SECONDS), active)
        with self._database.read() as connection:
            extent = read_extent(connection)
            require_within(extent, after, compacted=compacted)
            if after == extent.head:
                return FeedPage([], extent.head, extent.floor)
            limit = min(page_size or DEFAULT_PAGE, LARGEST_PAGE)
            events = read_events(connection, after=after, limit=limit)
            return FeedPage(events, extent.head, extent.floor)

    def _wait(self, after: int, seconds: float, active: Callable[[], bool] | None) -> None:
        with self._lock:
            if self._waiting >= self._waiters:
                raise ResourceExhausted("TOO_MANY_WAITERS", "too many callers are waiting for this feed")
            self._waiting += 1
        try:
            until = time.monotonic() + seconds
            while self._sequencer.head == after and (left := until - time.monotonic()) > 0:
                self._sequencer.wait_beyond(after, min(left, _SLICE_SECONDS))
                if self._sequencer.stopping or (active is not None and not active()):
                    return
        finally:
            with self._lock:
                self._waiting -= 1

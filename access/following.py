"""Following identity's feed: with a database (`follow_identity`), and without one (`MemoryReplica`)."""

import random
import threading
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import grpc
from foothold.identity.v1 import feed_pb2, feed_pb2_grpc
from google.protobuf.duration_pb2 import Duration

from access.directory import Directory
from access.replica import Replica
from access.wire import changes_of
from chassis.database import Database
from chassis.feed import Follower, Page
from chassis.logs import logger

_PAGE_SIZE: Final = 1_000
_WAIT_SECONDS: Final = 5.0
# On top of the time the answer may wait for news.
_ANSWER_SECONDS: Final = 10.0
_BACKOFF_SECONDS: Final = (0.1, 5.0)


def follow_identity(
    replica: Replica, *, database: Database, channel: grpc.Channel
) -> Follower[feed_pb2.Event]:
    """The follower that keeps `replica` up with identity. `channel` carries this component's token."""
    stub = feed_pb2_grpc.FeedServiceStub(channel)

    def fetch(after: int, wait: float) -> Page[feed_pb2.Event]:
        return _page(_list(stub, after, wait))

    return Follower(
        "identity", database=database, fetch=fetch, apply=replica.apply, after_commit=replica.refresh
    )


class Listener(Protocol):
    """Whoever wants to know what a `MemoryReplica` hears. Called in its thread; must not raise."""

    def take(self, events: Sequence[feed_pb2.Event], update: Callable[[], None]) -> None:
        """News, once the whole feed has been read: call `update`; the directory is as before until then."""

    def answered(self, *, well: bool) -> None:
        """Identity was asked, and answered well or not."""


class MemoryReplica:
    """The directory of a process without a database: replays identity's feed from the beginning."""

    def __init__(self, channel: grpc.Channel) -> None:
        self.directory = Directory()
        self._stub = feed_pb2_grpc.FeedServiceStub(channel)
        self._stopping = threading.Event()
        self._caught_up = threading.Event()
        self._lost = False
        self._thread: threading.Thread | None = None
        self._listener: Listener | None = None

    @property
    def position(self) -> int:
        """The position the directory stands at."""
        return self.directory.version

    def listen(self, listener: Listener) -> None:
        """Tell it from now on what is heard; before `start`."""
        self._listener = listener

    def start(self) -> None:
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="directory", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop after the page at hand. A fetch that waits for news is left behind; its answer is ignored."""
        self._stopping.set()

    def wait(self, seconds: float) -> bool:
        """Wait until the whole feed has been read once; whether it has."""
        return self._caught_up.wait(seconds)

    def check(self) -> str | None:
        """For health."""
        if self._lost:
            return "identity's feed does not go on where this process left off: restart it"
        return None if self._caught_up.is_set() else "identity's feed has not been read yet"

    def _run(self) -> None:
        backoff, longest = _BACKOFF_SECONDS
        while not self._stopping.is_set():
            try:
                answer = _list(self._stub, self.directory.version, _WAIT_SECONDS)
            except (grpc.RpcError, ValueError) as error:
                if self._stopping.is_set():
                    return
                # After a restore from a backup identity no longer knows what it told us since.
                self._lost = _code(error) is grpc.StatusCode.OUT_OF_RANGE
                logger(__name__).warning("identity_unreachable", error=type(error).__name__, lost=self._lost)
                if self._listener is not None:
                    self._listener.answered(well=False)
                self._stopping.wait(backoff * random.uniform(0.5, 1.0))  # noqa: S311  spread, not secrecy
                backoff = min(backoff * 2, longest)
                continue
            backoff, self._lost = _BACKOFF_SECONDS[0], False
            if self._stopping.is_set():
                return
            if answer.events:
                self._take(answer.events)
            if self._listener is not None:
                self._listener.answered(well=True)
            if self.directory.version >= answer.head_position:
                self._caught_up.set()

    def _take(self, events: Sequence[feed_pb2.Event]) -> None:
        def update() -> None:
            self.directory.update(changes_of(events))

        if self._listener is not None and self._caught_up.is_set():
            self._listener.take(events, update)
        else:
            update()


def _code(error: Exception) -> grpc.StatusCode | None:
    return error.code() if isinstance(error, grpc.Call) else None


def _list(stub: feed_pb2_grpc.FeedServiceStub, after: int, wait: float) -> feed_pb2.ListEventsResponse:
    request = feed_pb2.ListEventsRequest(after_position=after, page_size=_PAGE_SIZE, compacted=True)
    request.wait.CopyFrom(Duration(seconds=int(wait), nanos=int(wait % 1 * 1_000_000_000)))
    return stub.ListEvents(request, timeout=wait + _ANSWER_SECONDS)


def _page(answer: feed_pb2.ListEventsResponse) -> Page[feed_pb2.Event]:
    events = [(event.position, event) for event in answer.events]
    return Page(events, answer.head_position, answer.compacted_position)

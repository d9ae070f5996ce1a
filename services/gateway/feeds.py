"""Following the services' feeds, to tell open pages what changed. One thread per feed, from its newest event on.

Identity's is followed by the directory's own replica, which must have taken an event in before a page hears of it.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from typing import Any, Final, Protocol

import grpc
from foothold.goals.v1 import feed_pb2 as goals
from foothold.identity.v1 import feed_pb2 as identity
from foothold.incentives.v1 import feed_pb2 as incentives
from foothold.training.v1 import feed_pb2 as training
from google.protobuf.duration_pb2 import Duration

from access.directory import Directory
from chassis.errors import OutOfRange, from_rpc_error
from chassis.logs import logger
from services.gateway.clients import Clients
from services.gateway.live import Hub, Watch

_WAIT: Final = 10
_PAGE_SIZE: Final = 500
_ANSWER_SECONDS: Final = 5.0
_LATE_AFTER: Final = 4.0
_BACKOFF: Final = (0.2, 2.0)
_SETTLED_AFTER: Final = 2.0


class _Page(Protocol):
    @property
    def events(self) -> Iterable[Any]: ...
    @property
    def head_position(self) -> int: ...


class _Lateness:
    """Tells open pages when a feed has not answered for a while, and when it does again."""

    def __init__(self, name: str, hub: Hub) -> None:
        self._name = name
        self._hub = hub
        self._answered = time.monotonic()
        self.is_late = False

    def note(self, *, well: bool) -> None:
        if well:
            self._answered = time.monotonic()
        is_late = not well and time.monotonic() - self._answered > _LATE_AFTER
        if is_late != self.is_late:
            self.is_late = is_late
            self._hub.late(self._name, is_late=is_late)


class Feed:
    """One service's feed: what its events mean to open pages.

    Pages are told once more of an event that `settles`: not every process of the service goes by it at once.
    """

    def __init__(
        self,
        name: str,
        *,
        hub: Hub,
        fetch: Callable[[int, int, int], _Page],
        meaning: Callable[[Any], Iterator[Watch]],
        settles: Callable[[Any], bool],
    ) -> None:
        self.name = name
        self._hub = hub
        self._fetch = fetch
        self._meaning = meaning
        self._settles = settles
        self._stopping = threading.Event()
        self._position: int | None = None
        self._lateness = _Lateness(name, hub)
        self._thread = threading.Thread(target=self._run, name=f"feed-{name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop after the page at hand; a fetch that waits for news is left behind with its thread."""
        self._stopping.set()

    def check(self) -> str | None:
        """For readiness: None when the feed answers."""
        late = self._lateness.is_late or self._position is None
        return f"{self.name}'s feed is late" if late else None

    def _run(self) -> None:
        pause = _BACKOFF[0]
        while not self._stopping.is_set():
            try:
                self._step()
                pause = _BACKOFF[0]
                self._lateness.note(well=True)
            except grpc.RpcError as error:
                if self._stopping.is_set():
                    return
                failure = from_rpc_error(error)
                if isinstance(failure, OutOfRange):
                    # The service was set back, e.g. restored from a backup: begin at its new end.
                    self._position = None
                    self._hub.tell_all()
                logger(__name__).warning("feed_unreachable", feed=self.name, reason=failure.reason)
                self._lateness.note(well=False)
                self._stopping.wait(pause)
                pause = min(pause * 2, _BACKOFF[1])

    def _step(self) -> None:
        if self._position is None:
            self._position = self._fetch(0, 1, 0).head_position
            return
        page = self._fetch(self._position, _PAGE_SIZE, _WAIT)
        watches: set[Watch] = set()
        settling: set[Watch] = set()
        for event in page.events:
            meant = tuple(self._meaning(event))
            watches.update(meant)
            if self._settles(event):
                settling.update(meant)
            self._position = event.position
        if watches and not self._stopping.is_set():
            self._hub.tell(watches)
        if settling and not self._stopping.is_set():
            self._hub.tell(settling, after=_SETTLED_AFTER)


class DirectoryNews:
    """What the directory's replica hears of identity, told to open pages once the directory has it.

    Where somebody comes from hears of it as well as where they go. The other services follow identity on their own: a
    page that asked one before it knew is told again when it does.
    """

    def __init__(self, hub: Hub, directory: Directory) -> None:
        self._hub = hub
        self._directory = directory
        self._lateness = _Lateness("identity", hub)

    def take(self, events: Sequence[identity.Event], update: Callable[[], None]) -> None:
        """Called by the replica."""
        places = [place for event in events if (place := event.person_changed.id or event.node_changed.id)]
        before = [(self._seen(place), self._probation(place)) for place in places]
        update()
        watches: set[Watch] = set()
        for place, (seen, probation) in zip(places, before, strict=True):
            if probation != self._probation(place):
                # What is asked over probation, and until when.
                watches.add(("progress", place))
            now = self._seen(place)
            # A board shows who is there under which name, and nothing else of a person.
            topics = ("people", "team", "boards") if seen and seen != now else ("people", "team")
            watches.update((topic, node) for node in {*seen[:-1], *now[:-1]} for topic in topics)
        if watches:
            self._hub.tell(watches)
            self._hub.tell(watches, after=_SETTLED_AFTER)

    def answered(self, *, well: bool) -> None:
        """Called by the replica."""
        self._lateness.note(well=well)

    def check(self) -> str | None:
        """For readiness: None when identity's feed answers."""
        return "identity's feed is late" if self._lateness.is_late else None

    def _seen(self, place: str) -> tuple[str, ...]:
        """The nodes above a person or unit and itself, and then what boards show of it; empty when unknown."""
        node, person = self._directory.node(place), self._directory.person(place)
        if node is None:
            return ()
        shown = "left" if person is not None and not person.active else node.name
        return (*self._directory.ancestors(place), shown)

    def _probation(self, place: str) -> tuple[date | None, date | None]:
        person = self._directory.person(place)
        return (person.probation_start, person.probation_end) if person else (None, None)


def _settles(event: Any) -> bool:
    """A process of goals looks for another version of a metric twice a second."""
    return isinstance(event, goals.Event) and event.HasField("metric_changed")


class Meanings:
    """What the events of each service mean to open pages."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def _above(self, topic: str, node_id: str) -> Iterator[Watch]:
        return ((topic, ancestor) for ancestor in self._directory.ancestors(node_id))

    def _below(self, topics: Iterable[str], node_id: str) -> Iterator[Watch]:
        return ((topic, node) for node in self._directory.at_or_below(node_id) for topic in topics)

    def of_goals(self, event: goals.Event) -> Iterator[Watch]:
        if event.HasField("values_changed"):
            person_id = event.values_changed.person_id
            yield "progress", person_id
            yield from self._above("team", person_id)
        elif event.HasField("target_changed"):
            yield from self._below(("progress", "team"), event.target_changed.node_id)
        elif event.HasField("calendar_changed"):
            yield from self._below(("progress", "team"), event.calendar_changed.node_id)
        elif event.HasField("metric_changed"):
            yield from self._below(("progress", "team"), self._directory.root_id)
        elif event.HasField("coaching_task_changed"):
            yield from self._above("coaching", event.coaching_task_changed.person_id)

    def of_incentives(self, event: incentives.Event) -> Iterator[Watch]:
        if event.HasField("statement_changed"):
            person_id = event.statement_changed.person_id
            yield "statement", person_id
            yield from self._above("boards", person_id)
        elif event.HasField("adjustment_changed"):
            yield "statement", event.adjustment_changed.person_id
        elif event.HasField("plan_created"):
            yield from self._below(("statement",), event.plan_created.node_id)

    def of_training(self, event: training.Event) -> Iterator[Watch]:
        if event.HasField("learning_changed"):
            yield from self._above("learning", event.learning_changed.person_id)
        elif event.HasField("course_changed"):
            yield from self._below(("learning",), event.course_changed.node_id)


def _fetching(method: Callable[..., Any], request: Callable[..., Any]) -> Callable[[int, int, int], _Page]:
    def fetch(after: int, size: int, wait: int) -> _Page:
        # What is old is nothing to an open page, and where the feed ends is asked for from the beginning.
        asked = request(after_position=after, page_size=size, wait=Duration(seconds=wait), compacted=True)
        page: _Page = method(asked, timeout=wait + _ANSWER_SECONDS)
        return page

    return fetch


def feeds(clients: Clients, hub: Hub, directory: Directory) -> list[Feed]:
    """The feeds of the services that keep figures; identity's is followed by the directory's replica."""
    meanings = Meanings(directory)
    followed: tuple[
        tuple[str, Callable[..., Any], Callable[..., Any], Callable[[Any], Iterator[Watch]]], ...
    ] = (
        ("goals", clients.goals_feed.ListEvents, goals.ListEventsRequest, meanings.of_goals),
        (
            "incentives",
            clients.incentives_feed.ListEvents,
            incentives.ListEventsRequest,
            meanings.of_incentives,
        ),
        ("training", clients.training_feed.ListEvents, training.ListEventsRequest, meanings.of_training),
    )
    return [
        Feed(name, hub=hub, fetch=_fetching(method, request), meaning=meaning, settles=_settles)
        for name, method, request, meaning in followed
    ]

"""Open pages, and telling them what changed.

A page watches topics at nodes of the org tree: `progress@p1` is one person's progress, `progress@d1`
that of everybody in a department. A signal says only that a topic changed at a node; the page fetches
what it shows again, with the rights its reader has then. What is told twice is therefore harmless, and what
waits for a slow page is a small set of topics, never a growing queue. A page whose reader may no longer see what it
watches is ended, so that it loads again with what is left.

Everything here runs on the event loop; other threads call `tell`, `late` and `stop`.
"""

import asyncio
import secrets
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from access.directory import Directory
from chassis.clock import Clock

SLOW: Final = frozenset({"team", "boards", "people"})
"""Topics that many events touch: told to a page at most once a second."""
_SWEEP_SECONDS: Final = 0.25
_SLOW_SECONDS: Final = 1.0
_HEARTBEAT_SECONDS: Final = 15.0
_REFUSE_AT_ONCE: Final = b"retry: 5000\n\n"
# So many pages are looked at in one sweep when rights may have changed: it must not hold the loop up.
_CHECKED_AT_ONCE: Final = 1_000
_TOO_MANY: Final = (
    b'{"type":"urn:foothold:problem:too-many-pages","title":"Too many live pages","status":429,'
    b'"detail":"This session has as many live pages open as one session may. Close one; this one tries again."}'
)

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Watch = tuple[str, str]


@dataclass(slots=True, eq=False)
class Page:
    """One open page: what it watches, what it has not been told yet."""

    watches: frozenset[Watch]
    person_id: str
    session_id: str
    until: datetime
    may: Callable[[Watch], bool]
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    pending: set[str] = field(default_factory=set)
    lines: list[bytes] = field(default_factory=list)
    closed: bool = False
    slow_again: float = 0.0
    quiet_since: float = 0.0


class Hub:
    """The open pages of this process, found by what they watch."""

    def __init__(self, directory: Directory, *, limit: int, per_session: int, clock: Clock) -> None:
        self._directory = directory
        self._limit = limit
        self._per_session = per_session
        self._clock = clock
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pages: set[Page] = set()
        self._by_watch: dict[Watch, set[Page]] = {}
        self._by_session: Counter[str] = Counter()
        self._checked = directory.version
        self._unchecked: deque[Page] = deque()
        self._late: set[str] = set()
        self._boot = secrets.token_hex(4)
        self._told = 0
        self._stopping = False

    def __len__(self) -> int:
        return len(self._pages)

    # From other threads.

    def tell(self, watches: Iterable[Watch], *, after: float = 0.0) -> None:
        """These topics changed at these nodes; pages are told `after` so many seconds."""
        self._from_outside(self._deliver_later, frozenset(watches), after)

    def tell_all(self) -> None:
        """Everything may have changed."""
        self._from_outside(self._deliver_all)

    def late(self, source: str, *, is_late: bool) -> None:
        """What comes from a service is, or is no longer, late."""
        self._from_outside(self._mark_late, source, is_late)

    def stop(self) -> None:
        """Close every page; browsers come back by themselves."""
        self._from_outside(self._close_all)

    def _from_outside(self, call: Callable[..., None], *arguments: Any) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(call, *arguments)

    # On the loop.

    async def sweep(self) -> None:
        """Until cancelled: what was held back, heartbeats, sessions that ended."""
        self._loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            now, wall = self._loop.time(), self._clock.now()
            self._check_rights()
            for page in tuple(self._pages):
                if self._over(page, wall):
                    self._end(page, b"ended")
                elif page.pending and page.slow_again <= now:
                    page.wake.set()
                elif now - page.quiet_since >= _HEARTBEAT_SECONDS:
                    page.lines.append(b": still here\n\n")
                    page.wake.set()

    def _check_rights(self) -> None:
        """End pages that watch what their reader may no longer see; after a change of anybody's all are looked at."""
        version = self._directory.version
        if not self._unchecked and version != self._checked:
            self._checked = version
            self._unchecked.extend(self._pages)
        for _ in range(min(len(self._unchecked), _CHECKED_AT_ONCE)):
            page = self._unchecked.popleft()
            if not page.closed and not all(map(page.may, page.watches)):
                self._end(page, b"narrowed")

    def _end(self, page: Page, why: bytes) -> None:
        page.lines.append(b"event: " + why + b"\ndata: -\n\n")
        page.closed = True
        page.wake.set()

    def _over(self, page: Page, now: datetime) -> bool:
        person = self._directory.person(page.person_id)
        left = person is not None and not person.active
        return left or page.until <= now or self._directory.session_ended(page.session_id)

    def _deliver(self, watches: frozenset[Watch]) -> None:
        self._told += 1
        for watch in watches:
            for page in self._by_watch.get(watch, ()):
                page.pending.add(watch[0])
                page.wake.set()

    def _deliver_later(self, watches: frozenset[Watch], seconds: float) -> None:
        if seconds:
            asyncio.get_running_loop().call_later(seconds, self._deliver, watches)
        else:
            self._deliver(watches)

    def _deliver_all(self) -> None:
        self._told += 1
        for page in self._pages:
            page.pending.update(topic for topic, _ in page.watches)
            page.wake.set()

    def _mark_late(self, source: str, is_late: bool) -> None:  # noqa: FBT001  handed over by call_soon_threadsafe
        before = bool(self._late)
        (self._late.add if is_late else self._late.discard)(source)
        if bool(self._late) != before:
            for page in self._pages:
                page.lines.append(self._freshness())
                page.wake.set()

    def _freshness(self) -> bytes:
        return b"event: late\ndata: -\n\n" if self._late else b"event: fresh\ndata: -\n\n"

    def _close_all(self) -> None:
        self._stopping = True
        for page in self._pages:
            page.closed = True
            page.wake.set()

    async def serve(self, page: Page, last_event_id: str, receive: Receive, send: Send) -> None:
        """Answer one page's request for as long as it stays open."""
        if self._by_session[page.session_id] >= self._per_session:
            headers = [(b"content-type", b"application/problem+json"), (b"retry-after", b"10")]
            await send({"type": "http.response.start", "status": 429, "headers": headers})
            await send({"type": "http.response.body", "body": _TOO_MANY})
            return
        full = len(self._pages) >= self._limit or self._stopping
        await send(
            {
                "type": "http.response.start",
                "status": 503 if full else 200,
                "headers": [
                    (b"content-type", b"text/event-stream; charset=utf-8"),
                    (b"cache-control", b"no-store"),
                    (b"x-accel-buffering", b"no"),
                    (b"x-content-type-options", b"nosniff"),
                ],
            }
        )
        if full:
            await send({"type": "http.response.body", "body": _REFUSE_AT_ONCE})
            return
        gone = asyncio.ensure_future(self._until_gone(page, receive))
        self._open(page, last_event_id)
        try:
            while not page.closed:
                await page.wake.wait()
                page.wake.clear()
                body = self._take(page)
                if body:
                    await send({"type": "http.response.body", "body": body, "more_body": True})
            body = b"".join(page.lines)
            await send({"type": "http.response.body", "body": body, "more_body": False})
        except (OSError, RuntimeError):
            # The browser closed the page while it was being written to.
            pass
        finally:
            self._close(page)
            gone.cancel()

    async def _until_gone(self, page: Page, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        page.closed = True
        page.wake.set()

    def _open(self, page: Page, last_event_id: str) -> None:
        page.quiet_since = asyncio.get_running_loop().time()
        page.lines.append(b"retry: 2000\n" + self._id() + self._freshness())
        if last_event_id and last_event_id != f"{self._boot}-{self._told}":
            # It was away while something was told, here or at a process before this one.
            page.pending.update(topic for topic, _ in page.watches)
        page.wake.set()
        self._pages.add(page)
        self._by_session[page.session_id] += 1
        for watch in page.watches:
            self._by_watch.setdefault(watch, set()).add(page)

    def _close(self, page: Page) -> None:
        self._pages.discard(page)
        self._by_session[page.session_id] -= 1
        if not self._by_session[page.session_id]:
            del self._by_session[page.session_id]
        for watch in page.watches:
            watching = self._by_watch.get(watch)
            if watching is not None:
                watching.discard(page)
                if not watching:
                    del self._by_watch[watch]

    def _take(self, page: Page) -> bytes:
        now = asyncio.get_running_loop().time()
        due = page.pending - SLOW
        if page.slow_again <= now and page.pending & SLOW:
            due = set(page.pending)
            page.slow_again = now + _SLOW_SECONDS
        page.pending -= due
        lines, page.lines = page.lines, []
        if due:
            lines.append(self._id() + b"event: changed\ndata: " + " ".join(sorted(due)).encode() + b"\n\n")
        if lines:
            page.quiet_since = now
        return b"".join(lines)

    def _id(self) -> bytes:
        return f"id: {self._boot}-{self._told}\n".encode()

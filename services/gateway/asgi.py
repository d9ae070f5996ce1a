"""The ASGI application: `GET /live` on the event loop, everything else in Flask on a bounded pool of threads."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final, cast

from a2wsgi import WSGIMiddleware
from flask import Flask
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from starlette.types import Message, Receive, Scope, Send

from access.directory import Directory
from services.gateway.live import Hub, Page, Watch
from services.gateway.me import Me
from services.gateway.session import Sessions

# What a page must be allowed to read where it watches. Boards are there for every member of their node.
TOPICS: Final = {
    "progress": "goals.progress.read",
    "team": "goals.progress.read",
    "coaching": "goals.coaching.read",
    "statement": "incentives.statements.read",
    "boards": "incentives.boards.read",
    "learning": "training.learning.read",
    "people": "identity.people.read",
}
_MOST_WATCHES: Final = 40


class Live:
    """`GET /live?watch=progress@p1,team@d1`: server-sent events for one open page."""

    def __init__(self, hub: Hub, sessions: Sessions, directory: Directory, *, cookie: str) -> None:
        self._hub = hub
        self._sessions = sessions
        self._directory = directory
        self._cookie = cookie

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        session = self._sessions.open(_cookie(request.headers.get("cookie", ""), self._cookie))
        person = self._directory.person(session.person_id) if session else None
        if (
            session is None
            or person is None
            or not person.active
            or self._directory.session_ended(session.session_id)
        ):
            # 204 tells an EventSource to stop asking.
            await PlainTextResponse("", 204)(scope, receive, send)
            return
        me = Me(person, session.session_id, self._directory)
        watches = frozenset(
            watch for watch in _asked(request.query_params.get("watch", "")) if self._may(me, watch)
        )
        page = Page(
            watches, me.id, session.session_id, session.refresh_until, lambda watch: self._may(me, watch)
        )
        await self._hub.serve(page, request.headers.get("last-event-id", ""), receive, send)

    def _may(self, me: Me, watch: Watch) -> bool:
        topic, node_id = watch
        permission = TOPICS.get(topic)
        if permission is None:
            return False
        return me.is_member(permission, node_id) if topic == "boards" else me.covers(permission, node_id)


def _cookie(header: str, name: str) -> str | None:
    try:
        found = SimpleCookie(header).get(name)
    except CookieError:
        return None
    return found.value if found else None


def _asked(text: str) -> list[Watch]:
    pairs = (part.partition("@") for part in text.split(",")[:_MOST_WATCHES])
    return [(topic, node) for topic, _, node in pairs if topic and node]


def application(flask: Flask, hub: Hub, live: Live, *, threads: int) -> Starlette:
    """The whole: `/live` beside Flask."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        sweeping = asyncio.ensure_future(hub.sweep())
        # One turn of the loop, so that the hub knows its loop before the first page opens.
        await asyncio.sleep(0)
        yield
        sweeping.cancel()

    # Two packages write the same protocols down with different types.
    threaded: Any = WSGIMiddleware(cast("Any", flask.wsgi_app), workers=threads)

    async def pages(scope: Scope, receive: Receive, send: Send) -> None:
        async def received() -> Message:
            # Granian's is awaitable but no coroutine, which a2wsgi asks for.
            return await receive()

        await threaded(scope, received, send)

    return Starlette(
        routes=[Route("/live", live, methods=["GET"]), Mount("/", pages)],
        lifespan=lifespan,
    )

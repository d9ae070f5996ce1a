"""Puts the gateway together: the only place that wires."""

import asyncio
import socket
import threading
import time
from typing import Final

from flask import Flask
from granian.constants import Interfaces
from granian.server.embed import Server
from starlette.types import ASGIApp

from access import MemoryReplica
from access.tokens import TokenVerifier, load_public
from chassis.clock import Clock, SystemClock
from services.gateway.asgi import Live, application
from services.gateway.clients import Clients
from services.gateway.feeds import DirectoryNews, feeds
from services.gateway.live import Hub
from services.gateway.parts import Parts, session_cookie
from services.gateway.session import Sessions
from services.gateway.settings import Settings
from services.gateway.signing_in import exchange
from services.gateway.titles import Titles
from services.gateway.web import create_app

__all__ = ["Gateway", "Settings", "build"]

_START_SECONDS: Final = 15.0
_BACKLOG: Final = 4096


class Gateway:
    """The running gateway: granian's embedded server on an event loop in a thread of its own."""

    def __init__(self, app: ASGIApp, flask: Flask, *, address: str, parts: Parts, hub: Hub) -> None:
        host, _, port = address.rpartition(":")
        self.flask = flask
        self.parts = parts
        self.hub = hub
        self.feeds = feeds(parts.clients, hub, parts.replica.directory)
        news = DirectoryNews(hub, parts.replica.directory)
        parts.replica.listen(news)
        parts.checks.extend((news.check, *(feed.check for feed in self.feeds)))
        self._host = host.strip("[]")
        self.port = int(port)
        self._app = app
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: Server | None = None
        self._thread = threading.Thread(target=self._run, name="gateway", daemon=True)

    def start(self) -> int:
        """Listen, and return the port. RuntimeError when the address cannot be taken."""
        self.parts.replica.start()
        for feed in self.feeds:
            feed.start()
        self.port = self.port or _free_port(self._host)
        if self._accepts():
            raise RuntimeError(f"somebody else listens on {self._host}:{self.port}")
        self._thread.start()
        until = time.monotonic() + _START_SECONDS
        while not self._accepts():
            if not self._thread.is_alive() or time.monotonic() > until:
                raise RuntimeError(f"the gateway cannot listen on {self._host}:{self.port}")
            time.sleep(0.02)
        return self.port

    def stop(self, grace: float = 5.0) -> None:
        """Close live pages, finish what is being answered, then let go of the services."""
        self.parts.stopping = True
        for feed in self.feeds:
            feed.stop()
        self.parts.replica.stop()
        self.hub.stop()
        if self._loop is not None and self._server is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._server.stop)
        self._thread.join(grace)
        self.parts.clients.close()

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._server = server = Server(
            self._app,
            address=self._host,
            port=self.port,
            interface=Interfaces.ASGI,
            backlog=_BACKLOG,
            # How many requests may be in work: every live page is one of them.
            backpressure=self.parts.settings.live_pages + _BACKLOG,
            websockets=False,
            log_enabled=False,
        )
        await server.serve()

    def _accepts(self) -> bool:
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self._host, self._host)  # noqa: S104  compared, not bound
        try:
            with socket.create_connection((host, self.port), timeout=1):
                return True
        except OSError:
            return False


def _free_port(host: str) -> int:
    """A port nobody has just now. Granian tells no port back, so it cannot be left to the system."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
    return port


def build(settings: Settings, *, clock: Clock | None = None) -> Gateway:
    """The gateway, ready to start."""
    clock = clock or SystemClock()
    clients = Clients(settings)
    verifier = TokenVerifier(load_public(settings.verifying_keys), clock=clock)
    replica = MemoryReplica(clients.feed_channels["identity"])
    sessions = Sessions(
        settings.cookie_secret.get_secret_value(),
        exchange=lambda refresh: exchange(clients, sessions, refresh),
        verifier=verifier,
        clock=clock,
    )
    hub = Hub(
        replica.directory,
        limit=settings.live_pages,
        per_session=settings.live_pages_per_session,
        clock=clock,
    )
    parts = Parts(
        settings=settings,
        clients=clients,
        replica=replica,
        sessions=sessions,
        titles=Titles(clients.library),
        clock=clock,
    )
    live = Live(hub, sessions, replica.directory, cookie=session_cookie(settings))
    flask = create_app(parts)
    app = application(flask, hub, live, threads=settings.threads)
    return Gateway(app, flask, address=settings.listen, parts=parts, hub=hub)

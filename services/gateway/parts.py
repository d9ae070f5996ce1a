"""What views work with, and the person's session in the browser."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date
from typing import TypeVar, cast
from zoneinfo import ZoneInfo

from flask import current_app, g
from werkzeug.wrappers import Response

from access import MemoryReplica
from chassis.clock import Clock
from services.gateway.clients import Clients
from services.gateway.me import me
from services.gateway.session import Session, Sessions
from services.gateway.settings import Settings
from services.gateway.titles import Titles

ResponseT = TypeVar("ResponseT", bound=Response)


@dataclass(slots=True)
class Parts:
    """What views work with."""

    settings: Settings
    clients: Clients
    replica: MemoryReplica
    sessions: Sessions
    titles: Titles
    clock: Clock
    checks: list[Callable[[], str | None]] = field(default_factory=list)
    stopping: bool = False


def parts() -> Parts:
    """The parts of the running application."""
    return cast("Parts", current_app.extensions["foothold"])


def clients() -> Clients:
    """The services, called as the signed-in person."""
    return parts().clients


def today() -> date:
    """Today where the signed-in person works."""
    return parts().clock.now().astimezone(ZoneInfo(me().zone)).date()


def session_cookie(settings: Settings) -> str:
    """The session cookie's name; the __Host- prefix forbids everybody but this very host to set it."""
    return "__Host-foothold" if settings.https else "foothold"


def keep_session(response: ResponseT, session: Session) -> ResponseT:
    """Give the browser the session."""
    settings = parts().settings
    response.set_cookie(
        session_cookie(settings),
        parts().sessions.seal(session),
        expires=session.refresh_until.astimezone(UTC),
        secure=settings.https,
        httponly=True,
        samesite="Lax",
        path="/",
    )
    return response


def forget_session(response: ResponseT) -> ResponseT:
    """Take the session from the browser."""
    settings = parts().settings
    g.session = None
    response.delete_cookie(
        session_cookie(settings), secure=settings.https, httponly=True, samesite="Lax", path="/"
    )
    return response

"""Who may open which route: data beside each view, deny by default.

A view without a declaration is never routed: `closed` names it and the application refuses to start.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from flask import Flask

View = TypeVar("View", bound=Callable[..., Any])
_DOOR: Final = "__foothold_door__"


@dataclass(frozen=True, slots=True)
class Door:
    """What a route asks of the caller.

    `public`: nothing. Otherwise a signed-in person; with `permission`, one who holds it somewhere; with
    `groups`, on a department, branch or the enterprise; with `own`, on themselves. `upload` is how many bytes may be
    sent where a file may; 0 for as many as to any other page.
    """

    public: bool = False
    permission: str = ""
    groups: bool = False
    own: bool = False
    upload: int = 0


def public(view: View) -> View:
    """Open to everybody."""
    return _declare(view, Door(public=True))


def signed_in(view: View) -> View:
    """Open to every signed-in person."""
    return _declare(view, Door())


def needs(
    permission: str, *, groups: bool = False, own: bool = False, upload: int = 0
) -> Callable[[View], View]:
    """Open to people who hold the permission: anywhere, on a group of people, or on themselves."""
    return lambda view: _declare(view, Door(permission=permission, groups=groups, own=own, upload=upload))


def _declare(view: View, door: Door) -> View:
    setattr(view, _DOOR, door)
    return view


def door_of(app: Flask, endpoint: str) -> Door | None:
    """The route's declaration."""
    found = getattr(app.view_functions.get(endpoint), _DOOR, None)
    return found if isinstance(found, Door) else None


def doors(app: Flask) -> dict[str, Door | None]:
    """Every endpoint with its declaration: what the permission tests are generated from."""
    return {rule.endpoint: door_of(app, rule.endpoint) for rule in app.url_map.iter_rules()}


def closed(app: Flask) -> list[str]:
    """Endpoints without a declaration."""
    return sorted(endpoint for endpoint, door in doors(app).items() if door is None)

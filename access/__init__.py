"""Who is calling, and what they may touch. README.md shows how a handler and a store use it.

A name's module is loaded when the name is first asked for: whoever only makes a token, as a command in a
terminal does, need not wait for the directory's tables and all that reads them.
"""

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from access.callers import Caller, Scope, caller, component
    from access.directory import PLATFORM, Directory
    from access.following import MemoryReplica, follow_identity
    from access.interceptor import PUBLIC, SIGNED_IN, Access, require_rows
    from access.migrations import create_replica
    from access.records import Binding, Kind, Node, Person, Role, ServiceAccount, Status
    from access.replica import Replica
    from access.tokens import CallerKind, TokenIssuer, TokenVerifier, load_private, load_public

__all__ = [
    "PLATFORM",
    "PUBLIC",
    "SIGNED_IN",
    "Access",
    "Binding",
    "Caller",
    "CallerKind",
    "Directory",
    "Kind",
    "MemoryReplica",
    "Node",
    "Person",
    "Replica",
    "Role",
    "Scope",
    "ServiceAccount",
    "Status",
    "TokenIssuer",
    "TokenVerifier",
    "caller",
    "component",
    "create_replica",
    "follow_identity",
    "load_private",
    "load_public",
    "require_rows",
]

_ROOMS: Final = {
    "callers": ("Caller", "Scope", "caller", "component"),
    "directory": ("PLATFORM", "Directory"),
    "following": ("MemoryReplica", "follow_identity"),
    "interceptor": ("PUBLIC", "SIGNED_IN", "Access", "require_rows"),
    "migrations": ("create_replica",),
    "records": ("Binding", "Kind", "Node", "Person", "Role", "ServiceAccount", "Status"),
    "replica": ("Replica",),
    "tokens": ("CallerKind", "TokenIssuer", "TokenVerifier", "load_private", "load_public"),
}
_ROOM_OF: Final = {name: room for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _ROOM_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(importlib.import_module(f"{__name__}.{_ROOM_OF[name]}"), name)
    globals()[name] = found
    return found

"""Who is calling, and what they may touch. README.md shows how a handler and a store use it."""

from access.callers import Caller, Scope, caller
from access.directory import Directory
from access.following import MemoryReplica, follow_identity
from access.interceptor import PUBLIC, SIGNED_IN, Access, require_rows
from access.migrations import create_replica
from access.records import Binding, Kind, Node, Person, Role, ServiceAccount, Status
from access.replica import Replica
from access.tokens import CallerKind, TokenIssuer, TokenVerifier, load_private, load_public

__all__ = [
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
    "create_replica",
    "follow_identity",
    "load_private",
    "load_public",
    "require_rows",
]

"""Who is calling, and what they may touch."""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, or_, select, true
from sqlalchemy.sql.elements import SQLCoreOperations

from access.directory import PLATFORM, Directory
from access.records import Kind
from access.tables import array_of, directory_node
from access.tokens import CallerKind
from chassis.errors import NotFound, PermissionDenied, Unauthenticated

_FEED: Final = ".feed.read"
_READ: Final = ".read"
_NOBODY: Final[frozenset[str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling: a person, a service account, or one of the platform's own processes."""

    id: str
    kind: CallerKind
    directory: Directory
    session_id: str = ""

    @property
    def person_id(self) -> str:
        """The person's id; empty when no person calls."""
        return self.id if self.kind is CallerKind.PERSON else ""

    def holds(self, permission: str) -> bool:
        """Whether the permission is held anywhere."""
        if self.kind is CallerKind.COMPONENT:
            return permission.endswith(_FEED)
        return permission in self.directory.grants(self.id)

    def scope(self, permission: str) -> "Scope":
        """What the caller may touch with the permission. PermissionDenied when it is held nowhere."""
        if self.kind is CallerKind.COMPONENT and permission.endswith(_FEED):
            return Scope(self, permission, _NOBODY, everywhere=True)
        nodes = self.directory.granted_at(self.id, permission)
        if not nodes or self.kind is CallerKind.COMPONENT:
            raise missing(permission)
        root = self.directory.root_id
        if PLATFORM in nodes:
            return Scope(self, permission, frozenset({root} if root else ()), everywhere=True)
        return Scope(self, permission, nodes, everywhere=root in nodes)

    def may(self, permission: str, node_id: str) -> bool:
        """Whether the permission is held on the node."""
        return self.kind is not CallerKind.COMPONENT and self.directory.may(self.id, permission, node_id)


@dataclass(frozen=True, slots=True)
class Scope:
    """One permission of one caller: the nodes it is granted on, and with them all below.

    `everywhere` says that it is granted on the enterprise.
    """

    caller: Caller
    permission: str
    nodes: frozenset[str]
    everywhere: bool = False

    def covers(self, node_id: str) -> bool:
        """Whether the node exists and lies at or below a granted one."""
        return self.caller.directory.covers(self.nodes, node_id)

    def require(self, node_id: str) -> None:
        """Pass when the node is covered.

        NotFound (NODE_UNKNOWN) when the caller may not even see it, PermissionDenied when the caller may.
        """
        if not self.covers(node_id):
            raise self._refusal(node_id, NotFound("NODE_UNKNOWN", "There is no such node."))

    def require_person(self, person_id: str) -> None:
        """Pass when a person of that id exists and is covered.

        NotFound (PERSON_UNKNOWN) when the caller may not even see the person, PermissionDenied when the
        caller may.
        """
        unknown = NotFound("PERSON_UNKNOWN", "There is no such person.")
        if self.caller.directory.person(person_id) is None:
            raise unknown
        if not self.covers(person_id):
            raise self._refusal(person_id, unknown)

    def require_everywhere(self) -> None:
        """Pass when the permission is held on the enterprise, or a component reads a feed."""
        if not self.everywhere:
            raise missing(self.permission)

    def _refusal(self, node_id: str, unknown: NotFound) -> NotFound | PermissionDenied:
        return missing(self.permission) if sees(self.caller, node_id) else unknown

    def people(self) -> frozenset[str] | None:
        """Ids of the people covered, dismissed people included; None for everybody."""
        if self.everywhere:
            return None
        under = self.caller.directory.people_under
        if len(self.nodes) == 1:
            return under(next(iter(self.nodes)))
        return frozenset().union(*(under(node) for node in self.nodes))

    def is_member(self, node_id: str) -> bool:
        """Whether the node is covered, or is an ancestor of a granted one.

        What belongs to such a node (a board, a course) is there for everybody at or below it.
        """
        directory = self.caller.directory
        return self.covers(node_id) or any(node_id in directory.ancestors(node) for node in self.nodes)

    def member_nodes(self) -> frozenset[str]:
        """All nodes for which `is_member` holds. For a wide scope that is many; prefer `is_member`."""
        directory = self.caller.directory
        found: set[str] = set()
        for node in self.nodes:
            found.update(directory.at_or_below(node))
            found.update(directory.ancestors(node))
        return frozenset(found)

    def clause(self, column: SQLCoreOperations[Any]) -> ColumnElement[bool]:
        """Narrows a query to rows whose person or node id in `column` is covered."""
        if self.everywhere:
            return true()
        directory = self.caller.directory
        known = {node_id: directory.node(node_id) for node_id in self.nodes}
        if all(node is not None and node.kind is Kind.PERSON for node in known.values()):
            # Leaves have nothing below them: no look at the tree is needed.
            return column.in_(sorted(known))
        below = select(directory_node.c.id).where(directory_node.c.ancestors.overlap(array_of(self.nodes)))
        return column.in_(below)

    def member_clause(self, column: SQLCoreOperations[Any]) -> ColumnElement[bool]:
        """Narrows a query to rows whose node id in `column` makes `is_member` true."""
        if self.everywhere:
            return true()
        return column.in_(select(directory_node.c.id).where(self.member_rows()))

    def member_rows(self) -> ColumnElement[bool]:
        """The same for a query on the directory's own table of nodes."""
        if self.everywhere:
            return true()
        directory = self.caller.directory
        above = {ancestor for node in self.nodes for ancestor in directory.ancestors(node)}
        columns = directory_node.c
        return or_(columns.id.in_(sorted(above)), columns.ancestors.overlap(array_of(self.nodes)))


def missing(permission: str) -> PermissionDenied:
    """The caller lacks the permission here."""
    return PermissionDenied(
        "PERMISSION_MISSING",
        "You do not have the permission this needs.",
        metadata={"permission": permission},
    )


def sees(caller: Caller, node_id: str) -> bool:
    """Whether the caller holds any `*.read` permission on the node."""
    if caller.kind is CallerKind.COMPONENT:
        return False
    directory = caller.directory
    return any(
        directory.covers(nodes, node_id)
        for permission, nodes in directory.grants(caller.id).items()
        if permission.endswith(_READ)
    )


CALLER: Final[ContextVar[Caller | None]] = ContextVar("caller", default=None)
"""Set by the interceptor at the start of every call, also to None."""


def caller(context: object) -> Caller:  # noqa: ARG001  says that this only works in a call
    """Who is calling. Unauthenticated in a PUBLIC method, unless a process of ours calls."""
    found = CALLER.get()
    if found is None:
        raise Unauthenticated("TOKEN_MISSING", "Sign in first.")
    return found


def component(context: object) -> str:  # noqa: ARG001  as above
    """Which of the platform's own processes is calling, e.g. "gateway"; empty for everybody else."""
    found = CALLER.get()
    return found.id if found is not None and found.kind is CallerKind.COMPONENT else ""

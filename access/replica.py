"""A service's replica of identity's directory: tables in its schema, and the directory in memory."""

import threading
from collections.abc import Callable, Sequence
from typing import Any, Final

from foothold.identity.v1 import feed_pb2
from sqlalchemy import Connection, CursorResult, Row, Table, func, select
from sqlalchemy.exc import SQLAlchemyError

from access.directory import Directory
from access.records import (
    Binding,
    Changes,
    Kind,
    Node,
    Person,
    Role,
    ServiceAccount,
    SessionEnded,
    Status,
)
from access.tables import (
    directory_binding,
    directory_node,
    directory_person,
    directory_position,
    directory_role,
    directory_service_account,
    directory_session_ended,
)
from access.wire import changes_of
from access.writing import write
from chassis.database import Database
from chassis.logs import logger

_POLL_SECONDS: Final = 0.25
_REACHED: Final = select(directory_position.c.position)
_LEAF: Final = int(Kind.PERSON)
_NOT_READ: Final = frozenset({"position"})
_PERSON_COLUMNS: Final = [column.name for column in directory_person.c]
_STATUS: Final = _PERSON_COLUMNS.index("status")
_IN_COMMON: Final = [
    _PERSON_COLUMNS.index(name) for name in ("parent_id", "job_role", "mentor_id", "manager_id")
]

OnChange = Callable[[Connection, Sequence[feed_pb2.Event]], None]


class Replica:
    """Applies identity's events to the tables, and keeps the in-memory `directory` up with them.

    `on_change(connection, events)` is called in the follower's transaction, after the tables are changed
    and before the in-memory directory is: what the service does about, say, a new person commits with it.
    """

    def __init__(self, database: Database, *, on_change: OnChange | None = None) -> None:
        self.directory = Directory()
        self._database = database
        self._on_change = on_change
        self._refreshing = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def position(self) -> int:
        """The position the in-memory directory stands at."""
        return self.directory.version

    def apply(self, connection: Connection, events: Sequence[feed_pb2.Event]) -> None:
        """Write what the events tell, in the follower's transaction."""
        write(connection, changes_of(events))
        if self._on_change is not None:
            self._on_change(connection, events)

    def refresh(self) -> None:
        """Bring the in-memory directory up to what is committed; costs one small read when it is."""
        with self._database.read() as connection:
            self.refresh_from(connection)

    def refresh_from(self, connection: Connection) -> None:
        """The same through a connection at hand, whose statements must all see the same directory."""
        with self._refreshing:
            seen = self.directory.version
            reached = connection.execute(_REACHED).scalar_one()
            if reached > seen:
                self.directory.update(read_changes(connection, after=seen, position=reached))

    def start(self) -> None:
        """Read everything, then keep looking for what other processes of this service commit."""
        self._stopping.clear()
        self._try(self.refresh)
        self._thread = threading.Thread(target=self._poll, name="directory", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def check(self) -> str | None:
        """For health: a directory that knows nothing lets nobody in."""
        return None if self.directory.version else "identity was not heard yet"

    def _poll(self) -> None:
        while not self._stopping.wait(_POLL_SECONDS):
            self._try(self._refresh_where_behind)

    def _refresh_where_behind(self) -> None:
        with self._database.look() as connection:
            reached = connection.execute(_REACHED).scalar_one()
        if reached > self.directory.version:
            self.refresh()

    def _try(self, refresh: Callable[[], None]) -> None:
        try:
            refresh()
        except SQLAlchemyError as error:
            logger(__name__).warning("directory_refresh_failed", error=type(error).__name__)


def read_changes(connection: Connection, *, after: int, position: int) -> Changes:
    """What the tables say changed beyond position `after`, as of the connection's snapshot."""

    def changed(table: Table) -> CursorResult[Any]:
        columns = [column for column in table.c if column.name not in _NOT_READ]
        return connection.execute(select(*columns).where(table.c.position > after))

    changes = Changes(position)
    nodes = directory_node
    tree = select(nodes.c.id, nodes.c.parent_id, nodes.c.kind, nodes.c.name, nodes.c.zone).where(
        nodes.c.position > after, nodes.c.kind != _LEAF
    )
    for id_, parent_id, kind, name, zone in connection.execute(
        tree.order_by(func.cardinality(nodes.c.ancestors), nodes.c.id)
    ):
        changes.nodes.append(Node(id_, parent_id, Kind(kind), name, zone))
    shared: dict[str, str] = {}
    for row in changed(directory_person):
        changes.people.append(_person(row, shared))
    for id_, name, permissions, built_in in changed(directory_role):
        changes.roles.append(Role(id_, name, frozenset(permissions), built_in))
    for id_, role_id, subject_id, node_id, granted_by, created_at, removed in changed(directory_binding):
        if removed:
            changes.bindings_removed.append(id_)
        else:
            changes.bindings.append(
                Binding(id_, shared.setdefault(role_id, role_id), subject_id, node_id, granted_by, created_at)
            )
    changes.sessions_ended.extend(SessionEnded(*row) for row in changed(directory_session_ended))
    changes.service_accounts.extend(ServiceAccount(*row) for row in changed(directory_service_account))
    return changes


def _person(row: Row[Any], shared: dict[str, str]) -> Person:
    """The record of a row; texts that many people have in common are kept once."""
    values = list(row)
    for index in _IN_COMMON:
        values[index] = shared.setdefault(values[index], values[index])
    values[_STATUS] = Status(values[_STATUS])
    return Person(*values)

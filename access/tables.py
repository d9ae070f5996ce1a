"""The directory's tables in a service's own schema: `access.create_replica(op)` makes them.

`position` is the feed position of a row's last change (in identity, whose tables these are first, its own
revision). Every process of a service reads what lies beyond the position it has seen.
"""

from collections.abc import Iterable
from typing import Final

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Boolean,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    bindparam,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import TypeEngine

metadata = MetaData()
_TEXTS: Final[TypeEngine[list[str]]] = ARRAY(Text)  # type: ignore[assignment]  # typed by its items

directory_node = Table(
    "directory_node",
    metadata,
    Column("id", Text, primary_key=True),
    Column("parent_id", Text, nullable=False, comment="empty for the enterprise"),
    Column("kind", SmallInteger, nullable=False, comment="foothold.identity.v1.NodeKind"),
    Column("name", Text, nullable=False),
    Column("zone", Text, nullable=False, comment="IANA zone set here; empty where inherited"),
    Column("effective_zone", Text, nullable=False, comment="the zone in force"),
    Column("ancestors", ARRAY(Text), nullable=False, comment="root first, the node itself last"),
    Column("position", BigInteger, nullable=False),
    Index("directory_node_parent", "parent_id"),
    Index("directory_node_ancestors", "ancestors", postgresql_using="gin"),
    Index("directory_node_position", "position"),
)

directory_person = Table(
    "directory_person",
    metadata,
    Column("id", Text, primary_key=True),
    Column("parent_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("employee_number", Text, nullable=False),
    Column("job_role", Text, nullable=False),
    Column("hire_date", Date),
    Column("probation_start", Date),
    Column("probation_end", Date, comment="inclusive"),
    Column("mentor_id", Text, nullable=False),
    Column("manager_id", Text, nullable=False),
    Column("status", SmallInteger, nullable=False, comment="foothold.identity.v1.PersonStatus"),
    Column("language", Text, nullable=False),
    Column("dismissed_at", DateTime(timezone=True)),
    Column("position", BigInteger, nullable=False),
    Index("directory_person_employee_number", "employee_number"),
    Index("directory_person_position", "position"),
    Index("directory_person_mentor", "mentor_id", postgresql_where=text("mentor_id <> ''")),
)

directory_role = Table(
    "directory_role",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("permissions", ARRAY(Text), nullable=False),
    Column("built_in", Boolean, nullable=False),
    Column("position", BigInteger, nullable=False),
)

directory_binding = Table(
    "directory_binding",
    metadata,
    Column("id", Text, primary_key=True),
    Column("role_id", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("node_id", Text, nullable=False),
    Column("granted_by", Text, nullable=False),
    Column("created_at", DateTime(timezone=True)),
    Column("removed", Boolean, nullable=False),
    Column("position", BigInteger, nullable=False),
    Index("directory_binding_position", "position"),
    Index("directory_binding_subject", "subject_id", postgresql_where=text("NOT removed")),
    Index("directory_binding_node", "node_id", postgresql_where=text("NOT removed")),
)

directory_session_ended = Table(
    "directory_session_ended",
    metadata,
    Column("session_id", Text, primary_key=True),
    Column("person_id", Text, nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("position", BigInteger, nullable=False),
    Index("directory_session_ended_expires", "expires_at"),
    Index("directory_session_ended_position", "position"),
)

directory_service_account = Table(
    "directory_service_account",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("created_at", DateTime(timezone=True)),
    Column("position", BigInteger, nullable=False),
)

directory_position = Table(
    "directory_position",
    metadata,
    Column("singleton", Integer, primary_key=True, comment="always 1: the table has one row"),
    Column("position", BigInteger, nullable=False, comment="everything up to here is in the tables"),
)


def array_of(ids: Iterable[str]) -> BindParameter[list[str]]:
    """Ids as one array parameter."""
    return bindparam(None, sorted(ids), type_=_TEXTS, unique=True)

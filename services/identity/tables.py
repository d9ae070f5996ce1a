"""Identity's tables. The directory's own are those every service replicates; identity writes them first."""

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)

from access.tables import (
    directory_binding,
    directory_node,
    directory_person,
    directory_position,
    directory_role,
    directory_service_account,
)

__all__ = [
    "account",
    "attempt",
    "directory_binding",
    "directory_node",
    "directory_person",
    "directory_position",
    "directory_role",
    "directory_service_account",
    "dismissal",
    "foundation",
    "metadata",
    "refresh_token",
    "session",
]

metadata = MetaData()

account = Table(
    "account",
    metadata,
    Column("person_id", Text, primary_key=True),
    Column("login", Text, unique=True, comment="lower case; null for those who do not sign in"),
    Column("password_hash", Text, comment="Argon2id with its parameters; null without a password"),
    Column("password_changed_at", DateTime(timezone=True)),
)

session = Table(
    "session",
    metadata,
    Column("id", Text, primary_key=True),
    Column("person_id", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("ended_at", DateTime(timezone=True)),
    Index("session_open", "person_id", postgresql_where=text("ended_at IS NULL")),
    Index("session_expires", "expires_at"),
)

refresh_token = Table(
    "refresh_token",
    metadata,
    Column("hash", LargeBinary, primary_key=True, comment="SHA-256; the token itself is not kept"),
    Column("session_id", Text, ForeignKey("session.id", ondelete="CASCADE"), nullable=False),
    Column("used_at", DateTime(timezone=True)),
    Index("refresh_token_session", "session_id"),
)

attempt = Table(
    "attempt",
    metadata,
    Column("key", LargeBinary, primary_key=True, comment="SHA-256 of a sign-in name or an address"),
    Column("tries", Integer, nullable=False),
    Column("last_at", DateTime(timezone=True), nullable=False),
    Index("attempt_last", "last_at"),
)

dismissal = Table(
    "dismissal",
    metadata,
    Column("person_id", Text, primary_key=True),
    Column("actor_id", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)

foundation = Table(
    "foundation",
    metadata,
    Column("laid", Boolean, primary_key=True, comment="always true: the table has one row"),
    Column("version", Integer, nullable=False, comment="of the built-in roles that were written"),
)

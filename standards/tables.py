"""The tables of standards, in the schema of the service that uses them."""

from sqlalchemy import BigInteger, Boolean, Column, Date, DateTime, MetaData, SmallInteger, Table, Text

metadata = MetaData()

standard = Table(
    "standard",
    metadata,
    Column("revision", BigInteger, primary_key=True, comment="of what is known"),
    Column("id", Text, nullable=False, comment="stable over what was known of it"),
    Column("node_id", Text, nullable=False),
    Column("subject", Text, nullable=False, comment="the job role"),
    Column("parameter", Text, nullable=False),
    Column("numerator", BigInteger, nullable=False),
    Column("denominator", BigInteger, nullable=False),
    Column("unit", SmallInteger, nullable=False),
    Column("effective_from", Date, nullable=False),
    Column("effective_to", Date, comment="exclusive"),
    Column("reason", Text, nullable=False),
    Column("author_id", Text, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False, comment="known from"),
    Column("superseded_at", DateTime(timezone=True), comment="known until; null while it is what is known"),
    Column("latitude", SmallInteger, nullable=False, comment="standards.Latitude: what nodes below may do"),
    Column("minimum_numerator", BigInteger),
    Column("minimum_denominator", BigInteger),
    Column("maximum_numerator", BigInteger),
    Column("maximum_denominator", BigInteger),
    Column("approval", Boolean, nullable=False, comment="an override below waits for approval"),
    Column("dated", Boolean, nullable=False, comment="effective_to was given"),
    Column("state", SmallInteger, nullable=False, comment="standards.State"),
    Column("approval_node", Text, nullable=False, comment="whose rule asked for approval; or empty"),
    Column("approver_id", Text, nullable=False, comment="who approved or refused it; or empty"),
    Column("decided_at", DateTime(timezone=True)),
    Column("change", SmallInteger, nullable=False, comment="standards.Change: what made this row"),
    Column("changed_by", Text, nullable=False),
    Column("change_reason", Text, nullable=False),
)

standard_version = Table(
    "standard_version",
    metadata,
    Column("single", Boolean, primary_key=True),
    Column("version", BigInteger, nullable=False, comment="raised with every change, so that copies know"),
    Column("changed_at", DateTime(timezone=True), nullable=False, comment="the last change's recorded_at"),
)

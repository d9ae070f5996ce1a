"""The tables of plans, statements and boards, as the store's queries name them; migrations make them."""

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Date, DateTime, MetaData, SmallInteger, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

_METADATA: Final = MetaData()

plan: Final = Table(
    "plan",
    _METADATA,
    Column("id", Text, primary_key=True),
    Column("node_id", Text, nullable=False),
    Column("job_role", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("period_kind", SmallInteger, nullable=False),
    Column("rules", JSONB, nullable=False, comment="store.rules says how"),
    Column("effective_from", Date, nullable=False),
    Column("reason", Text, nullable=False),
    Column("author_id", Text, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("approved_by", Text, nullable=False, comment="empty where its author alone put it in force"),
    Column("parameters", JSONB, nullable=False, comment="store.parameters says how"),
)

variant: Final = Table(
    "variant",
    _METADATA,
    Column("id", Text, primary_key=True),
    Column("plan_id", Text, nullable=False),
    Column("numbers", JSONB, nullable=False, comment="[[parameter, numerator, denominator], ...]"),
)

proposal: Final = Table(
    "proposal",
    _METADATA,
    Column("id", Text, primary_key=True),
    Column("node_id", Text, nullable=False),
    Column("job_role", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("period_kind", SmallInteger, nullable=False),
    Column("rules", JSONB, nullable=False, comment="store.rules says how"),
    Column("effective_from", Date, nullable=False),
    Column("reason", Text, nullable=False),
    Column("author_id", Text, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("decided_at", DateTime(timezone=True)),
    Column("decision_reason", Text, nullable=False),
    Column("parameters", JSONB, nullable=False, comment="store.parameters says how"),
)

acknowledgement: Final = Table(
    "acknowledgement",
    _METADATA,
    Column("plan_id", Text, primary_key=True),
    Column("person_id", Text, primary_key=True),
    Column("digest", Text, nullable=False, comment="of what was read"),
    Column("acknowledged_at", DateTime(timezone=True), nullable=False),
)

statement: Final = Table(
    "statement",
    _METADATA,
    Column("period_kind", SmallInteger, primary_key=True),
    Column("first_day", Date, primary_key=True),
    Column("person_id", Text, primary_key=True),
    Column("figures", JSONB, nullable=False, comment="base metric -> whole number; no zeros"),
    Column("as_of", DateTime(timezone=True), comment="when the figures last changed"),
    Column("goals_position", BigInteger, nullable=False),
    Column("plan_id", Text, nullable=False, comment="empty where no plan applies"),
    Column("total", BigInteger, nullable=False, comment="minor units"),
    Column("amounts", ARRAY(BigInteger), nullable=False, comment="minor units, in the plan's order of rules"),
)

board: Final = Table(
    "board",
    _METADATA,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("metric", JSONB, nullable=False, comment="store.metrics says how"),
    Column("period_kind", SmallInteger, nullable=False),
    Column("minimum_denominator", BigInteger, nullable=False),
    Column("job_role", Text, nullable=False),
    Column("measure", SmallInteger, nullable=False),
    Column("tenure_from", SmallInteger, nullable=False, comment="months, 0 is open"),
    Column("tenure_to", SmallInteger, nullable=False, comment="months, 0 is open"),
    Column("ended", Boolean, nullable=False),
    Column("honour", Text, nullable=False, comment="what whoever is first is called; empty for nothing"),
)

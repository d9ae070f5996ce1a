"""The tables of standards as steps for a service's own revisions. A step is never edited once released."""

from typing import Final, Protocol


class Operations(Protocol):
    """What is used of `alembic.op`."""

    def execute(self, sqltext: str, /) -> None: ...


_STEP_1: Final = (
    """
    CREATE TABLE standard (
        revision bigserial PRIMARY KEY,
        id text NOT NULL,
        node_id text NOT NULL,
        subject text NOT NULL,
        parameter text NOT NULL,
        numerator bigint NOT NULL,
        denominator bigint NOT NULL CHECK (denominator > 0),
        unit smallint NOT NULL,
        effective_from date NOT NULL,
        effective_to date CHECK (effective_to >= effective_from),
        reason text NOT NULL,
        author_id text NOT NULL,
        recorded_at timestamptz NOT NULL,
        superseded_at timestamptz
    )
    """,
    "CREATE UNIQUE INDEX standard_known ON standard (id) WHERE superseded_at IS NULL",
    """
    CREATE INDEX standard_place ON standard (node_id, subject, parameter, effective_from)
     WHERE superseded_at IS NULL
    """,
    "CREATE TABLE standard_version (single boolean PRIMARY KEY DEFAULT true CHECK (single), version bigint NOT NULL)",
    "INSERT INTO standard_version (version) VALUES (0)",
)


def create_standards(op: Operations) -> None:
    """Make the tables; called with `alembic.op` in a service's revision."""
    for statement in _STEP_1:
        op.execute(statement)

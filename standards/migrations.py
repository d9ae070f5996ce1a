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

# Defaults, so that a process of the version before goes on while this one starts.
_STEP_2: Final = (
    """
    ALTER TABLE standard
        ADD COLUMN latitude smallint NOT NULL DEFAULT 1,
        ADD COLUMN minimum_numerator bigint,
        ADD COLUMN minimum_denominator bigint CHECK (minimum_denominator > 0),
        ADD COLUMN maximum_numerator bigint,
        ADD COLUMN maximum_denominator bigint CHECK (maximum_denominator > 0),
        ADD COLUMN approval boolean NOT NULL DEFAULT false,
        ADD COLUMN dated boolean NOT NULL DEFAULT false,
        ADD COLUMN state smallint NOT NULL DEFAULT 1,
        ADD COLUMN approval_node text NOT NULL DEFAULT '',
        ADD COLUMN approver_id text NOT NULL DEFAULT '',
        ADD COLUMN decided_at timestamptz,
        ADD COLUMN change smallint NOT NULL DEFAULT 1,
        ADD COLUMN changed_by text NOT NULL DEFAULT '',
        ADD COLUMN change_reason text NOT NULL DEFAULT ''
    """,
    # Ending one used to write its own reason and author over those of who set it: the first row has them.
    """
    UPDATE standard
       SET changed_by = standard.author_id, change_reason = standard.reason,
           author_id = first.author_id, reason = first.reason,
           change = CASE WHEN standard.revision = first.revision THEN 1
                         WHEN (standard.author_id, standard.reason) = (first.author_id, first.reason) THEN 2
                         ELSE 3 END,
           dated = (standard.author_id, standard.reason) <> (first.author_id, first.reason)
      FROM (SELECT DISTINCT ON (id) id, revision, author_id, reason FROM standard ORDER BY id, revision) AS first
     WHERE first.id = standard.id
    """,
    "CREATE INDEX standard_history ON standard (node_id, subject, parameter, revision)",
    "ALTER TABLE standard_version ADD COLUMN changed_at timestamptz NOT NULL DEFAULT '2000-01-01Z'",
    """
    UPDATE standard_version
       SET changed_at = greatest(changed_at, (SELECT max(recorded_at) FROM standard))
    """,
)


def create_standards(op: Operations) -> None:
    """Make the tables; called with `alembic.op` in a service's revision."""
    for statement in _STEP_1:
        op.execute(statement)


def bound_standards(op: Operations) -> None:
    """Add bounds, approval and what made each row; after `create_standards`, in a later revision."""
    for statement in _STEP_2:
        op.execute(statement)

"""Lines are disputed by those they pay; an answer may be an adjustment of its own."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE dispute (
            id text PRIMARY KEY,
            person_id text NOT NULL,
            period_kind smallint NOT NULL CHECK (period_kind IN (1, 2)),
            first_day date NOT NULL,
            rule_id text NOT NULL,
            label text NOT NULL,
            amount bigint NOT NULL,
            words text NOT NULL,
            trace bytea NOT NULL,
            opened_at timestamptz NOT NULL,
            due_day date NOT NULL,
            state smallint NOT NULL CHECK (state BETWEEN 1 AND 4),
            answer text NOT NULL DEFAULT '',
            answered_by text NOT NULL DEFAULT '',
            ended_at timestamptz,
            adjustment bigint NOT NULL DEFAULT 0,
            paid_kind smallint,
            paid_first_day date
        )
    """)
    op.execute(
        "COMMENT ON TABLE dispute IS 'a person asked for a line to be looked at again; trace as it was then'"
    )
    op.execute("""
        CREATE UNIQUE INDEX dispute_once ON dispute (person_id, period_kind, first_day, rule_id) WHERE state = 1
    """)
    op.execute("CREATE INDEX dispute_person ON dispute (person_id)")
    # What a person decided stands beside what later facts make of a line, and is not worked out again with it.
    op.execute("ALTER TABLE adjustment ADD COLUMN dispute_id text NOT NULL DEFAULT ''")
    op.execute("ALTER TABLE adjustment DROP CONSTRAINT adjustment_once")
    op.execute("""
        ALTER TABLE adjustment ADD CONSTRAINT adjustment_once
            UNIQUE (person_id, of_kind, of_first_day, rule_id, period_kind, first_day, dispute_id)
    """)

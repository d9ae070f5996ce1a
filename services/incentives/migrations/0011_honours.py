"""Whoever is first on some boards is honoured, when a person confirms it and as the honoured one likes."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.execute("ALTER TABLE board ADD COLUMN honour text NOT NULL DEFAULT ''")
    op.execute("""
        CREATE TABLE honour (
            id text PRIMARY KEY,
            board_id text NOT NULL REFERENCES board (id),
            node_id text NOT NULL,
            period_kind smallint NOT NULL CHECK (period_kind IN (1, 2)),
            first_day date NOT NULL,
            person_id text NOT NULL,
            numerator numeric,
            denominator numeric,
            second_numerator numeric,
            second_denominator numeric,
            state smallint NOT NULL CHECK (state IN (2, 3)),
            reason text NOT NULL,
            decided_by text NOT NULL,
            decided_at timestamptz NOT NULL,
            consent smallint NOT NULL DEFAULT 0 CHECK (consent BETWEEN 0 AND 3),
            story text NOT NULL DEFAULT '',
            UNIQUE (board_id, node_id, period_kind, first_day, person_id)
        )
    """)
    op.execute("COMMENT ON TABLE honour IS 'who was first and confirmed, or that a period was passed over'")
    op.execute("CREATE INDEX honour_node ON honour (node_id, first_day DESC)")
    op.execute("CREATE INDEX honour_person ON honour (person_id, first_day DESC)")

"""What is due for closed periods is approved, held back, and handed to payroll in batches."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE approval (
            period_kind smallint NOT NULL,
            first_day date NOT NULL,
            person_id text NOT NULL,
            approved_by text NOT NULL,
            approved_at timestamptz NOT NULL,
            PRIMARY KEY (period_kind, first_day, person_id),
            FOREIGN KEY (period_kind, first_day, person_id) REFERENCES frozen
        )
    """)
    op.execute("COMMENT ON TABLE approval IS 'frozen statements that a second person approved for paying'")
    op.execute("""
        CREATE TABLE hold (
            id bigserial PRIMARY KEY,
            period_kind smallint NOT NULL,
            first_day date NOT NULL,
            person_id text NOT NULL,
            reason text NOT NULL,
            held_by text NOT NULL,
            held_at timestamptz NOT NULL,
            release_reason text NOT NULL DEFAULT '',
            released_by text NOT NULL DEFAULT '',
            released_at timestamptz,
            FOREIGN KEY (period_kind, first_day, person_id) REFERENCES frozen
        )
    """)
    op.execute("COMMENT ON TABLE hold IS 'why frozen statements are, or were, not paid yet; never deleted'")
    op.execute(
        "CREATE UNIQUE INDEX hold_once ON hold (period_kind, first_day, person_id) WHERE released_at IS NULL"
    )
    op.execute("""
        CREATE TABLE batch (
            id text PRIMARY KEY,
            node_id text NOT NULL,
            period_kind smallint NOT NULL,
            first_day date NOT NULL,
            created_by text NOT NULL,
            created_at timestamptz NOT NULL,
            people integer NOT NULL,
            lines integer NOT NULL,
            total bigint NOT NULL,
            digest text NOT NULL,
            paid_on date,
            reference text NOT NULL DEFAULT '',
            paid_by text NOT NULL DEFAULT ''
        )
    """)
    op.execute("COMMENT ON TABLE batch IS 'handed to payroll, with control totals'")
    op.execute("CREATE INDEX batch_newest ON batch (created_at DESC, id)")
    # The primary key is the promise: nothing is ever in two batches.
    op.execute("""
        CREATE TABLE batch_item (
            period_kind smallint NOT NULL,
            first_day date NOT NULL,
            person_id text NOT NULL,
            batch_id text NOT NULL REFERENCES batch (id),
            PRIMARY KEY (period_kind, first_day, person_id),
            FOREIGN KEY (period_kind, first_day, person_id) REFERENCES approval
        )
    """)
    op.execute("CREATE INDEX batch_item_batch ON batch_item (batch_id, person_id)")

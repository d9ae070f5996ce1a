"""Single lines are held back, and flags of fair play that goals tells of hold back the periods they touch."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.execute("""
        ALTER TABLE hold
            ADD COLUMN rule_id text NOT NULL DEFAULT '',
            ADD COLUMN label text NOT NULL DEFAULT '',
            ADD COLUMN amount bigint NOT NULL DEFAULT 0
    """)
    op.execute("COMMENT ON COLUMN hold.rule_id IS 'the line that is held back; empty for the whole payout'")
    op.execute("DROP INDEX hold_once")
    op.execute(
        "CREATE UNIQUE INDEX hold_once ON hold (period_kind, first_day, person_id, rule_id)"
        " WHERE released_at IS NULL"
    )
    # With the key of batch_item the promise: what the payout's own batch left out is in one other batch at most.
    op.execute("""
        CREATE TABLE left_line (
            period_kind smallint NOT NULL,
            first_day date NOT NULL,
            person_id text NOT NULL,
            rule_id text NOT NULL,
            left_by text NOT NULL REFERENCES batch (id),
            amount bigint NOT NULL,
            batch_id text REFERENCES batch (id),
            name text NOT NULL DEFAULT '',
            employee_number text NOT NULL DEFAULT '',
            PRIMARY KEY (period_kind, first_day, person_id, rule_id),
            FOREIGN KEY (period_kind, first_day, person_id) REFERENCES batch_item
        )
    """)
    op.execute(
        "COMMENT ON TABLE left_line IS 'held back when the payout was batched; batch_id pays it later'"
    )
    op.execute("CREATE INDEX left_line_left_by ON left_line (left_by)")
    op.execute("CREATE INDEX left_line_batch ON left_line (batch_id)")
    op.execute("""
        CREATE TABLE flag_hold (
            flag_id text NOT NULL,
            period_kind smallint NOT NULL,
            first_day date NOT NULL,
            person_id text NOT NULL,
            rule text NOT NULL,
            holds boolean NOT NULL,
            release_reason text NOT NULL DEFAULT '',
            released_by text NOT NULL DEFAULT '',
            released_at timestamptz,
            PRIMARY KEY (flag_id, period_kind, first_day)
        )
    """)
    op.execute(
        "COMMENT ON TABLE flag_hold IS 'periods a flag of goals touches; it may be told before they are closed'"
    )
    op.execute(
        "CREATE INDEX flag_hold_holding ON flag_hold (period_kind, first_day, person_id, flag_id)"
        " WHERE holds AND released_at IS NULL"
    )
    # One row for each payout that is held back: a person's word goes before flags, of those one is shown.
    op.execute("""
        CREATE VIEW held AS
        SELECT period_kind, first_day, person_id, reason, held_by, '' AS flag_id, '' AS rule
        FROM hold WHERE released_at IS NULL AND rule_id = ''
        UNION ALL
        SELECT period_kind, first_day, person_id, '', '', flag_id, rule
        FROM flag_hold AS shown WHERE holds AND released_at IS NULL
          AND NOT EXISTS (
              SELECT FROM hold WHERE hold.released_at IS NULL AND hold.rule_id = ''
                 AND (hold.period_kind, hold.first_day, hold.person_id)
                   = (shown.period_kind, shown.first_day, shown.person_id))
          AND NOT EXISTS (
              SELECT FROM flag_hold AS other WHERE other.holds AND other.released_at IS NULL
                 AND (other.period_kind, other.first_day, other.person_id)
                   = (shown.period_kind, shown.first_day, shown.person_id)
                 AND other.flag_id < shown.flag_id)
    """)

"""Deals are held back: what hangs on them is kept of the lines, and lines are paid in as many parts as it takes."""

from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE deal_hold (
            id bigserial PRIMARY KEY,
            period_kind smallint NOT NULL,
            first_day date NOT NULL,
            person_id text NOT NULL,
            source text NOT NULL,
            external_id text NOT NULL,
            reason text NOT NULL,
            held_by text NOT NULL,
            held_at timestamptz NOT NULL,
            release_reason text NOT NULL DEFAULT '',
            released_by text NOT NULL DEFAULT '',
            released_at timestamptz,
            FOREIGN KEY (period_kind, first_day, person_id) REFERENCES frozen
        )
    """)
    op.execute(
        "COMMENT ON TABLE deal_hold IS 'why deals are, or were, held back of frozen statements; never deleted'"
    )
    op.execute(
        "CREATE UNIQUE INDEX deal_hold_once ON deal_hold (period_kind, first_day, person_id, source, external_id)"
        " WHERE released_at IS NULL"
    )
    op.execute("""
        CREATE TABLE kept_part (
            period_kind smallint NOT NULL,
            first_day date NOT NULL,
            person_id text NOT NULL,
            rule_id text NOT NULL,
            label text NOT NULL,
            amount bigint NOT NULL CHECK (amount > 0),
            PRIMARY KEY (period_kind, first_day, person_id, rule_id),
            FOREIGN KEY (period_kind, first_day, person_id) REFERENCES frozen
        )
    """)
    op.execute(
        "COMMENT ON TABLE kept_part IS 'what the deals that are held keep of a line, all of them together'"
    )
    # With the key of batch_item the promise: of what the payout's own batch left out nothing is paid twice.
    op.execute("""
        ALTER TABLE left_line
            ADD COLUMN whole boolean NOT NULL DEFAULT true,
            ADD COLUMN paid bigint NOT NULL DEFAULT 0,
            ADD CONSTRAINT left_line_paid_once
                CHECK (paid BETWEEN least(amount, 0) AND greatest(amount, 0) AND (batch_id IS NULL OR paid = amount))
                NOT VALID
    """)
    op.execute("UPDATE left_line SET paid = amount WHERE batch_id IS NOT NULL")
    op.execute("ALTER TABLE left_line VALIDATE CONSTRAINT left_line_paid_once")
    op.execute(
        "COMMENT ON COLUMN left_line.whole IS 'the line with its adjustments; else a part of the line itself'"
    )
    op.execute("COMMENT ON COLUMN left_line.batch_id IS 'the batch that paid the last of it'")
    op.execute("""
        CREATE TABLE late_line (
            period_kind smallint NOT NULL,
            first_day date NOT NULL,
            person_id text NOT NULL,
            rule_id text NOT NULL,
            batch_id text NOT NULL REFERENCES batch (id),
            amount bigint NOT NULL,
            whole boolean NOT NULL,
            name text NOT NULL,
            employee_number text NOT NULL,
            PRIMARY KEY (period_kind, first_day, person_id, rule_id, batch_id),
            FOREIGN KEY (period_kind, first_day, person_id, rule_id) REFERENCES left_line
        )
    """)
    op.execute("COMMENT ON TABLE late_line IS 'what a batch pays of a line that an earlier one left out'")
    op.execute("CREATE INDEX late_line_batch ON late_line (batch_id)")
    op.execute("""
        INSERT INTO late_line
        SELECT period_kind, first_day, person_id, rule_id, batch_id, amount, true, name, employee_number
        FROM left_line WHERE batch_id IS NOT NULL
    """)
    op.execute("ALTER TABLE left_line DROP COLUMN name, DROP COLUMN employee_number")
    # A line that is held whole is told so, whatever deals keep of it.
    op.execute("""
        CREATE VIEW held_line AS
        SELECT id, period_kind, first_day, person_id, rule_id, label, amount, reason, held_by, false AS in_part
        FROM hold WHERE rule_id <> '' AND released_at IS NULL
        UNION ALL
        SELECT NULL, period_kind, first_day, person_id, rule_id, label, amount, '', '', true FROM kept_part
        WHERE NOT EXISTS (
            SELECT FROM hold WHERE hold.released_at IS NULL
               AND (hold.period_kind, hold.first_day, hold.person_id, hold.rule_id)
                 = (kept_part.period_kind, kept_part.first_day, kept_part.person_id, kept_part.rule_id))
    """)
    # What the next batch pays of a line: all that is left of it, but for what deals keep.
    op.execute("""
        CREATE VIEW owed AS
        SELECT left_line.period_kind, left_line.first_day, left_line.person_id, left_line.rule_id,
               left_line.amount - paid - coalesce(part.amount, 0) AS amount, whole AND paid = 0 AS whole,
               part.amount IS NULL AS last
        FROM left_line
        LEFT JOIN kept_part AS part ON (part.period_kind, part.first_day, part.person_id, part.rule_id)
            = (left_line.period_kind, left_line.first_day, left_line.person_id, left_line.rule_id)
        WHERE batch_id IS NULL AND (part.amount IS NULL OR left_line.amount - paid <> part.amount)
          AND NOT EXISTS (
              SELECT FROM hold WHERE hold.released_at IS NULL
                 AND (hold.period_kind, hold.first_day, hold.person_id, hold.rule_id)
                   = (left_line.period_kind, left_line.first_day, left_line.person_id, left_line.rule_id))
    """)

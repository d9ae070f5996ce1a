"""Flags of fair play hold back what rests on their facts; the rest of a payout is paid."""

from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.execute("ALTER TABLE flag_hold ADD COLUMN in_part boolean NOT NULL DEFAULT false")
    op.execute(
        "COMMENT ON COLUMN flag_hold.in_part IS 'what rests on its facts is in kept_part; else it holds all of it'"
    )
    op.execute(
        "COMMENT ON TABLE kept_part IS 'what deals that are held, and flags, keep of a line, all of them together'"
    )
    op.execute("""
        CREATE TABLE flag_look (
            period_kind smallint NOT NULL,
            first_day date NOT NULL,
            person_id text NOT NULL,
            turn bigserial,
            PRIMARY KEY (period_kind, first_day, person_id)
        )
    """)
    op.execute(
        "COMMENT ON TABLE flag_look IS 'payouts whose flags changed since what they keep was worked out'"
    )
    op.execute("CREATE INDEX flag_look_turn ON flag_look (turn)")
    op.execute("""
        INSERT INTO flag_look (period_kind, first_day, person_id)
        SELECT DISTINCT period_kind, first_day, person_id
        FROM flag_hold JOIN frozen USING (period_kind, first_day, person_id) WHERE holds AND released_at IS NULL
    """)
    # As before, of flags that hold the whole payout.
    op.execute("""
        CREATE OR REPLACE VIEW held AS
        SELECT period_kind, first_day, person_id, reason, held_by, '' AS flag_id, '' AS rule
        FROM hold WHERE released_at IS NULL AND rule_id = ''
        UNION ALL
        SELECT period_kind, first_day, person_id, '', '', flag_id, rule
        FROM flag_hold AS shown WHERE holds AND released_at IS NULL AND NOT in_part
          AND NOT EXISTS (
              SELECT FROM hold WHERE hold.released_at IS NULL AND hold.rule_id = ''
                 AND (hold.period_kind, hold.first_day, hold.person_id)
                   = (shown.period_kind, shown.first_day, shown.person_id))
          AND NOT EXISTS (
              SELECT FROM flag_hold AS other WHERE other.holds AND other.released_at IS NULL AND NOT other.in_part
                 AND (other.period_kind, other.first_day, other.person_id)
                   = (shown.period_kind, shown.first_day, shown.person_id)
                 AND other.flag_id < shown.flag_id)
    """)

"""Flags of fair play that goals tells of hold back what is due for the periods they touch."""

from alembic import op

revision = "0012"
down_revision = "0009"


def upgrade() -> None:
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
        FROM hold WHERE released_at IS NULL
        UNION ALL
        SELECT period_kind, first_day, person_id, '', '', flag_id, rule
        FROM flag_hold AS shown WHERE holds AND released_at IS NULL
          AND NOT EXISTS (
              SELECT FROM hold WHERE hold.released_at IS NULL
                 AND (hold.period_kind, hold.first_day, hold.person_id)
                   = (shown.period_kind, shown.first_day, shown.person_id))
          AND NOT EXISTS (
              SELECT FROM flag_hold AS other WHERE other.holds AND other.released_at IS NULL
                 AND (other.period_kind, other.first_day, other.person_id)
                   = (shown.period_kind, shown.first_day, shown.person_id)
                 AND other.flag_id < shown.flag_id)
    """)

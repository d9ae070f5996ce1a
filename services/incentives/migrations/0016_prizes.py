"""Ranking prizes: who came where when a period was closed, and what that won; settled once for a rule and period."""

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE settled (
            plan_id text NOT NULL,
            rule_id text NOT NULL,
            period_kind smallint NOT NULL,
            first_day date NOT NULL,
            settled_at timestamptz NOT NULL,
            PRIMARY KEY (plan_id, rule_id, period_kind, first_day)
        )
    """)
    op.execute(
        "COMMENT ON TABLE settled IS 'the prizes of this rule and period are known, also where nobody won'"
    )
    op.execute("""
        CREATE TABLE prize (
            plan_id text NOT NULL,
            rule_id text NOT NULL,
            period_kind smallint NOT NULL,
            first_day date NOT NULL,
            person_id text NOT NULL,
            rank integer NOT NULL,
            tied integer NOT NULL,
            numerator bigint NOT NULL,
            denominator bigint NOT NULL,
            amount bigint NOT NULL,
            PRIMARY KEY (person_id, period_kind, first_day, plan_id, rule_id)
        )
    """)
    op.execute("COMMENT ON TABLE prize IS 'who won what by a rule in a period; never changed'")

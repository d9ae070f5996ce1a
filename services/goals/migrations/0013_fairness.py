"""Rules of fair play at nodes, and the flags they raised."""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE fairness_rule (
            revision bigserial PRIMARY KEY,
            node_id text NOT NULL,
            kind smallint NOT NULL,
            active boolean NOT NULL,
            most integer NOT NULL,
            minutes integer NOT NULL,
            seconds integer NOT NULL,
            days integer NOT NULL,
            percent integer NOT NULL,
            reason text NOT NULL,
            author_id text NOT NULL,
            recorded_at timestamptz NOT NULL,
            superseded_at timestamptz
        )
    """)
    op.execute(
        "CREATE UNIQUE INDEX fairness_rule_known ON fairness_rule (node_id, kind) WHERE superseded_at IS NULL"
    )
    op.execute("""
        CREATE TABLE flag (
            id text PRIMARY KEY,
            person_id text NOT NULL,
            month date NOT NULL,
            kind smallint NOT NULL,
            anchor text NOT NULL,
            turn integer NOT NULL,
            rule jsonb NOT NULL,
            fact_keys jsonb NOT NULL,
            first_day date NOT NULL,
            last_day date NOT NULL,
            counted integer NOT NULL,
            out_of integer NOT NULL,
            state smallint NOT NULL,
            raised_at timestamptz NOT NULL,
            reply text NOT NULL,
            answer text NOT NULL,
            answered_by text NOT NULL,
            answered_at timestamptz,
            UNIQUE (person_id, month, kind, anchor, turn)
        )
    """)
    op.execute("CREATE INDEX flag_newest ON flag (state, raised_at DESC, id)")
    op.execute(
        "COMMENT ON TABLE flag IS 'what rules of fair play noticed, and what was answered; never deleted'"
    )

"""Plans are proposed before they are in force, approved by somebody else, and acknowledged by those they pay."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE proposal (
            id text PRIMARY KEY,
            node_id text NOT NULL,
            job_role text NOT NULL,
            name text NOT NULL,
            period_kind smallint NOT NULL CHECK (period_kind IN (1, 2)),
            rules jsonb NOT NULL,
            effective_from date NOT NULL,
            reason text NOT NULL,
            author_id text NOT NULL,
            recorded_at timestamptz NOT NULL,
            state smallint NOT NULL CHECK (state BETWEEN 1 AND 3),
            decided_by text NOT NULL,
            decided_at timestamptz,
            decision_reason text NOT NULL
        )
    """)
    op.execute(
        "COMMENT ON TABLE proposal IS 'plans as proposed: 1 waits, 2 approved and in plan, 3 rejected'"
    )
    op.execute("CREATE INDEX proposal_waiting ON proposal (node_id) WHERE state = 1")
    # Plans of before were put in force by their author alone.
    op.execute("ALTER TABLE plan ADD COLUMN approved_by text NOT NULL DEFAULT ''")
    op.execute("""
        CREATE TABLE acknowledgement (
            plan_id text NOT NULL,
            person_id text NOT NULL,
            digest text NOT NULL,
            acknowledged_at timestamptz NOT NULL,
            PRIMARY KEY (plan_id, person_id)
        )
    """)
    op.execute(
        "COMMENT ON TABLE acknowledgement IS 'who has read which plan; the digest is of what was read'"
    )

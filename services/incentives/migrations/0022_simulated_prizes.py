"""A plan that gives prizes is tried on everybody twice: who leads is known before anybody is worked out."""

from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.execute("""
        ALTER TABLE simulation
            ADD COLUMN ranks boolean NOT NULL DEFAULT false,
            ADD COLUMN ranked integer NOT NULL DEFAULT 0,
            ADD COLUMN ranked_to text NOT NULL DEFAULT '',
            ADD COLUMN leaders jsonb NOT NULL DEFAULT '[]'
    """)
    op.execute(
        "COMMENT ON COLUMN simulation.ranks IS 'whether people are ranked still, before any is worked out'"
    )
    op.execute("COMMENT ON COLUMN simulation.ranked_to IS 'the last person ranked'")
    op.execute(
        "COMMENT ON COLUMN simulation.leaders IS 'how many people are at the values that prizes go to'"
    )

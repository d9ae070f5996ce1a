"""Since when versions of metrics serve, and reversals found whatever became of them."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.execute("ALTER TABLE metric_version ADD COLUMN served_at timestamptz")
    # When those before began to serve was not kept: since they were defined is the nearest there is.
    op.execute("UPDATE metric_version SET served_at = recorded_at WHERE state <> 1")
    # Of superseded versions too: what a fact was at a past time asks for the reversals of then.
    op.execute("DROP INDEX fact_reversal")
    op.execute("CREATE INDEX fact_reversal ON fact (source, reverses) WHERE kind = 4")

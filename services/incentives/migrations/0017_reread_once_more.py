"""What is asked to be read anew while it is being read is told apart from what was asked before."""

from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.execute("ALTER TABLE reread ADD COLUMN asked bigserial NOT NULL")
    op.execute(
        "COMMENT ON COLUMN reread.asked IS 'another number each time that all of the period is to be read'"
    )

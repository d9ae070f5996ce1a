"""What compaction of the feed has seen."""

from alembic import op

from chassis.feed import create_newest

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    create_newest(op)

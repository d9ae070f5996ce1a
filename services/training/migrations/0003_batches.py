"""Events get their positions batch by batch."""

from alembic import op

from chassis.feed import batch_outbox

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    batch_outbox(op)

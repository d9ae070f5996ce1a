"""What nodes below a standard may do, approvals, and what made each row."""

from alembic import op

from standards import bound_standards

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    bound_standards(op)

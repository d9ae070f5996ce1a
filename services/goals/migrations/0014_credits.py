"""Deals that several people earned: what was told of their credits, and the parts that follow from them."""

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    # Nullable, and so without a byte in any fact that has no credits.
    op.execute(
        "ALTER TABLE fact ADD COLUMN credits jsonb, ADD COLUMN deal_minor bigint, ADD COLUMN deal text"
    )

"""Boards of a change and of a tenure band, and boards that have ended."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.execute("""
        ALTER TABLE board
            ADD COLUMN measure smallint NOT NULL DEFAULT 1 CHECK (measure IN (1, 2)),
            ADD COLUMN tenure_from smallint NOT NULL DEFAULT 0 CHECK (tenure_from >= 0),
            ADD COLUMN tenure_to smallint NOT NULL DEFAULT 0 CHECK (tenure_to = 0 OR tenure_to >= tenure_from),
            ADD COLUMN ended boolean NOT NULL DEFAULT false
    """)

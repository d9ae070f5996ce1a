"""The flours a mill sells."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute("CREATE TABLE flours (name text PRIMARY KEY)")
    op.execute("INSERT INTO flours VALUES ('rye')")

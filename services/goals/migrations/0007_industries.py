"""A company's own industry templates."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE industry_template (
            id text NOT NULL,
            version integer NOT NULL CHECK (version > 0),
            document text NOT NULL,
            author_id text NOT NULL,
            recorded_at timestamptz NOT NULL,
            removed boolean NOT NULL,
            PRIMARY KEY (id, version)
        )
    """)

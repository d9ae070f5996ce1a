"""Whoever is honoured may show a photo with it."""

from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.execute("ALTER TABLE honour ADD COLUMN photo_shown boolean NOT NULL DEFAULT false")
    op.execute("""
        CREATE TABLE honour_photo (
            honour_id text PRIMARY KEY REFERENCES honour (id),
            etag text NOT NULL,
            photo bytea NOT NULL CHECK (octet_length(photo) BETWEEN 1 AND 524288)
        )
    """)
    op.execute("COMMENT ON TABLE honour_photo IS 'the photo of an honour, as long as there is one to show'")
    # JPEG does not get smaller.
    op.execute("ALTER TABLE honour_photo ALTER COLUMN photo SET STORAGE EXTERNAL")

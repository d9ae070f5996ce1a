"""Who mentors whom, since when: some plans pay mentors for what the people they mentor reach."""

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.execute("ALTER TABLE placement ADD COLUMN mentor_id text NOT NULL DEFAULT ''")
    # What is known of earlier times is that they had the mentor they have now.
    op.execute("""
        UPDATE placement SET mentor_id = person.mentor_id FROM directory_person AS person
        WHERE person.id = node_id AND person.mentor_id <> ''
    """)
    op.execute("CREATE INDEX placement_mentor ON placement (mentor_id) WHERE mentor_id <> ''")

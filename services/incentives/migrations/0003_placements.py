"""Where people and units stood, and since when: what closed periods are paid and explained by."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE placement (
            node_id text NOT NULL,
            since timestamptz NOT NULL,
            parent_id text NOT NULL,
            job_role text NOT NULL,
            PRIMARY KEY (node_id, since)
        )
    """)
    op.execute("COMMENT ON TABLE placement IS 'a person or unit, below which unit, from when on'")
    # What was before is not known here; where everybody stands now is what was shown until today.
    op.execute("""
        INSERT INTO placement (node_id, since, parent_id, job_role)
        SELECT node.id, '-infinity', node.parent_id, coalesce(person.job_role, '')
        FROM directory_node AS node LEFT JOIN directory_person AS person ON person.id = node.id
    """)

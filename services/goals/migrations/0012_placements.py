"""Where people and units stood, and since when: what past pages are shown by."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE placement (
            node_id text NOT NULL,
            since timestamptz NOT NULL,
            parent_id text NOT NULL,
            zone text NOT NULL,
            job_role text NOT NULL,
            works boolean NOT NULL,
            PRIMARY KEY (node_id, since)
        )
    """)
    op.execute(
        "COMMENT ON TABLE placement IS 'a person or unit: below which unit, in which zone, from when on'"
    )
    # What was before is not known here; where everybody stands now is what was shown until today.
    op.execute("""
        INSERT INTO placement (node_id, since, parent_id, zone, job_role, works)
        SELECT node.id, '-infinity', node.parent_id, node.zone, coalesce(person.job_role, ''),
               coalesce(person.status = 1, true)
        FROM directory_node AS node LEFT JOIN directory_person AS person ON person.id = node.id
    """)

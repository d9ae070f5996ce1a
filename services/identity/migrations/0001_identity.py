"""The directory, accounts and sessions."""

from alembic import op

from access import create_replica
from chassis.feed import create_outbox, create_requests

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_replica(op)
    create_outbox(op)
    create_requests(op)
    op.execute("CREATE UNIQUE INDEX directory_node_one_enterprise ON directory_node (kind) WHERE kind = 1")
    # The tree without its many leaves.
    op.execute("CREATE INDEX directory_node_units ON directory_node (parent_id) WHERE kind < 4")
    # Lists of people are paged in this order.
    op.execute("""
        CREATE UNIQUE INDEX directory_person_one_number ON directory_person (employee_number COLLATE "C")
    """)
    op.execute("""
        CREATE UNIQUE INDEX directory_binding_once ON directory_binding (subject_id, role_id, node_id)
        WHERE NOT removed
    """)
    op.execute("""
        CREATE TABLE account (
            person_id text PRIMARY KEY,
            login text UNIQUE CHECK (login = lower(login)),
            password_hash text,
            password_changed_at timestamptz
        )
    """)
    op.execute("""
        CREATE TABLE session (
            id text PRIMARY KEY,
            person_id text NOT NULL,
            created_at timestamptz NOT NULL,
            expires_at timestamptz NOT NULL,
            ended_at timestamptz
        )
    """)
    op.execute("CREATE INDEX session_open ON session (person_id) WHERE ended_at IS NULL")
    op.execute("CREATE INDEX session_expires ON session (expires_at)")
    op.execute("""
        CREATE TABLE refresh_token (
            hash bytea PRIMARY KEY,
            session_id text NOT NULL REFERENCES session ON DELETE CASCADE,
            used_at timestamptz
        )
    """)
    op.execute("CREATE INDEX refresh_token_session ON refresh_token (session_id)")
    op.execute("""
        CREATE TABLE attempt (key bytea PRIMARY KEY, tries integer NOT NULL, last_at timestamptz NOT NULL)
    """)
    op.execute("CREATE INDEX attempt_last ON attempt (last_at)")
    op.execute("""
        CREATE TABLE dismissal (
            person_id text PRIMARY KEY,
            actor_id text NOT NULL,
            reason text NOT NULL,
            at timestamptz NOT NULL
        )
    """)
    op.execute("""
        CREATE TABLE foundation (laid boolean PRIMARY KEY CHECK (laid), version integer NOT NULL)
    """)

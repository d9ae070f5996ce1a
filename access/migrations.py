"""The directory's tables as steps for a service's own Alembic revisions.

A step is never edited once released: a change of the tables is a new step, which each service
calls from a new revision.
"""

from typing import Final, Protocol


class Operations(Protocol):
    """What is used of `alembic.op`."""

    def execute(self, sqltext: str, /) -> None: ...


_STEP_1: Final = (
    """
    CREATE TABLE directory_node (
        id text PRIMARY KEY,
        parent_id text NOT NULL,
        kind smallint NOT NULL,
        name text NOT NULL,
        zone text NOT NULL,
        effective_zone text NOT NULL,
        ancestors text[] NOT NULL,
        position bigint NOT NULL
    )
    """,
    "CREATE INDEX directory_node_parent ON directory_node (parent_id)",
    "CREATE INDEX directory_node_ancestors ON directory_node USING gin (ancestors)",
    "CREATE INDEX directory_node_position ON directory_node (position)",
    """
    CREATE TABLE directory_person (
        id text PRIMARY KEY,
        parent_id text NOT NULL,
        name text NOT NULL,
        employee_number text NOT NULL,
        job_role text NOT NULL,
        hire_date date,
        probation_start date,
        probation_end date,
        mentor_id text NOT NULL,
        manager_id text NOT NULL,
        status smallint NOT NULL,
        language text NOT NULL,
        dismissed_at timestamptz,
        position bigint NOT NULL
    )
    """,
    "CREATE INDEX directory_person_employee_number ON directory_person (employee_number)",
    "CREATE INDEX directory_person_mentor ON directory_person (mentor_id) WHERE mentor_id <> ''",
    "CREATE INDEX directory_person_position ON directory_person (position)",
    """
    CREATE TABLE directory_role (
        id text PRIMARY KEY,
        name text NOT NULL,
        permissions text[] NOT NULL,
        built_in boolean NOT NULL,
        position bigint NOT NULL
    )
    """,
    """
    CREATE TABLE directory_binding (
        id text PRIMARY KEY,
        role_id text NOT NULL,
        subject_id text NOT NULL,
        node_id text NOT NULL,
        granted_by text NOT NULL,
        created_at timestamptz,
        removed boolean NOT NULL,
        position bigint NOT NULL
    )
    """,
    "CREATE INDEX directory_binding_subject ON directory_binding (subject_id) WHERE NOT removed",
    "CREATE INDEX directory_binding_node ON directory_binding (node_id) WHERE NOT removed",
    "CREATE INDEX directory_binding_position ON directory_binding (position)",
    """
    CREATE TABLE directory_session_ended (
        session_id text PRIMARY KEY,
        person_id text NOT NULL,
        expires_at timestamptz NOT NULL,
        position bigint NOT NULL
    )
    """,
    "CREATE INDEX directory_session_ended_expires ON directory_session_ended (expires_at)",
    "CREATE INDEX directory_session_ended_position ON directory_session_ended (position)",
    """
    CREATE TABLE directory_service_account (
        id text PRIMARY KEY,
        name text NOT NULL,
        disabled boolean NOT NULL,
        created_at timestamptz,
        position bigint NOT NULL
    )
    """,
    """
    CREATE TABLE directory_position (
        singleton integer PRIMARY KEY CHECK (singleton = 1),
        position bigint NOT NULL
    )
    """,
    "INSERT INTO directory_position (singleton, position) VALUES (1, 0)",
)


def create_replica(op: Operations) -> None:
    """Make the directory's tables; called with `alembic.op` in a service's first revision."""
    for statement in _STEP_1:
        op.execute(statement)

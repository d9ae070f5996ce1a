"""Coaching rules and tasks."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE coaching_rule (
            revision bigserial PRIMARY KEY,
            node_id text NOT NULL,
            situation smallint NOT NULL,
            metric text NOT NULL,
            step_zh text NOT NULL,
            step_en text NOT NULL,
            days smallint NOT NULL CHECK (days > 0),
            course_id text NOT NULL,
            active boolean NOT NULL,
            reason text NOT NULL,
            author_id text NOT NULL,
            recorded_at timestamptz NOT NULL,
            superseded_at timestamptz,
            withdrawn boolean NOT NULL
        )
    """)
    op.execute(
        "CREATE UNIQUE INDEX coaching_rule_known ON coaching_rule (node_id, situation, metric)"
        " WHERE superseded_at IS NULL"
    )
    op.execute("""
        CREATE TABLE coaching_task (
            revision bigserial PRIMARY KEY,
            id text NOT NULL,
            person_id text NOT NULL,
            situation smallint NOT NULL,
            metric text NOT NULL,
            step text NOT NULL,
            course_id text NOT NULL,
            due_day date NOT NULL,
            opener_id text NOT NULL,
            opened_at timestamptz NOT NULL,
            state smallint NOT NULL,
            answer text NOT NULL,
            answered_at timestamptz,
            note text NOT NULL,
            closer_id text NOT NULL,
            closed_at timestamptz CHECK ((closed_at IS NULL) = (state < 3)),
            recorded_at timestamptz NOT NULL,
            superseded_at timestamptz
        ) WITH (fillfactor = 90)
    """)
    op.execute("CREATE UNIQUE INDEX coaching_task_known ON coaching_task (id) WHERE superseded_at IS NULL")
    # One task at a time for the same person and matter: two who coach do not ask for the same twice.
    op.execute("""
        CREATE UNIQUE INDEX coaching_task_matter ON coaching_task (person_id, situation, metric)
         WHERE superseded_at IS NULL AND closed_at IS NULL
    """)
    op.execute(
        "CREATE INDEX coaching_task_due ON coaching_task (due_day, id)"
        " WHERE superseded_at IS NULL AND closed_at IS NULL"
    )
    op.execute("CREATE INDEX coaching_task_person ON coaching_task (person_id) WHERE superseded_at IS NULL")

"""Who has passed which course: what plans may ask for."""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.execute("CREATE TABLE known_course (id text PRIMARY KEY)")
    op.execute("COMMENT ON TABLE known_course IS 'the courses training has told of'")
    op.execute("""
        CREATE TABLE passed_course (
            person_id text NOT NULL,
            course_id text NOT NULL,
            passed_at timestamptz NOT NULL,
            PRIMARY KEY (person_id, course_id)
        )
    """)
    op.execute("COMMENT ON TABLE passed_course IS 'when somebody first passed a course; never taken back'")

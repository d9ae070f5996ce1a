"""Courses, quizzes that are never rewritten, and what people have learnt."""

from alembic import op

from access import create_replica
from chassis.feed import create_cursors, create_outbox, create_requests

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_outbox(op)
    create_cursors(op)
    create_requests(op)
    create_replica(op)
    _create_courses()
    _create_learning()
    _keep_for_good("quizzes")
    _keep_for_good("attempts")


def _create_courses() -> None:
    op.execute("""
        CREATE TABLE courses (
            id text PRIMARY KEY,
            node_id text NOT NULL,
            title text NOT NULL,
            summary text NOT NULL,
            job_roles text[] NOT NULL,
            place integer NOT NULL,
            requires text REFERENCES courses CHECK (requires <> id),
            remedial boolean NOT NULL,
            remedy text REFERENCES courses CHECK (remedy <> id),
            minutes integer NOT NULL,
            quiz_version integer,
            revision bigint NOT NULL,
            updated_at timestamptz NOT NULL
        )
    """)
    op.execute("CREATE INDEX courses_node ON courses (node_id)")
    op.execute("""
        CREATE TABLE lessons (
            course_id text NOT NULL REFERENCES courses,
            id text NOT NULL,
            place integer NOT NULL,
            title text NOT NULL,
            text text NOT NULL,
            PRIMARY KEY (course_id, id)
        )
    """)
    op.execute("""
        CREATE TABLE quizzes (
            course_id text NOT NULL REFERENCES courses,
            version integer NOT NULL CHECK (version > 0),
            pass_mark integer NOT NULL CHECK (pass_mark BETWEEN 1 AND 100),
            questions jsonb NOT NULL,
            PRIMARY KEY (course_id, version)
        )
    """)
    # The lock that course changes take: links between courses are checked against all of them.
    op.execute("CREATE TABLE catalogue (singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton))")
    op.execute("INSERT INTO catalogue DEFAULT VALUES")


def _create_learning() -> None:
    op.execute("CREATE TABLE learners (person_id text PRIMARY KEY, step bigint NOT NULL)")
    op.execute("""
        CREATE TABLE completions (
            person_id text NOT NULL REFERENCES learners,
            course_id text NOT NULL REFERENCES courses,
            lesson_id text NOT NULL,
            step bigint NOT NULL,
            completed_at timestamptz NOT NULL,
            PRIMARY KEY (person_id, course_id, lesson_id)
        )
    """)
    op.execute("""
        CREATE TABLE attempts (
            id text PRIMARY KEY,
            person_id text NOT NULL REFERENCES learners,
            course_id text NOT NULL,
            number integer NOT NULL CHECK (number > 0),
            step bigint NOT NULL,
            quiz_version integer NOT NULL,
            points integer NOT NULL,
            possible integer NOT NULL CHECK (possible > 0 AND points BETWEEN 0 AND possible),
            pass_mark integer NOT NULL,
            passed boolean NOT NULL CHECK (passed = (points * 100 >= pass_mark * possible)),
            answers jsonb NOT NULL,
            submitted_at timestamptz NOT NULL,
            UNIQUE (person_id, course_id, number),
            UNIQUE (person_id, step),
            FOREIGN KEY (course_id, quiz_version) REFERENCES quizzes
        )
    """)
    op.execute("""
        CREATE TABLE passes (
            person_id text NOT NULL REFERENCES learners,
            course_id text NOT NULL REFERENCES courses,
            step bigint NOT NULL,
            passed_at timestamptz NOT NULL,
            PRIMARY KEY (person_id, course_id)
        )
    """)
    op.execute("""
        CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
        END
        $$
    """)


def _keep_for_good(table: str) -> None:
    op.execute(f"""
        CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """)

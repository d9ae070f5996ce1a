"""Training's tables, as migrations/ makes them."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData()

courses = Table(
    "courses",
    metadata,
    Column("id", Text, primary_key=True),
    Column("node_id", Text, nullable=False, index=True, comment="whose course it is; never changes"),
    Column("title", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("job_roles", ARRAY(Text), nullable=False, comment="sorted; empty for all"),
    Column("place", Integer, nullable=False, comment="place in the learning order"),
    Column("requires", Text, ForeignKey("courses.id"), comment="the course to pass first"),
    Column("remedial", Boolean, nullable=False),
    Column("remedy", Text, ForeignKey("courses.id"), comment="the remedial course after a failed quiz"),
    Column("minutes", Integer, nullable=False),
    Column("quiz_version", Integer, comment="the quiz in use; null: no quiz"),
    Column("revision", BigInteger, nullable=False, comment="counts changes from 1; the etag"),
    Column("updated_at", DateTime(timezone=True), nullable=False),
)

lessons = Table(
    "lessons",
    metadata,
    Column("course_id", Text, ForeignKey("courses.id"), primary_key=True),
    Column("id", Text, primary_key=True),
    Column("place", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False, comment="CommonMark"),
)

quizzes = Table(
    "quizzes",
    metadata,
    Column("course_id", Text, ForeignKey("courses.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("pass_mark", Integer, nullable=False, comment="whole percent"),
    Column("questions", JSONB, nullable=False, comment="as domain.courses.Question, in order"),
    comment="append-only: a trigger refuses changes",
)

learners = Table(
    "learners",
    metadata,
    Column("person_id", Text, primary_key=True),
    Column("step", BigInteger, nullable=False, comment="how much the person did; locks what the person does"),
)

completions = Table(
    "completions",
    metadata,
    Column("person_id", Text, ForeignKey("learners.person_id"), primary_key=True),
    Column("course_id", Text, ForeignKey("courses.id"), primary_key=True),
    Column("lesson_id", Text, primary_key=True),
    Column("step", BigInteger, nullable=False, comment="of the last completion"),
    Column("completed_at", DateTime(timezone=True), nullable=False),
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("person_id", Text, ForeignKey("learners.person_id"), nullable=False),
    Column("course_id", Text, ForeignKey("courses.id"), nullable=False),
    Column("number", Integer, nullable=False, comment="from 1 per person and course"),
    Column("step", BigInteger, nullable=False),
    Column("quiz_version", Integer, nullable=False),
    Column("points", Integer, nullable=False),
    Column("possible", Integer, nullable=False),
    Column("pass_mark", Integer, nullable=False),
    Column("passed", Boolean, nullable=False),
    Column("answers", JSONB, nullable=False, comment="question id -> chosen option ids, as sent"),
    Column("submitted_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("person_id", "course_id", "number"),
    UniqueConstraint("person_id", "step"),
    comment="append-only: a trigger refuses changes",
)

passes = Table(
    "passes",
    metadata,
    Column("person_id", Text, ForeignKey("learners.person_id"), primary_key=True),
    Column("course_id", Text, ForeignKey("courses.id"), primary_key=True),
    Column("step", BigInteger, nullable=False, comment="of the last time"),
    Column("passed_at", DateTime(timezone=True), nullable=False),
)

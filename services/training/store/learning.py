"""What one person has learnt."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert

from access import Scope
from chassis.feed import NewEvent, publish
from services.training.domain.courses import Course
from services.training.domain.learning import Attempt, Done, Path, Record
from services.training.domain.quizzes import Answer
from services.training.store.courses import (
    StoredCourse,
    outlines,
    read_quiz,
    select_courses,
)
from services.training.tables import attempts, completions, courses, passes

# Takes the person's lock for the rest of the transaction: two tries at once are marked one after the other.
_STEP: Final = text("""
INSERT INTO learners (person_id, step) VALUES (:person_id, 1)
ON CONFLICT (person_id) DO UPDATE SET step = learners.step + 1 RETURNING step
""")
_ATTEMPT_COLUMNS: Final = [attempts.c[name] for name in Attempt.__dataclass_fields__]


class LearningStore:
    """A person's learning. NotFound (PERSON_UNKNOWN) or PermissionDenied where the scope does not cover them."""

    def __init__(self, connection: Connection, scope: Scope, person_id: str) -> None:
        scope.require_person(person_id)
        self._connection = connection
        self.person_id = person_id
        self._nodes = scope.caller.directory.ancestors(person_id)

    def next_step(self) -> int:
        """The number of what the person does now; nobody else can do anything for the person meanwhile."""
        return int(self._connection.execute(_STEP, {"person_id": self.person_id}).scalar_one())

    def courses(self) -> Sequence[StoredCourse]:
        """Outlines of the courses of the nodes at and above the person, for whatever job role."""
        return outlines(self._connection, select_courses().where(courses.c.node_id.in_(self._nodes)))

    def with_questions(self, course: Course) -> Course:
        """The course's outline with its quiz in full."""
        return replace(course, quiz=read_quiz(self._connection, course))

    def record(self) -> Record:
        """Everything the person did."""
        done: dict[str, dict[str, Done]] = {}
        for row in self._of(completions):
            done.setdefault(row.course_id, {})[row.lesson_id] = Done(row.step, row.completed_at)
        tries: dict[str, list[Attempt]] = {}
        for attempt in self.attempts(course_id="", after=0, limit=None):
            tries.setdefault(attempt.course_id, []).append(attempt)
        return Record(
            lessons=done,
            attempts={course_id: tuple(each) for course_id, each in tries.items()},
            passes={row.course_id: Done(row.step, row.passed_at) for row in self._of(passes)},
        )

    def attempts(self, *, course_id: str, after: int, limit: int | None) -> Sequence[Attempt]:
        """The person's attempts beyond a step, oldest first, at one course or (empty) at all."""
        query = (
            select(*_ATTEMPT_COLUMNS)
            .where(attempts.c.person_id == self.person_id, attempts.c.step > after)
            .order_by(attempts.c.step)
            .limit(limit)
        )
        if course_id:
            query = query.where(attempts.c.course_id == course_id)
        return [Attempt(*row) for row in self._connection.execute(query)]

    def write(self, before: Path, after: Path, course_id: str) -> None:
        """Store what the second path has of a course and the first has not; attempts by `write_attempt`."""
        then, now = before.record, after.record
        known = then.lessons.get(course_id, {})
        for lesson_id, done in now.lessons.get(course_id, {}).items():
            if known.get(lesson_id) != done:
                key = {"course_id": course_id, "lesson_id": lesson_id}
                self._upsert(completions, key, {"step": done.step, "completed_at": done.at})
        passed = now.passes.get(course_id)
        if passed is not None and passed != then.passes.get(course_id):
            self._upsert(passes, {"course_id": course_id}, {"step": passed.step, "passed_at": passed.at})

    def write_attempt(self, attempt: Attempt, answers: Sequence[Answer]) -> None:
        """Store an attempt and what was answered."""
        values: dict[str, Any] = {name: getattr(attempt, name) for name in Attempt.__dataclass_fields__}
        values["answers"] = {answer.question_id: list(answer.option_ids) for answer in answers}
        self._connection.execute(insert(attempts).values(**values))

    def publish(self, events: Sequence[NewEvent]) -> None:
        """Events that commit with what was stored."""
        publish(self._connection, events)

    def _of(self, table: Any) -> Sequence[Row[Any]]:
        return self._connection.execute(select(table).where(table.c.person_id == self.person_id)).all()

    def _upsert(self, table: Any, key: Mapping[str, str], values: Mapping[str, Any]) -> None:
        statement = upsert(table).values(person_id=self.person_id, **key, **values)
        self._connection.execute(
            statement.on_conflict_do_update(index_elements=["person_id", *key], set_=dict(values))
        )

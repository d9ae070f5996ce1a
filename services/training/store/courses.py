"""Courses, their lessons and the versions of their quizzes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, and_, delete, insert, literal, select, text, tuple_, update

from access import Scope
from chassis.feed import NewEvent, publish
from services.training.domain.courses import Course, Lesson, Option, Question, Quiz
from services.training.tables import courses, lessons, quizzes

_LOCK: Final = text("SELECT singleton FROM catalogue FOR UPDATE")


@dataclass(frozen=True, slots=True)
class StoredCourse:
    """A course as stored; `revision` counts its changes from 1."""

    course: Course
    revision: int
    updated_at: datetime


class CourseStore:
    """The courses of the nodes the scope is a member of: at, below and above where it is granted."""

    def __init__(self, connection: Connection, scope: Scope) -> None:
        self._connection = connection
        self._scope = scope

    def lock(self) -> None:
        """One change of courses at a time, from here to the end of the transaction."""
        self._connection.execute(_LOCK)

    def course(self, course_id: str) -> StoredCourse | None:
        """A course with its lesson texts and questions."""
        query = _courses().where(courses.c.id == course_id, self._visible())
        row = self._connection.execute(query).one_or_none()
        if row is None:
            return None
        stored = _stored(row, self._lessons([course_id], texts=True).get(course_id, ()))
        return replace(stored, course=replace(stored.course, quiz=read_quiz(self._connection, stored.course)))

    def outlines(self, *, node_id: str, after: tuple[int, str] | None, limit: int) -> Sequence[StoredCourse]:
        """Outlines in learning order, of one node or (empty) of all, beyond a place in that order."""
        query = _courses().where(self._visible()).order_by(courses.c.place, courses.c.id).limit(limit)
        if node_id:
            query = query.where(courses.c.node_id == node_id)
        if after is not None:
            query = query.where(
                tuple_(courses.c.place, courses.c.id) > tuple_(literal(after[0]), literal(after[1]))
            )
        return self._outlines(query)

    def catalogue(self) -> Mapping[str, Course]:
        """Outlines of every course of the enterprise by id, to check links; never to be shown."""
        return {each.course.id: each.course for each in self._outlines(_courses())}

    def add(self, course: Course, *, at: datetime) -> StoredCourse:
        """Store a new course; its quiz becomes version 1."""
        quiz = replace(course.quiz, version=1) if course.quiz else None
        course = replace(course, quiz=quiz)
        self._connection.execute(
            insert(courses).values(id=course.id, revision=1, updated_at=at, **_row(course, quiz))
        )
        self._write_lessons(course)
        self._write_quiz(course)
        return StoredCourse(course, 1, at)

    def change(self, stored: StoredCourse, course: Course, *, at: datetime) -> StoredCourse:
        """Store the new values of a course; a quiz that asks or marks differently is a new version."""
        before, quiz = stored.course, course.quiz
        if quiz is not None:
            if quiz.says_the_same(before.quiz) and before.quiz is not None:
                quiz = before.quiz
            else:
                quiz = replace(quiz, version=self._last_version(course.id) + 1)
        course = replace(course, quiz=quiz)
        if course == before:
            return stored
        self._connection.execute(
            update(courses)
            .where(courses.c.id == course.id)
            .values(revision=stored.revision + 1, updated_at=at, **_row(course, quiz))
        )
        if course.lessons != before.lessons:
            self._connection.execute(delete(lessons).where(lessons.c.course_id == course.id))
            self._write_lessons(course)
        if quiz is not None and quiz != before.quiz:
            self._write_quiz(course)
        return StoredCourse(course, stored.revision + 1, at)

    def publish(self, events: Sequence[NewEvent]) -> None:
        """Events that commit with what was stored."""
        publish(self._connection, events)

    def exists(self, course_id: str) -> bool:
        """Whether the id is taken, visible or not."""
        found = self._connection.execute(select(courses.c.id).where(courses.c.id == course_id))
        return found.one_or_none() is not None

    def _visible(self) -> Any:
        return self._scope.member_clause(courses.c.node_id)

    def _outlines(self, query: Select[Any]) -> list[StoredCourse]:
        return outlines(self._connection, query)

    def _lessons(self, ids: Sequence[str], *, texts: bool) -> Mapping[str, tuple[Lesson, ...]]:
        return read_lessons(self._connection, ids, texts=texts)

    def _last_version(self, course_id: str) -> int:
        found = select(quizzes.c.version).where(quizzes.c.course_id == course_id)
        return max(self._connection.execute(found).scalars(), default=0)

    def _write_lessons(self, course: Course) -> None:
        self._connection.execute(
            insert(lessons),
            [
                {
                    "course_id": course.id,
                    "id": each.id,
                    "place": place,
                    "title": each.title,
                    "text": each.text,
                }
                for place, each in enumerate(course.lessons)
            ],
        )

    def _write_quiz(self, course: Course) -> None:
        if course.quiz is not None:
            self._connection.execute(
                insert(quizzes).values(
                    course_id=course.id,
                    version=course.quiz.version,
                    pass_mark=course.quiz.pass_mark,
                    questions=[_question_document(question) for question in course.quiz.questions],
                )
            )


def select_courses() -> Select[Any]:
    """Courses with the pass mark of the quiz in use, for `outlines`."""
    return _courses()


def outlines(connection: Connection, query: Select[Any]) -> list[StoredCourse]:
    """The outlines that a narrowed `select_courses()` finds."""
    rows = connection.execute(query).all()
    parts = read_lessons(connection, [row.id for row in rows], texts=False)
    return [_stored(row, parts.get(row.id, ())) for row in rows]


def read_lessons(
    connection: Connection, ids: Sequence[str], *, texts: bool
) -> Mapping[str, tuple[Lesson, ...]]:
    """The lessons of courses in order, by course."""
    columns = [lessons.c.course_id, lessons.c.id, lessons.c.title, *([lessons.c.text] if texts else [])]
    query = (
        select(*columns).where(lessons.c.course_id.in_(ids)).order_by(lessons.c.course_id, lessons.c.place)
    )
    found: dict[str, list[Lesson]] = {}
    for course_id, *values in connection.execute(query):
        found.setdefault(course_id, []).append(Lesson(*values))
    return {course_id: tuple(parts) for course_id, parts in found.items()}


def read_quiz(connection: Connection, outline: Course) -> Quiz | None:
    """The questions of the quiz an outline names."""
    if outline.quiz is None:
        return None
    query = select(quizzes.c.questions).where(
        quizzes.c.course_id == outline.id, quizzes.c.version == outline.quiz.version
    )
    questions = connection.execute(query).scalar_one()
    return replace(outline.quiz, questions=tuple(_question(document) for document in questions))


def _courses() -> Select[Any]:
    in_use = and_(quizzes.c.course_id == courses.c.id, quizzes.c.version == courses.c.quiz_version)
    return select(courses, quizzes.c.pass_mark).select_from(courses.outerjoin(quizzes, in_use))


def _row(course: Course, quiz: Quiz | None) -> dict[str, Any]:
    return {
        "node_id": course.node_id,
        "title": course.title,
        "summary": course.summary,
        "job_roles": sorted(course.job_roles),
        "place": course.order,
        "requires": course.requires or None,
        "remedial": course.remedial,
        "remedy": course.remedy or None,
        "minutes": course.minutes,
        "quiz_version": quiz.version if quiz else None,
    }


def _stored(row: Row[Any], parts: tuple[Lesson, ...]) -> StoredCourse:
    course = Course(
        id=row.id,
        node_id=row.node_id,
        title=row.title,
        summary=row.summary,
        job_roles=frozenset(row.job_roles),
        order=row.place,
        requires=row.requires or "",
        remedial=row.remedial,
        remedy=row.remedy or "",
        lessons=parts,
        quiz=Quiz(row.pass_mark, (), row.quiz_version) if row.quiz_version is not None else None,
        minutes=row.minutes,
    )
    return StoredCourse(course, row.revision, row.updated_at)


def _question_document(question: Question) -> dict[str, Any]:
    return {
        "id": question.id,
        "text": question.text,
        "options": [{"id": each.id, "text": each.text, "right": each.right} for each in question.options],
        "multiple": question.multiple,
        "points": question.points,
        "explanation": question.explanation,
    }


def _question(document: Mapping[str, Any]) -> Question:
    options = tuple(Option(each["id"], each["text"], each["right"]) for each in document["options"])
    return Question(**{**document, "options": options})

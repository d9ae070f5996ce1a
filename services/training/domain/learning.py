"""What a person has learnt, and what may be done next.

Everything a person does gets the next `step` of that person's own count, so that "after the failure" never
depends on a clock. A failed quiz whose course names a remedial course must be followed by the whole remedial
course, done after that failure, before the quiz is handed in again; each failure asks for it anew.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from types import MappingProxyType

from services.training.domain.courses import Course, in_learning_order
from services.training.domain.quizzes import Mark


class State(Enum):
    """Where a person is with a course."""

    LOCKED = "locked"
    OPEN = "open"
    STARTED = "started"
    REMEDIAL_DUE = "remedial due"
    RETAKE_OPEN = "retake open"
    PASSED = "passed"


@dataclass(frozen=True, slots=True)
class Done:
    """Something done at a step."""

    step: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at a quiz, marked against the version it was made against. `number` counts from 1 per course."""

    id: str
    person_id: str
    course_id: str
    number: int
    step: int
    quiz_version: int
    points: int
    possible: int
    pass_mark: int
    passed: bool
    submitted_at: datetime


@dataclass(frozen=True, slots=True)
class Record:
    """What a person did: last completion per lesson, attempts oldest first, last time each course was passed."""

    lessons: Mapping[str, Mapping[str, Done]] = field(default_factory=dict)
    attempts: Mapping[str, tuple[Attempt, ...]] = field(default_factory=dict)
    passes: Mapping[str, Done] = field(default_factory=dict)

    def with_lesson(self, course_id: str, lesson_id: str, done: Done) -> "Record":
        lessons = {**self.lessons.get(course_id, {}), lesson_id: done}
        return replace(self, lessons={**self.lessons, course_id: lessons})

    def with_attempt(self, attempt: Attempt) -> "Record":
        tries = (*self.attempts.get(attempt.course_id, ()), attempt)
        return replace(self, attempts={**self.attempts, attempt.course_id: tries})

    def with_pass(self, course_id: str, done: Done) -> "Record":
        return replace(self, passes={**self.passes, course_id: done})


@dataclass(frozen=True, slots=True)
class Progress:
    """A course on a person's path. `blocked_by` is the course to pass or do first, else empty."""

    course: Course
    state: State
    completed: tuple[str, ...]
    attempts: tuple[Attempt, ...]
    blocked_by: str = ""
    passed_at: datetime | None = None


class Refusal(Enum):
    """Why something may not be done now."""

    LOCKED = "the course before it is not passed yet"
    NOT_DUE = "a remedial course is done after a failed quiz"
    REMEDIAL_DUE = "the remedial course comes first"
    LESSONS_INCOMPLETE = "the lessons come first"
    ALREADY_PASSED = "it is passed already"
    NO_QUIZ = "the course has no quiz"


@dataclass(frozen=True, slots=True)
class Refused:
    """A refusal, and the course or lesson it is about."""

    why: Refusal
    about: str = ""


_NOTHING: Mapping[str, Done] = MappingProxyType({})


class Path:
    """The courses a person takes, and the record of what the person did."""

    def __init__(self, courses: Iterable[Course], record: Record) -> None:
        self.courses: Sequence[Course] = sorted(courses, key=in_learning_order)
        self.record = record
        self._by_id = {course.id: course for course in self.courses}

    def course(self, course_id: str) -> Course | None:
        return self._by_id.get(course_id)

    # Where the person is.

    def progress(self, course: Course) -> Progress:
        """Where the person is with a course of the path."""
        state, blocked_by = self._remedial_state(course) if course.remedial else self._state(course)
        since = self._since(course)
        done = self.record.lessons.get(course.id, _NOTHING)
        return Progress(
            course,
            state,
            tuple(each.id for each in course.lessons if each.id in done and done[each.id].step > since),
            self.record.attempts.get(course.id, ()),
            blocked_by,
            self._passed_at(course) if state is State.PASSED else None,
        )

    def shown(self) -> Sequence[Progress]:
        """The path in learning order; remedial courses only while due or once done."""
        all_ = [self.progress(course) for course in self.courses]
        return [each for each in all_ if not (each.course.remedial and each.state is State.LOCKED)]

    def next_course(self) -> str:
        """The course to do next; a remedial one before the course it remedies. Empty when nothing is left."""
        for course in self.courses:
            if course.remedial:
                continue
            state, blocked_by = self._state(course)
            if state is State.REMEDIAL_DUE:
                return blocked_by
            if state not in (State.PASSED, State.LOCKED):
                return course.id
        return ""

    def passed(self, course_id: str) -> bool:
        """Whether the course was ever passed; a pass is never taken back."""
        if course_id in self.record.passes:
            return True
        course = self._by_id.get(course_id)
        return course is not None and not course.remedial and self._done_since(course, 0)

    def locked(self) -> frozenset[str]:
        """Ids of the courses whose required course is not passed."""
        return frozenset(
            course.id
            for course in self.courses
            if not course.remedial and self._state(course)[0] is State.LOCKED
        )

    def due_since(self, remedial: Course) -> int | None:
        """The step of the latest failure the remedial course is due for; None when it is not due."""
        steps = [
            failed
            for course in self.courses
            if course.remedy == remedial.id
            and (failed := self._failed_at(course)) is not None
            and not self._done_since(remedial, failed)
        ]
        return max(steps, default=None)

    def _since(self, course: Course) -> int:
        """The step after which the course's lessons count."""
        return (self.due_since(course) or 0) if course.remedial else 0

    def _state(self, course: Course) -> tuple[State, str]:
        if self.passed(course.id):
            return State.PASSED, ""
        if course.requires and not self.passed(course.requires):
            return State.LOCKED, course.requires
        failed = self._failed_at(course)
        if failed is not None:
            remedy = self._by_id.get(course.remedy)
            if course.remedy and (remedy is None or not self._done_since(remedy, failed)):
                return State.REMEDIAL_DUE, course.remedy
            return State.RETAKE_OPEN, ""
        return (State.STARTED if self.record.lessons.get(course.id) else State.OPEN), ""

    def _remedial_state(self, course: Course) -> tuple[State, str]:
        since = self.due_since(course)
        if since is None:
            return (State.PASSED if course.id in self.record.passes else State.LOCKED), ""
        if any(attempt.step > since for attempt in self.record.attempts.get(course.id, ())):
            return State.RETAKE_OPEN, ""
        begun = any(done.step > since for done in self.record.lessons.get(course.id, _NOTHING).values())
        return (State.STARTED if begun else State.OPEN), ""

    def _failed_at(self, course: Course) -> int | None:
        """The step of the last attempt, where that failed and the course has not been passed since."""
        attempts = self.record.attempts.get(course.id, ())
        if not attempts or course.quiz is None or attempts[-1].passed or self.passed(course.id):
            return None
        return attempts[-1].step

    def _done_since(self, course: Course, since: int) -> bool:
        """Whether all of the course was done after a step."""
        known = self.record.passes.get(course.id)
        if known is not None and known.step > since:
            return True
        if self._missing(course, since):
            return False
        if course.quiz is None:
            return True
        return any(each.passed and each.step > since for each in self.record.attempts.get(course.id, ()))

    def _missing(self, course: Course, since: int) -> str:
        """The first lesson not completed after a step; empty when all are."""
        done = self.record.lessons.get(course.id, _NOTHING)
        for lesson in course.lessons:
            if lesson.id not in done or done[lesson.id].step <= since:
                return lesson.id
        return ""

    def _passed_at(self, course: Course) -> datetime | None:
        known = self.record.passes.get(course.id)
        if known is not None:
            return known.at
        done = self.record.lessons.get(course.id, _NOTHING)
        return max((each.at for each in done.values()), default=None)

    # What the person may do.

    def refuses_lesson(self, course: Course) -> Refused | None:
        """Why no lesson of the course can be completed now; None when one can."""
        state, blocked_by = self._remedial_state(course) if course.remedial else self._state(course)
        if state is State.LOCKED:
            return Refused(Refusal.NOT_DUE) if course.remedial else Refused(Refusal.LOCKED, blocked_by)
        return None

    def counts(self, course: Course, lesson_id: str) -> bool:
        """Whether the lesson is completed already, for as long as that holds."""
        done = self.record.lessons.get(course.id, _NOTHING).get(lesson_id)
        since = self._since(course)
        return done is not None and done.step > since

    def refuses_attempt(self, course: Course) -> Refused | None:
        """Why the quiz cannot be handed in now; None when it can."""
        state, blocked_by = self._remedial_state(course) if course.remedial else self._state(course)
        if state is State.LOCKED:
            return Refused(Refusal.NOT_DUE) if course.remedial else Refused(Refusal.LOCKED, blocked_by)
        if state is State.PASSED:
            return Refused(Refusal.ALREADY_PASSED)
        if state is State.REMEDIAL_DUE:
            return Refused(Refusal.REMEDIAL_DUE, blocked_by)
        if course.quiz is None:
            return Refused(Refusal.NO_QUIZ)
        since = self._since(course)
        missing = self._missing(course, since)
        return Refused(Refusal.LESSONS_INCOMPLETE, missing) if missing else None

    def complete_lesson(self, course: Course, lesson_id: str, done: Done) -> "Path":
        """The path after completing a lesson that is not refused; passes a course without a quiz."""
        path = Path(self.courses, self.record.with_lesson(course.id, lesson_id, done))
        since = self._since(course)
        news = course.remedial or not self.passed(course.id)
        if news and course.quiz is None and path._done_since(course, since):
            return Path(self.courses, path.record.with_pass(course.id, done))
        return path

    def hand_in(self, attempt: Attempt) -> "Path":
        """The path after an attempt that is not refused."""
        record = self.record.with_attempt(attempt)
        if attempt.passed:
            record = record.with_pass(attempt.course_id, Done(attempt.step, attempt.submitted_at))
        return Path(self.courses, record)

    def attempt(self, course: Course, mark: Mark, *, id: str, person_id: str, done: Done) -> Attempt:
        """The attempt that a marked quiz makes."""
        return Attempt(
            id=id,
            person_id=person_id,
            course_id=course.id,
            number=len(self.record.attempts.get(course.id, ())) + 1,
            step=done.step,
            quiz_version=course.quiz.version if course.quiz else 0,
            points=mark.points,
            possible=mark.possible,
            pass_mark=mark.pass_mark,
            passed=mark.passed,
            submitted_at=done.at,
        )

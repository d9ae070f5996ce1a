"""Protobuf to domain and back."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from foothold.training.v1 import courses_pb2, feed_pb2, learning_pb2
from google.protobuf.timestamp_pb2 import Timestamp

from chassis.feed import StoredEvent
from services.training.domain.courses import Course, Lesson, Option, Question, Quiz
from services.training.domain.learning import Attempt, Progress, State
from services.training.domain.quizzes import Answer, Mark

STATES: Final[Mapping[State, "learning_pb2.CourseState.ValueType"]] = {
    State.LOCKED: learning_pb2.COURSE_STATE_LOCKED,
    State.OPEN: learning_pb2.COURSE_STATE_OPEN,
    State.STARTED: learning_pb2.COURSE_STATE_STARTED,
    State.REMEDIAL_DUE: learning_pb2.COURSE_STATE_REMEDIAL_DUE,
    State.RETAKE_OPEN: learning_pb2.COURSE_STATE_RETAKE_OPEN,
    State.PASSED: learning_pb2.COURSE_STATE_PASSED,
}

CHANGEABLE: Final = frozenset(
    {
        "title",
        "summary",
        "job_roles",
        "order",
        "requires_course_id",
        "remedial",
        "remedial_course_id",
        "lessons",
        "quiz",
        "minutes",
    }
)
"""The paths an update mask may name."""

_NAMES: Final = {"requires_course_id": "requires", "remedial_course_id": "remedy"}


def to_course(message: courses_pb2.Course, *, id: str) -> Course:
    """The course of a request under an id; not yet checked."""
    return Course(
        id=id,
        node_id=message.node_id,
        title=message.title,
        summary=message.summary,
        job_roles=frozenset(message.job_roles),
        order=message.order,
        requires=message.requires_course_id,
        remedial=message.remedial,
        remedy=message.remedial_course_id,
        lessons=tuple(Lesson(each.id, each.title, each.text) for each in message.lessons),
        quiz=_to_quiz(message.quiz) if message.HasField("quiz") else None,
        minutes=message.minutes,
    )


def changed(course: Course, message: courses_pb2.Course, paths: Sequence[str]) -> Course:
    """The course with the values of a request for the paths of its mask, all of them in CHANGEABLE."""
    sent = to_course(message, id=course.id)
    names = [_NAMES.get(path, path) for path in paths]
    return replace(course, **{name: getattr(sent, name) for name in names})


def _to_quiz(message: courses_pb2.Quiz) -> Quiz:
    questions = tuple(
        Question(
            each.id,
            each.text,
            tuple(Option(option.id, option.text, option.right) for option in each.options),
            each.multiple,
            each.points,
            each.explanation,
        )
        for each in message.questions
    )
    return Quiz(message.pass_mark, questions)


def to_answers(messages: Sequence[learning_pb2.Answer]) -> Sequence[Answer]:
    return [Answer(each.question_id, tuple(each.option_ids)) for each in messages]


def from_course(
    course: Course, *, revision: int = 0, updated_at: datetime | None = None, key: bool = False
) -> courses_pb2.Course:
    """The course; what gives the right answers away only with `key`."""
    message = courses_pb2.Course(
        id=course.id,
        node_id=course.node_id,
        title=course.title,
        summary=course.summary,
        job_roles=sorted(course.job_roles),
        order=course.order,
        requires_course_id=course.requires,
        remedial=course.remedial,
        remedial_course_id=course.remedy,
        lessons=[courses_pb2.Lesson(id=each.id, title=each.title, text=each.text) for each in course.lessons],
        minutes=course.minutes,
        etag=str(revision) if revision else "",
    )
    if course.quiz is not None:
        message.quiz.CopyFrom(_from_quiz(course.quiz, key=key))
    if updated_at is not None:
        message.updated_at.FromDatetime(updated_at)
    return message


def _from_quiz(quiz: Quiz, *, key: bool) -> courses_pb2.Quiz:
    questions = [
        courses_pb2.Question(
            id=each.id,
            text=each.text,
            options=[
                courses_pb2.Option(id=option.id, text=option.text, right=key and option.right)
                for option in each.options
            ],
            multiple=each.multiple,
            points=each.points,
            explanation=each.explanation if key else "",
        )
        for each in quiz.questions
    ]
    return courses_pb2.Quiz(pass_mark=quiz.pass_mark, questions=questions, version=quiz.version)


def from_attempt(attempt: Attempt) -> learning_pb2.Attempt:
    return learning_pb2.Attempt(
        id=attempt.id,
        person_id=attempt.person_id,
        course_id=attempt.course_id,
        points=attempt.points,
        possible=attempt.possible,
        pass_mark=attempt.pass_mark,
        passed=attempt.passed,
        submitted_at=_instant(attempt.submitted_at),
        number=attempt.number,
        quiz_version=attempt.quiz_version,
    )


def from_progress(
    progress: Progress, *, revision: int = 0, updated_at: datetime | None = None
) -> learning_pb2.CourseProgress:
    message = learning_pb2.CourseProgress(
        course=from_course(progress.course, revision=revision, updated_at=updated_at),
        state=STATES[progress.state],
        completed_lesson_ids=progress.completed,
        attempts=[from_attempt(each) for each in progress.attempts],
        blocked_by_course_id=progress.blocked_by,
    )
    if progress.passed_at is not None:
        message.passed_at.CopyFrom(_instant(progress.passed_at))
    return message


def from_marks(quiz: Quiz, mark: Mark) -> Sequence[learning_pb2.QuestionResult]:
    """What was right; why only once the quiz is passed, so that a retake is still a test."""
    return [
        learning_pb2.QuestionResult(
            question_id=each.id,
            right=mark.right[each.id],
            explanation=each.explanation if mark.passed else "",
        )
        for each in quiz.questions
    ]


def course_changed(course: Course, *, revision: int, updated_at: datetime) -> feed_pb2.Event:
    """An event without its position; a follower learns everything but the right answers."""
    return feed_pb2.Event(course_changed=from_course(course, revision=revision, updated_at=updated_at))


def learning_changed(person_id: str, progress: Progress, attempt: Attempt | None) -> feed_pb2.Event:
    """An event without its position."""
    body = feed_pb2.LearningChanged(
        person_id=person_id, course_id=progress.course.id, state=STATES[progress.state]
    )
    if attempt is not None:
        body.attempt.CopyFrom(from_attempt(attempt))
    return feed_pb2.Event(learning_changed=body)


def from_stored_event(payload: bytes, *, position: int, occurred_at: datetime) -> feed_pb2.Event:
    """A published event with its position."""
    event = feed_pb2.Event.FromString(payload)
    event.position = position
    event.occurred_at.CopyFrom(_instant(occurred_at))
    return event


def states_of(event: StoredEvent) -> Sequence[str] | None:
    """A course as it is, and how far a person is with a course; attempts at quizzes are kept for good."""
    told = feed_pb2.Event.FromString(event.payload)
    if told.HasField("course_changed"):
        return ("",)
    return None if told.learning_changed.HasField("attempt") else (told.learning_changed.course_id,)


def _instant(at: datetime) -> Timestamp:
    message = Timestamp()
    message.FromDatetime(at)
    return message

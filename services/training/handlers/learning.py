"""LearningService."""

from typing import Final, NamedTuple, NoReturn

import grpc
from foothold.training.v1 import learning_pb2, learning_pb2_grpc
from sqlalchemy import Connection

from access import Caller, Scope, caller
from chassis.clock import Clock
from chassis.database import Database
from chassis.errors import FailedPrecondition, InvalidArgument, NotFound, PermissionDenied
from chassis.feed import NewEvent
from chassis.idempotency import answer_once
from chassis.ids import new_id
from chassis.paging import decode_token, encode_token
from chassis.validation import Fields
from services.training import wire
from services.training.domain.courses import MOST_QUESTIONS, Course
from services.training.domain.learning import Attempt, Done, Path, Refusal, Refused, State
from services.training.domain.quizzes import answer_faults, mark
from services.training.permissions import READ_LEARNING, TAKE
from services.training.store import LearningStore, StoredCourse

_SERVICE: Final = "/foothold.training.v1.LearningService/"
_REASONS: Final = {
    Refusal.LOCKED: ("COURSE_LOCKED", "requires"),
    Refusal.NOT_DUE: ("COURSE_LOCKED", "requires"),
    Refusal.REMEDIAL_DUE: ("RETAKE_LOCKED", "remedial"),
    Refusal.LESSONS_INCOMPLETE: ("LESSONS_INCOMPLETE", "lesson"),
    Refusal.ALREADY_PASSED: ("ALREADY_PASSED", ""),
}


class LearningHandler(learning_pb2_grpc.LearningServiceServicer):
    """What a person has learnt, and learning."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def GetLearning(
        self, request: learning_pb2.GetLearningRequest, context: grpc.ServicerContext
    ) -> learning_pb2.GetLearningResponse:
        by = caller(context)
        scope = by.scope(READ_LEARNING)
        fields = Fields()
        person_id = fields.identifier("person_id", request.person_id)
        fields.require_valid()
        with self._database.read() as connection:
            learner = _learner(connection, scope, person_id)
        shown = learner.path.shown()
        counted = [each for each in shown if not each.course.remedial]
        return learning_pb2.GetLearningResponse(
            courses=[learner.message(each.course) for each in shown],
            next_course_id=learner.path.next_course(),
            passed_count=sum(each.state is State.PASSED for each in counted),
            total_count=len(counted),
        )

    def CompleteLesson(
        self, request: learning_pb2.CompleteLessonRequest, context: grpc.ServicerContext
    ) -> learning_pb2.CompleteLessonResponse:
        by = caller(context)
        scope = _own(by)
        fields = Fields()
        fields.request_id(request.request_id)
        fields.identifier("course_id", request.course_id)
        lesson_id = fields.identifier("lesson_id", request.lesson_id)
        fields.require_valid()

        def complete(connection: Connection) -> learning_pb2.CompleteLessonResponse:
            store = LearningStore(connection, scope, by.person_id)
            done = Done(store.next_step(), self._clock.now())
            learner = _learner(connection, scope, by.person_id)
            course = learner.require(request.course_id)
            if lesson_id not in {lesson.id for lesson in course.lessons}:
                raise NotFound("LESSON_UNKNOWN", "There is no such lesson in the course.")
            _require_allowed(learner.path.refuses_lesson(course))
            if not learner.path.counts(course, lesson_id):
                after = learner.path.complete_lesson(course, lesson_id, done)
                store.write(learner.path, after, course.id)
                learner = learner._replace(path=after)
                _tell(store, learner, course, None)
            return learning_pb2.CompleteLessonResponse(progress=learner.message(course))

        with self._database.begin() as connection:
            return answer_once(
                connection,
                caller=by.id,
                method=f"{_SERVICE}CompleteLesson",
                request=request,
                response=learning_pb2.CompleteLessonResponse,
                produce=lambda: complete(connection),
            )

    def SubmitAttempt(
        self, request: learning_pb2.SubmitAttemptRequest, context: grpc.ServicerContext
    ) -> learning_pb2.SubmitAttemptResponse:
        by = caller(context)
        scope = _own(by)
        fields = Fields()
        fields.request_id(request.request_id)
        fields.identifier("course_id", request.course_id)
        fields.count("answers", len(request.answers), minimum=0, maximum=MOST_QUESTIONS)
        fields.integer("quiz_version", request.quiz_version, minimum=0)
        fields.require_valid()
        with self._database.begin() as connection:
            return answer_once(
                connection,
                caller=by.id,
                method=f"{_SERVICE}SubmitAttempt",
                request=request,
                response=learning_pb2.SubmitAttemptResponse,
                produce=lambda: self._submit(connection, scope, by, request),
            )

    def _submit(
        self, connection: Connection, scope: Scope, by: Caller, request: learning_pb2.SubmitAttemptRequest
    ) -> learning_pb2.SubmitAttemptResponse:
        store = LearningStore(connection, scope, by.person_id)
        done = Done(store.next_step(), self._clock.now())
        learner = _learner(connection, scope, by.person_id)
        outline = learner.require(request.course_id)
        before = learner.path
        _require_allowed(before.refuses_attempt(outline))
        quiz = store.with_questions(outline).quiz
        if quiz is None:
            _refuse_without_quiz()
        if request.quiz_version not in (0, quiz.version):
            raise FailedPrecondition(
                "QUIZ_CHANGED",
                "The quiz was changed since you read it; read the course again.",
                metadata={"version": str(quiz.version)},
            )
        answers = wire.to_answers(request.answers)
        if wrong := answer_faults(quiz, answers):
            raise InvalidArgument("ANSWERS_INVALID", "The answers do not fit the quiz.", fields=wrong)
        marked = mark(quiz, answers)
        attempt = before.attempt(outline, marked, id=new_id(), person_id=by.person_id, done=done)
        after = before.hand_in(attempt)
        store.write_attempt(attempt, answers)
        store.write(before, after, outline.id)
        learner = learner._replace(path=after)
        _tell(store, learner, outline, attempt)
        opened = before.locked() - after.locked()
        return learning_pb2.SubmitAttemptResponse(
            attempt=wire.from_attempt(attempt),
            results=wire.from_marks(quiz, marked),
            progress=learner.message(outline),
            unlocked_course_id=next((each.id for each in after.courses if each.id in opened), ""),
        )

    def ListAttempts(
        self, request: learning_pb2.ListAttemptsRequest, context: grpc.ServicerContext
    ) -> learning_pb2.ListAttemptsResponse:
        scope = caller(context).scope(READ_LEARNING)
        fields = Fields()
        person_id = fields.identifier("person_id", request.person_id)
        course_id = fields.identifier("course_id", request.course_id, required=False)
        size = fields.page_size(request.page_size)
        fields.require_valid()
        cursor = decode_token(request.page_token, query=request, shape=(int,))
        after = int(cursor[0] or 0) if cursor else 0
        with self._database.read() as connection:
            store = LearningStore(connection, scope, person_id)
            found = store.attempts(course_id=course_id, after=after, limit=size + 1)
        page, rest = found[:size], found[size:]
        return learning_pb2.ListAttemptsResponse(
            attempts=[wire.from_attempt(each) for each in page],
            next_page_token=encode_token((page[-1].step,), query=request) if rest else "",
        )


class _Learner(NamedTuple):
    """A person's path, and every course the person may see, whatever its job roles."""

    path: Path
    stored: dict[str, StoredCourse]

    def require(self, course_id: str) -> Course:
        """A course of the path."""
        course = self.path.course(course_id)
        if course is not None:
            return course
        if course_id in self.stored:
            raise FailedPrecondition("COURSE_NOT_FOR_ROLE", "The course is not for your job role.")
        raise NotFound("COURSE_UNKNOWN", "There is no such course.")

    def message(self, course: Course) -> learning_pb2.CourseProgress:
        stored = self.stored[course.id]
        return wire.from_progress(
            self.path.progress(course), revision=stored.revision, updated_at=stored.updated_at
        )


def _learner(connection: Connection, scope: Scope, person_id: str) -> _Learner:
    store = LearningStore(connection, scope, person_id)
    person = scope.caller.directory.person(person_id)
    job_role = person.job_role if person else ""
    stored = {each.course.id: each for each in store.courses()}
    courses = [each.course for each in stored.values() if each.course.is_for(job_role)]
    return _Learner(Path(courses, store.record()), stored)


def _own(by: Caller) -> Scope:
    """The scope of somebody who learns: people only, and for themselves only."""
    scope = by.scope(TAKE)
    if not by.person_id or not scope.covers(by.person_id):
        raise PermissionDenied(
            "PERMISSION_MISSING", "Only people can learn, each for themselves.", metadata={"permission": TAKE}
        )
    return scope


def _tell(store: LearningStore, learner: _Learner, course: Course, attempt: Attempt | None) -> None:
    event = wire.learning_changed(store.person_id, learner.path.progress(course), attempt)
    store.publish([NewEvent("learning_changed", store.person_id, event.SerializeToString())])


def _require_allowed(refused: Refused | None) -> None:
    if refused is None:
        return
    if refused.why is Refusal.NO_QUIZ:
        _refuse_without_quiz()
    reason, key = _REASONS[refused.why]
    metadata = {key: refused.about} if key and refused.about else {}
    raise FailedPrecondition(reason, f"Not now: {refused.why.value}.", metadata=metadata)


def _refuse_without_quiz() -> NoReturn:
    raise FailedPrecondition("ANSWERS_INVALID", "The course has no quiz; complete its lessons.")

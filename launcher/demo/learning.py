"""The demo's courses, and how far its newcomers are with them: some ahead, one in the remedial course."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, Final

from foothold.training.v1 import courses_pb2, courses_pb2_grpc, learning_pb2, learning_pb2_grpc

from launcher.demo.acting import acting
from launcher.demo.enterprise import DemoPerson, courses, enterprise
from launcher.reaching import Reached

_ALL: Final = 100
_PATH: Final = (
    "product-and-customer",
    "first-follow-up",
    "finding-needs",
    "objections-and-closing",
    "customer-care",
)
# Course -> scores of the attempts made at it, in order.
_Scores = Mapping[str, Sequence[int]]
_JOURNEYS: Final[Mapping[str, _Scores]] = {
    "star": {_PATH[0]: [100], _PATH[1]: [90], _PATH[2]: [100], _PATH[3]: [80], _PATH[4]: [100]},
    "strong": {_PATH[0]: [80], _PATH[1]: [100], _PATH[2]: [100], _PATH[3]: [90]},
    "steady": {_PATH[0]: [90], _PATH[1]: [80], _PATH[2]: [100]},
    "threshold": {_PATH[0]: [100], _PATH[1]: [70, 90], _PATH[2]: [100]},
    "stuck": {_PATH[0]: [80], _PATH[1]: [80], _PATH[2]: [100], _PATH[3]: [50]},
    "rising": {_PATH[0]: [100], _PATH[1]: [100]},
    "reversal": {_PATH[0]: [90], _PATH[1]: [100], _PATH[2]: [100], _PATH[3]: [90]},
    "stopped": {_PATH[0]: [80]},
    "learning": {_PATH[0]: [100], _PATH[1]: []},
    "new": {},
}


def teach(reached: Reached) -> None:
    """Add the courses."""
    stub = courses_pb2_grpc.CoursesServiceStub(reached.channel("training"))
    for told in courses():
        course = courses_pb2.Course(
            id=told["id"],
            node_id=told["node"],
            title=told["title"],
            summary=told["summary"],
            job_roles=["sales"],
            order=told["order"],
            requires_course_id=told.get("requires", ""),
            remedial=told.get("is_remedial", False),
            remedial_course_id=told.get("remedial", ""),
            lessons=[courses_pb2.Lesson(**lesson) for lesson in told["lessons"]],
            minutes=told["minutes"],
        )
        if "questions" in told:
            course.quiz.pass_mark = told["pass_mark"]
            course.quiz.questions.extend(_question(question) for question in told["questions"])
        stub.CreateCourse(courses_pb2.CreateCourseRequest(request_id=f"demo-{course.id}", course=course))


def _question(told: Mapping[str, Any]) -> courses_pb2.Question:
    return courses_pb2.Question(
        id=told["id"],
        text=told["text"],
        points=told["points"],
        multiple=told.get("multiple", False),
        explanation=told["explanation"],
        options=[courses_pb2.Option(**option) for option in told["options"]],
    )


def learn(reached: Reached) -> int:
    """Let the newcomers who have not begun take their courses, each signed in as themselves; attempts made."""
    made = 0
    for person in enterprise().newcomers:
        journey = _JOURNEYS[person.story]
        if journey and not _begun(reached, person):
            made += _take(reached, person, journey)
    return made


def _begun(reached: Reached, person: DemoPerson) -> bool:
    stub = learning_pb2_grpc.LearningServiceStub(reached.channel("training"))
    answer = stub.GetLearning(learning_pb2.GetLearningRequest(person_id=person.id))
    return any(each.completed_lesson_ids or each.attempts for each in answer.courses)


def _take(reached: Reached, person: DemoPerson, journey: _Scores) -> int:
    told = {course["id"]: course for course in courses()}
    made = 0
    with acting(reached, person.login) as own:
        stub = learning_pb2_grpc.LearningServiceStub(own.channel("training"))
        for course_id, scores in journey.items():
            course = told[course_id]
            _read(stub, course, all_of_it=bool(scores))
            for attempt, score in enumerate(scores):
                if attempt:
                    _read(stub, told[course["remedial"]], all_of_it=True)
                stub.SubmitAttempt(
                    learning_pb2.SubmitAttemptRequest(
                        request_id=f"demo-{course_id}-{attempt}",
                        course_id=course_id,
                        answers=answers_for(course["questions"], score),
                    )
                )
                made += 1
    return made


def _read(stub: learning_pb2_grpc.LearningServiceStub, course: Mapping[str, Any], *, all_of_it: bool) -> None:
    for lesson in course["lessons"] if all_of_it else course["lessons"][:1]:
        stub.CompleteLesson(
            learning_pb2.CompleteLessonRequest(
                request_id=f"demo-{course['id']}-{lesson['id']}"[:64],
                course_id=course["id"],
                lesson_id=lesson["id"],
            )
        )


def answers_for(questions: Sequence[Mapping[str, Any]], score: int) -> list[learning_pb2.Answer]:
    """Answers that earn exactly `score` of the hundred points, as few wrong ones as that takes."""
    wrong = _adding_up_to(questions, _ALL - score)
    return [
        learning_pb2.Answer(
            question_id=question["id"],
            option_ids=[
                option["id"]
                for option in question["options"]
                if option.get("right", False) is (question["id"] not in wrong)
            ][: None if question["id"] not in wrong else 1],
        )
        for question in questions
    ]


def _adding_up_to(questions: Sequence[Mapping[str, Any]], points: int) -> frozenset[str]:
    for size in range(len(questions) + 1):
        for chosen in itertools.combinations(questions, size):
            if sum(question["points"] for question in chosen) == points:
                return frozenset(question["id"] for question in chosen)
    raise ValueError(f"no questions add up to {points} points")

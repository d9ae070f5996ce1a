"""Small courses for tests."""

from datetime import UTC, datetime
from typing import Any

from foothold.training.v1 import courses_pb2

from services.training.domain.courses import Course, Lesson, Option, Question, Quiz

NOW = datetime(2025, 3, 3, 9, tzinfo=UTC)


def question(id: str = "q1", *, right: str = "a", points: int = 1, multiple: bool = False) -> Question:
    """A question with the options a, b and c, of which those in `right` are."""
    options = tuple(Option(each, f"Option {each}", each in right) for each in "abc")
    return Question(id, f"Which of {id}?", options, multiple, points, f"Because of {id}.")


def quiz(*points: int, pass_mark: int = 80) -> Quiz:
    """A quiz with a question for each number of points; `a` is always right."""
    return Quiz(
        pass_mark, tuple(question(f"q{n}", points=each) for n, each in enumerate(points, 1)), version=1
    )


def course(id: str, **changes: Any) -> Course:
    """A course with two lessons and no quiz."""
    values: dict[str, Any] = {
        "node_id": "hq",
        "title": f"Course {id}",
        "summary": "",
        "job_roles": frozenset(),
        "order": 0,
        "requires": "",
        "remedial": False,
        "remedy": "",
        "lessons": (Lesson("l1", "One", "# One"), Lesson("l2", "Two", "# Two")),
        "quiz": None,
        "minutes": 30,
    }
    return Course(id=id, **{**values, **changes})


def course_message(id: str, node_id: str = "hq", **changes: Any) -> courses_pb2.Course:
    """A course with one lesson and, unless `quiz=None`, a quiz of ten questions of ten points, pass mark 80."""
    values: dict[str, Any] = {
        "id": id,
        "node_id": node_id,
        "title": f"课程 {id}",
        "summary": "会说价格。",
        "lessons": [courses_pb2.Lesson(id="l1", title="第一课", text="# 价格\n\n先听，再说。")],
        "quiz": quiz_message(*[10] * 10),
        "minutes": 30,
    }
    values.update(changes)
    if values["quiz"] is None:
        del values["quiz"]
    return courses_pb2.Course(**values)


def quiz_message(*points: int, pass_mark: int = 80) -> courses_pb2.Quiz:
    """A quiz with a question for each number of points; `a` is always right."""
    return courses_pb2.Quiz(
        pass_mark=pass_mark,
        questions=[
            courses_pb2.Question(
                id=f"q{n}",
                text=f"问题 {n}？",
                options=[courses_pb2.Option(id=each, text=each, right=each == "a") for each in "abc"],
                points=each,
                explanation=f"因为 {n}。",
            )
            for n, each in enumerate(points, 1)
        ],
    )

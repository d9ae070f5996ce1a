"""A course, and what makes one valid by itself."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

ID: Final = re.compile(r"[a-z0-9-]{1,64}")
PART_ID: Final = re.compile(r"[a-z0-9-]{1,40}")
JOB_ROLE: Final = re.compile(r"[a-z0-9_-]{1,40}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
# CommonMark needs its line breaks and tabs.
_CONTROL_IN_TEXT: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

MOST_JOB_ROLES: Final = 50
MOST_LESSONS: Final = 50
MOST_QUESTIONS: Final = 100
MOST_OPTIONS: Final = 10


@dataclass(frozen=True, slots=True)
class Lesson:
    """A lesson; `text` is CommonMark, empty in an outline."""

    id: str
    title: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Option:
    """What can be chosen as an answer."""

    id: str
    text: str
    right: bool


@dataclass(frozen=True, slots=True)
class Question:
    """A question; right when exactly the right options are chosen, and then worth `points`."""

    id: str
    text: str
    options: tuple[Option, ...]
    multiple: bool
    points: int
    explanation: str = ""


@dataclass(frozen=True, slots=True)
class Quiz:
    """A quiz. `pass_mark` in whole percent of the points; `version` counts from 1, 0 before it is stored."""

    pass_mark: int
    questions: tuple[Question, ...]
    version: int = 0

    def says_the_same(self, other: "Quiz | None") -> bool:
        """Whether both ask and mark alike, whatever their versions."""
        return other is not None and (self.pass_mark, self.questions) == (other.pass_mark, other.questions)


@dataclass(frozen=True, slots=True)
class Course:
    """A course of a node, for everybody at or below it who has one of `job_roles` (all when empty).

    An outline is a course whose lessons have no text and whose quiz has no questions.
    """

    id: str
    node_id: str
    title: str
    summary: str
    job_roles: frozenset[str]
    order: int
    requires: str
    remedial: bool
    remedy: str
    lessons: tuple[Lesson, ...]
    quiz: Quiz | None
    minutes: int

    def is_for(self, job_role: str) -> bool:
        """Whether people of the job role take it."""
        return not self.job_roles or job_role in self.job_roles


def in_learning_order(course: Course) -> tuple[int, str]:
    """Sorts courses as they are to be learnt."""
    return course.order, course.id


def faults(course: Course) -> Mapping[str, str]:
    """What is wrong with the course by itself: field path in the contract's words -> what it must be."""
    return dict(_faults(course))


_Faults = Iterator[tuple[str, str]]


def _faults(course: Course) -> _Faults:
    if not ID.fullmatch(course.id):
        yield "course.id", "must be 1 to 64 characters of a-z 0-9 -"
    yield from _line("course.title", course.title, longest=100)
    yield from _line("course.summary", course.summary, longest=500, shortest=0)
    if len(course.job_roles) > MOST_JOB_ROLES:
        yield "course.job_roles", f"must be at most {MOST_JOB_ROLES}"
    elif not all(JOB_ROLE.fullmatch(role) for role in course.job_roles):
        yield "course.job_roles", "each must be 1 to 40 characters of a-z 0-9 _ -"
    yield from _between("course.order", course.order, 0, 10_000)
    yield from _between("course.minutes", course.minutes, 1, 1_000)
    for field, other in (
        ("course.requires_course_id", course.requires),
        ("course.remedial_course_id", course.remedy),
    ):
        if other and not ID.fullmatch(other):
            yield field, "must be 1 to 64 characters of a-z 0-9 -"
        elif other and other == course.id:
            yield field, "must be another course"
        elif other and course.remedial:
            yield field, "must be empty for a remedial course"
    yield from _lessons(course.lessons)
    if course.remedy and course.quiz is None:
        yield "course.remedial_course_id", "needs a quiz that can be failed"
    if course.quiz is not None:
        yield from _quiz(course.quiz)


def _lessons(lessons: Sequence[Lesson]) -> _Faults:
    yield from _between("course.lessons", len(lessons), 1, MOST_LESSONS)
    yield from _ids("course.lessons", [lesson.id for lesson in lessons])
    for index, lesson in enumerate(lessons):
        at = f"course.lessons[{index}]"
        yield from _line(f"{at}.title", lesson.title, longest=100)
        if len(lesson.text) > 50_000:  # noqa: PLR2004  the contract's limit
            yield f"{at}.text", "must be at most 50000 characters"
        elif _CONTROL_IN_TEXT.search(lesson.text):
            yield f"{at}.text", "must not have control characters"


def _quiz(quiz: Quiz) -> _Faults:
    yield from _between("course.quiz.pass_mark", quiz.pass_mark, 1, 100)
    yield from _between("course.quiz.questions", len(quiz.questions), 1, MOST_QUESTIONS)
    yield from _ids("course.quiz.questions", [question.id for question in quiz.questions])
    for index, question in enumerate(quiz.questions):
        yield from _question(f"course.quiz.questions[{index}]", question)


def _question(at: str, question: Question) -> _Faults:
    yield from _line(f"{at}.text", question.text, longest=1_000)
    yield from _line(f"{at}.explanation", question.explanation, longest=1_000, shortest=0)
    yield from _between(f"{at}.points", question.points, 1, 1_000)
    yield from _between(f"{at}.options", len(question.options), 2, MOST_OPTIONS)
    yield from _ids(f"{at}.options", [option.id for option in question.options])
    for index, option in enumerate(question.options):
        yield from _line(f"{at}.options[{index}].text", option.text, longest=500)
    right = sum(option.right for option in question.options)
    if not right:
        yield f"{at}.options", "one must be right"
    elif right > 1 and not question.multiple:
        yield f"{at}.multiple", "must be set where more than one option is right"


def _line(field: str, value: str, *, longest: int, shortest: int = 1) -> _Faults:
    if not shortest <= len(value) <= longest or (shortest and not value.strip()):
        yield field, f"must be {shortest} to {longest} characters"
    elif _CONTROL.search(value):
        yield field, "must be one line without control characters"


def _between(field: str, value: int, low: int, high: int) -> _Faults:
    if not low <= value <= high:
        yield field, f"must be {low} to {high}"


def _ids(field: str, ids: Sequence[str]) -> _Faults:
    seen: set[str] = set()
    for index, id_ in enumerate(ids):
        if not PART_ID.fullmatch(id_):
            yield f"{field}[{index}].id", "must be 1 to 40 characters of a-z 0-9 -"
        elif id_ in seen:
            yield f"{field}[{index}].id", "must differ from the others"
        seen.add(id_)

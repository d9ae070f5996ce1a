"""A trainer's courses: writing them, and who has passed what."""

import re
from collections.abc import Mapping
from typing import Any, Final

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from foothold.training.v1 import courses_pb2
from google.protobuf.field_mask_pb2 import FieldMask
from werkzeug.wrappers import Response

from chassis.errors import Failure
from chassis.ids import new_id
from services.gateway import paging
from services.gateway.clients import ask
from services.gateway.doors import needs
from services.gateway.faults import faults
from services.gateway.language import _
from services.gateway.me import me
from services.gateway.pages import learning
from services.gateway.parts import clients
from services.gateway.problems import message_of, status_of
from services.gateway.sections import section
from services.gateway.sending import request_id

blueprint = Blueprint("courses", __name__)
_PEOPLE_SHOWN: Final = 25
_PATHS: Final = (
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
)
# Where the contract's fields stand in the form.
_INPUTS: Final = (
    (re.compile(r"course\.lessons\[(\d+)\]\.(title|text)"), r"lesson-\1-\2"),
    (re.compile(r"course\.quiz\.questions\[(\d+)\]\.options\[(\d+)\]\.text"), r"question-\1-option-\2-text"),
    (re.compile(r"course\.quiz\.questions\[(\d+)\]\.(text|points|explanation)"), r"question-\1-\2"),
    (re.compile(r"course\.quiz\.(pass_mark)"), r"\1"),
    (re.compile(r"course\.(title|summary|node_id|minutes|order|job_roles|\w+_course_id)"), r"\1"),
)


def _all() -> list[courses_pb2.Course]:
    answer = ask(clients().courses.ListCourses, courses_pb2.ListCoursesRequest(page_size=1000))
    return list(answer.courses)


def titles() -> dict[str, str]:
    """What the courses that the reader may see are called, by id; none where they cannot be read."""
    return {each.id: each.title for each in section(_all).content or ()}


@blueprint.get("/courses")
@needs("training.courses.write")
def overview() -> str:
    return render_template("courses.html", courses=section(_all), places=places())


def places() -> dict[str, str]:
    """Names of all nodes the reader may know."""
    return {node.id: node.name for node in me().directory.nodes()}


def _writable() -> list[tuple[str, str]]:
    directory = me().directory
    return [
        (node.id, node.name)
        for node in sorted(directory.nodes(), key=lambda node: (len(directory.ancestors(node.id)), node.name))
        if node.kind.value in (1, 2) and me().covers("training.courses.write", node.id)
    ]


def _editor(course: courses_pb2.Course, *, trouble: str = "", wrong: dict[str, str] | None = None) -> str:
    return render_template(
        "course_editor.html",
        course=course,
        nodes=_writable(),
        others=[each for each in _all() if each.id != course.id],
        request_id=new_id(),
        trouble=trouble,
        wrong=wrong or {},
    )


def _by_input(fields: Mapping[str, str]) -> dict[str, str]:
    """What is wrong, by the form's inputs; what has no input of its own keeps the contract's name."""
    found: dict[str, str] = {}
    for name, why in faults(fields).items():
        inputs = (place.sub(to, name) for place, to in _INPUTS if place.fullmatch(name))
        found[next(inputs, name)] = why
    return found


@blueprint.get("/courses/new")
@needs("training.courses.write")
def new() -> str:
    blank = courses_pb2.Course(minutes=20, order=10, lessons=[courses_pb2.Lesson(id="lesson-1")])
    nodes = _writable()
    if nodes:
        blank.node_id = nodes[0][0]
    return _editor(blank)


@blueprint.get("/courses/<course_id>")
@needs("training.courses.write")
def edit(course_id: str) -> str:
    course = ask(clients().courses.GetCourse, courses_pb2.GetCourseRequest(course_id=course_id)).course
    if not me().covers("training.courses.write", course.node_id):
        abort(403)
    return _editor(course)


@blueprint.post("/courses/new")
@blueprint.post("/courses/<course_id>")
@needs("training.courses.write")
def save(course_id: str = "") -> Response | str | tuple[str, int]:
    course = read_course(course_id)
    action = request.form.get("action", "save")
    if action != "save":
        _grow(course, action)
        return _editor(course)
    try:
        if course_id:
            update = courses_pb2.UpdateCourseRequest(
                request_id=request_id(), course=course, update_mask=FieldMask(paths=_PATHS)
            )
            ask(clients().courses.UpdateCourse, update)
        else:
            ask(
                clients().courses.CreateCourse,
                courses_pb2.CreateCourseRequest(request_id=request_id(), course=course),
            )
    except Failure as failure:
        if status_of(failure) in (401, 403):
            raise
        return _editor(course, trouble=message_of(failure), wrong=_by_input(failure.fields)), status_of(
            failure
        )
    flash(_("Saved: %(title)s.", title=course.title))
    return redirect(url_for("courses.overview"), 303)


def _grow(course: courses_pb2.Course, action: str) -> None:
    """Add or remove a lesson, a question or an option; what was typed stays."""
    kind, _sep, at = action.partition("-")
    index = int(at) if at.isdigit() and len(at) < 4 else 0  # noqa: PLR2004
    if kind == "lesson" and len(course.lessons) < 50:  # noqa: PLR2004
        course.lessons.add(id=_fresh("lesson", [each.id for each in course.lessons]))
    elif kind == "question" and len(course.quiz.questions) < 100:  # noqa: PLR2004
        course.quiz.pass_mark = course.quiz.pass_mark or 80
        question = course.quiz.questions.add(
            id=_fresh("question", [each.id for each in course.quiz.questions]), points=10
        )
        question.options.add(id="a", right=True)
        question.options.add(id="b")
    elif kind == "option" and index < len(course.quiz.questions):
        options = course.quiz.questions[index].options
        if len(options) < 10:  # noqa: PLR2004
            options.add(id=_fresh("option", [each.id for each in options]))
    elif kind == "droplesson" and index < len(course.lessons):
        del course.lessons[index]
    elif kind == "dropquestion" and index < len(course.quiz.questions):
        del course.quiz.questions[index]
        if not course.quiz.questions:
            course.ClearField("quiz")


def _fresh(stem: str, taken: list[str]) -> str:
    return next(name for number in range(1, 1000) if (name := f"{stem}-{number}") not in taken)


def _whole(name: str, default: int, most: int) -> int:
    text = request.form.get(name, "").strip()
    return min(int(text), most) if text.isascii() and text.isdigit() and len(text) < 7 else default  # noqa: PLR2004


def read_course(course_id: str) -> courses_pb2.Course:
    """The course as typed. Whether it holds together is training's to say."""
    form = request.form
    course = courses_pb2.Course(
        id=course_id,
        node_id=form.get("node_id", "")[:64],
        title=form.get("title", "").strip(),
        summary=form.get("summary", "").strip(),
        job_roles=[role.strip() for role in form.get("job_roles", "").split(",") if role.strip()][:20],
        order=_whole("order", 10, 10_000),
        requires_course_id=form.get("requires_course_id", "")[:64],
        remedial=form.get("remedial") == "yes",
        remedial_course_id=form.get("remedial_course_id", "")[:64],
        minutes=_whole("minutes", 20, 1_000),
        etag=form.get("etag", "")[:200],
    )
    for index in range(min(_whole("lessons", 0, 50), 50)):
        course.lessons.add(
            id=form.get(f"lesson-{index}-id", "")[:40],
            title=form.get(f"lesson-{index}-title", "").strip(),
            text=form.get(f"lesson-{index}-text", "").replace("\r\n", "\n"),
        )
    questions = min(_whole("questions", 0, 100), 100)
    if questions:
        course.quiz.pass_mark = _whole("pass_mark", 80, 100)
    for index in range(questions):
        _read_question(course.quiz, f"question-{index}")
    return course


def _read_question(quiz: courses_pb2.Quiz, name: str) -> None:
    form = request.form
    question = quiz.questions.add(
        id=form.get(f"{name}-id", "")[:40],
        text=form.get(f"{name}-text", "").strip(),
        points=_whole(f"{name}-points", 10, 1_000),
        explanation=form.get(f"{name}-explanation", "").strip(),
    )
    right = set(form.getlist(f"{name}-right"))
    for option in range(min(_whole(f"{name}-options", 2, 10), 10)):
        option_id = form.get(f"{name}-option-{option}-id", "")[:40]
        text = form.get(f"{name}-option-{option}-text", "").strip()
        question.options.add(id=option_id, text=text, right=option_id in right)
    question.multiple = len(right) > 1


@blueprint.get("/coverage")
@needs("training.learning.read", groups=True)
def coverage() -> str:
    return render_template("coverage.html", coverage=section(_coverage))


def _coverage() -> dict[str, Any]:
    """Newcomers by course, a page at a time."""
    who = me()
    directory = who.directory
    ids = {each for node in who.groups("training.learning.read") for each in directory.active_under(node)}
    people = sorted(
        (
            person
            for each in ids
            if (person := directory.person(each)) and directory.may(each, "training.learning.take", each)
        ),
        key=lambda person: person.employee_number,
    )
    page = paging.page(people, _PEOPLE_SHOWN)
    courses: dict[str, courses_pb2.Course] = {}
    rows = []
    for person in page.rows:
        path = learning.path_of(person.id)
        states = {each.course.id: each for each in path.answer.courses}
        courses |= {each.course.id: each.course for each in path.answer.courses if not each.course.remedial}
        if states:
            rows.append((person, path, states))
    ordered = sorted(courses.values(), key=lambda course: (course.order, course.id))
    return {"rows": rows, "courses": ordered, "page": page}

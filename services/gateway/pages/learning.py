"""The learning path, lessons, quizzes, and every attempt."""

import re
from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from foothold.training.v1 import courses_pb2, learning_pb2
from markdown_it import MarkdownIt
from markupsafe import Markup
from werkzeug.wrappers import Response

from chassis.errors import Failure
from chassis.ids import new_id
from services.gateway.clients import ask
from services.gateway.doors import needs
from services.gateway.language import _
from services.gateway.me import me
from services.gateway.parts import clients
from services.gateway.problems import message_of, status_of
from services.gateway.sections import section

blueprint = Blueprint("learning", __name__)
# html off: raw HTML in a lesson is shown as text. Images would load from elsewhere, so they are not drawn.
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LONGEST_VERSION: Final = 9
_MARKDOWN: Final = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
_ALIGNED: Final = ("th_open", "td_open")


@dataclass(frozen=True, slots=True)
class Path:
    """A person's learning, with the course to do next."""

    answer: learning_pb2.GetLearningResponse

    @property
    def next(self) -> learning_pb2.CourseProgress | None:
        return self.find(self.answer.next_course_id)

    def find(self, course_id: str) -> learning_pb2.CourseProgress | None:
        return next((each for each in self.answer.courses if each.course.id == course_id), None)

    def title(self, course_id: str) -> str:
        found = self.find(course_id)
        return found.course.title if found else ""


def path_of(person_id: str) -> Path:
    """Failure from training when the person is not the caller's to see."""
    return Path(ask(clients().learning.GetLearning, learning_pb2.GetLearningRequest(person_id=person_id)))


def rendered(text: str) -> Markup:
    """A lesson's CommonMark as markup that holds nothing of the author's own HTML."""
    tokens = _MARKDOWN.parse(text)
    for token in tokens:
        if token.type in _ALIGNED and "right" in str(token.attrs.pop("style", "")):
            # The policy of our pages forbids inline styles.
            token.attrSet("class", "number")
    made = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})
    return Markup(made)  # noqa: S704  the renderer escapes everything it does not make itself


@blueprint.get("/learning")
@needs("training.learning.take", own=True)
def path() -> str:
    return render_template(
        "learning.html", watches=f"learning@{me().id}", course=section(lambda: path_of(me().id))
    )


@blueprint.get("/learning/list")
@needs("training.learning.take", own=True)
def listed() -> str:
    return render_template("learning_list.html", course=section(lambda: path_of(me().id)))


def _course(course_id: str) -> tuple[Path, learning_pb2.CourseProgress, courses_pb2.Course]:
    mine = path_of(me().id)
    progress = mine.find(course_id)
    if progress is None:
        abort(404)
    course = ask(clients().courses.GetCourse, courses_pb2.GetCourseRequest(course_id=course_id)).course
    return mine, progress, course


@blueprint.get("/learning/<course_id>")
@needs("training.learning.take", own=True)
def course(course_id: str) -> str:
    mine, progress, found = _course(course_id)
    lesson_id = request.args.get("lesson", "")
    done = set(progress.completed_lesson_ids)
    shown = next((each for each in found.lessons if each.id == lesson_id), None) or next(
        (each for each in found.lessons if each.id not in done), None
    )
    return render_template(
        "course.html",
        watches=f"learning@{me().id}",
        path=mine,
        progress=progress,
        course=found,
        done=done,
        shown=shown,
        text=rendered(shown.text) if shown else "",
        request_id=new_id(),
        quiz_open=bool(found.quiz.questions) and len(done) >= len(found.lessons),
    )


@blueprint.post("/learning/<course_id>/lessons/<lesson_id>")
@needs("training.learning.take", own=True)
def complete(course_id: str, lesson_id: str) -> Response:
    asked = learning_pb2.CompleteLessonRequest(
        request_id=_request_id(), course_id=course_id, lesson_id=lesson_id
    )
    try:
        answer = ask(clients().learning.CompleteLesson, asked)
    except Failure as failure:
        if status_of(failure) != 409:  # noqa: PLR2004
            raise
        flash(message_of(failure))
        return redirect(url_for("learning.course", course_id=course_id), 303)
    if answer.progress.state == learning_pb2.COURSE_STATE_PASSED:
        flash(_("Course done. Well read!"))
        return redirect(url_for("learning.path"), 303)
    return redirect(url_for("learning.course", course_id=course_id), 303)


def _request_id() -> str:
    given = request.form.get("request_id", "")
    return given if _REQUEST_ID.fullmatch(given) else new_id()


@blueprint.get("/learning/<course_id>/quiz")
@needs("training.learning.take", own=True)
def quiz(course_id: str) -> Response | str:
    mine, progress, found = _course(course_id)
    open_states = (
        learning_pb2.COURSE_STATE_OPEN,
        learning_pb2.COURSE_STATE_STARTED,
        learning_pb2.COURSE_STATE_RETAKE_OPEN,
    )
    if progress.state not in open_states or not found.quiz.questions:
        return redirect(url_for("learning.course", course_id=course_id), 303)
    return render_template(
        "quiz.html", path=mine, progress=progress, course=found, request_id=new_id(), trouble="", chosen={}
    )


@blueprint.post("/learning/<course_id>/quiz")
@needs("training.learning.take", own=True)
def hand_in(course_id: str) -> Response | str | tuple[str, int]:
    mine, progress, found = _course(course_id)
    chosen = {question.id: request.form.getlist(f"q-{question.id}")[:10] for question in found.quiz.questions}
    asked = learning_pb2.SubmitAttemptRequest(
        request_id=_request_id(),
        course_id=course_id,
        quiz_version=_quiz_version(found),
        answers=[
            learning_pb2.Answer(question_id=question, option_ids=[option[:40] for option in options])
            for question, options in chosen.items()
        ],
    )
    try:
        answer = ask(clients().learning.SubmitAttempt, asked)
    except Failure as failure:
        status = status_of(failure)
        if failure.reason in ("ALREADY_PASSED", "RETAKE_LOCKED", "LESSONS_INCOMPLETE", "COURSE_LOCKED"):
            flash(message_of(failure))
            return redirect(url_for("learning.course", course_id=course_id), 303)
        if failure.reason == "QUIZ_CHANGED":
            flash(message_of(failure))
            return redirect(url_for("learning.quiz", course_id=course_id), 303)
        if status not in (400, 409, 503):
            raise
        page = render_template(
            "quiz.html",
            path=mine,
            progress=progress,
            course=found,
            request_id=asked.request_id,
            trouble=message_of(failure),
            chosen=chosen,
        )
        return page, status
    return render_template("quiz_result.html", **_result(answer, found))


def _quiz_version(found: courses_pb2.Course) -> int:
    """Which version the page showed; the present one where the form does not say."""
    told = request.form.get("quiz_version", "")
    return (
        int(told)
        if told.isascii() and told.isdigit() and len(told) <= _LONGEST_VERSION
        else found.quiz.version
    )


def _result(answer: learning_pb2.SubmitAttemptResponse, found: courses_pb2.Course) -> dict[str, Any]:
    texts = {question.id: question.text for question in found.quiz.questions}
    mine = path_of(me().id)
    return {
        "answer": answer,
        "course": found,
        "path": mine,
        "texts": texts,
        "right": sum(1 for each in answer.results if each.right),
        "unlocked": mine.find(answer.unlocked_course_id) if answer.unlocked_course_id else None,
        "blocked": mine.find(answer.progress.blocked_by_course_id) or None,
    }

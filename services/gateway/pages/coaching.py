"""Coaching tasks: all that wait, answering one's own, closing them."""

from collections.abc import Iterator
from typing import Any, Final

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from foothold.goals.v1 import coaching_pb2
from werkzeug.wrappers import Response as BaseResponse

from chassis.errors import Failure
from chassis.ids import new_id
from services.gateway import coaching_reading, words
from services.gateway.clients import ask
from services.gateway.coaching_reading import (
    CLOSED,
    MOST,
    NOT_CLOSED,
    STATE,
    may_coach,
    tasks_of,
)
from services.gateway.doors import needs
from services.gateway.faults import faults
from services.gateway.figures import to_date
from services.gateway.formats import cell
from services.gateway.language import _
from services.gateway.me import me
from services.gateway.pages.goals import name_of
from services.gateway.pages.people import groups
from services.gateway.parts import clients
from services.gateway.problems import from_htmx, message_of, status_of
from services.gateway.sections import section
from services.gateway.sending import request_id
from services.gateway.spreadsheets import download

blueprint = Blueprint("coaching", __name__)
_SHOWN: Final = 50
_PAGES: Final = 20
_STATES: Final = {
    "": NOT_CLOSED,
    "open": (STATE.COACHING_TASK_STATE_OPEN,),
    "answered": (STATE.COACHING_TASK_STATE_ANSWERED,),
    "late": NOT_CLOSED,
    "closed": CLOSED,
}
_OUTCOMES: Final = {"done": STATE.COACHING_TASK_STATE_DONE, "withdrawn": STATE.COACHING_TASK_STATE_WITHDRAWN}
NOT_OF_THE_FORM: Final = (401, 403, 404)


def _request(size: int, page: str) -> coaching_pb2.ListTasksRequest:
    state = request.args.get("state", "")
    return coaching_pb2.ListTasksRequest(
        node_id=request.args.get("node", "")[:64],
        states=_STATES.get(state, NOT_CLOSED),
        late=state == "late",
        page_size=size,
        page_token=page,
    )


def _found() -> dict[str, Any]:
    page = request.args.get("page", "")[:2000]
    answer = ask(clients().coaching.ListTasks, _request(_SHOWN, page))
    return {"answer": answer, "first_page": not page, "state": request.args.get("state", "")}


@blueprint.get("/coaching")
@needs("goals.coaching.write")
def overview() -> str:
    if from_htmx():
        template = "coaching_rows.html" if request.args.get("page") else "coaching_list.html"
        return render_template(template, found=section(_found), swapped=True, **_told())
    return _page()


def _page(*, trouble: str = "", refused: str = "") -> str:
    """All tasks; `refused` is the id of the one whose form was, which keeps what was typed."""
    who = me()
    nodes = groups("goals.coaching.write")
    watched = who.groups("goals.coaching.write") or who.mentees("goals.coaching.write")
    return render_template(
        "coaching.html",
        found=section(_found),
        watches=",".join(f"coaching@{node}" for node in watched[:_SHOWN]),
        nodes=nodes,
        trouble=trouble,
        refused=refused,
        **_told(),
    )


def _told() -> dict[str, Any]:
    """What every list of tasks needs to say them."""
    return {"name_of": lambda id: name_of(me(), id), "new_id": new_id, "may_coach": may_coach}


@blueprint.get("/coaching.csv")
@needs("goals.coaching.write")
def export() -> Response:
    """The tasks as filtered, as CSV for a spreadsheet."""
    head = [
        *(
            _("Employee number"),
            _("Name"),
            _("Situation"),
            _("Target"),
            _("What to do"),
            _("Due"),
            _("State"),
        ),
        *(_("Late"), _("Answer"), _("Opened by")),
    ]
    return download("coaching.csv", head, map(_row, _everything()))


def _row(task: coaching_pb2.CoachingTask) -> list[str]:
    person, due = me().directory.person(task.person_id), to_date(task.due_day)
    cells = [
        person.employee_number if person else "",
        person.name if person else "",
        str(words.SITUATIONS.get(task.situation, ("", ""))[1]),
        words.metric(task.metric) if task.metric else "",
        task.text,
        due.isoformat() if due else "",
        str(words.TASKS.get(task.state, ("", ""))[1]),
        _("late") if task.late else "",
        task.answer,
        name_of(me(), task.opener_id),
    ]
    return [cell(each) for each in cells]


def _everything() -> Iterator[coaching_pb2.CoachingTask]:
    page = ""
    for _turn in range(_PAGES):
        answer = ask(clients().coaching.ListTasks, _request(MOST, page))
        yield from answer.tasks
        page = answer.next_page_token
        if not page:
            return


@blueprint.get("/coaching/mine")
@needs("goals.coaching.answer", own=True)
def mine() -> str:
    return _mine()


def _mine(*, trouble: str = "", refused: str = "") -> str:
    def load() -> coaching_reading.Coaching:
        open_ones, past = tasks_of(me().id, NOT_CLOSED, MOST), tasks_of(me().id, CLOSED, _SHOWN)
        return coaching_reading.Coaching((), open_ones, past)

    return render_template(
        "coaching_mine.html",
        coaching=section(load),
        trouble=trouble,
        refused=refused,
        **_told(),
    )


@blueprint.post("/coaching/<task_id>/answer")
@needs("goals.coaching.answer", own=True)
def answer(task_id: str) -> BaseResponse | tuple[str, int]:
    asked = coaching_pb2.AnswerTaskRequest(
        request_id=request_id(), task_id=task_id[:64], answer=request.form.get("answer", "").strip()
    )
    try:
        told = ask(clients().coaching.AnswerTask, asked).task
    except Failure as failure:
        if status_of(failure) in NOT_OF_THE_FORM:
            raise
        trouble = next(iter(faults(failure.fields).values()), message_of(failure))
        return _mine(trouble=trouble, refused=task_id), status_of(failure)
    flash(_("Answered. %(name)s sees it.", name=name_of(me(), told.opener_id) or _("Your manager")))
    return redirect(url_for("today.home"), 303)


@blueprint.post("/coaching/<task_id>/close")
@needs("goals.coaching.write")
def close(task_id: str) -> BaseResponse | tuple[str, int]:
    asked = coaching_pb2.CloseTaskRequest(
        request_id=request_id(),
        task_id=task_id[:64],
        outcome=_OUTCOMES.get(request.form.get("outcome", ""), STATE.COACHING_TASK_STATE_UNSPECIFIED),
        note=request.form.get("note", "").strip(),
    )
    try:
        told = ask(clients().coaching.CloseTask, asked).task
    except Failure as failure:
        if status_of(failure) in NOT_OF_THE_FORM:
            raise
        trouble = next(iter(faults(failure.fields).values()), message_of(failure))
        return _page(trouble=trouble, refused=task_id), status_of(failure)
    withdrawn = told.state == STATE.COACHING_TASK_STATE_WITHDRAWN
    flash(_("Taken back. It is kept with your note.") if withdrawn else _("Closed as done."))
    if request.form.get("back") == "person":
        return redirect(url_for("team.person", person_id=told.person_id), 303)
    return redirect(url_for("coaching.overview"), 303)

"""Making boards, with who would stand where beside the form, and ending them."""

import re
from typing import Any, Final

from flask import flash, redirect, render_template, request, url_for
from foothold.incentives.v1 import boards_pb2, values_pb2
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from chassis.errors import Failure
from chassis.ids import new_id
from services.gateway import board_words, plan_forms, words
from services.gateway.clients import ask
from services.gateway.doors import needs
from services.gateway.language import _
from services.gateway.me import me
from services.gateway.pages.boards import WRITE, blueprint
from services.gateway.pages.standards import metrics
from services.gateway.parts import clients
from services.gateway.problems import from_htmx, message_of, status_of
from services.gateway.sections import section
from services.gateway.sending import request_id

_NUMBER: Final = re.compile(r"[0-9]{1,7}")
_PERIODS: Final = {"week": values_pb2.PERIOD_KIND_WEEK, "month": values_pb2.PERIOD_KIND_MONTH}
_MEASURES: Final = {"level": boards_pb2.Board.MEASURE_LEVEL, "change": board_words.CHANGE}
_NUMBERS: Final = ("minimum_denominator", "tenure_from", "tenure_to")


def _read(form: MultiDict[str, str]) -> tuple[boards_pb2.Board, dict[str, str]]:
    """The board a form says, and what is wrong with it by field."""
    wrong: dict[str, str] = {}
    name = form.get("name", "").strip()
    if not 1 <= len(name) <= 60:  # noqa: PLR2004  as in the contract
        wrong["name"] = _("A name of 1 to 60 characters, please.")
    numbers = {}
    for field in _NUMBERS:
        typed = form.get(field, "").strip()
        numbers[field] = int(typed) if _NUMBER.fullmatch(typed) else 0
        if typed and not _NUMBER.fullmatch(typed):
            wrong[field] = _("A whole number, please.")
    if numbers["tenure_to"] and numbers["tenure_to"] < numbers["tenure_from"]:
        wrong["tenure_to"] = _("This is before the first month.")
    metric = form.get("metric", "")
    if metric not in {each.name for each in plan_forms.payable(metrics())}:
        wrong["metric"] = _("Choose what is ranked.")
    board = boards_pb2.Board(
        name=name,
        metric=metric,
        period_kind=_PERIODS.get(form.get("period", ""), values_pb2.PERIOD_KIND_MONTH),
        measure=_MEASURES.get(form.get("measure", ""), boards_pb2.Board.MEASURE_LEVEL),
        job_role=form.get("job_role", "").strip(),
        honour=form.get("honour", "").strip()[:30],
        minimum_denominator=numbers["minimum_denominator"],
        tenure_from=numbers["tenure_from"],
        tenure_to=numbers["tenure_to"],
    )
    return board, wrong


@blueprint.get("/boards/new")
@needs(WRITE)
def new() -> str:
    return _editor(request.args)


@blueprint.post("/boards/new")
@needs(WRITE)
def create() -> Response | str | tuple[str, int]:
    form = request.form
    board, wrong = _read(form)
    if from_htmx() or form.get("action") == "look":
        return _editor(form, wrong=wrong if form.get("action") == "look" else None)
    if wrong:
        return _editor(form, wrong=wrong), 422
    try:
        asked = boards_pb2.CreateBoardRequest(request_id=request_id(), board=board)
        made = ask(clients().boards.CreateBoard, asked).board
    except Failure as failure:
        if status_of(failure) in (401, 403):
            raise
        return _editor(form, trouble=message_of(failure)), status_of(failure)
    flash(_("There is a new board: %(name)s.", name=made.name))
    return redirect(url_for("boards.overview", board=made.id), 303)


@blueprint.post("/boards/<board_id>/end")
@needs(WRITE)
def end(board_id: str) -> Response:
    ask(
        clients().boards.EndBoard,
        boards_pb2.EndBoardRequest(request_id=request_id(), board_id=board_id[:64]),
    )
    flash(_("The board has ended; its past is kept."))
    return redirect(url_for("boards.overview", board=board_id[:64]), 303)


@blueprint.post("/boards/<board_id>/resume")
@needs(WRITE)
def resume(board_id: str) -> Response:
    ask(
        clients().boards.ResumeBoard,
        boards_pb2.ResumeBoardRequest(request_id=request_id(), board_id=board_id[:64]),
    )
    flash(_("The board goes on."))
    return redirect(url_for("boards.overview", board=board_id[:64]), 303)


def _editor(form: MultiDict[str, str], *, wrong: dict[str, str] | None = None, trouble: str = "") -> str:
    return render_template(
        "board_editor.html",
        form=form,
        wrong=wrong or {},
        trouble=trouble,
        preview=section(lambda: _preview(form)),
        metrics=[(each.name, words.metric(each.name)) for each in plan_forms.payable(metrics())],
        job_roles=words.JOB_ROLES,
        tells=board_words,
        request_id=new_id(),
    )


def _preview(form: MultiDict[str, str]) -> dict[str, Any]:
    """Who would stand where in the whole enterprise; nothing while the form says no board."""
    board, wrong = _read(form)
    if {*wrong} - {"name"}:
        return {}
    board.name = board.name[:60] or "-"
    asked = boards_pb2.PreviewBoardRequest(board=board, node_id=me().directory.root_id)
    return {"board": board, "answer": ask(clients().boards.PreviewBoard, asked)}

"""Objectives and key results: how far each is, how it came to be, and the form that sets one."""

from datetime import timedelta
from typing import Any, Final

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from foothold.goals.v1 import objectives_pb2
from google.protobuf.timestamp_pb2 import Timestamp
from werkzeug.wrappers import Response

from chassis.errors import Failure, NotFound
from chassis.ids import new_id
from services.gateway import goal_words, history, objective_forms, period_forms
from services.gateway.clients import ask
from services.gateway.doors import needs
from services.gateway.figures import from_date, to_date
from services.gateway.language import _
from services.gateway.me import me
from services.gateway.pages.goals import is_date, name_of
from services.gateway.pages.people import groups
from services.gateway.pages.standards import metrics
from services.gateway.parts import clients, parts, today
from services.gateway.past import past
from services.gateway.problems import status_of
from services.gateway.sections import section
from services.gateway.sending import request_id

blueprint = Blueprint("objectives", __name__)
_SHOWN: Final = 20
_VERSIONS: Final = 10
_MOST_PEOPLE: Final = 300
_READ, _WRITE = "goals.objectives.read", "goals.objectives.write"


def _scored(objective_id: str, known: Timestamp | None = None) -> objectives_pb2.ObjectiveScore:
    """One objective with its score. NotFound OBJECTIVE_UNKNOWN."""
    asked = objectives_pb2.GetObjectiveRequest(objective_id=objective_id[:64], known_at=known)
    if known is None:
        past().ask(asked)
    return ask(clients().objectives.GetObjective, asked).score


def _shown() -> dict[str, Any]:
    """What every page of objectives is written with."""
    day = past().day
    return {
        "goals": goal_words,
        "name_of": lambda person_id: name_of(me(), person_id),
        "is_person": lambda node_id: me().directory.person(node_id) is not None,
        "holds_then": lambda one: (
            (to_date(one.first_day) or day) <= day < (to_date(one.end_day) or day + timedelta(days=1))
        ),
        "directions": {each.name: each.direction for each in metrics()},
        "weight_text": objective_forms.weight_text,
        "new_id": new_id,
    }


@blueprint.get("/objectives")
@needs(_READ)
def overview() -> str:
    args = request.args
    every = args.get("all") == "yes"
    back = past()
    day = is_date(args.get("on", "")) or back.day
    asked = objectives_pb2.ListObjectivesRequest(
        node_id=args.get("node", "")[:64],
        on=None if every else from_date(day),
        page_size=_SHOWN,
        page_token=args.get("page", "")[:2000],
    )
    back.ask(asked)
    return render_template(
        "objectives.html",
        answer=section(lambda: ask(clients().objectives.ListObjectives, asked)),
        places=_places(_READ),
        on=day,
        every=every,
        may_write=back.at is None and me().holds(_WRITE),
        taken_back=_taken_back(),
        watches=f"progress@{me().id}" if back.at is None and me().own("goals.progress.read") else "",
        **_shown(),
    )


def _places(permission: str) -> dict[str, str]:
    """The reader's groups, and the people in them, if they are not too many."""
    directory, places = me().directory, groups(permission)
    people = [each for each in directory.people() if each.active and me().covers(permission, each.id)]
    if len(people) <= _MOST_PEOPLE:
        named = sorted(people, key=lambda person: (person.name, person.id))
        places |= {each.id: f"{each.name} {each.employee_number}" for each in named}
    node_id = request.args.get("node", "")[:64]
    if node_id and node_id not in places and me().covers(permission, node_id):
        places[node_id] = goal_words.name(node_id)
    return places


def _taken_back() -> tuple[objectives_pb2.Objective, int] | None:
    """What was just taken back, and when it was last known; None where there is nothing to bring back."""
    objective_id, known = request.args.get("back", ""), history.moment_in(request.args.get("until", ""))
    if not objective_id or known is None:
        return None
    try:
        return _scored(objective_id, known).objective, known.ToMicroseconds()
    except NotFound:
        return None


@blueprint.get("/objectives/<objective_id>")
@needs(_READ)
def one(objective_id: str) -> str:
    return _page(objective_id)


def _page(objective_id: str, *, trouble: str = "", wrong: dict[str, str] | None = None) -> str:
    scored, now = _scored(objective_id), past().at is None
    return render_template(
        "objective.html",
        scored=scored,
        changes=section(lambda: _changes(objective_id)),
        may_write=now and me().covers(_WRITE, scored.objective.node_id),
        watches=_watched(scored.objective.node_id) if now else "",
        trouble=trouble,
        wrong=wrong or {},
        **_shown(),
    )


def _watched(node_id: str) -> str:
    """What an open page listens for: a person's figures. A department's change with everybody's every event."""
    is_person = me().directory.person(node_id) is not None
    return f"progress@{node_id}" if is_person and me().covers("goals.progress.read", node_id) else ""


def _changes(objective_id: str) -> dict[str, Any]:
    found = history.versions(
        lambda known: _scored(objective_id, known).objective,
        lambda objective: objective.recorded_at,
        known=history.moment_in(request.args.get("before", "")),
        most=_VERSIONS,
    )
    full = len(found) == _VERSIONS
    return {
        "versions": found,
        "next": history.just_before(found[-1].recorded_at).ToMicroseconds() if full else 0,
        "newest": "before" not in request.args,
    }


def _editor(
    rows: list[objective_forms.ResultRow],
    objective: objectives_pb2.Objective | None,
    *,
    trouble: str = "",
    wrong: dict[str, str] | None = None,
) -> str:
    """The form with what was typed; at first with what stands."""
    form = request.form
    first = (to_date(objective.first_day) if objective else None) or today()
    span = period_forms.span_name(objective.period_kind, first) if objective else f"q{(first.month + 2) // 3}"
    sources = {each.goal_id or each.target_id: each for each in objective.key_results} if objective else {}
    return render_template(
        "objective_editor.html",
        objective=objective,
        rows=rows,
        sources=sources,
        places=_places(_WRITE),
        metrics=[each for each in metrics() if not each.rolling_days],
        years=period_forms.years(first),
        spans=period_forms.spans(),
        title=form.get("title", objective.title if objective else ""),
        year=form.get("year", str(first.year)),
        span=form.get("span", span),
        forms=objective_forms,
        form=form,
        trouble=trouble,
        wrong=wrong or {},
        request_id=new_id(),
        goals=goal_words,
    )


@blueprint.get("/objectives/new")
@needs(_WRITE)
def new() -> str:
    return _editor([objective_forms.ResultRow()], None)


@blueprint.post("/objectives/new")
@needs(_WRITE)
def add() -> Response | str | tuple[str, int]:
    return _save(None)


@blueprint.get("/objectives/<objective_id>/edit")
@needs(_WRITE)
def edit(objective_id: str) -> str:
    objective = _writable(objective_id)
    return _editor(objective_forms.rows_from(objective), objective)


@blueprint.post("/objectives/<objective_id>/edit")
@needs(_WRITE)
def change(objective_id: str) -> Response | str | tuple[str, int]:
    return _save(_writable(objective_id))


def _writable(objective_id: str) -> objectives_pb2.Objective:
    objective = _scored(objective_id).objective
    if not me().covers(_WRITE, objective.node_id):
        abort(403)
    return objective


def _save(objective: objectives_pb2.Objective | None) -> Response | str | tuple[str, int]:
    form = request.form
    rows = objective_forms.rows_of(form)
    other = objective_forms.changed(rows, form.get("action", "save"))
    if other is not None:
        return _editor(other, objective)
    told, wrong = objective_forms.objective_of(form, rows, metrics(), parts().settings.currency)
    if objective is not None:
        told.id, told.node_id = objective.id, objective.node_id
        if not told.reason:
            wrong["reason"] = _("Say why; it is kept with your name.")
    if wrong:
        trouble = _("Something in the form does not fit. Look at the marked fields; what you typed is kept.")
        return _editor(rows, objective, trouble=trouble, wrong=wrong), 422
    try:
        stored = _set(told)
    except Failure as failure:
        if status_of(failure) in (401, 403):
            raise
        trouble, fields = objective_forms.refused(failure, rows)
        return _editor(rows, objective, trouble=trouble, wrong=fields), status_of(failure)
    flash(_("Saved: %(title)s.", title=stored.title))
    return redirect(url_for("objectives.one", objective_id=stored.id), 303)


def _set(told: objectives_pb2.Objective) -> objectives_pb2.Objective:
    asked = objectives_pb2.SetObjectiveRequest(request_id=request_id(), objective=told)
    return ask(clients().objectives.SetObjective, asked).objective


@blueprint.post("/objectives/<objective_id>/restore")
@needs(_WRITE)
def restore(objective_id: str) -> Response | tuple[str, int]:
    """As it was at an earlier time, once more; one that was taken back comes back as a new one."""
    known = history.moment_in(request.form.get("known", ""))
    if known is None:
        abort(404)
    told = _scored(objective_id, known).objective
    told.reason = request.form.get("reason", "").strip()[:500]
    try:
        _scored(objective_id)
    except NotFound:
        told.id = ""
    try:
        stored = _set(told)
    except Failure as failure:
        if status_of(failure) in (401, 403, 404) or not told.id:
            raise
        trouble, fields = objective_forms.refused(failure, ())
        return _page(objective_id, trouble=trouble, wrong=fields), status_of(failure)
    flash(_("Saved: %(title)s.", title=stored.title))
    return redirect(url_for("objectives.one", objective_id=stored.id), 303)


@blueprint.post("/objectives/<objective_id>/withdraw")
@needs(_WRITE)
def withdraw(objective_id: str) -> Response | tuple[str, int]:
    reason = request.form.get("reason", "").strip()[:500]
    if not reason:
        return _page(objective_id, wrong={"reason": _("Say why; it is kept with your name.")}), 422
    asked = objectives_pb2.WithdrawObjectiveRequest(
        request_id=request_id(), objective_id=objective_id[:64], reason=reason
    )
    was = ask(clients().objectives.WithdrawObjective, asked).objective
    until = history.just_before(was.recorded_at).ToMicroseconds()
    return redirect(url_for("objectives.overview", back=was.id, until=until), 303)

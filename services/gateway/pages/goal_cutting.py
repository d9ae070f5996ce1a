"""Cutting a goal into shares: shown first, to the cent and with their sum, then applied as shown."""

from dataclasses import dataclass, field
from typing import Final

from flask import abort, flash, redirect, render_template, request, url_for
from foothold.goals.v1 import allocation_pb2, cascade_pb2
from werkzeug.wrappers import Response

from chassis.errors import Failure
from chassis.ids import new_id
from services.gateway import cutting_forms, goal_words, period_forms, standards_forms, words
from services.gateway.clients import ask
from services.gateway.doors import needs
from services.gateway.language import _, ngettext
from services.gateway.me import me
from services.gateway.pages.goal_setting import blueprint
from services.gateway.pages.goal_tree import view_of
from services.gateway.paging import Page
from services.gateway.parts import clients, parts
from services.gateway.problems import status_of
from services.gateway.sending import request_id

__all__ = ["blueprint"]
_SHOWN: Final = 50
_TOLD: Final = 1000
_SECONDS: Final = 60.0


@dataclass(slots=True)
class _Cut:
    """The form as it is shown: what was typed, what it would give, and what is wrong with it."""

    into: str
    method: str = "equal"
    weights: dict[str, int] = field(default_factory=dict)
    found: allocation_pb2.AllocateGoalResponse | None = None
    number: int = 1
    trouble: str = ""
    wrong: dict[str, str] = field(default_factory=dict)

    @property
    def page(self) -> Page[allocation_pb2.AllocationShare]:
        shares = self.found.shares if self.found else []
        last = -(-len(shares) // _SHOWN) or 1
        number = max(1, min(self.number, last))
        return Page(shares[(number - 1) * _SHOWN : number * _SHOWN], number, len(shares), _SHOWN)


def _form(view: cascade_pb2.GoalView, cut: _Cut) -> str:
    page = cut.page
    by_time = cut.into in cutting_forms.BY_TIME
    shown = {cutting_forms.key_of(each) for each in page.rows}
    hidden = {} if by_time else {key: value for key, value in cut.weights.items() if key not in shown}
    return render_template(
        "goal_cut.html",
        view=view,
        goal=view.goal,
        cut=cut,
        page=page,
        by_time=by_time,
        months=period_forms.month_names(),
        hidden=hidden if cut.method == "weighted" else {},
        total=cutting_forms.sum_of(cut.found.shares) if cut.found and len(cut.found.shares) < _TOLD else None,
        forms=cutting_forms,
        form=request.form,
        job_roles=words.JOB_ROLES,
        request_id=new_id(),
        goals=goal_words,
    )


@blueprint.get("/goals/<goal_id>/cut")
@needs("goals.targets.write", groups=True)
def cut(goal_id: str) -> str:
    view = view_of(goal_id)
    if not me().covers("goals.targets.write", view.goal.node_id):
        abort(403)
    return _form(view, _Cut(cutting_forms.usual_into(view.goal, me().directory)))


@blueprint.post("/goals/<goal_id>/cut")
@needs("goals.targets.write", groups=True)
def apply(goal_id: str) -> Response | str | tuple[str, int]:
    form, action = request.form, request.form.get("action", "show")
    view = view_of(goal_id)
    weights, wrong_weights = cutting_forms.weights_of(form)
    told = _Cut(form.get("into", "")[:20], form.get("method", "")[:20], weights, wrong=wrong_weights)
    told.number = _number(action)
    asked, wrong = _asked(view.goal, told)
    told.wrong |= wrong
    if told.method != "weighted":
        told.wrong = {name: why for name, why in told.wrong.items() if not name.startswith("weight-")}
    try:
        if wrong:
            return _form(view, told), 422
        _fill_weights(told, asked)
        if told.wrong:
            asked.steps[0].ClearField("weights")
            told.found = _preview(asked, evenly=True)
            return _form(view, told), 422
        if action != "apply":
            told.found = _preview(asked)
            return _form(view, told)
        if not form.get("reason", "").strip():
            told.wrong["reason"] = _("Say why; it is kept with your name.")
            told.found = _preview(asked)
            return _form(view, told), 422
        asked.request_id = request_id()
        made = ask(clients().allocation.AllocateGoal, asked, seconds=_SECONDS)
    except Failure as failure:
        if status_of(failure) in (401, 403, 404):
            raise
        told.trouble, fields = goal_words.refused(failure)
        told.wrong |= fields
        return _form(view, told), status_of(failure)
    flash(
        ngettext("%(num)s goal was set below.", "%(num)s goals were set below.", made.made)
        + (_(" Their sum is what was divided, to the cent.") if made.HasField("divided") else "")
    )
    return redirect(url_for("tree.one", goal_id=goal_id) + "#children", 303)


def _number(action: str) -> int:
    """The page of the shares that a button asks for."""
    text = action.removeprefix("page-")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 1  # noqa: PLR2004


def _asked(goal: cascade_pb2.Goal, told: _Cut) -> tuple[allocation_pb2.AllocateGoalRequest, dict[str, str]]:
    """The request as typed, and what is wrong by field."""
    form = request.form
    step, wrong = cutting_forms.step_of(form, told.weights)
    asked = allocation_pb2.AllocateGoalRequest(
        goal_id=goal.id, steps=[step], reason=form.get("reason", "").strip()[:500]
    )
    text = form.get("amount", "").strip()
    amount = standards_forms.value_of(text, goal.value.unit, parts().settings.currency) if text else None
    if amount is not None:
        asked.amount.CopyFrom(amount)
    elif text:
        wrong["amount"] = _("A number, please; rates in percent.")
    return asked, wrong


def _fill_weights(told: _Cut, asked: allocation_pb2.AllocateGoalRequest) -> None:
    """Give everybody who stands below a weight where weights are asked for: 1 where none was typed."""
    if told.method != "weighted":
        return
    if told.into in cutting_forms.BY_TIME:
        keys = list(cutting_forms.TWELVE)
    else:
        below = _preview(asked, evenly=True)
        if below.told_for > len(below.shares):
            told.wrong["method"] = _("There are too many below for weights by hand; cut it level by level.")
            return
        keys = [cutting_forms.key_of(each) for each in below.shares]
    told.weights = {key: told.weights.get(key, 1) for key in keys}
    step = asked.steps[0]
    step.ClearField("weights")
    step.weights.extend(
        allocation_pb2.AllocationStep.Weight(key=key, weight=weight) for key, weight in told.weights.items()
    )


def _preview(
    asked: allocation_pb2.AllocateGoalRequest, *, evenly: bool = False
) -> allocation_pb2.AllocateGoalResponse:
    """What a request would give; `evenly` tells only among whom."""
    shown = allocation_pb2.AllocateGoalRequest()
    shown.CopyFrom(asked)
    shown.validate_only = True
    if evenly:
        shown.steps[0].ClearField("weights")
        shown.steps[0].method = cascade_pb2.GOAL_METHOD_EQUAL
    return ask(clients().allocation.AllocateGoal, shown, seconds=_SECONDS)

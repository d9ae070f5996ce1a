"""What branches set for the numbers of a plan: proposed there, approved where the plan is."""

from collections.abc import Callable
from datetime import date
from typing import Final, NamedTuple

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from foothold.goals.v1 import targets_pb2, values_pb2
from foothold.incentives.v1 import parameters_pb2, plans_pb2
from werkzeug.wrappers import Response

from chassis.errors import Failure
from chassis.ids import new_id
from services.gateway import plan_findings, plan_numbers, standards_forms, words
from services.gateway.clients import ask
from services.gateway.doors import needs
from services.gateway.faults import faults
from services.gateway.figures import from_date, to_date
from services.gateway.language import _
from services.gateway.me import me
from services.gateway.pages.goals import is_date, name_of, place
from services.gateway.pages.people import groups
from services.gateway.parts import clients, parts, today
from services.gateway.plan_numbers import Number
from services.gateway.problems import from_htmx, status_of
from services.gateway.sections import section
from services.gateway.sending import request_id

blueprint = Blueprint("plan_numbers", __name__)
_REFUSED_SHOWN: Final = 10
_WRITE: Final = "incentives.parameters.write"
_APPROVE: Final = "incentives.plans.approve"
_STATES: Final = parameters_pb2.ParameterSetting


class _Row(NamedTuple):
    """A setting, where, by whom, and what the reader may do about it."""

    setting: parameters_pb2.ParameterSetting
    place: str
    author: str
    decider: str
    said: str
    is_over: bool
    may_decide: bool
    may_end: bool


@blueprint.get("/plans/<plan_id>/numbers")
@needs("incentives.plans.read", groups=True)
def overview(plan_id: str) -> str | Response:
    plan = _plan(plan_id)
    if plan.base_plan_id:
        return redirect(url_for("plan_numbers.overview", plan_id=plan.base_plan_id), 303)
    return _page(plan)


@blueprint.post("/plans/<plan_id>/numbers")
@needs(_WRITE, groups=True)
def propose(plan_id: str) -> Response | str | tuple[str, int]:
    plan = _plan(plan_id)
    form = request.form
    number = next((each for each in plan_numbers.numbers(plan) if each.key == form.get("number")), None)
    value = (
        None
        if number is None
        else plan_numbers.typed(form.get("value", ""), number, parts().settings.currency)
    )
    days = {name: is_date(form.get(name, "")) for name in ("effective_from", "effective_to")}
    wrong = _wrong(number, value, days)
    start, end = days.values()
    if wrong or number is None or value is None or start is None:
        if from_htmx():
            return _checked(None, number)
        return _page(plan, wrong=wrong), 422
    setting = plan_numbers.setting(form, plan, number, value)
    setting.effective_from.CopyFrom(from_date(start))
    if end is not None:
        setting.effective_to.CopyFrom(from_date(end))
    checks = from_htmx()
    if checks and not setting.reason:
        # While it is typed, what is still empty is not wrong yet.
        setting.reason = "…"
    try:
        if checks:
            asked = parameters_pb2.CheckParameterRequest(setting=setting)
            return _checked(ask(clients().parameters.CheckParameter, asked), number)
        ask(
            clients().parameters.SetParameter,
            parameters_pb2.SetParameterRequest(request_id=request_id(), setting=setting),
        )
    except Failure as failure:
        if status_of(failure) in (401, 403):
            raise
        if checks:
            return _checked(None, number, _trouble(failure, setting))
        fields = {name.rpartition(".")[2]: why for name, why in faults(failure.fields).items()}
        return _page(plan, trouble=_trouble(failure, setting), wrong=fields), status_of(failure)
    flash(_("Handed in. It has no effect until somebody else approves it."))
    return redirect(url_for("plan_numbers.overview", plan_id=plan_id), 303)


@blueprint.post("/plans/<plan_id>/numbers/<setting_id>/approve")
@needs(_APPROVE, groups=True)
def approve(plan_id: str, setting_id: str) -> Response | tuple[str, int]:
    asked = parameters_pb2.ApproveParameterRequest(request_id=request_id(), setting_id=setting_id)
    return _decided(
        plan_id,
        lambda: ask(clients().parameters.ApproveParameter, asked).setting,
        _("Approved. It pays from the first period that begins on or after its first day."),
    )


@blueprint.post("/plans/<plan_id>/numbers/<setting_id>/refuse")
@needs(_APPROVE, groups=True)
def refuse(plan_id: str, setting_id: str) -> Response | tuple[str, int]:
    asked = parameters_pb2.RefuseParameterRequest(
        request_id=request_id(),
        setting_id=setting_id,
        reason=request.form.get("reason", "").strip()[:500],
    )
    return _decided(
        plan_id,
        lambda: ask(clients().parameters.RefuseParameter, asked).setting,
        _("Refused. It is kept with your reason and has no effect."),
    )


@blueprint.post("/plans/<plan_id>/numbers/<setting_id>/end")
@needs(_WRITE, groups=True)
def end(plan_id: str, setting_id: str) -> Response | tuple[str, int]:
    day = is_date(request.form.get("effective_to", "")) or today()
    asked = parameters_pb2.EndParameterRequest(
        request_id=request_id(),
        setting_id=setting_id,
        effective_to=from_date(day),
        reason=request.form.get("reason", "").strip()[:500],
    )
    return _decided(
        plan_id,
        lambda: ask(clients().parameters.EndParameter, asked).setting,
        _("Ended. What the plan says holds again, from the next period on."),
    )


def _decided(
    plan_id: str, decide: Callable[[], parameters_pb2.ParameterSetting], done: str
) -> Response | tuple[str, int]:
    try:
        made = decide()
    except Failure as failure:
        if status_of(failure) in (401, 403, 404):
            raise
        about = parameters_pb2.ParameterSetting()
        return _page(_plan(plan_id), trouble=_trouble(failure, about)), status_of(failure)
    withdrawn = made.state == _STATES.STATE_WITHDRAWN
    flash(_("Taken back. It never had an effect.") if withdrawn else done)
    return redirect(url_for("plan_numbers.overview", plan_id=plan_id), 303)


def _plan(plan_id: str) -> plans_pb2.Plan:
    return ask(clients().plans.GetPlan, plans_pb2.GetPlanRequest(plan_id=plan_id)).plan


def _wrong(number: Number | None, value: object | None, days: dict[str, date | None]) -> dict[str, str]:
    wrong = {}
    if number is None:
        wrong["number"] = _("Choose one of the list.")
    elif value is None:
        wrong["value"] = _("A number, please; rates in percent.")
    for name, day in days.items():
        if day is None and (name == "effective_from" or request.form.get(name)):
            wrong[name] = _("A day like 2026-11-23, please.")
    return wrong


def _trouble(failure: Failure, setting: parameters_pb2.ParameterSetting) -> str:
    """Why it was refused, with what it conflicts with by name."""
    # The room of standards tells conflicts alike, whatever they are of.
    value = values_pb2.Value(currency=setting.value.currency)
    value.unit = setting.value.unit  # type: ignore[assignment]  # goals and incentives number units alike
    about = targets_pb2.Target(value=value)
    return standards_forms.conflict_words(failure, about, me().directory)


def _checked(
    answer: parameters_pb2.CheckParameterResponse | None, number: Number | None, trouble: str = ""
) -> str:
    return render_template(
        "plan_numbers_checked.html", answer=answer, number=number, trouble=trouble, told=plan_findings
    )


def _page(plan: plans_pb2.Plan, *, trouble: str = "", wrong: dict[str, str] | None = None) -> str:
    if plan.state != plans_pb2.Plan.STATE_APPROVED:
        abort(404)
    who = me()
    below = {
        node_id: name
        for node_id, name in groups(_WRITE).items()
        if node_id != plan.node_id and plan.node_id in who.directory.ancestors(node_id)
    }
    return render_template(
        "plan_numbers.html",
        plan=plan,
        here=place(who, plan.node_id),
        numbers=(numbers := plan_numbers.numbers(plan)),
        titles=[(each.key, each.title) for each in numbers],
        settings=section(lambda: _settings(plan)),
        states=_STATES,
        places=below,
        trouble=trouble,
        wrong=wrong or {},
        form=request.form,
        today=today().isoformat(),
        new_id=new_id,
        told=plan_findings,
        words=words,
    )


def _settings(plan: plans_pb2.Plan) -> dict[str, list[_Row]]:
    """What holds, or will, or waits, by number; and last what was refused."""
    asked = [
        [_STATES.STATE_IN_FORCE],
        [_STATES.STATE_PENDING],
        [_STATES.STATE_REFUSED],
    ]
    in_force, waiting, refused = (
        plan_numbers.listed(states, plan_node_id=plan.node_id, job_role=plan.job_role) for states in asked
    )
    refused.sort(key=lambda each: each.decided_at.ToNanoseconds(), reverse=True)
    found: dict[str, list[_Row]] = {}
    for each in [*in_force, *waiting, *refused[:_REFUSED_SHOWN]]:
        row = _row(each)
        if not row.is_over:
            found.setdefault(f"{each.rule_id}.{each.field}", []).append(row)
    return found


def _row(setting: parameters_pb2.ParameterSetting) -> _Row:
    who = me()
    waits = setting.state == _STATES.STATE_PENDING
    start, over = to_date(setting.effective_from), to_date(setting.effective_to)
    counts = setting.state == _STATES.STATE_IN_FORCE
    return _Row(
        setting,
        place(who, setting.node_id),
        name_of(who, setting.author_id),
        name_of(who, setting.decided_by) if setting.decided_by else "",
        plan_numbers.said(setting.field, setting.value),
        is_over=counts and over is not None and (over <= today() or over == start),
        may_decide=waits and setting.author_id != who.id and who.covers(_APPROVE, setting.plan_node_id),
        may_end=(waits or (counts and over is None)) and who.covers(_WRITE, setting.node_id),
    )

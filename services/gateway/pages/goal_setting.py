"""Goals, set by hand: a new one, another value, taken back, and an old version once more."""

from typing import Final

from flask import abort, flash, redirect, render_template, request, url_for
from foothold.goals.v1 import cascade_pb2, metrics_pb2
from werkzeug.wrappers import Response

from access.records import Kind
from chassis.errors import Failure, NotFound
from chassis.ids import new_id
from services.gateway import goal_words, history, period_forms, standards_forms, words
from services.gateway.clients import ask
from services.gateway.doors import needs
from services.gateway.figures import from_date, to_date
from services.gateway.language import _
from services.gateway.me import me
from services.gateway.pages.goal_tree import blueprint, page, steps_of
from services.gateway.pages.people import groups
from services.gateway.pages.standards import metrics
from services.gateway.parts import clients, parts, today
from services.gateway.problems import status_of
from services.gateway.sending import request_id

__all__ = ["blueprint"]
_MOST_PEOPLE: Final = 300
_GONE: Final = (401, 403)


def measured() -> list[metrics_pb2.MetricDefinition]:
    """The metrics that goals may be about: the built-in ones."""
    return [each for each in metrics() if each.name in words.METRICS]


def _above() -> list[cascade_pb2.GoalStep]:
    """The chain of the goal that a new one is to hang below; empty for a root."""
    parent_id = request.values.get("parent", "")[:64]
    return steps_of(parent_id) if parent_id else []


def _places(above: cascade_pb2.Goal | None) -> dict[str, str]:
    """Where a goal may be set: groups at or below the goal above, and there the people, if they are not too many."""
    directory, places = me().directory, groups("goals.targets.write")
    if above is None:
        return places
    within = {id: name for id, name in places.items() if above.node_id in directory.ancestors(id)}
    people = [
        person
        for each in directory.active_under(above.node_id)
        if (person := directory.person(each)) and me().covers("goals.targets.write", each)
    ]
    if len(people) <= _MOST_PEOPLE:
        named = sorted(people, key=lambda person: (person.name, person.id))
        within |= {each.id: f"{each.name} {each.employee_number}" for each in named}
    return within


def _form(*, trouble: str = "", wrong: dict[str, str] | None = None) -> str:
    steps = _above()
    above = steps[0].goal if steps else None
    day = (to_date(above.first_day) if above else None) or today()
    return render_template(
        "goal_new.html",
        above=above,
        places=_places(above),
        metrics=measured(),
        spans=period_forms.spans(),
        years=period_forms.years(today()),
        year=str(day.year),
        form=request.form,
        trouble=trouble,
        wrong=wrong or {},
        request_id=new_id(),
        goals=goal_words,
    )


@blueprint.get("/goals/new")
@needs("goals.targets.write", groups=True)
def new() -> str:
    return _form()


@blueprint.post("/goals/new")
@needs("goals.targets.write", groups=True)
def add() -> Response | tuple[str, int]:
    form, currency = request.form, parts().settings.currency
    kind, first, wrong = period_forms.period_of(form)
    periods = period_forms.periods_of(form.get("periods", ""), kind)
    if periods is None:
        wrong["periods"] = _("At most a year's, please.")
    definition = next((each for each in measured() if each.name == form.get("metric")), None)
    value = standards_forms.value_of(form.get("value", ""), definition.unit, currency) if definition else None
    if definition is None:
        wrong["metric"] = _("Choose one of the list.")
    if value is None:
        wrong["value"] = _("A number, please; rates in percent.")
    reason = form.get("reason", "").strip()[:500]
    node_id = form.get("node_id", "")[:64]
    node = me().directory.node(node_id)
    if not reason and node is not None and node.kind is not Kind.ENTERPRISE:
        wrong["reason"] = _("Say why; it is kept with your name.")
    if wrong or definition is None or value is None or periods is None:
        return _form(wrong=wrong), 422
    goal = cascade_pb2.Goal(
        parent_id=form.get("parent", "")[:64],
        node_id=node_id,
        metric=definition.name,
        period_kind=kind,
        first_day=from_date(first),
        periods=periods,
        value=value,
        reason=reason,
    )
    try:
        stored = ask(
            clients().cascade.SetGoal, cascade_pb2.SetGoalRequest(request_id=request_id(), goal=goal)
        ).goal
    except Failure as failure:
        if status_of(failure) in _GONE:
            raise
        told, fields = goal_words.refused(failure)
        return _form(trouble=told, wrong=fields), status_of(failure)
    flash(_("Set. It is shown against what hangs below it from now on."))
    return redirect(url_for("tree.one", goal_id=stored.id), 303)


@blueprint.post("/goals/<goal_id>")
@needs("goals.targets.write", groups=True)
def change(goal_id: str) -> Response | tuple[str, int]:
    """Another value for the same place, metric and days; the one before stays in the history."""
    goal = steps_of(goal_id)[0].goal
    value = standards_forms.value_of(
        request.form.get("value", ""), goal.value.unit, parts().settings.currency
    )
    reason = request.form.get("reason", "").strip()[:500]
    wrong: dict[str, str] = {}
    if value is None:
        wrong["value"] = _("A number, please; rates in percent.")
    else:
        goal.value.CopyFrom(value)
    if not reason:
        wrong["reason"] = _("Say why; it is kept with your name.")
    if wrong:
        return page(goal_id, wrong=wrong, form="change"), 422
    return _set_again(goal, reason, goal_id, "change")


@blueprint.post("/goals/<goal_id>/restore")
@needs("goals.targets.write", groups=True)
def restore(goal_id: str) -> Response | tuple[str, int]:
    """What was asked at an earlier time, once more; also of a goal that was taken back."""
    known = history.moment_in(request.form.get("known", ""))
    if known is None:
        abort(404)
    reason = request.form.get("reason", "").strip()[:500]
    goal = steps_of(goal_id, known)[0].goal
    return _set_again(goal, reason, goal_id, "restore")


def _set_again(goal: cascade_pb2.Goal, reason: str, goal_id: str, form: str) -> Response | tuple[str, int]:
    goal.reason = reason
    asked = cascade_pb2.SetGoalRequest(request_id=request_id(), goal=goal)
    try:
        stored = ask(clients().cascade.SetGoal, asked).goal
    except Failure as failure:
        return _refused(failure, goal_id, form)
    flash(_("Changed. The value before is kept below, and can be set again."))
    return redirect(url_for("tree.one", goal_id=stored.id), 303)


def _refused(failure: Failure, goal_id: str, form: str) -> tuple[str, int]:
    """The goal's page with why not; where there is no such goal any more, that is the answer."""
    if status_of(failure) in _GONE:
        raise failure
    told, fields = goal_words.refused(failure)
    try:
        return page(goal_id, trouble=told, wrong=fields, form=form), status_of(failure)
    except NotFound:
        raise failure from None


@blueprint.post("/goals/<goal_id>/withdraw")
@needs("goals.targets.write", groups=True)
def withdraw(goal_id: str) -> Response | tuple[str, int]:
    reason = request.form.get("reason", "").strip()[:500]
    if not reason:
        return page(goal_id, wrong={"reason": _("Say why; it is kept with your name.")}, form="withdraw"), 422
    asked = cascade_pb2.WithdrawGoalRequest(request_id=request_id(), goal_id=goal_id[:64], reason=reason)
    try:
        was = ask(clients().cascade.WithdrawGoal, asked).goal
    except Failure as failure:
        return _refused(failure, goal_id, "withdraw")
    until = history.just_before(was.recorded_at).ToMicroseconds()
    if was.parent_id and _stands(was.parent_id):
        return redirect(url_for("tree.one", goal_id=was.parent_id, back=was.id, until=until), 303)
    year = to_date(was.first_day) or today()
    return redirect(url_for("tree.overview", year=year.year, back=was.id, until=until), 303)


def _stands(goal_id: str) -> bool:
    try:
        steps_of(goal_id)
    except NotFound:
        return False
    return True

"""Asking the same of many people at once: whom it will reach first, then what became of each."""

from collections import Counter
from typing import Any, Final

from flask import render_template, request
from foothold.goals.v1 import allocation_pb2, cascade_pb2

from access.records import Person
from chassis.errors import Failure
from chassis.ids import new_id
from services.gateway import goal_words, period_forms, standards_forms, words
from services.gateway.clients import ask
from services.gateway.doors import needs
from services.gateway.figures import from_date, to_date
from services.gateway.language import _, later
from services.gateway.me import me
from services.gateway.pages.goal_cutting import blueprint
from services.gateway.pages.goal_setting import measured
from services.gateway.pages.goal_tree import view_of
from services.gateway.parts import clients, parts, today
from services.gateway.problems import status_of
from services.gateway.sending import request_id

__all__ = ["blueprint"]
_MOST: Final = 10_000
_SECONDS: Final = 60.0
_REFUSED_SHOWN: Final = 200
_OUTCOME: Final = allocation_pb2.AssignmentResult
_WHY: Final = {
    "PERSON_UNKNOWN": later("Not yours to ask anything of."),
    "PERSON_LEFT": later("Has left."),
    "GOAL_LINK_INVALID": later("Its days do not lie within those of the goal above."),
    "GOAL_OVERLAPS": later("Has a part of the goal above already, or somebody above them has."),
}


def _people(goal: cascade_pb2.Goal) -> list[Person]:
    """Whom the form means among those whom the reader may ask anything of, by name."""
    form, directory = request.form, me().directory
    role, newcomers = form.get("job_role", "").strip(), form.get("newcomers") == "yes"
    found = (directory.person(each) for each in directory.active_under(goal.node_id))
    meant = [
        person
        for person in found
        if person is not None
        and me().covers("goals.targets.write", person.id)
        and role in ("", person.job_role)
        and (not newcomers or person.on_probation(today()))
    ]
    return sorted(meant, key=lambda person: (person.name, person.id))


def _form(view: cascade_pb2.GoalView, **told: Any) -> str:
    first = max(to_date(view.goal.first_day) or today(), today())
    return render_template(
        "goal_assign.html",
        goal=view.goal,
        form=request.form,
        metrics=measured(),
        spans=period_forms.spans(),
        years=period_forms.years(today()),
        year=str(first.year),
        span=f"m{first.month}",
        job_roles=words.JOB_ROLES,
        request_id=new_id(),
        goals=goal_words,
        **{"people": None, "trouble": "", "wrong": {}, **told},
    )


@blueprint.get("/goals/<goal_id>/assign")
@needs("goals.targets.write", groups=True)
def assigning(goal_id: str) -> str:
    return _form(view_of(goal_id))


@blueprint.post("/goals/<goal_id>/assign")
@needs("goals.targets.write", groups=True)
def assign(goal_id: str) -> str | tuple[str, int]:
    view = view_of(goal_id)
    asked, wrong = _asked(view.goal)
    people = _people(view.goal)
    if not people:
        wrong["job_role"] = _("Nobody fits; choose others.")
    if len(people) > _MOST:
        wrong["job_role"] = _("More than 10,000 people at once; narrow it.")
    applying = request.form.get("action") == "apply"
    if applying and not asked.reason:
        wrong["reason"] = _("Say why; it is kept with your name.")
    if wrong:
        return _form(view, people=people, wrong=wrong), 422
    if not applying:
        return _form(view, people=people)
    asked.person_ids.extend(person.id for person in people)
    try:
        results = ask(clients().allocation.AssignGoal, asked, seconds=_SECONDS).results
    except Failure as failure:
        if status_of(failure) in (401, 403, 404):
            raise
        trouble, fields = goal_words.refused(failure)
        return _form(view, people=people, trouble=trouble, wrong=fields), status_of(failure)
    counts = Counter(each.outcome for each in results)
    refused = [each for each in results if each.outcome == _OUTCOME.OUTCOME_REFUSED]
    return render_template(
        "goal_assigned.html",
        goal=view.goal,
        assigned=counts[_OUTCOME.OUTCOME_ASSIGNED],
        already=counts[_OUTCOME.OUTCOME_ALREADY],
        refused=len(refused),
        rows=[(goal_words.name(each.person_id), _WHY.get(each.reason, "")) for each in refused][
            :_REFUSED_SHOWN
        ],
        goals=goal_words,
    )


def _asked(goal: cascade_pb2.Goal) -> tuple[allocation_pb2.AssignGoalRequest, dict[str, str]]:
    """The request as typed, without the people, and what is wrong by field."""
    form = request.form
    kind, first, wrong = period_forms.period_of(form)
    periods = period_forms.periods_of(form.get("periods", ""), kind)
    if periods is None:
        wrong["periods"] = _("At most a year's, please.")
    definition = next((each for each in measured() if each.name == form.get("metric")), None)
    value = None
    if definition is None:
        wrong["metric"] = _("Choose one of the list.")
    else:
        value = standards_forms.value_of(form.get("value", ""), definition.unit, parts().settings.currency)
    if value is None:
        wrong["value"] = _("A number, please; rates in percent.")
    asked = allocation_pb2.AssignGoalRequest(
        request_id=request_id(),
        parent_id=goal.id,
        metric=form.get("metric", "")[:64],
        value=value,
        period_kind=kind,
        first_day=from_date(first),
        periods=periods or 1,
        reason=form.get("reason", "").strip()[:500],
    )
    return asked, wrong

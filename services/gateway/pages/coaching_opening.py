"""Opening a coaching task: from a situation with what is suggested for it, or from scratch."""

from collections.abc import Mapping
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from flask import abort, flash, redirect, render_template, request, url_for
from foothold.goals.v1 import coaching_pb2
from werkzeug.wrappers import Response

from access.records import Person
from chassis.errors import Failure
from chassis.ids import new_id
from services.gateway import coaching_reading, words
from services.gateway.clients import ask
from services.gateway.coaching_reading import may_coach
from services.gateway.doors import needs
from services.gateway.faults import faults
from services.gateway.figures import from_date
from services.gateway.language import _, language
from services.gateway.me import me
from services.gateway.pages.coaching import NOT_OF_THE_FORM, blueprint
from services.gateway.pages.courses import titles
from services.gateway.pages.goals import is_date
from services.gateway.parts import clients, parts
from services.gateway.problems import message_of, status_of
from services.gateway.sending import request_id


def _person(person_id: str) -> Person:
    found = me().directory.person(person_id)
    if found is None or not may_coach(person_id):
        abort(404)
    return found


def _today_of(person_id: str) -> date:
    """The day where the person works: what is due is due there."""
    zone = ZoneInfo(me().directory.zone_of(person_id))
    return parts().clock.now().astimezone(zone).date()


@blueprint.get("/coaching/for/<person_id>")
@needs("goals.coaching.write")
def new(person_id: str) -> str:
    person = _person(person_id)
    situation, metric = request.args.get("situation", ""), request.args.get("metric", "")
    steps = coaching_reading.steps_of([person_id]).get(person_id, [])
    step = next(
        (each for each in steps if (str(each.situation), each.metric) == (situation, metric)), None
    ) or coaching_reading.first_step(steps)
    form: dict[str, str] = {"situation": situation, "metric": metric}
    if step is not None:
        form = {"situation": str(step.situation), "metric": step.metric}
        if step.HasField("rule"):
            rule = step.rule
            form |= {
                "text": rule.step_zh if language() == "zh" else rule.step_en,
                "due_day": (_today_of(person_id) + timedelta(days=rule.days)).isoformat(),
                "course_id": rule.course_id,
            }
    return _editor(person, form)


def _editor(
    person: Person, form: Mapping[str, str], *, trouble: str = "", wrong: Mapping[str, str] | None = None
) -> str:
    return render_template(
        "coaching_new.html",
        person=person,
        form={"due_day": (_today_of(person.id) + timedelta(days=3)).isoformat(), **form},
        first_day=_today_of(person.id).isoformat(),
        courses=titles(),
        trouble=trouble,
        wrong=wrong or {},
        request_id=new_id(),
    )


@blueprint.post("/coaching/for/<person_id>")
@needs("goals.coaching.write")
def create(person_id: str) -> Response | tuple[str, int]:
    person, form = _person(person_id), request.form
    due = is_date(form.get("due_day", ""))
    if due is None:
        return _editor(person, form, wrong={"due_day": _("A day like 2026-11-23, please.")}), 422
    task = coaching_pb2.CoachingTask(
        person_id=person_id,
        situation=words.situation_of(form.get("situation", "")),
        metric=form.get("metric", "")[:64],
        text=form.get("text", "").strip(),
        course_id=form.get("course_id", "")[:64],
        due_day=from_date(due),
    )
    asked = coaching_pb2.OpenTaskRequest(request_id=request_id(), task=task)
    try:
        ask(clients().coaching.OpenTask, asked)
    except Failure as failure:
        if failure.reason == "METRIC_UNKNOWN":
            return _editor(person, form, wrong={"situation": message_of(failure)}), 422
        if status_of(failure) in NOT_OF_THE_FORM:
            raise
        # The metric goes with the situation: what is wrong with it is told there.
        wrong = {
            name.rpartition(".")[2].replace("metric", "situation"): why
            for name, why in faults(failure.fields).items()
        }
        trouble = message_of(failure)
        if failure.reason == "ALREADY_EXISTS":
            trouble = _("A task for this is open already. Close it first, or wait for the answer.")
        return _editor(person, form, trouble=trouble, wrong=wrong), status_of(failure)
    flash(_("Opened. %(name)s sees it on the first page.", name=person.name))
    return redirect(url_for("team.person", person_id=person_id), 303)

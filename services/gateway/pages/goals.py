"""Targets, how far one is, and where each target comes from."""

from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, Final

from flask import Blueprint, render_template
from foothold.goals.v1 import evidence_pb2, forecast_pb2, progress_pb2, targets_pb2, values_pb2

from services.gateway import charts, goal_chains, goal_words
from services.gateway.clients import ask
from services.gateway.doors import needs
from services.gateway.figures import RATE
from services.gateway.me import Me, me
from services.gateway.outlook import Outlook, outlook
from services.gateway.parts import clients, today
from services.gateway.past import past
from services.gateway.sections import Section, at_once, section

blueprint = Blueprint("goals", __name__)
_EFFORT: Final = frozenset({"customers_followed", "followup_minutes", "emails_sent", "meetings_attended"})
"""What one puts in, beside the week before."""


@dataclass(frozen=True, slots=True)
class Progress:
    """A person's progress, with the course of the target worth drawing."""

    person_id: str
    answer: progress_pb2.GetProgressResponse
    course: charts.Course | None


def progress_of(person_id: str, *, chart: bool = False) -> Progress:
    """Failure from goals when the person is not the caller's to see."""
    asked = progress_pb2.GetProgressRequest(person_id=person_id)
    past().ask(asked)
    answer = ask(clients().progress.GetProgress, asked)
    course = None
    if chart:
        drawn = next((each for each in answer.targets if each.target.target.value.unit != RATE), None)
        if drawn is not None:
            course = course_of(person_id, drawn)
    return Progress(person_id, answer, course)


def course_of(person_id: str, progress: progress_pb2.TargetProgress) -> charts.Course | None:
    """The course of one target over its period."""
    target = progress.target.target
    request = progress_pb2.GetProgressCourseRequest(
        person_id=person_id, metric=target.metric, period_kind=target.period_kind
    )
    past().ask(request)
    return charts.course(target.metric, ask(clients().progress.GetProgressCourse, request))


Forecasts = dict[tuple[str, int], Outlook]
"""By metric and kind of period."""


def forecasts_of(person_id: str) -> Section[Forecasts]:
    """How a person's targets are likely to end; a page stands without them."""

    def load() -> Forecasts:
        request = forecast_pb2.ForecastTargetsRequest(person_id=person_id)
        found = ask(clients().forecasts.ForecastTargets, request).forecasts
        who, own = me(), person_id == me().id
        return {
            (each.metric, each.period.kind): outlook(each, place(who, each.forecast.basis.node_id), own=own)
            for each in found
        }

    return section(load)


@dataclass(frozen=True, slots=True)
class Link:
    """One step of the chain a target comes from, widest last."""

    place: str
    target: targets_pb2.Target
    holds: bool
    author: str
    approver: str


def chain(target: targets_pb2.ResolvedTarget, who: Me) -> list[Link]:
    """Where the target is set, and what it overrides above."""
    found = [_link(who, target.target, holds=True)]
    found += [_link(who, each, holds=False) for each in target.overridden]
    return found


def _link(who: Me, target: targets_pb2.Target, *, holds: bool) -> Link:
    approver = name_of(who, target.approver_id)
    return Link(place(who, target.node_id), target, holds, name_of(who, target.author_id), approver)


def name_of(who: Me, person_id: str) -> str:
    """A person's name; empty for nobody, and for programs."""
    person = who.directory.person(person_id)
    return person.name if person else ""


def place(who: Me, node_id: str) -> str:
    """A node's name; one the reader does not know is shown by its id."""
    node = who.directory.node(node_id)
    return node.name if node else node_id


@blueprint.get("/targets")
@needs("goals.progress.read", own=True)
def overview() -> str:
    watches = "" if past().at else f"progress@{me().id}"
    return render_template("targets.html", watches=watches, **_targets())


@blueprint.get("/targets/list")
@needs("goals.progress.read", own=True)
def listed() -> str:
    return render_template("targets_list.html", **_targets())


def _targets() -> dict[str, Any]:
    def load() -> dict[str, Any]:
        found = progress_of(me().id)
        targets = found.answer.targets
        courses = at_once(partial(course_of, me().id, each) for each in targets)
        rows = [
            (each, chain(each.target, me()), course) for each, course in zip(targets, courses, strict=True)
        ]
        weeks = {
            value.metric: value
            for value in found.answer.values
            if value.period.kind == values_pb2.PERIOD_KIND_WEEK
        }
        months = {
            value.metric: value
            for value in found.answer.values
            if value.period.kind == values_pb2.PERIOD_KIND_MONTH
        }
        windows = [
            value for value in found.answer.values if value.period.kind == values_pb2.PERIOD_KIND_ROLLING
        ]
        weeks_compared: list[evidence_pb2.WeekChange] = []
        if not past().at:
            asked = evidence_pb2.CompareWeeksRequest(person_id=me().id)
            answer = ask(clients().evidence.CompareWeeks, asked)
            weeks_compared = [each for each in answer.changes if each.metric in _EFFORT]
        both = [(name, weeks.get(name), months.get(name)) for name in dict.fromkeys([*weeks, *months])]
        return {
            "rows": rows,
            "answer": found.answer,
            "values": both,
            "windows": windows,
            "person_id": me().id,
            "weeks": weeks_compared,
        }

    targets, forecasts = at_once([lambda: section(load), lambda: forecasts_of(me().id)])
    return {
        "targets": targets,
        "forecasts": forecasts,
        "origins": section(lambda: [] if past().at else goal_chains.origins(me().id, today())),
        "goals": goal_words,
        "name_of": lambda person_id: name_of(me(), person_id),
    }


def is_date(text: str) -> date | None:
    """The day in a form's date field; None when there is none or it is malformed."""
    try:
        return date.fromisoformat(text) if len(text) == 10 else None  # noqa: PLR2004
    except ValueError:
        return None

"""The newcomer's first page: earned so far, the next amount, targets, rank, next course."""

from collections.abc import Callable
from typing import Any, Final

from flask import Blueprint, abort, render_template
from foothold.goals.v1 import coaching_pb2

from chassis.ids import new_id
from services.gateway.coaching_reading import MOST, NOT_CLOSED, tasks_of
from services.gateway.doors import needs
from services.gateway.me import me
from services.gateway.pages import boards, bonus, goals, honours, learning
from services.gateway.pages.plan_life import own_plans
from services.gateway.sections import at_once, section

blueprint = Blueprint("today", __name__)


def _summary() -> dict[str, Any]:
    return {"summary": section(lambda: bonus.statement_of(me().id))}


def _targets() -> dict[str, Any]:
    return {"targets": section(lambda: goals.progress_of(me().id, chart=True))}


def _coaching() -> dict[str, Any]:
    """Tasks that wait for the person."""

    def load() -> list[coaching_pb2.CoachingTask]:
        return tasks_of(me().id, NOT_CLOSED, MOST) if me().own("goals.coaching.read") else []

    return {"tasks": section(load), "name_of": lambda id: goals.name_of(me(), id), "new_id": new_id}


def _plan() -> dict[str, Any]:
    """Plans the person has yet to read."""
    return {"mine": section(lambda: own_plans() if me().own("incentives.plans.acknowledge") else [])}


def _honours() -> dict[str, Any]:
    """Honours the person has yet to say something about."""
    return {"honoured": section(honours.unanswered)}


def _standings() -> dict[str, Any]:
    return {"standings": section(lambda: boards.standings_of(me()))}


def _course() -> dict[str, Any]:
    return {"course": section(lambda: learning.path_of(me().id))}


SECTIONS: Final[dict[str, Callable[[], dict[str, Any]]]] = {
    "summary": _summary,
    "plan": _plan,
    "honours": _honours,
    "coaching": _coaching,
    "targets": _targets,
    "standings": _standings,
    "course": _course,
}


@blueprint.get("/today")
@needs("goals.progress.read", own=True)
def home() -> str:
    found: dict[str, Any] = {}
    for loaded in at_once(SECTIONS.values()):
        found |= loaded
    return render_template("today.html", watches=watches(), **found)


@blueprint.get("/today/<name>")
@needs("goals.progress.read", own=True)
def part(name: str) -> str:
    """One section, fetched again when what it shows has changed."""
    load = SECTIONS.get(name)
    if load is None:
        abort(404)
    return render_template(f"today_{name}.html", **load())


def watches() -> str:
    """What the page wants to hear of."""
    own = f"progress@{me().id},statement@{me().id},learning@{me().id},coaching@{me().id}"
    return ",".join([own, *(f"boards@{node}" for node in me().directory.ancestors(me().id)[1:])])

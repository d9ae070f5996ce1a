"""The newcomer's first page: earned so far, the next amount, targets, rank, next course."""

from collections.abc import Callable
from typing import Any, Final

from flask import Blueprint, abort, render_template

from services.gateway.doors import needs
from services.gateway.me import me
from services.gateway.pages import boards, bonus, goals, learning
from services.gateway.sections import at_once, section

blueprint = Blueprint("today", __name__)


def _summary() -> dict[str, Any]:
    return {"summary": section(lambda: bonus.statement_of(me().id))}


def _targets() -> dict[str, Any]:
    return {"targets": section(lambda: goals.progress_of(me().id, chart=True))}


def _standings() -> dict[str, Any]:
    return {"standings": section(lambda: boards.standings_of(me()))}


def _course() -> dict[str, Any]:
    return {"course": section(lambda: learning.path_of(me().id))}


SECTIONS: Final[dict[str, Callable[[], dict[str, Any]]]] = {
    "summary": _summary,
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
    own = f"progress@{me().id},statement@{me().id},learning@{me().id}"
    return ",".join([own, *(f"boards@{node}" for node in me().directory.ancestors(me().id)[1:])])

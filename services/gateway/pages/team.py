"""A manager's newcomers, those who need attention first; a mentor's mentees; one person in detail."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from flask import Blueprint, Response, abort, render_template, request
from foothold.goals.v1 import coaching_pb2, progress_pb2

from chassis.ids import new_id
from services.gateway import coaching_reading, words
from services.gateway.clients import ask
from services.gateway.doors import needs
from services.gateway.figures import fraction, to_date, written
from services.gateway.formats import cell
from services.gateway.language import _
from services.gateway.me import Me, me
from services.gateway.pages import bonus, goals, learning
from services.gateway.parts import clients
from services.gateway.past import past
from services.gateway.problems import from_htmx
from services.gateway.sections import section
from services.gateway.spreadsheets import download

blueprint = Blueprint("team", __name__)
_SHOWN: Final = 50
_MOST: Final = 500
_PAGES: Final = 20
_STATUS = progress_pb2.ProgressStatus
FILTERS: Final = {
    "behind": _STATUS.PROGRESS_STATUS_BEHIND,
    "none": _STATUS.PROGRESS_STATUS_NO_DATA,
    "edge": _STATUS.PROGRESS_STATUS_AT_THRESHOLD,
    "pace": _STATUS.PROGRESS_STATUS_ON_PACE,
    "met": _STATUS.PROGRESS_STATUS_MET,
}


def _node(who: Me) -> str:
    """The node asked for, else the widest one the person leads."""
    mine = who.groups("goals.progress.read")
    asked = request.args.get("node", "")
    if not asked:
        return mine[0]
    if not who.covers("goals.progress.read", asked):
        abort(404)
    return asked


def _nodes(who: Me) -> list[tuple[str, str, int]]:
    """Every group the person leads, as a tree: id, name, depth."""
    directory = who.directory
    found: list[tuple[str, str, int]] = []

    def walk(node_id: str, depth: int) -> None:
        node = directory.node(node_id)
        if node is None or directory.person(node_id) is not None or any(node_id == each[0] for each in found):
            return
        found.append((node_id, node.name, depth))
        below = [child for each in directory.children(node_id) if (child := directory.node(each))]
        for child in sorted(below, key=lambda each: (each.name, each.id)):
            walk(child.id, depth + 1)

    for node_id in who.groups("goals.progress.read"):
        walk(node_id, 0)
    return found


def _request(node_id: str, size: int, page: str) -> progress_pb2.ListTeamProgressRequest:
    everybody = request.args.get("everybody") == "yes"
    status = FILTERS.get(request.args.get("status", ""), _STATUS.PROGRESS_STATUS_UNSPECIFIED)
    asked = progress_pb2.ListTeamProgressRequest(
        node_id=node_id, newcomers_only=not everybody, status=status, page_size=size, page_token=page
    )
    past().ask(asked)
    return asked


def _everybody(node_id: str) -> Iterator[progress_pb2.PersonProgress]:
    page = ""
    for _turn in range(_PAGES):
        answer = ask(clients().progress.ListTeamProgress, _request(node_id, _MOST, page))
        yield from answer.people
        page = answer.next_page_token
        if not page:
            return


def _found(node_id: str) -> dict[str, Any]:
    """A page of the team; a search looks through all of it."""
    query = request.args.get("q", "").strip()[:100]
    page = request.args.get("page", "")[:2000]
    size = _MOST if query else _SHOWN
    answer = ask(clients().progress.ListTeamProgress, _request(node_id, size, page))
    people = list(answer.people)
    if query:
        folded = query.casefold()
        everybody = people if not answer.next_page_token else _everybody(node_id)
        people = [
            each
            for each in everybody
            if folded in each.name.casefold() or folded in each.employee_number.casefold()
        ]
    day = past().day
    return {
        "steps": _steps([each.person_id for each in people]),
        "answer": answer,
        "people": people,
        "next_page": "" if query else answer.next_page_token,
        "node_id": node_id,
        "q": query,
        "status": request.args.get("status", ""),
        "everybody": request.args.get("everybody") == "yes",
        "days_left": {
            each.person_id: (end - day).days for each in people if (end := to_date(each.probation_end))
        },
        "first_page": not page,
    }


def _steps(people: list[str]) -> dict[str, coaching_pb2.SuggestedStep]:
    """What to do next with each, of now; nobody's where it is not the reader's to see or cannot be read."""
    mine = [each for each in people if not past().at and me().covers("goals.coaching.read", each)]
    found = section(lambda: coaching_reading.steps_of(mine)).content or {}
    return {each: step for each, steps in found.items() if (step := coaching_reading.first_step(steps))}


@blueprint.get("/team")
@needs("goals.progress.read", groups=True)
def overview() -> str:
    who = me()
    node_id = _node(who)
    team = section(lambda: _found(node_id))
    if from_htmx():
        template = "team_rows.html" if request.args.get("page") else "team_table.html"
        return render_template(template, team=team, swapped=True)
    return render_template(
        "team.html",
        watches="" if past().at else f"team@{node_id},people@{node_id},coaching@{node_id}",
        nodes=_nodes(who),
        node_id=node_id,
        team=team,
        filters=_filters(),
        sees_pay=bool(who.groups("incentives.statements.read")),
    )


def _filters() -> list[tuple[str, str]]:
    return [(name, words.STATUSES[status][1]) for name, status in FILTERS.items()]


@blueprint.get("/team.csv")
@needs("goals.progress.read", groups=True)
def export() -> Response:
    """The team as shown, as CSV for a spreadsheet: one row per person and target."""
    head = [
        *(_("Employee number"), _("Name"), _("Target"), _("Period"), _("Done"), _("As counted"), _("Asked")),
        *(_("Status"), _("Last follow-up"), _("Probation ends")),
    ]
    return download("team.csv", head, _rows(_everybody(_node(me()))))


def _rows(team: Iterable[progress_pb2.PersonProgress]) -> Iterator[list[str]]:
    for person in team:
        last, ends = to_date(person.last_follow_up), to_date(person.probation_end)
        for each in person.targets:
            target = each.target.target
            yield [
                cell(person.employee_number),
                cell(person.name),
                cell(words.metric(target.metric)),
                words.per(target.period_kind),
                written(each.done),
                fraction(each.done),
                written(each.asked),
                words.STATUSES.get(each.status, ("", ""))[1],
                last.isoformat() if last else "",
                ends.isoformat() if ends else "",
            ]


@blueprint.get("/mentees")
@needs("goals.progress.read")
def mentees() -> str:
    who = me()
    people = [person for each in who.mentees() if (person := who.directory.person(each))]
    rows = [(person, section(lambda person=person: goals.progress_of(person.id))) for person in people]  # type: ignore[misc]  # a lambda with a default
    return render_template(
        "mentees.html",
        watches=",".join(f"{topic}@{person.id}" for person in people for topic in ("progress", "coaching")),
        rows=rows,
        steps=_steps([person.id for person in people]),
    )


@blueprint.get("/team/<person_id>")
@needs("goals.progress.read")
def person(person_id: str) -> str:
    who = me()
    found = who.directory.person(person_id)
    if found is None or not who.covers("goals.progress.read", person_id):
        abort(404)
    topics = {
        "progress": "goals.progress.read",
        "statement": "incentives.statements.read",
        "learning": "training.learning.read",
        "coaching": "goals.coaching.read",
    }
    return render_template(
        "person.html",
        watches="" if past().at else ",".join(f"{topic}@{person_id}" for topic in topics),
        person=found,
        **_person(person_id),
        **_coaching(person_id),
    )


@blueprint.get("/team/<person_id>/coaching")
@needs("goals.coaching.read")
def coaching(person_id: str) -> str:
    if not me().covers("goals.coaching.read", person_id):
        abort(404)
    return render_template(
        "person_coaching.html", person=me().directory.person(person_id), **_coaching(person_id)
    )


def _coaching(person_id: str) -> dict[str, Any]:
    """Situations and tasks, of now only."""
    if past().at or not me().covers("goals.coaching.read", person_id):
        return {}
    return {
        "coaching": section(lambda: coaching_reading.coaching_of(person_id)),
        "name_of": lambda id: goals.name_of(me(), id),
        "new_id": new_id,
        "may_coach": coaching_reading.may_coach,
    }


@blueprint.get("/team/<person_id>/figures")
@needs("goals.progress.read")
def figures(person_id: str) -> str:
    who = me()
    if not who.covers("goals.progress.read", person_id):
        abort(404)
    return render_template(
        "person_figures.html", person=who.directory.person(person_id), **_person(person_id)
    )


def _person(person_id: str) -> dict[str, Any]:
    who = me()
    loaded: dict[str, Any] = {"targets": section(lambda: goals.progress_of(person_id, chart=True))}
    if past().at:  # of the rest only the present is shown here
        return loaded
    loaded["forecasts"] = goals.forecasts_of(person_id)
    if who.covers("incentives.statements.read", person_id):
        loaded["summary"] = section(lambda: bonus.statement_of(person_id))
    if who.covers("training.learning.read", person_id):
        loaded["course"] = section(lambda: learning.path_of(person_id))
    return loaded

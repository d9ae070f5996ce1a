"""Goals, read: the tree from the enterprise's year to a person's month, and one goal with all that belongs to it."""

from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from flask import Blueprint, Response, render_template, request
from foothold.goals.v1 import cascade_pb2
from google.protobuf.timestamp_pb2 import Timestamp

from access.records import Kind
from chassis.errors import NotFound
from chassis.ids import new_id
from services.gateway import goal_words, history, words
from services.gateway.clients import ask
from services.gateway.doors import needs
from services.gateway.figures import to_date
from services.gateway.language import _
from services.gateway.me import me
from services.gateway.pages.goals import name_of
from services.gateway.pages.people import groups
from services.gateway.paging import page as page_of
from services.gateway.parts import clients
from services.gateway.past import past
from services.gateway.sections import at_once, section
from services.gateway.spreadsheets import download

blueprint = Blueprint("tree", __name__)
_SHOWN: Final = 50
_ROOTS: Final = 20
_MOST: Final = 1000
_MOST_PAGES: Final = 10
_VERSIONS: Final = 10


def view_of(goal_id: str) -> cascade_pb2.GoalView:
    """One goal with its coverage and how far it is. NotFound GOAL_UNKNOWN."""
    asked = cascade_pb2.GetGoalRequest(goal_id=goal_id[:64])
    past().ask(asked)
    return ask(clients().cascade.GetGoal, asked).view


def steps_of(goal_id: str, known: Timestamp | None = None) -> list[cascade_pb2.GoalStep]:
    """The goal first, where the tree begins last. NotFound GOAL_UNKNOWN."""
    asked = cascade_pb2.ExplainGoalRequest(goal_id=goal_id[:64], known_at=known)
    return list(ask(clients().cascade.ExplainGoal, asked).steps)


def _children(goal_id: str, size: int = _SHOWN) -> cascade_pb2.ListGoalsRequest:
    asked = cascade_pb2.ListGoalsRequest(
        parent_id=goal_id[:64],
        with_progress=True,
        page_size=size,
        page_token=request.args.get("page", "")[:2000],
    )
    past().ask(asked)
    return asked


def _tree() -> dict[str, Any]:
    args, day = request.args, past().day
    node_id = args.get("node", "")[:64]
    asked = cascade_pb2.ListGoalsRequest(roots=not node_id, node_id=node_id, page_size=_MOST)
    past().ask(asked)
    found: list[cascade_pb2.Goal] = []
    for _page in range(_MOST_PAGES):
        answer = ask(clients().cascade.ListGoals, asked)
        found += [each.goal for each in answer.goals]
        asked.page_token = answer.next_page_token
        if not asked.page_token:
            break
    metrics = [name for name in words.METRICS if any(each.metric == name for each in found)]
    metric = args.get("metric", "")
    years = sorted({year for each in found for year in _years(each)}, reverse=True)
    year = next((each for each in years if str(each) == args.get("year", "")), None)
    if year is None:
        year = day.year if day.year in years or not years else years[0]
    chosen = [each.id for each in found if year in _years(each) and metric in ("", each.metric)]
    page = page_of(chosen, _ROOTS)
    views = at_once(partial(view_of, each) for each in page.rows)
    return {"views": views, "page": page, "years": years, "year": year, "metrics": metrics}


def _years(goal: cascade_pb2.Goal) -> range:
    first, end = to_date(goal.first_day), to_date(goal.end_day)
    if first is None or end is None:
        return range(0)
    return range(first.year, end.year + (end.month > 1 or end.day > 1))


@blueprint.get("/goals")
@needs("goals.targets.read", groups=True)
def overview() -> str:
    return render_template(
        "goals.html",
        tree=section(_tree),
        places=_places(),
        above={},
        taken_back=_taken_back(),
        may_write=past().at is None and bool(me().groups("goals.targets.write")),
        goals=goal_words,
        new_id=new_id,
    )


def _places() -> dict[str, str]:
    """Where goals may be looked for: the reader's groups, and whoever the address names."""
    places = groups("goals.targets.read")
    node_id = request.args.get("node", "")[:64]
    if node_id and node_id not in places and me().is_member("goals.targets.read", node_id):
        places[node_id] = goal_words.name(node_id)
    return places


def _taken_back() -> tuple[cascade_pb2.Goal, int] | None:
    """The goal that was just taken back, as it was, and when it was last known; None where there is none."""
    goal_id = request.args.get("back", "")
    known = history.moment_in(request.args.get("until", ""))
    if not goal_id or known is None:
        return None
    try:
        return steps_of(goal_id, known)[0].goal, known.ToMicroseconds()
    except NotFound:
        return None


@blueprint.get("/goals/<goal_id>/below")
@needs("goals.targets.read", groups=True)
def below(goal_id: str) -> str:
    """What hangs directly below a goal, as a level of the tree."""
    above = steps_of(goal_id, past().known)[0].goal
    answer = ask(clients().cascade.ListGoals, _children(goal_id))
    return render_template(
        "goals_rows.html",
        views=answer.goals,
        more=answer.next_page_token,
        goal_id=goal_id,
        above={goal_id: above},
        goals=goal_words,
    )


@blueprint.get("/goals/<goal_id>")
@needs("goals.targets.read")
def one(goal_id: str) -> str:
    return page(goal_id)


def page(goal_id: str, *, trouble: str = "", wrong: dict[str, str] | None = None, form: str = "") -> str:
    """A goal, and the form that was sent with what was typed. `form` names which one that was."""
    back = past()
    view, steps = view_of(goal_id), steps_of(goal_id, back.known)
    return render_template(
        "goal.html",
        view=view,
        goal=view.goal,
        steps=steps,
        above={steps[1].goal.id: steps[1].goal} if len(steps) > 1 else {},
        children=section(lambda: ask(clients().cascade.ListGoals, _children(goal_id))),
        changes=section(lambda: _changes(goal_id)),
        name_of=lambda person_id: name_of(me(), person_id),
        may_write=back.at is None and me().covers("goals.targets.write", view.goal.node_id),
        may_cut=back.at is None and _may_cut(view.goal),
        in_tree=bool(me().groups("goals.targets.read")),
        seen=me().covers("goals.targets.read", view.goal.node_id),
        taken_back=_taken_back(),
        trouble=trouble,
        wrong=wrong or {},
        sent=form,
        goals=goal_words,
        new_id=new_id,
    )


def _may_cut(goal: cascade_pb2.Goal) -> bool:
    """Whether there may be something to divide it into: a person's one month ends every tree."""
    if not me().covers("goals.targets.write", goal.node_id):
        return False
    node = me().directory.node(goal.node_id)
    is_person = node is None or node.kind is Kind.PERSON
    return not is_person or goal_words.MONTHS.get(goal.period_kind, 1) * goal.periods > 1


def _changes(goal_id: str) -> dict[str, Any]:
    """Every version, newest first; `next` is the moment before the last of them, where there may be more."""
    found = history.versions(
        lambda known: steps_of(goal_id, known)[0].goal,
        lambda goal: goal.recorded_at,
        known=history.moment_in(request.args.get("before", "")),
        most=_VERSIONS,
    )
    full = len(found) == _VERSIONS
    return {
        "versions": found,
        "next": history.just_before(found[-1].recorded_at).ToMicroseconds() if full else 0,
        "newest": "before" not in request.args,
    }


@blueprint.get("/goals/<goal_id>/shares.csv")
@needs("goals.targets.read", groups=True)
def export(goal_id: str) -> Response:
    """What hangs directly below a goal as CSV for a spreadsheet, all of it: plain numbers, rates in percent."""
    steps_of(goal_id, past().known)  # what cannot be seen is not found, rather than empty
    head = [
        *(_("Where"), _("What"), _("Days"), _("From"), _("Until"), _("Each period"), _("All together")),
        *(
            _("Part of the goal above in %"),
            _("Done"),
            _("Reached in %"),
            _("How made"),
            _("Set by"),
            _("Why"),
        ),
    ]
    return download("goals.csv", head, map(_row, _all_children(goal_id)))


def _all_children(goal_id: str) -> Iterator[cascade_pb2.GoalView]:
    asked = _children(goal_id, _MOST)
    while True:
        answer = ask(clients().cascade.ListGoals, asked, seconds=60)
        yield from answer.goals
        asked.page_token = answer.next_page_token
        if not asked.page_token:
            return


def _row(view: cascade_pb2.GoalView) -> list[str]:
    goal = view.goal
    first, end = to_date(goal.first_day), to_date(goal.end_day)
    return [
        _cell(goal_words.name(goal.node_id)),
        words.metric(goal.metric),
        goal_words.days_of(goal),
        first.isoformat() if first else "",
        end.isoformat() if end else "",
        goal_words.typed(goal.value),
        goal_words.typed(goal.total),
        goal_words.typed(view.share_of_parent),
        goal_words.typed(view.progress.done),
        goal_words.typed(view.progress.attainment),
        goal_words.share(goal),
        _cell(name_of(me(), goal.author_id)),
        _cell(goal.reason),
    ]


def _cell(text: str) -> str:
    """A spreadsheet takes a cell that begins like this for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text

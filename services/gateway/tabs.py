"""The rooms of each person: which tabs they see, from what they hold. Only rooms that stand."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from flask import Flask, request, url_for

from services.gateway.language import later
from services.gateway.me import Me, me, signed_in

ON_THE_PHONE: Final = 5


@dataclass(frozen=True, slots=True)
class Tab:
    """One room: its endpoint, its word, the id of its symbol, and for whom it is."""

    endpoint: str
    label: str
    symbol: str
    shown: Callable[[Me], bool]


def _salesperson(who: Me) -> bool:
    return who.own("goals.progress.read") and who.own("training.learning.take")


def _leads(who: Me) -> bool:
    return bool(who.groups("goals.progress.read"))


def _administers(who: Me) -> bool:
    return bool(who.groups("identity.bindings.write"))


def _keeps_people(who: Me) -> bool:
    return bool(who.groups("identity.people.write"))


def _organises(who: Me) -> bool:
    return _keeps_people(who) and bool(who.groups("identity.nodes.read"))


def _coaches(who: Me) -> bool:
    return who.holds("goals.coaching.write")


def _learns(who: Me) -> bool:
    return who.own("training.learning.take")


def _teaches(who: Me) -> bool:
    return who.holds("training.courses.write")


TABS: Final = (
    Tab("today.home", later("Today"), "today", _salesperson),
    Tab("team.mentees", later("My mentees"), "people", lambda who: bool(who.mentees())),
    Tab("goals.overview", later("Targets"), "target", _salesperson),
    Tab(
        "customers.overview",
        later("Customers"),
        "customer",
        lambda who: _salesperson(who) and who.own("goals.facts.record"),
    ),
    Tab("learning.path", later("Learning"), "book", _learns),
    Tab(
        "bonus.statement",
        later("Bonus"),
        "coin",
        lambda who: _salesperson(who) and who.own("incentives.statements.read"),
    ),
    Tab("team.overview", later("Team"), "people", lambda who: _leads(who) and not _keeps_people(who)),
    Tab(
        "coaching.overview", later("Coaching"), "coach", lambda who: _coaches(who) and not _keeps_people(who)
    ),
    Tab(
        "admin.organisation", later("Organisation"), "tree", lambda who: _administers(who) and _organises(who)
    ),
    Tab("admin.bindings", later("Access"), "key", _administers),
    Tab(
        "admin.integrations",
        later("Integrations"),
        "plug",
        lambda who: bool(who.groups("identity.service_accounts.write")),
    ),
    Tab("admin.running", later("Running"), "pulse", lambda who: bool(who.groups("goals.ledger.check"))),
    Tab("people.overview", later("People"), "person", _keeps_people),
    Tab(
        "standards.overview",
        later("Standards"),
        "target",
        lambda who: bool(who.groups("goals.targets.write")),
    ),
    Tab(
        "metrics.overview",
        later("Metrics"),
        "chart",
        lambda who: bool(who.groups("goals.metrics.read")) and bool(who.groups("goals.targets.write")),
    ),
    Tab(
        "industries.overview",
        later("Industries"),
        "industry",
        lambda who: bool(who.groups("goals.targets.write")),
    ),
    Tab(
        "calendar.overview",
        later("Calendar"),
        "calendar",
        lambda who: bool(who.groups("goals.calendars.write")),
    ),
    Tab("tree.overview", later("Goals"), "branches", lambda who: bool(who.groups("goals.targets.read"))),
    Tab(
        "objectives.overview",
        later("Objectives"),
        "flag",
        lambda who: bool(who.groups("goals.objectives.read")),
    ),
    Tab("plans.overview", later("Plans"), "coin", lambda who: bool(who.groups("incentives.plans.write"))),
    Tab("team.overview", later("Team"), "people", lambda who: _leads(who) and _keeps_people(who)),
    Tab("coaching.overview", later("Coaching"), "coach", lambda who: _coaches(who) and _keeps_people(who)),
    Tab("courses.overview", later("Courses"), "book", _teaches),
    Tab(
        "courses.coverage",
        later("Coverage"),
        "chart",
        lambda who: _teaches(who) and bool(who.groups("training.learning.read")),
    ),
    Tab(
        "payouts.overview",
        later("Payouts"),
        "coin",
        lambda who: bool(who.groups("incentives.periods.close")),
    ),
    Tab(
        "boards.overview",
        later("Boards"),
        "board",
        lambda who: who.holds("incentives.boards.read") and not _salesperson(who),
    ),
    Tab(
        "admin.organisation",
        later("Organisation"),
        "tree",
        lambda who: _organises(who) and not _administers(who),
    ),
)


def tabs_of(who: Me) -> list[Tab]:
    """The person's tabs in order."""
    return [tab for tab in TABS if tab.shown(who)]


def current() -> str:
    """The endpoint of the tab that holds this page: the one above it by its address, else the first of its room."""
    endpoint = request.endpoint or ""
    room = endpoint.partition(".")[0]
    mine = [tab.endpoint for tab in tabs_of(me())]
    if endpoint in mine:
        return endpoint
    above = next((each for each in mine if request.path.startswith(f"{url_for(each)}/")), "")
    return above or next((each for each in mine if each.partition(".")[0] == room), "")


def install(app: Flask) -> None:
    """Make the tabs known to templates."""

    @app.context_processor
    def rooms() -> dict[str, object]:
        if not signed_in():
            return {"tabs": (), "bar": (), "rest": (), "current_tab": "", "me": None}
        mine = tabs_of(me())
        bar = mine if len(mine) <= ON_THE_PHONE else mine[: ON_THE_PHONE - 1]
        return {"tabs": mine, "bar": bar, "rest": mine[len(bar) :], "current_tab": current(), "me": me()}

"""The rooms of each person: which tabs they see, from what they hold. Only rooms that stand."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from flask import Flask, request

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


TABS: Final = (
    Tab("today.home", later("Today"), "today", _salesperson),
    Tab("goals.overview", later("Targets"), "target", _salesperson),
    Tab(
        "customers.overview",
        later("Customers"),
        "customer",
        lambda who: _salesperson(who) and who.own("goals.facts.record"),
    ),
    Tab("learning.path", later("Learning"), "book", lambda who: who.own("training.learning.take")),
    Tab(
        "bonus.statement",
        later("Bonus"),
        "coin",
        lambda who: _salesperson(who) and who.own("incentives.statements.read"),
    ),
    Tab("team.mentees", later("My mentees"), "people", lambda who: bool(who.mentees())),
    Tab("team.overview", later("Team"), "people", _leads),
    Tab("courses.overview", later("Courses"), "book", lambda who: who.holds("training.courses.write")),
    Tab(
        "courses.coverage",
        later("Coverage"),
        "chart",
        lambda who: who.holds("training.courses.write") and bool(who.groups("training.learning.read")),
    ),
    Tab("people.overview", later("People"), "person", lambda who: bool(who.groups("identity.people.write"))),
    Tab(
        "standards.overview",
        later("Standards"),
        "target",
        lambda who: bool(who.groups("goals.targets.write")),
    ),
    Tab("plans.overview", later("Plans"), "coin", lambda who: bool(who.groups("incentives.plans.write"))),
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
        lambda who: bool(who.groups("identity.nodes.read")) and bool(who.groups("identity.people.write")),
    ),
    Tab("admin.bindings", later("Access"), "key", lambda who: bool(who.groups("identity.bindings.write"))),
    Tab(
        "admin.integrations",
        later("Integrations"),
        "plug",
        lambda who: bool(who.groups("identity.service_accounts.write")),
    ),
    Tab("admin.running", later("Running"), "pulse", lambda who: bool(who.groups("goals.ledger.check"))),
)


def tabs_of(who: Me) -> list[Tab]:
    """The person's tabs in order."""
    return [tab for tab in TABS if tab.shown(who)]


def current() -> str:
    """The endpoint of the tab that holds this page: the first of the same room."""
    endpoint = request.endpoint or ""
    room = endpoint.partition(".")[0]
    mine = [tab.endpoint for tab in tabs_of(me())]
    if endpoint in mine:
        return endpoint
    return next((each for each in mine if each.partition(".")[0] == room), "")


def install(app: Flask) -> None:
    """Make the tabs known to templates."""

    @app.context_processor
    def rooms() -> dict[str, object]:
        if not signed_in():
            return {"tabs": (), "bar": (), "rest": (), "current_tab": "", "me": None}
        mine = tabs_of(me())
        bar = mine if len(mine) <= ON_THE_PHONE else mine[: ON_THE_PHONE - 1]
        return {"tabs": mine, "bar": bar, "rest": mine[len(bar) :], "current_tab": current(), "me": me()}

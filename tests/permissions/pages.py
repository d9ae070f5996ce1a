"""One try per route of the gateway: an address that reaches for somebody or something, and what comes of it.

What comes is a word: `ok` (shown, done, or the form came back for a reason of its own), `denied` (403), `hidden`
(404), `out` (sent to the sign-in page, or 401).
"""

import html
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from flask.testing import FlaskClient
from werkzeug.routing import Rule

from chassis.ids import new_id
from tests.permissions.content import course_of
from tests.permissions.enterprise import CALLERS, NODES, PASSWORD, PEOPLE, Enterprise

COLUMNS: Final = (*(role for role in CALLERS if role != "integrator"), "signed out", "dismissed")
_numbers = count(1)


class Browser:
    """A signed-in (or not) person at the pages."""

    def __init__(self, enterprise: Enterprise, person_id: str) -> None:
        assert enterprise.platform.gateway is not None
        self.enterprise = enterprise
        self.person_id = person_id
        self._client: FlaskClient = enterprise.platform.gateway.flask.test_client()
        self._token = _token_in(self._client.get("/sign-in").text)
        if person_id:
            self.sign_in()

    def sign_in(self) -> None:
        self.post("/sign-in", {"login": self.person_id, "password": PASSWORD}, {})
        self._token = _token_in(self._client.get("/profile").text)

    def cookie(self) -> str:
        """The session, as a browser sends it."""
        found = self._client.get_cookie("foothold")
        assert found is not None
        return f"foothold={found.value}"

    def get(self, address: str) -> str:
        with closing(self._client.get(address)) as response:
            return _word(response)

    def text(self, address: str) -> str:
        """What the page says."""
        with closing(self._client.get(address)) as response:
            return response.text

    def post(self, address: str, form: Mapping[str, str], headers: Mapping[str, str]) -> str:
        sent = {"csrf_token": self._token, **form}
        with closing(self._client.post(address, data=sent, headers=dict(headers))) as response:
            return _word(response)


def _token_in(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found, page[:300]
    return html.unescape(found[1])


def _word(response: object) -> str:
    status = int(getattr(response, "status_code"))  # noqa: B009  werkzeug's own type is private
    location = str(getattr(response, "location", "") or "")
    if status == 401 or (status in (302, 303) and "/sign-in" in location):
        return "out"
    return {403: "denied", 404: "hidden"}.get(status, "ok" if status < 500 else str(status))


Form = Callable[[Browser, str], Mapping[str, str]]


@dataclass(frozen=True)
class Try:
    """How a route is tried.

    `reaches` says for what: `people`, `nodes` or `nothing`; `arguments` makes the route's arguments from the
    target's id, and `form` what is sent to it.
    """

    reaches: str = "nothing"
    arguments: Callable[[Browser, str], Mapping[str, str]] = lambda _browser, _target: {}
    form: Form = lambda _browser, _target: {}
    headers: Mapping[str, str] = field(default_factory=dict)
    disposable: bool = False

    def relations(self) -> Mapping[str, str]:
        if self.reaches == "people":
            return {"own": "", **PEOPLE}
        return NODES if self.reaches == "nodes" else {"-": ""}


def _somebody(_browser: Browser, _target: str) -> Mapping[str, str]:
    name = f"typed-{next(_numbers)}"
    return {"name": name, "employee_number": name, "job_role": "sales", "parent_id": "shanghai-sales"}


def _typed_person(_browser: Browser, target: str) -> Mapping[str, str]:
    return {"name": target, "employee_number": target, "job_role": "sales"}


def _typed_target(_browser: Browser, target: str) -> Mapping[str, str]:
    return {
        "node_id": target,
        "job_role": f"typed-{next(_numbers)}",
        "metric": "customers_followed",
        "value": "20",
        "period": "month",
        "effective_from": "2030-01-01",
        "reason": "as everywhere",
    }


def _account(browser: Browser, _target: str) -> Mapping[str, str]:
    id = f"typed-account-{next(_numbers)}"
    browser.enterprise.add_account(id)
    return {"account_id": id}


def _binding(browser: Browser, target: str) -> Mapping[str, str]:
    return {"binding_id": browser.enterprise.bind("mentor", "dummy", target).binding.id}


def _target(browser: Browser, target: str) -> Mapping[str, str]:
    return {"target_id": browser.enterprise.content.add_target(target, f"typed-{next(_numbers)}")}


def _named_course(_browser: Browser, target: str) -> Mapping[str, str]:
    return {"title": course_of(target), "action": "save", "node_id": target, "minutes": "5"}


_PERSON = Try("people", lambda _, target: {"person_id": target})
_COURSE = Try("nodes", lambda _, target: {"course_id": course_of(target)})
_FORGED: Final = {
    "webhook-id": "msg_1",
    "webhook-timestamp": str(int(time.time())),
    "webhook-signature": "v1,Zm9yZ2Vk",
}
_ENDING: Final = {"effective_to": "2030-01-01", "reason": "no longer asked"}

TRIES: Final[Mapping[str, Try]] = {
    "POST /people/new": Try(form=_somebody),
    "GET /people/<person_id>": _PERSON,
    "POST /people/<person_id>": Try("people", _PERSON.arguments, _typed_person),
    "POST /people/<person_id>/dismiss": Try(
        "people", _PERSON.arguments, lambda _b, _t: {"reason": "leaves"}, disposable=True
    ),
    "POST /people/<person_id>/password": Try(
        "people", _PERSON.arguments, lambda _b, _t: {"password": PASSWORD}, disposable=True
    ),
    "GET /team/<person_id>": _PERSON,
    "GET /team/<person_id>/figures": _PERSON,
    "GET /why/<person_id>/progress/<metric>/<period>": Try(
        "people",
        lambda _, target: {"person_id": target, "metric": "customers_followed", "period": "month"},
    ),
    "GET /why/<person_id>/line/<rule_id>": Try(
        "people", lambda _, target: {"person_id": target, "rule_id": "each"}
    ),
    "GET /learning/<course_id>": _COURSE,
    "GET /learning/<course_id>/quiz": _COURSE,
    "POST /learning/<course_id>/quiz": _COURSE,
    "POST /learning/<course_id>/lessons/<lesson_id>": Try(
        "nodes", lambda _, target: {"course_id": course_of(target), "lesson_id": "l1"}
    ),
    "GET /courses/<course_id>": _COURSE,
    "POST /courses/<course_id>": Try("nodes", _COURSE.arguments, _named_course),
    "POST /organisation": Try(
        "nodes", form=lambda _, target: {"parent_id": target, "name": "Typed", "kind": "department"}
    ),
    "POST /organisation/<node_id>": Try(
        "nodes", lambda _, target: {"node_id": target}, lambda _, target: {"name": target}
    ),
    "POST /access": Try(
        "nodes",
        form=lambda _, target: {"role_id": "trainer", "subject_id": "dummy", "node_id": target},
    ),
    "POST /access/<binding_id>/remove": Try("nodes", _binding),
    "POST /integrations": Try(form=lambda _b, _t: {"name": "Typed"}),
    "POST /integrations/<account_id>/token": Try(
        arguments=lambda _b, _t: {"account_id": "crm"}, form=lambda _b, _t: {"days": "1"}
    ),
    "POST /integrations/<account_id>/disable": Try(arguments=_account),
    "POST /standards": Try("nodes", form=_typed_target),
    "POST /standards/<target_id>/end": Try("nodes", _target, lambda _b, _t: _ENDING),
    "GET /today/<name>": Try(arguments=lambda _b, _t: {"name": "targets"}),
    "POST /profile/password": Try(
        form=lambda _b, _t: {"current": "wrong", "new": PASSWORD, "again": PASSWORD}
    ),
    "POST /language": Try(form=lambda _b, _t: {"language": "en"}),
    "POST /sign-in": Try(
        form=lambda browser, _: {"login": browser.person_id or "dummy", "password": PASSWORD}, disposable=True
    ),
    "POST /sign-out": Try(disposable=True),
    # Signed by somebody who does not know the secret.
    "POST /webhooks/crm": Try(headers=_FORGED),
    "GET /static/<path:filename>": Try(arguments=lambda _b, _t: {"filename": "icon.svg"}),
}
"""Routes that need more than their address; every other one is tried as it is."""


def routes(enterprise: Enterprise) -> Mapping[str, Rule]:
    """Every route by its method and rule."""
    assert enterprise.platform.gateway is not None
    found = {}
    for rule in enterprise.platform.gateway.flask.url_map.iter_rules():
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            found[f"{method} {rule.rule}"] = rule
    return found


class Readers:
    """Somebody of each role at the pages, somebody signed out, and one who has left each role."""

    def __init__(self, enterprise: Enterprise) -> None:
        self.enterprise = enterprise
        self._people = {role: CALLERS[role] for role in COLUMNS if role in CALLERS}
        self._browsers = {role: Browser(enterprise, who) for role, who in self._people.items()}
        self._out = Browser(enterprise, "")
        self._left = {role: f"gone-{role.replace('_', '-')}" for role in self._people}
        for role, id in self._left.items():
            enterprise.twin(role, id)
        enterprise.settle()
        self._former = {role: Browser(enterprise, id) for role, id in self._left.items()}
        for role, id in self._left.items():
            enterprise.dismiss(role, id)
        enterprise.settle()

    def observe(self, name: str, rule: Rule) -> Iterator[tuple[str, Mapping[str, str]]]:
        """For each relation what each column gets."""
        how = TRIES.get(name, Try())
        for relation, target in how.relations().items():
            words: dict[str, set[str]] = {column: set() for column in COLUMNS}
            for role, browser in self._browsers.items():
                words[role].add(self._tried(name, rule, how, browser, target, role))
            out = Browser(self.enterprise, "") if how.disposable else self._out
            words["signed out"].add(self._one(name, rule, how, out, target or "seller"))
            for browser in self._former.values():
                words["dismissed"].add(self._one(name, rule, how, browser, target or browser.person_id))
            yield relation, {column: " ".join(sorted(found)) for column, found in words.items()}

    def _tried(self, name: str, rule: Rule, how: Try, browser: Browser, target: str, role: str) -> str:
        if not how.disposable:
            return self._one(name, rule, how, browser, target or browser.person_id)
        # Somebody who stands where the caller or the target does, and whom nobody needs afterwards.
        id = f"typed-{next(_numbers)}-{new_id()[-6:]}"
        if how.reaches == "people" and target:
            self.enterprise.add_person(
                id,
                self.enterprise.home(target),
                sells=True,
                mentor_id="mentor" if target == "newcomer" else "",
            )
            self.enterprise.settle()
            return self._one(name, rule, how, browser, id)
        self.enterprise.twin(role, id)
        self.enterprise.settle()
        return self._one(name, rule, how, Browser(self.enterprise, id), id)

    def _one(self, name: str, rule: Rule, how: Try, browser: Browser, target: str) -> str:
        arguments = how.arguments(browser, target)
        address = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: arguments[found[1]], rule.rule)
        if name.startswith("POST "):
            return browser.post(address, how.form(browser, target), how.headers)
        return browser.get(address)

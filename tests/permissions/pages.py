"""One try per route of the gateway: an address that reaches for somebody or something, and what comes of it.

What comes is a word. Of a page: `ok` (shown), `denied` (403), `hidden` (404), `out` (sent to the sign-in page, or 401).
Every form is sent filled in as a person would, and its words tell what the services did: `done` (the command it stands
for was carried out), `refused` (the service let the person through and refused what was asked), `ok` (no service is
asked), and `denied` and `hidden` only where the service says so itself, also to the same command sent past the page;
`closed` where the page is not offered to the role although the service would let it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Final

import grpc
from google.protobuf.message import Message
from werkzeug.routing import Rule

from chassis.ids import new_id
from tests.permissions.browsing import Browser
from tests.permissions.enterprise import CALLERS, Enterprise
from tests.permissions.page_tries import TRIES, Try
from tests.permissions.tapping import Command, send_as

COLUMNS: Final = (*(role for role in CALLERS if role != "integrator"), "signed out", "dismissed")
_TURNED_AWAY: Final = {grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.NOT_FOUND}
# Done, or refused for what was asked and not for who asked.
_LET_THROUGH: Final = {grpc.StatusCode.OK, grpc.StatusCode.FAILED_PRECONDITION}
_numbers = count(1)


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
            got: dict[str, list[Outcome]] = {column: [] for column in COLUMNS}
            for role, browser in self._browsers.items():
                got[role].append(self._tried(name, rule, how, browser, target, role))
            out = Browser(self.enterprise, "") if how.disposable else self._out
            got["signed out"].append(self._one(name, rule, how, out, target or "seller"))
            for browser in self._former.values():
                got["dismissed"].append(self._one(name, rule, how, browser, target or browser.person_id))
            if name.startswith("POST "):
                self._past_the_page(got)
            yield (
                relation,
                {column: " ".join(sorted({each.word for each in found})) for column, found in got.items()},
            )

    def _past_the_page(self, got: Mapping[str, list["Outcome"]]) -> None:
        """Send whom the page turned away the very command it was given by somebody else, without the page."""
        carried_out = next((each for found in got.values() for each in found if each.word == "done"), None)
        for role, found in got.items():
            for outcome in found:
                if outcome.word not in {"denied", "hidden"} or outcome.commands or carried_out is None:
                    continue
                command, caller_id = carried_out.commands[0], CALLERS[role]
                message = command.message()
                _readdress(message, carried_out.caller_id, caller_id)
                address = self.enterprise.platform.addresses[command.service]
                code = send_as(address, self.enterprise.token_of(caller_id), command, message)
                if code not in _TURNED_AWAY:
                    outcome.word = "closed" if code in _LET_THROUGH else f"closed, then {code.name}"

    def _tried(self, name: str, rule: Rule, how: Try, browser: Browser, target: str, role: str) -> "Outcome":
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
        return self._one(
            name, rule, how, Browser(self.enterprise, id), target if how.reaches == "nodes" else id
        )

    def _one(self, name: str, rule: Rule, how: Try, browser: Browser, target: str) -> "Outcome":
        arguments = how.arguments(browser, target)
        address = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: arguments[found[1]], rule.rule)
        if name.startswith("POST "):
            word, commands = browser.send(address, how.form(browser, target), how.headers)
            return Outcome(word, browser.person_id, commands)
        return Outcome(browser.get(address), browser.person_id, [])


@dataclass
class Outcome:
    """What came of one try, by whom, and the commands the services were given."""

    word: str
    caller_id: str
    commands: list[Command]


def _readdress(message: Message, whose: str, to: str) -> None:
    """Make a command that somebody gave about themselves another's about themselves, as a new one."""
    for field_, value in message.ListFields():
        if field_.message_type and field_.message_type.GetOptions().map_entry:
            continue  # titles by language name nobody
        if field_.type == field_.TYPE_MESSAGE:
            for each in value if field_.is_repeated else (value,):
                _readdress(each, whose, to)
        elif field_.name == "request_id":
            setattr(message, field_.name, new_id())
        elif value == whose:
            setattr(message, field_.name, to)

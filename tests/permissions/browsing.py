"""Somebody at the pages, and what came of what they did."""

import html
import re
import time
from collections.abc import Mapping
from contextlib import closing
from typing import Final

import grpc
from flask.testing import FlaskClient

from tests.permissions.enterprise import PASSWORD, Enterprise
from tests.permissions.tapping import Command

_ENDED: Final = {
    grpc.StatusCode.OK: "done",
    # Nobody is told "done" of what was denied, whatever page came back.
    grpc.StatusCode.PERMISSION_DENIED: "denied",
    grpc.StatusCode.NOT_FOUND: "hidden",
    grpc.StatusCode.UNAUTHENTICATED: "out",
}
_SECONDS: Final = 20
FOLLOW_UP: Final = {"customer": "typed", "channel": "phone", "result": "talking", "minutes": "10"}


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
        # Whoever was hired a moment ago is asked to try again until the gateway has heard of them.
        until = time.monotonic() + _SECONDS
        while "csrf_token" not in (page := self._client.get("/profile").text) and time.monotonic() < until:
            time.sleep(0.05)
        self._token = _token_in(page)

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
        """What came of it, and no more."""
        return self.send(address, form, headers)[0]

    def send(
        self, address: str, form: Mapping[str, str], headers: Mapping[str, str]
    ) -> tuple[str, list[Command]]:
        """What came of it, and the commands the services were given meanwhile."""
        sent, taps = {"csrf_token": self._token, **form}, self.enterprise.platform.taps
        taps.take()
        with closing(self._client.post(address, data=sent, headers=dict(headers))) as response:
            word = _word(response)
        commands = taps.take()
        if word == "ok" and commands:
            word = _ENDED.get(commands[0].code, "refused")
        return word, commands

    def undo_token(self) -> str:
        """Of a follow-up just recorded; made up where none could be."""
        form = {"csrf_token": self._token, **FOLLOW_UP}
        with closing(self._client.post("/customers", data=form, headers={"HX-Request": "true"})) as response:
            found = re.search(r'name="undo" value="([^"]+)"', response.text)
        return html.unescape(found[1]) if found else "made-up"


def _token_in(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found, re.sub(r"<[^>]*>|\s+", " ", page)[:600]
    return html.unescape(found[1])


def _word(response: object) -> str:
    status = int(getattr(response, "status_code"))  # noqa: B009  werkzeug's own type is private
    location = str(getattr(response, "location", "") or "")
    if status == 401 or (status in (302, 303) and "/sign-in" in location):
        return "out"
    return {403: "denied", 404: "hidden"}.get(status, "ok" if status < 500 else str(status))

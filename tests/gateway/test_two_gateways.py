"""Several gateways before the same services: a browser may meet another one with every request."""

import http.client
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie
from itertools import repeat
from typing import Final
from urllib.parse import urlencode

import pytest

from chassis.clock import Clock
from launcher.demo.accounts import PASSWORD
from services.gateway.service import Gateway, build
from services.identity.domain.sessions import REUSE_GRACE
from tests.gateway.conftest import settings_for, token_in
from tests.gateway.test_webhook import fact, message, send
from tests.platform import Platform

_LOGIN: Final = "zhou.yutong"
_ROUNDS: Final = 12


class _Ahead(Clock):
    """A clock by which an access token of ten minutes is about to expire from the beginning."""

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(minutes=9, seconds=30)


class _Browser:
    """Cookies, and a connection to whichever gateway is named."""

    def __init__(self) -> None:
        self.cookies: dict[str, str] = {"language": "zh"}

    def ask(self, gateway: Gateway, path: str, form: dict[str, str] | None = None) -> tuple[int, str]:
        status, text, told = exchange(gateway, path, self.cookies, form)
        self.cookies |= told
        return status, text


def header(cookies: dict[str, str]) -> dict[str, str]:
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}


def exchange(
    gateway: Gateway, path: str, cookies: dict[str, str], form: dict[str, str] | None = None
) -> tuple[int, str, dict[str, str]]:
    """One request: status, text, and the cookies that were told."""
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=20)
    headers = header(cookies)
    if form is None:
        connection.request("GET", path, headers=headers)
    else:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request("POST", path, urlencode(form), headers)
    answer = connection.getresponse()
    told: dict[str, str] = {}
    for line in answer.headers.get_all("Set-Cookie") or ():
        told |= {name: morsel.value for name, morsel in SimpleCookie(line).items()}
    text = answer.read().decode()
    connection.close()
    return answer.status, text, told


def signed_in(gateway: Gateway) -> _Browser:
    browser = _Browser()
    token = token_in(browser.ask(gateway, "/sign-in")[1])
    status, _ = browser.ask(gateway, "/sign-in", {"csrf_token": token, "login": _LOGIN, "password": PASSWORD})
    assert status == 303
    return browser


@contextmanager
def stream(gateway: Gateway, cookies: dict[str, str], watch: str) -> Iterator[http.client.HTTPResponse]:
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=10)
    connection.request("GET", f"/live?watch={watch}", headers=header(cookies))
    answer = connection.getresponse()
    assert answer.status == 200
    yield answer
    answer.close()
    connection.close()


def until(answer: http.client.HTTPResponse, word: str) -> None:
    end = time.monotonic() + 10
    while word not in (line := answer.readline().decode()):
        assert line, "the stream ended"
        assert time.monotonic() < end, f"no {word}"


@pytest.fixture(scope="module")
def gateways(platform_all: Platform) -> Iterator[list[Gateway]]:
    """Two gateways that share nothing but their settings."""
    with ExitStack() as stack:
        made = []
        for _ in range(2):
            gateway = build(settings_for(platform_all), clock=_Ahead())
            gateway.start()
            stack.callback(gateway.stop, 2)
            assert gateway.parts.replica.wait(30)
            made.append(gateway)
        yield made


def test_a_session_begun_at_one_works_at_the_other(gateways: list[Gateway]) -> None:
    one, other = gateways
    browser = signed_in(one)
    for gateway in (other, one, other):
        status, text = browser.ask(gateway, "/today")
        assert status == 200
        assert "周雨桐" in text
    # A form that one of them made is taken by the other, and a session ended there is over here.
    token = token_in(browser.ask(one, "/profile")[1])
    before = dict(browser.cookies)
    assert browser.ask(other, "/sign-out", {"csrf_token": token})[0] == 303
    end = time.monotonic() + 5
    while (status := exchange(one, "/today", before)[0]) == 200:
        assert time.monotonic() < end, "still signed in"
    assert status in (302, 303)


def test_an_event_reaches_the_pages_at_both(gateways: list[Gateway]) -> None:
    one, other = gateways
    browser = signed_in(one)
    people = {person.name: person.id for person in one.parts.replica.directory.people()}
    watch = f"progress@{people['周雨桐']}"
    with stream(one, browser.cookies, watch) as here, stream(other, browser.cookies, watch) as there:
        until(here, "event: fresh")
        until(there, "event: fresh")
        body, at = message(fact(employee_number="SH0101")), int(_Ahead().now().timestamp())
        told = send(one.flask.test_client(), body, at=at)
        assert told.get_json()["refused"] == 0
        for each in (here, there):
            until(each, "data: progress")


def test_tabs_that_renew_the_session_at_both_at_once_stay_signed_in(gateways: list[Gateway]) -> None:
    browser = signed_in(gateways[0])
    asked = [gateways[number % 2] for number in range(8)]
    for number in range(_ROUNDS):
        cookies = dict(browser.cookies)
        with ThreadPoolExecutor(len(asked)) as pool:
            answers = list(pool.map(exchange, asked, repeat("/profile"), repeat(cookies)))
        assert [status for status, _, _ in answers] == [200] * len(asked)
        told = [cookies["foothold"] for _, _, cookies in answers if "foothold" in cookies]
        assert told, "by their clock the session had to be renewed"
        # Whichever answer came last is the cookie that stays.
        browser.cookies["foothold"] = told[number % len(told)]


def test_a_cookie_from_long_before_still_ends_the_session_at_a_gateway_that_does_not_know_it(
    platform_all: Platform, gateways: list[Gateway]
) -> None:
    browser = signed_in(gateways[0])
    before = dict(browser.cookies)
    assert browser.ask(gateways[0], "/profile")[0] == 200
    assert browser.cookies["foothold"] != before["foothold"]
    time.sleep(REUSE_GRACE.total_seconds() + 1)
    third = build(settings_for(platform_all), clock=_Ahead())
    third.start()
    try:
        assert third.parts.replica.wait(30)
        assert exchange(third, "/profile", before)[0] in (302, 303)
    finally:
        third.stop(2)
    end = time.monotonic() + 5
    while exchange(gateways[1], "/profile", browser.cookies)[0] == 200:
        assert time.monotonic() < end, "still signed in"

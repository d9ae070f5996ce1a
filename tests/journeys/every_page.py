"""Everybody's pages gone through in a browser: did each open, does it fit, can everybody use it.

With `--pictures` a picture of each is kept in `screenshots/` beside this file, which git ignores; look at them.
"""

import re
import urllib.parse
from collections.abc import Iterator, Mapping

from flask import Flask
from playwright.sync_api import Page, Response
from werkzeug.exceptions import HTTPException

from access import Directory
from tests.journeys import looking
from tests.journeys.conftest import DESK, PHONE, Open
from tests.journeys.pages import FIRST_DAY, NO_PLAN, NO_ROLE, NOBODY, PARTS, VISITS, Visit, first_day
from tests.journeys.people import hire
from tests.platform import Platform


class _Opened:
    """What the gateway answered a page with since the last visit: the routes, with their statuses."""

    def __init__(self, page: Page, gateway: Flask) -> None:
        self._routes = gateway.url_map.bind("127.0.0.1")
        self._seen: set[tuple[str, int]] = set()
        page.on("response", self._answered)

    def endpoint(self, method: str, address: str) -> str:
        """The route behind an address; empty when there is none."""
        try:
            endpoint: str = self._routes.match(urllib.parse.urlsplit(address).path, method)[0]
        except HTTPException:
            return ""
        return endpoint

    def _answered(self, answer: Response) -> None:
        self._seen.add((self.endpoint(answer.request.method, answer.url), answer.status))

    def since(self) -> set[tuple[str, int]]:
        seen, self._seen = self._seen, set()
        return seen


def _visit(page: Page, visit: Visit) -> None:
    start, _, link = visit.path.partition(" > ")
    if start:
        page.goto(start)
    if link:
        found = page.locator(f"{link} >> nth=0")
        opens = found.get_attribute("hx-get")
        found.click()
        if opens:
            page.wait_for_selector("dialog[open] #why-body > *")
        else:
            page.wait_for_load_state("load")
    if visit.then:
        visit.then(page)
        page.wait_for_load_state("load")


def everything() -> dict[str, list[Visit]]:
    """Who visits what."""
    return {**VISITS, FIRST_DAY: first_day({}, {})}


def _login(platform: Platform, directory: Directory, who: str) -> str:
    """The sign-in name of whom a row speaks of, hired just now where they have to be new."""
    if who == FIRST_DAY:
        return hire(platform, directory, "方知远")
    if who == NO_ROLE:
        return hire(platform, directory, "方未定", roles=())
    if who == NO_PLAN:
        return hire(platform, directory, "方无案", job_role="journey")
    return who or "tang.wei"


def go_through(
    platform: Platform,
    directory: Directory,
    open_as: Open,
    gateway: Flask,
    eyes: looking.Eyes,
    answers: list[Mapping[str, list[str]]],
    who: str,
    language: str,
) -> None:
    """Everything somebody visits, in one language: every trouble at once."""
    visits = first_day(*answers) if who == FIRST_DAY else VISITS[who]
    page = open_as(platform, _login(platform, directory, who), language=language, refused=True)
    if who == NOBODY:
        page.context.clear_cookies(name="foothold")
    opened = _Opened(page, gateway)
    troubles: list[str] = []
    for number, visit in enumerate(visits, 1):
        _visit(page, visit)
        seen = opened.since()
        if (visit.endpoint, visit.status) not in seen and (visit.path or visit.then):
            troubles.append(f"{visit.name}: did not open {visit.endpoint} with {visit.status}, but {seen}")
        parts = [part for part, whole in PARTS.items() if whole == visit.endpoint]
        if page.locator(".notice.past").count():
            parts = []  # what is past does not change
        for part in parts:
            fetches = page.locator("[hx-get]").evaluate_all(
                "all => all.map(each => each.getAttribute('hx-get'))"
            )
            if part not in {opened.endpoint("GET", each) for each in fetches}:
                troubles.append(f"{visit.name}: does not fetch {part}")
        name = f"{re.sub('[^a-z]+', '-', who or 'nobody')}-{number:02}-{visit.name}.png"
        troubles += [f"{visit.name}: {each}" for each in _look(page, eyes, language, name)]
    assert not troubles, "\n".join(troubles)


def _look(page: Page, eyes: looking.Eyes, language: str, name: str) -> Iterator[str]:
    """On the phone, on the desktop, and there in the dark: what is wrong."""
    for size in (PHONE, DESK):
        page.set_viewport_size({"width": size["width"], "height": size["height"]})
        if page.locator(".plot").count():
            page.wait_for_timeout(200)  # a chart is drawn again once its window has come to rest
        place = f"{language}-{size['width']}"
        eyes.keep(page, place, name)
        yield from (f"{place}: {each}" for each in looking.layout(page))
        # What axe looks at is the same in both languages: words are held to be there by another test.
        if language == "zh":
            yield from (f"{place}: {each}" for each in looking.serious(page, eyes.axe))
        # The phone's bar and the desktop's are the same links: each is gone through in one of the languages.
        if (size is PHONE) == (language == "zh"):
            yield from (f"{place}: {each}" for each in looking.keyboard(page))
    if language == "zh":  # colours are the same in both
        page.emulate_media(color_scheme="dark")
        eyes.keep(page, "zh-dark", name)
        yield from (f"dark: {each}" for each in looking.serious(page, eyes.axe, colours=True))
        page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})

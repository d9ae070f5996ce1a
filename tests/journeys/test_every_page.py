"""Every page by eye and by axe: phone and desktop, both languages, light and dark; nothing cut, nothing in the way.

With `--pictures` a picture of each is kept in `screenshots/` beside this file, which git ignores; look at them.
"""

import re
import urllib.parse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import pytest
from flask import Flask
from foothold.training.v1 import courses_pb2, courses_pb2_grpc
from playwright.sync_api import Page, Response
from werkzeug.exceptions import HTTPException

from access import Directory
from services.gateway.service import build
from tests.gateway.conftest import settings_for
from tests.journeys import looking
from tests.journeys.conftest import DESK, PHONE, Open, absent
from tests.journeys.pages import FIRST_DAY, NO_PAGE, NO_PLAN, NO_ROLE, NOBODY, PARTS, VISITS, Visit, first_day
from tests.journeys.people import hire
from tests.platform import Platform

pytestmark = pytest.mark.browser
_PICTURES: Final = Path(__file__).parent / "screenshots"
_COURSES: Final = ("认识产品与客户", "第一次跟进")


@pytest.fixture(scope="module")
def gateway(platform_all: Platform) -> Iterator[Flask]:
    """The gateway's routes. It is put together as the platform's own is, and never started."""
    made = build(settings_for(platform_all))
    yield made.flask
    made.parts.clients.close()


class _Eyes(NamedTuple):
    """What a page is looked at with: axe, and where pictures are kept, if they are."""

    axe: str
    kept: Path | None

    def keep(self, page: Page, *name: str) -> None:
        if self.kept:
            # To hide the caret leaves style attributes behind; HTMX copies them to what it swaps in, which the policy
            # forbids.
            whole = page.locator("dialog[open]").count() == 0
            page.screenshot(path=self.kept.joinpath(*name), full_page=whole, caret="initial")


@pytest.fixture(scope="module")
def eyes(request: pytest.FixtureRequest) -> _Eyes:
    if not looking.AXE.is_file():
        absent("axe-core is not installed: make tools")
    return _Eyes(looking.AXE.read_text(), _PICTURES if request.config.getoption("pictures") else None)


@pytest.fixture(scope="module")
def answers(platform_all: Platform) -> list[Mapping[str, list[str]]]:
    """The right options of the demo's first two courses, by question."""
    stub = courses_pb2_grpc.CoursesServiceStub(platform_all.channel("training"))
    known = {
        each.title: each.id
        for each in stub.ListCourses(courses_pb2.ListCoursesRequest(page_size=100)).courses
    }
    wanted = [courses_pb2.GetCourseRequest(course_id=known[title]) for title in _COURSES]
    return [
        {each.id: [option.id for option in each.options if option.right] for each in course.quiz.questions}
        for course in (stub.GetCourse(request).course for request in wanted)
    ]


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


def _everything() -> dict[str, list[Visit]]:
    return {**VISITS, FIRST_DAY: first_day({}, {})}


def test_every_route_is_looked_at_or_says_why_not(gateway: Flask) -> None:
    routes = {rule.endpoint for rule in gateway.url_map.iter_rules()}
    visited = {visit.endpoint for visits in _everything().values() for visit in visits} - {""}
    assert routes - visited - PARTS.keys() - NO_PAGE.keys() == set(), "a route that nobody looks at"
    assert (visited | PARTS.keys() | NO_PAGE.keys()) - routes == set(), "a row without a route"
    assert visited & (PARTS.keys() | NO_PAGE.keys()) == set()
    assert set(PARTS.values()) <= visited


def _login(platform: Platform, directory: Directory, who: str) -> str:
    """The sign-in name of whom a row speaks of, hired just now where they have to be new."""
    if who == FIRST_DAY:
        return hire(platform, directory, "方知远")
    if who == NO_ROLE:
        return hire(platform, directory, "方未定", roles=())
    if who == NO_PLAN:
        return hire(platform, directory, "方无案", job_role="journey")
    return who or "tang.wei"


@pytest.mark.timeout(600)
@pytest.mark.parametrize("who", [*_everything()], ids=lambda who: who or "nobody")
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_fits_and_can_be_used_by_everybody(
    platform_all: Platform,
    directory_all: Directory,
    open_as: Open,
    gateway: Flask,
    eyes: _Eyes,
    answers: list[Mapping[str, list[str]]],
    who: str,
    language: str,
) -> None:
    visits = first_day(*answers) if who == FIRST_DAY else VISITS[who]
    page = open_as(platform_all, _login(platform_all, directory_all, who), language=language, refused=True)
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


def _look(page: Page, eyes: _Eyes, language: str, name: str) -> Iterator[str]:
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


def test_the_rooms_are_reached_with_the_keyboard(platform_all: Platform, open_as: Open) -> None:
    page = open_as(platform_all, "zhou.yutong")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.goto("/today")
    page.locator(".target .door").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog[open]")
    page.keyboard.press("Escape")
    assert page.locator("dialog[open]").count() == 0
    assert page.evaluate("document.activeElement.matches('.target .door')"), "back where one was"

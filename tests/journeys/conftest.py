"""A real Chromium in front of the whole platform, in both of its shapes."""

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final, NoReturn

import pytest
from flask import Flask
from foothold.training.v1 import courses_pb2, courses_pb2_grpc
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Playwright,
    expect,
    sync_playwright,
)

from access import Directory, MemoryReplica
from launcher.demo.accounts import PASSWORD
from services.gateway.service import build
from tests.gateway.conftest import settings_for
from tests.journeys import looking
from tests.platform import Platform, platform_all, platform_split

__all__ = ["platform_all", "platform_split"]

_PICTURES: Final = Path(__file__).parent / "screenshots"
_COURSES: Final = ("认识产品与客户", "第一次跟进")
PHONE: Final = {"width": 360, "height": 720}
DESK: Final = {"width": 1280, "height": 900}
_NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
_MAC: Final = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
_ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def absent(what: str) -> NoReturn:
    """Skip for want of a tool, saying which; in CI, which installs them all, that is a failure."""
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    # Two runs share the machine: what is expected may take longer than on one of its own.
    expect.set_options(timeout=20_000)
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    found = next((path for name in (*_NAMES, _MAC) if (path := shutil.which(name))), None)
    if found is None:
        absent("no Chromium on this machine: apt install chromium")
    started = playwright.chromium.launch(executable_path=found, args=list(_ARGUMENTS))
    yield started
    started.close()


@pytest.fixture(params=["all", "split"], scope="session")
def platform(request: pytest.FixtureRequest) -> Platform:
    """The platform in one process, then in a process per service."""
    found: Platform = request.getfixturevalue(f"platform_{request.param}")
    found.wait_ready()
    return found


Open = Callable[..., Page]


@pytest.fixture
def open_as(browser: Browser) -> Iterator[Open]:
    """`open_as(platform, "zhou.yutong")`: a page in a browser of its own, that person signed in through the form.

    A message in the browser's console is a failure: the page runs under a policy that forbids what is not ours. Whoever
    means to be refused (`refused=True`) may be told so there.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_(
        platform: Platform,
        login: str,
        *,
        size: dict[str, int] = PHONE,
        language: str = "zh",
        refused: bool = False,
    ) -> Page:
        context = browser.new_context(
            viewport={"width": size["width"], "height": size["height"]},
            locale={"zh": "zh-CN", "en": "en-GB"}[language],
            base_url=platform.web,
        )
        context.add_cookies([{"name": "language", "value": language, "url": platform.web}])
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))

        def complain(told: ConsoleMessage) -> None:
            if told.type == "error" and not (
                refused and "the server responded with a status of 4" in told.text
            ):
                complaints.append(told.text)

        page.on("console", complain)
        page.goto("/sign-in")
        page.fill("#login", login)
        page.fill("#password", PASSWORD)
        page.click("form .primary")
        page.wait_for_load_state("load")
        return page

    yield open_
    said = _but_aborted(complaints)
    for context in contexts:
        context.close()
    assert said == []


@contextlib.contextmanager
def _directory_of(platform: Platform) -> Iterator[Directory]:
    token = (platform.folder.path / "secrets" / "component_gateway.token").read_text().strip()
    replica = MemoryReplica(platform.channel("identity", token=token))
    replica.start()
    assert replica.wait(30)
    yield replica.directory
    replica.stop()


@pytest.fixture
def directory(platform: Platform) -> Iterator[Directory]:
    """Who there is on the platform."""
    with _directory_of(platform) as found:
        yield found


@pytest.fixture
def directory_all(platform_all: Platform) -> Iterator[Directory]:
    """Who there is on the platform in one process."""
    with _directory_of(platform_all) as found:
        yield found


def _but_aborted(complaints: list[str]) -> list[str]:
    """What a browser complained of, without what a page says that was left while it fetched: that it gave up."""
    said = [each for each in complaints if "ERR_ABORTED" not in each]
    for given_up in [each for each in said if each.startswith("htmx:sendAbort")]:
        # htmx tells of a request given up twice; one that failed otherwise has another word for it.
        said.remove(given_up)
        after = next((each for each in said if each.startswith("htmx:afterRequest")), None)
        if after is not None:
            said.remove(after)
    return said


@pytest.fixture(scope="module")
def gateway(platform_all: Platform) -> Iterator[Flask]:
    """The gateway's routes. It is put together as the platform's own is, and never started."""
    made = build(settings_for(platform_all))
    yield made.flask
    made.parts.clients.close()


@pytest.fixture(scope="module")
def eyes(request: pytest.FixtureRequest) -> looking.Eyes:
    if not looking.AXE.is_file():
        absent("axe-core is not installed: make tools")
    return looking.Eyes(looking.AXE.read_text(), _PICTURES if request.config.getoption("pictures") else None)


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

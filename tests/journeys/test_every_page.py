"""Every page by eye and by axe: phone and desktop, both languages, light and dark; nothing cut, nothing in the way.

The pictures are kept in `screenshots/` beside this file, which git ignores; look at them.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Page

from tests.journeys.conftest import DESK, PHONE, Open, absent
from tests.platform import Platform

pytestmark = pytest.mark.browser
_AXE: Final = Path(__file__).parents[2] / "tools" / "node" / "node_modules" / "axe-core" / "axe.min.js"
_PICTURES: Final = Path(__file__).parent / "screenshots"
_RULES: Final = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
# What stands over the page is meant to; everything else must fit into its width.
_TOO_WIDE: Final = """() => [...document.querySelectorAll('main *, header *, nav *')]
    .filter(each => !each.closest('.scroll, pre, .plot, .unseen') && each.getBoundingClientRect().width > 0
        && each.getBoundingClientRect().right > innerWidth + 1)
    .map(each => each.tagName + '.' + each.className + ': ' + each.textContent.trim().slice(0, 40))"""
_SMALL: Final = """() =>
    [...document.querySelectorAll('nav a, main button, main input:not([type=hidden]), main select')]
    .filter(each => !each.closest('.unseen') && !each.classList.contains('unseen') && each.offsetParent !== null)
    .filter(each => { const box = (each.closest('label') ?? each).getBoundingClientRect();
        return box.height < 43.5 && !each.closest('.option') && each.type !== 'checkbox' && each.type !== 'radio'; })
    .map(each => each.outerHTML.slice(0, 80))"""

PAGES: Final[dict[str, list[str]]] = {
    "zhou.yutong": [
        *("/today", "/targets", "/customers", "/learning", "/bonus", "/boards", "/profile"),
        *("/learning > .path h2 a", "/today > .target .door", "/bonus > table .door"),
    ],
    "he.siqi": ["/today", "/learning", "/bonus", "/learning > .path h2 a"],
    "xu.jianguo": ["/mentees", "/menu"],
    "tang.wei": ["/team", "/team > .person h2 a", "/boards", "/profile"],
    "jiang.lan": ["/courses", "/courses > .rows a", "/courses/new", "/coverage"],
    "pan.li": ["/people", "/people > .rows a", "/standards"],
    "gu.wenjing": ["/people", "/people/new", "/standards", "/plans", "/plans/new", "/team", "/organisation"],
    "admin": ["/organisation", "/access", "/integrations", "/running", "/menu"],
}


def _visit(page: Page, path: str) -> None:
    """`/team > .person a` is the page that the first such link of /team leads to, or the dialog it opens."""
    start, _, link = path.partition(" > ")
    page.goto(start)
    if link:
        found = page.locator(link).first
        opens = found.get_attribute("hx-get")
        found.click()
        if opens:
            page.wait_for_selector("dialog[open]")
        else:
            page.wait_for_load_state("load")
    page.wait_for_timeout(150)


@pytest.fixture(scope="module")
def axe() -> str:
    if not _AXE.is_file():
        absent("axe-core is not installed: make tools")
    return _AXE.read_text()


def _serious(page: Page, axe: str) -> Iterator[str]:
    page.evaluate(axe)
    found: dict[str, Any] = page.evaluate("rules => axe.run(document, rules)", _RULES)
    for violation in found["violations"]:
        if violation["impact"] in ("serious", "critical"):
            for node in violation["nodes"][:3]:
                yield f"{violation['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"


@pytest.mark.timeout(400)
@pytest.mark.parametrize("login", PAGES)
@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_every_page_fits_and_can_be_used_by_everybody(
    platform_all: Platform, open_as: Open, axe: str, login: str, language: str, size: dict[str, int]
) -> None:
    # Dark on the desktop in English, so that both schemes are seen with every page.
    dark = size is DESK and language == "en"
    # What axe looks into does not depend on the language: the phone in Chinese and the dark desktop are enough.
    looked_into = dark or (size is PHONE and language == "zh")
    page = open_as(platform_all, login, size=size, language=language, dark=dark)
    folder = _PICTURES / f"{language}-{size['width']}{'-dark' if dark else ''}"
    troubles: list[str] = []
    for path in PAGES[login]:
        _visit(page, path)
        name = re.sub(r"[^a-z]+", "-", path).strip("-")
        page.screenshot(
            path=folder / f"{login}-{name}.png", full_page=page.locator("dialog[open]").count() == 0
        )
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        troubles += [f"{path}: scrolls sideways by {wide}"] if wide > 0 else []
        troubles += [f"{path}: too wide: {each}" for each in page.evaluate(_TOO_WIDE)]
        troubles += [f"{path}: too small: {each}" for each in page.evaluate(_SMALL)]
        if looked_into:
            troubles += [f"{path}: {each}" for each in _serious(page, axe)]
    assert troubles == []


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_sign_in_page_fits_and_can_be_used_by_everybody(
    platform_all: Platform, open_as: Open, axe: str, language: str
) -> None:
    page = open_as(platform_all, "tang.wei", language=language)
    page.context.clear_cookies(name="foothold")
    page.goto("/sign-in")
    page.screenshot(path=_PICTURES / f"{language}-360" / "sign-in.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert list(_serious(page, axe)) == []


def test_the_rooms_are_reached_with_the_keyboard(platform_all: Platform, open_as: Open) -> None:
    page = open_as(platform_all, "zhou.yutong")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.goto("/today")
    seen = set()
    for _ in range(14):
        page.keyboard.press("Tab")
        seen.add(page.evaluate("document.activeElement.getAttribute('href')"))
    assert {"/today", "/targets", "/customers", "/learning", "/bonus", "/profile"} <= seen
    page.locator(".target .door").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog[open]")
    page.keyboard.press("Escape")
    assert page.locator("dialog[open]").count() == 0

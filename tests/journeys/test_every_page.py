"""Every page by eye and by axe: phone and desktop, light and dark; nothing cut, nothing in the way. In Chinese."""

from collections.abc import Mapping

import pytest
from flask import Flask

from access import Directory
from tests.journeys.conftest import Open
from tests.journeys.every_page import everything, go_through
from tests.journeys.looking import Eyes
from tests.journeys.pages import NO_PAGE, PARTS
from tests.platform import Platform

pytestmark = pytest.mark.browser


def test_every_route_is_looked_at_or_says_why_not(gateway: Flask) -> None:
    routes = {rule.endpoint for rule in gateway.url_map.iter_rules()}
    visited = {visit.endpoint for visits in everything().values() for visit in visits} - {""}
    assert routes - visited - PARTS.keys() - NO_PAGE.keys() == set(), "a route that nobody looks at"
    assert (visited | PARTS.keys() | NO_PAGE.keys()) - routes == set(), "a row without a route"
    assert visited & (PARTS.keys() | NO_PAGE.keys()) == set()
    assert set(PARTS.values()) <= visited


@pytest.mark.timeout(900)
@pytest.mark.parametrize("who", [*everything()], ids=lambda who: who or "nobody")
def test_every_page_fits_and_can_be_used_by_everybody(
    platform_all: Platform,
    directory_all: Directory,
    open_as: Open,
    gateway: Flask,
    eyes: Eyes,
    answers: list[Mapping[str, list[str]]],
    who: str,
) -> None:
    go_through(platform_all, directory_all, open_as, gateway, eyes, answers, who, "zh")


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

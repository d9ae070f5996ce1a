"""A metric of one's own, from the administrator's form to a newcomer's page."""

import re

import pytest
from playwright.sync_api import Page, expect

from chassis.ids import new_id
from tests.journeys.conftest import DESK, Open
from tests.platform import Platform

pytestmark = pytest.mark.browser
_TITLE = "线上渠道新客户"


def _counted(page: Page) -> tuple[int, int]:
    """Of how many facts how many count, as the preview says."""
    said = page.locator(".looked-at").inner_text()
    found = re.search(r"共\s*([\d,]+)\s*条，其中\s*([\d,]+)\s*条", re.sub(r"[\u2009\u202f]", " ", said))
    assert found, said
    of_kind, met = (int(number.replace(",", "")) for number in found.groups())
    return of_kind, met


def _preview_after(page: Page, change: str, value: str = "") -> tuple[int, int]:
    with page.expect_response("**/metrics/new/preview"):
        if value:
            page.select_option(change, value)
        else:
            page.check(change)
    page.wait_for_selector(".looked-at:not(.htmx-request) .hero")
    return _counted(page)


def _define(page: Page, name: str) -> None:
    """New customers from online channels, each step looked at before it is saved."""
    page.goto("/metrics/new")
    page.wait_for_selector(".looked-at .hero")
    all_follow_ups = _counted(page)
    assert all_follow_ups[0] == all_follow_ups[1] > 0
    _preview_after(page, "[name=aggregation]", "customers")
    _preview_after(page, "[name=channel][value=online]")
    of_kind, online = _preview_after(page, "[name=channel][value=douyin]")
    assert 0 < online < of_kind == all_follow_ups[0]
    new_ones = page.locator(".looked-at .hero")
    known_too = int(new_ones.inner_text().replace(",", ""))
    _preview_after(page, "[name=customers]", "new")
    assert 0 < int(new_ones.inner_text().replace(",", "")) <= known_too
    page.fill("[name=name]", name)
    page.fill("[name=title_zh]", _TITLE)
    page.fill("[name=title_en]", "New customers online")
    page.fill("[name=description]", "当期首次跟进、且来自线上或抖音的不同客户数。")
    page.fill("[name=reason]", "现在主要在线上获客")
    page.click("#metric-form .primary")
    expect(page.locator(".notice")).to_contain_text("已保存")
    # The page follows the computing by itself.
    expect(page.locator("#metric-state")).to_contain_text("使用中", timeout=20_000)


def _ask_for(page: Page, name: str, of: str) -> None:
    """A target of it for the department."""
    page.goto("/standards")
    place = page.locator("#f-node_id option", has_text=of)
    page.select_option("#f-node_id", place.first.get_attribute("value"))
    page.select_option("#f-metric", name)
    page.fill("#f-value", "8")
    page.fill("#f-reason", "线上获客是今年的重点")
    page.click("#set .primary")
    expect(page.locator(".notice")).to_contain_text("已保存")
    expect(page.locator("main")).to_contain_text(_TITLE)


def test_an_administrator_defines_it_and_a_newcomer_sees_it_by_its_title(
    platform_all: Platform, open_as: Open
) -> None:
    name = f"online_{new_id()[-6:]}"
    admin = open_as(platform_all, "admin", size=DESK)
    _define(admin, name)
    _ask_for(admin, name, "销售一部")
    newcomer = open_as(platform_all, "zhou.yutong")
    newcomer.goto("/targets")
    target = newcomer.locator(".target", has_text=_TITLE)
    expect(target).to_contain_text("8")
    target.locator(".door").first.click()
    expect(newcomer.locator("dialog[open]")).to_contain_text("当期首次跟进、且来自线上或抖音的不同客户数。")
    expect(newcomer.locator("dialog[open]")).to_contain_text(_TITLE)
    # Others who look at this enterprise find it as it was.
    kept = admin.locator(".rows li", has_text=_TITLE)
    kept.locator("summary").click()
    kept.locator("[name=reason]").fill("试完了")
    kept.locator("form button").click()
    expect(admin.locator(".notice")).to_be_visible()

"""A company's year, cut by an administrator down to people's months; a newcomer reads where theirs comes from."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import DESK, Open
from tests.journeys.test_main_job import follow_up, live, record
from tests.platform import Platform

pytestmark = pytest.mark.browser
_NOW: Final = datetime.now(UTC) + timedelta(hours=8)
_WHOLE: Final = "3601"


def _cut(page: Page, into: str, method: str, **more: str) -> None:
    """Show the shares and set them as shown; their sum is read off the page before."""
    page.click(".head .primary")
    page.select_option("[name=into]", into)
    page.select_option("[name=method]", method)
    for name, text in more.items():
        page.fill(f"[name={name}]", text)
    page.click("[value=show]:not(.unseen)")
    page.wait_for_selector("tfoot")
    page.fill("[name=reason]", "逐级分解")
    page.click("[value=apply]")
    expect(page.locator(".notice")).to_contain_text("分毫不差")
    expect(page.locator("#children .status").first).to_contain_text("全部分解")


def test_a_year_is_cut_into_departments_and_a_month_into_people_and_a_newcomer_sees_the_chain(
    platform_all: Platform, open_as: Open
) -> None:
    page = open_as(platform_all, "admin", size=DESK)
    page.goto("/goals/new")
    page.select_option("[name=node_id]", "lizu")
    page.select_option("[name=metric]", "deals_won")
    page.fill("[name=value]", _WHOLE)
    page.fill("[name=reason]", "全年成单")
    page.click("form .primary")
    expect(page.locator("h1")).to_contain_text("立足科技")
    _cut(page, "departments", "headcount")
    page.click("text=上海销售一部")
    expect(page.locator("h1")).to_contain_text("上海销售一部")
    _cut(page, "months", "equal")
    page.click(f"#children tr:has-text('{_NOW.year}年{_NOW.month}月') a >> nth=0")
    expect(page.locator("h1")).to_contain_text(re.compile(rf"{_NOW.year}年\W*{_NOW.month}月"))
    # By what they did over the last weeks; whoever did nothing then gets nothing.
    earlier = (_NOW - timedelta(days=60)).date().isoformat()
    _cut(page, "people", "history", history_from=earlier, history_to=_NOW.date().isoformat())
    expect(page.locator("#children tr", has_text="周雨桐")).to_be_visible()

    page.goto("/goals?metric=deals_won")
    whole = page.locator(".goals > li").first
    expect(whole).to_contain_text("全部分解")
    whole.locator(".goals summary").first.click()
    expect(whole.locator(".goals .goals li").first).to_be_visible()

    newcomer = open_as(platform_all, "zhou.yutong")
    newcomer.goto("/targets")
    mine = newcomer.locator(".goal:has(.what strong:text-is('成单'))").first
    mine.locator("summary").click()
    chain = mine.locator(".chain li")
    expect(chain).to_have_count(4)
    expect(chain.nth(0)).to_contain_text("按历史业绩")
    expect(chain.nth(1)).to_contain_text("上海销售一部")
    expect(chain.nth(2)).to_contain_text("按人数")
    expect(chain.nth(3)).to_contain_text("立足科技")
    expect(chain.nth(3)).to_contain_text("罗志远")
    chain.nth(3).locator("a").click()
    expect(newcomer.locator("h1")).to_contain_text("立足科技")
    assert "北京销售一部" not in newcomer.locator("main").inner_text()


def test_a_key_result_changes_without_a_reload(platform_all: Platform, open_as: Open) -> None:
    page = open_as(platform_all, "zhou.yutong")
    page.goto("/objectives")
    live(page)
    done = page.locator("#objectives [data-key$='-2']").first
    before = done.locator("xpath=..").inner_text()
    record(platform_all, follow_up("SH0101"))
    # One more customer was followed up: the close rate's lower part grows.
    expect(page.locator("#objectives [data-key$='-2']").first.locator("xpath=..")).not_to_have_text(
        before, timeout=5_000
    )

"""Trying plans on past months, checking a period's figures, and a bonus as it was shown then, through the pages."""

import re
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from flask.testing import FlaskClient

from tests.gateway.conftest import token_in
from tests.gateway.test_plan_editor import RULES, form


def _done(browser: FlaskClient, address: str) -> str:
    """The page of a simulation once it is done."""
    until = time.monotonic() + 30
    while True:
        page = browser.get(address).text
        if 'id="people"' in page or time.monotonic() > until:
            return page
        time.sleep(0.1)


def _first_plan(page: str) -> str:
    found = re.search(r'<select id="f-first".*?<option value="([^"]+)"', page, re.DOTALL)
    assert found
    return found[1]


def test_two_plans_are_tried_side_by_side_and_kept_at_an_address(
    as_login: Callable[..., FlaskClient],
) -> None:
    browser = as_login("gu.wenjing")
    page = browser.get("/plans/simulate").text
    plan = _first_plan(page)
    typed = {
        "csrf_token": token_in(page),
        "first": plan,
        "second": plan,
        "node_id": "shanghai",
        "first_month": (date.today().replace(day=1) - timedelta(days=40)).strftime("%Y-%m"),  # noqa: DTZ011
        "months": "2",
        "name": "两个方案",
    }
    answer = browser.post("/plans/simulate", data=typed)
    assert answer.status_code == 303
    page = _done(browser, answer.location)
    assert "这几个月实发" in page
    assert page.count("逐条规则") == 2
    assert "两个方案" in browser.get("/plans/simulate").text
    table = browser.get(f"{answer.location}.csv").text
    assert table.startswith("\ufeff工号,姓名,实发")
    # Whoever may not see the branch does not find it.
    assert as_login("fang.xiaomeng").get(answer.location).status_code in (403, 404)


def test_what_does_not_fit_is_said_beside_the_field(as_login: Callable[..., FlaskClient]) -> None:
    browser = as_login("gu.wenjing")
    page = browser.get("/plans/simulate").text
    typed = {
        "csrf_token": token_in(page),
        "first": "",
        "first_month": "soon",
        "months": "many",
        "name": "留着",
    }
    answer = browser.post("/plans/simulate", data=typed)
    assert answer.status_code == 422
    assert answer.text.count('aria-invalid="true"') == 3
    assert 'value="留着"' in answer.text


def test_a_draft_is_tried_from_its_editor(as_login: Callable[..., FlaskClient]) -> None:
    browser = as_login("gu.wenjing")
    answer = browser.post("/plans/new", data=form(browser, *RULES, action="try"))
    assert answer.status_code == 303, answer.text
    assert "逐条规则" in _done(browser, answer.location)


def test_the_figures_of_a_period_are_checked(as_login: Callable[..., FlaskClient]) -> None:
    browser = as_login("gu.wenjing")
    page = browser.get("/payouts/check").text
    typed = {
        "csrf_token": token_in(page),
        "node_id": "shanghai",
        "kind": "month",
        "on": date.today().isoformat(),  # noqa: DTZ011
    }
    assert "每一行都与保存的一致" in browser.post("/payouts/check", data=typed).text
    assert browser.post("/payouts/check", data={**typed, "on": ""}).status_code == 422


def test_a_bonus_is_shown_as_it_was_before_anything_was_known(as_login: Callable[..., FlaskClient]) -> None:
    browser = as_login("li.jiahui")
    page = browser.get("/bonus?at=2024-01-01T10:00").text
    assert "那时还没有适用于你的奖金方案" in page
    assert "本周成单率" not in page
    now = datetime.now(ZoneInfo("Asia/Shanghai")).replace(tzinfo=None).isoformat(timespec="seconds")
    assert 'data-key="total"' in browser.get(f"/bonus?at={now}").text

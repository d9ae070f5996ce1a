"""HR's page of a period, and what the person sees of a closed one."""

import re
from collections.abc import Callable
from datetime import date, timedelta

from flask.testing import FlaskClient

from tests.gateway.conftest import token_in
from tests.gateway.test_standards import plain, send


def _last_month() -> str:
    return (date.today().replace(day=1) - timedelta(days=1)).isoformat()  # noqa: DTZ011  as the demo was seeded


def test_a_closed_branch_says_who_closed_it_and_offers_no_close(
    as_login: Callable[..., FlaskClient],
) -> None:
    page = as_login("liang.yue").get("/payouts").text
    assert "已关账。" in page
    assert "梁悦" in page
    assert "close-period" not in page
    # What was learned of it since: a deal that was entered too late.
    assert re.search(r"关账后才知道的，记在后面各期</dt><dd>¥(?!0\.00)", page)


def test_a_branch_that_is_over_is_closed_once_and_the_period_that_runs_is_not(
    as_login: Callable[..., FlaskClient],
) -> None:
    browser = as_login("fang.xiaomeng")
    page = browser.get("/payouts?node_id=hangzhou&on=2024-03-01").text
    assert "close-period" in page
    form = {"csrf_token": token_in(page), "node_id": "hangzhou", "kind": "month", "on": "2024-03-01"}
    assert browser.post("/payouts/close", data=form).status_code == 303
    assert "close-period" not in browser.get("/payouts?node_id=hangzhou&on=2024-03-01").text
    assert browser.post("/payouts/close", data=form).status_code == 303
    running = browser.post("/payouts/close", data={**form, "on": date.today().isoformat()})  # noqa: DTZ011
    assert running.status_code == 409
    assert "还有人没到期末" in running.text


def test_what_cannot_be_taken_back_is_never_closed_by_default(as_login: Callable[..., FlaskClient]) -> None:
    browser = as_login("gu.wenjing")
    token = token_in(browser.get("/payouts").text)
    whole = {"csrf_token": token, "node_id": "shanghai", "kind": "month", "on": _last_month()}
    for left_out in ("node_id", "kind", "on"):
        form = {name: value for name, value in whole.items() if name != left_out}
        assert browser.post("/payouts/close", data=form).status_code == 422
    assert "close-period" in browser.get("/payouts?node_id=shanghai").text


def test_the_person_sees_the_adjustment_with_a_door_to_what_it_corrects(
    as_login: Callable[..., FlaskClient],
) -> None:
    browser = as_login("li.jiahui")
    page = browser.get("/bonus").text
    door = re.search(r'href="(/why/[^"]+)"[^>]*data-key="adjustment-', page)
    assert door
    assert browser.get(door[1].replace("&amp;", "&")).status_code == 200
    assert "已批准，等待发放" in browser.get(f"/bonus?on={_last_month()}").text


def test_a_manager_sees_what_the_own_department_comes_to_and_closes_nothing(
    as_login: Callable[..., FlaskClient],
) -> None:
    page = as_login("su.peiwen").get("/payouts")
    assert page.status_code == 200
    assert "罗敏仪" in page.text
    assert "李嘉慧" not in page.text
    assert "close-period" not in page.text


def test_a_line_held_back_is_told_and_released_into_a_batch_of_its_own(
    as_login: Callable[..., FlaskClient],
) -> None:
    hr = as_login("liang.yue")
    day = _last_month()
    own = plain(as_login("li.jiahui").get(f"/bonus?on={day}").text)
    assert "稍后发放：这一行正在核对，其余先发" in own
    page = hr.get(f"/payouts?node_id=guangzhou&on={day}").text
    assert "另有2行" in plain(page).replace(" ", "")
    assert "放行这一行" in page
    form = {"node_id": "guangzhou", "kind": "month", "on": day, "person_id": "li-jiahui", "release": "1"}
    status, page = send(hr, "/payouts/hold", **form, rule_id="new-customers", reason="核对过了")
    assert status == 200
    assert "放行这一行" not in page
    assert 'id="make-batch"' in page, "what was left out waits for a batch"
    assert send(hr, "/payouts/hold", **form, rule_id="new-customers", reason="again")[0] == 409

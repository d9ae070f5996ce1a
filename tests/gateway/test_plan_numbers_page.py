"""Branches set numbers of a plan on its page: checked while typed, approved by somebody else, told to whom they pay."""

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.gateway.conftest import token_in

AsLogin = Callable[..., FlaskClient]
PAGE = "/plans/newcomer-sales/numbers"
FORM: dict[str, Any] = {
    "node_id": "hangzhou",
    "number": "close-rate-bonus.amount",
    "value": "280",
    "effective_from": "2031-01-01",
    "reason": "杭州成单难",
}


def plain(text: str) -> str:
    return re.sub(
        r"\s+", " ", re.sub(r"[\u2009\u202f\u00a0]", " ", html.unescape(re.sub("<[^>]*>", " ", text)))
    )


def send(client: FlaskClient, path: str, *, checking: bool = False, **form: Any) -> tuple[int, str]:
    token = token_in(client.get("/profile").text)
    headers = {"HX-Request": "true"} if checking else {}
    answer = client.post(path, data={"csrf_token": token, **form}, headers=headers, follow_redirects=True)
    return answer.status_code, plain(answer.text)


def row(page: str, place: str, value: str) -> str:
    """The row of what a place has set."""
    found = re.search(rf"<li><strong>{place}：{value}</strong>.*?</li>", html.unescape(page), re.DOTALL)
    assert found, plain(page)
    return found[0]


def test_a_number_is_checked_while_it_is_typed_and_nothing_is_stored(as_login: AsLogin) -> None:
    hr = as_login("gu.wenjing")
    status, told = send(hr, PAGE, checking=True, **{**FORM, "reason": ""})
    assert status == 200
    assert "方案里是 ¥200.00" in told
    assert "¥100.00 到 ¥300.00" in told
    assert "没有需要提醒的地方" in told
    status, told = send(hr, PAGE, checking=True, **{**FORM, "value": "301"})
    assert status == 200
    assert "立足科技" in told
    assert "¥100.00 到 ¥300.00" in told
    assert "杭州分公司：¥280.00" not in plain(hr.get(PAGE).text)


def test_a_refused_number_keeps_what_was_typed_and_says_why(as_login: AsLogin) -> None:
    hr = as_login("gu.wenjing")
    asked = {"csrf_token": token_in(hr.get("/profile").text), **FORM, "value": "many"}
    answer = hr.post(PAGE, data=asked)
    assert answer.status_code == 422
    assert 'value="many"' in answer.text
    assert "杭州成单难" in answer.text
    status, told = send(hr, PAGE, **{**FORM, "value": "301"})
    assert status == 409
    assert "¥100.00 到 ¥300.00" in told
    status, told = send(hr, PAGE, **{**FORM, "reason": ""})
    assert status == 400
    assert "请填写" in told or "请填" in told
    # Shenzhen has a plan of its own.
    status, told = send(hr, PAGE, **{**FORM, "node_id": "shenzhen"})
    assert status == 400
    assert "不允许下级自定这个数" in told


def test_it_waits_for_another_person_pays_and_ends(as_login: AsLogin) -> None:
    hr, admin = as_login("gu.wenjing"), as_login("admin")
    status, told = send(hr, PAGE, **FORM)
    assert status == 200
    assert "已提交" in told
    waiting = row(hr.get(PAGE).text, "杭州分公司", "¥280.00")
    assert "待审批" in waiting
    assert "/approve" not in waiting, "whoever proposed it does not decide"
    approve = re.search(r'action="([^"]+/approve)"', row(admin.get(PAGE).text, "杭州分公司", "¥280.00"))
    assert approve
    status, told = send(hr, approve[1])
    assert (status, "另" in told) == (409, True)
    status, told = send(admin, approve[1])
    assert (status, "已批准" in told) == (200, True)
    in_force = row(hr.get(PAGE).text, "杭州分公司", "¥280.00")
    assert "罗志远" in in_force
    end = re.search(r'action="([^"]+/end)"', in_force)
    assert end
    status, told = send(hr, end[1], reason="到此为止", effective_to="2031-01-01")
    assert (status, "已结束" in told) == (200, True)
    assert "杭州分公司：¥280.00" not in plain(hr.get(PAGE).text)


def test_a_proposal_is_refused_with_a_reason_or_taken_back(as_login: AsLogin) -> None:
    hr, admin = as_login("gu.wenjing"), as_login("admin")
    send(hr, PAGE, **{**FORM, "value": "290"})
    refuse = re.search(r'action="([^"]+/refuse)"', row(admin.get(PAGE).text, "杭州分公司", "¥290.00"))
    assert refuse
    assert send(admin, refuse[1], reason="")[0] == 400
    assert "太贵" in send(admin, refuse[1], reason="太贵")[1]
    send(hr, PAGE, **{**FORM, "value": "270"})
    back = re.search(r'action="([^"]+/end)"', row(hr.get(PAGE).text, "杭州分公司", "¥270.00"))
    assert back
    assert "撤回" in send(hr, back[1], reason="写错了")[1]
    assert "¥270.00" not in plain(hr.get(PAGE).text)


def test_whom_it_pays_reads_it_with_its_plan_and_beside_the_amount(as_login: AsLogin) -> None:
    own = as_login("sun.haoran")
    said = "北京分公司把金额定为 ¥260.00，方案里是 ¥200.00"
    assert said in plain(own.get("/bonus").text)
    assert said in plain(own.get("/why/sun-haoran/line/close-rate-bonus").text)
    assert said not in plain(as_login("zhou.yutong").get("/bonus").text)


@pytest.mark.parametrize("login", ["pan.li", "gu.wenjing"])
def test_what_waits_is_seen_where_it_may_be_decided_or_was_proposed(as_login: AsLogin, login: str) -> None:
    assert "待审批" in row(as_login(login).get(PAGE).text, "上海分公司", "¥55.00")


def test_a_manager_sees_what_holds_and_no_form(as_login: AsLogin) -> None:
    page = as_login("tang.wei").get(PAGE).text
    assert 'id="set"' not in page
    assert "¥55.00" not in plain(page)


def test_what_waits_is_told_where_plans_wait(as_login: AsLogin) -> None:
    page = as_login("gu.wenjing").get("/plans").text
    assert re.search(r"上海分公司：\d+ 个自定的数", plain(page))
    assert f'href="{PAGE}"' in page


@pytest.mark.parametrize("login", ["pan.li", "tang.wei"])
def test_what_waits_is_not_told_to_who_does_not_decide(as_login: AsLogin, login: str) -> None:
    assert "个自定的数" not in plain(as_login(login).get("/plans").text)

"""A newcomer asks for a line to be looked at again, and HR answers."""

import re
from collections.abc import Callable

from flask.testing import FlaskClient

from tests.gateway.conftest import token_in


def _ask(browser: FlaskClient, rule_id: str, words: str = "少算了一位客户") -> str:
    page = browser.get(f"/disputes/new?rule_id={rule_id}").text
    form = {"csrf_token": token_in(page), "rule_id": rule_id, "words": words}
    answer = browser.post("/disputes/new", data=form)
    assert answer.status_code == 303, answer.text
    return str(answer.location)


def test_from_the_explanation_to_the_adjustment_on_the_bonus_page(
    as_login: Callable[..., FlaskClient],
) -> None:
    browser, hr = as_login("luo.minyi"), as_login("liang.yue")
    line = re.search(r'href="(/why/[^"]+/line/new-customers[^"]*)"', browser.get("/bonus").text)
    assert line
    assert "/disputes/new?rule_id=new-customers" in browser.get(line[1].replace("&amp;", "&")).text
    address = _ask(browser, "new-customers")
    page = browser.get(address).text
    assert "少算了一位客户" in page
    assert "等待回复" in page
    again = browser.get("/disputes/new?rule_id=new-customers").text
    form = {"csrf_token": token_in(again), "rule_id": "new-customers", "words": "再问一次"}
    assert browser.post("/disputes/new", data=form).status_code == 409
    assert address in hr.get("/disputes").text
    page = hr.get(address).text
    wrong = hr.post(
        f"{address}/answer", data={"csrf_token": token_in(page), "answer": "补上", "adjustment": "fifty"}
    )
    assert wrong.status_code == 422
    assert "补上" in wrong.text
    form = {"csrf_token": token_in(page), "answer": "确实漏了，补上", "adjustment": "50"}
    assert hr.post(f"{address}/answer", data=form).status_code == 303
    assert hr.post(f"{address}/answer", data=form).status_code == 409
    page = browser.get(address).text
    assert "确实漏了，补上" in page
    assert "¥50.00" in page
    assert "¥50.00" in browser.get("/bonus").text.split("adjustment-", 1)[1]


def test_it_can_be_withdrawn_and_is_nobody_else_s(as_login: Callable[..., FlaskClient]) -> None:
    browser = as_login("chen.guanlin")
    address = _ask(browser, "close-rate-points")
    page = browser.get(address).text
    other = as_login("zhou.yutong")
    assert other.get(address).status_code == 404
    assert browser.post(f"{address}/withdraw", data={"csrf_token": token_in(page)}).status_code == 303
    assert "已撤回" in browser.get(address).text
    assert browser.post(f"{address}/withdraw", data={"csrf_token": token_in(page)}).status_code == 409


def test_a_question_without_words_is_refused_beside_the_field(as_login: Callable[..., FlaskClient]) -> None:
    browser = as_login("chen.guanlin")
    page = browser.get("/disputes/new?rule_id=new-customers").text
    form = {"csrf_token": token_in(page), "rule_id": "new-customers", "words": " "}
    refused = browser.post("/disputes/new", data=form)
    assert refused.status_code == 422
    assert "1,000" in refused.text
    assert browser.get("/disputes/new?rule_id=no-such-line").status_code == 404

"""Boards: the best part and oneself, the way up in words, the whole as a file, and boards of one's own."""

import re
from collections.abc import Callable

from flask.testing import FlaskClient

from tests.gateway.conftest import token_in
from tests.gateway.test_standards import plain

AsLogin = Callable[..., FlaskClient]
NEWCOMER, HR = "lin.zihan", "gu.wenjing"


def _ranks(page: str) -> list[str]:
    return re.findall(r'<td class="number rank">([^<]+)</td>', page)


def _lines(client: FlaskClient, address: str) -> list[list[str]]:
    answer = client.get(address)
    assert answer.status_code == 200
    return [line.split(",") for line in answer.text.lstrip("\ufeff").splitlines()]


def test_a_newcomer_sees_the_best_and_themselves_and_whoever_answers_for_all_sees_all(
    as_login: AsLogin,
) -> None:
    newcomer, hr = as_login(NEWCOMER), as_login(HR)
    asked = "board=follow-ups-month&node=lizu"
    page = newcomer.get(f"/boards?{asked}").text
    whole = hr.get(f"/boards?{asked}").text
    everybody = len(_ranks(whole))
    assert everybody > 20
    shown = _ranks(page)
    # Whoever shares the tenth rank is among the best as well; further down there is only oneself.
    assert sum(int(rank) > 10 for rank in shown) <= 1
    assert len(shown) < everybody
    assert f"另有{everybody - len(shown)}位同事" in plain(page)
    assert "另有" not in plain(whole)
    own = [row for row in re.findall(r"<tr[^>]*>.*?</tr>", page, re.DOTALL) if 'class="me"' in row]
    assert len(own) == 1
    assert "追平第" in plain(page)
    # What is loaded as a file is what is seen.
    assert len(_lines(newcomer, f"/boards.csv?{asked}")) == len(shown) + 1
    rows = _lines(hr, f"/boards.csv?{asked}")
    assert rows[0][:2] == ["名次", "姓名"]
    assert len(rows) == everybody + 1
    assert newcomer.get("/boards?node=beijing").status_code == 404


def test_a_board_is_tried_made_ended_and_gone_on_with(as_login: AsLogin) -> None:
    hr = as_login(HR)
    page = hr.get("/boards/new").text
    form = {
        "csrf_token": token_in(page),
        "request_id": "new-board",
        "name": "新人邮件榜",
        "metric": "emails_sent",
        "period": "month",
        "measure": "change",
        "tenure_to": "2",
    }
    looked = hr.post("/boards/new", data={**form, "name": ""}, headers={"HX-Request": "true"})
    assert looked.status_code == 200
    assert "发出邮件的变化" in plain(looked.text) or "的变化" in plain(looked.text)
    wrong = hr.post("/boards/new", data={**form, "tenure_from": "3", "name": " "})
    assert wrong.status_code == 422
    assert "不能早于起始月" in wrong.text
    assert 'value="3"' in wrong.text
    made = hr.post("/boards/new", data=form)
    assert made.status_code == 303
    shown = hr.get(made.location).text
    assert "新人邮件榜" in shown
    assert "入职前2个月" in plain(shown)
    board_id = made.location.rpartition("=")[2]
    ended = hr.post(f"/boards/{board_id}/end", data={"csrf_token": form["csrf_token"]})
    assert ended.status_code == 303
    page = hr.get(ended.location).text
    assert "恢复这个榜单" in page
    newcomer = as_login(NEWCOMER)
    assert newcomer.get(f"/boards?board={board_id}").status_code == 404
    assert "新人邮件榜" not in newcomer.get("/today").text
    hr.post(f"/boards/{board_id}/resume", data={"csrf_token": form["csrf_token"]})
    assert newcomer.get(f"/boards?board={board_id}").status_code == 200
    hr.post(f"/boards/{board_id}/end", data={"csrf_token": form["csrf_token"]})


def test_an_honour_waits_is_confirmed_and_shown_as_the_honoured_one_likes(as_login: AsLogin) -> None:
    hr = as_login(HR)
    page = hr.get("/boards?node=guangzhou").text
    assert "每月新人之星" in page
    form = re.search(r'<form method="post" action="/honours/confirm".*?</form>', page, re.DOTALL)
    assert form
    sent = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form.group()))
    made = hr.post("/honours/confirm", data={**sent, "reason": "真棒"})
    assert made.status_code == 303
    assert hr.post("/honours/confirm", data={**sent, "request_id": "again"}).status_code == 409
    shown = plain(hr.get(made.location).text)
    assert "真棒" in shown
    login = sent["person_id"].replace("-", ".")
    person = as_login(login)
    assert "你获得了荣誉：每月新人之星" in plain(person.get("/today").text)
    mine = person.get("/honours").text
    address = re.search(r'action="(/honours/[^"]+/answer)"', mine)
    assert address
    told = {"csrf_token": token_in(mine), "story": ""}
    assert person.post(address[1], data=told).status_code == 422
    storyless = person.post(address[1], data={**told, "consent": "story"})
    assert storyless.status_code == 422
    assert "请用一两句话" in storyless.text
    assert (
        person.post(address[1], data={**told, "consent": "story", "story": "多打一个电话"}).status_code == 303
    )
    assert "你获得了荣誉" not in plain(person.get("/today").text)
    assert "多打一个电话" in hr.get(made.location).text
    person.post(address[1], data={**told, "consent": "nothing"})
    assert "多打一个电话" not in hr.get(made.location).text

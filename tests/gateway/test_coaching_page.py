"""Coaching pages: the nearest rule is what is suggested, refusals keep what was typed, and lists go along as files."""

import csv
import html
import io
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient

from tests.gateway.conftest import token_in
from tests.gateway.test_standards import plain, send

AsLogin = Callable[..., FlaskClient]
# In Hangzhou, where no other test coaches.
PERSON, LOGIN = "sheng-jiale", "sheng.jiale"
DUE = (datetime.now(ZoneInfo("Asia/Shanghai")).date() + timedelta(days=2)).isoformat()


@pytest.fixture
def hq(as_login: AsLogin) -> FlaskClient:
    return as_login("gu.wenjing")


@pytest.fixture
def task(hq: FlaskClient) -> Iterator[str]:
    """The id of a task that is open for the test."""
    status, answered = opened(hq, "=旁听两通电话")
    assert status == 200, plain(answered)
    found = re.search(r'id="note-([a-z0-9-]+)"', answered)
    assert found
    yield found[1]
    send(hq, f"/coaching/{found[1]}/close", outcome="withdrawn")


def opened(client: FlaskClient, text: str, **form: str) -> tuple[int, str]:
    values = {"situation": "4", "metric": "win_rate", "text": text, "due_day": DUE, **form}
    return send(client, f"/coaching/for/{PERSON}", **values)


def test_a_second_task_for_the_same_is_refused_and_what_was_typed_stays(hq: FlaskClient, task: str) -> None:
    assert task
    status, page = opened(hq, "再来一次的另一句话")
    assert status == 409
    assert "已有一项未关闭的任务" in plain(page)
    assert "再来一次的另一句话" in html.unescape(page)


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"text": "x" * 301}, "f-text-why"),
        ({"due_day": "2020-01-01"}, "f-due_day-why"),
        ({"due_day": "soon"}, "f-due_day-why"),
        ({"situation": "77"}, "f-situation-why"),
        ({"situation": "3", "metric": "win_rate"}, "f-situation-why"),
        ({"metric": "luck"}, "f-situation-why"),
    ],
)
def test_what_does_not_fit_is_told_beside_its_field(
    hq: FlaskClient, typed: dict[str, str], field: str
) -> None:
    status, page = opened(hq, typed.pop("text", "这句话要留下"), **typed)
    assert status in (400, 422)
    assert f'id="{field}"' in page
    assert field == "f-text-why" or "这句话要留下" in page


def test_the_tasks_as_a_spreadsheet(hq: FlaskClient, task: str) -> None:
    answer = hq.get("/coaching.csv?node=hangzhou")
    assert answer.content_type == "text/csv; charset=utf-8"
    rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert rows[0][:5] == ["工号", "姓名", "情况", "目标", "要做什么"]
    mine = next(row for row in rows if row[1] == "盛嘉乐")
    assert mine[4].startswith("'=旁听"), "no spreadsheet takes it for a formula"
    assert (mine[2], mine[5], mine[6], mine[7], mine[9]) == ("暂无数据", DUE, "等待回复", "", "顾文静")
    assert task
    assert "盛嘉乐" not in hq.get("/coaching.csv?node=beijing").text


def test_the_list_is_filtered_by_state(hq: FlaskClient, as_login: AsLogin, task: str) -> None:
    newcomer = as_login(LOGIN)
    assert f"/coaching/{task}/answer" in newcomer.get("/today").text

    def in_state(state: str) -> bool:
        return f"note-{task}" in hq.get(f"/coaching?node=hangzhou&state={state}").text

    assert [in_state(state) for state in ("", "open", "answered", "late")] == [True, True, False, False]
    assert send(newcomer, f"/coaching/{task}/answer", answer="打了两通")[0] == 200
    assert [in_state(state) for state in ("", "open", "answered", "late")] == [True, False, True, False]
    assert send(hq, f"/coaching/{task}/close", outcome="done", note="好")[0] == 200
    closed = hq.get("/coaching?node=hangzhou&state=closed")
    assert "打了两通" in closed.text
    assert "盛嘉乐" in closed.text
    assert "打了两通" in hq.get(f"/team/{PERSON}").text


def test_an_answer_or_word_that_is_refused_is_kept(hq: FlaskClient, as_login: AsLogin, task: str) -> None:
    newcomer = as_login(LOGIN)
    long = "很长的回复" * 201
    status, page = send(newcomer, f"/coaching/{task}/answer", answer=long)
    assert status == 400
    assert long in page
    assert f'id="answer-{task}-why"' in page
    status, page = send(hq, f"/coaching/{task}/close", outcome="done", note=long)
    assert status == 400
    assert long in page
    assert f'id="note-{task}-why"' in page
    send(hq, f"/coaching/{task}/close", outcome="done")
    status, page = send(newcomer, f"/coaching/{task}/answer", answer="来晚了的回复")
    assert status == 409
    assert "这项任务已经关闭" in page
    assert "来晚了的回复" in page


def test_the_nearest_rule_is_what_a_manager_reads(hq: FlaskClient) -> None:
    def suggested() -> str:
        return plain(hq.get(f"/team/{PERSON}/coaching").text)

    def rule(node: str, step: str, **form: str) -> tuple[int, str]:
        told = {
            "situation": situation,
            "step_zh": step,
            "step_en": step,
            "days": "3",
            "reason": "试行",
            **form,
        }
        return send(hq, "/coaching/rules", node_id=node, **told)

    first = re.search(r"/coaching/for/[a-z-]+\?situation=(\d)", hq.get(f"/team/{PERSON}/coaching").text)
    assert first
    situation = first[1]
    assert rule("hangzhou", "杭州自己的做法", active="yes")[0] == 200
    assert "杭州自己的做法" in suggested()
    status, page = rule("hangzhou", "", active="yes")
    assert status == 400
    assert 'id="f-step_zh-why"' in page
    assert rule("hangzhou", "杭州自己的做法")[0] == 200
    assert "杭州自己的做法" not in suggested()
    page = hq.get("/coaching/rules").text
    assert "已停用" in page
    assert "试行" in page
    # Before it was set nobody knew of it.
    before = plain(hq.get("/coaching/rules?known=2026-01-01").text)
    assert "没有自设的规则" in before
    assert "已停用" not in before
    away = {"node_id": "hangzhou", "situation": situation}
    assert send(hq, "/coaching/rules/withdraw", **away, reason="")[0] == 400
    assert send(hq, "/coaching/rules/withdraw", **away, reason="试完了")[0] == 200
    assert "已停用" not in hq.get("/coaching/rules").text


def test_rules_are_not_for_managers(as_login: AsLogin) -> None:
    manager = as_login("tang.wei")
    assert manager.get("/coaching/rules").status_code == 403
    assert send(manager, "/coaching/rules", node_id="shanghai-sales-1", situation="1")[0] == 403
    token = token_in(manager.get("/profile").text)
    assert manager.post(f"/coaching/for/{PERSON}", data={"csrf_token": token}).status_code == 404

"""Fair play on pages: who sees what, kind words to oneself, and what is held back is free once somebody has looked."""

import csv
import html
import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from flask.testing import FlaskClient

from tests.gateway.test_standards import plain, send

AsLogin = Callable[..., FlaskClient]
LAST_MONTH = (datetime.now(UTC).date().replace(day=1) - timedelta(days=1)).isoformat()


def waiting(client: FlaskClient, page: str = "/fairness?node=guangzhou") -> str:
    """The address of the one that waits in the demo's Guangzhou."""
    found = re.search(r'href="(/fairness/[0-9a-f-]{36})"', client.get(page).text)
    assert found
    return found[1]


def test_facts_are_beside_each_other_and_customers_only_for_whom_they_are(as_login: AsLogin) -> None:
    hr = as_login("liang.yue")
    address = waiting(hr)
    shown = hr.get(address).text
    assert "2位客户共用一个手机号" in plain(shown).replace(" ", "")
    assert 'id="answer"' in shown
    assert "13800138106" not in shown
    led = as_login("su.peiwen").get(address).text
    assert "13800138106" in led
    assert 'id="answer"' not in led, "their manager looks and does not answer"
    assert as_login("tang.wei").get(address).status_code == 404
    assert as_login("zhou.yutong").get(address).status_code == 404


def test_the_flags_as_a_spreadsheet(as_login: AsLogin) -> None:
    answer = as_login("gu.wenjing").get("/fairness.csv?state=dismissed")
    rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert rows[0][:4] == ["工号", "姓名", "规则", "发现了什么"]
    (mine,) = [row for row in rows if row[1] == "蔡振豪"]
    assert (mine[0], mine[2], mine[6]) == ("GZ0107", "客户手机号相同", "没有问题")
    assert "客户共用一个手机号" in mine[3]
    assert "夫妻" in mine[7]


def test_one_reads_kind_words_and_says_how_it_was(as_login: AsLogin) -> None:
    own = as_login("luo.minyi")
    address = waiting(own, "/fairness/mine")
    bonus = plain(own.get(f"/bonus?on={LAST_MONTH}").text)
    assert "这部分复核之后再发放" in bonus
    assert address in own.get("/bonus").text
    page = own.get(address).text
    assert "很可能原因很简单" in page
    assert 'id="answer"' not in page
    status, refused = send(own, f"{address}/reply", reply="x" * 1001)
    assert status == 400
    assert 'id="f-reply-why"' in refused
    assert "x" * 1001 in refused
    status, _ = send(own, f"{address}/reply", reply="同一位店主的两家店。")
    assert status == 200
    assert "同一位店主的两家店。" in as_login("liang.yue").get(address).text


def test_a_rule_is_tried_before_it_is_set_and_a_wrong_number_is_told_beside_it(as_login: AsLogin) -> None:
    hr = as_login("liang.yue")
    rule = {"node_id": "guangzhou", "kind": "1", "active": "yes", "reason": ""}
    status, tried = send(hr, "/fairness/rules", **rule, most="2", action="look")
    assert status == 200
    assert re.search(r"会提示0条；现行规则为\d+条", plain(tried).replace(" ", ""))
    assert 'value="2"' in tried, "what was tried is still in the form"
    status, wrong = send(hr, "/fairness/rules", **rule, most="0", action="save")
    assert status == 400
    assert 'id="f-most-why"' in wrong
    assert 'id="f-reason-why"' in wrong
    status, _ = send(
        hr, "/fairness/rules", **rule | {"node_id": "shanghai", "reason": "x"}, most="2", action="save"
    )
    assert status == 404


def test_what_is_held_back_names_its_rule_and_an_answer_needs_a_reason(as_login: AsLogin) -> None:
    hr = as_login("liang.yue")
    address = waiting(hr)
    assert f'href="{address}"' in hr.get(f"/payouts?node_id=guangzhou&on={LAST_MONTH}").text
    status, refused = send(hr, f"{address}/answer", outcome="dismissed", reason=" ")
    assert status == 400
    assert 'id="f-reason-why"' in refused
    status, refused = send(hr, f"{address}/answer", outcome="corrected", reason="两家店，一位店主")
    assert status == 400
    assert "两家店，一位店主" in html.unescape(refused)

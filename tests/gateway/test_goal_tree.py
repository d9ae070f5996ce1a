"""The goal tree's pages: cut, seen, changed, taken back and brought back; what is missing is named and never forced."""

import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import pytest
from flask.testing import FlaskClient

from tests.gateway.conftest import token_in
from tests.gateway.test_standards import plain

AsLogin = Callable[..., FlaskClient]
# Far away, so that no other test's pages change; its e-mails are nobody else's.
YEAR: Final = datetime.now(UTC).year + 2


def send(client: FlaskClient, path: str, **form: str) -> tuple[int, str, str]:
    """Send a form as a browser would; the status, the address in the end, and the page."""
    token = token_in(client.get("/profile").text)
    answer = client.post(path, data={"csrf_token": token, **form}, follow_redirects=True)
    return answer.status_code, answer.request.full_path, answer.text


def add(client: FlaskClient, node: str, value: str, parent: str = "", **form: str) -> tuple[int, str, str]:
    told = {"metric": "emails_sent", "year": str(YEAR), "span": "year", "periods": "1", "reason": "计划"}
    return send(client, "/goals/new", node_id=node, value=value, parent=parent, **{**told, **form})


def id_in(address: str) -> str:
    found = re.match(r"/goals/([^/?]+)", address)
    assert found, address
    return found[1]


def cut(client: FlaskClient, goal: str, **form: str) -> tuple[int, str, str]:
    return send(client, f"/goals/{goal}/cut", **{"reason": "分下去", "action": "apply", **form})


@pytest.fixture
def hq(as_login: AsLogin) -> FlaskClient:
    return as_login("gu.wenjing")


def test_the_demo_s_tree_says_what_is_missing_and_how_many_newcomer_years_it_takes(as_login: AsLogin) -> None:
    admin = as_login("admin")
    page = plain(admin.get("/goals?metric=revenue").text)
    assert "¥100,000,000.00" in page
    assert "已分解50.0%" in page
    assert "还差¥50,000,000.00" in page
    company = id_in(re.findall(r'href="(/goals/[^"]+)"><strong>', admin.get("/goals?metric=revenue").text)[0])
    below = admin.get(f"/goals/{company}/below").text
    assert "上海销售一部" in below
    department = id_in(re.findall(r'href="(/goals/[^"]+)"><strong>上海销售一部', below)[0])
    assert "83.33个这样的新人年才够上海销售一部的目标" in plain(admin.get(f"/goals/{department}/below").text)


def test_a_year_is_cut_by_headcount_and_the_sum_is_the_whole_to_the_piece(hq: FlaskClient) -> None:
    _, address, _ = add(hq, "lizu", "10001")
    goal = id_in(address)
    form = {"into": "branches", "method": "headcount"}
    _, _, shown = cut(hq, goal, action="show", **form)
    assert "各份合计 10,001" in plain(shown)
    assert "还没有。可以分解它" in plain(hq.get(f"/goals/{goal}").text), "a preview sets nothing"
    status, _, page = cut(hq, goal, **form)
    assert status == 200
    assert "已下达5个下级目标。合计与被分解的数分毫不差。" in plain(page)
    assert "正好全部分解到下级" in plain(page)
    with hq.get(f"/goals/{goal}/shares.csv") as answer:
        rows = list(csv.reader(io.StringIO(answer.get_data(as_text=True).lstrip("\ufeff"))))
    assert len(rows) == 6
    assert sum(int(row[5]) for row in rows[1:]) == 10001
    assert all(row[10].endswith("按人数") for row in rows[1:])


def test_weights_are_typed_beside_the_shares(hq: FlaskClient) -> None:
    _, address, _ = add(hq, "shanghai", "90", metric="meetings_attended")
    goal = id_in(address)
    form = {"into": "departments", "method": "weighted"}
    _, _, shown = cut(hq, goal, action="show", **form)
    names = re.findall(r'name="(weight-[^"]+)"', shown)
    assert "weight-shanghai-sales-1" in names
    weights = dict.fromkeys(names, "0") | {"weight-shanghai-sales-1": "2", "weight-shanghai-sales-2": "1"}
    status, _, wrong = cut(hq, goal, **form, **weights | {"weight-shanghai-sales-2": "half"})
    assert status == 422
    assert 'value="half"' in wrong, "what was typed is kept"
    assert "只看相互比例" in wrong
    _, _, page = cut(hq, goal, **form, **weights)
    assert "上海销售一部" in page
    assert re.search(r"上海销售一部.{1,200}?60", plain(page))
    status, _, none = cut(hq, goal, **form, **dict.fromkeys(names, "0"))
    assert status == 409
    assert "权重都是0" in plain(none)


def test_months_are_cut_by_a_profile(hq: FlaskClient) -> None:
    _, address, _ = add(hq, "beijing", "1200", metric="deals_won")
    goal = id_in(address)
    weights = {f"weight-{month}": "2" if month == 12 else "1" for month in range(1, 13)}
    _, _, page = cut(hq, goal, into="months", method="weighted", **weights)
    told = plain(page)
    assert f"{YEAR}年12月" in told
    assert "各时段合计正好等于它" in told
    assert re.search(rf"{YEAR}年12月 185 ", told)
    refused, _, _ = cut(hq, goal, into="months", method="headcount")
    assert refused == 400


def test_a_change_keeps_what_was_before_and_taking_back_can_be_undone(hq: FlaskClient) -> None:
    _, address, _ = add(hq, "hangzhou", "50", metric="orders_placed")
    goal = id_in(address)
    status, _, page = send(hq, f"/goals/{goal}", value="lots", reason="更多")
    assert status == 422
    assert 'value="lots"' in page
    _, _, page = send(hq, f"/goals/{goal}", value="60", reason="市场更大")
    assert "市场更大" in page
    known = re.findall(r'name="known" value="(\d+)"', page)
    assert len(known) == 1
    _, _, page = send(hq, f"/goals/{goal}/restore", known=known[0], reason="还是按原来的")
    assert re.search(r'class="big">50<', page)
    assert "顾文静" in page
    _, address, page = send(hq, f"/goals/{goal}/withdraw", reason="撤销")
    assert address.startswith("/goals?")
    assert "已收回：杭州分公司，50" in plain(page)
    assert hq.get(f"/goals/{goal}").status_code == 404
    again = re.findall(r'name="known" value="(\d+)"', page)
    _, address, page = send(hq, f"/goals/{goal}/restore", known=again[0], reason="恢复")
    assert re.search(r'class="big">50<', page)
    assert id_in(address) != goal


def test_what_cannot_be_is_refused_by_name_and_nothing_typed_is_lost(hq: FlaskClient) -> None:
    _, address, _ = add(hq, "guangzhou", "100")
    branch = id_in(address)
    status, _, page = add(hq, "beijing-sales-1", "10", parent=branch)
    assert status == 409
    assert "要在上级目标所属单位之内" in page
    assert 'value="10"' in page
    status, _, page = add(hq, "guangzhou-sales-1", "10.5", parent=branch)
    assert status == 400
    assert "请精确到分，或填整数" in page
    status, _, page = add(hq, "guangzhou-sales-1", "10", parent=branch, reason="")
    assert status == 422
    assert "请写明原因" in page or "说明原因" in page
    # A department has its part; the branch's part for one of its people would be asked twice.
    add(hq, "guangzhou-sales-1", "10", parent=branch)
    offered = hq.get(f"/goals/new?parent={branch}").text
    person = re.findall(r'<option value="([^"]+)"[^>]*>[^<]* GZ0101', offered)[0]
    status, _, page = add(hq, person, "1", parent=branch)
    assert status == 409
    assert "广州销售一部和它里面的单位会被要求同一份" in plain(page)
    status, _, page = send(hq, f"/goals/{branch}/withdraw", reason="不要了")
    assert status == 409
    assert "请先收回那些" in page


def test_as_shown_on_an_earlier_day_there_was_nothing(hq: FlaskClient) -> None:
    assert "没有符合的目标" in plain(hq.get("/goals?at=2020-01-01T12:00").text)


def test_the_same_is_asked_of_newcomers_at_once_with_a_result_for_each(hq: FlaskClient) -> None:
    _, address, _ = add(hq, "shenzhen", "500", metric="followup_minutes")
    goal = id_in(address)
    form = {"metric": "followup_minutes", "year": str(YEAR), "span": "m1", "periods": "12", "value": "30"}
    form |= {"newcomers": "yes", "reason": "每天跟进"}
    _, _, shown = send(hq, f"/goals/{goal}/assign", action="show", **form)
    people = re.search(r"(\d+)人", plain(shown))
    assert people
    assert "何思琪" in shown
    status, _, _ = send(hq, f"/goals/{goal}/assign", action="apply", **form | {"value": "many"})
    assert status == 422
    _, _, page = send(hq, f"/goals/{goal}/assign", action="apply", **form)
    assert f"已下达{people[1]}人" in plain(page)
    _, _, page = send(hq, f"/goals/{goal}/assign", action="apply", **form)
    assert f"{people[1]}人原已有" in plain(page)
    _, _, page = send(hq, f"/goals/{goal}/assign", action="apply", **form | {"year": str(YEAR + 1)})
    assert f"{people[1]}人未能下达" in plain(page)
    assert "不在上级目标的时段之内" in plain(page)
    assert (
        f"{people[1]}个目标" in plain(hq.get(f"/goals/{goal}").text)
        or "何思琪" in hq.get(f"/goals/{goal}").text
    )

"""The industry library's pages: search, preview, adopting with a look first, and documents out and in."""

import html
import io
import re
from collections.abc import Callable, Mapping

import pytest
from flask.testing import FlaskClient

from tests.gateway.conftest import token_in
from tests.gateway.test_standards import plain

AsLogin = Callable[..., FlaskClient]
HEADQUARTERS, BRANCH, MANAGER = "gu.wenjing", "pan.li", "tang.wei"
CARS = "/industries/car-dealership"
# Far away and of a role that nobody has, so that no other test's figures change.
WHERE = {
    "node_id": "shanghai",
    "job_role": "role-cars",
    "effective_from": "2031-03-01",
    "reason": "新开展厅",
}


def send(
    client: FlaskClient, path: str, form: Mapping[str, object], *, follow: bool = True
) -> tuple[int, str]:
    token = token_in(client.get("/profile").text)
    answer = client.post(path, data={"csrf_token": token, **form}, follow_redirects=follow)
    return answer.status_code, answer.text


@pytest.fixture
def hq(as_login: AsLogin) -> FlaskClient:
    return as_login(HEADQUARTERS)


def test_the_library_is_searched_and_opens_what_is_found(hq: FlaskClient) -> None:
    page = plain(hq.get("/industries").text)
    assert "汽车4S店" in page
    assert "个行业" in page
    found = plain(hq.get("/industries?q=试驾").text)
    assert "汽车4S店" in found
    assert "保险代理" not in found
    assert "换个词试试" in plain(hq.get("/industries?q=不存在的行业").text)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_an_industry_is_told_in_plain_words(as_login: AsLogin, language: str) -> None:
    page = plain(as_login(HEADQUARTERS, language).get(CARS).text)
    for text in (
        (
            "试驾客户：不同客户数：会议；purpose为test_drive",
            "样例由编写者拟定，须按本公司数据调整。",
            "第1个月30.0%",
            "试驾协议已签",
        )
        if language == "zh"
        else (
            "Test drive customers: Different customers with: Meeting; purpose is test_drive",
            "Samples are made up by their authors: adjust them to your own data.",
            "30.0% in month 1",
            "The form is signed",
        )
    ):
        assert text in page, text


def test_who_may_not_define_metrics_reads_and_cannot_adopt(as_login: AsLogin) -> None:
    for login in (BRANCH, MANAGER):
        page = as_login(login).get(CARS)
        assert page.status_code == 200
        assert 'id="adopt"' not in page.text
    assert 'href="/industries"' in as_login(BRANCH).get("/standards").text


def test_a_look_changes_nothing_and_adopting_sets_what_was_typed(hq: FlaskClient) -> None:
    form = {**WHERE, "kpi": ["1", "4"], "value-1": "9", "value-4": "3"}
    status, page = send(hq, f"{CARS}/adopt", {**form, "action": "look"})
    assert status == 200
    assert "将设为9" in plain(page)
    assert 'value="9"' in page
    asked = "/standards/at/shanghai?job_role=role-cars&period=month&metric=deals_won&on=2031-03-01"
    assert "那天没有" in plain(hq.get(asked).text) or "每月3" not in plain(hq.get(asked).text)
    status, page = send(hq, f"{CARS}/adopt", {**form, "action": "adopt"})
    assert status == 200
    assert "已采用" in plain(page)
    assert "每月3" in plain(hq.get(asked).text)
    # What is there already is told.
    status, page = send(hq, f"{CARS}/adopt", {**form, "action": "look"})
    assert "那里的目标已经如此。" in plain(page)


def test_a_look_says_how_many_facts_there_are_to_count(hq: FlaskClient) -> None:
    form = {**WHERE, "job_role": "role-evidence", "kpi": ["0", "5"], "value-0": "9", "value-5": "3"}
    told = plain(send(hq, f"{CARS}/adopt", {**form, "action": "look"})[1])
    assert re.search(r"网络线索回访：近90天的\d+条同类记录没有一条符合。请确认CRM会传来", told)
    assert re.search(r"金融方案成交：近90天的\d+条同类记录", told)


def test_a_refused_form_keeps_what_was_typed_and_says_what_is_wrong(hq: FlaskClient) -> None:
    form = {**WHERE, "kpi": ["2"], "value-2": "many", "action": "adopt"}
    status, page = send(hq, f"{CARS}/adopt", form)
    assert status == 422
    assert 'value="many"' in page
    assert 'id="f-value-2-why"' in page
    status, page = send(hq, f"{CARS}/adopt", {**form, "value-2": "150"})
    assert status == 400
    assert 'id="f-value-2-why"' in page
    assert "新开展厅" in page
    status, page = send(hq, f"{CARS}/adopt", {**form, "kpi": []})
    assert status == 422
    assert "请至少选一个指标" in plain(page)


def test_what_is_refused_for_one_kpi_is_told_there_and_the_others_are_set(hq: FlaskClient) -> None:
    role = {**WHERE, "job_role": "role-locked"}
    standard = {
        **role,
        "node_id": "lizu",
        "metric": "deals_won",
        "period": "month",
        "value": "2",
        "latitude": "locked",
    }
    assert send(hq, "/standards", standard)[0] == 200
    form = {**role, "kpi": ["3", "4"], "value-3": "8", "value-4": "4", "action": "adopt"}
    status, page = send(hq, f"{CARS}/adopt", form)
    told = plain(page)
    assert status == 200
    assert "立足科技已于" in told or "锁定" in told
    assert "已设定：8.0%" in told


def test_a_template_goes_out_is_changed_comes_in_and_is_taken_out(hq: FlaskClient) -> None:
    document = hq.get(f"{CARS}/document")
    assert document.headers["Content-Disposition"] == 'attachment; filename="car-dealership.toml"'
    own = document.text.replace('id = "car-dealership"', 'id = "our-cars"').replace(
        "汽车 4S 店", "我们的展厅"
    )
    status, page = send(hq, "/industries", {"file": (io.BytesIO(own.encode()), "our-cars.toml")})
    assert status == 200
    assert "我们的展厅" in plain(page)
    # The same id again asks first, and keeps what was handed in.
    changed = own.replace("我们的展厅", "我们的新展厅")
    status, page = send(hq, "/industries", {"document": changed})
    assert status == 409
    assert "再提交一次就会替换它" in plain(page)
    kept = re.search(r'<textarea id="f-document"[^>]*>(.*?)</textarea>', page, re.DOTALL)
    assert kept
    assert "我们的新展厅" in html.unescape(kept[1])
    replaced = re.search(r'name="replaces" value="(\d+)"', page)
    assert replaced
    status, page = send(hq, "/industries", {"document": changed, "replaces": replaced[1]})
    assert (status, "我们的新展厅" in plain(page)) == (200, True)
    assert "我们的新展厅" in plain(hq.get("/industries?own=yes").text)
    status, page = send(hq, "/industries/our-cars/remove", {})
    assert "已移出行业库" in plain(page)
    assert hq.get("/industries/our-cars").status_code == 404
    assert send(hq, "/industries/our-cars/restore", {})[0] == 200
    assert hq.get("/industries/our-cars").status_code == 200
    send(hq, "/industries/our-cars/remove", {})


def test_a_document_that_is_not_sound_is_kept_and_every_place_named(hq: FlaskClient) -> None:
    own = hq.get(f"{CARS}/document").text.replace('id = "car-dealership"', 'id = "our-cars"')
    broken = own.replace('value = "50 %"', 'value = "half"').replace('metric = "deals_won"', 'metric = "won"')
    status, page = send(hq, "/industries", {"document": broken})
    assert status == 400
    told = plain(page)
    assert "kpis[3].value 须是数字" in told
    assert "kpis[5].metric 须是内置指标或本文件中的指标" in told
    assert "half" in page
    assert "第1行第" in plain(send(hq, "/industries", {"document": "= ="})[1])
    status, page = send(hq, "/industries", {"file": (io.BytesIO(b"\xff\xfe\x00"), "x.toml")})
    assert status == 422
    assert "UTF-8" in page


def test_what_a_branch_is_asked_for_is_a_file(hq: FlaskClient) -> None:
    query = {
        "node_id": "shanghai",
        "job_role": "sales",
        "template_id": "shanghai-sales",
        "title-zh": "上海销售",
        "title-en": "Shanghai sales",
    }
    answer = hq.get("/industries/own.toml", query_string=query)
    assert answer.status_code == 200
    assert 'metric = "close_rate"' in answer.text
    refused = hq.get("/industries/own.toml", query_string={**query, "template_id": "Our Shops"})
    assert refused.status_code == 400
    assert 'id="f-template_id-why"' in refused.text
    assert "上海销售" in refused.text
    nobody = hq.get("/industries/own.toml", query_string={**query, "job_role": "astronaut"})
    assert nobody.status_code == 409

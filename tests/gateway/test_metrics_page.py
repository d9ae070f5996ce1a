"""The metric library's pages: a preview before anything is stored, refusals beside the field, versions, and titles."""

import re
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from flask.testing import FlaskClient
from foothold.goals.v1 import metrics_pb2, metrics_pb2_grpc

from services.incentives.domain.metrics import METRICS as PAID
from tests.gateway.conftest import token_in
from tests.platform import Platform

AsLogin = Callable[..., FlaskClient]
ADMINISTRATOR, HEADQUARTERS, MANAGER, NEWCOMER = "admin", "gu.wenjing", "tang.wei", "zhou.yutong"
METRIC: Mapping[str, Any] = {
    "title_zh": "线上新客户",
    "title_en": "New customers online",
    "description": "当期首次跟进、且来自线上渠道的不同客户数。",
    "aggregation": "customers",
    "direction": "least",
    "kind": ["follow_up"],
    "channel": ["online", "douyin"],
    "customers": "new",
    "effective_from": "2026-01-01",
    "reason": "现在主要在线上获客",
    "replaces": "0",
    "from": "2026-09-01",
    "to": "2026-11-30",
    "by": "person",
}


def send(client: FlaskClient, path: str, **form: Any) -> tuple[int, str]:
    token = token_in(client.get("/profile").text)
    answer = client.post(path, data={"csrf_token": token, **form}, follow_redirects=True)
    return answer.status_code, answer.text


def define(client: FlaskClient, name: str, **form: Any) -> tuple[int, str]:
    status, text = send(client, "/metrics/new", **{**METRIC, "name": name, **form})
    assert status == 200, plain(text)
    serving(client, name)
    return status, text


def serving(client: FlaskClient, name: str) -> None:
    until = time.monotonic() + 20
    while "every 2s" in client.get(f"/metrics/{name}/state").text:
        assert time.monotonic() < until
        time.sleep(0.1)


def preview(client: FlaskClient, **form: Any) -> str:
    status, text = send(client, "/metrics/new/preview", **{**METRIC, **form})
    assert status == 200, plain(text)
    return text


def plain(text: str) -> str:
    """What stands there, without the thin spaces between Chinese and digits."""
    told = re.sub(r"[\u2009\u202f\u00a0\u2060]", "", re.sub(r"<[^>]+>", " ", text))
    return re.sub(r"\s+", " ", told).strip()


def beside(text: str, field: str) -> str:
    """What is said beside a field."""
    found = re.search(rf'id="f-{field}-why"[^>]*>([^<]*)<', text)
    assert found, field
    return found[1]


@pytest.fixture
def admin(as_login: AsLogin) -> FlaskClient:
    return as_login(ADMINISTRATOR)


def test_a_preview_needs_no_name_and_tells_beside_the_field_what_does_not_fit(admin: FlaskClient) -> None:
    text = preview(admin, title_zh="", title_en="", description="", reason="")
    counted = re.search(r"共([\d,]+)条，其中([\d,]+)条计入", plain(text))
    assert counted
    of_kind, met = (int(each.replace(",", "")) for each in counted.groups())
    assert 0 < met < of_kind, "some follow-ups are online, not all"
    assert beside(text, "title_zh") == "", "nobody is told off for what is not written yet"
    assert "SH0101" in text, "a row a person"
    monthly = plain(preview(admin, by="month"))
    assert "2026-10" in monthly
    wrong = preview(admin, least_amount="many", title_zh="长" * 41)
    assert "1200" in beside(wrong, "least_amount")
    assert "40" in beside(wrong, "title_zh")
    assert beside(preview(admin, kind=[]), "kind") == "请至少选一项。"
    assert "其中" not in plain(preview(admin, to="2026-08-01"))
    tried = preview(admin, title_zh="", tried="yes")
    assert "40" in beside(tried, "title_zh"), "whoever has tried to save is told what is missing"
    assert "其中" in plain(tried)


def test_a_refused_form_keeps_all_that_was_typed(admin: FlaskClient) -> None:
    typed = {
        **METRIC,
        "name": "Not A Name",
        "other_channels": "展会现场\n老客户介绍",
        "products": "收银系统",
        "most_amount": "1200.50",
        "attributes": "1",
        "attribute-0-name": "来源",
        "attribute-0-values": "官网\n小程序",
    }
    status, text = send(admin, "/metrics/new", **typed)
    assert status == 400
    assert "以字母开头" in beside(text, "name")
    for kept in ("Not A Name", "展会现场", "老客户介绍", "收银系统", "1200.50", "来源", "官网", "小程序"):
        assert kept in text
    assert re.search(r'value="douyin" checked', text)
    assert not re.search(r'value="phone" checked', text)
    # One more row of a kind is asked of the server; nothing is lost on the way.
    status, text = send(admin, "/metrics/new", **typed, action="attributes")
    assert (status, 'name="attribute-1-name"' in text, "小程序" in text) == (200, True, True)


def test_everything_that_conditions_allow_survives_the_form(admin: FlaskClient) -> None:
    define(
        admin,
        "everything",
        title_zh="全部条件",
        channel=["online", "visit"],
        other_channels="展会现场",
        products="收银系统\n会员系统",
        least_amount="100",
        most_amount="1200.5",
        attributes="2",
        **{"attribute-0-name": "来源", "attribute-0-values": "官网, 首页\n小程序", "attribute-1-name": "b"},
        **{"attribute-1-values": "x=y"},
    )
    page = admin.get("/metrics/everything").text
    said = plain(page)
    for words in ("展会现场", "会员系统、收银系统", "¥100.00到¥1,200.50", "官网, 首页、小程序", "x=y"):
        assert words.replace(" ", "") in said.replace(" ", ""), words
    form = dict(re.findall(r'name="((?:attribute|least|most)[\w-]*)" [^>]*value="([^"]*)"', page))
    assert (form["least_amount"], form["most_amount"]) == ("100", "1200.5")
    assert 'name="attribute-1-name"' in page


def test_a_name_is_made_of_the_english_title_and_taken_ones_are_told(admin: FlaskClient) -> None:
    status, text = send(admin, "/metrics/new", **{**METRIC, "title_en": "Deals: first month"})
    assert status == 200
    assert "deals_first_month" in text
    status, text = send(admin, "/metrics/new", **{**METRIC, "title_en": "Deals: first month"})
    assert status == 409
    assert "已有同名代号" in beside(text, "name")
    assert 'href="/metrics/deals_first_month"' in text
    assert "已有同名代号" in beside(preview(admin, name="deals_first_month"), "name"), (
        "told before saving, too"
    )
    status, text = send(admin, "/metrics/new", **METRIC, name="close_rate")
    assert (status, "内置指标" in beside(text, "name")) == (409, True)
    assert send(admin, "/metrics/new", **METRIC, name="new")[0] == 422


def test_a_newer_version_is_told_with_a_way_forward(admin: FlaskClient, as_login: AsLogin) -> None:
    define(admin, "two_at_once")
    other = as_login(HEADQUARTERS)
    changed = {**METRIC, "replaces": "1", "reason": "抖音另算", "channel": ["online"]}
    assert send(other, "/metrics/two_at_once", **changed)[0] == 200
    serving(other, "two_at_once")
    mine = {**METRIC, "replaces": "1", "reason": "加上微信", "channel": ["online", "wechat"]}
    status, text = send(admin, "/metrics/two_at_once", **mine)
    assert status == 409
    assert "抖音另算" in text, "why the other one changed it"
    assert "加上微信" in text, "what was typed is kept"
    over = re.search(r'name="over" value="(\d+)"', text)
    assert over
    assert send(admin, "/metrics/two_at_once", **mine, over=over[1])[0] == 200
    serving(admin, "two_at_once")
    versions = plain(admin.get("/metrics/two_at_once").text)
    assert [versions.index(f"第{number}版 ·") for number in (3, 2, 1)] == sorted(
        versions.index(f"第{number}版 ·") for number in (3, 2, 1)
    )
    # An old version stays readable, and one can go on from it.
    old = admin.get("/metrics/two_at_once", query_string={"version": "2"}).text
    assert re.search(r'value="online" checked', old)
    assert not re.search(r'value="wechat" checked', old)
    assert 'name="replaces" value="3"' in old


def test_what_others_are_made_of_stays_in_use(admin: FlaskClient) -> None:
    define(admin, "part_of")
    ratio = {"aggregation": "ratio", "unit": "rate", "numerator": "part_of", "denominators": "1"}
    define(
        admin,
        "made_of",
        title_zh="线上占比",
        title_en="Online share",
        **ratio,
        **{"denominator-0": "new_customers"},
    )
    mean = {"aggregation": "mean_minutes", "replaces": "1", "customers": ""}
    status, text = send(admin, "/metrics/part_of", **{**METRIC, **mean})
    assert (status, beside(text, "aggregation")) == (400, "“线上占比”由它算出，这里要保持不变。")
    offered = admin.get("/metrics/made_of").text.partition('name="numerator"')[2].partition("</select>")[0]
    assert '"part_of" selected' in offered
    assert '"close_rate"' not in offered, "no ratio is a part of one"
    status, text = send(admin, "/metrics/part_of/retire", reason="不用了")
    assert status == 409
    assert "“线上占比”由它算出" in text
    assert send(admin, "/metrics/made_of/retire", reason="")[0] == 400
    for name in ("made_of", "part_of"):
        status, text = send(admin, f"/metrics/{name}/retire", reason="不用了")
        assert (status, "已停用" in text) == (200, True)
    assert "重新启用" in text
    offered = admin.get("/standards").text
    assert '<option value="part_of"' not in offered
    assert send(admin, "/metrics/part_of", **{**METRIC, "replaces": "2", "reason": "又要用了"})[0] == 200
    serving(admin, "part_of")
    assert '<option value="part_of"' in admin.get("/standards").text


def test_ones_own_are_called_by_their_title_wherever_metrics_are_named(
    admin: FlaskClient, as_login: AsLogin
) -> None:
    define(admin, "online_titles", title_zh="线上渠道新客", title_en="=New online")
    place = re.search(r'<option value="([^"]+)"[^>]*>[^<]*销售一部', admin.get("/standards").text)
    assert place
    target = {"node_id": place[1], "job_role": "sales", "metric": "online_titles", "value": "5"}
    target |= {"period": "month", "effective_from": "2026-01-01", "reason": "线上获客"}
    status, text = send(admin, "/standards", **target)
    assert status == 200, plain(text)
    ends = re.search(r'线上渠道新客(?:(?!</li>).)*action="(/standards/[^"]+/end)"', text, re.DOTALL)
    assert ends
    newcomer = as_login(NEWCOMER)
    for path in ("/targets", "/today", f"/why/{_own_id(newcomer)}/progress/online_titles/month"):
        assert "线上渠道新客" in newcomer.get(path).text, path
    english = as_login(NEWCOMER, language="en")
    assert "=New online" in english.get("/targets").text
    manager = as_login(MANAGER, language="en")
    with manager.get("/team.csv") as answer:
        assert "'=New online" in answer.get_data(as_text=True), "no formula for a spreadsheet"
    assert send(admin, ends[1], reason="试完了")[0] == 200


def _own_id(client: FlaskClient) -> str:
    found = re.search(r"/why/([^/]+)/progress", client.get("/targets").text)
    assert found
    return found[1]


def test_plans_offer_what_incentives_can_pay_by(platform_all: Platform, admin: FlaskClient) -> None:
    define(admin, "not_paid")
    page = admin.get("/plans/new").text
    select = page.partition('name="rule-0-metric"')[2].partition("</select>")[0]
    offered = set(re.findall(r'<option value="(\w+)"', select))
    with platform_all.channel("goals") as channel:
        listed = metrics_pb2_grpc.MetricsServiceStub(channel).ListMetrics(metrics_pb2.ListMetricsRequest())
    # Other tests' metrics may be among them.
    own = {metric.name for metric in listed.metrics if metric.titles}
    assert offered - own == set(PAID)
    assert "not_paid" in own - offered


def test_who_may_only_read_sees_what_counts_and_no_form(as_login: AsLogin, admin: FlaskClient) -> None:
    define(admin, "for_readers")
    newcomer = as_login(NEWCOMER)
    listed = newcomer.get("/metrics").text
    assert 'href="/metrics/new"' not in listed
    assert "线上新客户" in listed
    page = newcomer.get("/metrics/for_readers").text
    assert "metric-form" not in page
    assert "抖音、线上" in plain(page), "what counts, channel by channel"
    assert newcomer.get("/metrics/no_such_metric").status_code == 404
    found = plain(newcomer.get("/metrics", query_string={"q": "成单 率"}).text)
    assert "成单率" in found
    assert "会议" not in found.partition("个指标")[2]

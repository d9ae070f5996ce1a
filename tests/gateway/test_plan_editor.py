"""A plan built from blocks: put inside one another, moved, removed and put back, read back and checked while typed."""

import html
import itertools
import re
import time
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from foothold.goals.v1 import facts_pb2, metric_library_pb2, metric_library_pb2_grpc, metrics_pb2, values_pb2
from google.type.date_pb2 import Date

from chassis.ids import new_id
from tests.gateway.conftest import token_in
from tests.platform import Platform

AsLogin = Callable[..., FlaskClient]
_roles = itertools.count(1)
RULES = (
    {"kind": "cap", "label": "封顶", "amount": "3000"},
    {"kind": "gate", "label": "至少跟进", "metric": "customers_followed", "threshold": "8", "depth": "1"},
    {"kind": "per_unit", "label": "跟进奖", "metric": "new_customers", "amount": "50", "depth": "2"},
    {
        "kind": "threshold_bonus",
        "label": "达标奖",
        "metric": "close_rate",
        "threshold": "15",
        "amount": "2000",
    },
)


@pytest.fixture
def hr(as_login: AsLogin) -> FlaskClient:
    return as_login("gu.wenjing")


def form(client: FlaskClient, *rules: dict[str, str], **more: str) -> dict[str, str]:
    page = client.get("/plans/new").text
    place = re.search(r'name="node_id".*?<option value="([^"]+)"', page, re.DOTALL)
    assert place
    typed = {
        "csrf_token": token_in(page),
        "node_id": place[1],
        "job_role": f"blocks-{next(_roles)}",
        "name": "积木方案",
        "period": "month",
        "effective_from": "2031-01-01",
        "reason": "试点",
        "rules": str(len(rules)),
        **more,
    }
    for index, rule in enumerate(rules):
        typed |= {f"rule-{index}-{name}": text for name, text in rule.items()}
    return typed


def plain(text: str) -> str:
    return re.sub(r"[\u2009\u202f\u00a0]", " ", html.unescape(text))


def blocks(page: str) -> list[tuple[str, str, str]]:
    """Label, kind and depth of every block of a page."""
    labels = re.findall(r'name="rule-\d+-label"[^>]*value="([^"]*)"', page)
    kinds = [re.search(r'<option value="(\w+)" selected', part) for part in page.split('-kind" name=')[1:]]
    depths = re.findall(r'name="rule-\d+-depth" value="(\d)"', page)
    return [
        (html.unescape(label), kind[1] if kind else "", depth)
        for label, kind, depth in zip(labels, kinds, depths, strict=True)
    ]


def press(client: FlaskClient, action: str, *rules: dict[str, str], **more: str) -> str:
    answer = client.post("/plans/new", data=form(client, *rules, action=action, **more))
    assert answer.status_code == 200
    return answer.text


def labels(page: str) -> list[tuple[str, str]]:
    return [(label, depth) for label, _kind, depth in blocks(page)]


def test_a_tree_built_from_blocks_is_stored_and_read_back(hr: FlaskClient) -> None:
    answer = hr.post("/plans/new", data=form(hr, *RULES, action="save"))
    assert answer.status_code == 303, plain(answer.text)
    page = plain(hr.get(str(answer.location)).text)
    for said in (
        "以下各项合计最多发 ¥3,000.00。",
        "“跟进客户”达到 8（含）以上，才发以下各项。",
        "“成单率”达到 15.0 %（含）以上，奖金 ¥2,000.00。",
    ):
        assert said in page


def test_while_one_types_each_block_is_read_back_and_what_is_found_stands_beside_it(hr: FlaskClient) -> None:
    typed = form(hr, *RULES, action="check")
    said = plain(hr.post("/plans/new", data=typed, headers={"HX-Request": "true"}).text)
    parts = dict(enumerate(said.split('class="read-back" id="said-')[1:]))
    assert "合计最多发 ¥3,000.00" in parts[0]
    assert "差一点到 15.0 %" in parts[3]
    assert "多做反而少拿" in parts[3]
    assert 'hx-swap-oob="true"' in said
    # The cap holds what grows.
    assert "没有封顶" not in said


def test_half_typed_is_not_wrong_yet_and_what_can_be_read_is_read(hr: FlaskClient) -> None:
    typed = form(hr, RULES[3], {"kind": "per_unit", "label": "新规则", "amount": ""}, action="check", name="")
    said = plain(hr.post("/plans/new", data=typed, headers={"HX-Request": "true"}).text)
    assert "奖金 ¥2,000.00" in said
    assert "请" not in said.partition('id="said-1"')[2]
    typed["rule-1-amount"] = "fifty"
    said = plain(hr.post("/plans/new", data=typed, headers={"HX-Request": "true"}).text)
    assert 'class="why"' in said.partition('id="said-1"')[2]


def test_blocks_move_with_all_that_is_inside(hr: FlaskClient) -> None:
    assert labels(press(hr, "down-0", *RULES)) == [
        ("达标奖", "0"),
        ("封顶", "0"),
        ("至少跟进", "1"),
        ("跟进奖", "2"),
    ]
    assert labels(press(hr, "up-3", *RULES)) == [
        ("达标奖", "0"),
        ("封顶", "0"),
        ("至少跟进", "1"),
        ("跟进奖", "2"),
    ]
    assert labels(press(hr, "in-3", *RULES)) == [
        ("封顶", "0"),
        ("至少跟进", "1"),
        ("跟进奖", "2"),
        ("达标奖", "1"),
    ]
    assert labels(press(hr, "out-1", *RULES)) == [
        ("封顶", "0"),
        ("至少跟进", "0"),
        ("跟进奖", "1"),
        ("达标奖", "0"),
    ]
    unmoved = [("封顶", "0"), ("至少跟进", "1"), ("跟进奖", "2"), ("达标奖", "0")]
    for nothing in ("up-0", "down-3", "in-0", "out-0", "up-99", "in-2", "sideways-1", "up-²"):
        assert labels(press(hr, nothing, *RULES)) == unmoved, nothing


def test_a_rule_is_added_at_the_end_or_inside(hr: FlaskClient) -> None:
    assert labels(press(hr, "add", *RULES))[-1] == ("", "0")
    assert labels(press(hr, "add-0", *RULES))[3] == ("", "1")
    assert labels(press(hr, "add-1", *RULES))[3] == ("", "2")


def test_removing_takes_what_is_inside_along_and_is_undone_without_losing_what_was_typed_since(
    hr: FlaskClient,
) -> None:
    page = press(hr, "remove-1", *RULES)
    assert labels(page) == [("封顶", "0"), ("达标奖", "0")]
    undo = re.search(r'name="undo" value="([^"]*)"', page)
    assert undo
    since = ({**RULES[0], "label": "改了名"}, RULES[3])
    back = press(hr, "undo", *since, undo=html.unescape(undo[1]))
    assert labels(back) == [("改了名", "0"), ("至少跟进", "1"), ("跟进奖", "2"), ("达标奖", "0")]
    assert 'name="rule-2-amount" type="text" value="50"' in back


@pytest.mark.parametrize(
    "undo", ["", "{", "[]", '{"at": "x"}', '{"at": -5, "rows": [{}]}', "[" * 5000, "null"]
)
def test_nonsense_to_undo_changes_nothing(hr: FlaskClient, undo: str) -> None:
    assert len(blocks(press(hr, "undo", *RULES, undo=undo))) == len(RULES)


def test_what_was_typed_is_kept_whatever_is_pressed_or_refused(hr: FlaskClient) -> None:
    typed = {"kind": "graduated", "label": "分段", "metric": "revenue", "tiers": "0 4\n150000 six"}
    answer = hr.post("/plans/new", data=form(hr, typed, action="save"))
    assert answer.status_code == 422
    for page in (answer.text, press(hr, "add", typed)):
        assert "0 4\n150000 six" in page
        assert blocks(page)[0] == ("分段", "graduated", "0")


def test_a_wrapper_without_rules_is_refused_beside_its_block(hr: FlaskClient) -> None:
    answer = hr.post("/plans/new", data=form(hr, RULES[0], action="save"))
    assert answer.status_code == 422
    assert "里面至少放一条规则。" in answer.text.partition('id="said-0"')[2]


def test_every_kind_of_block_can_be_saved(hr: FlaskClient) -> None:
    unit = {"kind": "per_unit", "label": "单", "metric": "deals_won", "amount": "1"}
    inside = {**unit, "depth": "1"}
    rules = (
        {
            "kind": "per_point_pro_rata",
            "label": "点",
            "metric": "close_rate",
            "threshold": "10",
            "amount": "50",
        },
        {"kind": "rate_of", "label": "提成", "metric": "revenue", "share": "2.5"},
        {"kind": "graduated", "label": "分段", "metric": "revenue", "tiers": "0 4\n150000 6%"},
        {"kind": "graduated", "label": "分段单", "metric": "deals_won", "tiers": "0 100\n3: 150"},
        {"kind": "tiers", "label": "阶梯", "metric": "close_rate", "tiers": "0 0\n10 1000"},
        {"kind": "group", "label": "合计"},
        inside,
        {"kind": "floor", "label": "保底", "amount": "10"},
        inside,
        {"kind": "guarantee", "label": "新人保底", "amount": "3000", "months": "3"},
        inside,
        {"kind": "draw", "label": "预支", "amount": "3000", "months": "3", "share": "50"},
        inside,
        {"kind": "ramp", "label": "爬坡", "shares": "50 80%"},
        inside,
        {
            "kind": "ranking_prize",
            "label": "冲刺赛",
            "metric": "deals_won",
            "prizes": "1000 500/200",
            "since": "2031-01-01",
            "until": "2031-02-01",
        },
        {
            "kind": "mentor_bonus",
            "label": "师傅奖",
            "metric": "close_rate",
            "threshold": "15",
            "amount": "300",
        },
        {"kind": "accelerator", "label": "加速", "metric": "deals_won", "threshold": "5", "factor": "1.5"},
        inside,
        {"kind": "gate", "label": "不超过", "metric": "deals_lost", "threshold": "2", "bound": "at_most"},
        inside,
    )
    answer = hr.post("/plans/new", data=form(hr, *rules, action="save", name="样样都有"))
    assert answer.status_code == 303, plain(answer.text)
    page = plain(hr.get(str(answer.location)).text)
    for said in (
        "逐月按 50 %、80 % 发",
        "不足部分算预支",
        "第 1 名 ¥1,000.00；第 2 名 ¥500.00；第 3 名 ¥200.00",
        "2031年2月1日",
        "“成单率”达到 15.0 %（含）以上的徒弟，每人 ¥300.00。",
        "按 1.5 倍发",
        "“丢单”不超过 2",
        "¥150.00",
        "¥150,000.00 起 6 %",
    ):
        assert said in page


def test_a_cliff_is_said_in_english_with_its_example(as_login: AsLogin) -> None:
    client = as_login("gu.wenjing", "en")
    answer = client.post("/plans/new", data=form(client, RULES[3], action="check"))
    said = plain(answer.text)
    assert "just under 15.0 % of “Close rate” pays ¥0.00, 15.0 % pays ¥2,000.00: ¥2,000.00 at once" in said
    assert "Doing more can pay less" in said


def test_prizes_that_are_no_amounts_are_told_beside_their_field(hr: FlaskClient) -> None:
    for spoilt in ({"prizes": ""}, {"prizes": "first 500"}, {"prizes": "5", "since": "soon"}):
        rule = {"kind": "ranking_prize", "label": "冲刺赛", "metric": "deals_won", **spoilt}
        answer = hr.post("/plans/new", data=form(hr, rule, action="save"))
        assert answer.status_code == 422
        assert "请按名次" in answer.text or "请填日期" in answer.text, spoilt


def test_a_condition_can_ask_for_a_course(hr: FlaskClient) -> None:
    asks = {"kind": "gate", "label": "先学会", "metric": "course:first-follow-up", "threshold": ""}
    pays = {"kind": "per_unit", "label": "跟进奖", "metric": "new_customers", "amount": "50", "depth": "1"}
    assert 'value="course:first-follow-up"' in hr.get("/plans/new").text
    typed = form(hr, asks, pays)
    checked = plain(hr.post("/plans/new", data={**typed, "action": "check"}).text)
    assert re.search("通过课程“[^”]+”，才发以下各项", checked)
    by_course = {**asks, "kind": "per_unit", "amount": "50"}
    refused = hr.post("/plans/new", data={**form(hr, by_course), "action": "save"})
    assert refused.status_code == 422
    assert "课程本身不计奖金" in refused.text
    made = hr.post("/plans/new", data={**typed, "action": "save"})
    assert made.status_code == 303
    assert re.search("通过课程“[^”]+”，才发以下各项", plain(hr.get(made.location).text))


def test_a_metric_of_ones_own_is_offered_and_read_back_by_its_title(
    hr: FlaskClient, platform_all: Platform
) -> None:
    library = metric_library_pb2_grpc.MetricLibraryServiceStub(platform_all.channel("goals"))
    how = metrics_pb2.MetricDefinition
    for name, title, aggregation, unit in (
        ("meals", "宴请费", how.AGGREGATION_SUM_AMOUNT, values_pb2.UNIT_MONEY),
        ("mean_meal", "每次宴请费", how.AGGREGATION_MEAN_AMOUNT, values_pb2.UNIT_MONEY),
    ):
        library.DefineMetric(
            metric_library_pb2.DefineMetricRequest(
                request_id=new_id(),
                definition=how(
                    name=name,
                    unit=unit,
                    aggregation=aggregation,
                    fact_kinds=[facts_pb2.FACT_KIND_MEETING],
                    direction=how.DIRECTION_AT_LEAST,
                    titles={"zh-CN": title, "en": name},
                    description="What meals cost.",
                ),
                effective_from=Date(year=2026, month=1, day=1),
                reason="试点",
            )
        )
    rule = {"kind": "rate_of", "label": "招待补贴", "metric": "meals", "share": "5"}

    def stored() -> bool:
        # Incentives hears of it a moment later.
        answer = hr.post("/plans/new", data=form(hr, rule, action="save"))
        return answer.status_code == 303 and "“宴请费”" in plain(hr.get(str(answer.location)).text)

    until = time.monotonic() + 20
    while not stored():
        assert time.monotonic() < until
    page = hr.get("/plans/new").text
    assert 'value="meals"' in page
    assert 'value="mean_meal"' not in page, "a mean cannot be paid by exactly"
    for name in ("meals", "mean_meal"):
        library.RetireMetric(
            metric_library_pb2.RetireMetricRequest(request_id=new_id(), metric=name, reason="a test's")
        )


def test_branches_are_let_set_a_number_from_and_to(hr: FlaskClient) -> None:
    rules = (
        {
            "kind": "per_unit",
            "label": "跟进奖",
            "metric": "new_customers",
            "amount": "50",
            "own_amount": "40-80",
        },
        {
            "kind": "accelerator",
            "label": "加速",
            "metric": "close_rate",
            "threshold": "15",
            "factor": "1.5",
            "own_threshold": "10 20",
            "own_factor": "1.2 2",
        },
        {
            "kind": "rate_of",
            "label": "提成",
            "metric": "revenue",
            "share": "5",
            "own_share": "3 8",
            "depth": "1",
        },
    )
    answer = hr.post("/plans/new", data=form(hr, *rules, action="save"), follow_redirects=True)
    assert answer.status_code == 200
    page = plain(re.sub("<[^>]*>", "", answer.text))
    for told in (
        "跟进奖 · 金额：¥50.00 ¥40.00 到 ¥80.00",
        "加速 · 条件的界限：15.0 % 10.0 % 到 20.0 %",
        "加速 · 倍数：1.5 1.2 到 2",
        "提成 · 比例：5.0 % 3.0 % 到 8.0 %",
    ):
        assert told in re.sub(r"\s+", " ", page), page


@pytest.mark.parametrize("typed", ["40", "a b", "60 80", "10 40", "1 2 3"])
def test_from_and_to_that_do_not_hold_the_number_are_told_beside_it(hr: FlaskClient, typed: str) -> None:
    rule = {
        "kind": "per_unit",
        "label": "跟进奖",
        "metric": "new_customers",
        "amount": "50",
        "own_amount": typed,
    }
    answer = hr.post("/plans/new", data=form(hr, rule, action="save"))
    assert answer.status_code == 422
    assert f'value="{typed}"' in answer.text
    assert 'id="f-rule-0-own_amount-why"' in answer.text

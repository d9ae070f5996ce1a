"""Plans and lines of a tree in the words of a page, in both languages."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from foothold.incentives.v1 import plans_pb2, statements_pb2
from google.type import date_pb2

from services.gateway import plan_reading, statement_lines, trace, words
from services.gateway.service import Gateway
from services.incentives.domain.drafts import accept
from services.incentives.domain.evaluation import evaluate
from services.incentives.domain.metrics import METRICS
from services.incentives.domain.plans import Plan
from services.incentives.domain.tracing import trace as steps_of
from services.incentives.wire.plans import to_draft
from services.incentives.wire.statements import from_line, from_steps
from tests.incentives.plans import (
    TREE,
    accelerator,
    at_least,
    at_most,
    bonus,
    cap,
    count,
    draw,
    floor,
    gate,
    graduated,
    group,
    guarantee,
    mentor_bonus,
    money,
    per_unit,
    percent,
    plan,
    ramp,
    ranking_prize,
    rate,
    rate_of,
)

UNIT = per_unit("new_customers", "100")


@pytest.fixture(params=["zh-CN", "en"])
def language(gateway: Gateway, request: pytest.FixtureRequest) -> Iterator[str]:
    with gateway.flask.test_request_context("/", headers={"Accept-Language": request.param}):
        yield request.param[:2]


def plain(text: str) -> str:
    return re.sub(r"[\u2009\u202f\u00a0]", " ", text)


def explained(figures: dict[str, int], *rules: plans_pb2.Rule) -> list[statements_pb2.ExplainLineResponse]:
    """The statement of a plan as the contract tells it, line by line."""
    period, first, accepted, _ = accept(to_draft(plan(*rules)), METRICS)
    stored = Plan(
        "p", "hq", "sales", "p", period, accepted, first, "", "hr", datetime(2025, 1, 1, tzinfo=UTC)
    )
    assert first == date(2025, 1, 1)
    found = evaluate(stored, figures).lines
    amounts = [line.amount for line in found]
    told = [from_line(line, node, stored, "CNY") for line, node in zip(found, stored.nodes, strict=True)]
    return [
        statements_pb2.ExplainLineResponse(
            line=told[index],
            steps=from_steps(steps_of(stored, index, figures, amounts)),
            inside=told[index + 1 : node.end],
        )
        for index, node in enumerate(stored.nodes)
    ]


WORDS = {
    "zh": [
        "以下各项合计最多发 ¥5,000.00。",
        "“丢单”不超过 9，才发以下各项。",
        "入职前 3 个月，以下各项合计至少发 ¥3,000.00。",
        "入职起逐月按 50 %、80 % 发以下各项，之后全额。",
        "“成单”达到 3（含）以上，以下各项按 1.5 倍发。",
    ],
    "en": [
        "The following together pay at most ¥5,000.00.",
        "Only if “Deals lost” is at most 9, the following are paid.",
        "In the first 3 months of tenure the following together pay at least ¥3,000.00.",
        "In the first months of tenure the following pay 50 %, 80 %, then in full.",
        "If “Deals won” reaches 3, the following pay 1.5 times as much.",
    ],
}


def test_a_tree_is_read_back_in_plain_words(language: str) -> None:
    read = plan_reading.read([TREE])
    said = [plain(each.text) for each in read]
    assert [each.depth for each in read] == [0, 1, 2, 3, 4, 1, 2, 2, 3, 4]
    assert [said[0], said[1], said[2], said[3], said[5]] == WORDS[language]
    assert all(said)
    credited = per_unit("", "1")
    credited.credit.add(metric="deals_won", share=percent(50))
    assert "× 50 %" in plain(plan_reading.sentence(credited))


def test_a_bonus_is_said_as_people_say_it(language: str) -> None:
    said = plain(plan_reading.sentence(bonus("close_rate", percent(15), "2000")))
    expected = {
        "zh": "“成单率”达到 15.0 %（含）以上，奖金 ¥2,000.00。",
        "en": "¥2,000.00 once “Close rate” reaches 15.0 %; reaching it exactly counts.",
    }
    assert said == expected[language]


@pytest.mark.parametrize(
    ("rule", "chinese"),
    [
        (cap("700", UNIT), ["跟进奖：¥1,000.00", "合计最多发 ¥700.00。", "¥700.00 − ¥1,000.00 = -¥300.00"]),
        (
            floor("1200", UNIT),
            ["跟进奖：¥1,000.00", "合计至少发 ¥1,200.00。", "¥1,200.00 − ¥1,000.00 = ¥200.00"],
        ),
        (
            gate(at_least("deals_won", count(4)), UNIT),
            [
                "跟进奖：¥1,000.00",
                "成单：3",
                "3 没有达到门槛 4。",
                "所以这些都不发。",
                "¥0.00 − ¥1,000.00 = -¥1,000.00",
            ],
        ),
        (
            gate(at_most("deals_won", count(2)), UNIT),
            [
                "跟进奖：¥1,000.00",
                "成单：3",
                "3 超过了 2。",
                "所以这些都不发。",
                "¥0.00 − ¥1,000.00 = -¥1,000.00",
            ],
        ),
        (
            accelerator(at_least("deals_won", count(3)), rate(3, 2), UNIT),
            ["跟进奖：¥1,000.00", "成单：3", "3 达到了门槛 3。", "¥1,000.00 的 50 %：¥500.00"],
        ),
        (
            ramp([50, 80], UNIT),
            [
                "跟进奖：¥1,000.00",
                "入职第几个月：2",
                "入职第 2 个月发 80 %。",
                "¥1,000.00 的 80 %：¥800.00",
                "¥800.00 − ¥1,000.00 = -¥200.00",
            ],
        ),
        (
            guarantee("1500", 3, UNIT),
            [
                "跟进奖：¥1,000.00",
                "入职第几个月：2",
                "入职第 2 个月，在前 3 个月内。",
                "合计至少发 ¥1,500.00。",
                "¥1,500.00 − ¥1,000.00 = ¥500.00",
            ],
        ),
        (
            draw("1500", 3, percent(50), UNIT),
            [
                "跟进奖：¥1,000.00",
                "入职第几个月：2",
                "入职第 2 个月，在前 3 个月内。",
                "合计至少发 ¥1,500.00。",
                "¥1,500.00 − ¥1,000.00 = ¥500.00",
            ],
        ),
        (
            draw("400", 3, percent(50), UNIT),
            [
                "跟进奖：¥1,000.00",
                "入职第几个月：2",
                "入职第 2 个月，在前 3 个月内。",
                "合计至少发 ¥400.00。",
                "¥1,000.00 − ¥400.00 = ¥600.00",
                "¥600.00 的 50 %：¥300.00",
                "预支未还：¥250.00",
                "这次还回：¥250.00。",
            ],
        ),
        (
            ranking_prize("deals_won", "1000", "500"),
            ["排名在结账时才定，到现在这一项还没有赢得什么。", "按名次赢得：¥0.00"],
        ),
        (
            mentor_bonus(at_least("deals_won", count(2)), "300"),
            ["达到要求的徒弟：2", "2 × ¥300.00 = ¥600.00"],
        ),
        (group(UNIT), ["跟进奖：¥1,000.00", "只做合计，不改变金额。"]),
        (rate_of("revenue", percent(8)), ["销售额：¥35,000.00", "¥35,000.00 的 8 %：¥2,800.00"]),
        (
            graduated("revenue", (money("0"), percent(4)), (money("20000"), percent(6))),
            [
                "销售额：¥35,000.00",
                "其中 ¥20,000.00 落在 ¥0.00 起的一段。",
                "¥20,000.00 的 4 %：¥800.00",
                "其中 ¥15,000.00 落在 ¥20,000.00 起的一段。",
                "¥15,000.00 的 6 %：¥900.00",
                "¥800.00 + ¥900.00 = ¥1,700.00",
            ],
        ),
    ],
)
def test_a_line_is_explained_so_that_it_can_be_worked_out(
    gateway: Gateway, rule: plans_pb2.Rule, chinese: list[str]
) -> None:
    figures = {
        "new_customers": 10,
        "deals_won": 3,
        "revenue": 3_500_000,
        "tenure_month": 2,
        "drawn:draw": 25_000,
        "mentees:mentees": 2,
    }
    answer = explained(figures, rule)[0]
    with gateway.flask.test_request_context("/", headers={"Accept-Language": "zh-CN"}):
        said = [plain(line) for line in trace.lines(answer)]
    assert said == chinese
    with gateway.flask.test_request_context("/", headers={"Accept-Language": "en"}):
        english = trace.lines(answer)
    assert len(english) == len(chinese)
    assert not re.search(r"[\u4e00-\u9fff]", " ".join(english).replace("跟进奖", ""))


def test_a_course_that_counts_is_told_with_its_day_and_what_is_missing_with_its_name(
    gateway: Gateway,
) -> None:
    figures = {"new_customers": 10, "course:first-follow-up": 1}
    answer = explained(figures, gate(at_least("course:first-follow-up", count(1)), UNIT))[0]
    answer.passed_on.CopyFrom(date_pb2.Date(year=2025, month=3, day=12))
    amount = statements_pb2.NextAmount(course_ids=["first-follow-up"])
    amount.changes.add(lever=statements_pb2.LeverChange.LEVER_WIN_DEAL, count=2)
    with gateway.flask.test_request_context("/", headers={"Accept-Language": "zh-CN"}):
        assert "“first-follow-up”于 3月12日学完。" in [plain(line) for line in trace.lines(answer)]
        assert plain(words.levers(amount)).startswith("学完“first-follow-up”")
    with gateway.flask.test_request_context("/", headers={"Accept-Language": "en"}):
        assert "“first-follow-up” passed on 12 Mar." in [plain(line) for line in trace.lines(answer)]


def test_a_statement_shows_at_most_ten_lines_and_wrappers_only_where_they_matter(language: str) -> None:
    figures = {
        "new_customers": 10,
        "deals_won": 3,
        "meetings_attended": 4,
        "revenue": 3_500_000,
        "tenure_month": 2,
    }
    lines = [answer.line for answer in explained(figures, TREE)]
    brief = statement_lines.brief(lines)
    assert [line.label for line in brief.lines] == [
        "封顶",
        "门槛",
        "新人保底",
        "爬坡",
        "跟进奖",
        "加速",
        "分段提成",
        "提成",
    ]
    assert not brief.whole
    many = [per_unit("new_customers", "1", id=f"r{number}") for number in range(14)]
    assert len(statement_lines.brief([answer.line for answer in explained(figures, *many)]).lines) == 10
    assert (
        plain(statement_lines.reached(lines[2]))
        == {"zh": "入职第 2 个月", "en": "Month 2 of tenure"}[language]
    )

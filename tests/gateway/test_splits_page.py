"""A deal that several people earned, told by the webhook: whose it is stands wherever facts are listed."""

import html
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient

from chassis.ids import new_id
from tests.gateway.test_webhook import fact, message, send

_OWNER, _MENTOR, _PRESALES = "SH0101", "SH0006", "SH0102"


def _credit(number: str, part: int, *, overlay: bool = False) -> dict[str, Any]:
    share = {"unit": "UNIT_RATE", "numerator": part, "denominator": 100}
    return {"employee_number": number, "share": share, "overlay": overlay}


def _spaced(page: str) -> str:
    """A page with plain spaces only."""
    return re.sub(r"[\u2009\u202f\u00a0]", " ", html.unescape(page))


def _deal(given: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    at = datetime.now(UTC) - timedelta(minutes=1)
    told = fact(
        external_id=f"shared-{new_id()}",
        kind="FACT_KIND_DEAL_WON",
        employee_number=_OWNER,
        occurred_at=at.isoformat().replace("+00:00", "Z"),
        amount={"currencyCode": "CNY", "units": 10_000},
        credits=given,
    )
    return told | changes


@pytest.fixture
def deal(visitor: FlaskClient) -> Iterator[dict[str, Any]]:
    """A deal of 60 and 40 %, half of it overlay; taken back when the test is done."""
    told = _deal([_credit(_OWNER, 60), _credit(_MENTOR, 40), _credit(_PRESALES, 50, overlay=True)])
    answer = send(visitor, message(told))
    assert orjson.loads(answer.data)["refused"] == 0, answer.text
    yield told
    gone = orjson.loads(send(visitor, message({**told, "version": 2, "voided": True})).data)
    assert gone["refused"] == 0


_SHARED = {
    "zh": ("¥10,000.00 的 60 %，与徐建国（40 %）分成", "协销：吴志强（50 %）"),
    "en": ("60 % of ¥10,000.00, with 徐建国 (40 %)", "Overlay credit: 吴志强 (50 %)"),
}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_owner_reads_their_share_with_whom_and_who_is_credited_on_top(
    as_login: Callable[..., FlaskClient], deal: dict[str, Any], language: str
) -> None:
    client = as_login("zhou.yutong", language)
    for page in ("/customers", "/why/zhou-yutong/progress/revenue/month"):
        told = _spaced(client.get(page).text)
        assert "¥6,000.00" in told
        for line in _SHARED[language]:
            assert line in told


@pytest.mark.parametrize(
    ("language", "lines"),
    [
        ("zh", ("¥10,000.00 的 40 %，与周雨桐（60 %）分成", "协销：吴志强（50 %）", "所属成单 crm/1/{}")),
        ("en", ("40 % of ¥10,000.00, with 周雨桐 (60 %)", "Overlay credit: 吴志强 (50 %)", "Deal crm/1/{}")),
    ],
)
def test_the_trace_of_what_a_mentor_is_credited_with_names_the_deal(
    as_login: Callable[..., FlaskClient], deal: dict[str, Any], language: str, lines: tuple[str, ...]
) -> None:
    told = _spaced(as_login("xu.jianguo", language).get("/why/xu-jianguo/progress/revenue/month").text)
    assert "¥4,000.00" in told
    for line in lines:
        assert line.format(deal["external_id"]) in told


@pytest.mark.parametrize(
    ("language", "lines"),
    [
        ("zh", ("¥10,000.00 的 50 %，额外计入", "销售额由周雨桐（60 %）、徐建国（40 %）分成")),
        ("en", ("50 % of ¥10,000.00 on top", "The revenue is shared by 周雨桐 (60 %), 徐建国 (40 %)")),
    ],
)
def test_overlay_is_said_to_be_on_top(
    as_login: Callable[..., FlaskClient], deal: dict[str, Any], language: str, lines: tuple[str, ...]
) -> None:
    client = as_login("tang.wei", language)
    told = _spaced(client.get("/why/wu-zhiqiang/progress/overlay_revenue/month").text)
    assert "¥5,000.00" in told
    for line in lines:
        assert line in told


def test_the_webhook_names_the_sum_that_is_not_a_hundred_percent(visitor: FlaskClient) -> None:
    answer = orjson.loads(send(visitor, message(_deal([_credit(_OWNER, 60), _credit(_MENTOR, 39)]))).data)
    (refused,) = answer["results"]
    assert (refused["reason"], refused["field"]) == ("CREDITS_NOT_WHOLE", "credits")
    assert "99 %" in refused["message"]

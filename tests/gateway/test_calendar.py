"""The calendar's page: the month, special days and their undo, a year nothing is known of, rules and their history."""

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from tests.gateway.test_standards import plain, send

AsLogin = Callable[..., FlaskClient]
# A unit of one branch, far away in time: no other test's figures change.
UNIT = "shanghai-hr"


@pytest.fixture
def hr(as_login: AsLogin) -> FlaskClient:
    return as_login("pan.li")


def month(client: FlaskClient, name: str, unit: str = UNIT) -> str:
    answer = client.get("/calendar", query_string={"node_id": unit, "month": name})
    assert answer.status_code == 200
    return plain(answer.text)


def newest(client: FlaskClient, what: str) -> str:
    text = client.get("/calendar", query_string={"node_id": UNIT}).text
    found = re.search(rf'name="what" value="{what}"><input type="hidden" name="replaces" value="(\d+)"', text)
    assert found
    return found[1]


def test_the_month_says_what_is_worked_and_why(hr: FlaskClient) -> None:
    january = month(hr, "2025-01")
    assert "2025年1月 有19个工作日" in january
    assert "1月26日 周日 上班：春节" in january
    assert "18个工作日" in month(hr, "2025-10")


def test_a_special_day_is_entered_and_taken_back(hr: FlaskClient) -> None:
    status, text = send(
        hr,
        "/calendar/days",
        node_id=UNIT,
        month="2025-02",
        first_day="2025-02-13",
        last_day="2025-02-14",
        name="团建",
        reason="部门活动",
    )
    assert (status, "已录入" in text) == (200, True)
    assert "17个工作日" in month(hr, "2025-02")
    assert "团建" in month(hr, "2025-02")
    for day in ("2025-02-13", "2025-02-14"):
        assert send(hr, "/calendar/days/remove", node_id=UNIT, day=day)[0] == 200
    assert "19个工作日" in month(hr, "2025-02")
    # Once more: there is nothing left to take back.
    assert send(hr, "/calendar/days/remove", node_id=UNIT, day="2025-02-13")[0] == 400


def test_a_year_nothing_is_known_of_is_loud_and_can_be_entered(hr: FlaskClient) -> None:
    assert "2041年的工作日还不知道" in month(hr, "2041-01")
    year = {"node_id": UNIT, "complete_year": "2041", "month": "2041-01", "reason": "国务院通知"}
    status, text = send(hr, "/calendar/days", off="2041-01-01 元旦\nsoon", **year)
    assert status == 422
    assert "soon" in text
    assert "2041-01-01 元旦" in text  # what was typed is kept
    assert send(hr, "/calendar/days", off="2041-01-01 元旦", worked="2041-01-05 元旦", **year)[0] == 200
    # 23 days from Monday to Friday, less one and one more.
    assert "23个工作日" in month(hr, "2041-01")
    assert "2041年的工作日还不知道" in month(hr, "2041-01", "shanghai")


def test_a_rule_is_set_once_seen_and_its_past_stays(hr: FlaskClient) -> None:
    shifts = {
        "what": "calendar",
        "node_id": UNIT,
        "kind": "shifts",
        "anchor": "2031-01-01",
        "pattern": "1110",
    }
    first = {**shifts, "effective_from": "2031-01-01", "reason": "倒班"}
    assert send(hr, "/calendar/rules", replaces=newest(hr, "calendar"), **first)[0] == 200
    status, text = send(hr, "/calendar/rules", replaces="0", **first)
    assert (status, "1110" in text) == (409, True)
    status, text = send(hr, "/calendar/rules", replaces=newest(hr, "calendar"), **{**first, "pattern": "12"})
    assert (status, "1为上班" in plain(text)) == (400, True)
    assert "轮班，不按节假日：1110" in month(hr, "2031-01")
    back = {"what": "calendar", "node_id": UNIT, "inherit": "yes", "effective_from": "2031-01-01"}
    assert send(hr, "/calendar/rules", replaces=newest(hr, "calendar"), reason="不再倒班", **back)[0] == 200
    assert "恢复沿用上级" in month(hr, "2031-01")


@pytest.mark.parametrize(
    ("what", "typed", "kept"),
    [
        ("ramp", {"shares": "150"}, "150"),
        ("ramp", {"shares": "a half"}, "a half"),
        ("leave_policy", {"policy": "gone", "reason": "为什么"}, "为什么"),
        ("calendar", {"kind": "alternate", "anchor": "2031-01-01", "reason": "大小周"}, "2031-01-01"),
    ],
)
def test_what_does_not_fit_is_said_beside_it_and_kept(
    hr: FlaskClient, what: str, typed: dict[str, str], kept: str
) -> None:
    form = {"what": what, "node_id": UNIT, "effective_from": "2031-01-01", "reason": "试试", **typed}
    status, text = send(hr, "/calendar/rules", replaces=newest(hr, what), **form)
    assert status in {400, 422}
    assert kept in text
    assert 'class="why"' in text


def test_a_branch_does_not_reach_another_nor_above(hr: FlaskClient) -> None:
    assert hr.get("/calendar", query_string={"node_id": "beijing"}).status_code == 404
    day = {"first_day": "2031-01-02", "name": "x", "reason": "x"}
    assert send(hr, "/calendar/days", node_id="beijing", **day)[0] == 404
    assert send(hr, "/calendar/days", node_id="foothold", **day)[0] in {403, 404}

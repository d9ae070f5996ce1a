"""Looking back: what was shown at a moment, what it would have shown with what is known now, and what is no moment."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from foothold.goals.v1 import facts_pb2, facts_pb2_grpc

from services.gateway.service import Gateway
from tests.gateway.test_standards import plain
from tests.platform import Platform

AsLogin = Callable[..., FlaskClient]
NEWCOMER, MANAGER, HEADQUARTERS = "zhou.yutong", "tang.wei", "gu.wenjing"
NAME = "周雨桐"


def _typed(moment: datetime) -> str:
    """As a browser's field sends it, where the demo's people work."""
    return f"{moment.astimezone(UTC) + timedelta(hours=8):%Y-%m-%dT%H:%M}"


def _meetings(client: FlaskClient, **args: str) -> str:
    """What stands beside meetings this month, and above it."""
    page = client.get("/targets", query_string=args)
    assert page.status_code == 200
    row = re.search(r"<th scope=\"row\">会议</th>.*?</tr>", page.text, re.DOTALL)
    assert row, plain(page.text)
    return plain(row.group())


def test_a_fact_told_late_is_not_in_what_was_shown_and_in_what_is_known_now(
    platform_all: Platform, gateway: Gateway, as_login: AsLogin
) -> None:
    people = gateway.parts.replica.directory.people()
    newcomer = as_login(NEWCOMER)
    now = datetime.now(UTC)
    an_hour_ago = _typed(now - timedelta(hours=1))
    before = {known: _meetings(newcomer, at=an_hour_ago, known=known) for known in ("then", "now")}
    late = facts_pb2.Fact(
        source="crm",
        external_id="told-late",
        kind=facts_pb2.FACT_KIND_MEETING,
        person_id=next(each.id for each in people if each.name == NAME),
        minutes=20,
    )
    late.occurred_at.FromDatetime(now - timedelta(hours=2))
    facts_pb2_grpc.FactsServiceStub(platform_all.channel("goals")).RecordFact(
        facts_pb2.RecordFactRequest(fact=late)
    )
    assert _meetings(newcomer, at=an_hour_ago, known="then") == before["then"]
    assert _meetings(newcomer, at=an_hour_ago, known="now") != before["now"]


def test_what_is_left_from_there_stays_at_the_moment_until_one_goes_back(as_login: AsLogin) -> None:
    moment = _typed(datetime.now(UTC) - timedelta(days=2))
    manager = as_login(MANAGER)
    team = manager.get("/team", query_string={"at": moment, "known": "now", "everybody": "yes"})
    assert "现在看到的是" in team.text
    assert "data-watch" not in team.text
    assert "data-live" not in team.text
    links = [each.replace("&amp;", "&") for each in re.findall(r'href="(/team/[^"]+|/why/[^"]+)"', team.text)]
    assert links
    for link in links:
        assert f"at={moment}" in link, link
        assert "known=now" in link
    person = next(each for each in links if each.startswith("/team/"))
    why = next(each for each in links if each.startswith("/why/"))
    assert "按现在所知" in manager.get(why).text
    assert "奖金" not in plain(manager.get(person).text.partition("<main")[2]), "what is only known of now"
    back = re.search(r'class="notice past".*?<a href="([^"]+)"', team.text, re.DOTALL)
    assert back
    assert back.group(1) == "/team?everybody=yes"
    csv = manager.get("/team.csv", query_string={"at": moment, "known": "now"}).text
    assert csv.count("\n") > 1


def test_goals_and_objectives_of_the_past_lead_on_at_the_same_moment_and_are_not_changed(
    as_login: AsLogin,
) -> None:
    moment = _typed(datetime.now(UTC) - timedelta(minutes=1))
    asked = {"at": moment, "known": "now"}
    reader = as_login(HEADQUARTERS)
    tree = reader.get("/goals", query_string=asked)
    links = re.findall(r'(?:href|hx-get)="(/goals/[^"]+)"', tree.text)
    assert links
    for link in (each.replace("&amp;", "&") for each in links):
        assert f"at={moment}&known=now" in link
    page = reader.get(links[0].replace("&amp;", "&").replace("/below", ""))
    assert "现在看到的是" in page.text
    assert "已完成" in page.text
    assert 'method="post" action="/goals' not in page.text
    person = as_login(NEWCOMER)
    objectives = person.get("/objectives", query_string=asked)
    assert "data-live" not in objectives.text
    one = re.search(r'href="(/objectives/[^"?]+\?[^"]+)"', objectives.text)
    assert one
    page = person.get(one[1].replace("&amp;", "&"))
    assert "现在看到的是" in page.text
    assert "data-live" not in page.text
    # Before the demo was seeded nobody knew of an objective.
    assert "没有符合的OKR" in plain(person.get("/objectives", query_string={"at": "2020-01-01T12:00"}).text)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("2999-01-01T00:00", "这个时刻还没到"),
        ("yesterday", "请填写日期和时间"),
        ("0001-01-01T00:00", "请填写日期和时间"),
        ("2026-03-01T18:00+08:00", "请填写日期和时间"),
    ],
)
def test_a_moment_that_is_none_is_told_beside_what_was_typed(
    as_login: AsLogin, typed: str, said: str
) -> None:
    page = as_login(NEWCOMER).get("/targets", query_string={"at": typed})
    assert page.status_code == 200
    assert said in page.text
    assert f'value="{typed}"' in page.text
    assert "data-watch" in page.text, "it is the page of now"

"""Boards: kept for the enterprise and every branch, live, of those who work here."""

import gc
from datetime import date
from typing import Any

import grpc
import pytest
from foothold.incentives.v1 import boards_pb2, values_pb2
from google.type import date_pb2

from chassis.errors import Failure, from_rpc_error
from services.incentives.standings import Standings
from tests.incentives.company import TODAY, Company, person, request_id

_MAY = date(2024, 5, 15)
_ON = date_pb2.Date(year=2024, month=5, day=15)


def board_message(**more: Any) -> boards_pb2.Board:
    values = {
        "id": "emails",
        "name": "本月邮件",
        "metric": "emails_sent",
        "period_kind": values_pb2.PERIOD_KIND_MONTH,
        **more,
    }
    return boards_pb2.Board(**values)


def create(company: Company, who: str = "hr", **more: Any) -> boards_pb2.Board:
    request = boards_pb2.CreateBoardRequest(request_id=request_id(), board=board_message(**more))
    return company.as_(who).boards.CreateBoard(request).board


def refusal(company: Company, who: str = "hr", **more: Any) -> Failure:
    with pytest.raises(grpc.RpcError) as caught:
        create(company, who, **more)
    return from_rpc_error(caught.value)


def names(board: boards_pb2.GetBoardResponse) -> list[str]:
    return [entry.person_id for entry in board.entries]


def test_the_built_in_boards_and_the_nodes_one_may_see(company: Company) -> None:
    company.settle()
    answer = company.as_("li").boards.ListBoards(boards_pb2.ListBoardsRequest())
    built_in = {board.id: (board.name, board.metric) for board in answer.boards}
    assert built_in["close-rate-week"] == ("本周成交率", "close_rate")
    assert built_in["follow-ups-month"] == ("本月跟进客户", "customers_followed")
    assert [node.node_id for node in answer.nodes] == ["hq", "shanghai"]
    everything = company.as_("hr").boards.ListBoards(boards_pb2.ListBoardsRequest()).nodes
    assert [node.node_id for node in everything] == ["hq", "shanghai", "beijing"] or [
        node.node_id for node in everything
    ] == ["hq", "beijing", "shanghai"]


def test_a_branchs_board_has_its_own_people_and_ranks(company: Company) -> None:
    for name, branch, followed in (
        ("br-1", "shanghai-sales", 9),
        ("br-2", "beijing-sales", 20),
        ("br-3", "shanghai-sales", 30),
    ):
        company.newcomer(name, branch)
        company.figures(name, _MAY, customers_followed=followed)
    company.settle()
    hr = company.as_("hr")
    assert names(hr.board("follow-ups-month", "hq", on=_ON)) == ["br-3", "br-2", "br-1"]
    shanghai = hr.board("follow-ups-month", "shanghai", on=_ON, person_id="br-1")
    assert [(entry.rank, entry.person_id) for entry in shanghai.entries] == [(1, "br-3"), (2, "br-1")]
    assert shanghai.entries[0].name == "br-3 同学"
    assert shanghai.entries[0].branch_name == "上海"
    assert (shanghai.standing.rank, shanghai.next_better.numerator) == (2, 30)
    assert (shanghai.period.first_day.day, shanghai.period.end_day.month) == (1, 6)
    assert not hr.board("follow-ups-month", "shanghai", on=_ON, person_id="br-2").HasField("standing")


def test_boards_follow_figures_people_and_roles(company: Company) -> None:
    june = date(2024, 6, 12)
    on = date_pb2.Date(year=2024, month=6, day=1)
    hr = company.as_("hr")
    for name, followed in (("live-1", 9), ("live-2", 20)):
        company.newcomer(name)
        company.figures(name, june, customers_followed=followed)
    company.settle()
    assert names(hr.board("follow-ups-month", "shanghai", on=on)) == ["live-2", "live-1"]
    company.figures("live-1", june, customers_followed=21)
    company.settle()
    assert names(hr.board("follow-ups-month", "shanghai", on=on)) == ["live-1", "live-2"]
    company.tell(person_changed=person("live-2", "beijing-sales"))
    company.settle()
    assert names(hr.board("follow-ups-month", "shanghai", on=on)) == ["live-1"]
    assert names(hr.board("follow-ups-month", "beijing", on=on)) == ["live-2"]
    company.tell(person_changed=person("live-1", "shanghai-sales", dismissed=True))
    company.settle()
    board = hr.board("follow-ups-month", "hq", on=on)
    assert [(entry.rank, entry.person_id) for entry in board.entries] == [(1, "live-2")]
    company.figures("live-2", june, customers_followed=0)
    company.settle()
    assert names(hr.board("follow-ups-month", "hq", on=on)) == []


def test_whoever_looks_through_old_boards_makes_no_live_one_cold_and_fills_no_memory(
    company: Company,
) -> None:
    hr = company.as_("hr")
    company.newcomer("curious")
    months = [date(2021 + number // 12, 1 + number % 12, 14) for number in range(36)]
    for month in months:
        company.figures("curious", month, customers_followed=7)
    company.figures("curious", TODAY, customers_followed=3)
    company.settle()
    live = hr.board("follow-ups-month", "hq")
    assert "curious" in names(live)
    for month in months:
        asked = date_pb2.Date(year=month.year, month=month.month, day=month.day)
        (entry,) = hr.board("follow-ups-month", "hq", on=asked).entries
        assert (entry.person_id, entry.value.numerator) == ("curious", 7)
    for number in range(30):
        asked = date_pb2.Date(year=2001 + number // 12, month=1 + number % 12, day=1)
        assert not hr.board("follow-ups-month", "hq", on=asked).entries
    with company.database.begin() as connection:
        # Nobody can read a statement now: what answers is in memory.
        connection.exec_driver_sql("LOCK TABLE statement IN ACCESS EXCLUSIVE MODE")
        assert hr.board("follow-ups-month", "hq") == live
        last = date_pb2.Date(year=months[-1].year, month=months[-1].month, day=1)
        assert names(hr.board("follow-ups-month", "hq", on=last)) == ["curious"]
    gc.collect()
    kept = sum(isinstance(each, Standings) for each in gc.get_objects())
    asked_so_far = 36 + 30
    assert kept < asked_so_far / 2
    # An old board is kept up as long as it is there, and read anew when it comes back.
    for month in (months[-1], months[0]):
        company.figures("curious", month, customers_followed=8)
        company.settle()
        asked = date_pb2.Date(year=month.year, month=month.month, day=month.day)
        assert hr.board("follow-ups-month", "hq", on=asked).entries[0].value.numerator == 8


def test_pages_of_a_board_go_on_where_they_stopped(company: Company) -> None:
    july = date(2024, 7, 10)
    on = date_pb2.Date(year=2024, month=7, day=10)
    people = [company.newcomer(f"page-{n:02}") for n in range(25)]
    for number, each in enumerate(people):
        company.figures(each, july, customers_followed=1 + number // 3)
    company.settle()
    whole = company.as_("hr").board("follow-ups-month", "hq", on=on, page_size=1_000)
    seen, token = [], ""
    while True:
        page = company.as_("hr").board("follow-ups-month", "hq", on=on, page_size=4, page_token=token)
        seen += [(entry.rank, entry.person_id) for entry in page.entries]
        token = page.next_page_token
        if not token:
            break
    assert seen == [(entry.rank, entry.person_id) for entry in whole.entries]
    assert len(seen) == whole.ranked_size == 25


def test_a_board_of_ones_own(company: Company) -> None:
    created = create(company, job_role="emailer", minimum_denominator=0)
    assert created.minimum_denominator == 5
    august = date(2024, 8, 7)
    company.newcomer("mail-1", job_role="emailer")
    company.newcomer("mail-2")
    for name in ("mail-1", "mail-2"):
        company.figures(name, august, emails_sent=4)
    company.settle()
    on = date_pb2.Date(year=2024, month=8, day=7)
    assert names(company.as_("mail-2").board("emails", "hq", on=on)) == ["mail-1"]
    company.tell(person_changed=person("mail-2", "shanghai-sales", "emailer"))
    company.settle()
    assert names(company.as_("mail-2").board("emails", "hq", on=on)) == ["mail-1", "mail-2"]
    assert refusal(company).reason == "ALREADY_EXISTS"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"metric": "pushups"}, "METRIC_UNKNOWN"),
        ({"name": ""}, "FIELD_INVALID"),
        ({"name": "长" * 61}, "FIELD_INVALID"),
        ({"id": "Not An Id"}, "FIELD_INVALID"),
        ({"period_kind": values_pb2.PERIOD_KIND_UNSPECIFIED}, "FIELD_INVALID"),
        ({"minimum_denominator": -1}, "FIELD_INVALID"),
        ({"minimum_denominator": 1_000_001}, "FIELD_INVALID"),
        ({"job_role": "No!"}, "FIELD_INVALID"),
    ],
)
def test_a_board_that_makes_no_sense_is_refused(
    company: Company, changes: dict[str, Any], reason: str
) -> None:
    assert refusal(company, "hr", **{"id": "refused", **changes}).reason == reason


def test_there_may_be_a_hundred_boards(company: Company) -> None:
    hr = company.as_("hr")
    there = len(hr.boards.ListBoards(boards_pb2.ListBoardsRequest()).boards)
    for number in range(100 - there):
        create(company, id=f"full-{number}")
    assert refusal(company, id="one-more").reason == "LIMIT_REACHED"
    with pytest.raises(grpc.RpcError, match="no such board"):
        hr.board("one-more", "hq")
    assert len(hr.boards.ListBoards(boards_pb2.ListBoardsRequest()).boards) == 100
    with company.database.begin() as connection:
        connection.exec_driver_sql("DELETE FROM board WHERE id LIKE 'full-%%'")
        connection.exec_driver_sql("UPDATE calculation SET boards_version = boards_version + 1")


@pytest.mark.parametrize(("board", "node"), [("nothing", "hq"), ("close-rate-week", "shanghai-sales")])
def test_boards_are_of_the_enterprise_and_branches_only(company: Company, board: str, node: str) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        company.as_("hr").board(board, node)
    assert from_rpc_error(caught.value).code is grpc.StatusCode.NOT_FOUND

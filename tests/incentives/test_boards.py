"""Boards: kept for the enterprise and every branch, live, of those who work here."""

import gc
from datetime import UTC, date
from typing import Any

import grpc
import pytest
from foothold.identity.v1 import access_pb2
from foothold.incentives.v1 import boards_pb2, values_pb2
from google.protobuf.timestamp_pb2 import Timestamp
from google.type import date_pb2

from chassis.errors import Failure, from_rpc_error
from services.incentives.standings import Standings
from tests.incentives.company import NOW, TODAY, Company, person, request_id

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
    nodes = [(node.node_id, node.branch) for node in answer.nodes]
    assert nodes == [("hq", True), ("shanghai", True), ("shanghai-sales", False)]
    everything = company.as_("hr").boards.ListBoards(boards_pb2.ListBoardsRequest()).nodes
    assert {node.node_id for node in everything if node.branch} == {"hq", "shanghai", "beijing"}
    assert {"shanghai-sales", "beijing-sales"} <= {node.node_id for node in everything}


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
        ({"measure": 3}, "FIELD_INVALID"),
        ({"tenure_from": 4, "tenure_to": 3}, "FIELD_INVALID"),
        ({"tenure_from": -1}, "FIELD_INVALID"),
        ({"tenure_to": 121}, "FIELD_INVALID"),
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


@pytest.mark.parametrize(("board", "node"), [("nothing", "hq"), ("close-rate-week", "li")])
def test_there_is_no_board_of_one_person(company: Company, board: str, node: str) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        company.as_("hr").board(board, node)
    assert from_rpc_error(caught.value).code is grpc.StatusCode.NOT_FOUND


def test_bottom_ranks_see_themselves_and_the_gap_and_nobody_else_does(company: Company) -> None:
    october = date(2024, 10, 9)
    on = date_pb2.Date(year=2024, month=10, day=9)
    people = [company.newcomer(f"kind-{n:02}", "beijing-sales") for n in range(24)]
    for number, each in enumerate(people):
        company.figures(each, october, customers_followed=100 - number)
    company.tell(
        binding_added=access_pb2.Binding(
            id="b-kind", role_id="mentor", subject_id="mentor", node_id=people[15]
        )
    )
    company.settle()
    seen = company.as_(people[20]).board("follow-ups-month", "beijing", on=on, page_size=1_000)
    assert names(seen) == [*people[:10], people[20]]
    assert [entry.rank for entry in seen.entries[-2:]] == [10, 21]
    assert (seen.ranked_size, seen.hidden_size) == (24, 13)
    assert (seen.standing.rank, seen.above.rank, seen.above.person_id) == (21, 20, people[19])
    assert (seen.above.value.numerator, seen.next_better.numerator) == (81, 81)
    # Not by asking for the person, nor for the next page, nor for another unit.
    for other in (people[22], ""):
        again = company.as_(people[20]).board(
            "follow-ups-month", "beijing", on=on, page_size=11, person_id=other
        )
        assert not again.next_page_token
        assert people[22] not in {*names(again), again.standing.person_id, again.above.person_id}
    assert (
        names(company.as_(people[3]).board("follow-ups-month", "hq", on=on, page_size=1_000)) == people[:10]
    )
    # Whoever may read somebody's figures sees them where they are; whoever may read everybody's, everybody.
    mentor = company.as_("mentor").board("follow-ups-month", "hq", on=on, page_size=1_000)
    assert names(mentor) == [*people[:10], people[15]]
    assert names(company.as_("shanghai-hr").board("follow-ups-month", "hq", on=on)) == people[:10]
    hr = company.as_("hr").board(
        "follow-ups-month", "beijing-sales", on=on, page_size=1_000, person_id=people[22]
    )
    assert (names(hr), hr.hidden_size, hr.standing.rank) == (people, 0, 23)
    pages, token = [], ""
    while True:
        asked: dict[str, Any] = {"on": on, "page_size": 4, "page_token": token}
        page = company.as_(people[20]).board("follow-ups-month", "beijing", **asked)
        pages += names(page)
        token = page.next_page_token
        if not token:
            break
    assert pages == names(seen)


def test_a_change_is_ranked_against_the_period_before(company: Company) -> None:
    create(
        company, id="more-follow-ups", metric="customers_followed", measure=boards_pb2.Board.MEASURE_CHANGE
    )
    create(company, id="better-rate", metric="close_rate", measure=boards_pb2.Board.MEASURE_CHANGE)
    november, december = date(2024, 11, 6), date(2024, 12, 4)
    on = date_pb2.Date(year=2024, month=12, day=4)
    told = {
        "up": ((10, 1), (12, 3)),
        "down": ((10, 4), (8, 1)),
        "new": (None, (9, 1)),
        "few": ((4, 1), (20, 8)),
    }
    for name, (before, now) in told.items():
        company.newcomer(f"change-{name}")
        for day, figures in ((november, before), (december, now)):
            if figures is not None:
                company.figures(f"change-{name}", day, customers_followed=figures[0], deals_won=figures[1])
    company.settle()
    hr = company.as_("hr")

    def shown(board: str) -> list[tuple[int, str, int, int]]:
        entries = hr.board(board, "hq", on=on).entries
        return [
            (each.rank, each.person_id[7:], each.value.numerator, each.value.denominator) for each in entries
        ]

    assert shown("more-follow-ups") == [
        (1, "few", 16, 1),
        (2, "new", 9, 1),
        (3, "up", 2, 1),
        (4, "down", -2, 1),
    ]
    # 3/12 - 1/10 = 18/120; 1/8 - 4/10 = -22/80; under five customers in either month nobody is ranked.
    assert shown("better-rate") == [(1, "up", 18, 120), (2, "down", -22, 80), (0, "few", 12, 80)]
    company.figures("change-down", november, customers_followed=10, deals_won=1)
    company.settle()
    assert shown("better-rate")[1] == (2, "down", 2, 80)


def test_a_board_of_a_tenure_band_has_those_in_their_first_months(company: Company) -> None:
    create(company, id="first-months", metric="customers_followed", tenure_from=1, tenure_to=3)
    september = date(2024, 9, 4)
    hired = {
        "first": date(2024, 9, 1),
        "third": date(2024, 7, 1),
        "fourth": date(2024, 6, 1),
        "unknown": None,
    }
    for name, day in hired.items():
        company.newcomer(f"tenure-{name}")
        told = person(f"tenure-{name}", "shanghai-sales")
        told.ClearField("hire_date")
        if day is not None:
            told.hire_date.CopyFrom(date_pb2.Date(year=day.year, month=day.month, day=day.day))
        company.tell(person_changed=told)
        company.figures(f"tenure-{name}", september, customers_followed=5)
    company.settle()
    board = company.as_("hr").board("first-months", "hq", on=date_pb2.Date(year=2024, month=9, day=4))
    assert names(board) == ["tenure-first", "tenure-third"]
    assert (board.board.tenure_from, board.board.tenure_to) == (1, 3)


def test_a_closed_board_stays_as_it_was_whatever_is_learned_and_whoever_goes(company: Company) -> None:
    april = date(2024, 4, 10)
    on = date_pb2.Date(year=2024, month=4, day=10)
    people = [company.newcomer(f"closed-{n}", "beijing-sales") for n in range(4)]
    for number, each in enumerate(people):
        company.figures(each, april, customers_followed=9 - number)
    company.settle()
    hr = company.as_("hr")
    before = hr.board("follow-ups-month", "beijing", on=on)
    assert not before.HasField("closed_at")
    assert hr.close("beijing", april).frozen_now >= 4
    company.figures(people[3], april, customers_followed=50)
    company.tell(person_changed=person(people[0], "beijing-sales", dismissed=True))
    now = Timestamp()
    now.FromDatetime(NOW)
    company.tell(person_changed=person(people[1], "shanghai-sales", "mentor"), occurred_at=now)
    company.settle()
    for _ in range(2):
        after = hr.board("follow-ups-month", "beijing", on=on)
        assert after.closed_at.ToDatetime(UTC) == company.clock.now()
        after.ClearField("closed_at")
        assert [(each.rank, each.person_id, each.value) for each in after.entries] == [
            (each.rank, each.person_id, each.value) for each in before.entries
        ]
        # Also where it is read anew, by another process.
        company.restart()
        hr = company.as_("hr")
    live = hr.board("follow-ups-month", "beijing")
    assert not live.HasField("closed_at")
    assert people[0] not in names(live)


def test_a_board_is_tried_ended_and_gone_on_with(company: Company) -> None:
    hr = company.as_("hr")
    company.newcomer("tried")
    company.figures("tried", date(2024, 3, 6), emails_sent=3)
    company.settle()
    on = date_pb2.Date(year=2024, month=3, day=6)
    told = board_message(id="", name="试一试")
    asked = boards_pb2.PreviewBoardRequest(board=told, node_id="shanghai", on=on)
    preview = hr.boards.PreviewBoard(asked)
    assert [(each.rank, each.person_id) for each in preview.entries] == [(1, "tried")]
    assert preview.ranked_size == 1

    def listed(**more: Any) -> dict[str, bool]:
        found = hr.boards.ListBoards(boards_pb2.ListBoardsRequest(**more)).boards
        return {each.id: each.ended for each in found}

    before = listed()
    made = create(company, id="to-end")
    hr.boards.EndBoard(boards_pb2.EndBoardRequest(request_id=request_id(), board_id=made.id))
    assert listed() == before
    assert listed(with_ended=True)["to-end"]
    assert names(hr.board("to-end", "shanghai", on=on)) == ["tried"]
    hr.boards.ResumeBoard(boards_pb2.ResumeBoardRequest(request_id=request_id(), board_id=made.id))
    assert listed() == {**before, "to-end": False}
    with pytest.raises(grpc.RpcError, match="no such board"):
        hr.boards.EndBoard(boards_pb2.EndBoardRequest(request_id=request_id(), board_id="nothing"))

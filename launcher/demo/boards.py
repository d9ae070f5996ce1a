"""The demo's boards beside those that are built in, and who was first on one of them last month."""

from datetime import date, timedelta
from typing import Final

from foothold.incentives.v1 import boards_pb2, boards_pb2_grpc, honours_pb2, honours_pb2_grpc
from foothold.incentives.v1 import values_pb2 as incentives
from google.type.date_pb2 import Date

from launcher.demo.acting import acting
from launcher.reaching import Reached

_AUTHOR: Final = "gu.wenjing"
_HONOURS: Final = "newcomers-month"


def set_boards(reached: Reached) -> None:
    """Beside those that are built in: who follows up most in the first months, and who has come on most."""
    with acting(reached, _AUTHOR) as own:
        boards = boards_pb2_grpc.BoardsServiceStub(own.channel("incentives"))
        for board in _boards():
            boards.CreateBoard(boards_pb2.CreateBoardRequest(request_id=f"demo-{board.id}", board=board))


def _boards() -> tuple[boards_pb2.Board, ...]:
    month = incentives.PERIOD_KIND_MONTH
    return (
        boards_pb2.Board(
            id="newcomers-month",
            name="新人跟进榜",
            metric="customers_followed",
            period_kind=month,
            tenure_from=1,
            tenure_to=3,
            honour="每月新人之星",
        ),
        boards_pb2.Board(
            id="progress-month",
            name="本月进步榜",
            metric="customers_followed",
            period_kind=month,
            measure=boards_pb2.Board.MEASURE_CHANGE,
        ),
    )


def honour_the_first(reached: Reached, anchor: date) -> None:
    """Confirm whoever was first in Shanghai last month; the other branches' wait."""
    last = anchor.replace(day=1) - timedelta(days=1)
    with acting(reached, _AUTHOR) as own:
        honours = honours_pb2_grpc.HonoursServiceStub(own.channel("incentives"))
        waits = honours.ListHonours(honours_pb2.ListHonoursRequest(node_id="shanghai")).honours
        for number, each in enumerate(waits):
            if each.state == honours_pb2.Honour.STATE_PROPOSED and each.board.id == _HONOURS:
                honours.ConfirmHonour(
                    honours_pb2.ConfirmHonourRequest(
                        request_id=f"demo-honour-{number}",
                        board_id=_HONOURS,
                        node_id=each.node_id,
                        on=Date(year=last.year, month=last.month, day=last.day),
                        person_id=each.person_id,
                        reason="跟进扎实，客户评价也好",
                    )
                )

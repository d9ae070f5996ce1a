"""The demo's boards beside those that are built in, and who was first on one of them last month."""

from datetime import date, timedelta
from typing import Final

from foothold.incentives.v1 import boards_pb2, boards_pb2_grpc, honours_pb2, honours_pb2_grpc
from foothold.incentives.v1 import values_pb2 as incentives
from google.type.date_pb2 import Date

from launcher.demo.acting import acting
from launcher.demo.portraits import portrait
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
    """Confirm whoever was first last month in Shanghai, and in Beijing, who tells it with a photo; the others wait."""
    last = anchor.replace(day=1) - timedelta(days=1)
    _confirm(reached, "shanghai", last)
    for honour in _confirm(reached, "beijing", last):
        with acting(reached, honour.person_id.replace("-", ".")) as own:
            honours_pb2_grpc.HonoursServiceStub(own.channel("incentives")).AnswerHonour(
                honours_pb2.AnswerHonourRequest(
                    request_id=f"demo-answer-{honour.person_id}",
                    honour_id=honour.id,
                    consent=honours_pb2.Honour.CONSENT_STORY,
                    story="每天早上先把昨天没接电话的客户再打一遍。",
                    photo=portrait(),
                    show_photo=True,
                )
            )


def _confirm(reached: Reached, node_id: str, last: date) -> list[honours_pb2.Honour]:
    made = []
    with acting(reached, _AUTHOR) as own:
        honours = honours_pb2_grpc.HonoursServiceStub(own.channel("incentives"))
        waits = honours.ListHonours(honours_pb2.ListHonoursRequest(node_id=node_id)).honours
        for each in waits:
            if each.state == honours_pb2.Honour.STATE_PROPOSED and each.board.id == _HONOURS:
                asked = honours_pb2.ConfirmHonourRequest(
                    request_id=f"demo-honour-{node_id}-{each.person_id}",
                    board_id=_HONOURS,
                    node_id=each.node_id,
                    on=Date(year=last.year, month=last.month, day=last.day),
                    person_id=each.person_id,
                    reason="跟进扎实，客户评价也好",
                )
                made.append(honours.ConfirmHonour(asked).honour)
    return made

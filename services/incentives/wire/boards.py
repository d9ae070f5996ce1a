"""Boards and who stands on them."""

from foothold.incentives.v1 import boards_pb2, values_pb2

from services.incentives.domain.metrics import Known
from services.incentives.domain.periods import PeriodKind
from services.incentives.domain.ranking import DEFAULT_MINIMUM, Board, Measure


def to_board(message: boards_pb2.Board, board_id: str, known: Known) -> Board:
    """A board whose fields were found valid, its metric among those known."""
    return Board(
        id=board_id,
        name=message.name,
        metric=known[message.metric],
        period_kind=PeriodKind(message.period_kind),
        minimum_denominator=message.minimum_denominator or DEFAULT_MINIMUM,
        job_role=message.job_role,
        measure=Measure(message.measure or Measure.LEVEL),
        tenure_from=message.tenure_from,
        tenure_to=message.tenure_to,
        honour=message.honour,
    )


def from_board(board: Board) -> boards_pb2.Board:
    return boards_pb2.Board(
        id=board.id,
        name=board.name,
        metric=board.metric.name,
        period_kind=values_pb2.PeriodKind.ValueType(board.period_kind),
        minimum_denominator=board.minimum_denominator,
        job_role=board.job_role,
        measure=boards_pb2.Board.Measure.ValueType(board.measure),
        tenure_from=board.tenure_from,
        tenure_to=board.tenure_to,
        ended=board.ended,
        honour=board.honour,
    )

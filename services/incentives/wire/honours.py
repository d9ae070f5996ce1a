"""Honours."""

from foothold.incentives.v1 import honours_pb2

from services.incentives.domain.honours import Honour
from services.incentives.domain.ranking import Board
from services.incentives.wire.boards import from_board
from services.incentives.wire.values import from_period, from_value


def from_honour(
    honour: Honour, board: Board, name: str, currency: str, *, decided: bool, whole: bool, photo: str
) -> honours_pb2.Honour:
    """An honour with who decided it where `decided`, and with its story where it is told, or where `whole`.

    `photo` is the etag of the photo, empty where it is not to be seen.
    """
    story = honour.story if whole else honour.told_story
    message = honours_pb2.Honour(
        id=honour.id,
        board=from_board(board),
        node_id=honour.node_id,
        period=from_period(honour.period),
        person_id=honour.person_id,
        name=name,
        state=honours_pb2.Honour.State.ValueType(honour.state),
        reason=honour.reason,
        decided_by=honour.decided_by if decided else "",
        consent=honours_pb2.Honour.Consent.ValueType(honour.consent),
        story=story,
        photo_etag=photo,
        photo_shown=whole and honour.photo_shown,
    )
    if honour.value is not None:
        message.value.CopyFrom(from_value(board.metric.unit, honour.value, currency))
    if honour.decided_at is not None:
        message.decided_at.FromDatetime(honour.decided_at)
    return message

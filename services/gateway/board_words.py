"""What a board says of one's own place: the way up in words, and what is shown of whom."""

from fractions import Fraction
from typing import Final

from foothold.incentives.v1 import boards_pb2, values_pb2

from services.gateway import words
from services.gateway.figures import exact, gained, missing, written
from services.gateway.language import _, ngettext

CHANGE: Final = boards_pb2.Board.MEASURE_CHANGE
_DEALS: Final = frozenset({"close_rate", "deals_won"})
_CUSTOMERS: Final = frozenset({"customers_followed", "new_customers"})


def value(board: boards_pb2.Board, told: values_pb2.Value) -> str:
    """A value of a board; a change with its sign, of rates in points."""
    return gained(told) if board.measure == CHANGE else written(told)


def measured(board: boards_pb2.Board) -> str:
    """What the board's last column is called."""
    name = words.metric(board.metric)
    return _("%(metric)s, change", metric=name) if board.measure == CHANGE else name


def band(board: boards_pb2.Board) -> str:
    """For whom by tenure; empty for everybody."""
    first, last = board.tenure_from, board.tenure_to
    if first and last:
        return _("months %(first)s to %(last)s of tenure", first=first, last=last)
    if last:
        return ngettext("the first month of tenure", "the first %(num)s months of tenure", last)
    return _("from month %(first)s of tenure on", first=first) if first else ""


def way_up(answer: boards_pb2.GetBoardResponse) -> str:
    """What draws level with the next better one; empty at the top, and where one has no rank."""
    if not answer.HasField("above") or not answer.standing.rank:
        return ""
    mine, better = exact(answer.standing.value), exact(answer.next_better)
    if mine is None or better is None or better <= mine:
        return ""
    above = _("No. %(rank)s, %(name)s", rank=answer.above.rank, name=answer.above.name)
    board, told = answer.board, answer.standing.value
    if board.measure != CHANGE and board.metric in _DEALS:
        # More deals among the customers there are: the denominator stays.
        more = -(-(better - mine) * told.denominator // 1)
        return ngettext(
            "%(num)s more deal and you are level with %(above)s.",
            "%(num)s more deals and you are level with %(above)s.",
            int(more),
            above=above,
        )
    if board.measure != CHANGE and board.metric in _CUSTOMERS:
        return ngettext(
            "%(num)s more customer and you are level with %(above)s.",
            "%(num)s more customers and you are level with %(above)s.",
            int(better - mine),
            above=above,
        )
    return _("%(amount)s to %(above)s.", amount=missing(_difference(told, better - mine)), above=above)


def unranked(answer: boards_pb2.GetBoardResponse) -> str:
    """Why one has a value and no rank."""
    least = answer.board.minimum_denominator or 5
    if answer.board.measure == CHANGE:
        return _(
            "You are not ranked yet: that takes %(least)s in this period and in the one before.", least=least
        )
    told = answer.standing.value
    return _(
        "You are not ranked yet: %(value)s from %(fraction)s; ranked from %(least)s customers on.",
        value=written(told),
        fraction=f"{told.numerator}/{told.denominator}",
        least=least,
    )


def _difference(told: values_pb2.Value, number: Fraction) -> values_pb2.Value:
    return values_pb2.Value(
        unit=told.unit, numerator=number.numerator, denominator=number.denominator, currency=told.currency
    )

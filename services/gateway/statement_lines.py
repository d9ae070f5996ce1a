"""A statement's lines as a person reads them: what was paid, and what changed it; the rest one tap away."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from foothold.incentives.v1 import statements_pb2, values_pb2

from services.gateway.figures import fraction, written
from services.gateway.language import _
from services.gateway.traced import WRAPPERS
from services.gateway.words import TENURE

MOST: Final = 10


class Brief(NamedTuple):
    """At most ten lines, and whether there are others."""

    lines: list[statements_pb2.Line]
    whole: bool


def brief(lines: Sequence[statements_pb2.Line]) -> Brief:
    """What pays, and of what wraps it what makes a difference or is a gate; where those are many, what is not 0."""
    shown = [
        line for line in lines if not wraps(line) or _is_paid(line) or line.kind == values_pb2.RULE_KIND_GATE
    ]
    if len(shown) > MOST:
        shown = [line for line in shown if _is_paid(line)]
    return Brief(shown[:MOST], len(shown[:MOST]) == len(lines))


def wraps(line: statements_pb2.Line) -> bool:
    """Whether the line changes others instead of paying for something."""
    return line.kind in WRAPPERS


def reached(line: statements_pb2.Line) -> str:
    """What the line has read, in words."""
    if line.metric == TENURE:
        if not line.value.denominator:
            return _("Day of hiring not known")
        return _("Month %(number)s of tenure", number=line.value.numerator)
    if line.kind == values_pb2.RULE_KIND_RANKING_PRIZE:
        return "" if _is_paid(line) else _("settled when the period is closed")
    if wraps(line) and not line.metric:
        return _("together %(amount)s", amount=written(line.value))
    share = fraction(line.value)
    return f"{written(line.value)} ({share})" if share else written(line.value)


def _is_paid(line: statements_pb2.Line) -> bool:
    return bool(line.amount.units or line.amount.nanos)

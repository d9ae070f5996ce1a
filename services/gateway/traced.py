"""A step of a trace with everything its sentence may need."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Final, NamedTuple

from foothold.incentives.v1 import statements_pb2, values_pb2

from services.gateway import formats
from services.gateway.figures import MINUTES, MONEY, RATE
from services.gateway.language import language

_SHARE_PLACES = 2
WRAPPERS: Final = frozenset(
    {
        *(values_pb2.RULE_KIND_GROUP, values_pb2.RULE_KIND_GATE, values_pb2.RULE_KIND_CAP),
        *(values_pb2.RULE_KIND_FLOOR, values_pb2.RULE_KIND_GUARANTEE, values_pb2.RULE_KIND_DRAW),
        *(values_pb2.RULE_KIND_RAMP, values_pb2.RULE_KIND_ACCELERATOR),
    }
)
"""Kinds of rule that change others instead of paying for something."""


class Told(NamedTuple):
    """One step; `labels` are those of the lines inside a wrapper, by rule."""

    operands: list[Fraction]
    result: Fraction
    subject: str
    before: int
    line: statements_pb2.Line
    labels: Mapping[str, str] = {}

    @property
    def money(self) -> str:
        """The result as an amount."""
        return self.amount(self.result)

    @property
    def wraps(self) -> bool:
        """Whether the line is a wrapper's."""
        return self.line.kind in WRAPPERS

    def amount(self, minor: Fraction) -> str:
        """Minor units as an amount."""
        return formats.money(minor, self.line.amount.currency_code or "CNY")


def plain(number: Fraction) -> str:
    """A number of the trace: whole as it is, otherwise with up to four decimals."""
    return formats.rounded(number, 0) if number.denominator == 1 else formats.rounded(number, 4).rstrip("0")


def share(number: Fraction) -> str:
    """A share as a percentage with as many decimals as it needs, at most two."""
    for places in (0, 1):
        if (number * 100 * 10**places).denominator == 1:
            return formats.percent(number, places)
    return formats.percent(number, _SHARE_PLACES)


def in_unit(number: Fraction, line: statements_pb2.Line) -> str:
    """A number in the unit of what the line reads."""
    unit = line.value.unit
    if unit == RATE:
        return formats.percent(number, 1 if (number * 1000).denominator == 1 else _SHARE_PLACES)
    if unit == MONEY:
        return formats.money(number, line.value.currency or "CNY")
    if unit == MINUTES:
        return formats.minutes(int(number), language())
    return plain(number)

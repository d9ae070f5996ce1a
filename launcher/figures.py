"""Exact values as text. The text may be rounded, once, half up, and then the exact fraction stands beside it."""

from fractions import Fraction
from typing import Any, Final

from foothold.goals.v1 import values_pb2

_PERCENT_DIGITS: Final = 2
_MINOR_DIGITS: Final = 2


def shown(value: Any) -> str:
    """A goals Value for people: `12`, `9.24 %`, `10005534.00 USD`, `95 min`, or `no data`."""
    if value.denominator == 0:
        return "no data"
    exact = Fraction(value.numerator, value.denominator)
    match value.unit:
        case values_pb2.UNIT_RATE:
            return f"{_decimal(exact * 100, _PERCENT_DIGITS)} %"
        case values_pb2.UNIT_MONEY:
            return f"{_decimal(exact / 100, _MINOR_DIGITS)} {value.currency}"
        case values_pb2.UNIT_MINUTES:
            return f"{_decimal(exact, 0)} min"
        case _:
            return _decimal(exact, 0)


def _decimal(number: Fraction, digits: int) -> str:
    """`number` with `digits` decimals, half up, trailing zeros kept."""
    scaled = abs(number) * 10**digits
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    text = str(whole).rjust(digits + 1, "0")
    sign = "-" if number < 0 and whole else ""
    return sign + (f"{text[:-digits]}.{text[-digits:]}" if digits else text)

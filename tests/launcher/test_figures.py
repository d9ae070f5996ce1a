"""Exact values as text: rounded once, half up, and never through a float."""

import pytest
from foothold.goals.v1 import values_pb2

from launcher.figures import shown

_RATE, _MONEY = values_pb2.UNIT_RATE, values_pb2.UNIT_MONEY


@pytest.mark.parametrize(
    ("unit", "numerator", "denominator", "text"),
    [
        (_RATE, 2, 20, "10.00 %"),
        (_RATE, 2, 3, "66.67 %"),
        (_RATE, 1, 800, "0.13 %"),
        (_RATE, 0, 5, "0.00 %"),
        (_RATE, 0, 0, "no data"),
        (_MONEY, 1_000_553_400, 1, "10005534.00 USD"),
        (_MONEY, 5, 1, "0.05 USD"),
        (_MONEY, 1_000, 3, "3.33 USD"),
        (_MONEY, 0, 0, "no data"),
        (values_pb2.UNIT_COUNT, 9_007_199_254_740_993, 1, "9007199254740993"),
        (values_pb2.UNIT_MINUTES, 95, 1, "95 min"),
    ],
)
def test_a_value_is_shown_exactly(
    unit: values_pb2.Unit.ValueType, numerator: int, denominator: int, text: str
) -> None:
    currency = "USD" if unit == _MONEY else ""
    value = values_pb2.Value(unit=unit, numerator=numerator, denominator=denominator, currency=currency)
    assert shown(value) == text

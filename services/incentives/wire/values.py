"""Dates, moments, periods, money and figures."""

from datetime import date, datetime
from functools import lru_cache
from typing import Final

from foothold.incentives.v1 import values_pb2
from google.protobuf.timestamp_pb2 import Timestamp
from google.type import date_pb2, money_pb2

from services.incentives.domain.drafts import DraftMoney, DraftValue
from services.incentives.domain.metrics import Figure, Unit
from services.incentives.domain.periods import Period

_MINOR: Final = 100
_NANOS: Final = 1_000_000_000
_NANOS_PER_MINOR: Final = _NANOS // _MINOR


def from_date(day: date) -> date_pb2.Date:
    return date_pb2.Date(year=day.year, month=day.month, day=day.day)


def to_date(message: date_pb2.Date) -> date | None:
    """None for what is no whole date."""
    try:
        return date(message.year, message.month, message.day)
    except (ValueError, OverflowError):
        return None


def from_instant(when: datetime | None) -> Timestamp | None:
    """A moment, where there is one."""
    if when is None:
        return None
    told = Timestamp()
    told.FromDatetime(when)
    return told


@lru_cache(maxsize=256)
def from_period(period: Period) -> values_pb2.Period:
    """The same message for the same period, for copying into others only."""
    return values_pb2.Period(
        kind=values_pb2.PeriodKind.ValueType(period.kind),
        first_day=from_date(period.first_day),
        end_day=from_date(period.end_day),
    )


def from_money(minor: int, currency: str) -> money_pb2.Money:
    """Minor units as units and nanos of one sign."""
    sign = -1 if minor < 0 else 1
    units, rest = divmod(abs(minor), _MINOR)
    return money_pb2.Money(currency_code=currency, units=sign * units, nanos=sign * rest * _NANOS_PER_MINOR)


def to_money(message: money_pb2.Money) -> DraftMoney:
    units, nanos = message.units, message.nanos
    sound = abs(nanos) < _NANOS and nanos % _NANOS_PER_MINOR == 0 and units * nanos >= 0
    # Exact: nanos is a multiple, also where it is negative.
    return DraftMoney(message.currency_code, units * _MINOR + nanos // _NANOS_PER_MINOR if sound else None)


def from_value(unit: Unit, figure: Figure, currency: str) -> values_pb2.Value:
    """A value of a unit; one without data is 0 over 0."""
    message = values_pb2.Value()
    write_value(message, unit, figure, currency)
    return message


def write_value(message: values_pb2.Value, unit: Unit, figure: Figure, currency: str) -> None:
    """The same into an empty message, for those who write many."""
    message.unit = values_pb2.Unit.ValueType(unit)
    if figure.denominator > 0:
        message.numerator, message.denominator = figure
    if unit is Unit.MONEY:
        message.currency = currency


def to_value(message: values_pb2.Value) -> DraftValue:
    return DraftValue(message.unit, message.numerator, message.denominator, message.currency)

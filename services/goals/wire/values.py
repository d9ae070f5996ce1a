"""Values, periods and dates."""

from datetime import UTC, date, datetime
from functools import lru_cache

from foothold.goals.v1 import values_pb2
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date

from services.goals.domain.periods import Period
from services.goals.domain.values import Unit, Value


def from_value(value: Value, currency: str) -> values_pb2.Value:
    """A value; `currency` is the enterprise's and told with money only."""
    return values_pb2.Value(
        unit=int(value.unit),  # type: ignore[arg-type]  # the enums have the same numbers
        numerator=value.numerator,
        denominator=value.denominator,
        currency=currency if value.unit is Unit.MONEY else "",
    )


@lru_cache(maxsize=4096)
def from_period(period: Period) -> values_pb2.Period:
    """A period with its days and its instants. Shared between callers: copied into messages, never changed."""
    return values_pb2.Period(
        kind=int(period.kind),  # type: ignore[arg-type]  # the enums have the same numbers
        first_day=from_date(period.first),
        end_day=from_date(period.end),
        time_zone=period.zone,
        start=from_instant(period.start),
        end=from_instant(period.stop),
    )


def from_date(day: date) -> Date:
    """A calendar day."""
    return Date(year=day.year, month=day.month, day=day.day)


def from_instant(instant: datetime) -> Timestamp:
    """An instant, to the microsecond."""
    message = Timestamp()
    message.FromDatetime(instant.astimezone(UTC))
    return message

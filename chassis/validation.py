"""Reads a request's fields and collects everything that is wrong with them, to be told at once.

    fields = Fields()
    name = fields.text("name", request.name, max_length=100)
    at = fields.instant("occurred_at", request.occurred_at)
    fields.require_valid()

Each reader answers a harmless value where the field is invalid, so that reading can go on to the end.
"""

import re
from collections.abc import Collection
from datetime import UTC, date, datetime
from functools import cache
from typing import Final, Protocol
from zoneinfo import available_timezones

from google.protobuf.timestamp_pb2 import Timestamp

from chassis.errors import InvalidArgument

EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)
SMALLEST_INT: Final = -(2**63)
LARGEST_INT: Final = 2**63 - 1
_NANOS: Final = 1_000_000_000
_IDENTIFIER: Final = re.compile(r"[a-z0-9-]{1,64}")
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
# Tabs and line ends may stand in a text; other control characters do not survive a log, a CSV or PostgreSQL.
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class DateMessage(Protocol):
    """A google.type.Date."""

    year: int
    month: int
    day: int


class Fields:
    """The violations found so far, by the field's path in the request, e.g. `facts[3].occurred_at`."""

    def __init__(self, *, path: str = "", _violations: dict[str, str] | None = None) -> None:
        self._path = path
        self.violations: dict[str, str] = {} if _violations is None else _violations

    def within(self, path: str) -> "Fields":
        """The same collection, for fields below `path`."""
        return Fields(path=f"{self._path}{path}.", _violations=self.violations)

    def refuse(self, name: str, why: str) -> None:
        """Note what is wrong with a field; the first word on a field stands."""
        self.violations.setdefault(f"{self._path}{name}", why)

    def require_valid(self) -> None:
        """INVALID_ARGUMENT FIELD_INVALID with every violation, if there is one."""
        if self.violations:
            raise InvalidArgument(
                "FIELD_INVALID", "the request has invalid fields", fields=dict(self.violations)
            )

    def text(self, name: str, value: str, *, max_length: int, required: bool = True) -> str:
        """A text of at most `max_length` characters without control characters; not blank if required."""
        if len(value) > max_length:
            self.refuse(name, f"must be at most {max_length} characters")
        elif _CONTROL.search(value):
            self.refuse(name, "must not contain control characters")
        elif required and not value.strip():
            self.refuse(name, "must not be empty")
        else:
            return value
        return ""

    def identifier(self, name: str, value: str, *, required: bool = True) -> str:
        """An id: 1 to 64 characters of a-z 0-9 -; may be empty if not required."""
        if _IDENTIFIER.fullmatch(value) or (not value and not required):
            return value
        self.refuse(name, "must be 1 to 64 characters of a-z 0-9 -")
        return ""

    def request_id(self, value: str, *, name: str = "request_id") -> str:
        """A request id: 1 to 64 characters of A-Z a-z 0-9 _ -."""
        if _REQUEST_ID.fullmatch(value):
            return value
        self.refuse(name, "must be 1 to 64 characters of A-Z a-z 0-9 _ -")
        return ""

    def instant(self, name: str, value: Timestamp) -> datetime:
        """An instant from 2000-01-01 until before 2100-01-01 UTC, to the microsecond."""
        low, high = int(EARLIEST.timestamp()), int(LATEST.timestamp())
        if low <= value.seconds < high and 0 <= value.nanos < _NANOS:
            return datetime.fromtimestamp(value.seconds, UTC).replace(microsecond=value.nanos // 1000)
        self.refuse(name, "must be an instant from 2000 to 2099")
        return EARLIEST

    def optional_instant(self, name: str, value: Timestamp, *, present: bool) -> datetime | None:
        """None where the field is absent (`present=request.HasField(name)`)."""
        return self.instant(name, value) if present else None

    def date(self, name: str, value: DateMessage) -> date:
        """A whole date, 2000-01-01 to 2099-12-31."""
        try:
            found = date(value.year, value.month, value.day)
        except (ValueError, OverflowError):
            found = date.min
        if EARLIEST.date() <= found < LATEST.date():
            return found
        self.refuse(name, "must be a date from 2000-01-01 to 2099-12-31")
        return EARLIEST.date()

    def integer(
        self, name: str, value: int, *, minimum: int = SMALLEST_INT, maximum: int = LARGEST_INT
    ) -> int:
        """An integer within bounds, both included."""
        if minimum <= value <= maximum:
            return value
        self.refuse(name, f"must be from {minimum} to {maximum}")
        return minimum

    def zone(self, name: str, value: str, *, required: bool = True) -> str:
        """An IANA time zone name, e.g. Asia/Shanghai."""
        if value in _zones() or (not value and not required):
            return value
        self.refuse(name, "must be an IANA time zone, such as Asia/Shanghai")
        return "UTC"

    def one_of(self, name: str, value: int, allowed: Collection[int]) -> int:
        """A value of an enum that this version knows; zero, which says nothing, is refused unless allowed."""
        if value in allowed:
            return value
        self.refuse(name, "must be one of the documented values")
        return 0

    def count(self, name: str, number: int, *, minimum: int = 1, maximum: int) -> int:
        """How many items a repeated field holds."""
        if not minimum <= number <= maximum:
            self.refuse(name, f"must hold {minimum} to {maximum} items")
        return number

    def page_size(self, value: int, *, default: int = 50, maximum: int = 1000) -> int:
        """A page's size: 0 means `default`, more than `maximum` is read as `maximum` (google.aip.dev/158)."""
        if value < 0:
            self.refuse("page_size", "must not be negative")
        return min(value, maximum) if value > 0 else default


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())

"""How something came to be, read from the services' answers to what was known then."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from google.protobuf.timestamp_pb2 import Timestamp

from chassis.errors import NotFound
from services.gateway.me import me

Version = TypeVar("Version")
LONGEST: Final = 16
"""How many digits a moment in microseconds has at most."""


def versions(
    read: Callable[[Timestamp | None], Version],
    recorded: Callable[[Version], Timestamp],
    *,
    known: Timestamp | None,
    most: int,
) -> list[Version]:
    """What stood when `known` (None for now), what stood just before that was recorded, and so on; at most `most`.

    `read` answers what was known at a moment, and NotFound where nothing was.
    """
    found: list[Version] = []
    while len(found) < most:
        try:
            found.append(read(known))
        except NotFound:
            break
        known = just_before(recorded(found[-1]))
    return found


def just_before(moment: Timestamp) -> Timestamp:
    """The last moment at which something recorded at `moment` was not known yet."""
    return at(moment.ToMicroseconds() - 1)


def at(microseconds: int) -> Timestamp:
    """A moment by its microseconds since 1970."""
    made = Timestamp()
    made.FromMicroseconds(microseconds)
    return made


def moment_in(text: str) -> Timestamp | None:
    """A moment as a form or an address carries it; None where there is none."""
    if text.isascii() and text.isdigit() and len(text) <= LONGEST:
        return at(int(text))
    return None


def end_of(day: date) -> Timestamp:
    """The last moment of a day where the reader is."""
    end = datetime.combine(day + timedelta(days=1), time(), ZoneInfo(me().zone))
    made = Timestamp()
    made.FromDatetime(end.astimezone(UTC) - timedelta(microseconds=1))
    return made

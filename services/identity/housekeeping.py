"""What identity clears away besides old answers: sessions a week after they expired, attempts after a day."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy import Connection

from chassis.clock import Clock
from chassis.housekeeping import Work
from services.identity.store import AccountStore

_SESSIONS_KEPT: Final = timedelta(days=7)
_ATTEMPTS_KEPT: Final = timedelta(days=1)
_PIECE: Final = 10_000


def chores(clock: Clock) -> Sequence[Work]:
    """The works for `chassis.housekeeping`."""

    def sessions(connection: Connection) -> int:
        return AccountStore(connection).forget_sessions(clock.now() - _SESSIONS_KEPT, _PIECE)

    def attempts(connection: Connection) -> int:
        return AccountStore(connection).forget_attempts(clock.now() - _ATTEMPTS_KEPT, _PIECE)

    return (sessions, attempts)

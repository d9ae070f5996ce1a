"""Slowing down those who guess passwords.

Attempts are counted before the password is looked at, per sign-in name and per address, so that many
guesses at once count like many guesses in a row. The right password clears the name's count.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

NAME_FREE: Final = 5
"""Attempts on one name before it slows down; a person mistypes a few times."""
ADDRESS_FREE: Final = 100
"""Attempts from one address: a whole office may stand behind one."""
_LONGEST: Final = timedelta(minutes=5)
_FORGOTTEN: Final = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Attempts:
    """Attempts that were not followed by success, and when the last one was let through."""

    count: int
    last_at: datetime


def wait(attempts: Attempts | None, free: int, now: datetime) -> timedelta:
    """How long the next attempt has to wait; zero or less when it may be made now.

    After the free ones, 1 s, then doubling up to 5 minutes. Half an hour of quiet forgets everything.
    """
    if attempts is None or attempts.count < free or now - attempts.last_at >= _FORGOTTEN:
        return timedelta(0)
    pause = min(timedelta(seconds=2 ** min(attempts.count - free, 16)), _LONGEST)
    return attempts.last_at + pause - now


def attempted(attempts: Attempts | None, now: datetime) -> Attempts:
    """With one attempt more."""
    if attempts is None or now - attempts.last_at >= _FORGOTTEN:
        return Attempts(1, now)
    return Attempts(attempts.count + 1, now)

"""Sessions and their refresh tokens."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final

REUSE_GRACE: Final = timedelta(seconds=10)
"""How long a used refresh token still answers with the one that replaced it: two tabs, or two gateways, at once."""


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in person. It ends at `expires_at` at the latest, however often it is refreshed."""

    id: str
    person_id: str
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A refresh token as stored: its hash is the key, the token itself is known to its holder only."""

    session: Session
    used_at: datetime | None


class Verdict(Enum):
    """What a refresh token that was sent means."""

    GOOD = auto()
    AGAIN = auto()
    ENDED = auto()
    STOLEN = auto()


def judge(token: RefreshToken | None, *, works_here: bool, now: datetime) -> Verdict:
    """What to do about the token.

    AGAIN is a second use within the grace: the answer is the token that the first use was answered with. STOLEN,
    a later one, ends the session: a token used twice is in two hands, and nobody can tell whose are the thief's.
    """
    if token is None or token.session.ended_at is not None or token.session.expires_at <= now:
        return Verdict.ENDED
    if token.used_at is not None and now - token.used_at > REUSE_GRACE:
        return Verdict.STOLEN
    if not works_here:
        return Verdict.ENDED
    return Verdict.GOOD if token.used_at is None else Verdict.AGAIN

"""Sessions and their refresh tokens."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto


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
    ENDED = auto()
    STOLEN = auto()


def judge(token: RefreshToken | None, *, works_here: bool, now: datetime) -> Verdict:
    """What to do about the token.

    STOLEN ends its session: a token used twice is in two hands, and nobody can tell whose are the thief's.
    """
    if token is None or token.session.ended_at is not None or token.session.expires_at <= now:
        return Verdict.ENDED
    if token.used_at is not None:
        return Verdict.STOLEN
    return Verdict.GOOD if works_here else Verdict.ENDED

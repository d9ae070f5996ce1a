"""The signed-in person's tokens, kept in the person's own browser: an encrypted, HttpOnly cookie.

The gateway stores nothing. Access tokens are short-lived; shortly before one expires the refresh token is
exchanged, once: pages that ask at the same moment wait for the same exchange. Another gateway process may exchange the
same token meanwhile: within a few seconds identity answers both with the same, later it ends the session.
"""

import base64
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import orjson
from cryptography.fernet import Fernet, InvalidToken

from access.tokens import TokenVerifier
from chassis.clock import Clock

_LONGEST_COOKIE: Final = 4096
_AHEAD: Final = timedelta(seconds=60)
_KEPT: Final = 20_000


@dataclass(frozen=True, slots=True)
class Session:
    """The tokens of one session, and whose it is."""

    access: str
    access_until: datetime
    refresh: str
    refresh_until: datetime
    person_id: str
    session_id: str


class Sessions:
    """Seals sessions into cookies, opens them again, and keeps their access tokens fresh.

    `exchange` trades a refresh token for a new session and raises `chassis.errors.Failure` when it cannot.
    """

    def __init__(
        self, secret: str, *, verifier: TokenVerifier, exchange: Callable[[str], Session], clock: Clock
    ) -> None:
        self._box = Fernet(base64.urlsafe_b64encode(hashlib.sha256(secret.encode()).digest()))
        self._verifier = verifier
        self._exchange = exchange
        self._clock = clock
        self._guard = threading.Lock()
        self._locks: dict[bytes, tuple[threading.Lock, int]] = {}
        self._exchanged: OrderedDict[bytes, Session] = OrderedDict()

    def begin(self, access: str, access_until: datetime, refresh: str, refresh_until: datetime) -> Session:
        """The session that new tokens stand for. TokenRefused when the access token is not ours."""
        claims = self._verifier.verify(access)
        return Session(access, access_until, refresh, refresh_until, claims.subject, claims.session_id)

    def seal(self, session: Session) -> str:
        """The cookie's value."""
        return self._box.encrypt(
            orjson.dumps(
                [
                    session.access,
                    int(session.access_until.timestamp()),
                    session.refresh,
                    int(session.refresh_until.timestamp()),
                    session.person_id,
                    session.session_id,
                ]
            )
        ).decode()

    def open(self, cookie: str | None) -> Session | None:
        """The session in a cookie; None when there is none, it is not ours, or it is over."""
        if not cookie or len(cookie) > _LONGEST_COOKIE:
            return None
        try:
            access, access_until, refresh, refresh_until, person_id, session_id = orjson.loads(
                self._box.decrypt(cookie.encode())
            )
        except (InvalidToken, ValueError, TypeError):
            return None
        zone = self._clock.now().tzinfo
        session = Session(
            access,
            datetime.fromtimestamp(access_until, zone),
            refresh,
            datetime.fromtimestamp(refresh_until, zone),
            person_id,
            session_id,
        )
        return session if session.refresh_until > self._clock.now() else None

    def fresh(self, session: Session) -> Session:
        """The session with an access token that works, as new as identity makes them where it was about to expire.

        Failure from `exchange`, e.g. Unauthenticated REFRESH_TOKEN_INVALID or Unavailable.
        """
        while session.access_until - _AHEAD <= self._clock.now():
            key = hashlib.sha256(session.refresh.encode()).digest()
            with self._one_at_a_time(key):
                kept = self._exchanged.get(key)
                if kept is None:
                    newest = self._exchanged[key] = self._exchange(session.refresh)
                    while len(self._exchanged) > _KEPT:
                        self._exchanged.popitem(last=False)
                    # As it is: where tokens live for a minute only, even a new one is about to expire.
                    return newest
            session = kept
        return session

    def _one_at_a_time(self, key: bytes) -> "_Held":
        return _Held(self._guard, self._locks, key)


class _Held:
    """Holds the lock of one key; the lock is forgotten with its last holder."""

    def __init__(
        self, guard: threading.Lock, locks: dict[bytes, tuple[threading.Lock, int]], key: bytes
    ) -> None:
        self._guard, self._locks, self._key = guard, locks, key

    def __enter__(self) -> None:
        with self._guard:
            lock, holders = self._locks.get(self._key, (threading.Lock(), 0))
            self._locks[self._key] = (lock, holders + 1)
        lock.acquire()

    def __exit__(self, *exception: object) -> None:
        with self._guard:
            lock, holders = self._locks[self._key]
            if holders == 1:
                del self._locks[self._key]
            else:
                self._locks[self._key] = (lock, holders - 1)
        lock.release()

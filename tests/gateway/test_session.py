"""Access tokens are renewed once, whoever asks at the same moment."""

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from access.tokens import TokenIssuer, TokenVerifier, generate_keys, load_private, load_public
from chassis.clock import FixedClock
from chassis.errors import Unauthenticated
from services.gateway.session import Session, Sessions

_NOW: Final = datetime(2026, 11, 23, 8, tzinfo=UTC)


class _Identity:
    """Exchanges each refresh token once, as identity does: a second use is an error."""

    def __init__(self, issuer: TokenIssuer, clock: FixedClock) -> None:
        self._issuer, self._clock = issuer, clock
        self.used: list[str] = []
        self.sessions: Sessions | None = None

    def exchange(self, refresh: str) -> Session:
        time.sleep(0.05)
        if refresh in self.used:
            raise Unauthenticated("REFRESH_TOKEN_INVALID", "used before")
        self.used.append(refresh)
        return self.make(f"refresh-{len(self.used)}")

    def make(self, refresh: str) -> Session:
        assert self.sessions
        access, until = self._issuer.person("p1", session_id="s1", lifetime=timedelta(minutes=10))
        return self.sessions.begin(access, until, refresh, self._clock.now() + timedelta(days=7))


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(_NOW)


@pytest.fixture
def identity(clock: FixedClock) -> _Identity:
    private, public = generate_keys()
    identity = _Identity(TokenIssuer(load_private(private), clock=clock), clock)
    verifier = TokenVerifier(load_public(public), clock=clock)
    identity.sessions = Sessions("secret", verifier=verifier, exchange=identity.exchange, clock=clock)
    return identity


def test_a_sealed_session_opens_to_the_same(identity: _Identity) -> None:
    assert identity.sessions
    session = identity.make("r")
    assert identity.sessions.open(identity.sessions.seal(session)) == session


def test_parallel_requests_with_the_same_cookie_exchange_its_token_once(
    identity: _Identity, clock: FixedClock
) -> None:
    sessions = identity.sessions
    assert sessions
    session = identity.make("r")
    clock.set(_NOW + timedelta(minutes=9, seconds=30))
    found: list[Session] = []
    threads = [
        threading.Thread(target=lambda: found.append(sessions.fresh(session)), daemon=True) for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 20
    assert len(set(found)) == 1
    assert identity.used == ["r"]


def test_a_browser_that_missed_the_new_cookie_is_carried_along(
    identity: _Identity, clock: FixedClock
) -> None:
    assert identity.sessions
    session = identity.make("r")
    for minutes in (10, 20, 30):
        clock.set(_NOW + timedelta(minutes=minutes))
        fresh = identity.sessions.fresh(session)
        assert fresh.access_until > clock.now()
    assert len(identity.used) == len(set(identity.used)) == 3


def test_a_session_over_its_end_is_none(identity: _Identity, clock: FixedClock) -> None:
    assert identity.sessions
    cookie = identity.sessions.seal(identity.make("r"))
    clock.set(_NOW + timedelta(days=8))
    assert identity.sessions.open(cookie) is None

"""Tokens from identity, and sessions made of them."""

from datetime import UTC

from foothold.identity.v1 import sessions_pb2

from services.gateway.clients import Clients, as_caller, ask
from services.gateway.session import Session, Sessions


def session_of(sessions: Sessions, tokens: sessions_pb2.Tokens) -> Session:
    """The session that identity's tokens stand for."""
    return sessions.begin(
        tokens.access_token,
        tokens.access_expires_at.ToDatetime(UTC),
        tokens.refresh_token,
        tokens.refresh_expires_at.ToDatetime(UTC),
    )


def exchange(clients: Clients, sessions: Sessions, refresh: str) -> Session:
    """New tokens for a refresh token. Failure when identity refuses or cannot be reached."""
    with as_caller(""):
        answer = ask(
            clients.sessions.RefreshSession, sessions_pb2.RefreshSessionRequest(refresh_token=refresh)
        )
    return session_of(sessions, answer.tokens)

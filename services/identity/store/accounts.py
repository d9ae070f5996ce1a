"""Accounts, sessions, and attempts to sign in. These belong to nobody's scope: the caller proves who it is."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, select, text
from sqlalchemy.dialects.postgresql import insert

from services.identity.domain.people import Person, PersonStatus
from services.identity.domain.sessions import RefreshToken, Session
from services.identity.domain.throttle import Attempts
from services.identity.store.people import people_query, person_of
from services.identity.tables import account, attempt, directory_person, refresh_token, session


@dataclass(frozen=True, slots=True)
class FoundAccount:
    """An account; `password_hash` is None for those who cannot sign in with a password."""

    person_id: str
    login: str
    password_hash: str | None
    works_here: bool


def digest(secret: str) -> bytes:
    """What is kept of a value that must not be kept itself."""
    return hashlib.sha256(secret.encode()).digest()


class AccountStore:
    """Accounts and sessions by what their holder knows: sign-in name, refresh token, session id."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def by_login(self, login: str) -> FoundAccount | None:
        return self._find(account.c.login == login)

    def by_person(self, person_id: str) -> FoundAccount | None:
        return self._find(account.c.person_id == person_id)

    def _find(self, clause: ColumnElement[bool]) -> FoundAccount | None:
        status = directory_person.c.status
        query = (
            select(account.c.person_id, account.c.login, account.c.password_hash, status)
            .join_from(account, directory_person, directory_person.c.id == account.c.person_id)
            .where(clause)
        )
        row = self._connection.execute(query).one_or_none()
        if row is None:
            return None
        works_here = row.status == int(PersonStatus.ACTIVE)
        return FoundAccount(row.person_id, row.login or "", row.password_hash, works_here)

    def person(self, person_id: str) -> Person | None:
        """The account's holder."""
        query = people_query().where(directory_person.c.id == person_id)
        row = self._connection.execute(query).one_or_none()
        return person_of(row) if row else None

    def set_password(self, person_id: str, password_hash: str, now: datetime) -> None:
        self._connection.execute(
            account.update()
            .where(account.c.person_id == person_id)
            .values(password_hash=password_hash, password_changed_at=now)
        )

    def replace_hash(self, found: FoundAccount, password_hash: str) -> None:
        """The same password with today's parameters, unless it was changed meanwhile."""
        self._connection.execute(
            account.update()
            .where(account.c.person_id == found.person_id, account.c.password_hash == found.password_hash)
            .values(password_hash=password_hash)
        )

    # Attempts.

    def hold_attempts(self, keys: Sequence[str]) -> dict[str, Attempts]:
        """Attempts by key, held until the transaction ends so that simultaneous ones are counted one by one."""
        held = {}
        for key in sorted(keys, key=digest):
            new = insert(attempt).values(key=digest(key), tries=0, last_at=text("'epoch'"))
            # An update that changes nothing: it holds the row, and sees it also where it was just removed.
            kept = new.on_conflict_do_update(index_elements=["key"], set_={"tries": attempt.c.tries})
            row = self._connection.execute(kept.returning(attempt.c.tries, attempt.c.last_at)).one()
            held[key] = Attempts(row.tries, row.last_at)
        return held

    def set_attempts(self, key: str, attempts: Attempts) -> None:
        self._connection.execute(
            attempt.update()
            .where(attempt.c.key == digest(key))
            .values(tries=attempts.count, last_at=attempts.last_at)
        )

    def succeed(self, *, clear: str, take_back: str) -> None:
        """Forget one key's attempts, and take one back from another that many people share.

        In the order in which `hold_attempts` takes them, or two sign-ins at once could wait for each other.
        """
        for key in sorted((clear, take_back), key=digest):
            if key == clear:
                self.clear_attempts(key)
            else:
                fewer = attempt.update().where(attempt.c.key == digest(key), attempt.c.tries > 0)
                self._connection.execute(fewer.values(tries=attempt.c.tries - 1))

    def clear_attempts(self, key: str) -> None:
        self._connection.execute(attempt.delete().where(attempt.c.key == digest(key)))

    def forget_attempts(self, before: datetime, limit: int) -> int:
        """Remove at most `limit` of what was counted before an instant, but what somebody holds; how many."""
        old = select(attempt.c.key).where(attempt.c.last_at < before).limit(limit)
        keys = old.with_for_update(skip_locked=True)
        return self._connection.execute(attempt.delete().where(attempt.c.key.in_(keys))).rowcount

    # Sessions.

    def open_session(self, new: Session, token: str) -> None:
        self._connection.execute(
            session.insert(),
            {
                "id": new.id,
                "person_id": new.person_id,
                "created_at": new.created_at,
                "expires_at": new.expires_at,
            },
        )
        self.add_token(new.id, token)

    def add_token(self, session_id: str, token: str) -> None:
        """Let a refresh token work; one that is there already stays as it is."""
        new = insert(refresh_token).values(hash=digest(token), session_id=session_id)
        self._connection.execute(new.on_conflict_do_nothing())

    def hold_token(self, token: str) -> RefreshToken | None:
        """The refresh token, held until the transaction ends so that two uses come one after the other."""
        query = (
            select(session, refresh_token.c.used_at)
            .join_from(refresh_token, session, session.c.id == refresh_token.c.session_id)
            .where(refresh_token.c.hash == digest(token))
            .with_for_update()
        )
        row = self._connection.execute(query).one_or_none()
        if row is None:
            return None
        found = Session(row.id, row.person_id, row.created_at, row.expires_at, row.ended_at)
        return RefreshToken(found, row.used_at)

    def use_token(self, token: str, now: datetime) -> None:
        self._connection.execute(
            refresh_token.update().where(refresh_token.c.hash == digest(token)).values(used_at=now)
        )

    def end_sessions(
        self, person_id: str, now: datetime, *, only: str | None = None, but: str | None = None
    ) -> list[str]:
        """End the person's open sessions, or only one, or all but one; the ids of those that ended."""
        query = session.update().where(
            session.c.person_id == person_id, session.c.ended_at.is_(None), session.c.expires_at > now
        )
        if only is not None:
            query = query.where(session.c.id == only)
        if but is not None:
            query = query.where(session.c.id != but)
        return list(self._connection.execute(query.values(ended_at=now).returning(session.c.id)).scalars())

    def forget_sessions(self, before: datetime, limit: int) -> int:
        """Remove at most `limit` sessions that expired before an instant, with their refresh tokens; how many."""
        old = select(session.c.id).where(session.c.expires_at < before).limit(limit)
        ids = old.with_for_update(skip_locked=True)
        return self._connection.execute(session.delete().where(session.c.id.in_(ids))).rowcount

"""Commands that can be sent twice.

The first answer is kept in the transaction of its effect, and given again to the same caller for the same
request_id. A second sending that arrives while the first is at work waits for it.
"""

import hashlib
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, TypeVar

from google.protobuf.message import Message
from sqlalchemy import Connection, text

from chassis.errors import FailedPrecondition, InvalidArgument
from chassis.migrations import Operations

R = TypeVar("R", bound=Message)

KEPT: Final = timedelta(days=30)
"""How long an answer can be asked for again; part of the contract (ErrorReason REQUEST_ID_REUSED)."""

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
# Waits for a transaction that is inserting the same key, then finds it there (or gone, if it rolled back).
_CLAIM: Final = text("""
INSERT INTO requests (caller, method, request_id, digest) VALUES (:caller, :method, :request_id, :digest)
ON CONFLICT DO NOTHING
""")
_ANSWERED: Final = text("""
SELECT digest, response FROM requests
WHERE caller = :caller AND method = :method AND request_id = :request_id
""")
_KEEP: Final = text("""
UPDATE requests SET response = :response
WHERE caller = :caller AND method = :method AND request_id = :request_id
""")
_NOW: Final = text("SELECT now()")
_FORGET: Final = text("""
DELETE FROM requests WHERE ctid IN (
    SELECT ctid FROM requests WHERE created_at < :before LIMIT :limit FOR UPDATE SKIP LOCKED
)
""")


def create_requests(op: Operations) -> None:
    """Make the table of answered commands, in a migration."""
    op.execute("""
        CREATE TABLE requests (
            caller text NOT NULL,
            method text NOT NULL,
            request_id text NOT NULL,
            digest bytea NOT NULL,
            response bytea,
            created_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (caller, method, request_id)
        ) WITH (fillfactor = 80)
    """)
    op.execute("CREATE INDEX requests_age ON requests USING brin (created_at)")


def answer_once(
    connection: Connection,
    *,
    caller: str,
    method: str,
    request: Message,
    response: type[R],
    produce: Callable[[], R],
) -> R:
    """What `produce` answered the first time this caller sent this request to this method.

    `request` has a string field `request_id` of 1 to 64 characters A-Z a-z 0-9 _ - (else INVALID_ARGUMENT
    FIELD_INVALID); the same id with another content is FAILED_PRECONDITION REQUEST_ID_REUSED. A `produce`
    that raises leaves nothing behind: the transaction, the claim included, must roll back.
    """
    request_id: str = getattr(request, "request_id")  # noqa: B009  every command has it; Message cannot say so
    if not _REQUEST_ID.fullmatch(request_id):
        raise InvalidArgument(
            "FIELD_INVALID",
            "the request has invalid fields",
            fields={"request_id": "must be 1 to 64 characters of A-Z a-z 0-9 _ -"},
        )
    key = {"caller": caller, "method": method, "request_id": request_id}
    digest = hashlib.sha256(request.SerializeToString(deterministic=True)).digest()
    if connection.execute(_CLAIM, {**key, "digest": digest}).rowcount:
        answer = produce()
        connection.execute(_KEEP, {**key, "response": answer.SerializeToString()})
        return answer
    known, stored = connection.execute(_ANSWERED, key).one()
    if known != digest:
        raise FailedPrecondition(
            "REQUEST_ID_REUSED",
            "this request_id was used with another payload",
            metadata={"request_id": request_id},
        )
    return response.FromString(stored)


def forget_requests(connection: Connection, *, before: datetime, limit: int = 10_000) -> int:
    """Remove at most `limit` answers given before `before`; how many. Their ids may then be used again."""
    return connection.execute(_FORGET, {"before": before, "limit": limit}).rowcount


def forget_old_requests(connection: Connection) -> int:
    """Remove a piece of the answers older than `KEPT`; how many. A work of `chassis.housekeeping`."""
    # By the database's clock, as `created_at` is.
    now: datetime = connection.execute(_NOW).scalar_one()
    return forget_requests(connection, before=now - KEPT)

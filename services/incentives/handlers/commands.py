"""What commands have in common: answered once, and some of them only by a second person."""

from collections.abc import Callable, Collection
from typing import Final, TypeVar

from google.protobuf.message import Message
from sqlalchemy import Connection

from access import PLATFORM, Scope
from chassis.database import Database
from chassis.errors import FailedPrecondition
from chassis.idempotency import answer_once

R = TypeVar("R", bound=Message)
_PACKAGE: Final = "/foothold.incentives.v1"


def once(
    database: Database,
    scope: Scope,
    rpc: str,
    request: Message,
    response: type[R],
    produce: Callable[[Connection], R],
) -> R:
    """What `produce` answered the first time this caller sent this request, in a transaction of its own.

    `rpc` is named as in "PlansService/CreatePlan".
    """
    with database.begin() as connection:
        return answer_once(
            connection,
            caller=scope.caller.id,
            method=f"{_PACKAGE}.{rpc}",
            request=request,
            response=response,
            produce=lambda: produce(connection),
        )


def require_second(scope: Scope, before: Collection[str], message: str) -> None:
    """Pass when none of those who took the step `before` is the caller; SECOND_PERSON_NEEDED otherwise.

    The operator passes: whoever holds the signing key could sign as a second person just as well.
    """
    who = scope.caller
    if who.id in before and PLATFORM not in who.directory.granted_at(who.id, scope.permission):
        raise FailedPrecondition("SECOND_PERSON_NEEDED", message)

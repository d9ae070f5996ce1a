"""What every handler works at: the database, the directory in memory, the clock; and how a command is run."""

from collections.abc import Callable
from typing import TypeVar

import grpc
from google.protobuf.message import Message
from sqlalchemy import Connection

from access import Caller, Directory, Replica, caller
from chassis.clock import Clock
from chassis.database import Database
from chassis.errors import Aborted
from chassis.feed import publish
from chassis.idempotency import answer_once
from services.identity import wire
from services.identity.handlers.refusing import refusals
from services.identity.store import Ledger, feed_position

R = TypeVar("R", bound=Message)
_POSITION = "feed_position"


class Desk:
    """Shared by the servicers."""

    def __init__(self, database: Database, replica: Replica, clock: Clock) -> None:
        self.database = database
        self.replica = replica
        self.clock = clock

    @property
    def directory(self) -> Directory:
        return self.replica.directory

    def answer(
        self,
        context: grpc.ServicerContext,
        request: Message,
        response: type[R],
        work: Callable[[Connection, Ledger, Caller], R],
        *,
        within: str = "",
    ) -> R:
        """Run a command of the directory once: one transaction, and its first answer for every repetition.

        `work` runs alone: nobody else changes the directory, and the one in memory is up to date, so that
        what the caller may do is judged by what is, not by what was a moment ago. Where the domain names a
        field, it lies `within` that path of the request.
        """
        who = caller(context)

        def produce() -> R:
            ledger = Ledger(connection)
            self.replica.refresh_from(connection)
            with refusals(within):
                answer = work(connection, ledger, who)
            ledger.write()
            publish(connection, [wire.to_new_event(event) for event in ledger.told])
            return answer

        with self.database.begin() as connection:
            answer = answer_once(
                connection,
                caller=f"{who.kind.value} {who.id}",
                method=type(request).__name__,
                request=request,
                response=response,
                produce=produce,
            )
        self.replica.refresh()
        if _POSITION in answer.DESCRIPTOR.fields_by_name:
            with self.database.read() as connection:
                setattr(answer, _POSITION, feed_position(connection))
        return answer


def require_etag(sent: str, revision: int) -> None:
    """ABORTED ETAG_MISMATCH when an etag was sent and is not the stored one."""
    if sent and sent != str(revision):
        raise Aborted("ETAG_MISMATCH", "somebody changed it since you read it; read it again, then decide")

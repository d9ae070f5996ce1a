"""What goals does with identity's events: it knows people and rights by them, and keeps every local day right.

A person's figures are kept by local day. When the zone in force for somebody changes, that person's days are
reckoned anew in the transaction that applies the event, alone with the ledger. Whose probation runs from when to when
and who stands where is noted each time it changes, so that a past page shows what it was taken for then.
"""

from collections.abc import Sequence
from typing import Protocol

import grpc
from foothold.identity.v1 import feed_pb2
from sqlalchemy import Connection

from access import Directory, Replica, follow_identity
from chassis.clock import Clock
from chassis.database import Database
from chassis.feed import Follower
from services.goals.store import placements, probations
from services.goals.store.library import LibraryCache
from services.goals.store.recording import gate_key
from services.goals.store.rezoning import rezone


class FollowedFeed(Protocol):
    """How far a feed has been followed."""

    name: str

    @property
    def position(self) -> int: ...

    @property
    def head(self) -> int: ...


class Following:
    """The replica of identity's directory, and the follower that feeds it."""

    def __init__(
        self, database: Database, channel: grpc.Channel, library: LibraryCache, clock: Clock
    ) -> None:
        self._key = gate_key(database.schema)
        self._library = library
        self._clock = clock
        self.replica = Replica(database, on_change=self._changed)
        self.follower: Follower[feed_pb2.Event] = follow_identity(
            self.replica, database=database, channel=channel
        )

    @property
    def directory(self) -> Directory:
        """The directory in memory."""
        return self.replica.directory

    def _changed(self, connection: Connection, events: Sequence[feed_pb2.Event]) -> None:
        people = {event.person_changed.id for event in events} - {""}
        now = self._clock.now()
        probations.note(connection, people, now)
        # People move and nodes change; nothing else can change where anybody stands, or a zone in force.
        nodes = {event.node_changed.id for event in events} - {""} | people
        placements.note(connection, nodes, now)
        if nodes:
            rezone(
                connection,
                self._key,
                self._library,
                nodes=nodes,
                before=self.directory,
                position=events[-1].position,
            )

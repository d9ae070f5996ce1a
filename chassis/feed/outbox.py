"""Events written in the transaction that makes the change, and read back in a dense order.

A row of `outbox` has no position until its transaction has committed and the sequencer has seen it; from
then on positions are 1, 2, 3, ... without a gap. `outbox_head` keeps the last one given (and how far old
events were thinned out, see `compaction`), so that positions go on where they stopped.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection, text

from chassis.arrays import texts
from chassis.database import publishes
from chassis.errors import OutOfRange
from chassis.migrations import Operations


class NewEvent(NamedTuple):
    """An event to publish. Events about one `subject` keep their order; `payload` is at most 1 MiB."""

    kind: str
    subject: str
    payload: bytes


class StoredEvent(NamedTuple):
    """A published event. `position` counts from 1 without gaps; `occurred_at` is its transaction's start."""

    position: int
    kind: str
    subject: str
    payload: bytes
    occurred_at: datetime


class Extent(NamedTuple):
    """What a feed holds: the positions after `floor` up to and including `head`, and what compaction left before."""

    floor: int
    head: int


_PUBLISH: Final = """
INSERT INTO outbox (kind, subject, payload)
SELECT kind, subject, payload
FROM unnest(%(kinds)s::text[], %(subjects)s::text[], %(payloads)b::bytea[])
     WITH ORDINALITY AS event (kind, subject, payload, ordinal)
ORDER BY ordinal
"""
_READ: Final = text("""
SELECT position, kind, subject, payload, occurred_at
FROM outbox WHERE position > :after ORDER BY position LIMIT :limit
""")
_EXTENT: Final = text("SELECT floor, position FROM outbox_head")


def create_outbox(op: Operations) -> None:
    """Make the tables of a feed, in a migration."""
    op.execute("""
        CREATE TABLE outbox (
            id bigserial PRIMARY KEY,
            position bigint UNIQUE,
            kind text NOT NULL,
            subject text NOT NULL,
            payload bytea NOT NULL,
            occurred_at timestamptz NOT NULL DEFAULT now()
        ) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.05)
    """)
    op.execute("CREATE INDEX outbox_unsequenced ON outbox (id) WHERE position IS NULL")
    op.execute("""
        CREATE TABLE outbox_head (
            singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
            position bigint NOT NULL,
            floor bigint NOT NULL DEFAULT 0 CHECK (floor BETWEEN 0 AND position)
        )
    """)
    op.execute("INSERT INTO outbox_head (position) VALUES (0)")


def publish(connection: Connection, events: Sequence[NewEvent]) -> None:
    """Write events in the caller's transaction, in this order; none are seen unless it commits.

    Publish after taking the row locks of the subjects: what serialises the changes then orders the events.
    """
    if not events:
        return
    connection.exec_driver_sql(
        _PUBLISH,
        {
            "kinds": texts([event.kind for event in events]),
            "subjects": texts([event.subject for event in events]),
            "payloads": [event.payload for event in events],
        },
    )
    publishes(connection)


def read_events(connection: Connection, *, after: int, limit: int) -> list[StoredEvent]:
    """At most `limit` events with positions above `after`, in order."""
    rows = connection.execute(_READ, {"after": after, "limit": limit})
    return [StoredEvent(*row) for row in rows]


def read_extent(connection: Connection) -> Extent:
    """Which positions the feed holds now."""
    floor, head = connection.execute(_EXTENT).one()
    return Extent(floor, head)


def require_within(extent: Extent, after: int, *, compacted: bool = False) -> None:
    """Refuse a reader that would silently miss events.

    OUT_OF_RANGE FEED_POSITION_EXPIRED where events after `after` were removed, unless the newest of each state
    will do (`compacted`), and FEED_POSITION_UNKNOWN where that position was never given: the reader knows a
    future this feed, restored from a backup, lost.
    """
    if after < extent.floor and not compacted:
        raise OutOfRange(
            "FEED_POSITION_EXPIRED",
            f"up to position {extent.floor} only the newest event of each state is kept; ask with `compacted`",
            metadata={"floor": str(extent.floor), "head": str(extent.head)},
        )
    if after > extent.head:
        raise OutOfRange(
            "FEED_POSITION_UNKNOWN",
            f"position {after} was never given; the last one is {extent.head}",
            metadata={"floor": str(extent.floor), "head": str(extent.head)},
        )

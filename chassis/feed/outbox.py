"""Events written in the transaction that makes the change, and read back in a dense order.

What one `publish` writes is a batch: a row of `outbox_batch` and its events in `outbox_event`. A batch has no
position until its transaction has committed and the sequencer has seen it; from then on its events stand at
`first_position + ordinal`, and positions are 1, 2, 3, ... without a gap. `outbox_head` keeps the last one given
(and how far old events were thinned out, see `compaction`), so that positions go on where they stopped.
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
WITH batch AS (
    INSERT INTO outbox_batch (size) VALUES (%(size)s) RETURNING id
)
INSERT INTO outbox_event (batch_id, ordinal, kind, subject, payload)
SELECT batch.id, event.ordinal - 1, event.kind, event.subject, event.payload
FROM batch, unnest(%(kinds)s::text[], %(subjects)s::text[], %(payloads)b::bytea[])
     WITH ORDINALITY AS event (kind, subject, payload, ordinal)
ORDER BY event.ordinal
"""
# From the batch that holds `after` on, as many batches as hold `limit` events after it: of a batch of many no more
# events are looked at than are asked for, and of many small ones no more batches.
_READ: Final = text("""
SELECT batch.first_position + event.ordinal AS position, event.kind, event.subject, event.payload,
       event.occurred_at
FROM (
    SELECT id, first_position, sum(size) OVER places - size - first_value(size) OVER places AS before
    FROM (
        SELECT id, first_position, size FROM outbox_batch
        WHERE first_position >= coalesce(
            (SELECT max(first_position) FROM outbox_batch WHERE first_position <= :after), 0)
        ORDER BY first_position LIMIT :limit + 1
    ) AS following
    WINDOW places AS (ORDER BY first_position)
) AS batch CROSS JOIN LATERAL (
    SELECT ordinal, kind, subject, payload, occurred_at FROM outbox_event
    WHERE batch_id = batch.id AND ordinal > :after - batch.first_position ORDER BY ordinal LIMIT :limit
) AS event
WHERE batch.before < :limit
ORDER BY position LIMIT :limit
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


def batch_outbox(op: Operations) -> None:
    """Turn what `create_outbox` made into batches, in a migration (decision 0108).

    All there is becomes one batch that begins at position 0: no row is written anew. Processes of the release before
    write and read on beside it through a view; they number nothing any more.
    """
    op.execute("LOCK TABLE outbox IN ACCESS EXCLUSIVE MODE")
    op.execute("""
        WITH waiting AS (
            SELECT id, row_number() OVER (ORDER BY id) AS ordinal FROM outbox WHERE position IS NULL
        ), head AS (
            UPDATE outbox_head SET position = position + (SELECT count(*) FROM waiting)
            RETURNING position - (SELECT count(*) FROM waiting) AS before
        )
        UPDATE outbox SET position = head.before + waiting.ordinal
        FROM waiting, head WHERE outbox.id = waiting.id
    """)
    op.execute("ALTER TABLE outbox RENAME TO outbox_event")
    op.execute("ALTER TABLE outbox_event RENAME COLUMN position TO ordinal")
    op.execute("ALTER TABLE outbox_event DROP CONSTRAINT outbox_position_key, DROP COLUMN id")
    op.execute("ALTER TABLE outbox_event ADD COLUMN batch_id bigint NOT NULL DEFAULT 0")
    op.execute("ALTER TABLE outbox_event ALTER COLUMN batch_id DROP DEFAULT")
    op.execute("ALTER TABLE outbox_event ADD PRIMARY KEY (batch_id, ordinal)")
    op.execute("""
        CREATE TABLE outbox_batch (
            id bigserial PRIMARY KEY,
            size integer NOT NULL CHECK (size > 0),
            first_position bigint UNIQUE
        ) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.05)
    """)
    op.execute("CREATE INDEX outbox_batch_waiting ON outbox_batch (id) WHERE first_position IS NULL")
    op.execute("""
        INSERT INTO outbox_batch (id, size, first_position)
        SELECT 0, count(*), 0 FROM outbox_event HAVING count(*) > 0
    """)
    op.execute("COMMENT ON COLUMN outbox_batch.size IS 'how many of its events are left'")
    # The past apart: by its key it is looked up, however much there is of it.
    op.execute("""
        CREATE VIEW outbox AS
        SELECT ordinal AS position, kind, subject, payload, occurred_at FROM outbox_event WHERE batch_id = 0
        UNION ALL
        SELECT batch.first_position + event.ordinal, event.kind, event.subject, event.payload, event.occurred_at
        FROM outbox_batch AS batch JOIN outbox_event AS event ON event.batch_id = batch.id
        WHERE event.batch_id > 0
    """)
    op.execute("ANALYZE outbox_event, outbox_batch")
    op.execute("COMMENT ON VIEW outbox IS 'for processes of the release before, while a cluster is upgraded'")
    op.execute("""
        CREATE FUNCTION outbox_of_one() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            WITH batch AS (INSERT INTO outbox_batch (size) VALUES (1) RETURNING id)
            INSERT INTO outbox_event (batch_id, ordinal, kind, subject, payload)
            SELECT batch.id, 0, NEW.kind, NEW.subject, NEW.payload FROM batch;
            RETURN NEW;
        END $$
    """)
    op.execute(
        "CREATE TRIGGER outbox_of_one INSTEAD OF INSERT ON outbox"
        " FOR EACH ROW EXECUTE FUNCTION outbox_of_one()"
    )


def publish(connection: Connection, events: Sequence[NewEvent]) -> None:
    """Write events in the caller's transaction, in this order; none are seen unless it commits.

    Publish after taking the row locks of the subjects: what serialises the changes then orders the events.
    """
    if not events:
        return
    connection.exec_driver_sql(
        _PUBLISH,
        {
            "size": len(events),
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

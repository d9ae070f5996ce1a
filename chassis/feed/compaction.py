"""Thins out a feed's old past: of every state that events tell only the newest event stays (decision 0106).

A reader from the beginning then still ends in the right state, and what a feed takes up grows with what there is
to know instead of with what ever happened.
"""

import zlib
from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import takewhile
from typing import Final, NamedTuple

from sqlalchemy import Connection, text

from chassis.feed.outbox import StoredEvent, read_events, read_extent
from chassis.migrations import Operations

States = Callable[[StoredEvent], Sequence[str] | None]
"""Which states of its subject an event tells, as names of at most 200 characters.

A newer event of the same kind and subject that tells a state makes an older one needless for it; an event needless
for all of its states goes. None: it is kept for good. Empty: once it is old it tells nobody anything.
"""

_BATCH: Final = 2_000
_TRY: Final = text("SELECT pg_try_advisory_xact_lock(:key)")
_OLD_BEFORE: Final = text("SELECT now() - :kept")
# Which positions told the same states before.
_NEWER: Final = """
WITH told AS (
    SELECT kind, subject, state, position
    FROM unnest(%(kinds)b::text[], %(subjects)b::text[], %(states)b::text[], %(positions)b::bigint[])
         AS told (kind, subject, state, position)
), before AS (
    SELECT newest.position FROM outbox_newest AS newest JOIN told USING (kind, subject, state)
), noted AS (
    INSERT INTO outbox_newest (kind, subject, state, position) SELECT kind, subject, state, position FROM told
    ON CONFLICT (kind, subject, state) DO UPDATE SET position = excluded.position
)
SELECT DISTINCT position FROM before
"""
# A batch goes with the last of its events.
_REMOVE: Final = """
WITH going AS (
    SELECT position FROM unnest(%(positions)b::bigint[]) AS going (position)
    WHERE NOT EXISTS (SELECT 1 FROM outbox_newest AS newest WHERE newest.position = going.position)
), gone AS (
    DELETE FROM outbox_event AS event
    USING going CROSS JOIN LATERAL (
        SELECT id, first_position FROM outbox_batch WHERE first_position <= going.position
        ORDER BY first_position DESC LIMIT 1
    ) AS batch
    WHERE event.batch_id = batch.id AND event.ordinal = going.position - batch.first_position
    RETURNING event.batch_id
), less AS (
    SELECT batch_id, count(*) AS events FROM gone GROUP BY batch_id
), emptied AS (
    DELETE FROM outbox_batch AS batch USING less WHERE batch.id = less.batch_id AND batch.size = less.events
)
UPDATE outbox_batch AS batch SET size = batch.size - less.events
FROM less WHERE batch.id = less.batch_id AND batch.size > less.events
"""
_MOVE: Final = text("UPDATE outbox_head SET floor = :floor")


class _Told(NamedTuple):
    kind: str
    subject: str
    state: str


class _Piece(NamedTuple):
    """Old events: where they end, the newest position of each state, and the positions that may go."""

    floor: int
    newest: dict[_Told, int]
    may_go: list[int]


def create_newest(op: Operations) -> None:
    """Make the table of what compaction has seen, in a migration."""
    op.execute("""
        CREATE TABLE outbox_newest (
            kind text NOT NULL,
            subject text NOT NULL,
            state text NOT NULL,
            position bigint NOT NULL,
            PRIMARY KEY (kind, subject, state)
        )
    """)
    op.execute("CREATE INDEX outbox_newest_position ON outbox_newest (position)")
    op.execute("COMMENT ON TABLE outbox_newest IS 'up to the floor: the newest event of each state told'")


class Compaction:
    """A work of `chassis.housekeeping`: a piece of the events older than `kept`, and how many it looked at.

    Of several replicas one does a piece; another finds it taken and leaves it. Writers and the sequencer are
    not held: it touches events that have their positions long since, and the head's row for a moment at the end.
    """

    def __init__(self, states: States, *, kept: timedelta, batch: int = _BATCH) -> None:
        self._states = states
        self._kept = kept
        self._batch = batch

    def __call__(self, connection: Connection) -> int:
        schema = connection.execute(text("SELECT current_schema()")).scalar_one()
        key = zlib.crc32(f"foothold compaction {schema}".encode())
        if not connection.execute(_TRY, {"key": key}).scalar():
            return 0
        floor, head = read_extent(connection)
        before = connection.execute(_OLD_BEFORE, {"kept": self._kept}).scalar_one()
        following = read_events(connection, after=floor, limit=self._batch)
        # The newest event of a feed always stays: who reads up to the head must be able to arrive there.
        events = list(takewhile(lambda each: each.occurred_at < before and each.position < head, following))
        if not events:
            return 0
        piece = self._sort(events)
        told = piece.newest
        told_before = connection.exec_driver_sql(
            _NEWER,
            {
                "kinds": [each.kind for each in told],
                "subjects": [each.subject for each in told],
                "states": [each.state for each in told],
                "positions": list(told.values()),
            },
        ).scalars()
        connection.exec_driver_sql(_REMOVE, {"positions": [*told_before, *piece.may_go]})
        connection.execute(_MOVE, {"floor": piece.floor})
        return len(events)

    def _sort(self, events: Sequence[StoredEvent]) -> _Piece:
        newest: dict[_Told, int] = {}
        may_go = []
        for event in events:
            states = self._states(event)
            if states is None:
                continue
            may_go.append(event.position)
            for state in states:
                newest[_Told(event.kind, event.subject, state)] = event.position
        return _Piece(events[-1].position, newest, may_go)

"""Events between services: outbox, sequencer, reader, follower, compaction (docs/decisions/0102, 0106)."""

from chassis.feed.compaction import Compaction, create_newest
from chassis.feed.follower import Follower, GapError, Page, create_cursors
from chassis.feed.outbox import (
    Extent,
    NewEvent,
    StoredEvent,
    batch_outbox,
    create_outbox,
    publish,
    read_events,
    read_extent,
    require_within,
)
from chassis.feed.reading import FeedPage, FeedReader
from chassis.feed.sequencer import Sequencer
from chassis.idempotency import create_requests

__all__ = [
    "Compaction",
    "Extent",
    "FeedPage",
    "FeedReader",
    "Follower",
    "GapError",
    "NewEvent",
    "Page",
    "Sequencer",
    "StoredEvent",
    "batch_outbox",
    "create_cursors",
    "create_newest",
    "create_outbox",
    "create_requests",
    "publish",
    "read_events",
    "read_extent",
    "require_within",
]

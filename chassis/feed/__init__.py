"""Events between services: outbox, sequencer, reader, follower (docs/decisions/0102)."""

from chassis.feed.follower import Follower, GapError, Page, create_cursors
from chassis.feed.outbox import (
    Extent,
    NewEvent,
    StoredEvent,
    create_outbox,
    forget_events,
    publish,
    read_events,
    read_extent,
    require_within,
)
from chassis.feed.reading import FeedPage, FeedReader
from chassis.feed.sequencer import Sequencer
from chassis.idempotency import create_requests

__all__ = [
    "Extent",
    "FeedPage",
    "FeedReader",
    "Follower",
    "GapError",
    "NewEvent",
    "Page",
    "Sequencer",
    "StoredEvent",
    "create_cursors",
    "create_outbox",
    "create_requests",
    "forget_events",
    "publish",
    "read_events",
    "read_extent",
    "require_within",
]

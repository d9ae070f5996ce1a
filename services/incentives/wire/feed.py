"""Events as stored and as sent."""

from collections.abc import Sequence
from typing import Final

from foothold.incentives.v1 import feed_pb2, statements_pb2

from chassis.feed import StoredEvent

PLAN_CREATED: Final = "plan_created"
ADJUSTMENT_CHANGED: Final = "adjustment_changed"


def from_stored(stored: StoredEvent) -> feed_pb2.Event:
    message = feed_pb2.Event(position=stored.position)
    message.occurred_at.FromDatetime(stored.occurred_at)
    if stored.kind == PLAN_CREATED:
        message.plan_created.MergeFromString(stored.payload)
    elif stored.kind == ADJUSTMENT_CHANGED:
        message.adjustment_changed.MergeFromString(stored.payload)
    else:
        message.statement_changed.MergeFromString(stored.payload)
    return message


def states_of(event: StoredEvent) -> Sequence[str] | None:
    """The period whose statement it is; plans and adjustments are kept for good."""
    if event.kind in (PLAN_CREATED, ADJUSTMENT_CHANGED):
        return None
    period = statements_pb2.Statement.FromString(event.payload).period
    first = period.first_day
    return (f"{period.kind} {first.year}-{first.month}-{first.day}",)

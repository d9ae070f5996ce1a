"""FeedService: identity's events for whoever follows them."""

import grpc
from foothold.identity.v1 import feed_pb2, feed_pb2_grpc

from access import caller
from chassis.feed import FeedReader
from services.identity import wire

_NANOS = 1_000_000_000


class FeedService(feed_pb2_grpc.FeedServiceServicer):
    """The event feed."""

    def __init__(self, reader: FeedReader) -> None:
        self._reader = reader

    def ListEvents(
        self, request: feed_pb2.ListEventsRequest, context: grpc.ServicerContext
    ) -> feed_pb2.ListEventsResponse:
        caller(context).scope("identity.feed.read").require_everywhere()
        page = self._reader.page(
            after=request.after_position,
            wait=request.wait.seconds + request.wait.nanos / _NANOS,
            page_size=request.page_size,
            compacted=request.compacted,
            active=context.is_active,
        )
        return feed_pb2.ListEventsResponse(
            events=[wire.from_stored_event(event) for event in page.events],
            head_position=page.head,
            compacted_position=page.floor,
        )

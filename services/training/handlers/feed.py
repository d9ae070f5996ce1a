"""FeedService."""

from collections.abc import Sequence
from typing import Final

import grpc
from foothold.training.v1 import feed_pb2, feed_pb2_grpc

from access import caller
from chassis.feed import FeedReader
from services.training import wire
from services.training.following import FollowedFeed
from services.training.permissions import READ_FEED

_DEFAULT_PAGE: Final = 200
_LARGEST_PAGE: Final = 1_000
_NANOS: Final = 1_000_000_000


class FeedHandler(feed_pb2_grpc.FeedServiceServicer):
    """Training's events, and how far it has followed those of others."""

    def __init__(self, reader: FeedReader, followed: Sequence[FollowedFeed]) -> None:
        self._reader = reader
        self._followed = followed

    def ListEvents(
        self, request: feed_pb2.ListEventsRequest, context: grpc.ServicerContext
    ) -> feed_pb2.ListEventsResponse:
        caller(context).scope(READ_FEED).require_everywhere()
        page = self._reader.page(
            after=request.after_position,
            wait=request.wait.seconds + request.wait.nanos / _NANOS,
            page_size=min(request.page_size, _LARGEST_PAGE) or _DEFAULT_PAGE,
            compacted=request.compacted,
            active=context.is_active,
        )
        return feed_pb2.ListEventsResponse(
            events=[
                wire.from_stored_event(each.payload, position=each.position, occurred_at=each.occurred_at)
                for each in page.events
            ],
            head_position=page.head,
            compacted_position=page.floor,
        )

    def GetFollowing(
        self, request: feed_pb2.GetFollowingRequest, context: grpc.ServicerContext
    ) -> feed_pb2.GetFollowingResponse:
        caller(context).scope(READ_FEED).require_everywhere()
        return feed_pb2.GetFollowingResponse(
            feeds=[
                feed_pb2.FollowedFeed(feed=each.name, position=each.position, head_position=each.head)
                for each in self._followed
            ]
        )

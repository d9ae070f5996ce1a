"""The event feed, and how far incentives follows others."""

from collections.abc import Sequence
from typing import Final, Protocol

import grpc
from foothold.incentives.v1 import feed_pb2, feed_pb2_grpc

from access import caller
from chassis.feed import FeedReader
from chassis.validation import Fields
from services.incentives.wire.feed import from_stored

_PERMISSION: Final = "incentives.feed.read"
_LARGEST_PAGE: Final = 1_000
_NANOS: Final = 1_000_000_000
_DEFAULT_PAGE: Final = 200


class Following(Protocol):
    """A follower, as far as it is told about."""

    name: str

    @property
    def position(self) -> int: ...

    @property
    def head(self) -> int: ...


class FeedHandler(feed_pb2_grpc.FeedServiceServicer):
    def __init__(self, reader: FeedReader, followed: Sequence[Following]) -> None:
        self._reader = reader
        self._followed = tuple(followed)

    def ListEvents(
        self, request: feed_pb2.ListEventsRequest, context: grpc.ServicerContext
    ) -> feed_pb2.ListEventsResponse:
        caller(context).scope(_PERMISSION).require_everywhere()
        fields = Fields()
        size = fields.page_size(request.page_size, default=_DEFAULT_PAGE, maximum=_LARGEST_PAGE)
        fields.require_valid()
        page = self._reader.page(
            after=request.after_position,
            wait=request.wait.seconds + request.wait.nanos / _NANOS,
            page_size=size,
            compacted=request.compacted,
            active=context.is_active,
        )
        return feed_pb2.ListEventsResponse(
            events=map(from_stored, page.events), head_position=page.head, compacted_position=page.floor
        )

    def GetFollowing(
        self, request: feed_pb2.GetFollowingRequest, context: grpc.ServicerContext
    ) -> feed_pb2.GetFollowingResponse:
        caller(context).scope(_PERMISSION).require_everywhere()
        return feed_pb2.GetFollowingResponse(
            feeds=[
                feed_pb2.FollowedFeed(feed=each.name, position=each.position, head_position=each.head)
                for each in self._followed
            ]
        )

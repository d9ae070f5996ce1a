"""Waiting until every service has taken in what the others published."""

import time
from typing import Final

import grpc
from foothold.goals.v1 import feed_pb2 as goals_feed
from foothold.goals.v1 import feed_pb2_grpc as goals_grpc
from foothold.identity.v1 import feed_pb2 as identity_feed
from foothold.identity.v1 import feed_pb2_grpc as identity_grpc
from foothold.incentives.v1 import feed_pb2 as incentives_feed
from foothold.incentives.v1 import feed_pb2_grpc as incentives_grpc
from foothold.training.v1 import feed_pb2 as training_feed
from foothold.training.v1 import feed_pb2_grpc as training_grpc

from chassis.errors import PermissionDenied, Unauthenticated, Unavailable, from_rpc_error
from launcher.exits import Exit, Stop
from launcher.reaching import Reached

_PAUSE: Final = 0.05
_SECONDS: Final = 120.0
# A new data folder's services learn of the operator from identity's feed first.
_NOT_YET: Final = (Unavailable, Unauthenticated, PermissionDenied)


def heads(reached: Reached) -> dict[str, int]:
    """The newest position of each feed that others follow."""
    identity = identity_grpc.FeedServiceStub(reached.channel("identity"))
    goals = goals_grpc.FeedServiceStub(reached.channel("goals"))
    return {
        "identity": identity.ListEvents(identity_feed.ListEventsRequest(page_size=1)).head_position,
        "goals": goals.ListEvents(goals_feed.ListEventsRequest(page_size=1)).head_position,
    }


def following(reached: Reached) -> dict[tuple[str, str], tuple[int, int]]:
    """(service, followed feed) -> (position taken in, newest position it has seen)."""
    goals = goals_grpc.FeedServiceStub(reached.channel("goals"))
    training = training_grpc.FeedServiceStub(reached.channel("training"))
    incentives = incentives_grpc.FeedServiceStub(reached.channel("incentives"))
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for own in goals.GetFollowing(goals_feed.GetFollowingRequest()).feeds:
        found["goals", own.feed] = (own.position, own.head_position)
    for taught in training.GetFollowing(training_feed.GetFollowingRequest()).feeds:
        found["training", taught.feed] = (taught.position, taught.head_position)
    for paid in incentives.GetFollowing(incentives_feed.GetFollowingRequest()).feeds:
        found["incentives", paid.feed] = (paid.position, paid.head_position)
    return found


def wait_for_followers(reached: Reached, *, identity: int = 0, seconds: float = _SECONDS) -> None:
    """Return once every service has taken in all there was when this was called, and `identity` at least. Stop."""
    deadline = time.monotonic() + seconds
    wanted: dict[str, int] | None = None
    late: list[str] = []
    while time.monotonic() < deadline:
        try:
            if wanted is None:
                wanted = heads(reached)
                wanted["identity"] = max(wanted["identity"], identity)
            now = following(reached)
        except grpc.RpcError as error:
            failure = from_rpc_error(error)
            if not isinstance(failure, _NOT_YET):
                raise failure from error
            late = [str(failure)]
        else:
            late = [
                f"{service} has {position} of {wanted[feed]} from {feed}"
                for (service, feed), (position, _) in now.items()
                if position < wanted.get(feed, 0)
            ]
            if not late:
                return
        time.sleep(_PAUSE)
    raise Stop(f"the services have not caught up after {seconds:.0f} s: {'; '.join(late)}", Exit.UNREACHABLE)

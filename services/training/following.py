"""What training does with other services' events.

It follows identity, to know who is calling and whose courses are whose. Nothing else is done with the
events: a person's path is derived from the directory when it is asked for, so that a move to another branch
or a new job role changes the path at once and loses nothing that was learnt.
"""

from typing import Protocol

import grpc
from foothold.identity.v1 import feed_pb2

from access import Replica, follow_identity
from chassis.database import Database
from chassis.feed import Follower


class FollowedFeed(Protocol):
    """How far a feed has been followed."""

    name: str

    @property
    def position(self) -> int: ...

    @property
    def head(self) -> int: ...


def followers(
    replica: Replica, *, database: Database, identity: grpc.Channel
) -> list[Follower[feed_pb2.Event]]:
    """Every follower of training."""
    return [follow_identity(replica, database=database, channel=identity)]

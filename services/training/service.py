"""Wires training together; nothing else does."""

from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Final

from foothold.training.v1 import (
    courses_pb2,
    courses_pb2_grpc,
    feed_pb2,
    feed_pb2_grpc,
    learning_pb2,
    learning_pb2_grpc,
)
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from access import Access, Replica, TokenVerifier, load_public, require_rows
from chassis import telemetry
from chassis.channel import connect
from chassis.clock import Clock, SystemClock
from chassis.database import Database, schema_of
from chassis.feed import Compaction, FeedReader, Sequencer
from chassis.health import migrated
from chassis.housekeeping import Housekeeping
from chassis.idempotency import forget_old_requests
from chassis.server import Service, Servicer
from services.training.following import FollowedFeed, followers
from services.training.handlers import CoursesHandler, FeedHandler, LearningHandler
from services.training.permissions import PERMISSIONS
from services.training.wire import states_of

NAME: Final = "training"
PACKAGE: Final = "services.training"
_COURSES: Final = courses_pb2.DESCRIPTOR.services_by_name["CoursesService"]
_LEARNING: Final = learning_pb2.DESCRIPTOR.services_by_name["LearningService"]
_FEED: Final = feed_pb2.DESCRIPTOR.services_by_name["FeedService"]


class Settings(BaseModel):
    """What training needs to run; docs/settings.md says more about each."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    listen: str = "127.0.0.1:0"
    """host:port to listen on; port 0 for any free one."""
    database_url: SecretStr
    """PostgreSQL URL of training's own role."""
    database_connections: int = Field(default=8, ge=4, le=100)
    """The most connections held at a time."""
    verifying_keys: str
    """One or more PEM public keys that access tokens are verified with."""
    component_token: SecretStr
    """Training's own token, for identity's feed."""
    identity_address: str
    """host:port of identity."""
    feed_kept_days: int = Field(default=30, ge=2, le=3650)
    """How many days the feed keeps every event; of older ones the newest of each state stays."""
    telemetry_endpoint: str = ""
    """OTLP gRPC endpoint; empty for none."""
    telemetry_sampling: Decimal = Field(default=Decimal(1), ge=0, le=1)
    """The share of traces recorded, from 0 to 1; metrics count everything."""
    log_level: str = "info"
    """The least severe level that is logged."""


def build(settings: Settings, *, clock: Clock | None = None) -> Service:
    """Training as a service that a `Server` can run; its schema must be migrated."""
    require_rows(PERMISSIONS, (_COURSES, _LEARNING, _FEED))
    clock = clock or SystemClock()
    url = settings.database_url.get_secret_value()
    database = Database(url, schema=schema_of(NAME), pool_size=settings.database_connections)
    telemetry.instrument(database.engine, database.schema)
    identity = connect(settings.identity_address, token=settings.component_token.get_secret_value)
    sequencer = Sequencer(database)
    compaction = Compaction(states_of, kept=timedelta(days=settings.feed_kept_days))
    replica = Replica(database)
    followed = followers(replica, database=database, identity=identity)
    for each in followed:
        telemetry.observe_lag(NAME, each.name, partial(_lag, each))
    verifier = TokenVerifier(load_public(settings.verifying_keys), clock=clock)
    return Service(
        name=NAME,
        servicers=[
            Servicer(
                _COURSES.full_name,
                courses_pb2_grpc.add_CoursesServiceServicer_to_server,
                CoursesHandler(database, clock),
            ),
            Servicer(
                _LEARNING.full_name,
                learning_pb2_grpc.add_LearningServiceServicer_to_server,
                LearningHandler(database, clock),
            ),
            Servicer(
                _FEED.full_name,
                feed_pb2_grpc.add_FeedServiceServicer_to_server,
                FeedHandler(FeedReader(database, sequencer), followed),
            ),
        ],
        interceptors=[Access(PERMISSIONS, verifier=verifier, directory=replica.directory, clock=clock)],
        background=[sequencer, replica, *followed, Housekeeping(database, [forget_old_requests, compaction])],
        checks=[
            database.check,
            migrated(database, url, PACKAGE),
            sequencer.check,
            replica.check,
            *(each.check for each in followed),
        ],
        closing=[identity.close, database.close],
    )


def _lag(feed: FollowedFeed) -> int:
    return feed.head - feed.position

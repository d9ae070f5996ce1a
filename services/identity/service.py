"""Identity, wired."""

from datetime import timedelta

from foothold.identity.v1 import (
    access_pb2,
    access_pb2_grpc,
    directory_pb2,
    directory_pb2_grpc,
    feed_pb2,
    feed_pb2_grpc,
    sessions_pb2,
    sessions_pb2_grpc,
)

from access import Access, Replica, TokenIssuer, TokenVerifier, load_private, load_public, require_rows
from access.tokens import public_pem
from chassis import telemetry
from chassis.clock import Clock, SystemClock
from chassis.database import Database, schema_of
from chassis.feed import Compaction, FeedReader, Sequencer
from chassis.health import migrated
from chassis.housekeeping import Housekeeping
from chassis.idempotency import forget_old_requests
from chassis.server import Service, Servicer
from services.identity.foundation import Foundation
from services.identity.handlers import AccessService, Desk, DirectoryService, FeedService, SessionService
from services.identity.housekeeping import chores
from services.identity.passwords import CHEAP, Passwords
from services.identity.permissions import PERMISSIONS
from services.identity.secrecy import Secrecy
from services.identity.settings import Settings
from services.identity.wire import states_of

__all__ = ["NAME", "Settings", "build"]

NAME = "identity"
_CONTRACTS = {
    "DirectoryService": directory_pb2.DESCRIPTOR,
    "AccessService": access_pb2.DESCRIPTOR,
    "SessionService": sessions_pb2.DESCRIPTOR,
    "FeedService": feed_pb2.DESCRIPTOR,
}


def build(settings: Settings, *, clock: Clock | None = None) -> Service:
    """Identity as a service to start; its schema must be migrated before it can serve.

    ValueError where a key cannot be read or a method has no permission row.
    """
    clock = clock or SystemClock()
    contracts = {name: file.services_by_name[name] for name, file in _CONTRACTS.items()}
    require_rows(PERMISSIONS, contracts.values())
    private_pem = settings.signing_key.get_secret_value()
    private = load_private(private_pem)
    url = settings.database_url.get_secret_value()
    database = Database(url, schema=schema_of(NAME), pool_size=settings.database_pool)
    telemetry.instrument(database.engine, database.schema)
    sequencer = Sequencer(database)
    compaction = Compaction(states_of, kept=timedelta(days=settings.feed_kept_days))
    # Identity's own tables are the replica: it stands at its own revision instead of a feed's position.
    replica = Replica(database)
    foundation = Foundation(database, clock)
    desk = Desk(database, replica, clock)
    secrecy = Secrecy(
        passwords=Passwords(CHEAP if settings.demo_passwords else settings.password_cost),
        issuer=TokenIssuer(private, clock=clock),
        key=private_pem,
        access_lifetime=timedelta(seconds=settings.access_seconds),
        session_lifetime=timedelta(days=settings.session_days),
    )
    directory = DirectoryService(desk, secrecy)
    access = AccessService(desk, secrecy)
    sessions = SessionService(desk, secrecy)
    feed = FeedService(FeedReader(database, sequencer))
    door = Access(
        PERMISSIONS,
        verifier=TokenVerifier(load_public(settings.verifying_keys or public_pem(private)), clock=clock),
        directory=replica.directory,
        clock=clock,
    )
    return Service(
        NAME,
        servicers=[
            Servicer(
                contracts["DirectoryService"].full_name,
                directory_pb2_grpc.add_DirectoryServiceServicer_to_server,
                directory,
            ),
            Servicer(
                contracts["AccessService"].full_name,
                access_pb2_grpc.add_AccessServiceServicer_to_server,
                access,
            ),
            Servicer(
                contracts["SessionService"].full_name,
                sessions_pb2_grpc.add_SessionServiceServicer_to_server,
                sessions,
            ),
            Servicer(
                contracts["FeedService"].full_name, feed_pb2_grpc.add_FeedServiceServicer_to_server, feed
            ),
        ],
        interceptors=[door],
        background=[
            foundation,
            replica,
            sequencer,
            Housekeeping(database, [forget_old_requests, compaction, *chores(clock)]),
        ],
        checks=[
            database.check,
            migrated(database, url, "services.identity"),
            foundation.check,
            replica.check,
            sequencer.check,
        ],
        closing=[database.close],
    )

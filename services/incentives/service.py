"""Wires incentives together; nothing else does."""

from datetime import timedelta
from decimal import Decimal
from typing import Final

from foothold.incentives.v1 import (
    boards_pb2,
    boards_pb2_grpc,
    disputes_pb2,
    disputes_pb2_grpc,
    feed_pb2,
    feed_pb2_grpc,
    honours_pb2,
    honours_pb2_grpc,
    parameters_pb2,
    parameters_pb2_grpc,
    payouts_pb2,
    payouts_pb2_grpc,
    periods_pb2,
    periods_pb2_grpc,
    plan_life_pb2,
    plan_life_pb2_grpc,
    plans_pb2,
    plans_pb2_grpc,
    recompute_pb2,
    recompute_pb2_grpc,
    simulation_pb2,
    simulation_pb2_grpc,
    statements_pb2,
    statements_pb2_grpc,
    whatif_pb2,
    whatif_pb2_grpc,
)
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from access import Access, Replica, TokenVerifier, follow_identity, load_public, require_rows
from chassis.channel import connect
from chassis.clock import Clock, SystemClock
from chassis.database import Database, schema_of
from chassis.feed import Compaction, FeedReader, Sequencer
from chassis.health import migrated
from chassis.housekeeping import Housekeeping
from chassis.idempotency import forget_old_requests
from chassis.server import Service, Servicer
from chassis.telemetry import observe_lag
from services.incentives.ahead import Ahead
from services.incentives.asking import DealsOfGoals
from services.incentives.calculating import Calculator
from services.incentives.catalogue import Catalogue
from services.incentives.correcting import Corrector
from services.incentives.domain.plans import Plan
from services.incentives.domain.statements import Statement
from services.incentives.flag_keeping import FlagKeeper
from services.incentives.following import follow_goals, follow_training, on_identity
from services.incentives.handlers import (
    BoardsHandler,
    DisputesHandler,
    FeedHandler,
    HonoursHandler,
    ParametersHandler,
    PayoutsHandler,
    PeriodsHandler,
    PlanLifeHandler,
    PlansHandler,
    RecomputeHandler,
    SimulationsHandler,
    StatementsHandler,
    WhatIfHandler,
)
from services.incentives.holding import DealHolder
from services.incentives.leaderboards import Leaderboards
from services.incentives.permissions import PERMISSIONS
from services.incentives.photo_keeping import forget_photos
from services.incentives.recomputing import Recomputer
from services.incentives.rereading import Rereader
from services.incentives.simulating import Simulator
from services.incentives.store.simulations import forget_old_simulations
from services.incentives.store.statements import forget_versions
from services.incentives.wire.closing import from_adjustment
from services.incentives.wire.feed import states_of
from services.incentives.wire.statements import encode_statement

NAME: Final = "incentives"
PACKAGE: Final = "services.incentives"
_DISPUTES: Final = disputes_pb2.DESCRIPTOR.services_by_name["DisputesService"]
_PAYOUTS: Final = payouts_pb2.DESCRIPTOR.services_by_name["PayoutsService"]
_PLANS: Final = plans_pb2.DESCRIPTOR.services_by_name["PlansService"]
_PARAMETERS: Final = parameters_pb2.DESCRIPTOR.services_by_name["ParametersService"]
_PLAN_LIFE: Final = plan_life_pb2.DESCRIPTOR.services_by_name["PlanLifeService"]
_STATEMENTS: Final = statements_pb2.DESCRIPTOR.services_by_name["StatementsService"]
_HONOURS: Final = honours_pb2.DESCRIPTOR.services_by_name["HonoursService"]
_BOARDS: Final = boards_pb2.DESCRIPTOR.services_by_name["BoardsService"]
_WHAT_IF: Final = whatif_pb2.DESCRIPTOR.services_by_name["WhatIfService"]
_PERIODS: Final = periods_pb2.DESCRIPTOR.services_by_name["PeriodsService"]
_RECOMPUTE: Final = recompute_pb2.DESCRIPTOR.services_by_name["RecomputeService"]
_SIMULATIONS: Final = simulation_pb2.DESCRIPTOR.services_by_name["SimulationsService"]
_FEED: Final = feed_pb2.DESCRIPTOR.services_by_name["FeedService"]


class Settings(BaseModel):
    """What incentives needs to run; docs/settings.md says more about each."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    listen: str = "127.0.0.1:0"
    """host:port to listen on; port 0 for any free one."""
    database_url: SecretStr
    """PostgreSQL URL of incentives' own role."""
    database_connections: int = Field(default=8, ge=4, le=100)
    """The most connections held at a time."""
    verifying_keys: str
    """One or more PEM public keys that access tokens are verified with."""
    component_token: SecretStr
    """Incentives' own token, for the other services' feeds."""
    identity_address: str
    """host:port of identity."""
    goals_address: str
    """host:port of goals."""
    training_address: str
    """host:port of training."""
    currency: str = Field(default="CNY", pattern="[A-Z]{3}")
    """The enterprise's one currency, ISO 4217, of those with hundredths."""
    feed_kept_days: int = Field(default=30, ge=2, le=3650)
    """How many days the feed keeps every event; of older ones the newest of each state stays."""
    telemetry_endpoint: str = ""
    """OTLP gRPC endpoint; empty for none."""
    telemetry_sampling: Decimal = Field(default=Decimal(1), ge=0, le=1)
    """The share of traces recorded, from 0 to 1; metrics count everything."""
    log_level: str = "info"
    """The least severe level that is logged."""


def build(settings: Settings, *, clock: Clock | None = None) -> Service:
    """Incentives as a service that a `Server` can run; its schema must be migrated."""
    require_rows(
        PERMISSIONS,
        (
            _PLANS,
            _PLAN_LIFE,
            _PARAMETERS,
            _PAYOUTS,
            _DISPUTES,
            _STATEMENTS,
            _WHAT_IF,
            _BOARDS,
            _HONOURS,
            _FEED,
            _PERIODS,
            _RECOMPUTE,
            _SIMULATIONS,
        ),
    )
    clock = clock or SystemClock()
    currency = settings.currency
    url = settings.database_url.get_secret_value()
    database = Database(url, schema=schema_of(NAME), pool_size=settings.database_connections)
    own_token = settings.component_token.get_secret_value
    identity = connect(settings.identity_address, token=own_token)
    goals = connect(settings.goals_address, token=own_token)
    training = connect(settings.training_address, token=own_token)

    def encode(statement: Statement, plan: Plan | None) -> bytes:
        return encode_statement(statement, plan, currency)

    sequencer = Sequencer(database)
    compaction = Compaction(states_of, kept=timedelta(days=settings.feed_kept_days))
    catalogue = Catalogue()
    corrector = Corrector(lambda made: from_adjustment(made, currency).SerializeToString())
    calculator = Calculator(catalogue, clock, encode, corrector)
    recomputer = Recomputer(database, calculator, Ahead(database, catalogue, clock, encode))
    rereader = Rereader(database, calculator, clock, goals)
    holder = DealHolder(catalogue, DealsOfGoals(goals), clock)
    flag_keeper = FlagKeeper(database, holder)
    simulator = Simulator(database, catalogue, clock)
    replica = Replica(database, on_change=on_identity)
    leaderboards = Leaderboards(database, replica.directory, catalogue, clock)
    following_identity = follow_identity(replica, database=database, channel=identity)

    def told_by_goals() -> None:
        leaderboards.wake()
        flag_keeper.wake()

    following_goals = follow_goals(calculator, database=database, channel=goals, after_commit=told_by_goals)
    following_training = follow_training(calculator, database=database, channel=training)
    followed = (following_identity, following_goals, following_training)
    observe_lag(NAME, "identity", lambda: following_identity.head - following_identity.position)
    observe_lag(NAME, "goals", lambda: following_goals.head - following_goals.position)
    observe_lag(NAME, "training", lambda: following_training.head - following_training.position)
    verifier = TokenVerifier(load_public(settings.verifying_keys), clock=clock)
    statements = StatementsHandler(database, catalogue, clock, currency)
    return Service(
        name=NAME,
        servicers=[
            Servicer(
                _PLANS.full_name,
                plans_pb2_grpc.add_PlansServiceServicer_to_server,
                PlansHandler(database, catalogue, clock, currency),
            ),
            Servicer(
                _PLAN_LIFE.full_name,
                plan_life_pb2_grpc.add_PlanLifeServiceServicer_to_server,
                PlanLifeHandler(database, catalogue, clock, currency, recomputer.wake),
            ),
            Servicer(
                _PARAMETERS.full_name,
                parameters_pb2_grpc.add_ParametersServiceServicer_to_server,
                ParametersHandler(database, catalogue, clock, currency, recomputer.wake),
            ),
            Servicer(
                _STATEMENTS.full_name,
                statements_pb2_grpc.add_StatementsServiceServicer_to_server,
                statements,
            ),
            Servicer(
                _WHAT_IF.full_name,
                whatif_pb2_grpc.add_WhatIfServiceServicer_to_server,
                WhatIfHandler(database, catalogue, clock, currency),
            ),
            Servicer(
                _PERIODS.full_name,
                periods_pb2_grpc.add_PeriodsServiceServicer_to_server,
                PeriodsHandler(database, catalogue, calculator, clock, currency),
            ),
            Servicer(
                _RECOMPUTE.full_name,
                recompute_pb2_grpc.add_RecomputeServiceServicer_to_server,
                RecomputeHandler(database, catalogue, calculator, currency),
            ),
            Servicer(
                _SIMULATIONS.full_name,
                simulation_pb2_grpc.add_SimulationsServiceServicer_to_server,
                SimulationsHandler(database, catalogue, clock, currency, simulator.wake),
            ),
            Servicer(
                _PAYOUTS.full_name,
                payouts_pb2_grpc.add_PayoutsServiceServicer_to_server,
                PayoutsHandler(database, catalogue, holder, clock, currency),
            ),
            Servicer(
                _DISPUTES.full_name,
                disputes_pb2_grpc.add_DisputesServiceServicer_to_server,
                DisputesHandler(database, catalogue, statements, clock, currency),
            ),
            Servicer(
                _BOARDS.full_name,
                boards_pb2_grpc.add_BoardsServiceServicer_to_server,
                BoardsHandler(database, catalogue, leaderboards, clock, currency),
            ),
            Servicer(
                _HONOURS.full_name,
                honours_pb2_grpc.add_HonoursServiceServicer_to_server,
                HonoursHandler(database, catalogue, leaderboards, clock, currency),
            ),
            Servicer(
                _FEED.full_name,
                feed_pb2_grpc.add_FeedServiceServicer_to_server,
                FeedHandler(FeedReader(database, sequencer), followed),
            ),
        ],
        interceptors=[Access(PERMISSIONS, verifier=verifier, directory=replica.directory, clock=clock)],
        background=[
            sequencer,
            replica,
            following_identity,
            following_goals,
            following_training,
            recomputer,
            rereader,
            simulator,
            flag_keeper,
            leaderboards,
            Housekeeping(
                database,
                [
                    forget_old_requests,
                    compaction,
                    forget_old_simulations,
                    forget_photos(catalogue, replica.directory),
                    forget_versions(settings.feed_kept_days),
                ],
            ),
        ],
        checks=[
            database.check,
            migrated(database, url, PACKAGE),
            sequencer.check,
            replica.check,
            recomputer.check,
            leaderboards.check,
            *(each.check for each in followed),
        ],
        closing=[identity.close, goals.close, training.close, database.close],
    )

"""Wires goals together; nothing else does."""

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Final

from foothold.goals.v1 import (
    allocation_pb2,
    allocation_pb2_grpc,
    calendars_pb2,
    calendars_pb2_grpc,
    cascade_pb2,
    cascade_pb2_grpc,
    coaching_pb2,
    coaching_pb2_grpc,
    coaching_rules_pb2,
    coaching_rules_pb2_grpc,
    effort_pb2,
    effort_pb2_grpc,
    evidence_pb2,
    evidence_pb2_grpc,
    facts_pb2,
    facts_pb2_grpc,
    fairness_pb2,
    fairness_pb2_grpc,
    feed_pb2,
    feed_pb2_grpc,
    forecast_pb2,
    forecast_pb2_grpc,
    industries_pb2,
    industries_pb2_grpc,
    metric_library_pb2,
    metric_library_pb2_grpc,
    metrics_pb2,
    metrics_pb2_grpc,
    objectives_pb2,
    objectives_pb2_grpc,
    progress_pb2,
    progress_pb2_grpc,
    standards_pb2,
    standards_pb2_grpc,
    targets_pb2,
    targets_pb2_grpc,
)
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from access import Access, TokenVerifier, load_public, require_rows
from chassis.channel import connect
from chassis.clock import Clock, SystemClock
from chassis.database import Database, schema_of
from chassis.feed import Compaction, FeedReader, Sequencer
from chassis.health import migrated
from chassis.housekeeping import Housekeeping
from chassis.idempotency import forget_old_requests
from chassis.server import Service, Servicer
from services.goals.coached import load_built_in
from services.goals.computing import Computer
from services.goals.following import Following
from services.goals.grouping import GroupCommit
from services.goals.handlers import (
    AllocationHandler,
    CalendarsHandler,
    CascadeHandler,
    CoachingHandler,
    CoachingRulesHandler,
    EffortHandler,
    EvidenceHandler,
    FactsHandler,
    FairnessHandler,
    FeedHandler,
    ForecastHandler,
    IndustriesHandler,
    MetricLibraryHandler,
    MetricsHandler,
    ObjectivesHandler,
    ProgressHandler,
    StandardsHandler,
    TargetsHandler,
)
from services.goals.permissions import PERMISSIONS
from services.goals.published import load_published
from services.goals.store.library import LibraryCache
from services.goals.store.recording import Recorder
from services.goals.store.targets import TargetsCache
from services.goals.store.workplaces import WorkplacesCache
from services.goals.watching import Watcher
from services.goals.wire.facts import FactReader
from services.goals.wire.feed import states_of

NAME: Final = "goals"
PACKAGE: Final = "services.goals"
_FACTS: Final = facts_pb2.DESCRIPTOR.services_by_name["FactsService"]
_METRICS: Final = metrics_pb2.DESCRIPTOR.services_by_name["MetricsService"]
_LIBRARY: Final = metric_library_pb2.DESCRIPTOR.services_by_name["MetricLibraryService"]
_TARGETS: Final = targets_pb2.DESCRIPTOR.services_by_name["TargetsService"]
_STANDARDS: Final = standards_pb2.DESCRIPTOR.services_by_name["StandardsService"]
_PROGRESS: Final = progress_pb2.DESCRIPTOR.services_by_name["ProgressService"]
_FORECAST: Final = forecast_pb2.DESCRIPTOR.services_by_name["ForecastService"]
_CASCADE: Final = cascade_pb2.DESCRIPTOR.services_by_name["CascadeService"]
_ALLOCATION: Final = allocation_pb2.DESCRIPTOR.services_by_name["AllocationService"]
_OBJECTIVES: Final = objectives_pb2.DESCRIPTOR.services_by_name["ObjectivesService"]
_EFFORT: Final = effort_pb2.DESCRIPTOR.services_by_name["EffortService"]
_EVIDENCE: Final = evidence_pb2.DESCRIPTOR.services_by_name["EvidenceService"]
_CALENDARS: Final = calendars_pb2.DESCRIPTOR.services_by_name["CalendarsService"]
_INDUSTRIES: Final = industries_pb2.DESCRIPTOR.services_by_name["IndustriesService"]
_COACHING: Final = coaching_pb2.DESCRIPTOR.services_by_name["CoachingService"]
_COACHING_RULES: Final = coaching_rules_pb2.DESCRIPTOR.services_by_name["CoachingRulesService"]
_FAIRNESS: Final = fairness_pb2.DESCRIPTOR.services_by_name["FairnessService"]
_FEED: Final = feed_pb2.DESCRIPTOR.services_by_name["FeedService"]


class Settings(BaseModel):
    """What goals needs to run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    listen: str = "127.0.0.1:0"
    """host:port to listen on; port 0 for any free one."""
    database_url: SecretStr
    """PostgreSQL URL of goals' own role."""
    database_connections: Annotated[int, Field(ge=4, le=100)] = 12
    """The most connections held at a time."""
    verifying_keys: str
    """One or more PEM public keys that access tokens are verified with."""
    component_token: SecretStr
    """Goals' own token, for identity's feed."""
    identity_address: str
    """host:port of identity."""
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "CNY"
    """The enterprise's currency, ISO 4217."""
    feed_kept_days: int = Field(default=30, ge=2, le=3650)
    """How many days the feed keeps every event; of older ones the newest of each state stays."""
    telemetry_endpoint: str = ""
    """OTLP gRPC endpoint; empty for none."""
    telemetry_sampling: Decimal = Field(default=Decimal(1), ge=0, le=1)
    """The share of traces recorded, from 0 to 1; metrics count everything."""
    log_level: str = "info"
    """The least severe level that is logged."""


def build(settings: Settings, *, clock: Clock | None = None) -> Service:
    """Goals as a service that a `Server` can run; its schema must be migrated."""
    require_rows(
        PERMISSIONS,
        (
            *(_FACTS, _METRICS, _LIBRARY, _TARGETS, _STANDARDS, _PROGRESS),
            *(_CASCADE, _ALLOCATION, _OBJECTIVES, _EVIDENCE, _CALENDARS, _INDUSTRIES),
            *(_COACHING, _COACHING_RULES, _FAIRNESS, _FORECAST, _EFFORT, _FEED),
        ),
    )
    clock = clock or SystemClock()
    currency = settings.currency
    url = settings.database_url.get_secret_value()
    database = Database(url, schema=schema_of(NAME), pool_size=settings.database_connections)
    identity = connect(settings.identity_address, token=settings.component_token.get_secret_value)
    sequencer = Sequencer(database)
    compaction = Compaction(states_of, kept=timedelta(days=settings.feed_kept_days))
    library = LibraryCache(database)
    following = Following(database, identity, library, clock)
    recorder = Recorder(database, following.replica, library)
    computer = Computer(database, library)
    group = GroupCommit(recorder)
    cache = TargetsCache(database, library)
    workplaces = WorkplacesCache(database)
    reader = FactReader(currency)
    verifier = TokenVerifier(load_public(settings.verifying_keys), clock=clock)
    directory = following.directory
    watcher = Watcher(database, FeedReader(database, sequencer), directory, clock)
    built_in = load_built_in()
    return Service(
        name=NAME,
        servicers=[
            Servicer(
                _FACTS.full_name,
                facts_pb2_grpc.add_FactsServiceServicer_to_server,
                FactsHandler(database, recorder, reader, clock, group.record),
            ),
            Servicer(
                _METRICS.full_name,
                metrics_pb2_grpc.add_MetricsServiceServicer_to_server,
                MetricsHandler(database, library, clock, currency),
            ),
            Servicer(
                _LIBRARY.full_name,
                metric_library_pb2_grpc.add_MetricLibraryServiceServicer_to_server,
                MetricLibraryHandler(database, library, clock, currency, computer.wake),
            ),
            Servicer(
                _TARGETS.full_name,
                targets_pb2_grpc.add_TargetsServiceServicer_to_server,
                TargetsHandler(database, cache, clock, currency),
            ),
            Servicer(
                _STANDARDS.full_name,
                standards_pb2_grpc.add_StandardsServiceServicer_to_server,
                StandardsHandler(database, cache, clock, currency),
            ),
            Servicer(
                _PROGRESS.full_name,
                progress_pb2_grpc.add_ProgressServiceServicer_to_server,
                ProgressHandler(database, cache, workplaces, reader, clock, currency),
            ),
            Servicer(
                _FORECAST.full_name,
                forecast_pb2_grpc.add_ForecastServiceServicer_to_server,
                ForecastHandler(database, cache, workplaces, clock, currency),
            ),
            Servicer(
                _CASCADE.full_name,
                cascade_pb2_grpc.add_CascadeServiceServicer_to_server,
                CascadeHandler(database, clock, currency),
            ),
            Servicer(
                _ALLOCATION.full_name,
                allocation_pb2_grpc.add_AllocationServiceServicer_to_server,
                AllocationHandler(database, clock, currency),
            ),
            Servicer(
                _OBJECTIVES.full_name,
                objectives_pb2_grpc.add_ObjectivesServiceServicer_to_server,
                ObjectivesHandler(database, library, clock, currency),
            ),
            Servicer(
                _EFFORT.full_name,
                effort_pb2_grpc.add_EffortServiceServicer_to_server,
                EffortHandler(database, clock),
            ),
            Servicer(
                _EVIDENCE.full_name,
                evidence_pb2_grpc.add_EvidenceServiceServicer_to_server,
                EvidenceHandler(database, library, clock, currency, load_published()),
            ),
            Servicer(
                _CALENDARS.full_name,
                calendars_pb2_grpc.add_CalendarsServiceServicer_to_server,
                CalendarsHandler(database, workplaces, clock),
            ),
            Servicer(
                _INDUSTRIES.full_name,
                industries_pb2_grpc.add_IndustriesServiceServicer_to_server,
                IndustriesHandler(database, cache, clock, currency, computer.wake),
            ),
            Servicer(
                _COACHING.full_name,
                coaching_pb2_grpc.add_CoachingServiceServicer_to_server,
                CoachingHandler(database, cache, workplaces, clock, built_in),
            ),
            Servicer(
                _COACHING_RULES.full_name,
                coaching_rules_pb2_grpc.add_CoachingRulesServiceServicer_to_server,
                CoachingRulesHandler(database, library, clock, built_in),
            ),
            Servicer(
                _FAIRNESS.full_name,
                fairness_pb2_grpc.add_FairnessServiceServicer_to_server,
                FairnessHandler(database, reader, clock),
            ),
            Servicer(
                _FEED.full_name,
                feed_pb2_grpc.add_FeedServiceServicer_to_server,
                FeedHandler(
                    database,
                    FeedReader(database, sequencer),
                    directory,
                    [following.follower],
                    library,
                    currency,
                ),
            ),
        ],
        interceptors=[Access(PERMISSIONS, verifier=verifier, directory=directory, clock=clock)],
        background=[
            sequencer,
            following.replica,
            following.follower,
            group,
            computer,
            watcher.follower,
            Housekeeping(database, [forget_old_requests, compaction]),
        ],
        checks=[
            database.check,
            migrated(database, url, PACKAGE),
            sequencer.check,
            computer.check,
            following.replica.check,
            following.follower.check,
            watcher.follower.check,
        ],
        closing=[identity.close, database.close],
    )

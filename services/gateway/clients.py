"""Calling the services: one channel each, the signed-in person's access token on every call."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, TypeVar

import grpc
from foothold.goals.v1 import (
    allocation_pb2_grpc,
    calendars_pb2_grpc,
    cascade_pb2_grpc,
    coaching_pb2_grpc,
    coaching_rules_pb2_grpc,
    effort_pb2_grpc,
    evidence_pb2_grpc,
    facts_pb2_grpc,
    fairness_pb2_grpc,
    forecast_pb2_grpc,
    industries_pb2_grpc,
    metric_library_pb2_grpc,
    metrics_pb2_grpc,
    objectives_pb2_grpc,
    progress_pb2_grpc,
    standards_pb2_grpc,
    targets_pb2_grpc,
)
from foothold.goals.v1 import feed_pb2_grpc as goals_feed
from foothold.identity.v1 import access_pb2_grpc, directory_pb2_grpc, sessions_pb2_grpc
from foothold.incentives.v1 import (
    boards_pb2_grpc,
    disputes_pb2_grpc,
    honours_pb2_grpc,
    parameters_pb2_grpc,
    payouts_pb2_grpc,
    periods_pb2_grpc,
    plan_life_pb2_grpc,
    plans_pb2_grpc,
    recompute_pb2_grpc,
    simulation_pb2_grpc,
    statements_pb2_grpc,
    whatif_pb2_grpc,
)
from foothold.incentives.v1 import feed_pb2_grpc as incentives_feed
from foothold.training.v1 import courses_pb2_grpc, learning_pb2_grpc
from foothold.training.v1 import feed_pb2_grpc as training_feed
from google.protobuf.message import Message
from grpc_health.v1 import health_pb2, health_pb2_grpc

from chassis.channel import connect
from chassis.errors import from_rpc_error
from services.gateway.settings import Settings

SERVICES: Final = ("identity", "goals", "incentives", "training")
_SECONDS: Final = 8.0
_HEALTH_SECONDS: Final = 2.0
_TOKEN: Final[ContextVar[str]] = ContextVar("access_token", default="")

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)


@contextmanager
def as_caller(token: str) -> Iterator[None]:
    """Calls inside carry this access token."""
    before = _TOKEN.set(token)
    try:
        yield
    finally:
        _TOKEN.reset(before)


def set_caller(token: str) -> None:
    """Calls from here on in this request carry this access token."""
    _TOKEN.set(token)


def ask(method: Callable[..., Response], request: Message, *, seconds: float = _SECONDS) -> Response:
    """Call a unary method. `chassis.errors.Failure` when the service refuses or cannot be reached."""
    try:
        return method(request, timeout=seconds)
    except grpc.RpcError as error:
        raise from_rpc_error(error) from error


class Clients:
    """The stubs of every service, calling as the person whose request is being answered."""

    def __init__(self, settings: Settings) -> None:
        addresses = {
            "identity": settings.identity_address,
            "goals": settings.goals_address,
            "incentives": settings.incentives_address,
            "training": settings.training_address,
        }
        self.channels = {name: connect(address, token=_TOKEN.get) for name, address in addresses.items()}
        own = settings.component_token.get_secret_value()
        self.feed_channels = {
            name: connect(address, token=lambda: own) for name, address in addresses.items()
        }
        identity, goals = self.channels["identity"], self.channels["goals"]
        incentives, training = self.channels["incentives"], self.channels["training"]
        self.sessions = sessions_pb2_grpc.SessionServiceStub(identity)
        self.directory = directory_pb2_grpc.DirectoryServiceStub(identity)
        self.access = access_pb2_grpc.AccessServiceStub(identity)
        self.facts = facts_pb2_grpc.FactsServiceStub(goals)
        self.fairness = fairness_pb2_grpc.FairnessServiceStub(goals)
        self.metrics = metrics_pb2_grpc.MetricsServiceStub(goals)
        self.library = metric_library_pb2_grpc.MetricLibraryServiceStub(goals)
        self.targets = targets_pb2_grpc.TargetsServiceStub(goals)
        self.standards = standards_pb2_grpc.StandardsServiceStub(goals)
        self.industries = industries_pb2_grpc.IndustriesServiceStub(goals)
        self.calendars = calendars_pb2_grpc.CalendarsServiceStub(goals)
        self.progress = progress_pb2_grpc.ProgressServiceStub(goals)
        self.effort = effort_pb2_grpc.EffortServiceStub(goals)
        self.evidence = evidence_pb2_grpc.EvidenceServiceStub(goals)
        self.cascade = cascade_pb2_grpc.CascadeServiceStub(goals)
        self.allocation = allocation_pb2_grpc.AllocationServiceStub(goals)
        self.objectives = objectives_pb2_grpc.ObjectivesServiceStub(goals)
        self.coaching = coaching_pb2_grpc.CoachingServiceStub(goals)
        self.coaching_rules = coaching_rules_pb2_grpc.CoachingRulesServiceStub(goals)
        self.forecasts = forecast_pb2_grpc.ForecastServiceStub(goals)
        self.plans = plans_pb2_grpc.PlansServiceStub(incentives)
        self.parameters = parameters_pb2_grpc.ParametersServiceStub(incentives)
        self.plan_life = plan_life_pb2_grpc.PlanLifeServiceStub(incentives)
        self.boards = boards_pb2_grpc.BoardsServiceStub(incentives)
        self.honours = honours_pb2_grpc.HonoursServiceStub(incentives)
        self.disputes = disputes_pb2_grpc.DisputesServiceStub(incentives)
        self.payouts = payouts_pb2_grpc.PayoutsServiceStub(incentives)
        self.periods = periods_pb2_grpc.PeriodsServiceStub(incentives)
        self.recompute = recompute_pb2_grpc.RecomputeServiceStub(incentives)
        self.simulations = simulation_pb2_grpc.SimulationsServiceStub(incentives)
        self.statements = statements_pb2_grpc.StatementsServiceStub(incentives)
        self.what_if = whatif_pb2_grpc.WhatIfServiceStub(incentives)
        self.courses = courses_pb2_grpc.CoursesServiceStub(training)
        self.learning = learning_pb2_grpc.LearningServiceStub(training)
        self.goals_feed = goals_feed.FeedServiceStub(self.feed_channels["goals"])
        self.incentives_feed = incentives_feed.FeedServiceStub(self.feed_channels["incentives"])
        self.training_feed = training_feed.FeedServiceStub(self.feed_channels["training"])

    def serving(self, name: str) -> bool:
        """Whether the service says that it serves."""
        check: Any = health_pb2_grpc.HealthStub(self.channels[name]).Check  # type: ignore[attr-defined]  # the stubs leave out the methods
        try:
            answer = check(health_pb2.HealthCheckRequest(), timeout=_HEALTH_SECONDS)
        except grpc.RpcError:
            return False
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    def close(self) -> None:
        for channel in (*self.channels.values(), *self.feed_channels.values()):
            channel.close()

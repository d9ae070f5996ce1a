"""A running incentives service and the enterprise it serves."""

import itertools
import time
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

import grpc
from foothold.goals.v1 import feed_pb2 as goals_pb2
from foothold.goals.v1 import metrics_pb2
from foothold.goals.v1 import values_pb2 as goals_values_pb2
from foothold.identity.v1 import access_pb2, directory_pb2
from foothold.identity.v1 import feed_pb2 as identity_pb2
from foothold.incentives.v1 import (
    boards_pb2,
    boards_pb2_grpc,
    disputes_pb2_grpc,
    feed_pb2,
    feed_pb2_grpc,
    honours_pb2_grpc,
    parameters_pb2,
    parameters_pb2_grpc,
    payouts_pb2_grpc,
    periods_pb2,
    periods_pb2_grpc,
    plan_life_pb2,
    plan_life_pb2_grpc,
    plans_pb2,
    plans_pb2_grpc,
    recompute_pb2_grpc,
    simulation_pb2_grpc,
    statements_pb2,
    statements_pb2_grpc,
    values_pb2,
    whatif_pb2_grpc,
)
from foothold.training.v1 import courses_pb2, learning_pb2
from foothold.training.v1 import feed_pb2 as training_pb2
from google.type import date_pb2
from pydantic import SecretStr
from sqlalchemy import text

from access import Replica, TokenIssuer, load_private
from access.tokens import generate_keys
from chassis.channel import connect
from chassis.clock import FixedClock
from chassis.database import Database
from chassis.errors import from_rpc_error
from chassis.feed import Follower
from chassis.server import Server
from services.identity.domain.roles import BUILT_IN
from services.incentives.leaderboards import Leaderboards
from services.incentives.service import Settings, build
from tests.conftest import ServiceDatabase
from tests.incentives.peers import Peers, month_of, values_changed, week_of

T = TypeVar("T")

NOW = datetime(2025, 3, 12, 4, 0, tzinfo=UTC)
"""A Wednesday, noon in Shanghai."""
TODAY = date(2025, 3, 12)
_NODES = [
    ("hq", "", directory_pb2.NODE_KIND_ENTERPRISE, "总部"),
    ("shanghai", "hq", directory_pb2.NODE_KIND_BRANCH, "上海"),
    ("beijing", "hq", directory_pb2.NODE_KIND_BRANCH, "北京"),
    ("shanghai-sales", "shanghai", directory_pb2.NODE_KIND_DEPARTMENT, "销售部"),
    ("beijing-sales", "beijing", directory_pb2.NODE_KIND_DEPARTMENT, "销售部"),
]
PEOPLE = {
    "li": ("shanghai-sales", "sales", "salesperson"),
    "wang": ("shanghai-sales", "sales", "salesperson"),
    "zhao": ("beijing-sales", "sales", "salesperson"),
    "left": ("shanghai-sales", "sales", "salesperson"),
    "mentor": ("shanghai-sales", "sales", ""),
    "manager": ("shanghai-sales", "manager", ""),
    "trainer": ("hq", "trainer", ""),
    "shanghai-hr": ("shanghai", "hr", ""),
    "hr": ("hq", "hr", ""),
    "nobody": ("shanghai-sales", "sales", ""),
    "administrator": ("hq", "it", ""),
}
_BINDINGS = [
    ("mentor", "mentor", "li"),
    ("department_manager", "manager", "shanghai-sales"),
    ("trainer", "trainer", "hq"),
    ("branch_hr", "shanghai-hr", "shanghai"),
    ("headquarters_hr", "hr", "hq"),
    ("administrator", "administrator", "hq"),
    ("integrator", "crm", "hq"),
]
_numbers = itertools.count(1)


def request_id() -> str:
    return f"r{next(_numbers)}"


def refusal(call: Callable[[], object]) -> tuple[str, str]:
    """With which code and reason a call is refused."""
    try:
        call()
    except grpc.RpcError as error:
        failure = from_rpc_error(error)
        return failure.code.name, failure.reason
    raise AssertionError("it was not refused")


def reason_of(call: Callable[[], object]) -> str:
    """With which reason a call is refused."""
    return refusal(call)[1]


def eventually(found: Callable[[], T], seconds: float = 15.0) -> T:
    """What `found` answers once it is something."""
    until = time.monotonic() + seconds
    while True:
        answer = found()
        if answer or time.monotonic() > until:
            assert answer, "it did not happen in time"
            return answer
        time.sleep(0.01)


def on(day: date) -> date_pb2.Date:
    return date_pb2.Date(year=day.year, month=day.month, day=day.day)


class Client:
    """The services of incentives for one caller."""

    def __init__(self, channel: grpc.Channel, person_id: str, second: "Callable[[], Client]") -> None:
        self.channel = channel
        self.person_id = person_id
        self.second = second
        self.disputes = disputes_pb2_grpc.DisputesServiceStub(channel)
        self.payouts = payouts_pb2_grpc.PayoutsServiceStub(channel)
        self.life = plan_life_pb2_grpc.PlanLifeServiceStub(channel)
        self.parameters = parameters_pb2_grpc.ParametersServiceStub(channel)
        self.plans = plans_pb2_grpc.PlansServiceStub(channel)
        self.statements = statements_pb2_grpc.StatementsServiceStub(channel)
        self.what_if = whatif_pb2_grpc.WhatIfServiceStub(channel)
        self.periods = periods_pb2_grpc.PeriodsServiceStub(channel)
        self.recompute = recompute_pb2_grpc.RecomputeServiceStub(channel)
        self.simulations = simulation_pb2_grpc.SimulationsServiceStub(channel)
        self.boards = boards_pb2_grpc.BoardsServiceStub(channel)
        self.honours = honours_pb2_grpc.HonoursServiceStub(channel)
        self.feed = feed_pb2_grpc.FeedServiceStub(channel)

    def propose(self, plan: plans_pb2.Plan) -> plans_pb2.CreatePlanResponse:
        return self.plans.CreatePlan(plans_pb2.CreatePlanRequest(request_id=request_id(), plan=plan))

    def approve(self, plan_id: str) -> plans_pb2.Plan:
        asked = plan_life_pb2.ApprovePlanRequest(request_id=request_id(), plan_id=plan_id)
        return self.life.ApprovePlan(asked).plan

    def set_number(
        self, node_id: str, job_role: str, rule_id: str, field: str, value: values_pb2.Value, **more: Any
    ) -> parameters_pb2.ParameterSetting:
        """Propose another number for a node."""
        setting = parameters_pb2.ParameterSetting(
            node_id=node_id,
            job_role=job_role,
            rule_id=rule_id,
            field=field,
            value=value,
            effective_from=on(more.pop("since", TODAY.replace(day=1))),
            reason="本地情况",
            **more,
        )
        asked = parameters_pb2.SetParameterRequest(request_id=request_id(), setting=setting)
        return self.parameters.SetParameter(asked).setting

    def approve_number(self, setting_id: str) -> parameters_pb2.ParameterSetting:
        asked = parameters_pb2.ApproveParameterRequest(request_id=request_id(), setting_id=setting_id)
        return self.parameters.ApproveParameter(asked).setting

    def plans_of(self, person_id: str = "") -> plan_life_pb2.GetPersonPlansResponse:
        asked = plan_life_pb2.GetPersonPlansRequest(person_id=person_id or self.person_id)
        return self.life.GetPersonPlans(asked)

    def acknowledge(self, plan: plans_pb2.Plan) -> plan_life_pb2.AcknowledgePlanResponse:
        asked = plan_life_pb2.AcknowledgePlanRequest(
            request_id=request_id(), plan_id=plan.id, digest=plan.digest
        )
        return self.life.AcknowledgePlan(asked)

    def create(self, plan: plans_pb2.Plan) -> plans_pb2.CreatePlanResponse:
        """Propose a plan, and have the administrator approve it."""
        made = self.propose(plan)
        made.plan.CopyFrom(self.second().approve(made.plan.id))
        return made

    def answer(self, person_id: str = "", day: date | None = None) -> statements_pb2.GetStatementResponse:
        asked = statements_pb2.GetStatementRequest(
            person_id=person_id or self.person_id, on=None if day is None else on(day)
        )
        return self.statements.GetStatement(asked)

    def statement(self, person_id: str = "", day: date | None = None) -> statements_pb2.Statement:
        return self.answer(person_id, day).statement

    def explain(
        self, rule_id: str, person_id: str = "", day: date | None = None
    ) -> statements_pb2.ExplainLineResponse:
        asked = statements_pb2.ExplainLineRequest(
            person_id=person_id or self.person_id, rule_id=rule_id, on=None if day is None else on(day)
        )
        return self.statements.ExplainLine(asked)

    def close(
        self, node_id: str, day: date, kind: values_pb2.PeriodKind.ValueType = values_pb2.PERIOD_KIND_MONTH
    ) -> periods_pb2.ClosePeriodResponse:
        return self.periods.ClosePeriod(
            periods_pb2.ClosePeriodRequest(
                request_id=request_id(), node_id=node_id, period_kind=kind, on=on(day)
            )
        )

    def period(
        self, node_id: str, day: date, kind: values_pb2.PeriodKind.ValueType = values_pb2.PERIOD_KIND_MONTH
    ) -> periods_pb2.PeriodStanding:
        asked = periods_pb2.GetPeriodRequest(node_id=node_id, period_kind=kind, on=on(day))
        return self.periods.GetPeriod(asked).standing

    def board(self, board_id: str, node_id: str, **more: Any) -> boards_pb2.GetBoardResponse:
        return self.boards.GetBoard(boards_pb2.GetBoardRequest(board_id=board_id, node_id=node_id, **more))


class Company:
    """Start it, tell it things, ask it as anybody."""

    def __init__(self, database: ServiceDatabase) -> None:
        private, self.public = generate_keys()
        self.clock = FixedClock(NOW)
        self.url = database.url
        self.database: Database = database.database
        self.issuer = TokenIssuer(load_private(private), clock=self.clock)
        self.peers = Peers()
        self._channels: list[grpc.Channel] = []
        self._tell_everything()
        self.server = self.serve()

    def serve(self) -> Server:
        settings = Settings(
            database_url=SecretStr(self.url),
            verifying_keys=self.public,
            component_token=SecretStr(self.issuer.component("incentives", lifetime=timedelta(days=999))),
            identity_address=self.peers.address,
            goals_address=self.goals_address(),
            training_address=self.peers.address,
        )
        server = Server(build(settings, clock=self.clock))
        self.address = f"127.0.0.1:{server.start()}"
        self.settle(server)
        return server

    def goals_address(self) -> str:
        """Where goals is."""
        return self.peers.address

    def goals_head(self) -> int:
        """The last position of goals' feed."""
        return self.peers.goals.head

    def restart(self) -> None:
        self.server.stop(grace=1)
        self.server = self.serve()

    def close(self) -> None:
        for channel in self._channels:
            channel.close()
        self.server.stop(grace=1)
        self.peers.stop()

    def channel(self, token: str | None) -> grpc.Channel:
        channel = connect(self.address, token=(lambda: token) if token else None, timeout=20)
        self._channels.append(channel)
        return channel

    def as_(self, person_id: str) -> Client:
        token, _ = self.issuer.person(person_id, session_id=f"s-{person_id}", lifetime=timedelta(days=900))
        return Client(self.channel(token), person_id, self._second)

    def as_service_account(self, account_id: str) -> Client:
        token, _ = self.issuer.service_account(account_id, lifetime=timedelta(days=900))
        return Client(self.channel(token), "", self._second)

    def as_component(self, name: str) -> Client:
        token = self.issuer.component(name, lifetime=timedelta(days=900))
        return Client(self.channel(token), "", self._second)

    def signed_out(self) -> Client:
        return Client(self.channel(None), "li", self._second)

    def _second(self) -> Client:
        return self.as_("administrator")

    def followed(self) -> dict[str, feed_pb2.FollowedFeed]:
        answer = self.as_component("gateway").feed.GetFollowing(feed_pb2.GetFollowingRequest())
        return {each.feed: each for each in answer.feeds}

    def follows_goals(self) -> bool:
        """Whether all that goals told is taken in."""
        (goals,) = (
            each
            for each in self.server._service.background
            if isinstance(each, Follower) and each.name == "goals"
        )
        return goals.position == self.goals_head()

    def settle(self, server: Server | None = None) -> None:
        """Wait until everything told is followed, computed and in memory."""
        server = server or self.server
        background = server._service.background
        (replica,) = (each for each in background if isinstance(each, Replica))
        (boards,) = (each for each in background if isinstance(each, Leaderboards))
        followers = {each.name: each for each in background if isinstance(each, Follower)}
        identity, goals, training = (followers[each] for each in ("identity", "goals", "training"))

        def done() -> bool:
            # First what is followed: what is told meanwhile may be waiting by then.
            if not (
                identity.position == replica.position == self.peers.identity.head
                and goals.position == self.goals_head()
                and training.position == self.peers.training.head
            ):
                return False
            with self.database.read() as connection:
                waiting = "SELECT (SELECT count(*) FROM recompute) + (SELECT count(*) FROM reread)"
                if self.peers.goals.open:
                    waiting += " + (SELECT count(*) FROM flag_look)"
                return not connection.execute(text(waiting)).scalar_one()

        eventually(done, 60)
        boards.refresh()

    def told_head(self) -> int:
        """The last position of incentives' own feed, once whatever is committed has one."""

        def waiting() -> int:
            with self.database.read() as connection:
                asked = text("SELECT count(*) FROM outbox_batch WHERE first_position IS NULL")
                return int(connection.execute(asked).scalar_one())

        eventually(lambda: not waiting())
        feed = self.as_component("gateway").feed
        return feed.ListEvents(feed_pb2.ListEventsRequest()).head_position

    def tell(self, **bodies: Any) -> None:
        """One of identity's events."""
        self.peers.identity.tell(identity_pb2.Event(**bodies))

    def figures(self, person_id: str, day: date | None = None, /, **figures: int) -> None:
        """Goals tells a person's figures, the same for the week and the month of a day."""
        day = day or TODAY
        event = values_changed(person_id, NOW, (week_of(day), figures), (month_of(day), figures))
        self.peers.goals.tell(event)

    def measured(self, name: str, unit: str, how: str, *, retired: bool = False, **more: Any) -> None:
        """Goals tells of a metric of the enterprise's own: its unit, and how facts become a value."""
        definition = metrics_pb2.MetricDefinition(
            name=name,
            unit=goals_values_pb2.Unit.Value(f"UNIT_{unit}"),
            aggregation=metrics_pb2.MetricDefinition.Aggregation.Value(f"AGGREGATION_{how}"),
            titles={"zh-CN": name, "en": name},
            **more,
        )
        changed = goals_pb2.MetricChanged(metric=name, version=1, definition=definition, retired=retired)
        event = goals_pb2.Event(metric_changed=changed)
        event.occurred_at.FromDatetime(NOW)
        self.peers.goals.tell(event)

    def passed(self, person_id: str, course_id: str, at: datetime) -> None:
        """Training tells of a course, and that somebody passed it."""
        known = training_pb2.Event(course_changed=courses_pb2.Course(id=course_id, title=course_id))
        changed = training_pb2.LearningChanged(
            person_id=person_id, course_id=course_id, state=learning_pb2.COURSE_STATE_PASSED
        )
        event = training_pb2.Event(learning_changed=changed)
        for each in (known, event):
            each.occurred_at.FromDatetime(at)
        self.peers.training.tell(known, event)

    def newcomer(self, person_id: str, parent_id: str = "shanghai-sales", job_role: str = "sales") -> str:
        """Somebody new with a salesperson's rights."""
        self.tell(person_changed=person(person_id, parent_id, job_role))
        binding = access_pb2.Binding(
            id=f"b-{person_id}", role_id="salesperson", subject_id=person_id, node_id=person_id
        )
        self.tell(binding_added=binding)
        return person_id

    def fingerprint(self) -> str:
        """A digest of every row incentives keeps, the directory aside."""
        tables = ["plan", "statement", "board", "recompute", "calculation", "requests"]
        tables += ["closing", "frozen", "adjustment", "proposal", "acknowledgement"]
        tables += [
            "approval",
            "hold",
            "flag_hold",
            "left_line",
            "late_line",
            "deal_hold",
            "kept_part",
            "batch",
            "batch_item",
            "dispute",
            "honour",
            "honour_photo",
            "passed_course",
            "own_metric",
            "settled",
            "prize",
            "standard",
            "variant",
        ]
        tables += ["statement_version", "simulation", "simulated"]
        # Positions are given a moment after the commit.
        tables.append("(SELECT batch_id, ordinal, kind, subject, payload FROM outbox_event)")
        with self.database.read() as connection:
            return " ".join(
                connection.execute(
                    text(
                        f"SELECT coalesce(md5(string_agg(r::text, '' ORDER BY r::text)), '-') FROM {table} r"
                    )
                ).scalar_one()
                for table in tables
            )

    def stored(self, *, positions: bool = False) -> Mapping[tuple[str, int, str], Any]:
        """Every statement row, by person, kind of period and first day."""
        with self.database.read() as connection:
            rows = connection.execute(
                text(
                    "SELECT person_id, period_kind, first_day, figures, plan_id, total, amounts,"
                    " CASE WHEN :positions THEN goals_position END FROM statement"
                ),
                {"positions": positions},
            )
            return {(row[0], row[1], row[2].isoformat()): tuple(row[3:]) for row in rows}

    def _tell_everything(self) -> None:
        for node_id, parent_id, kind, name in _NODES:
            self.tell(
                node_changed=directory_pb2.Node(
                    id=node_id,
                    parent_id=parent_id,
                    kind=kind,
                    name=name,
                    time_zone="" if parent_id else "Asia/Shanghai",
                )
            )
        for role_id, (name, permissions) in BUILT_IN.items():
            role = access_pb2.Role(id=role_id, name=name, permissions=sorted(permissions), built_in=True)
            self.tell(role_changed=role)
        for person_id, (parent_id, job_role, _) in PEOPLE.items():
            self.tell(person_changed=person(person_id, parent_id, job_role))
        self.tell(service_account_changed=access_pb2.ServiceAccount(id="crm", name="CRM"))
        own = [(role, person_id, person_id) for person_id, (_, _, role) in PEOPLE.items() if role]
        for number, (role_id, subject_id, node_id) in enumerate([*own, *_BINDINGS]):
            self.tell(
                binding_added=access_pb2.Binding(
                    id=f"b{number}", role_id=role_id, subject_id=subject_id, node_id=node_id
                )
            )


def person(
    person_id: str, parent_id: str, job_role: str = "sales", *, dismissed: bool = False
) -> directory_pb2.Person:
    status = directory_pb2.PERSON_STATUS_DISMISSED if dismissed else directory_pb2.PERSON_STATUS_ACTIVE
    return directory_pb2.Person(
        id=person_id,
        parent_id=parent_id,
        name=f"{person_id} 同学",
        employee_number=f"E-{person_id}",
        job_role=job_role,
        status=status,
    )

"""The enterprise that goals is tested in, as its callers meet it: a real server, a real PostgreSQL, real tokens."""

import itertools
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import grpc
from foothold.goals.v1 import (
    allocation_pb2_grpc,
    calendars_pb2,
    calendars_pb2_grpc,
    cascade_pb2_grpc,
    coaching_pb2_grpc,
    coaching_rules_pb2_grpc,
    effort_pb2_grpc,
    evidence_pb2_grpc,
    facts_pb2,
    facts_pb2_grpc,
    fairness_pb2_grpc,
    feed_pb2_grpc,
    forecast_pb2,
    forecast_pb2_grpc,
    industries_pb2_grpc,
    metric_library_pb2_grpc,
    metrics_pb2_grpc,
    objectives_pb2_grpc,
    progress_pb2,
    progress_pb2_grpc,
    standards_pb2_grpc,
    targets_pb2,
    targets_pb2_grpc,
    values_pb2,
)
from foothold.goals.v1 import feed_pb2 as goals_feed
from foothold.identity.v1 import access_pb2, directory_pb2, feed_pb2
from foothold.identity.v1 import feed_pb2_grpc as identity_feed
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date
from google.type.money_pb2 import Money
from psycopg.errors import DeadlockDetected, LockNotAvailable
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from access import Replica, TokenIssuer, load_private
from access.tokens import generate_keys
from chassis.channel import connect
from chassis.clock import FixedClock
from chassis.server import Server
from services.goals.service import Settings, build
from services.goals.store.recording import enter_ledger, gate_key
from services.identity.domain.roles import BUILT_IN
from tests.conftest import ServiceDatabase

# A Thursday, noon in Shanghai.
NOW: Final = datetime(2025, 3, 20, 4, 0, tzinfo=UTC)
PEOPLE: Final = {
    "li": ("shanghai-sales", "sales"),
    "wang": ("shanghai-sales", "sales"),
    "chen": ("shanghai-key", "sales"),
    "zhao": ("beijing-sales", "sales"),
    "mentor": ("shanghai-sales", "mentor"),
    "manager": ("shanghai-sales", "manager"),
    "other-manager": ("beijing-sales", "manager"),
    "trainer": ("hq", "trainer"),
    "hr": ("hq", "hr"),
    "second-hr": ("hq", "hr"),
    "branch-hr": ("shanghai", "hr"),
    "administrator": ("hq", "it"),
}
BINDINGS: Final = (
    *(("salesperson", person, person) for person in ("li", "wang", "chen", "zhao")),
    ("mentor", "mentor", "li"),
    ("department_manager", "manager", "shanghai-sales"),
    ("department_manager", "other-manager", "beijing-sales"),
    ("trainer", "trainer", "hq"),
    ("headquarters_hr", "hr", "hq"),
    ("headquarters_hr", "second-hr", "hq"),
    ("branch_hr", "branch-hr", "shanghai"),
    ("administrator", "administrator", "hq"),
    ("integrator", "crm", "hq"),
    ("operator", "operator", "hq"),
)
KINDS: Final = facts_pb2.FactKind
_ids = itertools.count(1)


def fresh(prefix: str = "x") -> str:
    return f"{prefix}-{next(_ids)}"


def instant(moment: datetime) -> Timestamp:
    message = Timestamp()
    message.FromDatetime(moment)
    return message


def day(value: date) -> Date:
    return Date(year=value.year, month=value.month, day=value.day)


def yuan(amount: int, fen: int = 0) -> Money:
    return Money(currency_code="CNY", units=amount, nanos=fen * 10_000_000)


def fact(kind: str, person: str = "li", **fields: Any) -> facts_pb2.Fact:
    """A fact of a kind named as in the contract, e.g. FOLLOW_UP; `at` is when, by default two hours ago."""
    at = fields.pop("at", NOW - timedelta(hours=2))
    fields.setdefault("external_id", fresh("f"))
    fields.setdefault("source", "crm")
    return facts_pb2.Fact(
        kind=KINDS.Value(f"FACT_KIND_{kind}"), person_id=person, occurred_at=instant(at), **fields
    )


def leave(
    first: date, last: date | None = None, person: str = "li", *, half: str = "", **fields: Any
) -> facts_pb2.Fact:
    """Leave from the OA system over whole days, or over the MORNING or AFTERNOON of one."""
    days = facts_pb2.Leave(first_day=day(first))
    if last is not None:
        days.last_day.CopyFrom(day(last))
    if half:
        days.first_half = days.last_half = facts_pb2.DayHalf.Value(f"DAY_HALF_{half}")
    fields.setdefault("source", "oa")
    return fact("LEAVE", person, leave=days, **fields)


def rate(numerator: int, denominator: int) -> values_pb2.Value:
    return values_pb2.Value(unit=values_pb2.UNIT_RATE, numerator=numerator, denominator=denominator)


def count(number: int) -> values_pb2.Value:
    return values_pb2.Value(unit=values_pb2.UNIT_COUNT, numerator=number, denominator=1)


class Client:
    """Goals' services for one caller."""

    def __init__(self, channel: grpc.Channel) -> None:
        self.channel = channel
        self.facts = facts_pb2_grpc.FactsServiceStub(channel)
        self.library = metric_library_pb2_grpc.MetricLibraryServiceStub(channel)
        self.metrics = metrics_pb2_grpc.MetricsServiceStub(channel)
        self.targets = targets_pb2_grpc.TargetsServiceStub(channel)
        self.standards = standards_pb2_grpc.StandardsServiceStub(channel)
        self.progress = progress_pb2_grpc.ProgressServiceStub(channel)
        self.forecasts = forecast_pb2_grpc.ForecastServiceStub(channel)
        self.cascade = cascade_pb2_grpc.CascadeServiceStub(channel)
        self.allocation = allocation_pb2_grpc.AllocationServiceStub(channel)
        self.objectives = objectives_pb2_grpc.ObjectivesServiceStub(channel)
        self.effort = effort_pb2_grpc.EffortServiceStub(channel)
        self.evidence = evidence_pb2_grpc.EvidenceServiceStub(channel)
        self.calendars = calendars_pb2_grpc.CalendarsServiceStub(channel)
        self.industries = industries_pb2_grpc.IndustriesServiceStub(channel)
        self.coaching = coaching_pb2_grpc.CoachingServiceStub(channel)
        self.coaching_rules = coaching_rules_pb2_grpc.CoachingRulesServiceStub(channel)
        self.fairness = fairness_pb2_grpc.FairnessServiceStub(channel)
        self.feed = feed_pb2_grpc.FeedServiceStub(channel)

    def record(self, *facts: facts_pb2.Fact, dry_run: bool = False) -> list[facts_pb2.FactResult]:
        request = facts_pb2.RecordFactsRequest(facts=facts, dry_run=dry_run)
        return list(self.facts.RecordFacts(request).results)

    def outcomes(self, *facts: facts_pb2.Fact) -> list[str]:
        """What became of each: RECORDED, ALREADY_KNOWN, or the reason it was refused for."""
        return [
            result.reason or facts_pb2.FactOutcome.Name(result.outcome).removeprefix("FACT_OUTCOME_")
            for result in self.record(*facts)
        ]

    def get(self, person: str = "li", **fields: Any) -> progress_pb2.GetProgressResponse:
        return self.progress.GetProgress(progress_pb2.GetProgressRequest(person_id=person, **fields))

    def value(self, metric: str, person: str = "li", kind: str = "MONTH", **fields: Any) -> tuple[int, int]:
        """A metric's numerator and denominator over the month (or WEEK) that holds now."""
        wanted = values_pb2.PeriodKind.Value(f"PERIOD_KIND_{kind}")
        for each in self.get(person, **fields).values:
            if each.metric == metric and each.period.kind == wanted:
                return each.value.numerator, each.value.denominator
        raise AssertionError(metric)

    def set_target(
        self,
        metric: str,
        value: values_pb2.Value,
        *,
        node: str = "hq",
        kind: str = "MONTH",
        role: str = "sales",
        first: date = date(2025, 1, 1),
        end: date | None = None,
        reason: str = "",
        rule: targets_pb2.OverrideRule | None = None,
    ) -> targets_pb2.Target:
        target = targets_pb2.Target(
            node_id=node,
            job_role=role,
            metric=metric,
            period_kind=values_pb2.PeriodKind.Value(f"PERIOD_KIND_{kind}"),
            value=value,
            effective_from=day(first),
            effective_to=None if end is None else day(end),
            rule=rule,
            reason=reason or ("" if node == "hq" else "local market"),
        )
        request = targets_pb2.SetTargetRequest(request_id=fresh("r"), target=target)
        return self.targets.SetTarget(request).target

    def target_progress(self, metric: str, person: str = "li") -> progress_pb2.TargetProgress:
        return next(each for each in self.get(person).targets if each.target.target.metric == metric)

    def forecast(
        self, metric: str = "customers_followed", person: str = "li", **fields: Any
    ) -> forecast_pb2.TargetForecast:
        request = forecast_pb2.ForecastTargetsRequest(person_id=person, **fields)
        return next(
            each for each in self.forecasts.ForecastTargets(request).forecasts if each.metric == metric
        )

    def explain(
        self, metric: str, person: str = "li", kind: str = "MONTH", **fields: Any
    ) -> progress_pb2.ExplainProgressResponse:
        return self.progress.ExplainProgress(
            progress_pb2.ExplainProgressRequest(
                person_id=person,
                metric=metric,
                period_kind=values_pb2.PeriodKind.Value(f"PERIOD_KIND_{kind}"),
                **fields,
            )
        )

    def set_rule(
        self, node: str = "hq", *, first: date = date(2024, 1, 1), replaces: int = 0, **content: Any
    ) -> calendars_pb2.WorkRule:
        """A calendar, leave_policy or ramp at a node from a day on."""
        rule = calendars_pb2.WorkRule(node_id=node, effective_from=day(first), reason="as agreed", **content)
        request = calendars_pb2.SetWorkRuleRequest(request_id=fresh("r"), rule=rule, replaces=replaces)
        return self.calendars.SetWorkRule(request).rule

    def set_days(
        self, node: str = "hq", *, complete: int = 0, removed: Sequence[date] = (), **days: Any
    ) -> list[calendars_pb2.SpecialDay]:
        """Enter days off and worked, `off` and `worked`, by name; take back `removed`."""
        told = [
            calendars_pb2.SpecialDay(day=day(each), workday=works, name=name)
            for works, named in ((False, days.get("off", {})), (True, days.get("worked", {})))
            for each, name in named.items()
        ]
        request = calendars_pb2.SetDaysRequest(
            request_id=fresh("r"),
            node_id=node,
            days=told,
            removed_days=[day(each) for each in removed],
            complete_year=complete,
            reason="as announced",
        )
        return list(self.calendars.SetDays(request).days)

    def days(self, first: date, end: date, node: str = "hq") -> calendars_pb2.ListDaysResponse:
        return self.calendars.ListDays(
            calendars_pb2.ListDaysRequest(node_id=node, first_day=day(first), end_day=day(end))
        )

    def head(self) -> int:
        """The feed's head once nothing is on its way any more."""
        request = goals_feed.ListEventsRequest(page_size=1)
        request.after_position = self.feed.ListEvents(request).head_position
        request.wait.FromMilliseconds(400)
        while self.feed.ListEvents(request).events:
            request.after_position += 1
        return request.after_position

    def heard(self, after: int, body: str, number: int) -> list[goals_feed.Event]:
        """The first so many events of a kind after a position, waited for."""
        request = goals_feed.ListEventsRequest(after_position=after)
        request.wait.seconds = 5
        found: list[goals_feed.Event] = []
        while len(found) < number:
            events = self.feed.ListEvents(request).events
            assert events, "the feed tells nothing more"
            request.after_position = events[-1].position
            found += [each for each in events if each.HasField(body)]  # type: ignore[arg-type]  # one of the bodies
        return found

    def check(self) -> facts_pb2.CheckLedgerResponse:
        return self.facts.CheckLedger(facts_pb2.CheckLedgerRequest())


class Identity(identity_feed.FeedServiceServicer):
    """Tells goals what identity would: events over the contract, waiting for news as identity's feed does."""

    def __init__(self) -> None:
        self.events: list[feed_pb2.Event] = []
        self._news = threading.Condition()
        self._server = grpc.server(ThreadPoolExecutor(4))
        identity_feed.add_FeedServiceServicer_to_server(self, self._server)
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def ListEvents(
        self, request: feed_pb2.ListEventsRequest, context: grpc.ServicerContext
    ) -> feed_pb2.ListEventsResponse:
        after = request.after_position
        with self._news:
            self._news.wait_for(lambda: len(self.events) > after, timeout=min(request.wait.seconds, 1))
            events = self.events[after : after + request.page_size]
            return feed_pb2.ListEventsResponse(events=events, head_position=len(self.events))

    def tell(self, bodies: Sequence[dict[str, Any]]) -> None:
        with self._news:
            for body in bodies:
                self.events.append(feed_pb2.Event(position=len(self.events) + 1, **body))
            self._news.notify_all()

    def stop(self) -> None:
        self._server.stop(0)


class Enterprise:
    """A running goals and the enterprise it serves."""

    def __init__(self, database: ServiceDatabase) -> None:
        private, public = generate_keys()
        self.clock = FixedClock(NOW)
        self.database = database.database
        self.url = database.url
        self.issuer = TokenIssuer(load_private(private), clock=self.clock)
        self._identity = Identity()
        self.settings = Settings(
            database_url=SecretStr(database.url),
            verifying_keys=public,
            component_token=SecretStr(self.issuer.component("goals", lifetime=timedelta(days=1))),
            identity_address=self._identity.address,
        )
        service = build(self.settings, clock=self.clock)
        self._replica = next(each for each in service.background if isinstance(each, Replica))
        self.server = Server(service)
        self.address = f"127.0.0.1:{self.server.start()}"
        self._channels: dict[str | None, grpc.Channel] = {}
        self._tell_everything()

    def tell(self, *events: dict[str, Any]) -> None:
        """Some of identity's events; returns when goals has heard them."""
        self._identity.tell(events)
        until = time.monotonic() + 20
        while self._replica.position < len(self._identity.events):
            assert time.monotonic() < until, "goals does not hear"
            time.sleep(0.005)

    def channel(self, token: str | None) -> grpc.Channel:
        if token not in self._channels:
            self._channels[token] = connect(
                self.address, token=(lambda: token) if token else None, timeout=30
            )
        return self._channels[token]

    def as_(self, caller: str) -> Client:
        """A person by id, or one of the service accounts `crm` and `operator`."""
        if caller in {"crm", "operator"}:
            token, _ = self.issuer.service_account(caller, lifetime=timedelta(days=9))
        else:
            token, _ = self.issuer.person(caller, session_id=f"s-{caller}", lifetime=timedelta(days=9))
        return Client(self.channel(token))

    def as_component(self, name: str) -> Client:
        return Client(self.channel(self.issuer.component(name, lifetime=timedelta(days=9))))

    def signed_out(self) -> Client:
        return Client(self.channel(None))

    def clear(self) -> None:
        """Empty the ledger and forget the targets, when nobody is computing a metric of the test before.

        Some background work of the test before may hold a table while it asks for the next, or for long where the
        machine is busy: then it is tried again.
        """
        for _ in range(5):
            try:
                self._clear()
            except OperationalError as error:
                if not isinstance(error.orig, DeadlockDetected | LockNotAvailable):
                    raise
            else:
                return
        self._clear()

    def _clear(self) -> None:
        with self.database.begin() as connection:
            # Whoever looks at the facts of the test before is done with them.
            connection.execute(text("SELECT FROM cursors WHERE name = 'fairness' FOR UPDATE"))
            enter_ledger(connection, gate_key(self.database.schema), alone=True)
            connection.execute(
                text(
                    "TRUNCATE fact, tally, touch, first_touch, patron, metric_version, uncounted, standard, goal,"
                    " key_result, objective, work_rule, special_day, industry_template, coaching_rule, coaching_task,"
                    " fairness_rule, flag"
                )
            )
            connection.execute(text("UPDATE calendar SET library = library + 1, rules = rules + 1"))
            connection.execute(
                text("UPDATE standard_version SET version = version + 1, changed_at = '2000-01-01Z'")
            )

    def rows(self) -> int:
        """A number that changes when any row of goals does."""
        tables = (
            *("fact", "tally", "touch", "first_touch", "patron", "metric_version", "standard", "goal"),
            *(
                "objective",
                "probation",
                "placement",
                "work_rule",
                "special_day",
                "industry_template",
                "coaching_rule",
                "coaching_task",
                "fairness_rule",
                "flag",
            ),
            "requests",
        )
        with self.database.read() as connection:
            return sum(
                hash(
                    connection.execute(
                        text(f"SELECT md5(string_agg(r::text, '' ORDER BY r::text)) FROM {table} r")
                    ).scalar_one()
                )
                for table in tables
            )

    def add_people(self, people: Sequence[str], parent: str = "shanghai-sales", **fields: Any) -> None:
        self.tell(*({"person_changed": self.person(each, parent, **fields)} for each in people))

    def person(self, id: str, parent: str, job_role: str = "sales", **fields: Any) -> directory_pb2.Person:
        return directory_pb2.Person(
            id=id,
            parent_id=parent,
            name=id,
            employee_number=f"E-{id}",
            job_role=job_role,
            status=directory_pb2.PERSON_STATUS_ACTIVE,
            **fields,
        )

    def node(self, id: str, parent: str, kind: int, zone: str = "") -> directory_pb2.Node:
        return directory_pb2.Node(id=id, parent_id=parent, kind=kind, name=id, time_zone=zone)  # type: ignore[arg-type]  # a plain int serves

    def close(self) -> None:
        for channel in self._channels.values():
            channel.close()
        self.server.stop(grace=2)
        self._identity.stop()

    def _tell_everything(self) -> None:
        kinds = directory_pb2.NodeKind
        events: list[dict[str, Any]] = [
            {"node_changed": self.node(id, parent, kind, zone)}
            for id, parent, kind, zone in (
                ("hq", "", kinds.NODE_KIND_ENTERPRISE, ""),
                ("shanghai", "hq", kinds.NODE_KIND_BRANCH, "Asia/Shanghai"),
                ("beijing", "hq", kinds.NODE_KIND_BRANCH, ""),
                ("shanghai-sales", "shanghai", kinds.NODE_KIND_DEPARTMENT, ""),
                ("shanghai-key", "shanghai", kinds.NODE_KIND_DEPARTMENT, ""),
                ("beijing-sales", "beijing", kinds.NODE_KIND_DEPARTMENT, ""),
            )
        ]
        for id, (name, permissions) in BUILT_IN.items():
            role = access_pb2.Role(id=id, name=name, permissions=sorted(permissions), built_in=True)
            events.append({"role_changed": role})
        probation = {"probation_start": day(date(2025, 1, 6)), "probation_end": day(date(2025, 6, 30))}
        for id, (parent, job_role) in PEOPLE.items():
            more = probation if job_role == "sales" and id != "chen" else {}
            events.append({"person_changed": self.person(id, parent, job_role, **more)})
        events.extend(
            {"service_account_changed": access_pb2.ServiceAccount(id=account, name=account)}
            for account in ("crm", "operator")
        )
        for number, (role_id, subject, node) in enumerate(BINDINGS):
            binding = access_pb2.Binding(id=f"b{number}", role_id=role_id, subject_id=subject, node_id=node)
            events.append({"binding_added": binding})
        self.tell(*events)

"""From a fact answered by goals to the money readable in incentives, idle and at half the ingest load."""

import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any

import grpc
import psycopg
from foothold.goals.v1 import facts_pb2, facts_pb2_grpc
from google.protobuf.timestamp_pb2 import Timestamp
from sqlalchemy import make_url

from access import TokenIssuer, load_private
from access.tokens import generate_keys
from benchmarks import goals_stage, incentives_stage
from benchmarks.baselines import echo, postgres
from benchmarks.figures import Figure, seconds
from benchmarks.incentives_reads import agree
from chassis.database import migrate, provision, schema_of

_PEOPLE = 1_000
_FACTS = 100
_BATCH = 500
_LONGEST = 30
_ROUND = 10
_READ = "SELECT figures->>'emails_sent' FROM statement WHERE period_kind = 2 AND first_day = %s AND person_id = %s"
_HEAD = "SELECT position, EXISTS (SELECT FROM outbox_batch WHERE first_position IS NULL) FROM outbox_head"
_Connection = psycopg.Connection[tuple[Any, ...]]


def measure() -> Iterator[Figure]:
    """Both services on one database server, each in its own process."""
    with ExitStack() as stack:
        urls = _databases(stack)
        stub, crm = _services(stack, urls)
        reader = stack.enter_context(psycopg.connect(_plain(urls["incentives"]), autocommit=True))
        bare = _bare(stack, urls)
        goals_tables = stack.enter_context(psycopg.connect(_plain(urls["goals"]), autocommit=True))
        probe = _Probe(stub, crm, reader)
        probe.lag()
        yield _figure(
            "idle", _lags(probe), bare, None, "two commits and a page of figures computed in Python"
        )
        work = goals_stage.Work(_PEOPLE - 1, "load")

        def load() -> None:
            request = facts_pb2.RecordFactsRequest(facts=work.batch(_BATCH))
            stub.RecordFacts(request, metadata=goals_stage.bearer(crm), timeout=60)

        load()
        alone = statistics.median(seconds(load) for _ in range(6))
        _drain(goals_tables, reader)
        chain = _seconds_a_batch(load, goals_tables, reader)
        for claim, pause, goal in (
            ("at half the ingest load", alone, 6),
            ("at half of what goals and incentives together sustain", 2 * chain - alone, 6),
        ):
            _drain(goals_tables, reader)
            with _loading(load, pause):
                lags = _lags(probe)
            rate = f"{_BATCH / (alone + pause):,.0f} facts/s, each of another person, beside it"
            bound = (
                f"each fact told of another person is an event of its own, and {_BATCH / chain:,.0f} a second are"
                " followed from goals' tables to incentives'"
            )
            yield _figure(f"{claim} ({rate})", lags, bare, goal, bound)


def _lags(probe: "_Probe") -> list[float]:
    """As many as fit into the time there is, sorted; the last one may be unanswered, and counts as it stands."""
    until = time.monotonic() + _LONGEST
    lags: list[float] = []
    while len(lags) < _FACTS and time.monotonic() < until:
        lags.append(probe.lag(until))
    return sorted(lags)


def _drain(goals: _Connection, incentives: _Connection) -> None:
    """Wait until incentives has followed all that goals told.

    A newcomer's figures would not show it: an event carries them as they are when it is read, so an early one
    brings late facts along.
    """
    while True:
        told = goals.execute(_HEAD).fetchone()
        at = incentives.execute("SELECT position, false FROM cursors WHERE name = 'goals'").fetchone()
        if told == at:
            return
        time.sleep(0.005)


def _seconds_a_batch(load: Callable[[], None], goals: _Connection, incentives: _Connection) -> float:
    """How long the two take over a batch, told and followed, when one comes right after the other."""

    def told() -> None:
        for _ in range(_ROUND):
            load()
        _drain(goals, incentives)

    return statistics.median(seconds(told) / _ROUND for _ in range(3))


@contextmanager
def _loading(load: Callable[[], None], pause: float) -> Iterator[None]:
    """Batches one after another, with a pause between, for as long as the block lasts."""
    stop = threading.Event()

    def keep_loading() -> None:
        while not stop.wait(pause):
            load()

    thread = threading.Thread(target=keep_loading)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _databases(stack: ExitStack) -> dict[str, str]:
    """A database with both services' people and nothing else."""
    urls = provision(stack.enter_context(postgres()), ["goals", "incentives"])
    for name, filled in (("goals", goals_stage.fill), ("incentives", incentives_stage.fill)):
        migrate(urls[name], schema=schema_of(name), package=f"services.{name}")
        with psycopg.connect(_plain(urls[name])) as connection:
            filled(connection, _PEOPLE)
            if name == "incentives":
                connection.execute("TRUNCATE statement")
    return urls


def _services(stack: ExitStack, urls: dict[str, str]) -> tuple[facts_pb2_grpc.FactsServiceStub, str]:
    """Both started, with a plan for everybody: goals' facts, and the token of a CRM."""
    private, public = generate_keys()
    issuer, hours = TokenIssuer(load_private(private)), timedelta(hours=3)

    def start(name: str, *more: str) -> str:
        component = issuer.component(name, lifetime=hours)
        command = [sys.executable, "-m", f"benchmarks.{name}_stage", urls[name], component, *more]
        server = stack.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
        stack.callback(server.terminate)
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(public.encode())
        server.stdin.close()
        return f"127.0.0.1:{int(server.stdout.readline())}"

    goals = start("goals")
    incentives = start("incentives", goals)
    hr, second = (issuer.person(each, session_id="s", lifetime=hours)[0] for each in ("hr", "second"))
    with grpc.insecure_channel(incentives) as channel:
        agree(incentives_stage.Stage(incentives, "", _plain(urls["incentives"]), "", hr, second), channel)
    stub = facts_pb2_grpc.FactsServiceStub(stack.enter_context(grpc.insecure_channel(goals)))
    return stub, issuer.service_account("crm", lifetime=hours)[0]


def _bare(stack: ExitStack, urls: dict[str, str]) -> float:
    """An echo and a commit."""
    say = stack.enter_context(echo())
    writer = stack.enter_context(psycopg.connect(_plain(urls["goals"]), autocommit=True))
    writer.execute("CREATE TABLE bench_commit (n bigint)")
    echoed = statistics.median(seconds(lambda: say(b"x")) for _ in range(500))
    insert = "INSERT INTO bench_commit VALUES (1)"
    return echoed + statistics.median(seconds(lambda: writer.execute(insert)) for _ in range(200))


def _plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


class _Probe:
    """One newcomer's e-mails: told to goals, awaited in incentives."""

    def __init__(
        self,
        stub: facts_pb2_grpc.FactsServiceStub,
        token: str,
        reader: _Connection,
    ) -> None:
        self._stub = stub
        self._metadata = goals_stage.bearer(token)
        self._reader = reader
        self._told = 0

    def lag(self, until: float = float("inf")) -> float:
        """Seconds from goals' answer until the statement holds the fact; given up at `until`, monotonic."""
        self._told += 1
        fact = facts_pb2.Fact(
            source="probe",
            external_id=f"E-{self._told}",
            kind=facts_pb2.FACT_KIND_EMAIL,
            person_id="p000999",
            occurred_at=Timestamp(seconds=int(time.time())),
        )
        self._stub.RecordFact(facts_pb2.RecordFactRequest(fact=fact), metadata=self._metadata, timeout=30)
        began = time.perf_counter()
        while self._emails() < self._told and time.monotonic() < until:
            # Asked without a pause, two cores would do little else: a fiftieth of the wait is exact enough.
            time.sleep(max(0.0002, (time.perf_counter() - began) / 50))
        return time.perf_counter() - began

    def _emails(self) -> int:
        found = self._reader.execute(_READ, [incentives_stage.MONTH, "p000999"], prepare=True).fetchone()
        return int(found[0] or 0) if found else 0


def _figure(when: str, lags: list[float], bare: float, goal: float | None, bound_by: str) -> Figure:
    p50, p99 = lags[len(lags) // 2], lags[int(len(lags) * 0.99)]
    return Figure(
        "incentives",
        f"a fact answered by goals until its money is readable, {when}, against an echo and a commit (p50)",
        p50 / bare,
        f"p50 {p50 * 1e3:.1f} ms, p99 {p99 * 1e3:.1f} ms ({p99 / bare:.1f} ×, goal 30 ×) against {bare * 1e3:.1f} ms,"
        f" {len(lags)} facts",
        at_most=goal,
        bound_by=bound_by,
    )

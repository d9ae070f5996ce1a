"""Goals in a process of its own, with as many newcomers as asked for."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import grpc
import psycopg
from foothold.goals.v1 import facts_pb2
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.money_pb2 import Money
from pydantic import SecretStr
from sqlalchemy import make_url

from access import TokenIssuer, load_private
from access.tokens import generate_keys
from benchmarks.baselines import postgres
from chassis import logs
from chassis.clock import SystemClock
from chassis.database import migrate, provision, schema_of
from chassis.server import Server

_DEPARTMENT = 100
# What happens in a day's work, by weight.
_KINDS = (1, 1, 1, 1, 6, 6, 2, 7, 8, 3)


@dataclass(frozen=True)
class Stage:
    """Where the server is, and the tokens of an integrator, of a newcomer and of whoever sets the goals."""

    address: str
    url: str
    crm: str
    newcomer: str
    planner: str


@contextmanager
def stage(people: int, *, departments: int = 0) -> Iterator[Stage]:
    """A running service. `p000000` and so on are newcomers, a hundred to a department where no number is given."""
    private, public = generate_keys()
    issuer = TokenIssuer(load_private(private))
    hours = timedelta(hours=3)
    with postgres() as admin_url:
        url = provision(admin_url, ["goals"])["goals"]
        migrate(url, schema=schema_of("goals"), package="services.goals")
        plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(plain) as connection:
            fill(connection, people, departments)
        with psycopg.connect(plain, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
        command = [
            sys.executable,
            "-m",
            "benchmarks.goals_stage",
            url,
            issuer.component("goals", lifetime=hours),
        ]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
            assert server.stdin is not None
            assert server.stdout is not None
            server.stdin.write(public.encode())
            server.stdin.close()
            address = f"127.0.0.1:{int(server.stdout.readline())}"
            crm, _ = issuer.service_account("crm", lifetime=hours)
            newcomer, _ = issuer.person("p000007", session_id="s", lifetime=hours)
            planner, _ = issuer.service_account("planner", lifetime=hours)
            try:
                yield Stage(address, plain, crm, newcomer, planner)
            finally:
                server.terminate()


def bearer(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"),)


@contextmanager
def channel_to(address: str) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(address) as channel:
        grpc.channel_ready_future(channel).result(timeout=30)
        yield channel


class Work:
    """Facts of a day's work, never the same twice; spread over the people there are."""

    def __init__(self, people: int, name: str = "crm") -> None:
        self._people = people
        self._source = name
        self._number = 0
        self._now = int(SystemClock().now().timestamp())

    def fact(self) -> facts_pb2.Fact:
        number = self._number = self._number + 1
        kind = _KINDS[number % len(_KINDS)]
        fact = facts_pb2.Fact(
            source=self._source,
            external_id=f"E-{number:09}",
            kind=kind,  # type: ignore[arg-type]  # a plain int serves
            person_id=f"p{number * 7919 % self._people:06}",
            occurred_at=Timestamp(seconds=self._now - 2_000_000 + number * 37 % 2_000_000),
            channel="wechat",
            product="standard",
        )
        if kind in {1, 2}:
            fact.customer = f"customer-{number * 31 % 5000}"
        if kind == 2:
            fact.amount.CopyFrom(Money(currency_code="CNY", units=number % 9000))
        if kind in {1, 8}:
            fact.minutes = number % 50 + 1
        return fact

    def batch(self, size: int) -> list[facts_pb2.Fact]:
        return [self.fact() for _ in range(size)]


def fill(connection: psycopg.Connection[tuple[object, ...]], people: int, departments: int = 0) -> None:
    departments = departments or max(1, people // _DEPARTMENT)
    nodes = (
        "INSERT INTO directory_node (id, parent_id, kind, name, zone, effective_zone, ancestors, position)"
    )
    zone = "'Asia/Shanghai'"
    connection.execute(f"{nodes} VALUES ('hq', '', 1, '总部', '', {zone}, '{{hq}}', 1)")
    connection.execute(
        f"{nodes} SELECT 'b' || n, 'hq', 2, '分公司' || n, '', {zone}, ARRAY['hq', 'b' || n], 1"
        " FROM generate_series(0, 4) AS n"
    )
    connection.execute(
        f"{nodes} SELECT 'd' || n, 'b' || n % 5, 3, '部门' || n, '', {zone}, ARRAY['hq', 'b' || n % 5, 'd' || n], 1"
        f" FROM generate_series(0, {departments - 1}) AS n"
    )
    person = f"""
        SELECT 'p' || lpad(n::text, 6, '0') AS id, 'd' || n % {departments} AS department,
               'b' || n % {departments} % 5 AS branch FROM generate_series(0, {people - 1}) AS n
    """
    connection.execute(
        f"{nodes} SELECT id, department, 4, id, '', {zone}, ARRAY['hq', branch, department, id], 1"
        f" FROM ({person}) AS person"
    )
    connection.execute(f"""
        INSERT INTO directory_person (id, parent_id, name, employee_number, job_role, mentor_id, manager_id,
                                      status, language, position)
        SELECT id, department, '同学' || id, id, 'sales', '', '', 1, '', 1 FROM ({person}) AS person
    """)
    connection.execute("""
        INSERT INTO directory_role (id, name, permissions, built_in, position) VALUES
            ('integrator', '集成', '{goals.facts.record,goals.facts.read}', true, 1),
            ('salesperson', '销售', '{goals.facts.record,goals.progress.read}', true, 1),
            ('planner', '目标', '{goals.targets.read,goals.targets.write,goals.progress.read,goals.metrics.read,'
                                'goals.metrics.write}', false, 1)
    """)
    connection.execute("""
        INSERT INTO directory_binding (id, role_id, subject_id, node_id, granted_by, removed, position) VALUES
            ('b1', 'integrator', 'crm', 'hq', '', false, 1),
            ('b2', 'salesperson', 'p000007', 'p000007', '', false, 1),
            ('b3', 'planner', 'planner', 'hq', '', false, 1)
    """)
    connection.execute(
        "INSERT INTO directory_service_account (id, name, disabled, position) VALUES ('crm', 'CRM', false, 1),"
        " ('planner', '目标', false, 1)"
    )
    connection.execute("""
        INSERT INTO standard (id, node_id, subject, parameter, numerator, denominator, unit, effective_from, reason,
                              author_id, recorded_at)
        VALUES ('t1', 'hq', 'sales', 'customers_followed/3', 20, 1, 1, '2020-01-01', '', 'hr', now()),
               ('t2', 'hq', 'sales', 'close_rate/3', 10, 100, 2, '2020-01-01', '', 'hr', now()),
               ('t3', 'hq', 'sales', 'revenue/3', 5000000, 1, 3, '2020-01-01', '', 'hr', now()),
               ('t4', 'hq', 'sales', 'customers_followed/2', 8, 1, 1, '2020-01-01', '', 'hr', now())
    """)
    connection.execute("UPDATE standard_version SET version = 1")
    connection.execute("UPDATE directory_position SET position = 1")


def _serve(url: str, component: str) -> None:
    from services.goals.service import Settings, build

    logs.configure("goals", level="ERROR")
    settings = Settings(
        database_url=SecretStr(url),
        verifying_keys=sys.stdin.read(),
        component_token=SecretStr(component),
        identity_address="127.0.0.1:9",
    )
    server = Server(build(settings), workers=72)
    print(server.start(), flush=True)
    import threading

    threading.Event().wait()


if __name__ == "__main__":
    _serve(*sys.argv[1:])

"""Incentives in a process of its own, with as many people and statements as asked for."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import grpc
import psycopg
from pydantic import SecretStr
from sqlalchemy import make_url

from access import TokenIssuer, load_private
from access.tokens import generate_keys
from benchmarks.baselines import postgres
from chassis import logs
from chassis.database import migrate, provision, schema_of
from chassis.server import Server

PEOPLE = 100_000
TODAY = datetime.now(UTC).date()
MONTH = TODAY.replace(day=1)
WEEK = TODAY - timedelta(days=TODAY.weekday())
_DEPARTMENT = 100


@dataclass(frozen=True)
class Stage:
    """Where the server is, and who calls."""

    address: str
    admin_url: str
    url: str
    newcomer: str
    hr: str
    second: str


@contextmanager
def stage(people: int = PEOPLE, *, goals: str = "127.0.0.1:9") -> Iterator[Stage]:
    """A running service. `p000000` and so on are newcomers with figures for this week and month."""
    private, public = generate_keys()
    issuer = TokenIssuer(load_private(private))
    with postgres() as admin_url:
        url = provision(admin_url, ["incentives"])["incentives"]
        migrate(url, schema=schema_of("incentives"), package="services.incentives")
        plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(plain) as connection:
            fill(connection, people)
        with psycopg.connect(plain, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
        component = issuer.component("incentives", lifetime=timedelta(hours=3))
        command = [sys.executable, "-m", "benchmarks.incentives_stage", url, component, goals]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
            assert server.stdin is not None
            assert server.stdout is not None
            server.stdin.write(public.encode())
            server.stdin.close()
            address = f"127.0.0.1:{int(server.stdout.readline())}"
            newcomer, _ = issuer.person("p000777", session_id="s", lifetime=timedelta(hours=3))
            hr, _ = issuer.person("hr", session_id="s", lifetime=timedelta(hours=3))
            second, _ = issuer.person("second", session_id="s", lifetime=timedelta(hours=3))
            yield Stage(address, admin_url, plain, newcomer, hr, second)
            server.terminate()


def bearer(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"),)


def ready(channel: grpc.Channel) -> None:
    grpc.channel_ready_future(channel).result(timeout=30)


def fill(connection: psycopg.Connection[tuple[object, ...]], people: int) -> None:
    departments = max(1, people // _DEPARTMENT)
    connection.execute(
        """
        INSERT INTO directory_node (id, parent_id, kind, name, zone, effective_zone, ancestors, position)
        VALUES ('hq', '', 1, '总部', 'UTC', 'UTC', '{hq}', 1)
        """
    )
    connection.execute(
        """
        INSERT INTO directory_node (id, parent_id, kind, name, zone, effective_zone, ancestors, position)
        SELECT 'b' || n, 'hq', 2, '分公司' || n, '', 'UTC', ARRAY['hq', 'b' || n], 1 FROM generate_series(0, 4) AS n
        """
    )
    connection.execute(
        """
        INSERT INTO directory_node (id, parent_id, kind, name, zone, effective_zone, ancestors, position)
        SELECT 'd' || n, 'b' || n %% 5, 3, '部门' || n, '', 'UTC', ARRAY['hq', 'b' || n %% 5, 'd' || n], 1
        FROM generate_series(0, %s - 1) AS n
        """,
        [departments],
    )
    connection.execute(
        """
        WITH person AS (
            SELECT 'p' || lpad(n::text, 6, '0') AS id, 'd' || n %% %(departments)s AS department,
                   'b' || n %% %(departments)s %% 5 AS branch, 'sales' AS role
            FROM generate_series(0, %(people)s - 1) AS n
            UNION ALL SELECT id, 'd0', 'b0', 'hr' FROM unnest('{hr,second}'::text[]) AS id
        ), leaf AS (
            INSERT INTO directory_node (id, parent_id, kind, name, zone, effective_zone, ancestors, position)
            SELECT id, department, 4, id, '', 'UTC', ARRAY['hq', branch, department, id], 1 FROM person
        )
        INSERT INTO directory_person (id, parent_id, name, employee_number, job_role, mentor_id, manager_id,
                                      status, language, position)
        SELECT id, department, '同学' || id, id, role, '', '', 1, '', 1 FROM person
        """,
        {"people": people, "departments": departments},
    )
    connection.execute(
        """
        INSERT INTO directory_role (id, name, permissions, built_in, position) VALUES
            ('salesperson', '销售', '{incentives.statements.read,incentives.boards.read}', true, 1),
            ('hr', '人事', ARRAY['incentives.plans.write', 'incentives.plans.approve',
             'incentives.plans.read', 'incentives.feed.read'], true, 1)
        """
    )
    connection.execute(
        """
        INSERT INTO directory_binding (id, role_id, subject_id, node_id, granted_by, removed, position) VALUES
            ('b1', 'salesperson', 'p000777', 'p000777', '', false, 1), ('b2', 'hr', 'hr', 'hq', '', false, 1),
            ('b3', 'hr', 'second', 'hq', '', false, 1)
        """
    )
    connection.execute("UPDATE directory_position SET position = 1")
    connection.execute(
        """
        INSERT INTO statement (period_kind, first_day, person_id, figures, as_of, goals_position, plan_id, total,
                               amounts)
        SELECT kind, CASE kind WHEN 1 THEN %(week)s::date ELSE %(month)s::date END, 'p' || lpad(n::text, 6, '0'),
               jsonb_build_object('customers_followed', 5 + n %% 97, 'new_customers', n %% 13,
                                  'deals_won', 1 + n %% 7, 'emails_sent', 1 + n %% 31),
               now(), 1, '', 0, '{}'
        FROM generate_series(0, %(people)s - 1) AS n, generate_series(1, 2) AS kind
        """,
        {"people": people, "week": WEEK, "month": MONTH},
    )


def _serve(url: str, component: str, goals: str) -> None:
    from services.incentives.service import Settings, build

    logs.configure("incentives", level="ERROR")
    settings = Settings(
        database_url=SecretStr(url),
        verifying_keys=sys.stdin.read(),
        component_token=SecretStr(component),
        identity_address="127.0.0.1:9",
        goals_address=goals,
        training_address="127.0.0.1:9",
    )
    server = Server(build(settings))
    port = server.start()
    deadline = time.monotonic() + 60
    while server.problems and time.monotonic() < deadline:
        time.sleep(0.05)
    print(port, flush=True)
    server.wait()


def day_after(day: date, days: int) -> date:
    return day + timedelta(days=days)


if __name__ == "__main__":
    _serve(*sys.argv[1:4])

"""What `foothold doctor` looks at, one finding each, with a remedy where something is wrong."""

import email.utils
import os
import shutil
import sys
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

import grpc
import psycopg
from foothold.goals.v1 import facts_pb2, facts_pb2_grpc
from sqlalchemy import exc

from chassis.database import pending, schema_of
from chassis.errors import from_rpc_error
from launcher.exits import Stop
from launcher.folder import DataFolder, Running, default_folder
from launcher.following import following, heads
from launcher.reaching import Reached, named
from launcher.ready import grpc_problem, web_problem
from launcher.targets import SERVICES

_OLDEST_PYTHON: Final = (3, 11)
_LEAST_FREE: Final = 1024**3
_LARGEST_SKEW: Final = timedelta(seconds=5)
_LARGEST_LAG: Final = 1_000


class Finding(NamedTuple):
    """One thing looked at: what it is, whether it is well, what was seen, and what to do."""

    check: str
    well: bool
    told: str
    remedy: str = ""


def examine(addresses: Sequence[str], token: str | None, data: Path | None) -> Iterator[Finding]:
    """Every finding, in the order of what depends on what."""
    yield _python()
    at = named(addresses, os.environ)
    if at:
        if not token:
            yield Finding(
                "token", well=False, told="none was given", remedy="set FOOTHOLD_TOKEN, or give --token"
            )
            return
        with Reached(at, token) as platform:
            yield from _services(platform)
        return
    folder = DataFolder(data or default_folder())
    yield from _folder(folder)
    running = folder.running()
    if running is None:
        told = f"nothing runs on {folder.path}"
        yield Finding(
            "platform",
            well=False,
            told=told,
            remedy="start it with foothold serve, or name another one with --address",
        )
        return
    yield Finding(
        "platform", well=True, told=f"{running.shape}, process {running.pid}, {running.web or 'no web'}"
    )
    yield from _database(running)
    with Reached(running.addresses, token or folder.operator_token) as platform:
        yield from _services(platform)
    if running.web:
        yield from _web(running.web)


def _python() -> Finding:
    found = ".".join(str(part) for part in sys.version_info[:3])
    well = sys.version_info >= _OLDEST_PYTHON
    return Finding("python", well, found, "Foothold needs Python 3.11 or newer")


def _folder(folder: DataFolder) -> Iterator[Finding]:
    at = folder.path
    while not at.exists():
        at = at.parent
    free = shutil.disk_usage(at).free
    remedy = f"free some space on the disk of {folder.path}, or choose another folder with --data"
    yield Finding("disk", free >= _LEAST_FREE, f"{free // 1024**2:,} MiB free", remedy)
    if folder.secrets.exists():
        open_to_all = [path.name for path in folder.secrets.iterdir() if path.stat().st_mode & 0o077]
        told = f"open to others: {', '.join(open_to_all)}" if open_to_all else "readable by their owner only"
        yield Finding("secrets", not open_to_all, told, f"chmod 600 {folder.secrets}/*")


def _database(running: Running) -> Iterator[Finding]:
    remedy = "look into database/postgres.log in the data folder, or at your database server"
    try:
        with psycopg.connect(running.database, connect_timeout=5) as connection:
            row = connection.execute("SELECT now(), current_setting('server_version')").fetchone()
    except psycopg.Error as error:
        yield Finding("database", well=False, told=type(error).__name__, remedy=remedy)
        return
    assert row is not None  # noqa: S101  a function always answers
    yield Finding("database", well=True, told=f"PostgreSQL {row[1]} answers")
    yield _skew("database clock", row[0])
    for name in SERVICES:
        try:
            behind = pending(running.database, schema=schema_of(name), package=f"services.{name}")
        except exc.SQLAlchemyError as error:
            yield Finding(
                f"migrations of {name}", well=False, told=type(error).__name__, remedy="foothold migrate"
            )
            continue
        told = "behind the program" if behind else "up to date"
        yield Finding(f"migrations of {name}", not behind, told, "stop the platform and run foothold migrate")


def _skew(check: str, there: datetime) -> Finding:
    skew = abs(there - datetime.now(UTC))
    told = f"{skew.total_seconds():.0f} s apart from this machine"
    return Finding(check, skew <= _LARGEST_SKEW, told, "synchronise the clocks (NTP): periods depend on them")


def _services(platform: Reached) -> Iterator[Finding]:
    for name, address in platform.addresses.items():
        problem = grpc_problem(address)
        told = f"{address} {problem or 'SERVING'}"
        yield Finding(name, problem is None, told, f"look for {name} in the log; is its database there?")
    if set(SERVICES) <= set(platform.addresses):
        yield from _asked("feeds", lambda: _feeds(platform))
    if "goals" in platform.addresses:
        yield from _asked("ledger", lambda: _ledger(platform))


def _asked(check: str, look: Callable[[], list[Finding]]) -> list[Finding]:
    try:
        return look()
    except (grpc.RpcError, Stop) as error:
        told = str(from_rpc_error(error)) if isinstance(error, grpc.RpcError) else error.message
        return [
            Finding(
                check, well=False, told=told, remedy="is the token an operator's? see foothold token operator"
            )
        ]


def _feeds(platform: Reached) -> list[Finding]:
    newest = heads(platform)
    found = []
    for (service, feed), (position, seen) in following(platform).items():
        lag = max(newest.get(feed, seen), seen) - position
        told = f"{lag} events behind" if lag else "caught up"
        remedy = f"wait a moment; if it stays, look for {service} in the log"
        found.append(Finding(f"{service} follows {feed}", lag <= _LARGEST_LAG, told, remedy))
    return found


def _ledger(platform: Reached) -> list[Finding]:
    stub = facts_pb2_grpc.FactsServiceStub(platform.channel("goals"))
    answer = stub.CheckLedger(facts_pb2.CheckLedgerRequest(), timeout=300)
    told = (
        f"{answer.facts_counting:,} facts count of {answer.fact_versions:,} versions; "
        f"{answer.values_differing:,} of {answer.values_checked:,} values differ from a recompute; "
        f"state {answer.state_hash[:16]}"
    )
    return [
        Finding(
            "ledger", answer.values_differing == 0, told, "this is a defect of Foothold: please report it"
        )
    ]


def _web(url: str) -> Iterator[Finding]:
    problem = web_problem(url)
    yield Finding("gateway", problem is None, f"{url} {problem or 'ready'}", "look for gateway in the log")
    if problem is None:
        with urllib.request.urlopen(f"{url}/healthz", timeout=5) as answer:  # noqa: S310  our own http URL
            told = answer.headers.get("Date")
        if told:
            yield _skew("gateway clock", email.utils.parsedate_to_datetime(told))

"""Alembic without its ini files and env.py: a service has a package of revisions, nothing else.

Revisions run in one transaction under an advisory lock, so that replicas starting together upgrade once.
"""

import importlib
import threading
import time
import zlib
from pathlib import Path
from typing import Any, Final, Protocol

import psycopg
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, exc, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

_VERSION_TABLE: Final = "alembic_version"
_ATTEMPTS: Final = 5
# A DDL statement queued behind a long read blocks everybody behind itself: give up soon, and try again.
_LOCK_TIMEOUT: Final = "3s"
# Alembic's `op` is a module global.
_one_at_a_time = threading.Lock()


class Operations(Protocol):
    """What is used of `alembic.op`, a module that stands for the migration under way."""

    def execute(self, sqltext: str, /) -> None: ...


def migrate(url: str, *, schema: str, package: str) -> None:
    """Bring `schema` to the newest revision in `<package>.migrations`; nothing to do is fine.

    Waits up to two minutes for another process that is migrating. A revision that cannot get its table
    locks within 3 s is rolled back and tried again, five times in all.
    """
    script = _revisions(package)
    engine = create_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        poolclass=NullPool,
        connect_args={"options": f"-c search_path={schema} -c timezone=UTC", "connect_timeout": 5},
    )
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with _one_at_a_time, engine.begin() as connection:
                _upgrade(connection, script, schema)
        except exc.OperationalError as error:
            if not isinstance(error.orig, psycopg.errors.LockNotAvailable) or attempt == _ATTEMPTS:
                raise
            time.sleep(attempt)
        else:
            return


def pending(url: str, *, schema: str, package: str) -> bool:
    """Whether `schema` is behind the newest revision in `<package>.migrations`."""
    head = _revisions(package).get_current_head()
    engine = create_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        poolclass=NullPool,
        connect_args={"options": f"-c search_path={schema}", "connect_timeout": 5},
    )
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table_schema": schema})
        return context.get_current_revision() != head


def _upgrade(connection: Connection, script: ScriptDirectory, schema: str) -> None:
    connection.execute(text("SET LOCAL lock_timeout = '120s'"))
    key = zlib.crc32(f"foothold migrate {schema}".encode())
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
    connection.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'"))

    def steps(revision: Any, _context: MigrationContext) -> Any:
        return script._upgrade_revs("head", revision)  # noqa: SLF001  as alembic.command.upgrade does

    with EnvironmentContext(Config(), script, fn=steps) as environment:
        environment.configure(
            connection=connection, version_table=_VERSION_TABLE, version_table_schema=schema
        )
        with environment.begin_transaction():
            environment.run_migrations()


def _revisions(package: str) -> ScriptDirectory:
    module = importlib.import_module(f"{package}.migrations")
    folder = str(Path(next(iter(module.__path__))))
    return ScriptDirectory(folder, version_locations=[folder])

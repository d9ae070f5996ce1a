"""What every test can ask for; tests/README.md says how to use it."""

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest
from psycopg import sql
from sqlalchemy.engine import make_url

from chassis.database import Database, migrate, provision, schema_of
from chassis.embedded import EmbeddedPostgres

_numbers = itertools.count(1)


class ServiceDatabase(NamedTuple):
    """A service's own schema in a fresh database; `url` is the service's role, `admin_url` a superuser."""

    url: str
    schema: str
    admin_url: str
    database: Database


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The administrator's URL of a real PostgreSQL that lives as long as the run.

    `FOOTHOLD_TEST_POSTGRES` names another server to use instead of the embedded one.
    """
    outside = os.environ.get("FOOTHOLD_TEST_POSTGRES")
    if outside:
        yield outside
        return
    server = EmbeddedPostgres(tmp_path_factory.mktemp("postgres"))
    yield server.start()
    server.stop()


@pytest.fixture(scope="session")
def fresh_database(postgres: str) -> Callable[[], str]:
    """Makes an empty database and returns its administrator's URL. Dropped with `drop_database`."""

    def make() -> str:
        name = f"foothold_test_{os.getpid()}_{next(_numbers)}"
        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE template0 STRATEGY file_copy").format(
                    sql.Identifier(name)
                )
            )
        return make_url(postgres).set(database=name).render_as_string(hide_password=False)

    return make


def drop_database(admin_url: str) -> None:
    url = make_url(admin_url)
    name = url.database or ""
    elsewhere = url.set(database="postgres").render_as_string(hide_password=False)
    with psycopg.connect(elsewhere, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="module")
def admin_url(fresh_database: Callable[[], str]) -> Iterator[str]:
    """The administrator's URL of an empty database that this test module has for itself."""
    url = fresh_database()
    yield url
    drop_database(url)


@pytest.fixture(scope="module")
def database_for(admin_url: str) -> Iterator[Callable[[str], ServiceDatabase]]:
    """`database_for("goals")`: that service's schema and role in this module's database, migrated."""
    made: dict[str, ServiceDatabase] = {}

    def database(service: str) -> ServiceDatabase:
        if service not in made:
            url = provision(admin_url, [service])[service]
            schema = schema_of(service)
            if (Path(__file__).parents[1] / "services" / service / "migrations").is_dir():
                migrate(url, schema=schema, package=f"services.{service}")
            made[service] = ServiceDatabase(url, schema, admin_url, Database(url, schema=schema))
        return made[service]

    yield database
    for each in made.values():
        each.database.close()

"""Transactions are what they say, schemas are closed to each other, and outages pass."""

import threading
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import InternalError, OperationalError, ProgrammingError

from chassis.database import Database, migrate, pending, provision, schema_of, unawaited
from chassis.embedded import EmbeddedPostgres
from chassis.errors import Unavailable
from tests.conftest import ServiceDatabase

PACKAGE = "tests.chassis.bakery_package"


def test_a_write_is_committed_at_the_end_and_rolled_back_on_an_exception(bakery: Database) -> None:
    with bakery.begin() as connection:
        connection.execute(text("INSERT INTO loaves VALUES (1, 'rye', '')"))

    def fail() -> None:
        with bakery.begin() as connection:
            connection.execute(text("INSERT INTO loaves VALUES (2, 'oat', '')"))
            raise ValueError("burnt")

    with pytest.raises(ValueError, match="burnt"):
        fail()
    with bakery.read() as connection:
        assert connection.execute(text("SELECT array_agg(kind) FROM loaves")).scalar_one() == ["rye"]


def test_a_read_sees_one_snapshot_and_cannot_write(bakery: Database) -> None:
    with bakery.read() as reader:
        assert reader.execute(text("SELECT count(*) FROM loaves")).scalar_one() == 0
        with bakery.begin() as writer:
            writer.execute(text("INSERT INTO loaves VALUES (1, 'rye', '')"))
        assert reader.execute(text("SELECT count(*) FROM loaves")).scalar_one() == 0
        with pytest.raises(InternalError, match="read-only"):
            reader.execute(text("DELETE FROM loaves"))


def test_the_session_is_set_up_for_the_schema(bakery: Database) -> None:
    with bakery.read() as connection:
        shown = {
            name: connection.execute(text(f"SHOW {name}")).scalar_one()
            for name in ("search_path", "timezone", "statement_timeout", "lock_timeout", "application_name")
        }
    assert shown == {
        "search_path": "foothold_bakery",
        "timezone": "UTC",
        "statement_timeout": "30s",
        "lock_timeout": "5s",
        "application_name": "foothold foothold_bakery",
    }


def test_an_error_never_shows_its_parameters(bakery: Database) -> None:
    with pytest.raises(ProgrammingError) as failed, bakery.begin() as connection:
        connection.execute(text("SELECT :name FROM nowhere"), {"name": "Alice"})
    assert "Alice" not in str(failed.value)


def test_a_closed_database_stays_closed(database_for: Callable[[str], ServiceDatabase]) -> None:
    made = database_for("bakery")
    database = Database(made.url, schema=made.schema)
    with database.begin():
        database.close()
    assert database.check() == "the database has been closed"
    with pytest.raises(Unavailable), database.read():
        pass


def test_a_service_owns_its_schema_and_sees_no_other(admin_url: str) -> None:
    urls = provision(admin_url, ["bakery", "dairy"])
    assert provision(admin_url, ["bakery", "dairy"]) == urls
    own = Database(urls["bakery"], schema=schema_of("bakery"))
    other = Database(urls["dairy"], schema=schema_of("dairy"))
    with own.begin() as connection:
        connection.execute(text("CREATE TABLE recipes (name text)"))
    for statement in (
        "SELECT * FROM foothold_bakery.recipes",
        "CREATE TABLE foothold_bakery.spy (name text)",
        "CREATE TABLE public.spy (name text)",
        "SET ROLE foothold_bakery",
        "CREATE ROLE spy",
    ):
        with pytest.raises(ProgrammingError, match="permission denied"), other.begin() as connection:
            connection.execute(text(statement))
    with own.begin() as connection:
        connection.execute(text("DROP TABLE recipes"))
    own.close()
    other.close()


def test_a_service_named_to_break_out_of_sql_is_refused(admin_url: str) -> None:
    with pytest.raises(ValueError, match="name"):
        provision(admin_url, ['x"; DROP SCHEMA public'])


def test_over_the_network_every_role_has_a_password(postgres: str, admin_url: str) -> None:
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute("CREATE ROLE brewery_admin LOGIN SUPERUSER PASSWORD 'x'")
    # A password in the URL is what tells a server of one's own from the private socket.
    remote = (
        make_url(admin_url).set(username="brewery_admin", password="x").render_as_string(hide_password=False)
    )
    made = make_url(provision(remote, ["brewery"])["brewery"])
    again = make_url(provision(remote, ["brewery"])["brewery"])
    chosen = make_url(provision(remote, ["brewery"], passwords={"brewery": "chosen"})["brewery"])
    with psycopg.connect(admin_url, autocommit=True) as connection:
        row = connection.execute(
            "SELECT rolpassword FROM pg_authid WHERE rolname = 'foothold_brewery'"
        ).fetchone()
        connection.execute("DROP SCHEMA foothold_brewery CASCADE")
        connection.execute("DROP OWNED BY foothold_brewery")
        connection.execute("DROP ROLE foothold_brewery")
        connection.execute("DROP ROLE brewery_admin")
    assert made.password is not None
    assert len(made.password) >= 40
    assert again.password is None
    assert chosen.password == "chosen"
    assert row is not None
    assert row[0].startswith("SCRAM-SHA-256$")


def test_migrations_run_once_however_many_processes_start(
    database_for: Callable[[str], ServiceDatabase],
) -> None:
    made = database_for("mill")
    assert pending(made.url, schema=made.schema, package=PACKAGE)
    threads = [
        threading.Thread(target=migrate, args=(made.url,), kwargs={"schema": made.schema, "package": PACKAGE})
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not pending(made.url, schema=made.schema, package=PACKAGE)
    with made.database.read() as connection:
        assert connection.execute(text("SELECT name FROM flours ORDER BY name")).scalars().all() == [
            "rye",
            "spelt",
        ]
        version = connection.execute(
            text("SELECT version_num FROM foothold_mill.alembic_version")
        ).scalar_one()
    assert version == "0002"


def test_an_outage_passes_and_connections_come_back(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "data")
    url = server.start()
    database = Database(provision(url, ["bakery"])["bakery"], schema=schema_of("bakery"), pool_size=3)
    with database.begin() as connection:
        connection.execute(text("CREATE TABLE loaves (kind text)"))
        connection.execute(text("INSERT INTO loaves VALUES ('rye')"))
        with database.read(), database.read():
            pass
    server.stop()
    with pytest.raises(OperationalError), database.read():
        pass
    assert database.check() is not None
    server.start()
    for _ in range(5):
        with database.read() as connection:
            assert connection.execute(text("SELECT kind FROM loaves")).scalar_one() == "rye"
    database.close()
    server.stop()


def test_what_is_not_waited_for_is_done_in_order(bakery: Database) -> None:
    count = "SELECT count(*) FROM loaves"
    with bakery.begin() as connection:
        with unawaited(connection) as ask:
            before = ask(count, {})
            connection.exec_driver_sql("INSERT INTO loaves VALUES (1, 'rye', '')")
            between = ask(count, {})
            connection.exec_driver_sql("INSERT INTO loaves VALUES (2, 'oat', '')")
            assert (before(), between()) == ([(0,)], [(1,)])
        assert connection.execute(text(count)).scalar_one() == 2
    with bakery.read() as connection:
        assert connection.execute(text(count)).scalar_one() == 2


def test_what_is_not_waited_for_and_fails_leaves_nothing(bakery: Database) -> None:
    def bake_twice() -> None:
        with bakery.begin() as connection, unawaited(connection):
            for _ in range(2):
                connection.exec_driver_sql("INSERT INTO loaves VALUES (1, 'rye', '')")

    with pytest.raises(psycopg.errors.UniqueViolation):
        bake_twice()
    with bakery.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM loaves")).scalar_one() == 0


def test_a_connection_that_is_lost_while_nobody_waits_is_replaced(bakery: Database) -> None:
    def lose() -> None:
        with bakery.begin() as connection, unawaited(connection) as ask:
            ask("SELECT pg_terminate_backend(pg_backend_pid())", {})()

    for _ in range(2):
        with pytest.raises(OperationalError):
            lose()
    assert bakery.check() is None

"""The one door to PostgreSQL: a pool of connections for one schema.

Transactions are explicit (`begin`, `read`); nothing that writes commits by itself. Outages surface as SQLAlchemy's
OperationalError, which the server answers as UNAVAILABLE, and are over as soon as the database is back.
"""

import select
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, cast

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event, exc, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from chassis import telemetry
from chassis.errors import Unavailable
from chassis.migrations import migrate, pending
from chassis.provisioning import provision, schema_of

__all__ = ["Ask", "Database", "migrate", "pending", "provision", "schema_of", "unawaited", "with_driver"]

_CONNECT_SECONDS: Final = 5
_POOL_WAIT_SECONDS: Final = 5
_IDLE_BEFORE_PING_SECONDS: Final = 30.0
_COMMITTED: Final = "chassis.committed"


def with_driver(url: str) -> URL:
    """A `postgresql://` URL as SQLAlchemy wants it, with psycopg 3 named as the driver."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "postgresql":
        raise ValueError(f"a PostgreSQL URL is needed, not {parsed.get_backend_name()}")
    return parsed.set(drivername="postgresql+psycopg")


class Database:
    """Connections to one schema, at most `pool_size` at a time.

    A statement may take 30 s, wait 5 s for a lock, and a transaction may sit idle for 60 s: a lost caller
    must not hold others up. Callers beyond `pool_size` wait 5 s for a connection, then fail as UNAVAILABLE.
    """

    def __init__(
        self,
        url: str,
        *,
        schema: str,
        pool_size: int = 8,
        application: str | None = None,
        statement_timeout: int = 30_000,
        lock_timeout: int = 5_000,
    ) -> None:
        self.schema = schema
        settings = {
            "search_path": schema,
            "timezone": "UTC",
            "statement_timeout": str(statement_timeout),
            "lock_timeout": str(lock_timeout),
            "idle_in_transaction_session_timeout": "60000",
        }
        self._engine = create_engine(
            with_driver(url),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=_POOL_WAIT_SECONDS,
            pool_use_lifo=True,
            # Parameters are people's data; an exception's text ends up in a log.
            hide_parameters=True,
            connect_args={
                "connect_timeout": _CONNECT_SECONDS,
                "application_name": (application or f"foothold {schema}")[:63],
                "options": " ".join(f"-c {name}={value}" for name, value in settings.items()),
                # A host that vanished without a word is noticed in about a minute, not in two hours.
                "keepalives_idle": 20,
                "keepalives_interval": 5,
                "keepalives_count": 5,
            },
        )
        event.listen(self._engine, "checkin", self._note_idle)
        event.listen(self._engine, "checkout", _refuse_dead)
        telemetry.instrument(self._engine, schema)
        self._reader = self._engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        self._looker = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._closed = False
        self._listeners_lock = threading.Lock()
        self._listeners: tuple[Callable[[], None], ...] = ()

    @property
    def engine(self) -> Engine:
        """For telemetry's event hooks and for COPY; transactions go through `begin` and `read`."""
        return self._engine

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A READ COMMITTED write transaction, committed at the end of the block, rolled back if it raises."""
        self._require_open()
        with self._engine.connect() as connection:
            try:
                with connection.begin():
                    yield connection
            except BaseException:
                if not connection.invalidated:
                    connection.info.pop(_COMMITTED, None)
                raise
            told = connection.info.pop(_COMMITTED, None)
        if told:
            for listener in self._listeners:
                listener()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A REPEATABLE READ, READ ONLY transaction: every statement in it sees the same snapshot."""
        self._require_open()
        with self._reader.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def look(self) -> Iterator[Connection]:
        """For one reading statement, which needs no transaction around it: one round trip in the place of three.

        Whatever is read beside that statement is read as of another moment.
        """
        self._require_open()
        with self._looker.connect() as connection:
            yield connection

    def on_publish(self, listener: Callable[[], None]) -> None:
        """Call `listener` after every commit of a transaction that said `publishes(connection)`."""
        with self._listeners_lock:
            self._listeners = (*self._listeners, listener)

    def check(self) -> str | None:
        """None when the database answers, else why not, without its address. For health."""
        try:
            with self.look() as connection:
                connection.execute(text("SELECT 1"))
        except Unavailable:
            return "the database has been closed"
        except exc.SQLAlchemyError as error:
            return f"the database does not answer ({type(getattr(error, 'orig', None) or error).__name__})"
        return None

    def close(self) -> None:
        """Close the idle connections, those in use when they come back, and open no more."""
        self._closed = True
        self._engine.dispose()

    def _require_open(self) -> None:
        if self._closed:
            raise Unavailable("NOT_READY", "the service is stopping")

    def _note_idle(self, _connection: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
        record.info["idle_since"] = time.monotonic()
        if self._closed:
            record.invalidate()


Ask = Callable[[str, Mapping[str, Any]], Callable[[], list[tuple[Any, ...]]]]
"""Sends a query of the driver's; what it returns waits for the rows."""


@contextmanager
def unawaited(connection: Connection) -> Iterator[Ask]:
    """Statements of the block are sent at once and not waited for: Python and the database work side by side.

    Those with rows go through what the block is given, whose rows are there when everything sent before has been done.
    What fails raises there, or at the end, as psycopg's own error.
    """
    driver = cast("psycopg.Connection[tuple[Any, ...]]", connection.connection.driver_connection)

    def ask(query: str, values: Mapping[str, Any]) -> Callable[[], list[tuple[Any, ...]]]:
        return driver.cursor().execute(query, values).fetchall

    with driver.pipeline():
        yield ask


def publishes(connection: Connection) -> None:
    """Note that this transaction writes events, so that whoever waits for them wakes after its commit."""
    connection.info[_COMMITTED] = True


def _refuse_dead(
    connection: DBAPIConnection, record: ConnectionPoolEntry, _proxy: PoolProxiedConnection
) -> None:
    """Replace a connection whose server has gone before a caller trips over it.

    A server that ends says so on the socket, and an idle connection has nothing else to say: looking at
    the socket costs a microsecond where a ping costs a round trip. A ping is left for long silences.
    """
    raw = cast("psycopg.Connection[Any]", connection)
    idle_since: float | None = record.info.get("idle_since")
    if idle_since is None:
        return
    try:
        spoke = _readable(raw.fileno())
        if spoke or time.monotonic() - idle_since > _IDLE_BEFORE_PING_SECONDS:
            raw.execute("SELECT 1")
            raw.rollback()
    except (psycopg.Error, OSError, ValueError) as error:
        raise exc.InvalidatePoolError("the server has closed this connection") from error


def _readable(descriptor: int) -> bool:
    poller = select.poll()
    poller.register(descriptor, select.POLLIN | select.POLLHUP | select.POLLERR)
    return bool(poller.poll(0))

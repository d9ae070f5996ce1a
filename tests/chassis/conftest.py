"""A schema with every table the chassis makes."""

from collections.abc import Callable, Iterator

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations

from chassis.database import Database
from chassis.feed import batch_outbox, create_cursors, create_newest, create_outbox, create_requests
from tests.conftest import ServiceDatabase


@pytest.fixture
def bakery(database_for: Callable[[str], ServiceDatabase]) -> Iterator[Database]:
    """The empty database of a service no other room knows."""
    made = database_for("bakery")
    with made.database.begin() as connection:
        for table in (
            "outbox_event",
            "outbox_batch",
            "outbox_head",
            "outbox_newest",
            "cursors",
            "requests",
            "loaves",
        ):
            connection.exec_driver_sql(f"DROP TABLE IF EXISTS {table} CASCADE")
        connection.exec_driver_sql("DROP FUNCTION IF EXISTS outbox_of_one")
        op = Operations(MigrationContext.configure(connection))
        create_outbox(op)
        batch_outbox(op)
        create_newest(op)
        create_cursors(op)
        create_requests(op)
        connection.exec_driver_sql(
            "CREATE TABLE loaves (position bigint PRIMARY KEY, kind text, payload bytea)"
        )
    database = Database(made.url, schema=made.schema)
    yield database
    database.close()

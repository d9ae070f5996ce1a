"""What an empty platform begins with, and what is cleared away later."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from foothold.identity.v1 import access_pb2, directory_pb2, feed_pb2, feed_pb2_grpc, sessions_pb2
from sqlalchemy import text

from access.directory import PLATFORM
from chassis.clock import FixedClock, SystemClock
from chassis.database import Database, migrate, provision, schema_of
from chassis.errors import NotFound
from chassis.housekeeping import Housekeeping
from services.identity.domain.roles import BUILT_IN
from services.identity.foundation import VERSION, lay_foundation
from services.identity.housekeeping import chores
from services.identity.store.rights import RightsStore
from tests.conftest import drop_database
from tests.fixtures_identity import Enterprise, found_enterprise, refused, request_id, start_identity


@pytest.fixture
def url(fresh_database: Callable[[], str]) -> Iterator[str]:
    admin_url = fresh_database()
    url = provision(admin_url, ["identity"])["identity"]
    migrate(url, schema=schema_of("identity"), package="services.identity")
    yield url
    drop_database(admin_url)


@pytest.fixture
def empty(url: str) -> Iterator[Enterprise]:
    """Identity as it is on its first day."""
    running = start_identity(url)
    yield running
    running.close()


@pytest.fixture
def database(url: str, empty: Enterprise) -> Iterator[Database]:
    database = Database(url, schema=schema_of("identity"))
    yield database
    database.close()


def events(empty: Enterprise) -> list[feed_pb2.Event]:
    stub = feed_pb2_grpc.FeedServiceStub(empty.channel(empty.component_token("goals")))
    return list(stub.ListEvents(feed_pb2.ListEventsRequest(page_size=2000)).events)


def test_the_first_day(empty: Enterprise, database: Database, url: str) -> None:
    """Roles and the operator are there, nobody else; the operator makes the rest through the public contract."""
    told = events(empty)
    assert {event.role_changed.id for event in told if event.HasField("role_changed")} == set(BUILT_IN)
    assert [
        event.service_account_changed.id for event in told if event.HasField("service_account_changed")
    ] == ["operator"]
    bound = [event.binding_added for event in told if event.HasField("binding_added")]
    assert [(each.role_id, each.subject_id, each.node_id) for each in bound] == [
        ("operator", "operator", PLATFORM)
    ]
    found = empty.sessions("operator").GetCaller(sessions_pb2.GetCallerRequest())
    assert found.kind == sessions_pb2.GetCallerResponse.KIND_SERVICE_ACCOUNT
    assert empty.directory("operator").ListNodes(directory_pb2.ListNodesRequest()).nodes == []
    with refused("NODE_UNKNOWN", NotFound):
        empty.directory("operator").GetNode(directory_pb2.GetNodeRequest(node_id="hq"))

    found_enterprise(empty)
    assert empty.sign_in("admin").person.id == "admin"

    assert not lay_foundation(database, SystemClock())
    again = start_identity(url)
    again.close()
    assert len([event for event in events(empty) if event.HasField("role_changed")]) == len(BUILT_IN)


def test_a_newer_version_renews_the_built_in_roles_and_an_older_leaves_them(
    empty: Enterprise, database: Database
) -> None:
    with database.begin() as connection:
        connection.execute(
            text("UPDATE directory_role SET permissions = '{training.courses.read}' WHERE id = 'mentor'")
        )
    assert not lay_foundation(database, SystemClock())
    before = len(events(empty))
    with database.begin() as connection:
        RightsStore(connection, None).set_foundation_version(VERSION - 1)
    assert lay_foundation(database, SystemClock())
    assert not lay_foundation(database, SystemClock())
    with database.read() as connection:
        renewed = connection.execute(text("SELECT permissions FROM directory_role WHERE id = 'mentor'"))
        assert set(renewed.scalar_one()) == BUILT_IN["mentor"][1]
    # Only what changed is told, and the operator is not made a second time.
    until = time.monotonic() + 5
    while len(told := events(empty)[before:]) == 0:
        assert time.monotonic() < until
    assert [event.role_changed.id for event in told] == ["mentor"]
    assert told[0].position == before + 1


def test_what_has_had_its_day_is_cleared_away(empty: Enterprise, database: Database) -> None:
    found_enterprise(empty)
    empty.hire("tidied")
    empty.sign_in("tidied")
    with refused("CREDENTIALS_WRONG"):
        empty.sign_in("tidied", "a-wrong-guess")

    def rows(table: str) -> int:
        with database.read() as connection:
            return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())

    clock = FixedClock(datetime.now(UTC))
    clock.advance(timedelta(days=29))
    Housekeeping(database, chores(clock)).tidy()
    assert rows("session") > 0
    assert rows("attempt") == 0
    clock.advance(timedelta(days=9))
    Housekeeping(database, chores(clock)).tidy()
    assert rows("session") == rows("refresh_token") == 0
    account = access_pb2.ServiceAccount(name="after")
    asked = access_pb2.CreateServiceAccountRequest(request_id=request_id(), service_account=account)
    assert empty.access("admin").CreateServiceAccount(asked).service_account.id

"""A replica's tables and its in-memory directory say the same, however the news comes in."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from foothold.identity.v1 import access_pb2, directory_pb2, feed_pb2
from google.type.date_pb2 import Date
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from access import Caller, CallerKind, Directory, Replica, create_replica
from access.tables import directory_node, directory_person, metadata
from chassis.database import Database
from chassis.provisioning import provision, schema_of

NODES = ("hq", "b1", "b2", "d1", "d2", "d3")
ACTIVE = directory_pb2.PERSON_STATUS_ACTIVE
KINDS = {
    "h": directory_pb2.NODE_KIND_ENTERPRISE,
    "b": directory_pb2.NODE_KIND_BRANCH,
    "d": directory_pb2.NODE_KIND_DEPARTMENT,
}
PEOPLE = ("p1", "p2", "p3", "p4")


@pytest.fixture(scope="module")
def database(admin_url: str) -> Iterator[Database]:
    url = provision(admin_url, ["goals"])["goals"]
    database = Database(url, schema=schema_of("goals"))
    with database.begin() as connection:

        class Operations:
            def execute(self, sqltext: str, /) -> None:
                connection.execute(text(sqltext))

        create_replica(Operations())
    yield database
    database.close()


def empty(database: Database) -> None:
    with database.begin() as connection:
        for table in metadata.sorted_tables:
            if table.name != "directory_position":
                connection.execute(table.delete())
        connection.execute(text("UPDATE directory_position SET position = 0"))


def node(node_id: str, parent_id: str, zone: str = "", name: str = "") -> feed_pb2.Event:
    kind = KINDS[node_id[0]]
    message = directory_pb2.Node(
        id=node_id, parent_id=parent_id, kind=kind, name=name or node_id, time_zone=zone
    )
    return feed_pb2.Event(node_changed=message)


def person(
    person_id: str, parent_id: str, status: directory_pb2.PersonStatus.ValueType = ACTIVE, mentor_id: str = ""
) -> feed_pb2.Event:
    message = directory_pb2.Person(
        id=person_id,
        parent_id=parent_id,
        name=f"name of {person_id}",
        employee_number=f"E-{person_id}",
        job_role="sales",
        hire_date=Date(year=2026, month=3, day=1),
        mentor_id=mentor_id,
        status=status,
    )
    return feed_pb2.Event(person_changed=message)


def role(role_id: str, *permissions: str) -> feed_pb2.Event:
    return feed_pb2.Event(role_changed=access_pb2.Role(id=role_id, name=role_id, permissions=permissions))


def bound(binding_id: str, subject_id: str, node_id: str, role_id: str = "reader") -> feed_pb2.Event:
    message = access_pb2.Binding(id=binding_id, role_id=role_id, subject_id=subject_id, node_id=node_id)
    message.created_at.FromDatetime(datetime(2026, 1, 1, tzinfo=UTC))
    return feed_pb2.Event(binding_added=message)


def unbound(binding_id: str) -> feed_pb2.Event:
    return feed_pb2.Event(binding_removed=access_pb2.Binding(id=binding_id))


START = (
    node("hq", "", "Asia/Shanghai"),
    node("b1", "hq"),
    node("b2", "hq", "Asia/Tokyo"),
    node("d1", "b1"),
    node("d2", "b2"),
    node("d3", "d2"),
    role("reader", "x.y.read"),
    person("p1", "d1"),
    person("p2", "d2"),
    person("p3", "d3"),
)


def told(events: tuple[feed_pb2.Event, ...], first: int = 1) -> list[feed_pb2.Event]:
    numbered = []
    for position, event in enumerate(events, start=first):
        copy = feed_pb2.Event()
        copy.CopyFrom(event)
        copy.position = position
        numbered.append(copy)
    return numbered


def state(directory: Directory) -> object:
    return (
        sorted((each.id, each.parent_id, each.name, each.zone) for each in directory.nodes()),
        sorted(str(each) for each in directory.people()),
        {each: sorted(b.id for b in directory.bindings_of(each)) for each in PEOPLE},
        {each.id: directory.ancestors(each.id) for each in directory.nodes()},
        {each.id: directory.zone_of(each.id) for each in directory.nodes()},
        {each.id: sorted(directory.people_under(each.id)) for each in directory.nodes()},
        {each: dict(directory.grants(each)) for each in PEOPLE},
        directory.version,
    )


def moves() -> st.SearchStrategy[feed_pb2.Event]:
    """Changes that keep the tree a tree: departments under branches, people anywhere but under people."""
    zones = st.sampled_from(["", "Asia/Shanghai", "Asia/Tokyo", "Europe/Berlin"])
    return st.one_of(
        st.builds(lambda parent, zone: node("d1", parent, zone), st.sampled_from(["b1", "b2", "hq"]), zones),
        st.builds(lambda parent, zone: node("d2", parent, zone), st.sampled_from(["b1", "b2"]), zones),
        st.builds(lambda zone: node("hq", "", zone), zones),
        st.builds(
            person,
            st.sampled_from(PEOPLE),
            st.sampled_from(["hq", "b1", "b2", "d1", "d2", "d3"]),
            st.sampled_from([ACTIVE, directory_pb2.PERSON_STATUS_DISMISSED]),
        ),
        st.builds(
            lambda number, who, where: bound(f"{who}-{where}-{number}", who, where),
            st.integers(1, 2),
            st.sampled_from(PEOPLE),
            st.sampled_from([*NODES, "p1"]),
        ),
        st.builds(
            lambda number, who, where: unbound(f"{who}-{where}-{number}"),
            st.integers(1, 2),
            st.sampled_from(PEOPLE),
            st.sampled_from([*NODES, "p1"]),
        ),
        st.builds(lambda names: role("reader", *names), st.lists(st.sampled_from(["x.y.read", "x.y.write"]))),
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stream=st.lists(moves(), max_size=25), cuts=st.lists(st.integers(1, 5), min_size=40, max_size=40))
def test_news_piece_by_piece_and_all_at_once_leave_the_same(
    database: Database, stream: list[feed_pb2.Event], cuts: list[int]
) -> None:
    empty(database)
    events = told((*START, *_without_reuse(stream)))
    piecewise = Replica(database)
    rest = events
    for cut in [len(START), *cuts]:
        page, rest = rest[:cut], rest[cut:]
        if page:
            with database.begin() as connection:
                piecewise.apply(connection, page)
            piecewise.refresh()
    fresh = Replica(database)
    fresh.refresh()
    assert state(piecewise.directory) == state(fresh.directory)

    with database.read() as connection:
        for row in connection.execute(directory_node.select()):
            assert tuple(reversed(row.ancestors)) == fresh.directory.ancestors(row.id)
            assert row.effective_zone == fresh.directory.zone_of(row.id)

    with database.begin() as connection:
        piecewise.apply(connection, events)  # told once more, from the beginning
    again = Replica(database)
    again.refresh()
    assert state(again.directory) == state(fresh.directory)


def _without_reuse(stream: list[feed_pb2.Event]) -> list[feed_pb2.Event]:
    """Identity never gives a binding's id twice: drop additions of an id that was there before."""
    seen: set[str] = set()
    kept = []
    for event in stream:
        if event.HasField("binding_added"):
            if event.binding_added.id in seen:
                continue
            seen.add(event.binding_added.id)
        elif event.HasField("binding_removed"):
            seen.add(event.binding_removed.id)
        kept.append(event)
    return kept


def test_a_scope_narrows_a_query_as_it_narrows_in_memory(database: Database) -> None:
    empty(database)
    replica = Replica(database)
    grants = (
        bound("g1", "p1", "b1"),
        bound("g2", "p2", "d3"),
        bound("g3", "p3", "hq"),
        bound("g4", "p4", "p1"),
    )
    with database.begin() as connection:
        replica.apply(connection, told((*START, person("p4", "b1"), *grants)))
    replica.refresh()
    directory = replica.directory
    for subject, expected in (
        ("p1", {"p1", "p4"}),
        ("p2", {"p3"}),
        ("p3", {"p1", "p2", "p3", "p4"}),
        ("p4", {"p1"}),
    ):
        scope = Caller(subject, CallerKind.PERSON, directory, "s").scope("x.y.read")
        with database.read() as connection:
            query = directory_person.select().where(scope.clause(directory_person.c.id))
            assert {row.id for row in connection.execute(query)} == expected
            boards = directory_node.select().where(scope.member_clause(directory_node.c.id))
            found = {row.id for row in connection.execute(boards)}
        assert found == scope.member_nodes()
        assert found == {each.id for each in directory.nodes() if scope.is_member(each.id)}
        people = scope.people()
        assert (people is None) == scope.everywhere
        assert {each.id for each in directory.people() if scope.covers(each.id)} == expected
        assert people is None or people == expected


def test_a_service_reacts_in_the_transaction_that_tells_it(database: Database) -> None:
    empty(database)
    seen: list[tuple[str, int]] = []

    def on_change(connection: Connection, events: object) -> None:
        rows = connection.execute(text("SELECT count(*) FROM directory_person")).scalar_one()
        seen.append(("people", rows))

    replica = Replica(database, on_change=on_change)
    with database.begin() as connection:
        replica.apply(connection, told(START))
    assert seen == [("people", 3)]
    assert replica.directory.person("p1") is None
    replica.refresh()
    found = replica.directory.person_by_employee_number("E-p1")
    assert found is not None
    assert found.hire_date == date(2026, 3, 1)


def test_the_tables_made_are_the_tables_described(database: Database) -> None:
    with database.read() as connection:
        for table in metadata.sorted_tables:
            rows = connection.execute(
                text(
                    "SELECT column_name, is_nullable FROM information_schema.columns"
                    " WHERE table_schema = current_schema() AND table_name = :name"
                ),
                {"name": table.name},
            )
            made = {(name, nullable == "YES") for name, nullable in rows}
            assert made == {(column.name, bool(column.nullable)) for column in table.c}
            indexes = connection.execute(
                text(
                    "SELECT indexname FROM pg_indexes"
                    " WHERE schemaname = current_schema() AND tablename = :name"
                ),
                {"name": table.name},
            ).scalars()
            assert {str(index.name) for index in table.indexes} == {
                name for name in indexes if not name.endswith("_pkey")
            }

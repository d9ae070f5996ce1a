"""Identity's events: dense, complete, and enough for another service to let the right people in and out."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from foothold.identity.v1 import directory_pb2, feed_pb2, feed_pb2_grpc, sessions_pb2, sessions_pb2_grpc
from google.protobuf.duration_pb2 import Duration
from sqlalchemy import text

from access import (
    Access,
    MemoryReplica,
    Replica,
    TokenVerifier,
    caller,
    create_replica,
    follow_identity,
    load_public,
)
from chassis.channel import connect
from chassis.database import Database
from chassis.errors import (
    InvalidArgument,
    NotFound,
    OutOfRange,
    PermissionDenied,
    Unauthenticated,
    Unavailable,
)
from chassis.feed import create_cursors
from chassis.provisioning import provision, schema_of
from chassis.server import Server, Service, Servicer
from tests.fixtures_identity import Enterprise, enterprise, refused, request_id, start_identity

__all__ = ["enterprise"]

CHECK = "/foothold.identity.v1.DirectoryService/GetPerson"


@dataclass
class Neighbour:
    """Another service: it knows identity through the feed only, and answers GetPerson from its replica."""

    server: Server
    address: str
    replica: Replica
    follower: Any
    database: Database

    def get_person(self, token: str, person_id: str) -> directory_pb2.Person:
        with connect(self.address, token=lambda: token, timeout=5) as channel:
            call = channel.unary_unary(
                CHECK,
                directory_pb2.GetPersonRequest.SerializeToString,
                directory_pb2.Person.FromString,
            )
            answer: directory_pb2.Person = call(directory_pb2.GetPersonRequest(person_id=person_id))
            return answer

    def wait(self, position: int) -> None:
        until = time.monotonic() + 10
        while self.replica.position < position:
            assert time.monotonic() < until, f"at {self.replica.position}, not {position}"
            time.sleep(0.01)


class PersonOfReplica:
    """Answers with what the caller may see of the replica's directory."""

    def GetPerson(
        self, request: directory_pb2.GetPersonRequest, context: grpc.ServicerContext
    ) -> directory_pb2.Person:
        scope = caller(context).scope("identity.people.read")
        scope.require_person(request.person_id)
        person = scope.caller.directory.person(request.person_id)
        assert person
        return directory_pb2.Person(id=person.id, name=person.name)


def add_to_server(implementation: Any, server: grpc.Server) -> None:
    handler = grpc.unary_unary_rpc_method_handler(
        implementation.GetPerson,
        directory_pb2.GetPersonRequest.FromString,
        directory_pb2.Person.SerializeToString,
    )
    name = "foothold.identity.v1.DirectoryService"
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, {"GetPerson": handler}),))


@pytest.fixture(scope="module")
def neighbour(enterprise: Enterprise, admin_url: str) -> Iterator[Neighbour]:
    url = provision(admin_url, ["training"])["training"]
    database = Database(url, schema=schema_of("training"))
    with database.begin() as connection:

        class Operations:
            def execute(self, sqltext: str, /) -> None:
                connection.execute(text(sqltext))

        create_replica(Operations())
        create_cursors(Operations())
    channel = connect(enterprise.address, token=lambda: enterprise.component_token("training"))
    replica = Replica(database)
    follower = follow_identity(replica, database=database, channel=channel)
    door = Access(
        {CHECK: "identity.people.read"},
        verifier=TokenVerifier(load_public(enterprise.verifying_keys)),
        directory=replica.directory,
    )
    service = Service(
        "training",
        servicers=[Servicer("foothold.identity.v1.DirectoryService", add_to_server, PersonOfReplica())],
        interceptors=[door],
        background=[replica, follower],
        checks=[replica.check, follower.check],
        closing=[channel.close, database.close],
    )
    server = Server(service)
    port = server.start()
    yield Neighbour(server, f"127.0.0.1:{port}", replica, follower, database)
    server.stop(0.2)


def hire(enterprise: Enterprise, person_id: str, parent_id: str = "dept-bj-1") -> int:
    """A new salesperson; the feed position to wait for."""
    person = directory_pb2.Person(
        id=person_id,
        parent_id=parent_id,
        name=person_id,
        employee_number=person_id,
        login=person_id,
        job_role="sales",
    )
    request = directory_pb2.CreatePersonRequest(
        request_id=request_id(), person=person, password="correct-horse-7", own_roles=["salesperson"]
    )
    return enterprise.directory("admin").CreatePerson(request).feed_position


def test_a_neighbour_lets_in_whom_identity_knows_and_shows_what_they_may_see(
    enterprise: Enterprise, neighbour: Neighbour
) -> None:
    neighbour.wait(hire(enterprise, "newly-hired"))
    token = enterprise.token_for("newly-hired")
    assert neighbour.get_person(token, "newly-hired").id == "newly-hired"
    with refused("PERSON_UNKNOWN", NotFound):
        neighbour.get_person(token, "new-bj-2")
    assert neighbour.get_person(enterprise.token_for("manager-bj-1"), "newly-hired").id == "newly-hired"
    assert neighbour.get_person(enterprise.token_for("crm"), "newly-hired").id == "newly-hired"


def test_a_dismissal_takes_effect_at_the_neighbour_within_seconds(
    enterprise: Enterprise, neighbour: Neighbour
) -> None:
    neighbour.wait(hire(enterprise, "soon-gone"))
    token = enterprise.sign_in("soon-gone").tokens.access_token
    assert neighbour.get_person(token, "soon-gone").id == "soon-gone"
    request = directory_pb2.DismissPersonRequest(
        request_id=request_id(), person_id="soon-gone", reason="left"
    )
    dismissed_at = time.monotonic()
    position = enterprise.directory("hr-bj").DismissPerson(request).feed_position
    neighbour.wait(position)
    assert time.monotonic() - dismissed_at < 2
    with refused("PERSON_DISMISSED", Unauthenticated):
        neighbour.get_person(token, "soon-gone")


def test_signing_out_is_heard_by_the_neighbour(enterprise: Enterprise, neighbour: Neighbour) -> None:
    token = enterprise.sign_in("new-bj-3").tokens.access_token
    assert neighbour.get_person(token, "new-bj-3").id == "new-bj-3"
    stub = sessions_pb2_grpc.SessionServiceStub(enterprise.channel(token))
    stub.SignOut(sessions_pb2.SignOutRequest())
    until = time.monotonic() + 5
    while time.monotonic() < until:
        try:
            neighbour.get_person(token, "new-bj-3")
        except grpc.RpcError:
            break
        time.sleep(0.02)
    with refused("TOKEN_INVALID", Unauthenticated):
        neighbour.get_person(token, "new-bj-3")


def test_the_neighbours_directory_is_identitys(enterprise: Enterprise, neighbour: Neighbour) -> None:
    neighbour.wait(hire(enterprise, "compared", "dept-sh-1"))
    memory = MemoryReplica(connect(enterprise.address, token=lambda: enterprise.component_token("gateway")))
    memory.start()
    try:
        assert memory.wait(10)
        for directory in (neighbour.replica.directory, memory.directory):
            people = enterprise.directory("admin").ListPeople(
                directory_pb2.ListPeopleRequest(page_size=1000, include_dismissed=True)
            )
            assert {each.id for each in directory.people()} == {each.id for each in people.people}
            for person in people.people:
                found = directory.person(person.id)
                assert found
                assert (found.name, found.parent_id, found.mentor_id) == (
                    person.name,
                    person.parent_id,
                    person.mentor_id,
                )
            assert directory.zone_of("new-sh-1") == "Asia/Tokyo"
            assert directory.branch_of("new-bj-1") == "branch-bj"
            assert directory.department_of("new-bj-1") == "dept-bj-1"
            assert directory.may("manager-bj-1", "goals.customers.read", "new-bj-1")
            assert not directory.may("hr-bj", "goals.customers.read", "new-bj-1")
    finally:
        memory.stop()


def test_a_feed_that_was_restored_from_a_backup_is_noticed(enterprise: Enterprise) -> None:
    memory = MemoryReplica(connect(enterprise.address, token=lambda: enterprise.component_token("gateway")))
    memory.directory.version = 10**9  # what was told since the backup
    memory.start()
    try:
        until = time.monotonic() + 10
        while "restart" not in (memory.check() or ""):
            assert time.monotonic() < until
            time.sleep(0.02)
    finally:
        memory.stop()


def test_somebody_not_heard_of_yet_is_asked_to_come_again(
    enterprise: Enterprise, neighbour: Neighbour
) -> None:
    fresh = enterprise.issuer.person("not-heard-of", session_id="s", lifetime=_minutes(5))[0]
    with refused("NOT_READY", Unavailable):
        neighbour.get_person(fresh, "new-bj-1")


def _minutes(number: int) -> Any:
    from datetime import timedelta

    return timedelta(minutes=number)


def events(enterprise: Enterprise, token: str, **request: Any) -> feed_pb2.ListEventsResponse:
    stub = feed_pb2_grpc.FeedServiceStub(enterprise.channel(token))
    return stub.ListEvents(feed_pb2.ListEventsRequest(**request))


def test_the_feed_is_dense_and_tells_no_sign_in_name(enterprise: Enterprise) -> None:
    token = enterprise.component_token("goals")
    seen: list[feed_pb2.Event] = []
    while True:
        page = events(enterprise, token, after_position=len(seen), page_size=7)
        seen.extend(page.events)
        if not page.events:
            break
    assert [event.position for event in seen] == list(range(1, len(seen) + 1))
    assert page.head_position == len(seen)
    told = [event.person_changed for event in seen if event.HasField("person_changed")]
    assert told
    assert not any(person.login for person in told)
    positions = {node: event.position for event in seen for node in [event.node_changed.id] if node}
    first_person = next(event.position for event in seen if event.HasField("person_changed"))
    assert positions["hq"] < positions["branch-bj"] < positions["dept-bj-1"] < first_person


def test_the_feed_waits_for_news(enterprise: Enterprise) -> None:
    token = enterprise.component_token("goals")
    head = events(enterprise, token, page_size=1).head_position
    time.sleep(0.2)  # until this process has seen what another one may have numbered
    began = time.monotonic()
    quiet = events(enterprise, token, after_position=head, wait=Duration(nanos=200_000_000))
    assert not quiet.events
    assert 0.15 < time.monotonic() - began < 2


def test_the_feed_is_for_those_who_may_follow_it(enterprise: Enterprise) -> None:
    assert events(enterprise, enterprise.token_for("crm"), page_size=1).events
    for who in ("new-bj-1", "hr-bj", "hr-hq", "trainer-hq", "manager-bj-1"):
        with refused("PERMISSION_MISSING", PermissionDenied):
            events(enterprise, enterprise.token_for(who))
    with refused("FIELD_INVALID", InvalidArgument):
        events(enterprise, enterprise.token_for("crm"), after_position=-1)
    with refused("FEED_POSITION_UNKNOWN", OutOfRange):
        events(enterprise, enterprise.token_for("crm"), after_position=10**9)


def test_a_second_process_of_identity_hears_of_the_first_ones_changes(
    enterprise: Enterprise, database_for: Callable[[str], Any]
) -> None:
    private = enterprise.signing_key
    other = start_identity(database_for("identity").url, signing_key=private)
    try:
        hire(enterprise, "heard-of")
        token = enterprise.token_for("heard-of")
        until = time.monotonic() + 2
        stub = sessions_pb2_grpc.SessionServiceStub(other.channel(token))
        while True:
            try:
                assert stub.GetCaller(sessions_pb2.GetCallerRequest()).id == "heard-of"
                break
            except grpc.RpcError:
                assert time.monotonic() < until
        # A command sees at once what another process did: it looks before it judges.
        hire(enterprise, "and-another")
        stub_directory = other.channel(enterprise.token_for("admin"))
        from foothold.identity.v1 import directory_pb2_grpc

        directory = directory_pb2_grpc.DirectoryServiceStub(stub_directory)
        dismissed = directory.DismissPerson(
            directory_pb2.DismissPersonRequest(request_id=request_id(), person_id="and-another", reason="x")
        )
        assert dismissed.person.status == directory_pb2.PERSON_STATUS_DISMISSED
    finally:
        other.close()

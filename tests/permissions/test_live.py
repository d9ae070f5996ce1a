"""Live updates: for those who are signed in, about what they may see, and over when they leave."""

import http.client
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final
from urllib.parse import quote, urlsplit

import orjson
import pytest
from foothold.goals.v1 import facts_pb2, facts_pb2_grpc
from foothold.identity.v1 import access_pb2, directory_pb2
from google.protobuf.field_mask_pb2 import FieldMask

from chassis.ids import new_id
from tests.permissions.browsing import Browser
from tests.permissions.content import fact
from tests.permissions.enterprise import Enterprise

_SECONDS: Final = 5.0


@contextmanager
def _stream(enterprise: Enterprise, cookie: str, watch: str) -> Iterator[http.client.HTTPResponse]:
    address = urlsplit(enterprise.platform.web)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=_SECONDS)
    headers = {"Cookie": cookie} if cookie else {}
    connection.request("GET", f"/live?watch={quote(watch)}", headers=headers)
    response = connection.getresponse()
    try:
        yield response
    finally:
        response.close()
        connection.close()


def _until(stream: http.client.HTTPResponse, word: str) -> str:
    """What the stream says up to the line that holds a word."""
    said, until = "", time.monotonic() + _SECONDS
    while word not in said:
        assert time.monotonic() < until, said
        line = stream.readline().decode()
        assert line, f"it ended: {said}"
        said += line
    return said


def _record(enterprise: Enterprise, person_id: str) -> None:
    """A new customer: it moves the figures, the money and the boards."""
    stub = facts_pb2_grpc.FactsServiceStub(enterprise.platform.channel("goals", enterprise.platform.operator))
    followed = fact(person_id, new_id())
    followed.customer = new_id()
    stub.RecordFacts(facts_pb2.RecordFactsRequest(facts=[followed]))


@pytest.fixture(autouse=True)
def _ready(enterprise: Enterprise) -> None:
    assert enterprise.platform.gateway is not None
    assert enterprise.platform.gateway.parts.replica.wait(30)


def test_without_a_session_nothing_is_told(enterprise: Enterprise) -> None:
    for cookie in ("", "foothold=made-up"):
        with _stream(enterprise, cookie, "progress@newcomer") as stream:
            # 204 tells a page's event source to stop asking.
            assert stream.status == 204


def test_of_a_peer_a_page_hears_what_the_board_shows_and_no_more(enterprise: Enterprise) -> None:
    cookie = Browser(enterprise, "seller").cookie()
    asked = (
        "progress@colleague",
        "statement@colleague",
        "learning@colleague",
        "team@shanghai-sales",
        "team@hq",
    )
    with _stream(enterprise, cookie, ",".join((*asked, "boards@shanghai"))) as stream:
        assert stream.status == 200
        _record(enterprise, "colleague")
        said = _until(stream, "boards")
        _record(enterprise, "colleague")
        said += _until(stream, "boards")
    told = {topic for line in said.splitlines() if line.startswith("data: ") for topic in line[6:].split()}
    assert told <= {"boards", "-"}


def test_a_page_hears_of_its_reader(enterprise: Enterprise) -> None:
    cookie = Browser(enterprise, "seller").cookie()
    with _stream(enterprise, cookie, "progress@seller") as stream:
        _record(enterprise, "seller")
        assert "event: changed" in _until(stream, "data: progress")


def test_a_page_of_somebody_who_leaves_is_closed_within_five_seconds(enterprise: Enterprise) -> None:
    enterprise.twin("salesperson", "twin-watching")
    enterprise.settle()
    cookie = Browser(enterprise, "twin-watching").cookie()
    with _stream(enterprise, cookie, "progress@twin-watching") as stream:
        assert stream.status == 200
        enterprise.dismiss("salesperson", "twin-watching")
        _until(stream, "event: ended")
    with _stream(enterprise, cookie, "progress@twin-watching") as stream:
        assert stream.status == 204


@pytest.fixture
def watcher(enterprise: Enterprise) -> Iterator[tuple[str, str, str]]:
    """A second manager of the sales department: their id, their binding's, and their cookie."""
    id = f"manager-{new_id()[-8:]}"
    enterprise.add_person(id, "shanghai-sales")
    binding_id = enterprise.bind("department_manager", id, "shanghai-sales").binding.id
    enterprise.settle()
    # The news of the hiring is told twice; what is heard from here on is news of the test.
    time.sleep(3)
    yield id, binding_id, Browser(enterprise, id).cookie()
    enterprise.dismiss("department_manager", id)
    enterprise.settle()


def test_a_page_ends_within_five_seconds_of_its_reader_losing_the_role(
    enterprise: Enterprise, watcher: tuple[str, str, str]
) -> None:
    _id, binding_id, cookie = watcher
    kept = Browser(enterprise, "manager").cookie()
    watch = "team@shanghai-sales,people@shanghai-sales"
    with _stream(enterprise, cookie, watch) as stream, _stream(enterprise, kept, watch) as other:
        assert stream.status == other.status == 200
        enterprise.access.DeleteBinding(
            access_pb2.DeleteBindingRequest(request_id=new_id(), binding_id=binding_id),
            metadata=enterprise.as_administrator,
        )
        _until(stream, "event: narrowed")
        assert stream.read().decode().strip() == "data: -"
        # Whose rights are as before goes on hearing.
        _record(enterprise, "colleague")
        _until(other, "team")
    with _stream(enterprise, cookie, watch) as stream:
        # What loads again watches what is left: nothing of the team.
        _record(enterprise, "colleague")
        with pytest.raises(TimeoutError):
            _until(stream, "team")


def test_where_somebody_comes_from_and_where_they_go_both_hear_of_a_move(enterprise: Enterprise) -> None:
    id = f"mover-{new_id()[-8:]}"
    enterprise.add_person(id, "shanghai-sales", sells=True)
    enterprise.settle()
    # As above: what is heard from here on is of the move.
    time.sleep(3)
    old, new = Browser(enterprise, "manager"), Browser(enterprise, "administrator")
    watch = "team@{0},people@{0},boards@{0}"
    with (
        _stream(enterprise, old.cookie(), watch.format("shanghai-sales")) as left,
        _stream(enterprise, new.cookie(), watch.format("beijing-sales")) as entered,
        _stream(enterprise, old.cookie(), f"progress@{id}") as about,
        _stream(enterprise, Browser(enterprise, id).cookie(), watch.format("shanghai-sales")) as movers,
    ):
        assert id in old.text("/team?everybody=yes")
        person = directory_pb2.Person(id=id, parent_id="beijing-sales")
        enterprise.directory.UpdatePerson(
            directory_pb2.UpdatePersonRequest(
                request_id=new_id(), person=person, update_mask=FieldMask(paths=["parent_id"])
            )
        )
        for stream in (left, entered):
            assert {"boards", "people", "team"} <= set(_until(stream, "event: changed\ndata: ").split())
        # Who watched the mover alone, or the mover their old colleagues, may no longer.
        _until(about, "event: narrowed")
        _until(movers, "event: narrowed")
        enterprise.settle()
        assert id not in old.text("/team?everybody=yes")
        # The page that asked goals before goals knew is told once more.
        assert "team" in _until(left, "event: changed\ndata: ")
    assert old.get(f"/team/{id}") == "hidden"


def test_a_session_has_a_bounded_number_of_live_pages(enterprise: Enterprise) -> None:
    gateway = enterprise.platform.gateway
    assert gateway is not None
    cookie = Browser(enterprise, "seller").cookie()
    with ExitStack() as stack:
        for _ in range(gateway.parts.settings.live_pages_per_session):
            assert stack.enter_context(_stream(enterprise, cookie, "progress@seller")).status == 200
        with _stream(enterprise, cookie, "progress@seller") as refused:
            assert refused.status == 429
            assert refused.getheader("content-type") == "application/problem+json"
            assert orjson.loads(refused.read())["type"] == "urn:foothold:problem:too-many-pages"
        other = stack.enter_context(
            _stream(enterprise, Browser(enterprise, "seller").cookie(), "progress@seller")
        )
        assert other.status == 200

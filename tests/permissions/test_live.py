"""Live updates: for those who are signed in, about what they may see, and over when they leave."""

import http.client
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import quote, urlsplit

import pytest
from foothold.goals.v1 import facts_pb2, facts_pb2_grpc

from chassis.ids import new_id
from tests.permissions.content import fact
from tests.permissions.enterprise import Enterprise
from tests.permissions.pages import Browser

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

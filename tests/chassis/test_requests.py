"""Everything wrong with a request is told at once, and a page token fits only its own query."""

import re
import time
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from chassis.clock import FixedClock, SystemClock
from chassis.errors import Failure, Internal, InvalidArgument, from_rpc_error
from chassis.ids import new_id
from chassis.paging import decode_token, encode_token
from chassis.validation import Fields
from tests.chassis.baking import BakeRequest


def test_every_invalid_field_is_named() -> None:
    fields = Fields()
    fields.text("name", "", max_length=5)
    fields.text("title", "too long", max_length=5)
    fields.text("note", "a\0b", max_length=5, required=False)
    inner = fields.within("loaves[2]")
    inner.identifier("id", "No Good")
    inner.instant("baked_at", Timestamp(seconds=2**60))
    inner.instant("sold_at", Timestamp(seconds=1_700_000_000, nanos=-1))
    fields.date("day", SimpleNamespace(year=2026, month=2, day=30))
    fields.date("since", SimpleNamespace(year=2026, month=0, day=0))
    fields.integer("count", -1, minimum=0, maximum=9)
    fields.zone("zone", "Middle/Earth")
    fields.one_of("kind", 0, {1, 2})
    fields.count("loaves", 501, maximum=500)
    fields.request_id("")
    fields.page_size(-1)
    with pytest.raises(InvalidArgument) as refused:
        fields.require_valid()
    assert refused.value.reason == "FIELD_INVALID"
    assert set(refused.value.fields) == {
        "name", "title", "note", "loaves[2].id", "loaves[2].baked_at", "loaves[2].sold_at", "day", "since",
        "count", "zone", "kind", "loaves", "request_id", "page_size",
    }  # fmt: skip


def test_valid_fields_are_read() -> None:
    fields = Fields()
    assert fields.text("name", " 黑麦\n", max_length=5) == " 黑麦\n"
    assert fields.text("note", "", max_length=5, required=False) == ""
    assert fields.identifier("id", "a-1") == "a-1"
    assert fields.identifier("id", "", required=False) == ""
    at = Timestamp(seconds=1_700_000_000, nanos=123_456_789)
    assert fields.instant("at", at) == datetime(2023, 11, 14, 22, 13, 20, 123456, tzinfo=UTC)
    assert fields.optional_instant("until", Timestamp(), present=False) is None
    assert fields.date("day", SimpleNamespace(year=2024, month=2, day=29)) == date(2024, 2, 29)
    assert fields.integer("count", 9, minimum=0, maximum=9) == 9
    assert fields.zone("zone", "Asia/Shanghai") == "Asia/Shanghai"
    assert fields.one_of("kind", 2, {1, 2}) == 2
    assert [fields.page_size(size) for size in (0, 7, 5000)] == [50, 7, 1000]
    fields.require_valid()


@given(seconds=st.integers(-(2**63), 2**63 - 1), nanos=st.integers(-(2**31), 2**31 - 1))
def test_no_timestamp_makes_the_reader_fail(seconds: int, nanos: int) -> None:
    fields = Fields()
    read = fields.instant("at", Timestamp(seconds=seconds, nanos=nanos))
    assert read.tzinfo is UTC
    assert 2000 <= read.year < 2100


def test_a_page_token_leads_on_in_its_own_query_only() -> None:
    query = BakeRequest(name="rye", page_size=10)
    token = encode_token(["rye", 7], query=query)
    assert re.fullmatch(r"[A-Za-z0-9_-]+", token)
    again = BakeRequest(name="rye", page_size=99, page_token=token)
    assert decode_token(token, query=again, shape=(str, int)) == ("rye", 7)
    assert decode_token("", query=query, shape=(str, int)) is None
    for other, shape in ((BakeRequest(name="oat"), (str, int)), (query, (str, str)), (query, (str,))):
        with pytest.raises(InvalidArgument) as refused:
            decode_token(token, query=other, shape=shape)
        assert refused.value.reason == "PAGE_TOKEN_INVALID"


@given(st.text(min_size=1, max_size=80))
def test_no_text_passes_for_a_page_token(token: str) -> None:
    with pytest.raises(InvalidArgument):
        decode_token(token, query=BakeRequest(), shape=(str,))


def test_ids_are_uuids_that_sort_by_time() -> None:
    ids = []
    for _ in range(50):
        ids.append(new_id())
        time.sleep(0.00002)
    assert ids == sorted(ids)
    assert len(set(ids)) == 50
    assert all(
        re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", id) for id in ids
    )
    made_at = int(ids[0].replace("-", "")[:12], 16) / 1000
    assert abs(made_at - time.time()) < 60


def test_a_clock_can_be_fixed() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    clock = FixedClock(start)
    clock.advance(datetime(2026, 1, 2, tzinfo=UTC) - start)
    assert clock.now() == datetime(2026, 1, 2, tzinfo=UTC)
    clock.set(start)
    assert clock.now() == start
    assert SystemClock().now().tzinfo is UTC
    with pytest.raises(ValueError, match="zone"):
        FixedClock(datetime(2026, 1, 1))  # noqa: DTZ001  that is the point


def test_an_error_without_details_still_has_a_reason() -> None:
    class Bare(grpc.RpcError):
        pass

    class Plain(grpc.RpcError):
        def code(self) -> grpc.StatusCode:
            return grpc.StatusCode.UNAVAILABLE

        def details(self) -> str:
            return "connection refused"

        def trailing_metadata(self) -> Any:
            return (("grpc-status-details-bin", b"\xff"), ("x", "y"))

    assert isinstance(from_rpc_error(Bare()), Internal)
    failure = from_rpc_error(Plain())
    assert (failure.reason, failure.message) == ("UNAVAILABLE", "connection refused")
    assert str(failure) == "UNAVAILABLE UNAVAILABLE: connection refused"
    assert isinstance(failure, Failure)

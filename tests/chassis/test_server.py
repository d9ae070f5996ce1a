"""A call ends in an answer or in exactly one documented refusal; health says what is true."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from sqlalchemy import text

from chassis import deadline, errors
from chassis.channel import connect
from chassis.database import Database
from chassis.errors import from_rpc_error
from chassis.feed import FeedReader, NewEvent, Sequencer, publish
from chassis.health import LIVE, migrated
from chassis.server import Server, Service
from tests.chassis.baking import NAME, BakeRequest, BakeryStub, servicer

Bake = Callable[[Any, grpc.ServicerContext], str]


@contextmanager
def _serving(bake: Bake, **service: Any) -> Iterator[tuple[BakeryStub, Server, grpc.Channel]]:
    server = Server(Service("bakery", [servicer(bake)], **service))
    with connect(f"127.0.0.1:{server.start()}") as channel:
        try:
            yield BakeryStub(channel), server, channel
        finally:
            server.stop(1)


def _refusal(call: Callable[[], Any]) -> errors.Failure:
    with pytest.raises(grpc.RpcError) as refused:
        call()
    return from_rpc_error(refused.value)


def _echo(request: Any, _context: grpc.ServicerContext) -> str:
    return str(request.name)


def _health(channel: grpc.Channel, name: str = "") -> int:
    stub: Any = health_pb2_grpc.HealthStub(channel)
    return int(stub.Check(health_pb2.HealthCheckRequest(service=name)).status)


def test_all_four_kinds_of_calls_are_served() -> None:
    with _serving(_echo) as (bakery, _, _):
        assert bakery.Bake(BakeRequest(name="rye")).loaf == "rye"
        assert bakery.BakeAll(iter([BakeRequest(name="a"), BakeRequest(name="b")])).loaf == "a,b"
        assert [answer.loaf for answer in bakery.Watch(BakeRequest(name="x", count=2))] == ["0", "1", "x"]
        assert [answer.loaf for answer in bakery.Trade(iter([BakeRequest(name="y")]))] == ["y"]


FAILURES = [
    errors.InvalidArgument,
    errors.NotFound,
    errors.AlreadyExists,
    errors.PermissionDenied,
    errors.Unauthenticated,
    errors.FailedPrecondition,
    errors.Aborted,
    errors.ResourceExhausted,
    errors.Unavailable,
    errors.DeadlineExceeded,
    errors.OutOfRange,
    errors.Internal,
]


@pytest.mark.parametrize("kind", FAILURES)
def test_a_failure_arrives_as_it_was_raised(kind: type[errors.Failure]) -> None:
    def bake(_request: Any, _context: grpc.ServicerContext) -> str:
        raise kind("OVEN_COLD", "烤箱是冷的", fields={"oven": "must be hot"}, metadata={"oven_id": "7"})

    with _serving(bake) as (bakery, _, _):
        for call in (
            lambda: bakery.Bake(BakeRequest()),
            lambda: list(bakery.Watch(BakeRequest(count=1))),
            lambda: bakery.BakeAll(iter([BakeRequest()])),
            lambda: list(bakery.Trade(iter([BakeRequest()]))),
        ):
            failure = _refusal(call)
            assert type(failure) is kind
            assert (failure.reason, failure.message, failure.domain) == (
                "OVEN_COLD",
                "烤箱是冷的",
                "bakery.foothold",
            )
            assert failure.fields == {"oven": "must be hot"}
            assert failure.metadata == {"oven_id": "7"}


def test_a_refusal_carries_exactly_one_error_info() -> None:
    def bake(_request: Any, _context: grpc.ServicerContext) -> str:
        raise errors.InvalidArgument("FIELD_INVALID", "no", fields={"a": "1", "b": "2"})

    with _serving(bake) as (bakery, _, _), pytest.raises(grpc.RpcError) as refused:
        bakery.Bake(BakeRequest())
    call: Any = refused.value
    status = status_pb2.Status.FromString(dict(call.trailing_metadata())[errors.DETAILS_KEY])
    infos = [detail for detail in status.details if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR)]
    assert len(infos) == 1
    assert len(status.details) == 2


def test_the_unexpected_is_internal_with_a_trace_id_and_no_details() -> None:
    def bake(_request: Any, _context: grpc.ServicerContext) -> str:
        raise RuntimeError("Alice's secret recipe")

    with _serving(bake) as (bakery, _, _):
        for call in (lambda: bakery.Bake(BakeRequest()), lambda: list(bakery.Watch(BakeRequest()))):
            failure = _refusal(call)
            assert isinstance(failure, errors.Internal)
            assert failure.reason == "INTERNAL"
            assert len(failure.metadata["trace_id"]) == 32
            assert "Alice" not in str(failure)


@pytest.mark.parametrize(
    "raw", [b"\xff\xff\xff", b"\x12\x05ab", b"\x12\x02\xc3\x28", b"\x12\x03\xed\xa0\x80", b"\x18"]
)
def test_bytes_that_are_not_the_message_are_the_callers_fault(raw: bytes) -> None:
    with _serving(_echo) as (bakery, _, _):
        failure = _refusal(lambda: bakery.Raw(raw))
    assert isinstance(failure, errors.InvalidArgument)
    assert failure.reason == "MESSAGE_MALFORMED"


def test_a_message_too_large_and_a_method_that_is_not_there_are_refused() -> None:
    with _serving(_echo) as (bakery, _, _):
        large = _refusal(lambda: bakery.Raw(b"\x12" + b"\x00" * (9 * 1024 * 1024)))
        assert isinstance(large, errors.ResourceExhausted)
        assert isinstance(_refusal(lambda: bakery.Nothing(BakeRequest())), errors.Unimplemented)


def test_work_whose_deadline_has_passed_is_not_started() -> None:
    started: list[str] = []
    busy = threading.Event()

    def bake(request: Any, _context: grpc.ServicerContext) -> str:
        started.append(request.name)
        busy.wait(2)
        return "late"

    server = Server(Service("bakery", [servicer(bake)], waiters=0), workers=1)
    with connect(f"127.0.0.1:{server.start()}") as channel:
        bakery = BakeryStub(channel)
        first = bakery.Bake.future(BakeRequest(name="first"), timeout=5)
        while not started:
            time.sleep(0.01)
        assert isinstance(
            _refusal(lambda: bakery.Bake(BakeRequest(name="second"), timeout=0.1)), errors.DeadlineExceeded
        )
        busy.set()
        assert first.result().loaf == "late"
        assert bakery.Bake(BakeRequest(name="third")).loaf == "late"
        server.stop(1)
    assert started == ["first", "third"]


def test_a_handler_knows_how_long_its_caller_waits() -> None:
    def bake(_request: Any, _context: grpc.ServicerContext) -> str:
        return str(deadline.remaining())

    with _serving(bake) as (bakery, server, _), grpc.insecure_channel(f"127.0.0.1:{server.port}") as plain:
        # gRPC sends the deadline rounded up.
        assert 2 < float(bakery.Bake(BakeRequest(), timeout=3).loaf) < 3.5
        assert 29 < float(BakeryStub(plain).Bake(BakeRequest()).loaf) < 30.5


def test_database_troubles_have_their_own_codes(bakery: Database) -> None:
    statements = {
        "nul": ("SELECT cast(:value AS text)", "a\0b", errors.InvalidArgument),
        "large": ("SELECT cast(:value AS int)", 2**40, errors.InvalidArgument),
        "slow": ("SELECT set_config('statement_timeout', '20', true), pg_sleep(:value)", 0, None),
        "same": ("INSERT INTO loaves SELECT 1 FROM generate_series(1, :value)", 2, errors.AlreadyExists),
        "gone": ("SELECT pg_terminate_backend(pg_backend_pid()), :value", 1, errors.Unavailable),
        "fault": ("SELECT :value FROM nowhere", 1, errors.Internal),
    }

    def bake(request: Any, _context: grpc.ServicerContext) -> str:
        statement, value, _ = statements[request.name]
        with bakery.begin() as connection:
            connection.execute(text(statement), {"value": value})
            if request.name == "slow":
                connection.execute(text("SELECT pg_sleep(5)"))
        return "baked"

    with _serving(bake) as (stub, _, _):
        for name, (_, _, expected) in statements.items():
            failure = _refusal(lambda name=name: stub.Bake(BakeRequest(name=name)))  # type: ignore[misc]  # mypy cannot infer a default's type
            assert type(failure) is (expected or errors.DeadlineExceeded), name


class _Doorkeeper(grpc.ServerInterceptor):
    def intercept_service(self, continuation: Any, details: Any) -> Any:
        if dict(details.invocation_metadata).get("authorization") == "Bearer key":
            return continuation(details)

        def refuse(_request: Any, _context: grpc.ServicerContext) -> Any:
            raise errors.Unauthenticated("TOKEN_MISSING", "no")

        return grpc.unary_unary_rpc_method_handler(refuse)


def test_an_interceptors_refusal_is_never_remembered_for_another_call() -> None:
    with _serving(_echo, interceptors=[_Doorkeeper()]) as (outside, server, channel):
        with connect(f"127.0.0.1:{server.port}", token=lambda: "key") as inside_channel:
            inside = BakeryStub(inside_channel)
            for _ in range(3):
                assert inside.Bake(BakeRequest(name="rye")).loaf == "rye"
                assert _refusal(lambda: outside.Bake(BakeRequest())).reason == "TOKEN_MISSING"
        assert _health(channel) == health_pb2.HealthCheckResponse.SERVING


def test_health_follows_its_checks_and_liveness_does_not() -> None:
    trouble: list[str] = ["not migrated"]

    def check() -> str | None:
        return trouble[0] if trouble else None

    serving, not_serving = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
    with _serving(_echo, checks=[check]) as (_, server, channel):
        assert _health(channel) == _health(channel, NAME) == not_serving
        assert _health(channel, LIVE) == serving
        assert server.problems == ["not migrated"]
        trouble.clear()
        _eventually(lambda: _health(channel, NAME) == serving)
        trouble.append("the oven is cold")
        _eventually(lambda: _health(channel) == not_serving)
        trouble.clear()
        _eventually(lambda: _health(channel) == serving)


def test_health_and_the_database(bakery: Database) -> None:
    assert bakery.check() is None
    nowhere = Database("postgresql://nobody@127.0.0.1:1/nothing", schema="nothing")
    assert nowhere.check() is not None
    check = migrated(nowhere, "postgresql://nobody@127.0.0.1:1/nothing", "tests.chassis")
    with _serving(_echo, checks=[check]) as (_, server, channel):
        assert _health(channel) == health_pb2.HealthCheckResponse.NOT_SERVING
        assert "check failed" in server.problems[0]
    nowhere.close()


def test_streams_that_need_no_token_cannot_take_every_thread() -> None:
    server = Server(Service("bakery", [servicer(_echo)], waiters=0), workers=6)
    with connect(f"127.0.0.1:{server.start()}") as channel:
        watching: Any = health_pb2_grpc.HealthStub(channel)
        watches = [watching.Watch(health_pb2.HealthCheckRequest()) for _ in range(20)]
        assert [next(watch).status for watch in watches] == [health_pb2.HealthCheckResponse.SERVING] * 20
        done = threading.Event()
        reflecting: Any = reflection_pb2_grpc.ServerReflectionStub(channel)
        # Kept: a stream nobody holds is ended.
        streams = [reflecting.ServerReflectionInfo(_asking(done)) for _ in range(4)]
        for stream in streams:
            next(stream)
        for _ in range(2):
            stream = reflecting.ServerReflectionInfo(_asking(done))
            assert _refusal(lambda stream=stream: next(stream)).reason == "TOO_MANY_WAITERS"  # type: ignore[misc]  # mypy cannot infer a default's type
        assert BakeryStub(channel).Bake(BakeRequest(name="rye")).loaf == "rye"
        done.set()
        server.stop(1)


def _asking(done: threading.Event) -> Iterator[Any]:
    yield reflection_pb2.ServerReflectionRequest(list_services="*")
    done.wait(10)


def test_reflection_lists_the_services() -> None:
    with _serving(_echo) as (_, _, channel):
        names = set(ProtoReflectionDescriptorDatabase(channel).get_services())
    assert {NAME, "grpc.health.v1.Health"} <= names


def test_stopping_lets_calls_end_sends_waiters_home_and_stops_the_background(bakery: Database) -> None:
    before = _sequencing()
    sequencer = Sequencer(bakery)
    reader = FeedReader(bakery, sequencer)
    begun = threading.Event()

    def bake(request: Any, context: grpc.ServicerContext) -> str:
        begun.set()
        if request.name == "wait":
            return str(len(reader.page(after=0, wait=30, active=context.is_active).events))
        time.sleep(0.3)
        with bakery.begin() as connection:
            publish(connection, [NewEvent("baked", "oven", b"x")])
        return "done"

    closed: list[str] = []
    server = Server(
        Service(
            "bakery", [servicer(bake)], background=[sequencer], closing=[lambda: closed.append("database")]
        )
    )
    with connect(f"127.0.0.1:{server.start()}") as channel:
        stub = BakeryStub(channel)
        waiting = stub.Bake.future(BakeRequest(name="wait"), timeout=30)
        working = stub.Bake.future(BakeRequest(name="work"), timeout=30)
        begun.wait(5)
        time.sleep(0.1)
        at = time.monotonic()
        server.stop(10)
        assert time.monotonic() - at < 3
        assert working.result().loaf == "done"
        assert waiting.result().loaf == "0"
    assert closed == ["database"]
    assert _sequencing() == before


def _sequencing() -> int:
    return sum(thread.name.startswith("sequencer") for thread in threading.enumerate())


def test_a_port_in_use_is_refused() -> None:
    with _serving(_echo) as (_, server, _), pytest.raises(RuntimeError):
        Server(Service("bakery", [servicer(_echo)]), address=f"127.0.0.1:{server.port}").start()


def test_reads_and_commands_with_a_request_id_are_sent_again_when_nobody_answers() -> None:
    tries: list[str] = []

    def bake(request: Any, _context: grpc.ServicerContext) -> str:
        tries.append(request.name)
        if tries.count(request.name) < 3:
            raise errors.Unavailable("DATABASE_UNAVAILABLE", "not now")
        return "at last"

    with _serving(bake) as (bakery, _, _):
        assert bakery.GetLoaf(BakeRequest(name="read")).loaf == "at last"
        assert bakery.Bake(BakeRequest(name="command", request_id="1")).loaf == "at last"
        assert _refusal(lambda: bakery.Bake(BakeRequest(name="bare"))).reason == "DATABASE_UNAVAILABLE"
    assert tries.count("bare") == 1


def test_a_channel_finds_a_restarted_server_again() -> None:
    first = Server(Service("bakery", [servicer(_echo)]))
    port = first.start()
    with connect(f"127.0.0.1:{port}") as channel:
        bakery = BakeryStub(channel)
        assert bakery.GetLoaf(BakeRequest(name="a")).loaf == "a"
        first.stop(0)
        assert isinstance(_refusal(lambda: bakery.Bake(BakeRequest(name="b"))), errors.Unavailable)
        second = Server(Service("bakery", [servicer(_echo)]), address=f"127.0.0.1:{port}")
        second.start()
        _eventually(lambda: bakery.GetLoaf(BakeRequest(name="c")).loaf == "c")
        second.stop(0)


def _eventually(truth: Callable[[], bool], seconds: float = 10) -> None:
    until = time.monotonic() + seconds
    while not truth():
        assert time.monotonic() < until, "did not become true in time"
        time.sleep(0.02)

"""A trace crosses from a caller into a service and its database; logs carry it, and no secrets."""

import io
import json
import logging
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import grpc
import pytest
import structlog
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sqlalchemy import text

from chassis import logs, telemetry
from chassis.channel import connect
from chassis.database import Database
from chassis.errors import NotFound
from chassis.server import Server, Service
from tests.chassis.baking import BakeRequest, BakeryStub, servicer


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    telemetry.configure("bakery", span_exporter=exporter)
    yield exporter
    telemetry.shutdown()


def _serve(bakery: Database) -> Server:
    def bake(request: Any, _context: grpc.ServicerContext) -> str:
        if request.name == "none":
            raise NotFound("LOAF_UNKNOWN", "no such loaf")
        with bakery.begin() as connection:
            connection.execute(
                text("INSERT INTO loaves VALUES (1, :kind, '') ON CONFLICT DO NOTHING"),
                {"kind": request.name},
            )
        return str(request.name)

    server = Server(Service("bakery", [servicer(bake)]))
    server.start()
    return server


def test_a_trace_crosses_from_the_caller_into_the_service_and_its_database(
    bakery: Database, spans: InMemorySpanExporter
) -> None:
    telemetry.instrument(bakery.engine, bakery.schema)
    server = _serve(bakery)
    instruments = telemetry.current()
    assert instruments is not None
    with connect(f"127.0.0.1:{server.port}") as channel:
        with instruments.tracer.start_as_current_span("page"):
            BakeryStub(channel).Bake(BakeRequest(name="Alice's rye"))
        server.stop(1)
    by_name = {span.name: span for span in spans.get_finished_spans()}
    finished = spans.get_finished_spans()
    page = by_name["page"]
    client = next(span for span in finished if span.kind.name == "CLIENT" and span.name.endswith("/Bake"))
    served = next(span for span in finished if span.kind.name == "SERVER")
    statement = by_name["INSERT"]
    assert len(finished) == 4
    assert len({span.context.trace_id for span in finished if span.context}) == 1
    chain = (page, client, served, statement)
    for parent, child in pairwise(chain):
        assert child.parent is not None
        assert parent.context is not None
        assert child.parent.span_id == parent.context.span_id
    assert served.attributes is not None
    assert served.attributes["rpc.response.status_code"] == "OK"
    assert "Alice" not in str([(span.name, dict(span.attributes or {})) for span in finished])


def test_a_refused_call_and_a_stream_have_spans_too(bakery: Database, spans: InMemorySpanExporter) -> None:
    server = _serve(bakery)
    with connect(f"127.0.0.1:{server.port}") as channel:
        with pytest.raises(grpc.RpcError):
            BakeryStub(channel).Bake(BakeRequest(name="none"))
        assert len(list(BakeryStub(channel).Watch(BakeRequest(name="rye", count=3)))) == 4
        server.stop(1)
    served = {
        span.name: (span.attributes or {})["rpc.response.status_code"]
        for span in spans.get_finished_spans()
        if span.kind.name == "SERVER"
    }
    assert served == {"bakery.v1.Bakery/Bake": "NOT_FOUND", "bakery.v1.Bakery/Watch": "OK"}


def test_a_trace_that_is_not_sampled_is_not_recorded_anywhere(bakery: Database) -> None:
    exporter = InMemorySpanExporter()
    telemetry.configure("bakery", span_exporter=exporter, sampling=0.0)
    server = _serve(bakery)
    with connect(f"127.0.0.1:{server.port}") as channel:
        BakeryStub(channel).Bake(BakeRequest(name="rye"))
        server.stop(1)
    telemetry.shutdown()
    assert exporter.get_finished_spans() == ()


@pytest.mark.parametrize("parent", ["", "00-xyz", "00-" + "0" * 32 + "-" + "1" * 16 + "-01", "junk" * 20])
def test_a_malformed_traceparent_starts_a_new_trace(
    bakery: Database, spans: InMemorySpanExporter, parent: str
) -> None:
    server = _serve(bakery)
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        BakeryStub(channel).Bake(BakeRequest(name="rye"), metadata=(("traceparent", parent),))
        server.stop(1)
    assert any(span.kind.name == "SERVER" and span.parent is None for span in spans.get_finished_spans())


def test_metrics_count_calls_statements_and_the_lag_of_followers(bakery: Database) -> None:
    reader = InMemoryMetricReader()
    telemetry.configure("bakery", metric_reader=reader)
    telemetry.observe_lag("bakery", "mill", lambda: 7)
    server = _serve(bakery)
    with connect(f"127.0.0.1:{server.port}") as channel:
        for _ in range(3):
            BakeryStub(channel).Bake(BakeRequest(name="rye"))
        server.stop(1)
    data = reader.get_metrics_data()
    assert data is not None
    points: dict[str, list[Any]] = {
        metric.name: list(metric.data.data_points)
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }
    telemetry.shutdown()
    assert points["rpc.server.duration"][0].count == 3
    assert points["rpc.client.duration"][0].count == 3
    assert points["db.client.operation.duration"][0].count >= 3
    lags = {point.attributes["feed"]: point.value for point in points["foothold.feed.lag"]}
    assert lags["mill"] == 7


def test_telemetry_is_off_without_an_endpoint() -> None:
    assert telemetry.configure("bakery") is None
    assert telemetry.current() is None


def test_an_unreachable_collector_does_not_hold_the_process_up() -> None:
    program = textwrap.dedent("""
        from chassis import telemetry
        on = telemetry.configure("bakery", endpoint="http://127.0.0.1:1")
        assert on is not None
        with on.tracer.start_as_current_span("work"):
            pass
        print("worked", flush=True)
    """)
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "worked\n"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    logs.configure("bakery", stream=stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def _lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_logs_are_json_lines_with_the_trace_and_without_secrets(
    log: io.StringIO, spans: InMemorySpanExporter
) -> None:
    instruments = telemetry.current()
    assert instruments is not None
    with instruments.tracer.start_as_current_span("page") as span:
        structlog.stdlib.get_logger("test").info(
            "baked", loaf_id="7", refresh_token="abc", Authorization="abc"
        )
        logging.getLogger("some.library").warning("careful with %s", "that")
        trace_id = f"{span.get_span_context().trace_id:032x}"
    ours, theirs = _lines(log)
    assert (ours["event"], ours["level"], ours["service"], ours["loaf_id"]) == (
        "baked",
        "info",
        "bakery",
        "7",
    )
    assert (theirs["event"], theirs["level"]) == ("careful with that", "warning")
    assert ours["trace_id"] == theirs["trace_id"] == trace_id
    assert "abc" not in log.getvalue()


def test_a_database_error_in_the_log_does_not_show_the_row(log: io.StringIO, bakery: Database) -> None:
    from sqlalchemy.exc import IntegrityError

    number = 12344 + 1
    try:
        with bakery.begin() as connection:
            for _ in range(2):
                connection.execute(text("INSERT INTO loaves VALUES (:number, 'rye', '')"), {"number": number})
    except IntegrityError:
        structlog.stdlib.get_logger("test").exception("call_failed")
    (line,) = _lines(log)
    assert "loaves_pkey" in line["exception"]
    assert "DETAIL" not in line["exception"]
    assert "12345" not in line["exception"]

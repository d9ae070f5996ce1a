"""Traces and metrics of this process, hooked in by hand.

Off until `configure` is called with an endpoint or an exporter: then `current()` answers None and nothing
is measured. Spans are made at three places only: a call served, a call made, a statement executed; the
instrumentation packages cost a multiple (performance.md) and one of them had stopped working unnoticed.
No span or metric holds a parameter, a payload or a person.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from weakref import WeakSet

from opentelemetry import context as otel_context
from opentelemetry import metrics, trace
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, TraceFlags

# A channel needs this room, and a command in a terminal makes channels: what only a process with telemetry
# or a database needs is loaded where it is used.
if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import MetricExporter, MetricReader
    from opentelemetry.sdk.trace.export import SpanExporter
    from sqlalchemy import Connection, Engine
    from sqlalchemy.engine import ExceptionContext

_NAME: Final = "foothold"
_LONGEST_STATEMENT: Final = 500
_TRACEPARENT_PARTS: Final = 4
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_STARTED: Final = "chassis.started"
_instrumented: "WeakSet[Engine]" = WeakSet()


@dataclass(frozen=True)
class Telemetry:
    """The instruments of a process with telemetry on."""

    tracer: trace.Tracer
    served: metrics.Histogram
    called: metrics.Histogram
    executed: metrics.Histogram
    meter: metrics.Meter
    _shutdown: Sequence[Callable[[], None]] = field(repr=False)

    def shutdown(self) -> None:
        """Send what is left, then stop."""
        for each in self._shutdown:
            each()


class _Current:
    """What `configure` set up for this process."""

    telemetry: Telemetry | None = None
    lags: dict[tuple[str, str], Callable[[], int]] = {}  # noqa: RUF012  a registry for the life of the process


def current() -> Telemetry | None:
    """This process's instruments, or None with telemetry off."""
    return _Current.telemetry


def configure(
    service: str,
    *,
    endpoint: str | None = None,
    sampling: float = 1.0,
    span_exporter: "SpanExporter | None" = None,
    metric_reader: "MetricReader | None" = None,
) -> Telemetry | None:
    """Switch telemetry on for this process, once, before servers and channels are made.

    `endpoint` is an OTLP/gRPC collector, e.g. `http://collector:4317`; without it, and without the exporter
    or reader a test brings, telemetry stays off. `sampling` is the share of new traces recorded, 0 to 1; a
    trace that comes in with a decision keeps it.
    """
    shutdown()
    if endpoint is None and span_exporter is None and metric_reader is None:
        return None
    from opentelemetry.sdk.metrics import MeterProvider  # noqa: PLC0415
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor  # noqa: PLC0415
    from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased  # noqa: PLC0415

    resource = Resource.create({"service.name": service, "service.namespace": _NAME})
    tracers = TracerProvider(resource=resource, sampler=ParentBased(TraceIdRatioBased(sampling)))
    readers: list[MetricReader] = [metric_reader] if metric_reader else []
    if span_exporter:
        tracers.add_span_processor(SimpleSpanProcessor(span_exporter))
    if endpoint:
        spans, points = _exporters(endpoint)
        tracers.add_span_processor(BatchSpanProcessor(spans))
        readers.append(PeriodicExportingMetricReader(points))
    meters = MeterProvider(readers, resource)
    meter = meters.get_meter(_NAME)
    meter.create_observable_gauge(
        "foothold.feed.lag", [_observe_lags], "{event}", "events published but not yet applied"
    )
    _Current.telemetry = Telemetry(
        tracer=tracers.get_tracer(_NAME),
        served=_histogram(meter, "rpc.server.duration", "how long calls took to serve"),
        called=_histogram(meter, "rpc.client.duration", "how long calls made took"),
        executed=_histogram(meter, "db.client.operation.duration", "how long statements took"),
        meter=meter,
        _shutdown=(tracers.shutdown, meters.shutdown),
    )
    return _Current.telemetry


def shutdown() -> None:
    """Send what is left and switch telemetry off."""
    telemetry, _Current.telemetry = _Current.telemetry, None
    if telemetry:
        telemetry.shutdown()


def observe_lag(service: str, feed: str, lag: Callable[[], int]) -> None:
    """Report `lag()`, in events, as the metric foothold.feed.lag."""
    _Current.lags[service, feed] = lag


def incoming(metadata: Iterable[tuple[str, str | bytes]]) -> otel_context.Context:
    """The trace a call belongs to, from its W3C `traceparent` (https://www.w3.org/TR/trace-context/)."""
    for key, value in metadata:
        if key == "traceparent" and isinstance(value, str):
            parent = _parse(value)
            if parent:
                return trace.set_span_in_context(NonRecordingSpan(parent), otel_context.Context())
    return otel_context.Context()


def outgoing(span: trace.Span) -> tuple[str, str] | None:
    """The `traceparent` pair to send along; None outside of a trace."""
    context = span.get_span_context()
    if not context.is_valid:
        return None
    return "traceparent", f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"


def instrument(engine: "Engine", schema: str) -> None:
    """Time every statement of an engine, and give it a span where the call that makes it has one.

    `chassis.database.Database` does this for its own engine; a second time changes nothing.
    """
    from sqlalchemy import event  # noqa: PLC0415

    if engine in _instrumented:
        return
    _instrumented.add(engine)
    statements = _Statements(schema)
    event.listen(engine, "before_cursor_execute", statements.before)
    event.listen(engine, "after_cursor_execute", statements.after)
    event.listen(engine, "handle_error", statements.failed)


class _Statements:
    def __init__(self, schema: str) -> None:
        self._attributes = {"db.system.name": "postgresql", "db.namespace": schema}

    def before(
        self, connection: "Connection", _cursor: object, statement: str, _values: object, *_: object
    ) -> None:
        telemetry = _Current.telemetry
        if telemetry is None:
            return
        span = None
        if trace.get_current_span().is_recording():
            text = " ".join(statement.split())[:_LONGEST_STATEMENT]
            span = telemetry.tracer.start_span(
                text.split(" ", 1)[0].upper() or "SQL",
                kind=SpanKind.CLIENT,
                attributes={**self._attributes, "db.query.text": text},
            )
        connection.info[_STARTED] = (time.perf_counter(), span)

    def after(self, connection: "Connection", *_: object) -> None:
        self._finish(connection, failed=False)

    def failed(self, context: "ExceptionContext") -> None:
        if context.connection is not None and not context.connection.invalidated:
            self._finish(context.connection, failed=True)

    def _finish(self, connection: "Connection", *, failed: bool) -> None:
        telemetry = _Current.telemetry
        if telemetry is None:
            return
        started, span = connection.info.pop(_STARTED, (None, None))
        if started is not None:
            telemetry.executed.record(time.perf_counter() - started, self._attributes)
        if span is not None:
            if failed:
                span.set_status(trace.StatusCode.ERROR)
            span.end()


def _exporters(endpoint: str) -> "tuple[SpanExporter, MetricExporter]":
    # Imported here: it takes a third of a second that most commands would spend for nothing.
    from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter  # noqa: PLC0415
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter  # noqa: PLC0415

    insecure = not endpoint.startswith("https://")
    return (
        OTLPSpanExporter(endpoint=endpoint, insecure=insecure),
        OTLPMetricExporter(endpoint=endpoint, insecure=insecure),
    )


def _histogram(meter: metrics.Meter, name: str, description: str) -> metrics.Histogram:
    return meter.create_histogram(name, "s", description, explicit_bucket_boundaries_advisory=list(_SECONDS))


def _observe_lags(_options: CallbackOptions) -> Iterable[Observation]:
    return [
        Observation(max(0, lag()), {"service": service, "feed": feed})
        for (service, feed), lag in list(_Current.lags.items())
    ]


def _parse(traceparent: str) -> SpanContext | None:
    parts = traceparent.split("-")
    if len(parts) != _TRACEPARENT_PARTS or [len(part) for part in parts] != [2, 32, 16, 2]:
        return None
    with suppress(ValueError):
        parent = SpanContext(
            trace_id=int(parts[1], 16),
            span_id=int(parts[2], 16),
            is_remote=True,
            trace_flags=TraceFlags(int(parts[3], 16) & TraceFlags.SAMPLED),
        )
        return parent if parent.is_valid else None
    return None

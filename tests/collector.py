"""A peer that takes OTLP over gRPC as a collector does, and keeps what it was sent for a test to look at."""

import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import grpc
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

_TRACES: Final = "opentelemetry.proto.collector.trace.v1.TraceService"
_METRICS: Final = "opentelemetry.proto.collector.metrics.v1.MetricsService"


class Collector:
    """What arrived so far. Requests are kept as bytes: whoever only counts them pays for no decoding."""

    def __init__(self) -> None:
        self.endpoint = ""
        self._traces: list[bytes] = []
        self._metrics: list[bytes] = []
        self._lock = threading.Lock()

    def spans(self) -> list[tuple[str, Span]]:
        """(service.name, span) of every span."""
        with self._lock:
            requests = [ExportTraceServiceRequest.FromString(each) for each in self._traces]
        return [
            (attribute.value.string_value, span)
            for request in requests
            for resource in request.resource_spans
            for attribute in resource.resource.attributes
            if attribute.key == "service.name"
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def metrics(self) -> set[str]:
        """The names of the metrics reported."""
        with self._lock:
            requests = [ExportMetricsServiceRequest.FromString(each) for each in self._metrics]
        return {
            metric.name
            for request in requests
            for resource in request.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }

    @property
    def bytes_taken(self) -> int:
        """How much was sent here."""
        with self._lock:
            return sum(map(len, self._traces)) + sum(map(len, self._metrics))

    def _take(self, name: str, kept: list[bytes]) -> grpc.GenericRpcHandler:
        def export(request: bytes, _context: grpc.ServicerContext) -> bytes:
            with self._lock:
                kept.append(request)
            # An empty answer: everything was taken.
            return b""

        handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(export)
        return grpc.method_handlers_generic_handler(name, {"Export": handler})

    def start(self) -> grpc.Server:
        server = grpc.server(ThreadPoolExecutor(4))
        server.add_generic_rpc_handlers(
            (self._take(_TRACES, self._traces), self._take(_METRICS, self._metrics))
        )
        self.endpoint = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        server.start()
        return server


@contextlib.contextmanager
def collecting() -> Iterator[Collector]:
    """A collector that listens until the end of the block."""
    collector = Collector()
    server = collector.start()
    try:
        yield collector
    finally:
        server.stop(0).wait()

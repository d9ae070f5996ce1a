"""A channel to a service with what every call needs: token, deadline, trace, another try.

It wraps the four kinds of calls itself: gRPC's client interceptors cost more and cannot try again.
"""

import random
import time
from collections.abc import Callable
from typing import Any, Final, Self, cast

import grpc
import orjson
from opentelemetry import trace
from opentelemetry.trace import SpanKind

from chassis import deadline, telemetry

LARGEST_MESSAGE: Final = 8 * 1024 * 1024
"""Bytes of a message, either way; both ends of a call agree on it."""
_PAUSES: Final = (0.05, 0.2, 0.8)
_READS: Final = ("Get", "List", "BatchGet", "Search", "Check", "Read", "Explain", "Preview")
_SERVICE_CONFIG: Final = orjson.dumps({"loadBalancingConfig": [{"round_robin": {}}]}).decode()

Metadata = tuple[tuple[str, str | bytes], ...]


def connect(
    address: str,
    *,
    token: Callable[[], str] | None = None,
    timeout: float = 10,
    credentials: grpc.ChannelCredentials | None = None,
) -> grpc.Channel:
    """A channel to `host:port`, or to every address that a `dns:///` name has, in turn.

    `token()` is asked before every call. A single-answer call waits `timeout` seconds unless its caller
    says otherwise, and never longer than the caller of the call being served; streams wait as long as they
    take. Where nobody answers (UNAVAILABLE), reads and requests with a request_id are sent up to four times
    within that time. Failures come as grpc.RpcError; `chassis.errors.from_rpc_error` reads them.
    """
    options: list[tuple[str, str | int]] = [
        ("grpc.service_config", _SERVICE_CONFIG),
        # Retries are ours; gRPC's own would multiply them.
        ("grpc.enable_retries", 0),
        ("grpc.max_receive_message_length", LARGEST_MESSAGE),
        ("grpc.max_send_message_length", LARGEST_MESSAGE),
        # A restarted neighbour is found again in a moment, not after gRPC's usual two minutes.
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.min_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 1_000),
        ("grpc.keepalive_time_ms", 20_000),
        ("grpc.keepalive_timeout_ms", 5_000),
    ]
    if credentials is None:
        inner = grpc.insecure_channel(address, options)
    else:
        inner = grpc.secure_channel(address, credentials, options)
    return _Channel(inner, token, timeout)


class _Channel(grpc.Channel):
    def __init__(self, inner: grpc.Channel, token: Callable[[], str] | None, timeout: float) -> None:
        self._inner = inner
        self._token = token
        self._timeout = timeout

    def unary_unary(self, method: str, *arguments: Any, **options: Any) -> Any:
        return _Single(
            self._inner.unary_unary(method, *arguments, **options), method, self._token, self._timeout
        )

    def stream_unary(self, method: str, *arguments: Any, **options: Any) -> Any:
        return _Streaming(self._inner.stream_unary(method, *arguments, **options), self._token)

    def unary_stream(self, method: str, *arguments: Any, **options: Any) -> Any:
        return _Streaming(self._inner.unary_stream(method, *arguments, **options), self._token)

    def stream_stream(self, method: str, *arguments: Any, **options: Any) -> Any:
        return _Streaming(self._inner.stream_stream(method, *arguments, **options), self._token)

    def subscribe(self, callback: Any, try_to_connect: bool = False) -> None:  # noqa: FBT001, FBT002  gRPC's
        self._inner.subscribe(callback, try_to_connect)

    def unsubscribe(self, callback: Any) -> None:
        self._inner.unsubscribe(callback)

    def close(self) -> None:
        self._inner.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._inner.close()


class _Single:
    """A call with one request and one answer."""

    def __init__(self, call: Any, method: str, token: Callable[[], str] | None, timeout: float) -> None:
        self._call = call
        self._method = method.strip("/")
        self._token = token
        self._timeout = timeout
        self._reads = method.rpartition("/")[2].startswith(_READS)

    def __call__(
        self, request: Any, timeout: float | None = None, metadata: Any = None, **options: Any
    ) -> Any:
        return self.with_call(request, timeout, metadata, **options)[0]

    def with_call(
        self, request: Any, timeout: float | None = None, metadata: Any = None, **options: Any
    ) -> tuple[Any, grpc.Call]:
        until = time.monotonic() + self._patience(timeout)
        instruments = telemetry.current()
        if instruments is None:
            return self._try(request, until, _with_token(metadata, self._token), options)
        started, code = time.perf_counter(), grpc.StatusCode.OK.name
        with instruments.tracer.start_as_current_span(
            self._method, kind=SpanKind.CLIENT, record_exception=False
        ) as span:
            try:
                trailing = _with_token(metadata, self._token)
                parent = telemetry.outgoing(span)
                return self._try(request, until, (*trailing, parent) if parent else trailing, options)
            except grpc.RpcError as error:
                code = _code(error).name
                raise
            finally:
                instruments.called.record(
                    time.perf_counter() - started,
                    {"rpc.method": self._method, "rpc.response.status_code": code},
                )

    def future(self, request: Any, timeout: float | None = None, metadata: Any = None, **options: Any) -> Any:
        """A single try, without waiting for it."""
        sent = _with_trace(_with_token(metadata, self._token))
        return self._call.future(request, timeout=self._patience(timeout), metadata=sent, **options)

    def _patience(self, timeout: float | None) -> float:
        return deadline.limit(self._timeout if timeout is None else timeout)

    def _try(
        self, request: Any, until: float, metadata: Metadata, options: dict[str, Any]
    ) -> tuple[Any, grpc.Call]:
        pauses = iter(_PAUSES)
        while True:
            left = max(0.0, until - time.monotonic())
            try:
                answer: tuple[Any, grpc.Call] = self._call.with_call(
                    request, timeout=left, metadata=metadata, **options
                )
            except grpc.RpcError as error:
                pause = next(pauses, None)
                if pause is None or not self._again(error, request):
                    raise
                pause *= random.uniform(0.5, 1.5)  # noqa: S311  spread, not secrecy
                if time.monotonic() + pause >= until:
                    raise
                time.sleep(pause)
            else:
                return answer

    def _again(self, error: grpc.RpcError, request: Any) -> bool:
        return _code(error) is grpc.StatusCode.UNAVAILABLE and (
            self._reads or bool(getattr(request, "request_id", ""))
        )


class _Streaming:
    """A call with a stream on either side; it is sent once."""

    def __init__(self, call: Any, token: Callable[[], str] | None) -> None:
        self._call = call
        self._token = token

    def __call__(
        self, request: Any, timeout: float | None = None, metadata: Any = None, **options: Any
    ) -> Any:
        return self._call(request, timeout=timeout, metadata=self._sent(metadata), **options)

    def with_call(
        self, request: Any, timeout: float | None = None, metadata: Any = None, **options: Any
    ) -> Any:
        return self._call.with_call(request, timeout=timeout, metadata=self._sent(metadata), **options)

    def future(self, request: Any, timeout: float | None = None, metadata: Any = None, **options: Any) -> Any:
        return self._call.future(request, timeout=timeout, metadata=self._sent(metadata), **options)

    def _sent(self, metadata: Any) -> Metadata:
        return _with_trace(_with_token(metadata, self._token))


def _with_token(metadata: Any, token: Callable[[], str] | None) -> Metadata:
    given: Metadata = tuple(metadata or ())
    if token is None or any(key == "authorization" for key, _ in given):
        return given
    return (*given, ("authorization", f"Bearer {token()}"))


def _with_trace(metadata: Metadata) -> Metadata:
    if telemetry.current() is None:
        return metadata
    parent = telemetry.outgoing(trace.get_current_span())
    return (*metadata, parent) if parent else metadata


def _code(error: grpc.RpcError) -> grpc.StatusCode:
    # Every error a call ends with is a grpc.Call as well, though the type stubs do not say so.
    return cast("grpc.Call", error).code() if hasattr(error, "code") else grpc.StatusCode.UNKNOWN

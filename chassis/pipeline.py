"""What happens around every call: telemetry, deadline, decoding, the service's own interceptors, errors.

One layer does all of it. What depends on the method alone is made once per method and kept.
"""

from __future__ import annotations

import secrets
import threading
import time
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeAlias

import grpc
from google.protobuf.message import DecodeError
from grpc_status import rpc_status
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.trace import SpanKind

from chassis import deadline, telemetry
from chassis.errors import (
    DeadlineExceeded,
    Failure,
    Internal,
    InvalidArgument,
    ResourceExhausted,
    to_status,
)
from chassis.logs import logger
from chassis.refusals import as_failure

# Quoted: only the type stubs know these as generic.
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Continuation: TypeAlias = "Callable[[grpc.HandlerCallDetails], Handler | None]"


# Answered before anybody is asked who they are: probes carry no token, and the contract is public.
OPEN: Final = ("/grpc.health.v1.Health/", "/grpc.reflection.")
_MOST_METHODS: Final = 1_000
_MOST_OPEN_STREAMS: Final = 4
# gRPC reports a missing deadline as one centuries away.
_NEVER: Final = 10.0 * 365 * 24 * 3600


class Context(grpc.ServicerContext):
    """What gRPC really hands over; the stubs leave `code` out."""

    @abstractmethod
    def code(self) -> grpc.StatusCode | None: ...


class Pipeline(grpc.ServerInterceptor):
    """The outermost interceptor of a server; it calls the service's interceptors itself, in order."""

    def __init__(self, service: str, interceptors: Sequence[grpc.ServerInterceptor]) -> None:
        self._service = service
        self._domain = f"{service}.foothold"
        self._interceptors = tuple(interceptors)
        self._wrapped: dict[str, tuple[Handler, Handler]] = {}

    def intercept_service(
        self, continuation: Continuation, handler_call_details: grpc.HandlerCallDetails
    ) -> Handler | None:
        method: str = handler_call_details.method
        if method.startswith(OPEN):
            handler = continuation(handler_call_details)
        else:
            handler = self._inner(0, continuation)(handler_call_details)
        if handler is None:
            return None
        known = self._wrapped.get(method)
        # An interceptor may answer differently from call to call; only its very same answer is reused.
        if known is None or known[0] is not handler:
            known = (handler, self._wrap(method, handler))
            if len(self._wrapped) >= _MOST_METHODS:
                # Method names come from callers, and an interceptor may answer for names nobody serves.
                self._wrapped.clear()
            self._wrapped[method] = known
        return known[1]

    def _inner(self, index: int, continuation: Continuation) -> Continuation:
        if index == len(self._interceptors):
            return continuation
        following = self._inner(index + 1, continuation)
        interceptor = self._interceptors[index]
        return lambda details: interceptor.intercept_service(following, details)

    def _wrap(self, method: str, handler: Handler) -> Handler:
        if getattr(handler.unary_stream, "experimental_non_blocking", False):
            # Health's Watch: gRPC serves it without holding a thread, and only if it is left as it is.
            return handler
        call = _Call(self._service, self._domain, method, handler)
        # No request deserializer: gRPC would answer INTERNAL for bytes that are not the message.
        if handler.request_streaming and handler.response_streaming:
            return grpc.stream_stream_rpc_method_handler(
                call.stream_stream, None, handler.response_serializer
            )
        if handler.request_streaming:
            return grpc.stream_unary_rpc_method_handler(call.stream_unary, None, handler.response_serializer)
        if handler.response_streaming:
            return grpc.unary_stream_rpc_method_handler(call.unary_stream, None, handler.response_serializer)
        return grpc.unary_unary_rpc_method_handler(call.unary_unary, None, handler.response_serializer)


class _Call:
    """Serves the calls of one method."""

    def __init__(self, service: str, domain: str, method: str, handler: Handler) -> None:
        self._domain = domain
        self._method = method
        # One of the four is set; which one, the two flags say.
        self._behaviour: Any = (
            handler.unary_unary or handler.unary_stream or handler.stream_unary or handler.stream_stream
        )
        self._decode = handler.request_deserializer
        self._streams = handler.request_streaming or handler.response_streaming
        # Anybody may open a stream of an open method, and each holds a thread for as long as it likes.
        self._slots = threading.BoundedSemaphore(_MOST_OPEN_STREAMS if method.startswith(OPEN) else 2**31)
        name, _, rpc = method.strip("/").rpartition("/")
        self._attributes = {
            "rpc.system": "grpc",
            "rpc.service": name,
            "rpc.method": rpc,
            "foothold.service": service,
        }

    def unary_unary(self, raw: bytes, context: Context) -> Any:
        observed = self._observe(context) if telemetry.current() else None
        failure: Failure | None = None
        try:
            self._begin(context)
            return self._behaviour(self._parse(raw), context)
        except Exception as error:  # noqa: BLE001  the edge: everything must become an answer
            failure = self._refuse(error, context)
        finally:
            if observed:
                observed(_code(failure, context))
        return self._abort(failure, context)

    def stream_unary(self, raws: Iterable[bytes], context: Context) -> Any:
        observed = self._observe(context) if telemetry.current() else None
        failure: Failure | None = None
        try:
            self._begin(context)
            return self._behaviour(map(self._parse, raws), context)
        except Exception as error:  # noqa: BLE001  as above
            failure = self._refuse(error, context)
        finally:
            if observed:
                observed(_code(failure, context))
        return self._abort(failure, context)

    def unary_stream(self, raw: bytes, context: Context) -> Iterator[Any]:
        return self._stream(lambda: self._behaviour(self._parse(raw), context), context)

    def stream_stream(self, raws: Iterable[bytes], context: Context) -> Iterator[Any]:
        return self._stream(lambda: self._behaviour(map(self._parse, raws), context), context)

    def _stream(self, begin: Callable[[], Iterable[Any]], context: Context) -> Iterator[Any]:
        observed = self._observe(context) if telemetry.current() else None
        failure: Failure | None = None
        try:
            self._begin(context)
            with self._slot():
                yield from begin()
        except Exception as error:  # noqa: BLE001  as above
            failure = self._refuse(error, context)
        finally:
            if observed:
                observed(_code(failure, context))
        if failure:
            self._abort(failure, context)

    def _begin(self, context: Context) -> None:
        left = context.time_remaining()
        if left > _NEVER:
            # A stream may take as long as its caller likes; a single answer may not.
            deadline.begin(_NEVER if self._streams else deadline.DEFAULT_SECONDS)
        elif left <= 0:
            raise DeadlineExceeded("DEADLINE_PASSED", "the deadline passed before the work began")
        else:
            deadline.begin(left)

    @contextmanager
    def _slot(self) -> Iterator[None]:
        if not self._slots.acquire(blocking=False):
            raise ResourceExhausted("TOO_MANY_WAITERS", "too many streams of this kind are open")
        try:
            yield
        finally:
            self._slots.release()

    def _parse(self, raw: bytes) -> Any:
        if self._decode is None:
            return raw
        try:
            return self._decode(raw)
        except (DecodeError, ValueError) as error:
            raise InvalidArgument("MESSAGE_MALFORMED", "the request is not a message of its type") from error

    def _refuse(self, error: Exception, context: Context) -> Failure:
        if _ended(error, context):
            raise error
        failure = as_failure(error)
        if failure is None:
            span = trace.get_current_span().get_span_context()
            trace_id = f"{span.trace_id:032x}" if span.is_valid else secrets.token_hex(16)
            logger(__name__).error(
                "call_failed", method=self._method, trace_id=trace_id, exc_info=error, domain=self._domain
            )
            failure = Internal("INTERNAL", "an unexpected fault", metadata={"trace_id": trace_id})
        elif failure is not error:
            logger(__name__).warning(
                "call_refused", method=self._method, reason=failure.reason, cause=type(error).__name__
            )
        return failure

    def _abort(self, failure: Failure, context: Context) -> None:
        context.abort_with_status(rpc_status.to_status(to_status(failure, domain=self._domain)))

    def _observe(self, context: Context) -> Callable[[str], None] | None:
        instruments = telemetry.current()
        if instruments is None:
            return None
        started = time.perf_counter()
        span = instruments.tracer.start_span(
            self._method[1:],
            context=telemetry.incoming(context.invocation_metadata()),
            kind=SpanKind.SERVER,
            attributes=self._attributes,
        )
        otel_context.attach(trace.set_span_in_context(span))

        def finish(code: str) -> None:
            instruments.served.record(
                time.perf_counter() - started, {**self._attributes, "rpc.response.status_code": code}
            )
            if span.is_recording():
                span.set_attribute("rpc.response.status_code", code)
                if code in {"INTERNAL", "UNKNOWN", "UNAVAILABLE"}:
                    span.set_status(trace.StatusCode.ERROR)
            span.end()

        return finish


def _ended(error: Exception, context: Context) -> bool:
    """Whether the call is over already: the handler aborted it by itself, or the caller went away."""
    if type(error) is Exception and not error.args and context.code() is not None:
        return True
    return isinstance(error, grpc.RpcError) and not context.is_active()


def _code(failure: Failure | None, context: Context) -> str:
    if failure:
        return failure.code.name
    code = context.code()
    return code.name if code else grpc.StatusCode.OK.name

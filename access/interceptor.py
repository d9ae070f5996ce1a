"""The door of every service: who is calling, and is this method open to them at all.

Where it is open, the method's own Scope narrows what may be touched.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any, Final, TypeAlias

import grpc
from google.protobuf.descriptor import ServiceDescriptor

from access.callers import CALLER, Caller, missing
from access.directory import Directory
from access.tokens import CallerKind, Claims, TokenRefused, TokenVerifier
from chassis.clock import Clock, SystemClock
from chassis.errors import PermissionDenied, Unauthenticated, Unavailable

PUBLIC: Final = "PUBLIC"
"""Open without a token. Of a caller with one, only which process of ours it is gets known (`component`)."""
SIGNED_IN: Final = "SIGNED_IN"
"""Open to every person and service account with a valid token."""

# Probes and tools call these without a token; they tell nothing about anybody.
_OPEN_SERVICES: Final = (
    "/grpc.health.v1.Health/",
    "/grpc.reflection.v1.ServerReflection/",
    "/grpc.reflection.v1alpha.ServerReflection/",
)
_FEED_SERVICE: Final = ".FeedService"
_BEARER: Final = "bearer "
# A person may sign in and call a service before that service has heard that the person exists.
_NEWS_TIME: Final = timedelta(seconds=30)

# Generic in the stubs only.
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"


class Access(grpc.ServerInterceptor):
    """Admits callers by the permission row of the method they call.

    `permissions` maps full method names ("/foothold.goals.v1.FactsService/RecordFacts") to a permission,
    PUBLIC or SIGNED_IN. A method without a row is closed.
    """

    def __init__(
        self,
        permissions: Mapping[str, str],
        *,
        verifier: TokenVerifier,
        directory: Directory,
        clock: Clock | None = None,
    ) -> None:
        self._permissions = dict(permissions)
        self._verifier = verifier
        self._directory = directory
        self._clock = clock or SystemClock()
        self._doors: dict[str, tuple[Handler, Handler]] = {}

    def intercept_service(
        self,
        continuation: "Callable[[grpc.HandlerCallDetails], Handler | None]",
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "Handler | None":
        handler = continuation(handler_call_details)
        method: str = handler_call_details.method
        if handler is None or method.startswith(_OPEN_SERVICES):
            return handler
        # Made once per method; the check itself runs in the worker's thread, for this one is shared by all.
        known = self._doors.get(method)
        if known is None or known[0] is not handler:
            known = (handler, _guarded(handler, lambda context: self._admit(method, context)))
            self._doors[method] = known
        return known[1]

    def _admit(self, method: str, context: grpc.ServicerContext) -> None:
        CALLER.set(None)
        permission = self._permissions.get(method)
        if permission is None:
            raise PermissionDenied("METHOD_CLOSED", "This method is not open to anybody.")
        token = _token(context)
        if permission == PUBLIC:
            # A stale token does not keep anybody from signing in again, and a good one opens no more.
            CALLER.set(self._component(token))
            return
        caller = self.identify(token)
        if caller.kind is CallerKind.COMPONENT and not method.rpartition("/")[0].endswith(_FEED_SERVICE):
            raise missing(permission)
        if permission != SIGNED_IN and not caller.holds(permission):
            raise missing(permission)
        CALLER.set(caller)

    def identify(self, token: str | None) -> Caller:
        """Who holds the token. Unauthenticated TOKEN_MISSING, TOKEN_INVALID or PERSON_DISMISSED."""
        if not token:
            raise Unauthenticated("TOKEN_MISSING", "Sign in first.")
        try:
            claims = self._verifier.verify(token)
        except TokenRefused as refused:
            raise Unauthenticated("TOKEN_INVALID", f"The access token does not work: {refused}.") from refused
        if claims.kind is not CallerKind.COMPONENT and not self._directory.version:
            # Just started: nobody may be told that a good token is bad, or a right missing.
            raise Unavailable("NOT_READY", "This service has not read the directory yet; send it again.")
        if claims.kind is CallerKind.PERSON:
            self._require_active(claims)
        elif claims.kind is CallerKind.SERVICE_ACCOUNT:
            account = self._directory.service_account(claims.subject)
            if account is None:
                raise self._stranger(claims)
            if account.disabled:
                raise Unauthenticated("TOKEN_INVALID", "The service account has been disabled.")
        return Caller(claims.subject, claims.kind, self._directory, claims.session_id)

    def _component(self, token: str | None) -> Caller | None:
        """The process of ours that holds the token, if one does."""
        try:
            claims = self._verifier.verify(token) if token else None
        except TokenRefused:
            return None
        if claims is None or claims.kind is not CallerKind.COMPONENT:
            return None
        return Caller(claims.subject, claims.kind, self._directory)

    def _require_active(self, claims: Claims) -> None:
        person = self._directory.person(claims.subject)
        if person is None:
            raise self._stranger(claims)
        if not person.active:
            raise Unauthenticated("PERSON_DISMISSED", "The person has left the enterprise.")
        if self._directory.session_ended(claims.session_id):
            raise Unauthenticated("TOKEN_INVALID", "The session has ended.")

    def _stranger(self, claims: Claims) -> Unavailable | Unauthenticated:
        if self._clock.now() - claims.issued_at < _NEWS_TIME:
            return Unavailable("NOT_READY", "This service has not heard of the caller yet; send it again.")
        return Unauthenticated("TOKEN_INVALID", "The access token does not work: its holder is unknown.")


def _token(context: grpc.ServicerContext) -> str | None:
    for key, value in context.invocation_metadata() or ():
        if key == "authorization" and isinstance(value, str) and value[:7].lower() == _BEARER:
            return value[7:].strip()
    return None


def _guarded(handler: Handler, admit: Callable[[grpc.ServicerContext], None]) -> Handler:
    codecs = (handler.request_deserializer, handler.response_serializer)
    if handler.response_streaming:
        stream: Any = handler.stream_stream if handler.request_streaming else handler.unary_stream

        def streaming(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
            # A generator: the body runs where the answer is taken, and so does the check before it.
            admit(context)
            yield from stream(request, context)

        make = (
            grpc.stream_stream_rpc_method_handler
            if handler.request_streaming
            else grpc.unary_stream_rpc_method_handler
        )
        return make(streaming, *codecs)
    single: Any = handler.stream_unary if handler.request_streaming else handler.unary_unary

    def answering(request: Any, context: grpc.ServicerContext) -> Any:
        admit(context)
        return single(request, context)

    make = (
        grpc.stream_unary_rpc_method_handler
        if handler.request_streaming
        else grpc.unary_unary_rpc_method_handler
    )
    return make(answering, *codecs)


def require_rows(permissions: Mapping[str, str], services: Iterable[ServiceDescriptor]) -> None:
    """Refuse to start with a method that has no permission row, or a row without a method. ValueError."""
    methods = {f"/{service.full_name}/{method.name}" for service in services for method in service.methods}
    without, astray = sorted(methods - set(permissions)), sorted(set(permissions) - methods)
    if without or astray:
        raise ValueError(f"methods without a permission row: {without}; rows without a method: {astray}")

"""One exception per gRPC status code, and the way back on the client's side.

A failure carries a `reason`: the name of a `foothold.errors.v1.ErrorReason` value without its
`ERROR_REASON_` prefix. The server sends it as `google.rpc.Status` with exactly one `ErrorInfo`, and a
`BadRequest` where request fields are to blame (https://google.aip.dev/193).
"""

import re
from collections.abc import Mapping
from typing import ClassVar, Final, cast

import grpc
from google.protobuf.message import DecodeError, Message
from google.rpc import error_details_pb2, status_pb2

DETAILS_KEY: Final = "grpc-status-details-bin"
_LONGEST_MESSAGE: Final = 1000
_VALID_KEY: Final = re.compile(r"[a-z][a-zA-Z0-9_-]{0,63}")


class Failure(Exception):  # noqa: N818  a refusal is an answer, not an error in the program
    """A call refused: `reason` for machines, `message` for people, `fields` by their path in the request.

    Neither may hold personal data or secrets: both reach the caller, and `reason` the log.
    """

    code: ClassVar[grpc.StatusCode] = grpc.StatusCode.UNKNOWN

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        fields: Mapping[str, str] | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(reason, message)
        self.reason = reason
        self.message = message
        self.fields = dict(fields or {})
        self.metadata = dict(metadata or {})
        self.domain = ""

    def __str__(self) -> str:
        fields = "".join(f"; {name}: {why}" for name, why in self.fields.items())
        return f"{self.code.name} {self.reason}: {self.message}{fields}"


class InvalidArgument(Failure):
    """The request is wrong whatever the state of the system."""

    code = grpc.StatusCode.INVALID_ARGUMENT


class NotFound(Failure):
    """There is no such thing, or none the caller may see."""

    code = grpc.StatusCode.NOT_FOUND


class AlreadyExists(Failure):
    """The thing to be created exists."""

    code = grpc.StatusCode.ALREADY_EXISTS


class PermissionDenied(Failure):
    """The caller may see the thing but not do this with it."""

    code = grpc.StatusCode.PERMISSION_DENIED


class Unauthenticated(Failure):
    """No valid access token."""

    code = grpc.StatusCode.UNAUTHENTICATED


class FailedPrecondition(Failure):
    """The system is not in the state the request needs; sending it again as it is will not help."""

    code = grpc.StatusCode.FAILED_PRECONDITION


class Aborted(Failure):
    """Two changes met each other; start again from the read."""

    code = grpc.StatusCode.ABORTED


class ResourceExhausted(Failure):
    """A limit is reached; wait before sending again."""

    code = grpc.StatusCode.RESOURCE_EXHAUSTED


class Unavailable(Failure):
    """Not just now; the same request may be sent again shortly."""

    code = grpc.StatusCode.UNAVAILABLE


class DeadlineExceeded(Failure):
    """The caller's deadline passed."""

    code = grpc.StatusCode.DEADLINE_EXCEEDED


class OutOfRange(Failure):
    """Past the valid range, which the state of the system decides."""

    code = grpc.StatusCode.OUT_OF_RANGE


class Unimplemented(Failure):
    """The server has no such method."""

    code = grpc.StatusCode.UNIMPLEMENTED


class Cancelled(Failure):
    """The caller went away."""

    code = grpc.StatusCode.CANCELLED


class Internal(Failure):
    """A fault of the server. Metadata `trace_id` finds the details in its log."""

    code = grpc.StatusCode.INTERNAL


_BY_CODE: Final[dict[grpc.StatusCode, type[Failure]]] = {
    kind.code: kind
    for kind in (
        InvalidArgument,
        NotFound,
        AlreadyExists,
        PermissionDenied,
        Unauthenticated,
        FailedPrecondition,
        Aborted,
        ResourceExhausted,
        Unavailable,
        DeadlineExceeded,
        OutOfRange,
        Unimplemented,
        Cancelled,
        Internal,
    )
}


def to_status(failure: Failure, *, domain: str) -> status_pb2.Status:
    """The `google.rpc.Status` for the wire. Over-long texts are cut: trailers are limited to 8 KiB."""
    code: int = failure.code.value[0]
    status = status_pb2.Status(code=code, message=failure.message[:_LONGEST_MESSAGE])
    info = error_details_pb2.ErrorInfo(reason=failure.reason, domain=domain)
    for key, value in failure.metadata.items():
        if _VALID_KEY.fullmatch(key):
            info.metadata[key] = value[:_LONGEST_MESSAGE]
    status.details.add().Pack(info)
    if failure.fields:
        bad = error_details_pb2.BadRequest()
        for name, why in list(failure.fields.items())[:30]:
            bad.field_violations.add(field=name[:100], description=why[:150])
        status.details.add().Pack(bad)
    return status


def from_rpc_error(error: grpc.RpcError) -> Failure:
    """The failure a server meant, read back from a client's `grpc.RpcError`.

    Where the server sent no details (a proxy answered, nobody listened, the caller's own deadline passed)
    the reason is the name of the status code.
    """
    if not hasattr(error, "trailing_metadata"):
        return Internal(grpc.StatusCode.UNKNOWN.name, str(error))
    # Every error a call ends with is a grpc.Call as well, though the type stubs do not say so.
    call = cast("grpc.Call", error)
    code = call.code()
    kind = _BY_CODE.get(code, Internal)
    for key, value in call.trailing_metadata() or ():
        if key == DETAILS_KEY and isinstance(value, bytes):
            failure = _from_details(kind, value)
            if failure is not None:
                return failure
    return kind(code.name, call.details() or "")


def _from_details(kind: type[Failure], raw: bytes) -> Failure | None:
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    try:
        status = status_pb2.Status.FromString(raw)
        for detail in status.details:
            message: Message
            for message in (info, bad):
                if detail.Is(message.DESCRIPTOR):
                    detail.Unpack(message)
    except DecodeError:
        return None
    if not info.reason:
        return None
    fields = {violation.field: violation.description for violation in bad.field_violations}
    failure = kind(info.reason, status.message, fields=fields, metadata=dict(info.metadata))
    failure.domain = info.domain
    return failure

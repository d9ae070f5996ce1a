"""One probe per RPC: a request that reaches for somebody or something, and what its answer means.

What comes of a probe is a word: `ok` (done, or answered), `narrowed` (answered without what was reached for),
`denied` (PERMISSION_DENIED), `hidden` (NOT_FOUND), `out` (UNAUTHENTICATED). Anything else is told as it is.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import grpc
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from chassis.errors import Failure, from_rpc_error
from tests.permissions.enterprise import NODES, PEOPLE, Enterprise

_WORDS: Final = {"UNAUTHENTICATED": "out", "PERMISSION_DENIED": "denied", "NOT_FOUND": "hidden"}
_BUSY: Final = {"UNAVAILABLE", "DEADLINE_EXCEEDED", "ABORTED"}
_ROW_WORDS: Final = {
    "PERMISSION_MISSING": "denied",
    "GRANT_EXCEEDS_CALLER": "denied",
    "PERSON_UNKNOWN": "hidden",
    "NODE_UNKNOWN": "hidden",
}


@dataclass(frozen=True)
class Reach:
    """One caller reaching for one target: a person's or a node's id, empty where there is nothing to reach for."""

    enterprise: Enterprise
    caller_id: str
    role: str
    token: str | None
    target: str
    relation: str

    def as_(self, caller_id: str, target: str) -> "Reach":
        """The same by somebody else."""
        return Reach(
            self.enterprise,
            caller_id,
            self.role,
            self.enterprise.token_of(caller_id),
            target,
            self.relation,
        )


Request = Message | tuple[Reach, Message]
"""What to send, and where it is not the reach's caller who sends it, who does."""


@dataclass(frozen=True)
class Probe:
    """How a method is tried.

    `reaches` says for what: `people`, `nodes` or `nothing`. `through` are the reasons of refusals that only
    somebody gets who was let through. `meaning` reads an answer that came.
    """

    reaches: str
    request: Callable[[Reach], Request]
    through: frozenset[str] = frozenset()
    meaning: Callable[[Any, Reach], str] = lambda _answer, _reach: "ok"

    def relations(self) -> Mapping[str, str]:
        """Relation -> the target's id; `own` is the caller."""
        if self.reaches == "people":
            return {"own": "", **PEOPLE}
        return NODES if self.reaches == "nodes" else {"-": ""}


def shown_if(appears: Callable[[Any, Reach], bool]) -> Callable[[Any, Reach], str]:
    """`ok` where what was reached for appears in the answer, else `narrowed`."""
    return lambda answer, reach: "ok" if appears(answer, reach) else "narrowed"


def row_of(results: Sequence[Any]) -> str:
    """What the first row's result of a batch means."""
    return _ROW_WORDS.get(results[0].reason, results[0].reason or "ok")


def send(method: MethodDescriptor, probe: Probe, reach: Reach) -> str:
    """The word for what comes of a probe. A service that is busy, which says nothing about rights, is asked again."""
    failure: Failure | None = None
    for pause in (0.5, 2.0, 5.0, 0.0):
        try:
            return probe.meaning(answer(method, probe, reach), reach)
        except grpc.RpcError as error:
            failure = from_rpc_error(error)
        if failure.code.name not in _BUSY or not pause:
            break
        time.sleep(pause)
    assert failure is not None
    if failure.reason in probe.through:
        return "ok"
    return _WORDS.get(failure.code.name, f"{failure.code.name} {failure.reason}")


def answer(method: MethodDescriptor, probe: Probe, reach: Reach) -> Any:
    """What comes of a probe: the answer, or grpc.RpcError."""
    asked = probe.request(reach)
    sender, request = asked if isinstance(asked, tuple) else (reach, asked)
    return _call(method, request, sender)


def _call(method: MethodDescriptor, request: Message, reach: Reach) -> Any:
    service = method.containing_service
    channel = reach.enterprise.platform.channel(service.full_name.split(".")[1], reach.token)
    path = f"/{service.full_name}/{method.name}"
    codecs: dict[str, Any] = {
        "request_serializer": lambda message: message.SerializeToString(),
        "response_deserializer": GetMessageClass(method.output_type).FromString,
    }
    if method.client_streaming:
        answers: Iterator[Any] = channel.stream_stream(path, **codecs)(iter([request]), timeout=15)
        return next(answers)
    return channel.unary_unary(path, **codecs)(request)

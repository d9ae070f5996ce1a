"""Nothing a caller can send is answered with a fault of ours, and nothing malformed changes a row."""

import random
from collections.abc import Callable, Iterator
from typing import Any, Final

import grpc
from foothold.incentives.v1 import (
    boards_pb2,
    disputes_pb2,
    feed_pb2,
    honours_pb2,
    parameters_pb2,
    payouts_pb2,
    periods_pb2,
    plan_life_pb2,
    plans_pb2,
    recompute_pb2,
    simulation_pb2,
    statements_pb2,
    whatif_pb2,
)
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from chassis.errors import from_rpc_error
from tests.incentives.company import Company
from tests.incentives.plans import S07, S25, TREE, plan

_SEED = 20250304
_EACH = 250
_METHODS = [
    method
    for file in (
        plans_pb2,
        statements_pb2,
        boards_pb2,
        disputes_pb2,
        feed_pb2,
        honours_pb2,
        whatif_pb2,
        periods_pb2,
        payouts_pb2,
        plan_life_pb2,
        parameters_pb2,
        recompute_pb2,
        simulation_pb2,
    )
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
]
_REFUSALS = {
    "INVALID_ARGUMENT",
    "NOT_FOUND",
    "PERMISSION_DENIED",
    "FAILED_PRECONDITION",
    "OUT_OF_RANGE",
    "ALREADY_EXISTS",
}
_TEXTS: Final = (
    "",
    " ",
    "\x00",
    "li",
    "hq",
    "hq",
    "sales",
    "close-rate-week",
    "close_rate",
    "deals_won",
    "unit",
    "CNY",
    "USD",
    "../../etc/passwd",
    "'; DROP TABLE plan; --",
    "%s%(people)b",
    "<script>alert(1)</script>",
    "价格太高",
    "👩‍👩‍👧" * 20,
    "\u202ereversed",
    "\ufeff",
    "A" * 65,
    "a" * 5_000,
)
_INTEGERS: Final = (0, 1, -1, 2, 100, 2**31 - 1, -(2**31))
# Rules hold rules: what is filled in at random must end.
_DEEPEST: Final = 3
_LONG: Final = (*_INTEGERS, 2**63 - 1, -(2**63), 10**15, 10**15 + 1)


def malformed(method: MethodDescriptor, chance: random.Random) -> Iterator[bytes]:
    """Arbitrary bytes, torn messages, well-formed nonsense, and a sound plan with one thing spoilt."""
    while True:
        draw = chance.random()
        message = GetMessageClass(method.input_type)()
        if draw < 0.1:
            yield chance.randbytes(chance.randrange(1, 200))
            continue
        _fill(message, chance, 0)
        if draw < 0.2:
            whole = message.SerializeToString()
            yield whole[: chance.randrange(len(whole) + 1)] + chance.randbytes(chance.randrange(1, 9))
            continue
        if isinstance(message, plans_pb2.CreatePlanRequest | plans_pb2.CheckPlanRequest) and draw < 0.6:
            # Its id and its place are taken, so that it is refused also where the nonsense is none.
            message.plan.CopyFrom(plan(*S07, S25, TREE, id="taken"))
            _spoil(message.plan, chance)
        if isinstance(message, boards_pb2.CreateBoardRequest):
            message.board.id = "close-rate-week"
        if isinstance(message, boards_pb2.EndBoardRequest | boards_pb2.ResumeBoardRequest):
            message.board_id = "nothing"
        yield message.SerializeToString()


def _spoil(message: Message, chance: random.Random) -> None:
    """Put nonsense into one field, somewhere."""
    field: Any = chance.choice(list(message.DESCRIPTOR.fields))
    value = getattr(message, field.name)
    if field.type == FieldDescriptor.TYPE_MESSAGE and field.is_repeated:
        if value and chance.random() < 0.8:
            _spoil(chance.choice(list(value)), chance)
        else:
            message.ClearField(field.name)
    elif field.type == FieldDescriptor.TYPE_MESSAGE:
        if message.HasField(field.name) and chance.random() < 0.8:
            _spoil(value, chance)
        else:
            message.ClearField(field.name)
    elif not field.is_repeated:
        setattr(message, field.name, _scalar(field, chance))


def _fill(message: Message, chance: random.Random, depth: int) -> None:
    for field in message.DESCRIPTOR.fields:
        if chance.random() < 0.25 or (depth > _DEEPEST and field.type == FieldDescriptor.TYPE_MESSAGE):
            continue
        if field.is_repeated:
            for _ in range(chance.randrange(4)):
                items = getattr(message, field.name)
                if field.type == FieldDescriptor.TYPE_MESSAGE:
                    _fill(items.add(), chance, depth + 1)
                else:
                    items.append(_scalar(field, chance))
        elif field.type == FieldDescriptor.TYPE_MESSAGE:
            inner = getattr(message, field.name)
            inner.SetInParent()
            _fill(inner, chance, depth + 1)
        else:
            setattr(message, field.name, _scalar(field, chance))


def _scalar(field: Any, chance: random.Random) -> Any:
    if field.type == FieldDescriptor.TYPE_STRING:
        return chance.choice(_TEXTS)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return chance.choice((b"", b"\xff\xd8", chance.randbytes(chance.randrange(1, 99))))
    if field.type == FieldDescriptor.TYPE_INT64:
        return chance.choice(_LONG)
    if field.type == FieldDescriptor.TYPE_ENUM:
        return chance.choice((0, 1, 2, 99, -1))
    return chance.choice(_INTEGERS)


def outcome(call: Callable[..., bytes], raw: bytes) -> tuple[str, str]:
    try:
        call(raw, timeout=2)
    except grpc.RpcError as error:
        failure = from_rpc_error(error)
        return failure.code.name, failure.message
    return "OK", ""


def test_three_thousand_malformed_requests_are_refused_and_change_nothing(company: Company) -> None:
    company.as_("hr").create(plan(*S07, id="taken"))
    company.figures("li", None, customers_followed=20, new_customers=9, deals_won=3)
    company.settle()
    before, told = company.fingerprint(), dict[str, int]()
    chance = random.Random(_SEED)
    channel = company.as_("administrator").channel
    for method in _METHODS:
        call = channel.unary_unary(
            f"/{method.containing_service.full_name}/{method.name}",
            request_serializer=lambda raw: raw,
            response_deserializer=lambda raw: raw,
        )
        requests = malformed(method, chance)
        for _ in range(_EACH):
            raw = next(requests)
            code, details = outcome(call, raw)
            assert "Traceback" not in details
            assert "psycopg" not in details
            reads = method.name.startswith(("Get", "List", "Check", "Try", "Reach", "Preview"))
            waits = {"DEADLINE_EXCEEDED"} if method.name == "ListEvents" else set()
            assert code in (_REFUSALS | {"OK"} | waits if reads else _REFUSALS), (method.name, raw, code)
            told[code] = told.get(code, 0) + 1
    assert sum(told.values()) == _EACH * len(_METHODS) >= 2_000
    assert company.fingerprint() == before
    assert told["INVALID_ARGUMENT"] > 1_000

"""Requests with something wrong in them, made from the contract's descriptors."""

import random
from collections.abc import Iterator
from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

# Things that exist, so that a request gets past the first look.
_RIGHT: Final = (
    "",
    "hq",
    "branch-bj",
    "dept-bj-1",
    "new-bj-1",
    "NEW-BJ-1",
    "mentor-bj-1",
    "crm",
    "salesperson",
    "administrator",
    "goals.facts.record",
    "Asia/Shanghai",
    "zh-CN",
    "sales",
    "name",
    "parent_id",
    "a-request",
    "李小明",
)
# Things no field takes.
_WRONG: Final = (
    "\x00",
    "a\x00b",
    "\x1b[31m",
    "\x7f",
    "x" * 5_000,
    "价" * 600,
    " " * 501,
    "'; DROP TABLE account; --" + "\x0b",
)
_NUMBERS: Final = (0, 1, -1, 2, 13, 29, 32, 9999, 10_000, 2**31 - 1, -(2**31))
_LONG_NUMBERS: Final = (*_NUMBERS, 2**63 - 1, -(2**63))
_MOST_ITEMS: Final = 3
_WIRE_TYPES: Final = 8


def spoilable(method: MethodDescriptor) -> bool:
    """Whether the request has a text to get wrong."""
    return bool(_texts(GetMessageClass(method.input_type)(), create=True))


def malformed(method: MethodDescriptor, chance: random.Random, count: int) -> Iterator[bytes]:
    """`count` requests: bytes that are no message, and messages of which at least one text is impossible."""
    for _ in range(count):
        draw = chance.random()
        if draw < 0.1:
            # A tag with a wire type that does not exist: no message of any type begins so.
            yield bytes([chance.randrange(1, 16) * _WIRE_TYPES + chance.choice((6, 7))]) + chance.randbytes(
                20
            )
            continue
        message = GetMessageClass(method.input_type)()
        _fill(message, chance)
        holder, field = chance.choice(_texts(message, create=True))
        wrong = chance.choice(_WRONG)
        if field.is_repeated:
            getattr(holder, field.name).append(wrong)
        else:
            setattr(holder, field.name, wrong)
        yield message.SerializeToString()


def _texts(message: Message, *, create: bool) -> list[tuple[Message, FieldDescriptor]]:
    """Every text that is checked: those below messages too, but not what only the server writes."""
    found: list[tuple[Message, Any]] = []
    for field in message.DESCRIPTOR.fields:
        if field.name in {"etag", "effective_time_zone", "granted_by"}:
            continue
        if field.type == FieldDescriptor.TYPE_STRING:
            found.append((message, field))
        elif field.message_type is not None and field.message_type.name not in {"Timestamp", "Date"}:
            if field.is_repeated:
                items = getattr(message, field.name)
                for item in items:
                    found += _texts(item, create=create)
            elif create or message.HasField(field.name):
                found += _texts(getattr(message, field.name), create=create)
    return found


def _fill(message: Message, chance: random.Random) -> None:
    for field in message.DESCRIPTOR.fields:
        if chance.random() < 0.2:
            continue
        if field.is_repeated:
            for _ in range(chance.randrange(_MOST_ITEMS + 1)):
                items = getattr(message, field.name)
                if field.type == FieldDescriptor.TYPE_MESSAGE:
                    _fill(items.add(), chance)
                else:
                    items.append(_scalar(field, chance))
        elif field.type == FieldDescriptor.TYPE_MESSAGE:
            inner = getattr(message, field.name)
            inner.SetInParent()
            _fill(inner, chance)
        else:
            setattr(message, field.name, _scalar(field, chance))


def _scalar(field: Any, chance: random.Random) -> Any:
    if field.type == FieldDescriptor.TYPE_STRING:
        return chance.choice(_RIGHT)
    if field.type == FieldDescriptor.TYPE_BOOL:
        return chance.random() < 0.5
    if field.type == FieldDescriptor.TYPE_INT64:
        return chance.choice(_LONG_NUMBERS)
    if field.type == FieldDescriptor.TYPE_ENUM:
        return chance.choice((0, 1, 2, 3, 4, 99))
    return chance.choice(_NUMBERS)

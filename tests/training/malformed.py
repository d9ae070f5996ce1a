"""Requests that no client should send, made from the contract's descriptors."""

import random
from collections.abc import Iterator
from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

_TEXTS: Final = (
    "",
    " ",
    "\x00",
    "a\x00b",
    "li",
    "local",
    "q1",
    "../../etc/passwd",
    "'; DROP TABLE courses; --",
    "%s%s%n",
    "<script>alert(1)</script>",
    "价格太高",
    "👩‍👩‍👧" * 20,
    "\u202ereversed",
    "\ufeff",
    "\x1b[31m",
    "A" * 65,
    "a" * 5_000,
    "-" * 64,
    "null",
    "0",
    "title",
    "course.title",
    "*",
)
_INTEGERS: Final = (0, 1, -1, 2, 79, 101, 2**31 - 1, -(2**31))
_LONG_INTEGERS: Final = (*_INTEGERS, 2**63 - 1, -(2**63))
_MOST_ITEMS: Final = 4
_DEEPEST: Final = 5


def malformed(method: MethodDescriptor, chance: random.Random, count: int) -> Iterator[bytes]:
    """`count` requests for a method: arbitrary bytes, torn messages, and well-formed ones full of nonsense."""
    for _ in range(count):
        draw = chance.random()
        if draw < 0.1:
            yield chance.randbytes(chance.randrange(1, 200))
        elif draw < 0.2:
            whole = _message(method, chance).SerializeToString()
            yield whole[: chance.randrange(len(whole) + 1)] + chance.randbytes(chance.randrange(1, 9))
        else:
            yield _message(method, chance).SerializeToString()


def _message(method: MethodDescriptor, chance: random.Random) -> Message:
    message = GetMessageClass(method.input_type)()
    _fill(message, chance, 0)
    return message


def _fill(message: Message, chance: random.Random, depth: int) -> None:
    for field in message.DESCRIPTOR.fields:
        if chance.random() < 0.25:
            continue
        if field.is_repeated:
            for _ in range(chance.randrange(_MOST_ITEMS)):
                _add(message, field, chance, depth)
        elif field.type == FieldDescriptor.TYPE_MESSAGE:
            if depth < _DEEPEST:
                inner = getattr(message, field.name)
                inner.SetInParent()
                _fill(inner, chance, depth + 1)
        else:
            setattr(message, field.name, _scalar(field, chance))


def _add(message: Message, field: Any, chance: random.Random, depth: int) -> None:
    items = getattr(message, field.name)
    if field.type == FieldDescriptor.TYPE_MESSAGE:
        if depth < _DEEPEST:
            _fill(items.add(), chance, depth + 1)
    else:
        items.append(_scalar(field, chance))


def _scalar(field: Any, chance: random.Random) -> Any:
    if field.type == FieldDescriptor.TYPE_STRING:
        return chance.choice(_TEXTS)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return chance.randbytes(8)
    if field.type == FieldDescriptor.TYPE_BOOL:
        return chance.random() < 0.5
    if field.type in (FieldDescriptor.TYPE_INT64, FieldDescriptor.TYPE_SINT64):
        return chance.choice(_LONG_INTEGERS)
    if field.type == FieldDescriptor.TYPE_ENUM:
        return chance.choice((0, 1, 99))
    return chance.choice(_INTEGERS)

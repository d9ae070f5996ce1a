"""Page tokens: where a list goes on, bound to the query they were made for.

A token is not a secret and proves nothing: what it leads to is narrowed by the caller's scope like
everything else. It is checked so that a wrong one is refused instead of skipping or repeating items.
"""

import base64
import binascii
import hashlib
from collections.abc import Sequence
from typing import Final

import orjson
from google.protobuf.message import Message

from chassis.errors import InvalidArgument

_DIGEST_BYTES: Final = 12
_LONGEST: Final = 2_000
# What may differ between the pages of one query.
_NOT_THE_QUERY: Final = ("page_token", "page_size")

Cursor = tuple[str | int | bool | None, ...]


def encode_token(cursor: Sequence[str | int | bool | None], *, query: Message) -> str:
    """The `next_page_token` for a cursor: usually the sort keys of the last item sent."""
    body = orjson.dumps(list(cursor))
    return base64.urlsafe_b64encode(_digest(body, query) + body).rstrip(b"=").decode()


def decode_token(token: str, *, query: Message, shape: Sequence[type]) -> Cursor | None:
    """The cursor in a token; None for the empty token of a first page.

    INVALID_ARGUMENT PAGE_TOKEN_INVALID unless it was made for the same query (page_size may differ) and
    holds one value of each type in `shape`, e.g. `(str, int)`.
    """
    if not token:
        return None
    refused = InvalidArgument(
        "PAGE_TOKEN_INVALID",
        "the page token was not issued for this query",
        fields={"page_token": "start again without one"},
    )
    if len(token) > _LONGEST:
        raise refused
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        digest, body = raw[:_DIGEST_BYTES], raw[_DIGEST_BYTES:]
        cursor = orjson.loads(body) if digest == _digest(body, query) else None
    except (binascii.Error, ValueError) as error:
        raise refused from error
    if not isinstance(cursor, list) or [type(value) for value in cursor] != list(shape):
        raise refused
    return tuple(cursor)


def _digest(body: bytes, query: Message) -> bytes:
    plain = type(query)()
    plain.CopyFrom(query)
    for field in _NOT_THE_QUERY:
        if field in query.DESCRIPTOR.fields_by_name:
            plain.ClearField(field)
    name = query.DESCRIPTOR.full_name.encode()
    content = plain.SerializeToString(deterministic=True)
    return hashlib.sha256(b"\0".join((name, content, body))).digest()[:_DIGEST_BYTES]

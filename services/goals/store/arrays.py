"""Columns as binary arrays, which PostgreSQL unnests three times as fast as it reads text ones.

psycopg writes lists element by element in Python, and sends numbers as the smallest integer type that holds
them, so that every batch would be a statement of other types, to be planned anew. These are written in a few
calls for a whole column, and are always of the same type.
"""

import sys
from array import array
from collections.abc import Iterable, Sequence
from itertools import chain
from struct import Struct
from typing import Final

import psycopg
from psycopg.adapt import Dumper
from psycopg.pq import Format

_BIGINT: Final = 20
_BIGINT_ARRAY: Final = 1016
_TEXT: Final = 25
_TEXT_ARRAY: Final = 1009
# A bigint is its extent, 8, and its two halves: three words in network order. Its halves come in that order, too.
_NETWORK: Final = sys.byteorder == "big"
_WORDS: Final = array("i", Struct(">3i").pack(8, 0, 0))
# Dimensions, whether there are nulls, the element's type, its extent and its lower bound.
_HEADER: Final = Struct(">5i")
_LENGTH: Final = Struct(">i").pack


class Longs:
    """A bigint[]."""

    __slots__ = ("data",)

    def __init__(self, numbers: Iterable[int]) -> None:
        values = array("q", numbers)
        if not _NETWORK:
            values.byteswap()
        halves = array("i", values.tobytes())
        words = _WORDS * len(values)
        words[1::3] = halves[::2]
        words[2::3] = halves[1::2]
        self.data = _HEADER.pack(1, 0, _BIGINT, len(values), 1) + words.tobytes()


class Texts:
    """A text[]. Texts that come often are encoded once."""

    __slots__ = ("data",)

    def __init__(self, texts: Sequence[str]) -> None:
        distinct = set(texts)
        if 2 * len(distinct) > len(texts):
            encoded = list(map(str.encode, texts))
            lengths = map(_LENGTH, map(len, encoded))
            items = b"".join(chain.from_iterable(zip(lengths, encoded, strict=True)))
        else:
            known = {}
            for each in distinct:
                raw = each.encode()
                known[each] = _LENGTH(len(raw)) + raw
            items = b"".join(map(known.__getitem__, texts))
        self.data = _HEADER.pack(1, 0, _TEXT, len(texts), 1) + items


class _ArrayDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: Longs | Texts) -> bytes:
        return obj.data


class _LongsDumper(_ArrayDumper):
    oid = _BIGINT_ARRAY


class _TextsDumper(_ArrayDumper):
    oid = _TEXT_ARRAY


psycopg.adapters.register_dumper(Longs, _LongsDumper)
psycopg.adapters.register_dumper(Texts, _TextsDumper)

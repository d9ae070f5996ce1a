"""Columns as binary arrays, which PostgreSQL unnests three times as fast as it reads text ones.

psycopg sends a list of numbers as the smallest integer type that holds them, so that every batch would be a
statement of other types, to be planned anew. `Longs` is always bigint[].
"""

from collections.abc import Iterable
from itertools import chain, repeat
from struct import pack
from typing import Final

import psycopg
from psycopg.adapt import Dumper
from psycopg.pq import Format

_BIGINT: Final = 20
_BIGINT_ARRAY: Final = 1016
_WIDTH: Final = 8


class Longs:
    """A bigint[]."""

    __slots__ = ("data",)

    def __init__(self, numbers: Iterable[int]) -> None:
        values = tuple(numbers)
        count = len(values)
        # The header: dimensions, whether there are nulls, the element's type, its extent and lower bound.
        self.data = pack(
            ">5i" + "iq" * count, 1, 0, _BIGINT, count, 1, *chain.from_iterable(zip(repeat(_WIDTH), values))
        )


class _LongsDumper(Dumper):
    format = Format.BINARY
    oid = _BIGINT_ARRAY

    def dump(self, obj: Longs) -> bytes:
        return obj.data


psycopg.adapters.register_dumper(Longs, _LongsDumper)

"""What every service keeps, as one digest per table: equal before and after is nothing changed.

Read as the database's administrator, past all services: each table's rows as text, hashed and added up in any order,
and how many there are. Left out are only identity's sessions, refresh tokens and counters of sign-ins, which signing
in and being signed in change as they should.
"""

import time
from collections.abc import Mapping
from typing import Any, Final

import psycopg
from psycopg import sql

_OF_SIGNING_IN: Final = frozenset({"session", "refresh_token", "attempt"})
_TABLES: Final = """
    SELECT table_schema, table_name FROM information_schema.tables
     WHERE table_schema LIKE 'foothold%' AND table_type = 'BASE TABLE' ORDER BY 1, 2
"""
_QUIET_SECONDS: Final = 1.0
_LONGEST_SECONDS: Final = 60.0

Digest = Mapping[str, tuple[int, str]]


def digest(admin_url: str) -> Digest:
    """Per table how many rows there are and what they hold."""
    found: dict[str, tuple[int, str]] = {}
    with psycopg.connect(admin_url) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        for schema, table in connection.execute(_TABLES).fetchall():
            if schema == "foothold_identity" and table in _OF_SIGNING_IN:
                continue
            query = sql.SQL(
                "SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)::text FROM {} AS t"
            ).format(sql.Identifier(schema, table))
            row: Any = connection.execute(query).fetchone()
            found[f"{schema}.{table}"] = (row[0], row[1])
    assert len({name.partition(".")[0] for name in found}) == 4, found
    return found


def settled(admin_url: str) -> Digest:
    """The digest once nothing moves any more: services follow each other a moment behind."""
    until, last = time.monotonic() + _LONGEST_SECONDS, digest(admin_url)
    while True:
        time.sleep(_QUIET_SECONDS)
        now = digest(admin_url)
        if now == last:
            return now
        assert time.monotonic() < until, changed(last, now)
        last = now


def changed(before: Digest, after: Digest) -> list[str]:
    """The tables that differ."""
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))

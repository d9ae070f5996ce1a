"""Recording facts: one statement for what is new, a planned correction for the rest.

New facts only add, and additions commute: they hold the ledger's gate shared, side by side. Whatever takes
something away (a correction, a void, a reversal, a change of zone) holds it alone; docs/decisions/0302.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from sqlalchemy import Connection

from access import Replica, Scope
from chassis.database import Database, publishes
from chassis.errors import Unavailable
from services.goals.domain.credits import DayOf
from services.goals.domain.facts import Fact, FactKind, Key, Refusal
from services.goals.domain.metrics import Counter
from services.goals.domain.periods import Calendar
from services.goals.domain.recorded import ALREADY_KNOWN, RECORDED, Outcome, Result
from services.goals.store.correcting import columns_of, correct, find_known
from services.goals.store.counting import count_facts
from services.goals.store.library import LibraryCache

_ALONE: Final = frozenset({int(FactKind.DEAL_REVERSED), int(FactKind.LEAVE)})
"""Kinds whose facts the statement for what is new does not know how to store."""
_ATTEMPTS: Final = 3

# In one round trip with the lock: the plan of the statement after it must go by index, also when it is made while a
# table is still empty, for it is kept while the table grows.
_ENTER: Final = """
SELECT enter_ledger(%(key)s, %(alone)s), set_config('enable_seqscan', 'off', true),
       set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)
"""

# Every writer takes rows in the order fact, tally, touch, first_touch, and in each by key: no deadlocks.
# The scalar counts make one step wait for the one before.
_ADD: Final = """
WITH told AS (
    SELECT * FROM unnest(
        %(sources)b::text[], %(external_ids)b::text[], %(versions)b::bigint[], %(kinds)b::bigint[],
        %(people)b::text[], %(occurred)b::bigint[], %(days)b::bigint[], %(customers)b::text[],
        %(products)b::text[], %(channels)b::text[], %(amounts)b::bigint[], %(minutes)b::bigint[],
        %(attributes)b::text[], %(voided)b::bigint[]
    ) AS row (source, external_id, version, kind, person_id, occurred, day, customer, product, channel, amount,
              minutes, attributes, voided)
), added AS (
    INSERT INTO fact (source, external_id, version, kind, person_id, occurred_at, day, customer, product,
                      channel, amount_minor, minutes, reverses, attributes, voided, current, counts)
    SELECT source, external_id, version, kind, person_id,
           timestamptz 'epoch' + occurred * interval '1 microsecond', date 'epoch' + day::integer, customer,
           product, channel, nullif(amount, -1), minutes, '', nullif(attributes, '')::jsonb, voided = 1, true,
           voided = 0 AND (kind NOT IN (2, 5) OR NOT EXISTS (
               SELECT FROM fact AS reversal
               WHERE reversal.source = told.source AND reversal.reverses = told.external_id
                 AND reversal.kind = 4 AND reversal.current AND NOT reversal.voided))
    FROM told
    ON CONFLICT (source, external_id) WHERE current DO NOTHING
    RETURNING source, external_id, kind, person_id, day, customer, amount_minor, fact.minutes, counts
), tallied AS (
    INSERT INTO tally AS kept (person_id, day, kind, n, amount_minor, minutes, recorded_at)
    SELECT person_id, day, kind, count(*), coalesce(sum(amount_minor), 0), sum(minutes), now()
    FROM added WHERE counts GROUP BY person_id, day, kind ORDER BY person_id, day, kind
    ON CONFLICT (person_id, day, kind) DO UPDATE
    SET n = kept.n + excluded.n, amount_minor = kept.amount_minor + excluded.amount_minor,
        minutes = kept.minutes + excluded.minutes, recorded_at = greatest(kept.recorded_at, excluded.recorded_at)
    RETURNING person_id, day
), followed AS (
    SELECT person_id, day, customer, count(*) AS n FROM added WHERE counts AND kind = 1
    GROUP BY person_id, day, customer
), touched AS (
    INSERT INTO touch AS kept (person_id, day, customer, n)
    SELECT person_id, day, customer, n FROM followed WHERE (SELECT count(*) FROM tallied) >= 0
    ORDER BY person_id, day, customer
    ON CONFLICT (person_id, day, customer) DO UPDATE SET n = kept.n + excluded.n
    RETURNING 1
), firsts AS (
    INSERT INTO first_touch AS kept (person_id, customer, day)
    SELECT person_id, customer, min(day) FROM followed
    WHERE (SELECT count(*) FROM touched) >= 0 AND NOT EXISTS (
        SELECT FROM first_touch AS known
        WHERE known.person_id = followed.person_id AND known.customer = followed.customer
          AND known.day <= followed.day)
    GROUP BY person_id, customer ORDER BY person_id, customer
    ON CONFLICT (person_id, customer) DO UPDATE SET was = kept.day, day = excluded.day
    WHERE excluded.day < kept.day
    RETURNING person_id, was
), changed AS (
    SELECT person_id, day FROM tallied UNION SELECT person_id, was FROM firsts WHERE was IS NOT NULL
), telling AS (
    SELECT person_id, string_agg((day - date 'epoch')::text, ',' ORDER BY day) AS days
    FROM changed GROUP BY person_id
), batch AS (
    INSERT INTO outbox_batch (size) SELECT count(*) FROM telling HAVING count(*) > 0 RETURNING id
), published AS (
    INSERT INTO outbox_event (batch_id, ordinal, kind, subject, payload)
    SELECT batch.id, row_number() OVER (ORDER BY telling.person_id) - 1, 'values_changed', telling.person_id,
           convert_to(telling.days, 'UTF8')
    FROM batch, telling
    RETURNING 1
)
SELECT (SELECT count(*) FROM published), many,
       CASE WHEN many < %(many)s THEN (SELECT array_agg(source) FROM added) END,
       CASE WHEN many < %(many)s THEN (SELECT array_agg(external_id) FROM added) END
FROM (SELECT count(*) AS many FROM added) AS counted
"""


class Told(NamedTuple):
    """A fact and with what right it is told.

    Its day was reckoned with the zones of a directory at `position` or later.
    """

    fact: Fact
    scope: Scope
    position: int


class Gate(NamedTuple):
    """What stands while the gate is held: up to which position zones are brought, and the library's number."""

    position: int
    library: int


@dataclass(slots=True)
class _Batch:
    """Rows to store: one fact a key in `plain`, everything else in `rest`, both as indexes into the rows told."""

    plain: list[int]
    rest: list[int]


class _TakesAwayError(Exception):
    """The batch needs the gate alone."""


class _DirectoryBehindError(Exception):
    """The zones the days were reckoned with are older than the ledger's."""


class _DryRunError(Exception):
    """Ends the transaction of a dry run."""


class Recorder:
    """Records facts, each batch in one transaction of its own."""

    def __init__(self, database: Database, replica: Replica, library: LibraryCache) -> None:
        self._database = database
        self._replica = replica
        self._library = library
        self._calendar = Calendar()
        self._key = gate_key(database.schema)

    @property
    def position(self) -> int:
        """Where the directory stands; asked for before the days of facts are reckoned."""
        return self._replica.position

    def day_number(self, occurred: int, zone: str) -> int:
        """The local day of an occurrence."""
        return self._calendar.day_number(occurred, zone)

    def _day_of(self, person_id: str, occurred: int) -> int:
        """The local day of an occurrence with somebody, by a directory at least as new as the ledger's zones."""
        return self.day_number(occurred, self._replica.directory.zone_of(person_id))

    def record(
        self, facts: Sequence[Fact], scopes: Sequence[Scope], *, position: int, dry_run: bool = False
    ) -> list[Result]:
        """A result per row, in order, once all of it is committed; nothing is kept of a dry run.

        `scopes` say with what right each fact is told; `position` is the directory's from before the facts'
        days were reckoned.
        """
        if not facts:
            return []
        for _ in range(_ATTEMPTS):
            batch = _sort(facts)
            try:
                try:
                    return self._store(
                        facts, scopes, batch, position, alone=bool(batch.rest), dry_run=dry_run
                    )
                except _TakesAwayError:
                    return self._store(facts, scopes, batch, position, alone=True, dry_run=dry_run)
            except _DirectoryBehindError:
                self._replica.refresh()
                position = self.position
                facts = [fact._replace(day=self._day_of(fact.person_id, fact.occurred)) for fact in facts]
        raise Unavailable("NOT_READY", "The directory is being brought up to date; send it again.")

    def _store(
        self,
        facts: Sequence[Fact],
        scopes: Sequence[Scope],
        batch: _Batch,
        position: int,
        *,
        alone: bool,
        dry_run: bool,
    ) -> list[Result]:
        results: dict[int, Result] = {}
        try:
            with self._database.begin() as connection:
                gate = enter_ledger(connection, self._key, alone=alone)
                if gate.position > position:
                    raise _DirectoryBehindError
                counters = self._library.counters(connection, gate.library)
                rest = list(batch.rest)
                if batch.plain:
                    others = _add(connection, facts, batch.plain, results)
                    known = set(others)
                    count_facts(
                        connection, counters, (facts[index] for index in batch.plain if index not in known)
                    )
                    rest += others
                if rest:
                    _settle(connection, facts, scopes, rest, results, counters, self._day_of, alone=alone)
                _end(dry_run=dry_run)
        except _DryRunError:
            pass
        return [results[index] for index in range(len(facts))]


def _end(*, dry_run: bool) -> None:
    if dry_run:
        raise _DryRunError


def gate_key(schema: str) -> int:
    """The advisory lock's number of a schema's ledger."""
    return zlib.crc32(f"foothold ledger {schema}".encode())


def enter_ledger(connection: Connection, key: int, *, alone: bool) -> Gate:
    """Pass the ledger's gate for the rest of the transaction."""
    position, library = connection.exec_driver_sql(_ENTER, {"key": key, "alone": alone}).scalar_one()
    return Gate(position, library)


def _sort(facts: Sequence[Fact]) -> _Batch:
    """Plain rows in the order of their keys; reversals, leave, deals with credits and keys told twice are the rest."""
    told = [fact[:2] for fact in facts]
    if len(set(told)) == len(told) and not any(fact[3] in _ALONE or fact[17] for fact in facts):
        return _Batch(sorted(range(len(told)), key=told.__getitem__), [])
    keys: dict[tuple[str, str], int] = {}
    rest: set[int] = set()
    for index, fact in enumerate(facts):
        other = keys.setdefault((fact[0], fact[1]), index)
        if other != index:
            rest.add(index)
            rest.add(other)
        elif fact[3] in _ALONE or fact.credits:
            rest.add(index)
    plain = [index for _, index in sorted(keys.items()) if index not in rest]
    return _Batch(plain, sorted(rest))


def _add(
    connection: Connection, facts: Sequence[Fact], plain: Sequence[int], results: dict[int, Result]
) -> list[int]:
    """Store those whose key is new; the indexes of the others."""
    chosen = [facts[index] for index in plain]
    published, many, sources, external_ids = connection.exec_driver_sql(
        _ADD, {**columns_of(chosen), "many": len(chosen)}
    ).one()
    if published:
        publishes(connection)
    if many == len(chosen):
        results.update(dict.fromkeys(plain, RECORDED))
        return []
    added = set(zip(sources or (), external_ids or (), strict=True))
    others = []
    for index, fact in zip(plain, chosen, strict=True):
        if fact.key in added:
            results[index] = RECORDED
        else:
            others.append(index)
    return others


def _settle(
    connection: Connection,
    facts: Sequence[Fact],
    scopes: Sequence[Scope],
    rest: Sequence[int],
    results: dict[int, Result],
    counters: Sequence[Counter],
    day_of: DayOf,
    *,
    alone: bool,
) -> None:
    """Answer for rows that are known; what is not known yet of the others is a correction."""
    known = find_known(connection, {facts[index].key for index in rest})
    contents = {(version.key, version.version): version.content for version in known.versions}
    new: list[int] = []
    first: dict[tuple[Key, int], int] = {}
    for index in rest:
        fact = facts[index]
        told = (fact.key, fact.version)
        content = contents.get(told)
        if content is None:
            contents[told] = fact.content
            first[told] = index
            new.append(index)
        elif content == fact.content:
            results[index] = ALREADY_KNOWN
        else:
            results[index] = Result(Outcome.REFUSED, refusal=CONFLICT)
    if not new:
        return
    if not alone:
        raise _TakesAwayError
    refusals = correct(connection, known, [(facts[index], scopes[index]) for index in new], counters, day_of)
    for index, refusal in zip(new, refusals, strict=True):
        if refusal is None:
            results[index] = RECORDED
        else:
            results[index] = Result(Outcome.REFUSED, refusal=refusal)
    for index in rest:
        # What repeats a refused row of the same batch is not known either.
        original = results[first.get((facts[index].key, facts[index].version), index)]
        if original.outcome is Outcome.REFUSED and results[index].outcome is Outcome.ALREADY_KNOWN:
            results[index] = original


CONFLICT: Final = Refusal(
    "version",
    "FACT_VERSION_CONFLICT",
    "this version was recorded before with other content; raise the version to correct it",
)

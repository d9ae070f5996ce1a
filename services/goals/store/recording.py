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
from services.goals.domain.facts import Fact, FactKind, Key, Refusal
from services.goals.domain.periods import Calendar
from services.goals.domain.recorded import Outcome, Result
from services.goals.store.correcting import columns_of, correct, find_known

_REVERSAL: Final = int(FactKind.DEAL_REVERSED)
_ATTEMPTS: Final = 3

# In one round trip with the lock: the plan of the statement after it must go by index, also when it is
# made while a table is still empty, for it is kept while the table grows.
_ENTER: Final = """
SELECT pg_advisory_xact_lock{shared}(%(key)s), (SELECT position FROM calendar),
       set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
       set_config('enable_mergejoin', 'off', true)
"""
_ENTER_SHARED: Final = _ENTER.format(shared="_shared")
_ENTER_ALONE: Final = _ENTER.format(shared="")

# Every writer takes rows in the order fact, tally, touch, first_touch, and in each by key: no deadlocks.
# The scalar counts make one step wait for the one before.
_ADD: Final = """
WITH told AS (
    SELECT * FROM unnest(
        %(sources)b::text[], %(external_ids)b::text[], %(versions)b::bigint[], %(kinds)b::bigint[],
        %(people)b::text[], %(occurred)b::bigint[], %(days)b::bigint[], %(customers)b::text[],
        %(products)b::text[], %(channels)b::text[], %(amounts)b::bigint[], %(minutes)b::bigint[],
        %(attributes)b::text[], %(voided)b::boolean[], %(digests)b::bytea[]
    ) AS row (source, external_id, version, kind, person_id, occurred, day, customer, product, channel, amount,
              minutes, attributes, voided, digest)
), added AS (
    INSERT INTO fact (source, external_id, version, kind, person_id, occurred_at, day, customer, product,
                      channel, amount_minor, minutes, reverses, attributes, voided, digest, current, counts)
    SELECT source, external_id, version, kind, person_id,
           timestamptz 'epoch' + occurred * interval '1 microsecond', date 'epoch' + day::integer, customer,
           product, channel, nullif(amount, -1), minutes, '', nullif(attributes, '')::jsonb, voided, digest, true,
           NOT voided AND (kind NOT IN (2, 5) OR NOT EXISTS (
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
), published AS (
    INSERT INTO outbox (kind, subject, payload)
    SELECT 'values_changed', person_id,
           convert_to(string_agg((day - date 'epoch')::text, ',' ORDER BY day), 'UTF8')
    FROM changed GROUP BY person_id ORDER BY person_id
    RETURNING 1
)
SELECT (SELECT count(*) FROM published), many,
       CASE WHEN many < %(many)s THEN (SELECT array_agg(source) FROM added) END,
       CASE WHEN many < %(many)s THEN (SELECT array_agg(external_id) FROM added) END
FROM (SELECT count(*) AS many FROM added) AS counted
"""


class Told(NamedTuple):
    """A fact and with what right it is told. Its day is filled in when it is recorded."""

    fact: Fact
    scope: Scope


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

    def __init__(self, database: Database, replica: Replica) -> None:
        self._database = database
        self._replica = replica
        self._calendar = Calendar()
        self._key = gate_key(database.schema)

    def record(self, told: Sequence[Told], *, dry_run: bool = False) -> list[Result]:
        """A result per row, in order, once all of it is committed; nothing is kept of a dry run."""
        if not told:
            return []
        for _ in range(_ATTEMPTS):
            position = self._replica.position
            dated = self._dated(told)
            batch = _sort(dated)
            try:
                try:
                    return self._store(dated, batch, position, alone=bool(batch.rest), dry_run=dry_run)
                except _TakesAwayError:
                    return self._store(dated, batch, position, alone=True, dry_run=dry_run)
            except _DirectoryBehindError:
                self._replica.refresh()
        raise Unavailable("NOT_READY", "The directory is being brought up to date; send it again.")

    def _dated(self, told: Sequence[Told]) -> list[Told]:
        directory = self._replica.directory
        day_number = self._calendar.day_number
        zones: dict[str, str] = {}
        dated = []
        for fact, scope in told:
            person_id = fact.person_id
            zone = zones.get(person_id)
            if zone is None:
                zone = zones[person_id] = directory.zone_of(person_id)
            dated.append(Told(fact._replace(day=day_number(fact.occurred, zone)), scope))
        return dated

    def _store(
        self, told: Sequence[Told], batch: _Batch, position: int, *, alone: bool, dry_run: bool
    ) -> list[Result]:
        results: dict[int, Result] = {}
        try:
            with self._database.begin() as connection:
                if enter_ledger(connection, self._key, alone=alone) > position:
                    raise _DirectoryBehindError
                rest = list(batch.rest)
                if batch.plain:
                    rest += _add(connection, told, batch.plain, results)
                if rest:
                    _settle(connection, told, rest, results, alone=alone)
                _end(dry_run=dry_run)
        except _DryRunError:
            pass
        return [results[index] for index in range(len(told))]


def _end(*, dry_run: bool) -> None:
    if dry_run:
        raise _DryRunError


def gate_key(schema: str) -> int:
    """The advisory lock's number of a schema's ledger."""
    return zlib.crc32(f"foothold ledger {schema}".encode())


def enter_ledger(connection: Connection, key: int, *, alone: bool) -> int:
    """Pass the ledger's gate for the rest of the transaction; up to which position zones are brought."""
    row = connection.exec_driver_sql(_ENTER_ALONE if alone else _ENTER_SHARED, {"key": key}).one()
    return int(row[1])


def _sort(told: Sequence[Told]) -> _Batch:
    """Plain rows in the order of their keys; reversals, and keys that come more than once, are the rest."""
    keys: dict[tuple[str, str], int] = {}
    rest: set[int] = set()
    for index, (fact, _) in enumerate(told):
        key = fact[:2]
        if key in keys:
            rest.add(index)
            rest.add(keys[key])
        else:
            keys[key] = index
            if fact.kind == _REVERSAL:
                rest.add(index)
    plain = [keys[key] for key in sorted(keys) if keys[key] not in rest]
    return _Batch(plain, sorted(rest))


def _add(
    connection: Connection, told: Sequence[Told], plain: Sequence[int], results: dict[int, Result]
) -> list[int]:
    """Store those whose key is new; the indexes of the others."""
    facts = [told[index].fact for index in plain]
    published, many, sources, external_ids = connection.exec_driver_sql(
        _ADD, {**columns_of(facts), "many": len(facts)}
    ).one()
    if published:
        publishes(connection)
    if many == len(facts):
        for index, fact in zip(plain, facts, strict=True):
            results[index] = Result(Outcome.RECORDED, fact.id)
        return []
    added = set(zip(sources or (), external_ids or (), strict=True))
    others = []
    for index, fact in zip(plain, facts, strict=True):
        if fact[:2] in added:
            results[index] = Result(Outcome.RECORDED, fact.id)
        else:
            others.append(index)
    return others


def _settle(
    connection: Connection,
    told: Sequence[Told],
    rest: Sequence[int],
    results: dict[int, Result],
    *,
    alone: bool,
) -> None:
    """Answer for rows that are known; what is not known yet of the others is a correction."""
    known = find_known(connection, {told[index].fact.key for index in rest})
    digests = {(version.key, version.version): version.digest for version in known.versions}
    new: list[int] = []
    first: dict[tuple[Key, int], int] = {}
    for index in rest:
        fact = told[index].fact
        digest = digests.get((fact.key, fact.version))
        if digest is None:
            digests[fact.key, fact.version] = fact.digest
            first[fact.key, fact.version] = index
            new.append(index)
        elif digest == fact.digest:
            results[index] = Result(Outcome.ALREADY_KNOWN, fact.id)
        else:
            results[index] = Result(Outcome.REFUSED, refusal=CONFLICT)
    if not new:
        return
    if not alone:
        raise _TakesAwayError
    refusals = correct(connection, known, [(told[index].fact, told[index].scope) for index in new])
    for index, refusal in zip(new, refusals, strict=True):
        if refusal is None:
            results[index] = Result(Outcome.RECORDED, told[index].fact.id)
        else:
            results[index] = Result(Outcome.REFUSED, refusal=refusal)
    for index in rest:
        # What repeats a refused row of the same batch is not known either.
        fact = told[index].fact
        original = results[first.get((fact.key, fact.version), index)]
        if original.outcome is Outcome.REFUSED and results[index].outcome is Outcome.ALREADY_KNOWN:
            results[index] = original


CONFLICT: Final = Refusal(
    "version",
    "FACT_VERSION_CONFLICT",
    "this version was recorded before with other content; raise the version to correct it",
)

"""Corrections, voids, reversals, and versions that come late: read what is known, plan, write the difference.

Only ever called by a transaction that has the ledger's gate alone.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection

from access import Scope
from chassis.feed import NewEvent, publish
from services.goals.domain.credits import DayOf, part_key, parts_of
from services.goals.domain.facts import Fact, Key, Refusal, attributes_text
from services.goals.domain.ledger import Cell, Parts, Plan, Sums, Touch, Version, plan
from services.goals.domain.metrics import Counter
from services.goals.store.arrays import Longs, Texts
from services.goals.store.correction_rights import find_refusals, named_by
from services.goals.store.counting import move_patrons
from services.goals.store.crediting import credits_text, read_credits

VALUES_CHANGED: Final = "values_changed"

_COLUMNS: Final = """
SELECT fact.source, fact.external_id, fact.version, fact.kind, fact.person_id, fact.day - date 'epoch',
       fact.customer, coalesce(fact.amount_minor, 0), fact.minutes, fact.reverses, fact.voided, fact.current,
       fact.counts, fact.product, fact.channel, fact.amount_minor, fact.attributes, fact.leave_first,
       fact.leave_stop, fact.credits, fact.deal_minor, fact.deal,
       (extract(epoch FROM fact.occurred_at) * 1000000)::bigint
FROM unnest(%(sources)b::text[], %(external_ids)b::text[]) AS key (source, external_id)
JOIN fact ON fact.source = key.source AND fact.external_id = key.external_id
"""
_HEADS: Final = f"{_COLUMNS} AND fact.current"
_VERSIONS: Final = f"{_HEADS} UNION ALL {_COLUMNS} AND NOT fact.current"
_REVERSALS: Final = """
SELECT fact.source, fact.reverses, fact.external_id
FROM unnest(%(sources)b::text[], %(external_ids)b::text[]) AS key (source, external_id)
JOIN fact ON fact.source = key.source AND fact.reverses = key.external_id
         AND fact.kind = 4 AND fact.current AND NOT fact.voided
"""
_SUPERSEDE: Final = """
UPDATE fact SET current = false, counts = false
FROM unnest(%(sources)b::text[], %(external_ids)b::text[]) AS key (source, external_id)
WHERE fact.source = key.source AND fact.external_id = key.external_id AND fact.current
"""
_COUNTING: Final = """
UPDATE fact SET counts = key.counts
FROM unnest(%(sources)b::text[], %(external_ids)b::text[], %(counts)b::boolean[])
     AS key (source, external_id, counts)
WHERE fact.source = key.source AND fact.external_id = key.external_id AND fact.current
"""
_INSERT: Final = """
INSERT INTO fact (source, external_id, version, kind, person_id, occurred_at, day, customer, product, channel,
                  amount_minor, minutes, reverses, attributes, voided, current, counts, leave_first, leave_stop,
                  credits, deal_minor, deal)
SELECT source, external_id, version, kind, person_id, timestamptz 'epoch' + occurred * interval '1 microsecond',
       date 'epoch' + day::integer, customer, product, channel, nullif(amount, -1), minutes, reverses,
       nullif(attributes, '')::jsonb, voided = 1, current, counts, nullif(leave_first, -1), nullif(leave_stop, -1),
       nullif(credits, '')::jsonb, nullif(deal_minor, -1), nullif(deal, '')
FROM unnest(
    %(sources)b::text[], %(external_ids)b::text[], %(versions)b::bigint[], %(kinds)b::bigint[],
    %(people)b::text[], %(occurred)b::bigint[], %(days)b::bigint[], %(customers)b::text[],
    %(products)b::text[], %(channels)b::text[], %(amounts)b::bigint[], %(minutes)b::bigint[],
    %(reverses)b::text[], %(attributes)b::text[], %(voided)b::bigint[],
    %(current)b::boolean[], %(counting)b::boolean[], %(leave_first)b::bigint[], %(leave_stop)b::bigint[],
    %(credits)b::text[], %(deal_minor)b::bigint[], %(deals)b::text[]
) AS row (source, external_id, version, kind, person_id, occurred, day, customer, product, channel, amount,
          minutes, reverses, attributes, voided, current, counts, leave_first, leave_stop, credits, deal_minor, deal)
"""
# A row that comes to nothing goes, so that the tables are the same whatever way led to them. Of differences kept apart
# for a new counter the number alone may come to nothing.
_TALLY: Final = """
WITH moved AS (
    SELECT person_id, date 'epoch' + day::integer AS day, kind::smallint, n, amount, minutes
    FROM unnest(%(people)b::text[], %(days)b::bigint[], %(kinds)b::bigint[], %(counts)b::bigint[],
                %(amounts)b::bigint[], %(minutes)b::bigint[])
         AS row (person_id, day, kind, n, amount, minutes)
), gone AS (
    DELETE FROM tally USING moved
    WHERE tally.person_id = moved.person_id AND tally.day = moved.day AND tally.kind = moved.kind
      AND (tally.n + moved.n, tally.amount_minor + moved.amount, tally.minutes + moved.minutes) = (0, 0, 0)
), changed AS (
    UPDATE tally
    SET n = tally.n + moved.n, amount_minor = tally.amount_minor + moved.amount,
        minutes = tally.minutes + moved.minutes, recorded_at = greatest(tally.recorded_at, now())
    FROM moved
    WHERE tally.person_id = moved.person_id AND tally.day = moved.day AND tally.kind = moved.kind
      AND (tally.n + moved.n, tally.amount_minor + moved.amount, tally.minutes + moved.minutes) <> (0, 0, 0)
)
INSERT INTO tally (person_id, day, kind, n, amount_minor, minutes, recorded_at)
SELECT person_id, day, kind, n, amount, minutes, now() FROM moved
WHERE NOT EXISTS (
    SELECT FROM tally
    WHERE tally.person_id = moved.person_id AND tally.day = moved.day AND tally.kind = moved.kind)
"""
_TOUCH: Final = """
WITH moved AS (
    SELECT person_id, customer, date 'epoch' + day::integer AS day, n
    FROM unnest(%(people)b::text[], %(customers)b::text[], %(days)b::bigint[], %(counts)b::bigint[])
         AS row (person_id, customer, day, n)
), gone AS (
    DELETE FROM touch USING moved
    WHERE touch.person_id = moved.person_id AND touch.day = moved.day AND touch.customer = moved.customer
      AND touch.n + moved.n = 0
), changed AS (
    UPDATE touch SET n = touch.n + moved.n FROM moved
    WHERE touch.person_id = moved.person_id AND touch.day = moved.day AND touch.customer = moved.customer
      AND touch.n + moved.n <> 0
)
INSERT INTO touch (person_id, day, customer, n)
SELECT person_id, day, customer, n FROM moved
WHERE NOT EXISTS (
    SELECT FROM touch
    WHERE touch.person_id = moved.person_id AND touch.day = moved.day AND touch.customer = moved.customer)
"""
# Only pairs whose first day is among the days moved, or comes after one of them, can have another first day.
_FIRSTS: Final = """
WITH moved AS (
    SELECT person_id, customer, date 'epoch' + min(day)::integer AS day
    FROM unnest(%(people)b::text[], %(customers)b::text[], %(days)b::bigint[])
         AS row (person_id, customer, day)
    GROUP BY person_id, customer
), compared AS (
    SELECT moved.person_id, moved.customer, kept.day AS was,
           (SELECT min(touch.day) FROM touch
            WHERE touch.person_id = moved.person_id AND touch.customer = moved.customer) AS day
    FROM moved LEFT JOIN first_touch AS kept
      ON kept.person_id = moved.person_id AND kept.customer = moved.customer
    WHERE kept.day IS NULL OR kept.day >= moved.day
), gone AS (
    DELETE FROM first_touch USING compared
    WHERE first_touch.person_id = compared.person_id AND first_touch.customer = compared.customer
      AND compared.day IS NULL
), changed AS (
    INSERT INTO first_touch (person_id, customer, day)
    SELECT person_id, customer, day FROM compared WHERE day IS NOT NULL AND day IS DISTINCT FROM was
    ON CONFLICT (person_id, customer) DO UPDATE SET was = first_touch.day, day = excluded.day
)
SELECT person_id, was - date 'epoch', day - date 'epoch' FROM compared WHERE day IS DISTINCT FROM was
"""


class Known(NamedTuple):
    """Every recorded version of the keys asked for."""

    versions: list[Version]

    @property
    def heads(self) -> dict[Key, Version]:
        """The current ones by key."""
        return {version.key: version for version in self.versions if version.current}


def find_known(connection: Connection, keys: Collection[Key]) -> Known:
    """All versions of these keys."""
    return Known([_version(row) for row in connection.exec_driver_sql(_VERSIONS, _key_columns(keys))])


def correct(
    connection: Connection,
    known: Known,
    told: Sequence[tuple[Fact, Scope]],
    counters: Sequence[Counter],
    day_of: DayOf,
) -> list[Refusal | None]:
    """Store versions that are not known yet, with all they change; per row None, or why it was refused.

    `known` holds every version of the keys told; `day_of` says on which day a deal was to those credited with it.
    """
    heads = known.heads
    named = {key for fact, _ in told for key in named_by(fact, heads.get(fact.key))}
    for row in connection.exec_driver_sql(_HEADS, _key_columns(named - heads.keys())):
        version = _version(row)
        heads[version.key] = version
    refusals = find_refusals(told, heads)
    facts = [fact for (fact, _), refusal in zip(told, refusals, strict=True) if refusal is None]
    if facts:
        reversals: dict[Key, set[Key]] = {}
        affected = {fact.key for fact in facts} | heads.keys()
        for source, reverses, external_id in connection.exec_driver_sql(_REVERSALS, _key_columns(affected)):
            reversals.setdefault(Key(source, reverses), set()).add(Key(source, external_id))
        frozen = {key: frozenset(by) for key, by in reversals.items()}
        parts = Parts(
            _standing_parts(connection, heads.values()),
            {(fact.key, fact.version): parts_of(fact, day_of) for fact in facts if fact.credits},
        )
        _write(connection, plan(facts, heads, frozen, parts, counters))
    return refusals


def _standing_parts(connection: Connection, heads: Iterable[Version]) -> dict[Key, list[Version]]:
    """The parts of these deals' current versions, as they are in the ledger."""
    deals = {
        part_key(head.key, person_id): head.key
        for head in heads
        if head.credits
        for person_id in head.people[1:]
    }
    found: dict[Key, list[Version]] = {}
    if deals:
        for row in connection.exec_driver_sql(_HEADS, _key_columns(deals)):
            part = _version(row)
            found.setdefault(deals[part.key], []).append(part)
    return found


def _write(connection: Connection, planned: Plan) -> None:
    if planned.superseded:
        connection.exec_driver_sql(_SUPERSEDE, _key_columns([key for key, _ in planned.superseded]))
    connection.exec_driver_sql(_INSERT, _insert_columns(planned))
    if planned.counting:
        # In the order that _key_columns gives the keys.
        ordered = sorted(planned.counting)
        keys = _key_columns([key for key, _ in ordered])
        connection.exec_driver_sql(_COUNTING, {**keys, "counts": [counts for _, counts in ordered]})
    changed = {(cell.person_id, cell.day) for cell in planned.cells} | planned.leave
    if planned.cells:
        connection.exec_driver_sql(_TALLY, _cell_columns(planned.cells))
    if planned.touches:
        changed |= {(touch.person_id, touch.day) for touch in planned.touches}
        changed |= _write_touches(connection, planned.touches)
    if planned.counted:
        move_patrons(connection, planned.counted)
    publish(connection, events_of(changed))


def _write_touches(connection: Connection, touches: Mapping[Touch, int]) -> set[tuple[str, int]]:
    """Move the touches; the people and days whose new customers changed with them."""
    columns = {
        "people": Texts([touch.person_id for touch in touches]),
        "customers": Texts([touch.customer for touch in touches]),
        "days": Longs(touch.day for touch in touches),
    }
    connection.exec_driver_sql(_TOUCH, {**columns, "counts": Longs(touches.values())})
    rows = connection.exec_driver_sql(_FIRSTS, columns).all()
    return {(person_id, day) for person_id, was, now in rows for day in (was, now) if day is not None}


def events_of(changed: Iterable[tuple[str, int]]) -> list[NewEvent]:
    """One event a person, with the days, counted from 1970, whose figures changed."""
    days: dict[str, set[int]] = {}
    for person_id, day in changed:
        days.setdefault(person_id, set()).add(day)
    return [
        NewEvent(VALUES_CHANGED, person_id, ",".join(map(str, sorted(days[person_id]))).encode())
        for person_id in sorted(days)
    ]


def _version(row: Sequence[Any]) -> Version:
    (source, external_id, version, kind, person_id, day, customer, amount, minutes, reverses, voided, current,
     counts, product, channel, told_amount, attributes, leave_first, leave_stop, written, deal_amount, deal,
     occurred) = row  # fmt: skip
    told = attributes_text(attributes or {})
    given = read_credits(written)
    content = (
        kind, person_id, occurred, customer, product, channel, told_amount, minutes, reverses, told, voided,
        leave_first, leave_stop, given, deal_amount, deal or "",
    )  # fmt: skip
    return Version(
        Key(source, external_id), version, kind, person_id, day, customer, amount, minutes, reverses, voided,
        content, current, counts, product, channel, told_amount, told, leave_first, leave_stop,
        given,
    )  # fmt: skip


def _key_columns(keys: Collection[Key]) -> dict[str, Any]:
    ordered = sorted(keys)
    return {
        "sources": Texts([key.source for key in ordered]),
        "external_ids": Texts([key.external_id for key in ordered]),
    }


def _cell_columns(cells: Mapping[Cell, Sums]) -> dict[str, Any]:
    return {
        "people": Texts([cell.person_id for cell in cells]),
        "days": Longs(cell.day for cell in cells),
        "kinds": Longs(cell.kind for cell in cells),
        "counts": Longs(sums.n for sums in cells.values()),
        "amounts": Longs(sums.amount for sums in cells.values()),
        "minutes": Longs(sums.minutes for sums in cells.values()),
    }


def _insert_columns(planned: Plan) -> dict[str, Any]:
    facts = [fact for fact, _, _ in planned.added]
    return {
        **columns_of(facts),
        "reverses": Texts([fact.reverses for fact in facts]),
        "current": [current for _, current, _ in planned.added],
        "counting": [counts for _, _, counts in planned.added],
        "leave_first": Longs(-1 if fact.leave_first is None else fact.leave_first for fact in facts),
        "leave_stop": Longs(-1 if fact.leave_stop is None else fact.leave_stop for fact in facts),
        "credits": Texts([credits_text(fact.credits) for fact in facts]),
        "deal_minor": Longs(-1 if fact.deal_amount is None else fact.deal_amount for fact in facts),
        "deals": Texts([fact.deal for fact in facts]),
    }


def columns_of(facts: Sequence[Fact]) -> dict[str, Any]:
    """The facts' columns as parameters, without what only a correction has."""
    columns = list(zip(*facts, strict=True))
    return {
        "sources": Texts(columns[0]),
        "external_ids": Texts(columns[1]),
        "versions": Longs(columns[2]),
        "kinds": Longs(columns[3]),
        "people": Texts(columns[4]),
        "occurred": Longs(columns[5]),
        "days": Longs(columns[6]),
        "customers": Texts(columns[7]),
        "products": Texts(columns[8]),
        "channels": Texts(columns[9]),
        "amounts": Longs([-1 if amount is None else amount for amount in columns[10]]),
        "minutes": Longs(columns[11]),
        "attributes": Texts(columns[13]),
        "voided": Longs(columns[14]),
    }

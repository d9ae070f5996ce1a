"""Closed periods as the platform keeps them, in a transaction that holds `calculation`; nobody calls this."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import orjson
from sqlalchemy import Connection, Row, text

from services.incentives.domain.closing import (
    Adjustment,
    Closing,
    DealName,
    Frozen,
    HeldDeal,
    HeldFlag,
    HeldLine,
)
from services.incentives.domain.periods import Period, PeriodKind
from services.incentives.store.statements import COLUMNS, as_statement

Key = tuple[str, Period]
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

HELD_DEALS: Final = """(
           SELECT coalesce(json_agg(json_build_array(source, external_id, reason, held_by,
                      (extract(epoch FROM held_at) * 1000000)::bigint) ORDER BY deal_hold.id), '[]')
           FROM deal_hold WHERE (deal_hold.period_kind, deal_hold.first_day, deal_hold.person_id)
               = (frozen.period_kind, frozen.first_day, frozen.person_id) AND released_at IS NULL)"""
HELD_FLAGS: Final = """(
           SELECT coalesce(json_agg(json_build_array(flag_id, rule) ORDER BY flag_id), '[]')
           FROM flag_hold WHERE (flag_hold.period_kind, flag_hold.first_day, flag_hold.person_id)
               = (frozen.period_kind, frozen.first_day, frozen.person_id)
             AND holds AND released_at IS NULL AND in_part)"""
_ASKED: Final = (
    "unnest(%(people)b::text[], %(kinds)b::smallint[], %(days)b::date[]) AS asked (person, kind, day)"
)
FROZEN: Final = f"""
SELECT {", ".join(f"frozen.{each}" for each in COLUMNS.split(", "))}, adjusted, frozen.digest, closing_id, closed_at,
       closed_by, approved_at IS NOT NULL, paid_on, coalesce(held.reason, ''), coalesce(held.flag_id, ''),
       coalesce(held.rule, ''), (
           SELECT coalesce(json_agg(
               json_build_array(rule_id, label, amount, line.reason, line.held_by, in_part) ORDER BY id, rule_id), '[]')
           FROM held_line AS line WHERE (line.period_kind, line.first_day, line.person_id) = (kind, day, person)),
       {HELD_DEALS}, {HELD_FLAGS}
FROM frozen JOIN closing ON closing.id = closing_id
JOIN {_ASKED} ON (frozen.period_kind, frozen.first_day, frozen.person_id) = (kind, day, person)
LEFT JOIN approval ON (approval.period_kind, approval.first_day, approval.person_id) = (kind, day, person)
LEFT JOIN held ON (held.period_kind, held.first_day, held.person_id) = (kind, day, person)
LEFT JOIN batch_item AS item ON (item.period_kind, item.first_day, item.person_id) = (kind, day, person)
LEFT JOIN batch ON batch.id = batch_id
"""  # noqa: S608  the column names are ours
_ADJUSTMENTS: Final = (
    "SELECT person_id, period_kind, first_day, of_kind, of_first_day, rule_id, label, amount, changed_at,"
    " goals_position, adjustment.id, dispute_id FROM adjustment"
)
_CORRECTING: Final = f"""
{_ADJUSTMENTS} JOIN {_ASKED} ON (person_id, of_kind, of_first_day) = (person, kind, day) WHERE dispute_id = ''
"""
PAID_IN: Final = f"""
{_ADJUSTMENTS} JOIN {_ASKED} ON (period_kind, first_day, person_id) = (kind, day, person)
WHERE amount <> 0 ORDER BY of_first_day, of_kind, rule_id, dispute_id
"""
_CLOSINGS: Final = f"""
SELECT id, node_id, period_kind, first_day, closed_by, closed_at
FROM closing JOIN {_ASKED} ON (period_kind, first_day) = (kind, day)
ORDER BY closed_at, id
"""  # noqa: S608  the column names are ours
_CLOSE: Final = text("""
INSERT INTO closing (id, node_id, period_kind, first_day, closed_by, closed_at)
VALUES (:id, :node_id, :kind, :first_day, :closed_by, :closed_at)
""")
_FREEZE: Final = """
INSERT INTO frozen (person_id, period_kind, first_day, figures, as_of, goals_position, plan_id, total, amounts,
                    adjusted, digest, closing_id)
SELECT person_id, period_kind, first_day, figures::jsonb, as_of, goals_position, plan_id, total, amounts::bigint[],
       adjusted, digest, closing_id
FROM unnest(%(people)b::text[], %(kinds)b::smallint[], %(days)b::date[], %(figures)b::text[],
            %(as_of)b::timestamptz[], %(positions)b::bigint[], %(plans)b::text[], %(totals)b::bigint[],
            %(amounts)b::text[], %(adjusted)b::bigint[], %(digests)b::text[], %(closings)b::text[])
     AS new (person_id, period_kind, first_day, figures, as_of, goals_position, plan_id, total, amounts,
             adjusted, digest, closing_id)
"""
_ADJUST: Final = """
INSERT INTO adjustment (person_id, period_kind, first_day, of_kind, of_first_day, rule_id, label, amount, changed_at,
                        goals_position, dispute_id)
VALUES (%(person_id)s, %(period_kind)s, %(first_day)s, %(of_kind)s, %(of_first_day)s, %(rule_id)s, %(label)s,
        %(amount)s, %(changed_at)s, %(goals_position)s, %(dispute_id)s)
ON CONFLICT ON CONSTRAINT adjustment_once DO UPDATE
   SET amount = excluded.amount, changed_at = excluded.changed_at, goals_position = excluded.goals_position
RETURNING id
"""


def asked_for(keys: Iterable[Key]) -> dict[str, list[Any]]:
    """Parameters of a query for statements of people and periods."""
    found = list(keys)
    return {
        "people": [person_id for person_id, _ in found],
        "kinds": [int(period.kind) for _, period in found],
        "days": [period.first_day for _, period in found],
    }


def frozen_of(connection: Connection, keys: Iterable[Key]) -> dict[Key, Frozen]:
    """The frozen statements among those asked for."""
    found = (_frozen(row) for row in connection.exec_driver_sql(FROZEN, asked_for(keys)))
    return {(each.statement.person_id, each.statement.period): each for each in found}


def correcting(connection: Connection, keys: Iterable[Key]) -> list[Adjustment]:
    """What facts, not disputes, adjusted of closed statements; taken back ones with an amount of zero included."""
    return [_adjustment(row) for row in connection.exec_driver_sql(_CORRECTING, asked_for(keys))]


def paid_in(connection: Connection, keys: Iterable[Key]) -> dict[Key, list[Adjustment]]:
    """The adjustments paid in people's periods, by corrected period and line."""
    found: dict[Key, list[Adjustment]] = {}
    for row in connection.exec_driver_sql(PAID_IN, asked_for(keys)):
        each = _adjustment(row)
        found.setdefault((each.person_id, each.period), []).append(each)
    return found


def closings_of(connection: Connection, periods: Iterable[Period]) -> list[Closing]:
    """Closings of periods, whatever the node, oldest first."""
    rows = connection.exec_driver_sql(_CLOSINGS, asked_for(("", period) for period in periods))
    return [
        Closing(id, node_id, Period(PeriodKind(kind), first_day), closed_by, closed_at)
        for id, node_id, kind, first_day, closed_by, closed_at in rows
    ]


def close(connection: Connection, closing: Closing) -> None:
    """Note a closing; none of that period and node may be known."""
    connection.execute(
        _CLOSE,
        {
            "id": closing.id,
            "node_id": closing.node_id,
            "kind": int(closing.period.kind),
            "first_day": closing.period.first_day,
            "closed_by": closing.closed_by,
            "closed_at": closing.closed_at,
        },
    )


def freeze(connection: Connection, found: Sequence[Frozen]) -> None:
    """Freeze statements, none of which is frozen."""
    if found:
        statements = [each.statement for each in found]
        values = {
            **asked_for((each.person_id, each.period) for each in statements),
            "figures": [orjson.dumps(dict(each.figures)).decode() for each in statements],
            "as_of": [each.as_of for each in statements],
            "positions": [each.goals_position for each in statements],
            "plans": [each.plan_id for each in statements],
            "totals": [each.total for each in statements],
            "amounts": [f"{{{','.join(map(str, each.amounts))}}}" for each in statements],
            "adjusted": [each.adjusted for each in found],
            "digests": [each.digest for each in found],
            "closings": [each.closing_id for each in found],
        }
        connection.exec_driver_sql(_FREEZE, values)


def adjust(connection: Connection, adjustment: Adjustment) -> Adjustment:
    """Write an adjustment, or what has become of it; with its id."""
    row = connection.exec_driver_sql(
        _ADJUST,
        {
            **adjustment._asdict(),
            "period_kind": int(adjustment.period.kind),
            "first_day": adjustment.period.first_day,
            "of_kind": int(adjustment.corrects.kind),
            "of_first_day": adjustment.corrects.first_day,
        },
    )
    return adjustment._replace(id=row.scalar_one())


def _frozen(row: Row[Any]) -> Frozen:
    *rest, held, deals, flags = row[-13:]
    lines = tuple(HeldLine(*each) for each in held)
    return replace(
        Frozen(as_statement(row[:-13]), *rest),
        held_lines=lines,
        held_deals=held_deals(deals),
        held_flags=held_flags(flags),
    )


def held_deals(rows: Sequence[Sequence[Any]]) -> tuple[HeldDeal, ...]:
    """The deals of `HELD_DEALS`."""
    return tuple(
        HeldDeal(DealName(source, external_id), reason, held_by, _EPOCH + timedelta(microseconds=micros))
        for source, external_id, reason, held_by, micros in rows
    )


def held_flags(rows: Sequence[Sequence[str]]) -> tuple[HeldFlag, ...]:
    """The flags of `HELD_FLAGS`."""
    return tuple(HeldFlag(*row) for row in rows)


def _adjustment(row: Row[Any]) -> Adjustment:
    person_id: str
    first_day: date
    of_first_day: date
    (
        person_id,
        kind,
        first_day,
        of_kind,
        of_first_day,
        rule_id,
        label,
        amount,
        changed_at,
        position,
        id,
        dispute,
    ) = row
    return Adjustment(
        person_id,
        Period(PeriodKind(kind), first_day),
        Period(PeriodKind(of_kind), of_first_day),
        rule_id,
        label,
        amount,
        changed_at,
        position,
        id,
        dispute,
    )

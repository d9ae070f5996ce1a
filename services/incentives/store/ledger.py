"""Statements as the platform itself computes them, page by page and batch by batch; nobody calls this.

Who computes holds `calculation` (see `begin_calculation`), so what is read here stays as it is until the
transaction ends, and the order of events is the order of changes.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from itertools import groupby
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import Connection, text

from chassis.arrays import numbers, texts
from chassis.database import Ask
from services.incentives.domain.periods import Period, PeriodKind, today
from services.incentives.domain.statements import NOTHING_PASSED, Standing, Statement
from services.incentives.store.courses import passed_of
from services.incentives.store.statements import COLUMNS, as_statement, keeping

Key = tuple[str, Period]

_KNOWN: Final = f"""
SELECT {COLUMNS}
FROM statement
JOIN unnest(%(kinds)b::smallint[], %(days)b::date[], %(people)b::text[]) AS asked (kind, day, person)
  ON (period_kind, first_day, person_id) = (kind, day, person)
"""  # noqa: S608  the column names are ours
_EARLIER: Final = f"""
SELECT {COLUMNS} FROM statement
JOIN unnest(%(people)b::text[], %(kinds)b::smallint[], %(days)b::date[]) AS asked (person, kind, day)
  ON (person_id, period_kind) = (person, kind) AND first_day < day
"""  # noqa: S608  the column names are ours
_WHERE_FROM: Final = """
SELECT person.id, job_role, ancestors, effective_zone, hire_date
FROM directory_person AS person JOIN directory_node AS node ON node.id = person.id
WHERE person.id = ANY(%(people)s::text[])
"""
# What a reader would not see changed makes no version.
_WRITE: Final = f"""
WITH new AS MATERIALIZED (
    SELECT person_id, period_kind, first_day, figures::jsonb, as_of, goals_position, plan_id, total,
           amounts::bigint[], seen
    FROM unnest(%(people)s::text[], %(kinds)s::smallint[], %(days)s::date[], %(figures)s::text[],
                %(as_of)b::timestamptz[], %(positions)s::bigint[], %(plans)s::text[], %(totals)s::bigint[],
                %(amounts)s::text[], %(seen)b::bool[])
         AS new (person_id, period_kind, first_day, figures, as_of, goals_position, plan_id, total, amounts, seen)
), kept AS (
    {keeping("new WHERE seen")}
)
INSERT INTO statement (person_id, period_kind, first_day, figures, as_of, goals_position, plan_id, total, amounts)
SELECT person_id, period_kind, first_day, figures, as_of, goals_position, plan_id, total, amounts FROM new
ON CONFLICT (period_kind, first_day, person_id) DO UPDATE
   SET figures = excluded.figures, as_of = excluded.as_of, goals_position = excluded.goals_position,
       plan_id = excluded.plan_id, total = excluded.total, amounts = excluded.amounts
"""  # noqa: S608  the parts are ours
_RENEW: Final = f"""
WITH renewed AS (
UPDATE statement SET plan_id = new.plan_id, total = new.total, amounts = new.amounts::bigint[]
FROM unnest(%(people)s::text[], %(plans)s::text[], %(totals)s::bigint[], %(amounts)s::text[])
     AS new (person_id, plan_id, total, amounts)
WHERE (period_kind, first_day) = (%(kind)s, %(day)s) AND statement.person_id = new.person_id
RETURNING statement.*
)
{keeping("renewed")}
"""  # noqa: S608  the parts are ours
_QUEUED: Final = text("""
SELECT recompute.id, node_id, since, after_person, coalesce(kind, 4) = 4 AS is_person
FROM recompute LEFT JOIN directory_node AS node ON node.id = node_id
ORDER BY recompute.id LIMIT :limit
""")
_WAITING: Final = text("SELECT EXISTS (SELECT 1 FROM recompute)")
_BELOW: Final = text("""
SELECT id FROM directory_node
WHERE ancestors @> ARRAY[CAST(:node_id AS text)] AND kind = 4 AND id > :after ORDER BY id LIMIT :limit
""")
_DONE: Final = text("DELETE FROM recompute WHERE id = ANY(:ids)")
_ON: Final = text("UPDATE recompute SET after_person = :after WHERE id = :id")
_OPEN: Final = f"""
SELECT {COLUMNS} FROM statement
WHERE person_id = ANY(%(people)s::text[])
  AND (plan_id <> '' OR period_kind = ANY(%(kinds)b::smallint[]))
  AND (first_day >= %(recent)s OR (plan_id = '' AND first_day >= %(since)s))
"""  # noqa: S608  the column names are ours
_LONGEST_MONTH: Final = 31


class Stale(NamedTuple):
    """People whose statements are to be computed anew, and since when closed periods without a plan count."""

    people: list[str]
    since: date | None


class Read(NamedTuple):
    """Rows about people, not yet made standings and statements (`Ledger.decode`)."""

    places: Sequence[Sequence[Any]]
    stored: Sequence[Sequence[Any]]


class Ledger:
    """Reads and writes statements in a transaction that holds `calculation`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def known(self, keys: Iterable[tuple[str, Period]]) -> dict[tuple[str, Period], Statement]:
        """The stored statements among those asked for."""
        asked = list(keys)
        rows = self._connection.exec_driver_sql(
            _KNOWN,
            {
                "people": [person_id for person_id, _ in asked],
                "kinds": [int(period.kind) for _, period in asked],
                "days": [period.first_day for _, period in asked],
            },
        )
        return {(each.person_id, each.period): each for each in map(as_statement, rows.all())}

    def open(
        self, people: Sequence[str], recent: date, since: date | None, kinds: Iterable[PeriodKind]
    ) -> list[Statement]:
        """Statements that may need another plan: recent ones, and from `since` on those without any.

        Without a plan only those of `kinds`, the periods there are plans for.
        """
        rows = self._connection.exec_driver_sql(_OPEN, _which(people, recent, since, kinds)).all()
        return list(map(as_statement, rows))

    def ask_open(
        self, ask: Ask, people: Sequence[str], recent: date, since: date | None, kinds: Iterable[PeriodKind]
    ) -> Callable[[], Read]:
        """`standings` and `open` without waiting: what it returns waits."""
        places = ask(_WHERE_FROM, {"people": texts(people)})
        stored = ask(_OPEN, _which(people, recent, since, kinds))
        return lambda: Read(places(), stored())

    def decode(self, read: Read, now: datetime) -> tuple[dict[str, Standing], list[Statement]]:
        """What was read, of people no course is asked of."""
        return _standings(read.places, now, {}), list(map(as_statement, read.stored))

    def standings(
        self, people: Iterable[str], now: datetime, courses: Collection[str] = ()
    ) -> dict[str, Standing]:
        """Where people work, and which of the courses they have passed, as committed; unknown people are left out."""
        asked = list(people)
        passed = passed_of(self._connection, asked, courses, now) if courses else {}
        rows = self._connection.exec_driver_sql(_WHERE_FROM, {"people": texts(asked)}).all()
        return _standings(rows, now, passed)

    def write(self, statements: Sequence[Statement], now: datetime, *, unseen: Collection[Key] = ()) -> None:
        """Write statements, each key once, known from `now` on; those `unseen` look as they did."""
        if statements:
            ordered = sorted(statements, key=_key)
            values = {
                **_payments(ordered),
                "kinds": numbers(each.period.kind for each in ordered),
                "days": texts([each.period.first_day.isoformat() for each in ordered]),
                "figures": texts([orjson.dumps(each.figures).decode() for each in ordered]),
                "as_of": [each.as_of for each in ordered],
                "positions": numbers(each.goals_position for each in ordered),
                "seen": [(each.person_id, each.period) not in unseen for each in ordered],
                "now": now,
            }
            self._connection.exec_driver_sql(_WRITE, values)

    def write_payments(self, statements: Sequence[Statement], now: datetime) -> None:
        """Write what plans make of figures that are as stored, known from `now` on."""
        for period, of_period in groupby(sorted(statements, key=_key), key=_period):
            kind, day = period
            values = {**_payments(list(of_period)), "kind": int(kind), "day": day, "now": now}
            self._connection.exec_driver_sql(_RENEW, values)

    def of_period(self, people: Sequence[str], period: Period) -> list[Statement]:
        """People's stored statements of a period, by person."""
        found = self.known((person_id, period) for person_id in people)
        return [found[key] for key in sorted(found)]

    def take_stale(self, limit: int) -> Stale | None:
        """The next people in the queue, at most `limit`, taken off it; None when it is empty."""
        queued = self._connection.execute(_QUEUED, {"limit": limit}).all()
        if not queued:
            return None
        first = queued[0]
        if first.is_person:
            taken = []
            for item in queued:
                if not item.is_person or item.since != first.since:
                    break
                taken.append(item)
            self._connection.execute(_DONE, {"ids": [item.id for item in taken]})
            return Stale(list(dict.fromkeys(item.node_id for item in taken)), first.since)
        values = {"node_id": first.node_id, "after": first.after_person, "limit": limit}
        people = list(self._connection.execute(_BELOW, values).scalars().all())
        if len(people) < limit:
            self._connection.execute(_DONE, {"ids": [first.id]})
        else:
            self._connection.execute(_ON, {"id": first.id, "after": people[-1]})
        return Stale(people, first.since)


def _standings(
    rows: Iterable[Sequence[Any]], now: datetime, passed: Mapping[str, Mapping[str, date]]
) -> dict[str, Standing]:
    days: dict[str, date] = {}
    found = {}
    for person_id, job_role, ancestors, zone, hired in rows:
        day = days.get(zone) or days.setdefault(zone, today(now, zone))
        own = passed.get(person_id, NOTHING_PASSED)
        found[person_id] = Standing(ancestors[::-1], job_role, day, None, hired, own)
    return found


def _which(
    people: Sequence[str], recent: date, since: date | None, kinds: Iterable[PeriodKind]
) -> dict[str, Any]:
    return {
        "people": texts(people),
        "recent": recent,
        "since": since or date.max,
        "kinds": list(map(int, kinds)),
    }


def earlier(connection: Connection, before: Mapping[tuple[str, PeriodKind], date]) -> list[Statement]:
    """People's statements of all periods of a kind that begin before a day."""
    values = {
        "people": [person_id for person_id, _ in before],
        "kinds": [int(kind) for _, kind in before],
        "days": list(before.values()),
    }
    return list(map(as_statement, connection.exec_driver_sql(_EARLIER, values).all()))


def _period(statement: Statement) -> Period:
    return statement.period


def _key(statement: Statement) -> tuple[Period, str]:
    return statement.period, statement.person_id


def _payments(ordered: Sequence[Statement]) -> dict[str, Any]:
    return {
        "people": texts([each.person_id for each in ordered]),
        "plans": texts([each.plan_id for each in ordered]),
        "totals": numbers(each.total for each in ordered),
        "amounts": texts([numbers(each.amounts) for each in ordered]),
    }


def is_waiting(connection: Connection) -> bool:
    """Whether somebody's statements are to be computed anew."""
    return bool(connection.execute(_WAITING).scalar_one())

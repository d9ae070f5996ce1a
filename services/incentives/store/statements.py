"""Statements for the eyes of a caller: every query narrowed by the scope."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import Connection, Row, exists, or_, select, text, tuple_

from access import Scope, Status
from access.tables import directory_node, directory_person
from services.incentives.domain.periods import Period, PeriodKind, period_of
from services.incentives.domain.statements import Statement
from services.incentives.tables import statement

COLUMNS: Final = (
    "person_id, period_kind, first_day, figures::text, as_of, goals_position, plan_id, total, amounts"
)
"""As text, figures are read by a faster reader of JSON than the driver's."""


def keeping(source: str) -> str:
    """SQL that keeps the rows of `source` as versions, known from %(now)s on.

    Of two in one instant the last is what was seen.
    """
    return f"""
    INSERT INTO statement_version (person_id, period_kind, first_day, known_from, figures, as_of, goals_position,
                                   plan_id, total, amounts)
    SELECT person_id, period_kind, first_day, %(now)s, figures, as_of, goals_position, plan_id, total, amounts
    FROM {source}
    ON CONFLICT (person_id, first_day, period_kind, known_from) DO UPDATE
       SET figures = excluded.figures, as_of = excluded.as_of, goals_position = excluded.goals_position,
           plan_id = excluded.plan_id, total = excluded.total, amounts = excluded.amounts
    """  # noqa: S608  the source is ours


_OF_PERSON: Final = f"""
SELECT plans_version, {COLUMNS}
FROM calculation
LEFT JOIN statement ON person_id = %(person_id)s
     AND (period_kind, first_day) IN ((1, %(week)s), (2, %(month)s))
"""  # noqa: S608  the column names are ours
_VERSIONS: Final = f"""
SELECT DISTINCT ON (person_id, first_day, period_kind) {COLUMNS} FROM statement_version
WHERE person_id = ANY(%(people)b::text[]) AND first_day >= %(first)s AND first_day < %(end)s
  AND known_from <= %(known_at)s
ORDER BY person_id, first_day, period_kind, known_from DESC
"""  # noqa: S608  the column names are ours


def versions(
    connection: Connection, people: Sequence[str], first: date, end: date, known_at: datetime
) -> list[Statement]:
    """People's statements of periods that begin in [first, end), as they were known at an instant."""
    values = {"people": list(people), "first": first, "end": end, "known_at": known_at}
    return list(map(as_statement, connection.exec_driver_sql(_VERSIONS, values)))


# A day and the one before it, so that each is looked at more than once, and never the whole table.
_FORGET: Final = text("""
WITH aged AS (
    SELECT ctid AS at, known_from,
           lead(known_from) OVER (PARTITION BY person_id, first_day, period_kind ORDER BY known_from) AS next
    FROM statement_version, (SELECT date_trunc('day', now(), 'UTC') - make_interval(days => :days) AS old) AS kept
    WHERE known_from >= old - interval '3 days' AND known_from < old
), piece AS (
    SELECT at FROM aged WHERE (next AT TIME ZONE 'UTC')::date = (known_from AT TIME ZONE 'UTC')::date LIMIT 5000
)
DELETE FROM statement_version WHERE ctid IN (SELECT at FROM piece)
""")


def forget_versions(kept_days: int) -> Callable[[Connection], int]:
    """Removes a piece of the versions older than that, but for each day's last. A work of `chassis.housekeeping`."""

    def forget(connection: Connection) -> int:
        return connection.execute(_FORGET, {"days": kept_days}).rowcount

    return forget


class Found(NamedTuple):
    """A person's statements for the week and the month of a day, and the version of the plans there are."""

    plans_version: int
    stored: Mapping[PeriodKind, Statement]


@lru_cache(maxsize=1024)
def _period(kind: int, first_day: date) -> Period:
    return Period(PeriodKind(kind), first_day)


def as_statement(row: Row[Any] | Sequence[Any]) -> Statement:
    """A row of COLUMNS."""
    person_id, kind, first_day, figures, as_of, goals_position, plan_id, total, amounts = row
    period = _period(kind, first_day)
    told: dict[str, int] = orjson.loads(figures)
    return Statement(person_id, period, told, as_of, goals_position, plan_id, total, tuple(amounts))


class StatementStore:
    """Reads statements of people the scope covers."""

    def __init__(self, connection: Connection, scope: Scope) -> None:
        self._connection = connection
        self._scope = scope

    def on(self, person_id: str, day: date) -> Found:
        """In one statement. NotFound where the scope does not cover the person."""
        self._scope.require_person(person_id)
        rows = self._connection.exec_driver_sql(
            _OF_PERSON,
            {
                "person_id": person_id,
                "week": period_of(PeriodKind.WEEK, day).first_day,
                "month": period_of(PeriodKind.MONTH, day).first_day,
            },
        ).all()
        found = [as_statement(row[1:]) for row in rows if row[1] is not None]
        return Found(rows[0][0], {each.period.kind: each for each in found})

    def known_at(self, person_id: str, day: date, instant: datetime) -> dict[PeriodKind, Statement]:
        """The week's and the month's as they were known then. NotFound where the scope does not cover the person."""
        self._scope.require_person(person_id)
        wanted = {period_of(kind, day) for kind in PeriodKind}
        first = min(each.first_day for each in wanted)
        found = versions(self._connection, [person_id], first, day + timedelta(days=1), instant)
        return {each.period.kind: each for each in found if each.period in wanted}

    def people(self, node_id: str, day: date, *, after: str, limit: int) -> list[str]:
        """Ids beyond `after` at or below a node ("" for the scope's own): active people, and whoever earned."""
        who = directory_person
        query = select(who.c.id).where(self._scope.clause(who.c.id), who.c.id > after)
        if node_id:
            below = select(directory_node.c.id).where(directory_node.c.ancestors.contains([node_id]))
            query = query.where(who.c.id.in_(below))
        earned = exists().where(
            tuple_(statement.c.period_kind, statement.c.first_day).in_(_keys(day)),
            statement.c.person_id == who.c.id,
        )
        query = query.where(or_(who.c.status == int(Status.ACTIVE), earned))
        return list(self._connection.execute(query.order_by(who.c.id).limit(limit)).scalars())

    def of_people(self, people: Sequence[str], day: date) -> dict[str, dict[PeriodKind, Statement]]:
        """The stored statements of people for the week and the month of a day."""
        query = text(f"""
            SELECT {COLUMNS} FROM statement
            WHERE person_id = ANY(:people)
              AND (period_kind, first_day) IN ((1, :week), (2, :month))
        """)  # noqa: S608  the column names are ours
        values = {
            "people": [each for each in people if self._scope.covers(each)],
            "week": period_of(PeriodKind.WEEK, day).first_day,
            "month": period_of(PeriodKind.MONTH, day).first_day,
        }
        found: dict[str, dict[PeriodKind, Statement]] = {each: {} for each in people}
        for row in self._connection.execute(query, values):
            each = as_statement(row)
            found[each.person_id][each.period.kind] = each
        return found


def _keys(day: date) -> list[tuple[int, date]]:
    return [(int(kind), period_of(kind, day).first_day) for kind in PeriodKind]

"""Figures of people over ranges of days, read in one statement for any number of both."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection

from chassis.database import Database
from services.goals.domain.metrics import Figures
from services.goals.domain.periods import Period
from services.goals.store.arrays import Longs

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_CUSTOMERS: Final = -1
_NEW_CUSTOMERS: Final = -2
_VERSION: Final = -3

_KEPT: Final = """
WITH span AS (
    SELECT slot, person_id, date 'epoch' + first::integer AS first, date 'epoch' + stop::integer AS stop
    FROM unnest(%(people)b::text[], %(first)b::bigint[], %(stop)b::bigint[])
         WITH ORDINALITY AS row (person_id, first, stop, slot)
)
SELECT slot, kind::integer, sum(n), sum(amount_minor)::bigint, sum(minutes)::bigint, max(recorded_at)
FROM span JOIN tally USING (person_id) WHERE day >= first AND day < stop GROUP BY slot, kind
UNION ALL
SELECT slot, -1, count(DISTINCT customer), 0, 0, NULL
FROM span JOIN touch USING (person_id) WHERE day >= first AND day < stop GROUP BY slot
UNION ALL
SELECT slot, -2, count(*), 0, 0, NULL
FROM span JOIN first_touch USING (person_id) WHERE day >= first AND day < stop GROUP BY slot
UNION ALL
SELECT 0, -3, version, 0, 0, NULL FROM standard_version
"""
# The same from the facts themselves, up to a moment.
_AS_OF: Final = """
WITH span AS (
    SELECT slot, person_id, date 'epoch' + first::integer AS first,
           timestamptz 'epoch' + start * interval '1 microsecond' AS start,
           timestamptz 'epoch' + stop * interval '1 microsecond' AS stop
    FROM unnest(%(people)b::text[], %(first)b::bigint[], %(start)b::bigint[], %(stop)b::bigint[])
         WITH ORDINALITY AS row (person_id, first, start, stop, slot)
), told AS (
    SELECT slot, first, person_id, kind, amount_minor, minutes, customer, recorded_at
    FROM span JOIN fact USING (person_id) WHERE counts AND occurred_at >= start AND occurred_at < stop
)
SELECT slot, kind::integer, count(*), coalesce(sum(amount_minor), 0)::bigint, sum(minutes)::bigint,
       max(recorded_at)
FROM told GROUP BY slot, kind
UNION ALL
SELECT slot, -1, count(DISTINCT customer), 0, 0, NULL FROM told WHERE kind = 1 GROUP BY slot
UNION ALL
SELECT slot, -2, count(DISTINCT told.customer), 0, 0, NULL
FROM told JOIN first_touch USING (person_id, customer)
WHERE told.kind = 1 AND first_touch.day >= told.first GROUP BY slot
UNION ALL
SELECT 0, -3, version, 0, 0, NULL FROM standard_version
"""
_GROUPED: Final = """
WITH wanted AS (SELECT unnest(%(people)b::text[]) AS person_id)
SELECT CASE %(by)s WHEN 'person' THEN person_id WHEN 'month' THEN to_char(day, 'YYYY-MM') ELSE '' END AS key,
       kind::integer, sum(n), sum(amount_minor)::bigint, sum(minutes)::bigint
FROM tally WHERE day >= %(first)s AND day < %(stop)s
             AND (%(everybody)s OR person_id IN (SELECT person_id FROM wanted)) GROUP BY 1, 2
UNION ALL
SELECT CASE %(by)s WHEN 'person' THEN person_id WHEN 'month' THEN to_char(day, 'YYYY-MM') ELSE '' END AS key,
       -1, count(DISTINCT (person_id, customer)), 0, 0
FROM touch WHERE day >= %(first)s AND day < %(stop)s
             AND (%(everybody)s OR person_id IN (SELECT person_id FROM wanted)) GROUP BY 1
UNION ALL
SELECT CASE %(by)s WHEN 'person' THEN person_id WHEN 'month' THEN to_char(day, 'YYYY-MM') ELSE '' END AS key,
       -2, count(*), 0, 0
FROM first_touch WHERE day >= %(first)s AND day < %(stop)s
             AND (%(everybody)s OR person_id IN (SELECT person_id FROM wanted)) GROUP BY 1
"""
_LAST_FOLLOW_UPS: Final = """
SELECT person_id, last.day FROM unnest(%(people)b::text[]) AS row (person_id)
CROSS JOIN LATERAL (
    SELECT day FROM tally WHERE tally.person_id = row.person_id AND kind = 1 ORDER BY day DESC LIMIT 1
) AS last
"""
_LAST_RECORDED: Final = "SELECT recorded_at FROM tally WHERE person_id = %(person)s ORDER BY day DESC LIMIT 1"


@contextmanager
def one_statement(database: Database) -> Iterator[Connection]:
    """A connection for a reading that is one statement, and so needs no transaction around it.

    It saves two of three round trips. Whatever is read beside that statement is read as of another moment.
    """
    with database.engine.connect() as connection:
        yield connection.execution_options(isolation_level="AUTOCOMMIT")


class Span(NamedTuple):
    """One person's period."""

    person_id: str
    period: Period


class Reading(NamedTuple):
    """Figures per span, when the newest fact in each was recorded, and the version of the targets."""

    figures: list[Figures]
    recorded_at: list[datetime | None]
    targets_version: int


def read_figures(connection: Connection, spans: Sequence[Span], *, as_of: datetime | None = None) -> Reading:
    """The figures of each span: all that is recorded, or only what happened up to `as_of`."""
    people = [span.person_id for span in spans]
    first = Longs(span.period.first.toordinal() - _EPOCH_DAY for span in spans)
    if as_of is None:
        stop = Longs(span.period.end.toordinal() - _EPOCH_DAY for span in spans)
        rows = connection.exec_driver_sql(_KEPT, {"people": people, "first": first, "stop": stop})
    else:
        until = _micros(as_of) + 1
        starts = Longs(_micros(span.period.start) for span in spans)
        stops = Longs(min(_micros(span.period.stop), until) for span in spans)
        rows = connection.exec_driver_sql(
            _AS_OF, {"people": people, "first": first, "start": starts, "stop": stops}
        )
    figures = [Figures() for _ in spans]
    recorded_at: list[datetime | None] = [None] * len(spans)
    version = 0
    for slot, kind, n, amount, minutes, newest in rows:
        if kind == _VERSION:
            version = n
            continue
        _take(figures[slot - 1], kind, n, amount, minutes)
        known = recorded_at[slot - 1]
        if newest is not None and (known is None or newest > known):
            recorded_at[slot - 1] = newest
    return Reading(figures, recorded_at, version)


def read_grouped(
    connection: Connection, *, by: str, people: Sequence[str] | None, first: date, stop: date
) -> dict[str, Figures]:
    """Figures over the days from `first` up to `stop`, by `person`, by `month` (YYYY-MM), or by nothing.

    `people` None is everybody.
    """
    rows = connection.exec_driver_sql(
        _GROUPED,
        {
            "by": by,
            "first": first,
            "stop": stop,
            "everybody": people is None,
            "people": list(people or ()),
        },
    )
    grouped: dict[str, Figures] = {}
    for key, kind, n, amount, minutes in rows:
        _take(grouped.setdefault(key, Figures()), kind, n, amount, minutes)
    return grouped


def read_last_follow_ups(connection: Connection, people: Sequence[str]) -> dict[str, date]:
    """The day of each one's last follow-up; nobody who has none."""
    rows = connection.exec_driver_sql(_LAST_FOLLOW_UPS, {"people": people})
    return {row[0]: row[1] for row in rows}


def read_last_recorded(connection: Connection, person_id: str) -> datetime | None:
    """When the facts of a person's last day with any were recorded."""
    row = connection.exec_driver_sql(_LAST_RECORDED, {"person": person_id}).first()
    return None if row is None else row[0]


def _take(figures: Figures, kind: int, n: Any, amount: int, minutes: int) -> None:
    if kind == _CUSTOMERS:
        figures.customers = int(n)
    elif kind == _NEW_CUSTOMERS:
        figures.new_customers = int(n)
    else:
        figures.add(kind, int(n), amount, minutes)


def _micros(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1)

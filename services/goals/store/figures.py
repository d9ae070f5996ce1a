"""Figures of people over ranges of days, read in one statement for any number of both."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection

from services.goals.domain.conditions import Novelty
from services.goals.domain.facts import Key
from services.goals.domain.leave import Absence
from services.goals.domain.metrics import FIRST_COUNTER, PURCHASES, Counter, Figures, Sums
from services.goals.domain.periods import Period
from services.goals.store.arrays import Longs
from services.goals.store.counting import admitted_by
from services.goals.store.standing import STOOD, STOOD_WITHOUT

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_CUSTOMERS: Final = -1
_NEW_CUSTOMERS: Final = -2
_VERSION: Final = -3
_ON_LEAVE: Final = -4
_RULES: Final = -5
_FIRST_CODE: Final = 16
_CODES: Final = 4
_AGAIN: Final = 3

# Rows of counters by customer come under a code made of the counter's number and whom the customers are to the person
# at the period's beginning, or under one for those who came again.
PATRONS: Final = """
SELECT {key}, -(16 + counter * 4 + CASE
           WHEN known.{touched} IS NULL OR known.{touched} >= patrons.stop THEN 0
           WHEN known.{touched} >= patrons.first THEN 1 ELSE 2 END)::integer,
       sum(patrons.n), sum(amount)::bigint, sum(patrons.minutes)::bigint, NULL, count(*)
FROM patrons LEFT JOIN first_touch AS known USING (person_id, customer) GROUP BY 1, 2
UNION ALL
SELECT {key}, -(16 + counter * 4 + 3)::integer, 0, 0, 0, NULL, count(*)
FROM patrons WHERE patrons.n > 1 OR {earlier} GROUP BY 1, 2
"""
_EARLIER_KEPT: Final = """EXISTS (
    SELECT FROM patron AS earlier
    WHERE earlier.person_id = patrons.person_id AND earlier.counter = patrons.counter
      AND earlier.customer = patrons.customer AND earlier.day < patrons.first)"""
EARLIER_FACT: Final = """EXISTS (
    SELECT FROM fact
    WHERE fact.counts AND fact.person_id = patrons.person_id AND fact.customer = patrons.customer
      AND fact.{at} < patrons.first AND ({admitted}))"""
# Leave that counts, from four weeks before each span: who was away then was not idle. Then the version of the rules
# that say what it does.
_LEAVE: Final = """
UNION ALL
SELECT slot, -4, leave_first, leave_stop, 0, NULL, 0, concat(source, '/', version, '/', external_id)
FROM span JOIN fact USING (person_id)
WHERE counts AND kind = 9{told} AND leave_stop > 2 * ({first} - 28 - date 'epoch')
  AND leave_first < 2 * ({stop} - date 'epoch')
UNION ALL
SELECT 0, -5, rules, 0, 0, NULL, 0, NULL FROM calendar
"""
_KEPT: Final = f"""
WITH span AS (
    SELECT slot, person_id, date 'epoch' + first::integer AS first, date 'epoch' + stop::integer AS stop
    FROM unnest(%(people)b::text[], %(first)b::bigint[], %(stop)b::bigint[])
         WITH ORDINALITY AS row (person_id, first, stop, slot)
), patrons AS (
    SELECT slot, person_id, first, stop, counter, customer, sum(n) AS n, sum(amount_minor) AS amount,
           sum(minutes) AS minutes
    FROM span JOIN patron USING (person_id) WHERE day >= first AND day < stop
    GROUP BY slot, person_id, first, stop, counter, customer
)
SELECT figure.*, NULL FROM (
SELECT slot, kind::integer, sum(n), sum(amount_minor)::bigint, sum(minutes)::bigint, max(recorded_at), 0
FROM span JOIN tally USING (person_id) WHERE day >= first AND day < stop GROUP BY slot, kind
UNION ALL
SELECT slot, -1, count(DISTINCT customer), 0, 0, NULL, 0
FROM span JOIN touch USING (person_id) WHERE day >= first AND day < stop GROUP BY slot
UNION ALL
SELECT slot, -2, count(*), 0, 0, NULL, 0
FROM span JOIN first_touch USING (person_id) WHERE day >= first AND day < stop GROUP BY slot
UNION ALL
{PATRONS.format(key="slot", touched="day", earlier=_EARLIER_KEPT)}
UNION ALL
SELECT 0, -3, version, 0, 0, NULL, 0 FROM standard_version
) AS figure
{_LEAVE.format(told="", first="first", stop="stop")}
"""  # noqa: S608  the parts are ours
# The same from the facts themselves, up to a moment. What counters count is put in for each of them; `stood` is for the
# facts as they were known at another moment, which are told apart by instants: another zone may have held then.
_AS_OF: Final = """
WITH {stood}days AS (
    SELECT slot, person_id, date 'epoch' + first::integer AS first_day, date 'epoch' + last::integer AS end_day,
           timestamptz 'epoch' + start * interval '1 microsecond' AS start,
           timestamptz 'epoch' + ends * interval '1 microsecond' AS ends,
           timestamptz 'epoch' + until * interval '1 microsecond' AS until
    FROM unnest(%(people)b::text[], %(first)b::bigint[], %(last)b::bigint[], %(start)b::bigint[], %(ends)b::bigint[],
                %(until)b::bigint[]) WITH ORDINALITY AS row (person_id, first, last, start, ends, until, slot)
), span AS (
    SELECT *, {bounds} FROM days
), told AS (
    SELECT slot, first, stop, person_id, kind, amount_minor, minutes, customer, channel, product, attributes,
           recorded_at
    FROM span JOIN fact USING (person_id)
    WHERE counts AND kind <> 9 AND occurred_at >= start AND occurred_at < until{left_out}
), counted AS (
    {counted}
), patrons AS (
    SELECT slot, person_id, first, stop, counter, customer, count(*) AS n, coalesce(sum(amount_minor), 0) AS amount,
           sum(minutes) AS minutes
    FROM counted WHERE by_customer AND customer <> '' GROUP BY slot, person_id, first, stop, counter, customer
)
SELECT figure.*, NULL FROM (
SELECT slot, kind::integer, count(*), coalesce(sum(amount_minor), 0)::bigint, sum(minutes)::bigint,
       max(recorded_at), 0
FROM told GROUP BY slot, kind
UNION ALL
SELECT slot, -1, count(DISTINCT customer), 0, 0, NULL, 0 FROM told WHERE kind = 1 GROUP BY slot
UNION ALL
SELECT slot, -2, count(DISTINCT told.customer), 0, 0, NULL, 0
FROM told JOIN first_touch USING (person_id, customer)
WHERE told.kind = 1 AND first_touch.{touched} >= told.first GROUP BY slot
UNION ALL
SELECT slot, counter, count(*), coalesce(sum(amount_minor), 0)::bigint, sum(minutes)::bigint, NULL, 0
FROM counted WHERE NOT by_customer GROUP BY slot, counter
UNION ALL
{patrons}
UNION ALL
SELECT 0, -3, version, 0, 0, NULL, 0 FROM standard_version
) AS figure
{leave}
"""
_LEFT_OUT: Final = """
      AND (source, external_id) NOT IN (SELECT * FROM unnest(%(sources)b::text[], %(external_ids)b::text[]))"""
_TOLD_UNTIL: Final = " AND occurred_at < until"
_KEY: Final = "CASE %(by)s WHEN 'person' THEN person_id WHEN 'month' THEN to_char({}, 'YYYY-MM') ELSE '' END"
_BY_DAY: Final = _KEY.format("day")
_WANTED: Final = "day >= %(first)s AND day < %(stop)s"
# Everybody's rows are read from end to end; whoever asks for a few people has theirs found.
_OF_PEOPLE: Final = f"person_id = ANY (%(people)b::text[]) AND {_WANTED}"
_GROUPED: Final = f"""
WITH patrons AS (
    SELECT person_id, counter, customer, sum(n) AS n, sum(amount_minor) AS amount, sum(minutes) AS minutes,
           CASE WHEN %(by)s = 'month' THEN date_trunc('month', day)::date ELSE %(first)s END AS first,
           CASE WHEN %(by)s = 'month' THEN (date_trunc('month', day) + interval '1 month')::date
                ELSE %(stop)s END AS stop
    FROM patron WHERE {_WANTED} GROUP BY 1, 2, 3, 7, 8
)
SELECT {_BY_DAY}, kind::integer, sum(n), sum(amount_minor)::bigint, sum(minutes)::bigint, NULL, 0
FROM tally WHERE {_WANTED} GROUP BY 1, 2
UNION ALL
SELECT {_BY_DAY}, -1, count(DISTINCT (person_id, customer)), 0, 0, NULL, 0 FROM touch WHERE {_WANTED} GROUP BY 1
UNION ALL
SELECT {_BY_DAY}, -2, count(*), 0, 0, NULL, 0 FROM first_touch WHERE {_WANTED} GROUP BY 1
UNION ALL
{PATRONS.format(key=_KEY.format("patrons.first"), touched="day", earlier=_EARLIER_KEPT)}
"""  # noqa: S608  the parts are ours
_GROUPED_OF_PEOPLE: Final = _GROUPED.replace(_WANTED, _OF_PEOPLE)


class Span(NamedTuple):
    """One person's period."""

    person_id: str
    period: Period


class Reading(NamedTuple):
    """Figures per span, when the newest fact in each was recorded, and the versions of targets and work rules.

    `absences` has the leave in each span and in the four weeks before it.
    """

    figures: list[Figures]
    recorded_at: list[datetime | None]
    targets_version: int
    absences: list[list[Absence]]
    rules_version: int


def read_figures(
    connection: Connection,
    spans: Sequence[Span],
    *,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
    counters: Sequence[Counter] = (PURCHASES,),
    left_out: Sequence[Key] = (),
) -> Reading:
    """The figures of each span: all that is recorded, or what happened up to `as_of`, as known at `known_at`.

    What is kept has every counter; what happened up to a moment is counted for `counters` only, and without the facts
    `left_out`. Those are of the spans and no follow-ups unless `known_at` is told: of others it depends who is new, and
    who came again, which is kept as it is.
    """
    people = [span.person_id for span in spans]
    first = Longs(span.period.first.toordinal() - _EPOCH_DAY for span in spans)
    if as_of is None:
        stop = Longs(span.period.end.toordinal() - _EPOCH_DAY for span in spans)
        rows = connection.exec_driver_sql(_KEPT, {"people": people, "first": first, "stop": stop})
    else:
        last = Longs(span.period.end.toordinal() - _EPOCH_DAY for span in spans)
        until = _micros(as_of) + 1
        starts = Longs(_micros(span.period.start) for span in spans)
        ends = [_micros(span.period.stop) for span in spans]
        query, more = _counting(counters, known_at, left_out)
        more |= {"ends": Longs(ends), "until": Longs(min(each, until) for each in ends)}
        rows = connection.exec_driver_sql(
            query, {"people": people, "first": first, "last": last, "start": starts, **more}
        )
    figures = [Figures() for _ in spans]
    recorded_at: list[datetime | None] = [None] * len(spans)
    absences: list[list[Absence]] = [[] for _ in spans]
    version = rules = 0
    for slot, kind, n, amount, minutes, newest, customers, fact_id in rows:
        if kind == _VERSION:
            version = int(n)
            continue
        if kind == _RULES:
            rules = int(n)
            continue
        if kind == _ON_LEAVE:
            absences[slot - 1].append(Absence(int(n), amount, fact_id))
            continue
        take(figures[slot - 1], kind, Sums(int(n), amount, minutes, customers))
        known = recorded_at[slot - 1]
        if newest is not None and (known is None or newest > known):
            recorded_at[slot - 1] = newest
    return Reading(figures, recorded_at, version, absences, rules)


def read_grouped(
    connection: Connection, *, by: str, people: Sequence[str] | None, first: date, stop: date
) -> dict[str, Figures]:
    """Figures over the days from `first` up to `stop`, by `person`, by `month` (YYYY-MM), or by nothing.

    `people` None is everybody.
    """
    asked = {"by": by, "first": first, "stop": stop}
    if people is None:
        rows = connection.exec_driver_sql(_GROUPED, asked)
    else:
        rows = connection.exec_driver_sql(_GROUPED_OF_PEOPLE, {**asked, "people": list(people)})
    grouped: dict[str, Figures] = {}
    for key, kind, n, amount, minutes, _, customers in rows:
        take(grouped.setdefault(key, Figures()), kind, Sums(int(n), amount, minutes, customers))
    return grouped


def take(figures: Figures, kind: int, sums: Sums) -> None:
    """Take a row of these statements into figures."""
    if kind >= FIRST_COUNTER:
        figures.count(kind, Novelty.ANYBODY, sums)
    elif kind > 0:
        figures.add(kind, sums.n, sums.amount, sums.minutes)
    elif kind == _CUSTOMERS:
        figures.customers = sums.n
    elif kind == _NEW_CUSTOMERS:
        figures.new_customers = sums.n
    else:
        counter, whom = divmod(-kind - _FIRST_CODE, _CODES)
        if whom == _AGAIN:
            figures.repeats[counter] = figures.repeats.get(counter, 0) + sums.customers
        else:
            figures.count(counter, Novelty(whom), sums)


def _counting(
    counters: Sequence[Counter], known_at: datetime | None, left_out: Sequence[Key]
) -> tuple[str, dict[str, Any]]:
    """The statement over the facts for some counters, and the parameters it has beside the spans."""
    parts, parameters = [], dict[str, Any]()
    if left_out:
        parameters["sources"] = [key.source for key in left_out]
        parameters["external_ids"] = [key.external_id for key in left_out]
    if known_at is not None:
        parameters["known_at"] = known_at
    again = []
    for counter in counters:
        admitted, own = admitted_by(counter)
        parameters |= own
        parts.append(
            f"SELECT told.*, {counter.id} AS counter, {str(counter.by_customer).lower()} AS by_customer"  # noqa: S608
            f" FROM told WHERE {admitted}"
        )
        if counter.by_customer:
            again.append(f"(patrons.counter = {counter.id} AND {admitted})")
    parts = parts or ["SELECT told.*, 0 AS counter, false AS by_customer FROM told WHERE false"]
    kept = known_at is None
    at, touched = ("day", "day") if kept else ("occurred_at", "at")
    earlier = EARLIER_FACT.format(at=at, admitted=" OR ".join(again) or "false")
    query = _AS_OF.format(
        stood="" if kept else f"{STOOD_WITHOUT if left_out else STOOD}, ",
        bounds="first_day AS first, end_day AS stop" if kept else "start AS first, ends AS stop",
        touched=touched,
        left_out=_LEFT_OUT if left_out and kept else "",
        counted=" UNION ALL ".join(parts),
        patrons=PATRONS.format(key="slot", touched=touched, earlier=earlier),
        leave=_LEAVE.format(told=_TOLD_UNTIL, first="first_day", stop="end_day"),
    )
    return query, parameters


def _micros(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1)

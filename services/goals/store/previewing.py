"""What a definition would have measured, straight from the facts."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection

from services.goals.domain.metrics import Counter, Figures, Metric, Sums, kinds_of
from services.goals.domain.windows import month_ends
from services.goals.store.counting import admitted_by
from services.goals.store.figures import EARLIER_FACT, PATRONS, read_grouped, take

_WITHIN: Final = """fact.counts AND fact.day >= %(first)s AND fact.day < %(stop)s
    AND (%(everybody)s OR fact.person_id = ANY (%(people)s::text[]))"""
_FACTS: Final = f"""
SELECT count(*) FILTER (WHERE {{admitted}}), count(*)
FROM fact WHERE {_WITHIN} AND kind = ANY (%(kinds)s::integer[])
"""  # noqa: S608  the parts are ours
_COUNTED: Final = f"""
WITH counted AS (
    SELECT person_id, customer, amount_minor, minutes, day,
           CASE WHEN %(monthly)s THEN date_trunc('month', day)::date ELSE %(first)s END AS first,
           CASE WHEN %(monthly)s THEN (date_trunc('month', day) + interval '1 month')::date
                ELSE %(stop)s END AS stop
    FROM fact WHERE {_WITHIN} AND {{admitted}}
), patrons AS (
    SELECT person_id, {{counter}} AS counter, customer, first, stop, count(*) AS n,
           coalesce(sum(amount_minor), 0) AS amount, sum(minutes) AS minutes
    FROM counted WHERE customer <> '' GROUP BY person_id, customer, first, stop
)
{{rows}}
"""  # noqa: S608  the parts are ours
_SUMS: Final = """
SELECT {key}, {counter}, count(*), coalesce(sum(amount_minor), 0)::bigint, sum(minutes)::bigint, NULL, 0
FROM counted GROUP BY 1
"""
_KEY: Final = "CASE WHEN %(monthly)s THEN to_char(first, 'YYYY-MM') ELSE person_id END"


class Preview(NamedTuple):
    """Figures by person, or by month (YYYY-MM); how many facts met the conditions, and how many there were.

    `total` is all of it where that is not what the figures add up to.
    """

    figures: Mapping[str, Figures]
    met: int
    of_kind: int
    total: Figures | None = None


def preview(
    connection: Connection,
    metric: Metric,
    people: Sequence[str] | None,
    *,
    first: date,
    stop: date,
    monthly: bool,
) -> Preview:
    """A metric over the days from `first` up to `stop`; `people` None is everybody.

    A counter nobody keeps yet is counted from the facts; what is kept is read as it is kept.
    """
    asked = {
        "first": first,
        "stop": stop,
        "monthly": monthly,
        "everybody": people is None,
        "people": list(people or ()),
        "kinds": sorted(int(kind) for kind in kinds_of(metric)),
    }
    admitted, own = admitted_by(metric.counter) if metric.counter else ("true", {})
    met, of_kind = connection.exec_driver_sql(_FACTS.format(admitted=admitted), {**asked, **own}).one()
    if metric.counter is not None:
        figures = _counted(connection, metric.counter, asked)
    else:
        figures = read_grouped(
            connection, by="month" if monthly else "person", people=people, first=first, stop=stop
        )
    return Preview(figures, met, of_kind)


def preview_rolling(
    connection: Connection,
    metric: Metric,
    people: Sequence[str] | None,
    *,
    first: date,
    stop: date,
    monthly: bool,
) -> Preview:
    """The same over the metric's own window that ends before `stop`; by month over those that end with each month."""

    def window(ending: date) -> Preview:
        begin = ending - timedelta(days=metric.rolling_days)
        return preview(connection, metric, people, first=begin, stop=ending, monthly=False)

    found = window(stop)
    if not monthly:
        return found
    months = {month: _together(window(end).figures) for month, end in month_ends(first, stop).items()}
    told = {month: figures for month, figures in months.items() if figures != Figures()}
    return Preview(told, found.met, found.of_kind, _together(found.figures))


def _together(found: Mapping[str, Figures]) -> Figures:
    total = Figures()
    for figures in found.values():
        total.merge(figures)
    return total


def _counted(connection: Connection, counter: Counter, asked: Mapping[str, Any]) -> dict[str, Figures]:
    admitted, own = admitted_by(counter)
    if counter.by_customer:
        earlier = EARLIER_FACT.format(at="day", admitted=admitted)
        rows = PATRONS.format(key=_KEY, touched="day", earlier=earlier)
    else:
        rows = _SUMS.format(key=_KEY, counter=counter.id)
    query = _COUNTED.format(admitted=admitted, counter=counter.id, rows=rows)
    figures: dict[str, Figures] = {}
    for key, kind, n, amount, minutes, _, customers in connection.exec_driver_sql(query, {**asked, **own}):
        take(figures.setdefault(key, Figures()), kind, Sums(int(n), amount, minutes, customers))
    return figures

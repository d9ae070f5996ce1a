"""The enterprise's own metrics, as goals tells of them, and the figures that are to be read anew because of one."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, text

from services.incentives.domain.metrics import METRICS, Known, Metric, Unit, base, named, ratio
from services.incentives.domain.periods import Period, PeriodKind

_NOTE: Final = text("""
INSERT INTO own_metric (name, unit, above, below, retired) VALUES (:name, :unit, :above, :below, :retired)
ON CONFLICT (name) DO UPDATE
   SET unit = excluded.unit, above = excluded.above, below = excluded.below, retired = excluded.retired
""")
_FORGET: Final = text("DELETE FROM own_metric WHERE name = :name")
_OWN: Final = text("SELECT name, unit, above, below, retired FROM own_metric ORDER BY name")
# A period that is being read is begun again: whoever reads it finds another number and does not move on. Which
# periods there are is found by steps along the primary key: their statements are many.
_REREAD: Final = text("""
WITH RECURSIVE period AS (
    (SELECT period_kind, first_day FROM statement ORDER BY period_kind, first_day LIMIT 1)
    UNION ALL
    SELECT following.* FROM period CROSS JOIN LATERAL (
        SELECT period_kind, first_day FROM statement
        WHERE (period_kind, first_day) > (period.period_kind, period.first_day)
        ORDER BY period_kind, first_day LIMIT 1
    ) AS following
)
INSERT INTO reread (period_kind, first_day, after_person)
SELECT period_kind, first_day, '' FROM period
ON CONFLICT (period_kind, first_day) DO UPDATE SET after_person = '', asked = excluded.asked
""")
_NEXT: Final = text("""
SELECT period_kind, first_day, after_person, asked FROM reread ORDER BY first_day DESC, period_kind DESC LIMIT 1
""")
_PEOPLE: Final = text("""
SELECT person_id FROM statement
WHERE period_kind = :kind AND first_day = :first_day AND person_id > :after ORDER BY person_id LIMIT :limit
""")
_PLACE: Final = "period_kind = :kind AND first_day = :first_day AND after_person = :after AND asked = :asked"
_ON: Final = text(f"UPDATE reread SET after_person = :last WHERE {_PLACE}")  # noqa: S608  the text is ours
_DONE: Final = text(f"DELETE FROM reread WHERE {_PLACE}")  # noqa: S608  the text is ours
_OTHER_FIGURES: Final = text("UPDATE calculation SET figures_version = figures_version + 1")


class OwnMetric(NamedTuple):
    """A metric of the enterprise's own as goals tells of it; of a ratio what is above and below the line."""

    name: str
    unit: Unit
    above: str
    below: tuple[str, ...]
    retired: bool


class Rereading(NamedTuple):
    """The next people of a period whose figures are to be read anew, after `after`; nobody is the end of it.

    `asked` is another number each time that the whole period is to be read.
    """

    period: Period
    after: str
    people: list[str]
    asked: int


def note_metric(connection: Connection, told: OwnMetric) -> None:
    """Note what a metric is now."""
    connection.execute(_NOTE, {**told._asdict(), "unit": int(told.unit), "below": list(told.below)})


def forget_metric(connection: Connection, name: str) -> None:
    """A metric became one that nothing may read."""
    connection.execute(_FORGET, {"name": name})


def known_metrics(connection: Connection) -> Known:
    """What a new plan or board may read: what the enterprise defined and has not retired, then what is built in."""
    rows = [OwnMetric(*row) for row in connection.execute(_OWN)]
    bases: dict[str, Metric] = {name: metric for name, metric in METRICS.items() if not metric.is_ratio}
    bases |= {row.name: base(row.name, Unit(row.unit)) for row in rows if not row.below}
    found: dict[str, Metric] = {}
    for row in rows:
        # A ratio of what nothing may read, a mean or a window of its own, is left out with it.
        if not row.retired and not row.below:
            found[row.name] = bases[row.name]
        elif not row.retired and bases.keys() >= {row.above, *row.below}:
            below = (bases[name] for name in row.below)
            found[row.name] = ratio(row.name, Unit(row.unit), bases[row.above], *below)
    return {**found, **METRICS}


def reread(connection: Connection) -> None:
    """Have everybody's figures of every period read anew."""
    connection.execute(_REREAD)


def next_reread(connection: Connection, limit: int) -> Rereading | None:
    """What is to be read anew next, the newest period first; None for nothing."""
    found = connection.execute(_NEXT).first()
    if found is None:
        return None
    values = {"kind": found.period_kind, "first_day": found.first_day, "after": found.after_person}
    people: Iterable[str] = connection.execute(_PEOPLE, {**values, "limit": limit}).scalars()
    period = Period(PeriodKind(found.period_kind), found.first_day)
    return Rereading(period, found.after_person, list(people), found.asked)


def reread_until(connection: Connection, done: Rereading) -> None:
    """Those people were read; nothing moves where the period was begun again meanwhile."""
    values = {
        "kind": int(done.period.kind),
        "first_day": done.period.first_day,
        "after": done.after,
        "asked": done.asked,
    }
    if done.people:
        connection.execute(_ON, {**values, "last": done.people[-1]})
    else:
        connection.execute(_DONE, values)
        # Boards in memory follow positions of goals, and these figures came without one.
        connection.execute(_OTHER_FIGURES)


def encode_metric(metric: Metric) -> str | dict[str, Any]:
    """What is built in, a course, and what a credit leaves unread by name; the enterprise's own as it was defined."""
    if named({}, metric.name) == metric:
        return metric.name
    told = {"name": metric.name, "unit": int(metric.unit)}
    if not metric.is_ratio:
        return told
    parts = {part.name: encode_metric(part) for part in metric.parts}
    below = [parts[name] for name in metric.denominators]
    return {**told, "above": parts[metric.numerator], "below": below}


def decode_metric(told: str | Mapping[str, Any]) -> Metric:
    """The metric of what was written so."""
    if isinstance(told, str):
        return named({}, told)
    name, unit = told["name"], Unit(told["unit"])
    if "above" not in told:
        return base(name, unit)
    return ratio(name, unit, decode_metric(told["above"]), *map(decode_metric, told["below"]))

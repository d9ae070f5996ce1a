"""Progress over a period against the pace needed, as data for the chart and as a table for everybody."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

import orjson
from foothold.goals.v1 import progress_pb2

from services.gateway import formats, words
from services.gateway.figures import MINUTES, MONEY, RATE, exact, to_date, written
from services.gateway.language import _, language

PLACES: Final = 10_000
"""Parts of one that drawings are told in."""
PARTS: Final = {MONEY: 100, MINUTES: 60}
"""How many of what is counted make one on the axis: cents a yuan, minutes an hour."""


@dataclass(frozen=True, slots=True)
class Row:
    """One day of the table under the chart."""

    day: str
    done: str
    pace: str


@dataclass(frozen=True, slots=True)
class Course:
    """A chart: its title says what it shows; `data` is JSON for the drawing, `rows` the same as text.

    Pixels need no exactness: the drawing gets ten-thousandths as whole numbers, the table the exact figures.
    """

    metric: str
    title: str
    data: str
    rows: list[Row]
    heads: tuple[str, str, str]


def course(metric: str, answer: progress_pb2.GetProgressCourseResponse) -> Course | None:
    """The chart of one metric over its period; None while there is nothing to draw."""
    first, end = to_date(answer.period.first_day), to_date(answer.period.end_day)
    if not first or not end or not answer.points:
        return None
    days = [first + timedelta(days=number) for number in range((end - first).days)]
    reached = {to_date(point.day): point for point in answer.points}
    pace = _pace(days, answer)
    rows = []
    done: list[int | None] = []
    for day in days:
        point = reached.get(day)
        done.append(_scaled(point.done) if point is not None else None)
        if point is not None:
            needed = written(point.pace) if point.HasField("pace") else "–"
            rows.append(Row(formats.day(day, language()), written(point.done), needed))
    unit = answer.points[0].done.unit
    data = {
        "x": [int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) for day in days],
        "done": done,
        "pace": pace,
        "scale": PLACES * PARTS.get(unit, 1),
        "percent": unit == RATE,
        "labels": [formats.day(day, language(), weekday=False) for day in days],
        "words": {"done": words.metric(metric) + "", "pace": _("Pace needed")},
    }
    name = words.metric(metric)
    if unit == MINUTES:
        name = _("%(metric)s in hours", metric=name)
    title = _("%(metric)s against the pace needed", metric=name)
    heads = (_("Day"), _("Done"), _("Pace needed"))
    return Course(metric, title, orjson.dumps(data).decode(), rows, heads)


def _pace(days: list[date], answer: progress_pb2.GetProgressCourseResponse) -> list[int | None]:
    """The pace over the whole period, not only up to today: it rises on the days the person works."""
    needed = {to_date(point.day): _scaled(point.pace) for point in answer.pace}
    return [needed.get(day) for day in days]


def _scaled(value: object) -> int | None:
    number = exact(value)  # type: ignore[arg-type]  # a goals value
    return None if number is None else int(number * PLACES)

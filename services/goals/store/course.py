"""The course of a metric over a period, day by day."""

from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from access import Person
from services.goals.domain.metrics import Figures
from services.goals.domain.periods import Period, PeriodKind
from services.goals.domain.windows import rolling
from services.goals.store.figures import Span, read_figures
from services.goals.store.targets import TargetsCache

_MOST_POINTS: Final = 366
_MOST_WINDOWS: Final = 62


def read_course(
    connection: Connection,
    cache: TargetsCache,
    person: Person,
    period: Period,
    today: date,
    *,
    as_of: datetime | None,
    known_at: datetime | None,
) -> list[tuple[date, Figures]]:
    """The figures from the period's first day through each day up to `today`; see `course_days`.

    Of a rolling window those of the windows that end on each day.
    """
    days = course_days(period, today)
    spans = [Span(person.id, _through(period, day)) for day in days]
    reading = read_figures(
        connection,
        spans,
        as_of=as_of,
        known_at=known_at,
        counters=cache.library.known(known_at).counters,
    )
    return list(zip(days, reading.figures, strict=True))


def course_days(period: Period, last: date) -> list[date]:
    """The days a course is told for, up to the `last`: each one, or of long periods as many as may be, evenly."""
    most = _MOST_WINDOWS if period.kind is PeriodKind.ROLLING else _MOST_POINTS
    step = timedelta(days=-(-period.days // most))
    number = max(0, -(-(last - period.first) // step))
    return [*(period.first + step * ahead for ahead in range(number)), last]


def _through(period: Period, day: date) -> Period:
    if period.kind is PeriodKind.ROLLING:
        return rolling(period.days, day, period.zone)
    return Period(period.kind, period.first, day + timedelta(days=1), period.zone)

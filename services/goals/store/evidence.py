"""What people reached in the months of their tenure, read from the figures kept."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import Connection

from access import Directory, Person
from services.goals.domain.evidence import Reached, months_of
from services.goals.domain.metrics import Counter, Figures, Metric, evaluate
from services.goals.domain.periods import Period, PeriodKind, local_day
from services.goals.domain.windows import rolling
from services.goals.store.figures import Span, read_figures

_SPANS: Final = 5_000


class Cohort(NamedTuple):
    """What people reached, how many they are, and how many are left out for having no first day or no facts."""

    reached: list[Reached]
    people: int
    without_first_day: int
    without_facts: int


def read_cohort(
    connection: Connection,
    directory: Directory,
    people: Iterable[Person],
    metric: Metric,
    *,
    months: int,
    now: datetime,
    counters: Sequence[Counter],
) -> Cohort:
    """Every month of tenure that is over, of people who were there to its end.

    Of a metric with a window of its own the window that ends with the month.
    """
    spans: list[tuple[int, Span]] = []
    without_first_day = 0
    for person in people:
        start = person.probation_start or person.hire_date
        if start is None:
            without_first_day += 1
            continue
        zone = directory.zone_of(person.id)
        through = local_day(min(now, person.dismissed_at or now), zone)
        for number, (first, end) in enumerate(months_of(start, through, months), 1):
            spans.append((number, Span(person.id, Period(PeriodKind.MONTH, first, end, zone))))
    found: dict[str, list[Reached]] = {}
    told: set[str] = set()
    for begin in range(0, len(spans), _SPANS):
        batch = spans[begin : begin + _SPANS]
        read = [_measured(metric, span) for _, span in batch]
        figures = read_figures(connection, read, counters=counters).figures
        for (number, span), each in zip(batch, figures, strict=True):
            if each != Figures():
                told.add(span.person_id)
            reached = Reached(number, span.period.first, span.period.end, evaluate(metric, each))
            found.setdefault(span.person_id, []).append(reached)
    return Cohort(
        [each for person, reached in found.items() if person in told for each in reached],
        len(told),
        without_first_day,
        len(found) - len(told),
    )


def _measured(metric: Metric, month: Span) -> Span:
    if not metric.rolling_days:
        return month
    period = month.period
    return Span(month.person_id, rolling(metric.rolling_days, period.end - timedelta(days=1), period.zone))

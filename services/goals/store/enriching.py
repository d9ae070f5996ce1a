"""Figures for events, as they are when the events are read."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final

from sqlalchemy import Connection

from access import Directory
from services.goals.domain.metrics import Figures
from services.goals.domain.periods import Period, PeriodKind, period_of
from services.goals.store.figures import Span, read_figures

TOLD_KINDS: Final = (PeriodKind.WEEK, PeriodKind.MONTH)


def periods_of(directory: Directory, person_id: str, days: Iterable[date]) -> list[Period]:
    """The weeks, then the months, that hold the days, in the person's zone as it is now."""
    zone = directory.zone_of(person_id)
    found = {period_of(kind, day, zone) for kind in TOLD_KINDS for day in days}
    return sorted(found, key=lambda period: (period.kind, period.first))


def figures_of(
    connection: Connection, wanted: Mapping[str, Iterable[Period]]
) -> dict[tuple[str, Period], Figures]:
    """The figures of each person's periods, read at once."""
    spans = [Span(person_id, period) for person_id, periods in wanted.items() for period in periods]
    if not spans:
        return {}
    reading = read_figures(connection, spans)
    return {
        (span.person_id, span.period): figures for span, figures in zip(spans, reading.figures, strict=True)
    }

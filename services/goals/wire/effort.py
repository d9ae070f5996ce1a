"""Effort."""

from collections.abc import Mapping, Sequence
from datetime import date

from foothold.goals.v1 import effort_pb2

from services.goals.domain.effort import Effort, Usual, Week
from services.goals.domain.periods import PeriodKind, period_of
from services.goals.domain.values import Unit, exactly
from services.goals.wire.values import from_date, from_period, from_value


def from_effort(effort: Effort) -> effort_pb2.Effort:
    """What was put in."""
    return effort_pb2.Effort(**effort._asdict())


def from_weeks(weeks: Sequence[Week], zone: str) -> list[effort_pb2.EffortWeek]:
    """What was put in by week."""
    return [
        effort_pb2.EffortWeek(
            week=from_period(period_of(PeriodKind.WEEK, each.first, zone)), effort=from_effort(each.effort)
        )
        for each in weeks
    ]


def from_days(days: Mapping[date, Effort]) -> list[effort_pb2.EffortDay]:
    """What was put in by day."""
    return [
        effort_pb2.EffortDay(day=from_date(day), effort=from_effort(effort)) for day, effort in days.items()
    ]


def from_usual(usual: Usual) -> effort_pb2.UsualEffort:
    """What is usual."""
    units = (Unit.MINUTES, *(Unit.COUNT for _ in Effort._fields[1:]))
    values = {
        name: from_value(exactly(unit, number), "")
        for name, unit, number in zip(Effort._fields, units, usual.each, strict=True)
    }
    return effort_pb2.UsualEffort(weeks=usual.weeks, **values)

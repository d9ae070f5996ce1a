"""How a person's targets are likely to end."""

from datetime import datetime
from fractions import Fraction

from sqlalchemy import Connection

from access import Directory, Person
from services.goals.domain.forecasting import Course, Outlook, Silence, forecast
from services.goals.domain.histories import (
    RateParts,
    SizeParts,
    adds_up_over_any_days,
    counted_in,
    parts_of,
    sized_in,
)
from services.goals.domain.metrics import Direction, Metric
from services.goals.domain.periods import CALENDAR_KINDS, PeriodKind, local_day
from services.goals.domain.progress import TargetStanding
from services.goals.domain.rate_forecasting import Count, forecast_rate
from services.goals.domain.size_forecasting import Sum, forecast_mean, forecast_sum
from services.goals.store.histories import Ledger
from services.goals.store.progress import read_progress
from services.goals.store.targets import TargetsCache
from services.goals.store.workplaces import WorkplacesCache


def read_forecasts(
    connection: Connection,
    cache: TargetsCache,
    workplaces: WorkplacesCache,
    directory: Directory,
    person: Person,
    *,
    now: datetime,
    as_of: datetime | None,
) -> list[Outlook]:
    """How each target in force of a person is likely to end. The directory is that of now."""
    progress = read_progress(
        connection, cache, workplaces, directory, person, now=now, as_of=as_of, known_at=None
    )
    today = local_day(as_of or now, directory.zone_of(person.id))
    readings: dict[PeriodKind, Ledger] = {}
    found = []
    for standing in progress.targets:
        metric = cache.library.metrics(standing.period.measured_on)[standing.resolved.target.measure.metric]
        at_most = metric.direction is Direction.AT_MOST
        said = _said_without(standing, metric)
        if said is not None:
            found.append(Outlook(standing, said, None, at_most))
            continue
        kind = standing.period.kind
        if kind not in readings:
            work = workplaces.fresh(connection)
            readings[kind] = Ledger(connection, work, directory, standing.period, today)
        found.append(_look(readings[kind], person, standing, metric)._replace(at_most=at_most))
    return found


def _said_without(standing: TargetStanding, metric: Metric) -> Silence | None:
    """What can be said without any history. A rate or mean that is reached may fall again: it goes on being told of."""
    sizes = sized_in(metric)
    adds_up = bool(counted_in(metric)) or (sizes is not None and not sizes.mean)
    wavers = parts_of(metric) is not None or (sizes is not None and sizes.mean)
    if not adds_up and not wavers:
        return Silence.NO_MODEL
    if standing.period.kind not in CALENDAR_KINDS and not adds_up_over_any_days(metric):
        # Customers are told apart within a month, a quarter: their numbers do not add up over other windows.
        return Silence.NO_MODEL
    if standing.course is None:
        return Silence.CALENDAR_UNKNOWN
    done = standing.standing.done.fraction
    if adds_up and done is not None:
        if metric.direction is Direction.AT_MOST:
            if done > standing.asked.amount:
                return Silence.LIMIT_PASSED
        elif done >= standing.asked.amount:
            return Silence.TARGET_REACHED
    return None if standing.course.left else Silence.NO_WORKDAY_LEFT


def _look(ledger: Ledger, person: Person, standing: TargetStanding, metric: Metric) -> Outlook:
    parts, sizes = parts_of(metric), sized_in(metric)
    at_most = metric.direction is Direction.AT_MOST
    if sizes is not None:
        return _look_at_sizes(ledger, person, standing, sizes, at_most=at_most)
    if parts is not None:
        return _look_at_rate(ledger, person, standing, parts, at_most=at_most)
    basis, counts = ledger.basis(person, counted_in(metric))
    if basis is None:
        return Outlook(standing, Silence.CALENDAR_UNKNOWN, None)
    before = sum(count for day, count in counts.items() if day >= standing.period.first)
    assert standing.course is not None  # noqa: S101  otherwise it was said so before
    course = Course(
        standing.asked.amount,
        before,
        max(0, int(standing.standing.done.fraction or Fraction(0)) - before),
        standing.course.left,
        at_most,
    )
    return Outlook(standing, forecast(course, basis.own, basis.colleagues), basis)


def _look_at_rate(
    ledger: Ledger,
    person: Person,
    standing: TargetStanding,
    parts: RateParts,
    *,
    at_most: bool,
) -> Outlook:
    found = [ledger.basis(person, counted) for counted in (parts.above, parts.beside)]
    (above, _), (below, _) = found
    if above is None or below is None:
        return Outlook(standing, Silence.CALENDAR_UNKNOWN, None)
    assert standing.course is not None  # noqa: S101  otherwise it was said so before
    done = standing.standing.done
    reached = (done.numerator, done.denominator - (done.numerator if parts.within else 0))
    counts = []
    for basis, counted, until_now in zip((above, below), (each for _, each in found), reached, strict=True):
        before = sum(count for day, count in counted.items() if day >= standing.period.first)
        counts.append(Count(before, max(0, until_now - before), basis.own, basis.colleagues))
    made = forecast_rate(
        standing.asked.amount, standing.course.left, *counts, within=parts.within, at_most=at_most
    )
    return Outlook(standing, made, below._replace(tops=(above.own, *above.colleagues), within=parts.within))


def _look_at_sizes(
    ledger: Ledger, person: Person, standing: TargetStanding, parts: SizeParts, *, at_most: bool
) -> Outlook:
    basis, counts = ledger.basis(person, parts.counted)
    if basis is None:
        return Outlook(standing, Silence.CALENDAR_UNKNOWN, None)
    assert standing.course is not None  # noqa: S101  otherwise it was said so before
    own, others = ledger.sizes(person, basis.node_id, parts)
    basis = basis._replace(own_sizes=own, sizes=others)
    done = standing.standing.done
    before = sum(count for day, count in counts.items() if day >= standing.period.first)
    today = done.denominator - before if parts.mean else ledger.events_today(person, parts.counted)
    reckoned = Sum(before, max(0, today), done.numerator, basis.own, basis.colleagues, own, others)
    made = (forecast_mean if parts.mean else forecast_sum)(
        standing.asked.amount, standing.course.left, reckoned, at_most=at_most
    )
    return Outlook(standing, made, basis)

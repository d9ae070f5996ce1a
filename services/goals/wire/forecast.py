"""Forecasts."""

from collections.abc import Sequence

from foothold.goals.v1 import forecast_pb2, values_pb2

from services.goals.domain.forecasting import (
    FEWEST_COLLEAGUES,
    FEWEST_OWN_WORKDAYS,
    Basis,
    Forecast,
    Model,
    Outlook,
    Silence,
)
from services.goals.domain.histories import History, Sizes
from services.goals.domain.size_forecasting import FEWEST_EVENTS
from services.goals.domain.values import Unit, Value, exactly
from services.goals.wire.values import from_date, from_period, from_value


def from_outlook(outlook: Outlook, currency: str) -> forecast_pb2.TargetForecast:
    """How one target is likely to end, or why nothing is said."""
    standing, found, basis, at_most = outlook
    told = forecast_pb2.TargetForecast(
        metric=standing.resolved.target.measure.metric,
        period=from_period(standing.period),
        asked=from_value(standing.asked_value, currency),
        done=from_value(standing.standing.done, currency),
        at_most=at_most,
    )
    if isinstance(found, Silence):
        told.silent.CopyFrom(_from_silence(found, basis))
    elif basis is not None and standing.course is not None:
        unit = standing.standing.done.unit
        told.forecast.CopyFrom(_from_forecast(found, basis, standing.course.left, unit, currency))
    return told


def _from_forecast(
    found: Forecast, basis: Basis, left: int, unit: Unit, currency: str
) -> forecast_pb2.Forecast:
    workdays = sum(each.days for each in basis.colleagues)
    model = Model.SIZES if basis.own_sizes else Model.TWO_COUNTS if basis.tops else Model.GAMMA_POISSON
    told = forecast_pb2.Forecast(
        model=int(model),  # type: ignore[arg-type]  # the enums have the same numbers
        low=from_value(exactly(unit, found.low), currency),
        high=from_value(exactly(unit, found.high), currency),
        chance_low_percent=found.chance_low,
        chance_high_percent=found.chance_high,
        workdays_left=left,
        basis=forecast_pb2.ForecastBasis(
            first_day=from_date(basis.first),
            own_workdays=basis.own.days,
            own_per_workday=_count(basis.own.total, basis.own.days),
            node_id=basis.node_id,
            colleagues=len(basis.colleagues),
            colleague_workdays=workdays,
            colleagues_per_workday=_count(sum(each.total for each in basis.colleagues), workdays),
            dispersion_hundredths=int(found.dispersion * 100),
        ),
    )
    if basis.tops:
        own, *others = basis.tops
        told.basis.own_rate.CopyFrom(_rate([own], [basis.own], within=basis.within))
        told.basis.colleagues_rate.CopyFrom(_rate(others, basis.colleagues, within=basis.within))
    if basis.own_sizes:
        told.basis.own_size.CopyFrom(_size([basis.own_sizes], unit, currency))
        told.basis.colleagues_size.CopyFrom(_size(basis.sizes, unit, currency))
    return told


def _size(sizes: Sequence[Sizes], unit: Unit, currency: str) -> values_pb2.Value:
    total, events = sum(each.total for each in sizes), sum(each.events for each in sizes)
    return from_value(Value(unit, total, events), currency)


def _rate(tops: Sequence[History], rest: Sequence[History], *, within: bool) -> values_pb2.Value:
    above, beside = (sum(each.total for each in some) for some in (tops, rest))
    return from_value(Value(Unit.RATE, above, beside + above if within else beside), "")


def _from_silence(reason: Silence, basis: Basis | None) -> forecast_pb2.NoForecast:
    told = forecast_pb2.NoForecast(
        reason=int(reason),  # type: ignore[arg-type]  # the enums have the same numbers
        own_workdays_needed=FEWEST_OWN_WORKDAYS,
        colleagues_needed=FEWEST_COLLEAGUES,
        events_needed=FEWEST_EVENTS,
    )
    if basis is not None:
        told.own_workdays, told.colleagues = basis.own.days, len(basis.colleagues)
        sizes = [*basis.sizes, *([basis.own_sizes] if basis.own_sizes else [])]
        told.events = sum(each.events for each in sizes)
    return told


def _count(number: int, over: int = 1) -> values_pb2.Value:
    return from_value(Value(Unit.COUNT, number, over), "")

"""How a target is likely to end, in plain lines: an interval with its chance, what both rest on, or what is missing."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from typing import Final

from foothold.goals.v1 import forecast_pb2, values_pb2

from services.gateway import formats
from services.gateway.figures import exact, to_date, written
from services.gateway.language import _, language, later, ngettext

_MODELS: Final = {
    forecast_pb2.FORECAST_MODEL_GAMMA_POISSON: later(
        "Model: Gamma–Poisson. Own workdays are too few to go by alone, so colleagues' numbers say what is"
        " usual and one's own move it; newer weeks count more."
    ),
    forecast_pb2.FORECAST_MODEL_TWO_COUNTS: later(
        "Model: what stands above and below the line are two counts, each reckoned by Gamma–Poisson from one's own"
        " workdays and colleagues', and taken as independent; so the range errs on the wide side."
    ),
    forecast_pb2.FORECAST_MODEL_SIZES: later(
        "Model: how many there will be is reckoned by Gamma–Poisson; each has a size that scatters as sizes did so far,"
        " about a mean that is colleagues', moved by one's own."
    ),
}
_MOST: Final = 98
_LEAST: Final = 2
_SUREST: Final = 99
_AS_CHANCE: Final = 110
"""In hundredths: scatter that nobody would tell from chance."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """A forecast in words: its line, what it rests on and how it is reckoned; or what it is missing.

    `unmodelled` where it will never have one: a page says that once for all its targets.
    """

    line: str = ""
    basis: str = ""
    lines: tuple[str, ...] = ()
    missing: str = ""
    unmodelled: bool = False


def outlook(told: forecast_pb2.TargetForecast, place: str, *, own: bool) -> Outlook:
    """In words; `place` names the colleagues' node, `own` says that the reader is the person."""
    if not told.HasField("forecast"):
        unmodelled = told.silent.reason == forecast_pb2.FORECAST_SILENCE_NO_MODEL
        return Outlook(missing=_silence(told.silent), unmodelled=unmodelled)
    return Outlook(_line(told), _basis(told.forecast.basis, own=own), _lines(told.forecast, place, own=own))


def _line(told: forecast_pb2.TargetForecast) -> str:
    found, end = told.forecast, to_date(told.period.end_day)
    low, high = written(found.low), written(found.high)
    return _(
        "By %(day)s likely %(range)s (8 times in 10); %(chance)s.",
        day=formats.day(end - timedelta(days=1), language(), weekday=False) if end else "",
        range=low if low == high else f"{low}–{high}",
        chance=_chance(found, written(told.asked), at_most=told.at_most),
    )


def _chance(found: forecast_pb2.Forecast, asked: str, *, at_most: bool) -> str:
    low, high = found.chance_low_percent, found.chance_high_percent
    said = {"asked": asked, "low": _percent(min(low, _SUREST)), "high": _percent(high)}
    if high <= _LEAST:
        if at_most:
            return _("the chance to stay within %(asked)s is at most %(high)s", **said)
        return _("the chance to reach %(asked)s is at most %(high)s", **said)
    if low >= _MOST:
        if at_most:
            return _("the chance to stay within %(asked)s is at least %(low)s", **said)
        return _("the chance to reach %(asked)s is at least %(low)s", **said)
    if at_most:
        return _("the chance to stay within %(asked)s is between %(low)s and %(high)s", **said)
    return _("the chance to reach %(asked)s is between %(low)s and %(high)s", **said)


def _percent(number: int) -> str:
    return formats.percent(Fraction(number, 100), 0)


def _basis(found: forecast_pb2.ForecastBasis, *, own: bool) -> str:
    days = ngettext("%(num)s workday", "%(num)s workdays", found.own_workdays)
    more = {"days": days, "others": f"{found.colleague_workdays:,}", "people": str(found.colleagues)}
    if own:
        return _("From %(days)s of yours and %(others)s of %(people)s colleagues.", **more)
    return _("From %(days)s of this person and %(others)s of %(people)s colleagues.", **more)


def _silence(silent: forecast_pb2.NoForecast) -> str:
    """Empty where the card or the page says so already."""
    if silent.reason == forecast_pb2.FORECAST_SILENCE_TOO_FEW_OWN_WORKDAYS:
        return _(
            "No forecast yet: it takes %(needed)s workdays with records, so far there are %(there)s.",
            needed=str(silent.own_workdays_needed),
            there=str(silent.own_workdays),
        )
    if silent.reason == forecast_pb2.FORECAST_SILENCE_TOO_FEW_COLLEAGUES:
        return _(
            "No forecast yet: it takes %(needed)s colleagues with 20 workdays or more, so far there are %(there)s.",
            needed=str(silent.colleagues_needed),
            there=str(silent.colleagues),
        )
    if silent.reason == forecast_pb2.FORECAST_SILENCE_TOO_FEW_EVENTS:
        return _(
            "No forecast yet: it takes %(needed)s records with an amount, so far there are %(there)s,"
            " colleagues' included.",
            needed=str(silent.events_needed),
            there=str(silent.events),
        )
    if silent.reason == forecast_pb2.FORECAST_SILENCE_NO_WORKDAY_LEFT:
        return _("No forecast: no workday is left in this period.")
    return ""


def _lines(found: forecast_pb2.Forecast, place: str, *, own: bool) -> tuple[str, ...]:
    """The model and why, what it was told, what it does not know."""
    rests_on = found.basis
    since = to_date(rests_on.first_day)
    place_and_day = {
        "day": formats.day(since, language(), weekday=False) if since else "",
        "place": place,
    }
    left = ngettext("%(num)s workday", "%(num)s workdays", found.workdays_left)
    return (
        str(_MODELS[found.model]),
        *_compared(found, place_and_day, own=own),
        _scatter(rests_on.dispersion_hundredths),
        _("%(days)s left, today included; leave that is known is off.", days=left),
        _("The chance is a range because the pace itself is known only roughly."),
        _("It does not know: leave to come, campaigns, customers' holidays, good and bad days of a month."),
        _("It is a look ahead, no judgement: no ranking and no list goes by it."),
    )


def _compared(found: forecast_pb2.Forecast, means: dict[str, str], *, own: bool) -> Iterator[str]:
    """The person's beside the colleagues': rates; or how many a workday, and of what size."""
    rests_on = found.basis
    if found.model == forecast_pb2.FORECAST_MODEL_TWO_COUNTS:
        rates = {"own": written(rests_on.own_rate), "others": written(rests_on.colleagues_rate), **means}
        if own:
            yield _("Since %(day)s: you %(own)s, colleagues of %(place)s %(others)s.", **rates)
        else:
            yield _("Since %(day)s: this person %(own)s, colleagues of %(place)s %(others)s.", **rates)
        return
    counts = {
        "own": _each(rests_on.own_per_workday),
        "others": _each(rests_on.colleagues_per_workday),
        **means,
    }
    if own:
        yield _("Since %(day)s, a workday: you %(own)s, colleagues of %(place)s %(others)s.", **counts)
    else:
        yield _(
            "Since %(day)s, a workday: this person %(own)s, colleagues of %(place)s %(others)s.", **counts
        )
    if found.model == forecast_pb2.FORECAST_MODEL_SIZES:
        sizes = {"own": written(rests_on.own_size), "others": written(rests_on.colleagues_size)}
        if own:
            yield _("One is %(own)s on average with you, %(others)s with colleagues.", **sizes)
        else:
            yield _("One is %(own)s on average with this person, %(others)s with colleagues.", **sizes)


def _scatter(hundredths: int) -> str:
    if hundredths <= _AS_CHANCE:
        return _("From week to week it goes up and down no more than by chance.")
    times = formats.rounded(Fraction(hundredths, 100), 1)
    return _(
        "From week to week it goes up and down %(times)s times as much as by chance, so the range is wider.",
        times=times,
    )


def _each(value: values_pb2.Value) -> str:
    number = exact(value)
    return "–" if number is None else formats.rounded(number, 1)

"""Standards typed into forms and said in words: values, bounds, what refuses one, and by how much one differs."""

import re
from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from typing import Final

from flask import Flask
from foothold.goals.v1 import metrics_pb2, standards_pb2, targets_pb2, values_pb2

from access.directory import Directory
from chassis.errors import Failure
from services.gateway import formats
from services.gateway.figures import exact, points, written
from services.gateway.formats import minor_digits
from services.gateway.language import _, language
from services.gateway.parts import today
from services.gateway.problems import message_of

_NUMBER: Final = re.compile(r"(\d{1,10})(?:\.(\d{1,4}))?")
PERIODS: Final = {
    "day": values_pb2.PERIOD_KIND_DAY,
    "week": values_pb2.PERIOD_KIND_WEEK,
    "month": values_pb2.PERIOD_KIND_MONTH,
    "quarter": values_pb2.PERIOD_KIND_QUARTER,
    "probation": values_pb2.PERIOD_KIND_PROBATION,
    "rolling": values_pb2.PERIOD_KIND_ROLLING,
}
LATITUDES: Final = {
    "free": targets_pb2.LATITUDE_FREE,
    "bounded": targets_pb2.LATITUDE_BOUNDED,
    "locked": targets_pb2.LATITUDE_LOCKED,
}


def kind_of(period: str, definition: metrics_pb2.MetricDefinition | None) -> values_pb2.PeriodKind.ValueType:
    """The kind of period chosen; a metric with a window of its own is asked over that, whatever was chosen."""
    if definition is not None and definition.rolling_days:
        return values_pb2.PERIOD_KIND_ROLLING
    return PERIODS.get(period, values_pb2.PERIOD_KIND_MONTH)


def number(text: str) -> Fraction | None:
    """A plain decimal number, exact; None for anything else."""
    found = _NUMBER.fullmatch(text.strip().replace(",", ""))
    if found is None:
        return None
    places = found[2] or ""
    return Fraction(int(found[1] + places), 10 ** len(places))


def value_of(text: str, unit: values_pb2.Unit.ValueType, currency: str) -> values_pb2.Value | None:
    """What was typed, in the metric's unit: rates in percent, money in the currency's main unit."""
    typed = number(text)
    if typed is None:
        return None
    if unit == values_pb2.UNIT_RATE:
        typed /= 100
    elif unit == values_pb2.UNIT_MONEY:
        typed *= 10 ** minor_digits(currency)
    return values_pb2.Value(
        unit=unit,
        numerator=typed.numerator,
        denominator=typed.denominator,
        currency=currency if unit == values_pb2.UNIT_MONEY else "",
    )


def as_typed(value: values_pb2.Value, currency: str) -> str:
    """A value as one would type it; rounded half up to hundredths where it has more decimals."""
    if not value.denominator:
        return ""
    number = Fraction(value.numerator, value.denominator)
    if value.unit == values_pb2.UNIT_RATE:
        number *= 100
    elif value.unit == values_pb2.UNIT_MONEY:
        number /= 10 ** minor_digits(currency)
    return formats.rounded(number, 0 if number.denominator == 1 else 2).replace(",", "")


def rule_of(
    form: Mapping[str, str], unit: values_pb2.Unit.ValueType, currency: str
) -> tuple[targets_pb2.OverrideRule, dict[str, str]]:
    """What nodes below may do, as typed, and what is wrong with it by field. Bounds count only where chosen."""
    rule = targets_pb2.OverrideRule(
        latitude=LATITUDES.get(form.get("latitude", ""), targets_pb2.LATITUDE_FREE),
        approval_required=form.get("approval") == "yes",
    )
    wrong: dict[str, str] = {}
    if rule.latitude == targets_pb2.LATITUDE_BOUNDED:
        for name, bound in (("minimum", rule.minimum), ("maximum", rule.maximum)):
            text = form.get(name, "").strip()
            typed = value_of(text, unit, currency) if text else None
            if typed is not None:
                bound.CopyFrom(typed)
            elif text:
                wrong[name] = _("A number, please; rates in percent.")
    return rule, wrong


def span_words(minimum: str, maximum: str) -> str:
    """What may be set, from the written bounds; empty ones are none."""
    if minimum and maximum:
        return _("%(low)s to %(high)s", low=minimum, high=maximum)
    if minimum:
        return _("at least %(low)s", low=minimum)
    return _("at most %(high)s", high=maximum)


def bounds_words(rule: targets_pb2.OverrideRule | standards_pb2.Allowance) -> str:
    """The bounds of a rule, or of what a node may set."""
    return span_words(
        written(rule.minimum) if rule.HasField("minimum") else "",
        written(rule.maximum) if rule.HasField("maximum") else "",
    )


def rule_words(rule: targets_pb2.OverrideRule) -> str:
    """How far a standard binds the nodes below; empty where it does not."""
    parts = []
    if rule.latitude == targets_pb2.LATITUDE_LOCKED:
        parts.append(_("locked below"))
    elif rule.latitude == targets_pb2.LATITUDE_BOUNDED:
        parts.append(_("%(bounds)s below", bounds=bounds_words(rule)))
    if rule.approval_required:
        parts.append(_("overrides need approval"))
    return _(", ").join(parts)


def difference_words(value: values_pb2.Value) -> str:
    """By how much one differs, with its sign: +10, −3.0 points."""
    found = exact(value) or Fraction(0)
    amount = values_pb2.Value()
    amount.CopyFrom(value)
    amount.numerator = abs(value.numerator)
    text = points(amount) if value.unit == values_pb2.UNIT_RATE else written(amount)
    return f"{'−' if found < 0 else '+'}{text}"


def conflict_words(failure: Failure, target: targets_pb2.Target, directory: Directory) -> str:
    """Why a standard was refused, with what it conflicts with by name; other refusals as everywhere."""
    told = failure.metadata
    if "target_id" not in told:
        return message_of(failure)
    node = directory.node(told["node_id"])
    values = {
        "place": node.name if node else told["node_id"],
        "since": _day(told["effective_from"]),
        "value": _written(told["value"], target),
    }
    if failure.reason == "OVERRIDE_LOCKED":
        return _(
            "%(place)s has locked this at %(value)s since %(since)s. It cannot be changed below.", **values
        )
    if failure.reason == "OVERRIDE_OUT_OF_BOUNDS":
        bounds = span_words(
            *(_written(told[name], target) if name in told else "" for name in ("minimum", "maximum"))
        )
        return _("%(place)s allows %(bounds)s since %(since)s.", bounds=bounds, **values)
    if told.get("state") == "pending":
        return _(
            "At %(place)s %(value)s from %(since)s on waits for approval. Have that decided first.", **values
        )
    if "effective_to" in told:
        values["until"] = _day(told["effective_to"])
        return _(
            "At %(place)s %(value)s is set from %(since)s until %(until)s. End it first or choose other days.",
            **values,
        )
    return _("At %(place)s %(value)s is set since %(since)s. Leave the end open to follow it.", **values)


def _day(text: str) -> str:
    return formats.day(date.fromisoformat(text), language(), weekday=False, today=today())


def _written(amount: str, target: targets_pb2.Target) -> str:
    above, _slash, below = amount.partition("/")
    value = target.value
    return written(
        values_pb2.Value(
            unit=value.unit, numerator=int(above), denominator=int(below), currency=value.currency
        )
    )


def install(app: Flask) -> None:
    """Make a standard's rule known to templates as a filter: wherever a target is shown, so is what it leaves open."""
    app.jinja_env.filters["rule_words"] = lambda target: rule_words(target.rule)

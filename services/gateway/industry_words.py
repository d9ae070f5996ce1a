"""Industries in words: what a KPI counts, what its sample asks for, and what became of adopting it."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Final

from foothold.goals.v1 import industries_pb2, metric_library_pb2, metrics_pb2, targets_pb2, values_pb2

from access.directory import Directory
from chassis.errors import FailedPrecondition
from services.gateway import formats, standards_forms, words
from services.gateway.figures import written
from services.gateway.language import TAGS, _, language, later

_HOW: Final = metrics_pb2.MetricDefinition
_STANDING: Final = industries_pb2.IndustryMetric
_RESULT: Final = industries_pb2.AdoptionResult
_MOST_PLACES: Final = 4
_COUNTED: Final[Mapping[int, str]] = {
    _HOW.AGGREGATION_COUNT: later("How many: %(what)s"),
    _HOW.AGGREGATION_DISTINCT_CUSTOMERS: later("Different customers with: %(what)s"),
    _HOW.AGGREGATION_NEW_CUSTOMERS: later("New customers with: %(what)s"),
    _HOW.AGGREGATION_REPEAT_CUSTOMERS: later("Customers who came again with: %(what)s"),
    _HOW.AGGREGATION_SUM_AMOUNT: later("Sum of the amounts of: %(what)s"),
    _HOW.AGGREGATION_SUM_MINUTES: later("Minutes of: %(what)s"),
    _HOW.AGGREGATION_MEAN_AMOUNT: later("Mean amount of: %(what)s"),
    _HOW.AGGREGATION_MEAN_MINUTES: later("Mean minutes of: %(what)s"),
}
_STANDINGS: Final[Mapping[int, tuple[str, str]]] = {
    _STANDING.STANDING_BUILT_IN: ("met", later("Built in")),
    _STANDING.STANDING_MISSING: ("pace", later("Defined when adopted")),
    _STANDING.STANDING_DEFINED: ("met", later("Defined")),
    _STANDING.STANDING_CONFLICT: ("behind", later("Name taken by another metric")),
}
"""What there is of a metric -> the name of its shape, its word."""


def told(by_language: Mapping[str, str]) -> str:
    """The text in the reader's language; in Chinese where there is none."""
    text = by_language.get(TAGS[language()]) or by_language.get("zh-CN", "")
    return formats.spaced(text) if language() == "zh" else text


def title(definition: metrics_pb2.MetricDefinition) -> str:
    """What a metric is called."""
    return told(definition.titles) or words.metric(definition.name)


def rule(
    definition: metrics_pb2.MetricDefinition, metrics: Mapping[str, industries_pb2.IndustryMetric]
) -> str:
    """What a metric counts, in one line."""
    if definition.name in words.METRICS:
        return words.rule(definition.name)
    if definition.numerator:
        return _(
            "%(above)s over %(below)s",
            above=_named(definition.numerator, metrics),
            below=_(" and ").join(_named(name, metrics) for name in definition.denominators),
        )
    kinds = _(", ").join(str(words.FACTS.get(kind, "")) for kind in definition.fact_kinds)
    counted = str(_COUNTED.get(definition.aggregation, "")) % {"what": kinds}
    return _("; ").join([counted, *_conditions(definition.conditions)])


def parts(
    definition: metrics_pb2.MetricDefinition, metrics: Mapping[str, industries_pb2.IndustryMetric]
) -> list[str]:
    """For ratios: what those they are made of count, the industry's own ones."""
    named = (metrics.get(name) for name in (definition.numerator, *definition.denominators))
    return [
        _("%(name)s: %(rule)s", name=title(each.definition), rule=rule(each.definition, metrics))
        for each in named
        if each is not None and each.standing != _STANDING.STANDING_BUILT_IN
    ]


def _named(name: str, metrics: Mapping[str, industries_pb2.IndustryMetric]) -> str:
    found = metrics.get(name)
    return title(found.definition) if found else words.metric(name)


def _conditions(conditions: metrics_pb2.MetricDefinition.Conditions) -> Iterable[str]:
    if conditions.channels:
        yield _("channel: %(what)s", what=_(", ").join(words.channel(each) for each in conditions.channels))
    if conditions.products:
        yield _("product: %(what)s", what=_(", ").join(conditions.products))
    for each in conditions.attributes:
        yield _("%(name)s is %(what)s", name=each.name, what=_(" or ").join(each.values))
    if conditions.customers == _HOW.NOVELTY_NEW:
        yield _("new customers only")
    if conditions.customers == _HOW.NOVELTY_KNOWN:
        yield _("known customers only")


def standing(metric: industries_pb2.IndustryMetric) -> tuple[str, str]:
    """What there is of a metric: the name of a shape, and a word. With how far it is where it is being computed."""
    version = metric.existing
    if version.state == version.STATE_COMPUTING:
        return "edge", _(
            "Being computed: %(percent)s %% done",
            percent=100 * version.people_done // (version.people_total or 1),
        )
    shape, word = _STANDINGS.get(metric.standing, ("none", ""))
    return shape, str(word)


def sample(kpi: industries_pb2.IndustryKpi) -> str:
    """What the sample asks for, in the months of probation too, and where it is from."""
    asked = _("%(value)s %(per)s", value=written(kpi.value), per=words.per(kpi.period_kind))
    if kpi.months:
        months = _(", ").join(
            _("%(value)s in month %(number)s", number=number, value=written(each))
            if each.numerator
            else _("nothing yet in month %(number)s", number=number)
            for number, each in enumerate(kpi.months, start=1)
        )
        asked = _("%(asked)s (on probation: %(months)s)", asked=asked, months=months)
    if not kpi.source:
        return _("Sample: %(asked)s", asked=asked)
    return _("%(asked)s. Source: %(source)s, %(year)s", asked=asked, source=kpi.source, year=kpi.year)


def evidence(
    definition: metrics_pb2.MetricDefinition, found: metric_library_pb2.PreviewMetricResponse, *, days: int
) -> str:
    """How many of the facts of the last days would count for a metric."""
    values = {"name": title(definition), "days": days, "met": found.facts, "all": found.facts_of_kind}
    if not found.facts and definition.HasField("conditions"):
        return _(
            "%(name)s: none of the %(all)s facts of these kinds in the last %(days)s days would count. "
            "See that your CRM tells what the metric asks for.",
            **values,
        )
    return _(
        "%(name)s: %(met)s of the %(all)s facts of these kinds in the last %(days)s days would count.",
        **values,
    )


def typed(value: values_pb2.Value, currency: str) -> str:
    """A value as it is typed into a form: rates in percent, money in the main unit. Empty where it does not end."""
    number = Fraction(value.numerator, value.denominator or 1)
    if value.unit == values_pb2.UNIT_RATE:
        number *= 100
    elif value.unit == values_pb2.UNIT_MONEY:
        if value.currency != currency:
            return ""
        number /= 10 ** formats.minor_digits(currency)
    for places in range(_MOST_PLACES + 1):
        scaled = number * 10**places
        if scaled.denominator == 1:
            digits = f"{scaled.numerator:0{places + 1}d}"
            return f"{digits[:-places]}.{digits[-places:]}" if places else digits
    return ""


def outcome(
    result: industries_pb2.AdoptionResult, unit: int, currency: str, directory: Directory, *, done: bool
) -> tuple[str, str]:
    """What became of a KPI, or would: the name of a shape, and a sentence."""
    if result.outcome == _RESULT.OUTCOME_REFUSED:
        failure = FailedPrecondition(result.reason, result.message, metadata=dict(result.metadata))
        shown = targets_pb2.Target()
        shown.value.unit = unit  # type: ignore[assignment]  # one of the contract's
        shown.value.currency = currency if unit == values_pb2.UNIT_MONEY else ""
        return "behind", standards_forms.conflict_words(failure, shown, directory)
    if result.outcome == _RESULT.OUTCOME_UNCHANGED:
        return "none", _("This is asked for there already.")
    value = written(result.target.value)
    if result.outcome == _RESULT.OUTCOME_PROPOSED:
        text = _("Waits for approval: %(value)s", value=value)
        return "edge", text if done else _("Would wait for approval: %(value)s", value=value)
    text = _("Set: %(value)s", value=value) if done else _("Would be set: %(value)s", value=value)
    if result.HasField("before"):
        text += _("; until now %(value)s", value=written(result.before.value))
    return "met", text

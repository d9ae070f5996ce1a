"""What a metric's definition says, read back in the reader's language."""

from collections.abc import Iterable, Mapping
from typing import Final

from foothold.goals.v1 import metric_library_pb2, metrics_pb2, values_pb2

from services.gateway import formats, words
from services.gateway.language import _, later

_DEFINITION: Final = metrics_pb2.MetricDefinition
_STATE: Final = metric_library_pb2.MetricVersion
COUNTED: Final[Mapping[int, str]] = {
    _DEFINITION.AGGREGATION_COUNT: later("How many there are"),
    _DEFINITION.AGGREGATION_DISTINCT_CUSTOMERS: later("Different customers"),
    _DEFINITION.AGGREGATION_NEW_CUSTOMERS: later("Customers followed up for the first time"),
    _DEFINITION.AGGREGATION_REPEAT_CUSTOMERS: later("Customers who came again"),
    _DEFINITION.AGGREGATION_SUM_AMOUNT: later("Amounts added up"),
    _DEFINITION.AGGREGATION_MEAN_AMOUNT: later("Mean amount"),
    _DEFINITION.AGGREGATION_SUM_MINUTES: later("Time added up"),
    _DEFINITION.AGGREGATION_MEAN_MINUTES: later("Mean time"),
    _DEFINITION.AGGREGATION_RATIO: later("One metric over others"),
}
UNITS: Final[Mapping[int, str]] = {
    values_pb2.UNIT_COUNT: later("Number"),
    values_pb2.UNIT_RATE: later("Percent"),
    values_pb2.UNIT_MONEY: later("Amount of money"),
    values_pb2.UNIT_MINUTES: later("Time"),
}
DIRECTIONS: Final[Mapping[int, str]] = {
    _DEFINITION.DIRECTION_AT_LEAST: later("More is better"),
    _DEFINITION.DIRECTION_AT_MOST: later("Less is better"),
}
NOVELTIES: Final[Mapping[int, str]] = {
    _DEFINITION.NOVELTY_UNSPECIFIED: later("All customers"),
    _DEFINITION.NOVELTY_NEW: later("New ones only"),
    _DEFINITION.NOVELTY_KNOWN: later("Known ones only"),
}
GROUPS: Final[Mapping[int, str]] = {
    metrics_pb2.GROUP_BY_PERSON: later("Person"),
    metrics_pb2.GROUP_BY_MONTH: later("Month"),
    metrics_pb2.GROUP_BY_DEPARTMENT: later("Department"),
    metrics_pb2.GROUP_BY_BRANCH: later("Branch"),
}
WINDOWS: Final = (
    ("period", later("The period asked for")),
    ("rolling", later("The last days up to today")),
)
"""Over which days it is measured: as the form sends it, its words."""
STATES: Final[Mapping[int, tuple[str, str]]] = {
    _STATE.STATE_COMPUTING: ("pace", later("Being computed")),
    _STATE.STATE_SERVING: ("met", later("In use")),
    _STATE.STATE_RETIRED: ("none", later("Out of use")),
}
"""A version's state -> the name of its shape, its word."""


def rule(told: metrics_pb2.MetricDefinition, currency: str) -> list[tuple[str, str]]:
    """Everything that decides what counts: what it is, and its words."""
    said = [(_("Counted"), str(COUNTED.get(told.aggregation, "")))]
    if told.numerator:
        said.append((_("Above the line"), words.metric(told.numerator)))
        said.append((_("Below the line"), " + ".join(words.metric(each) for each in told.denominators)))
    if told.fact_kinds:
        said.append(
            (_("Of these facts"), _joined(str(words.FACTS.get(kind, "")) for kind in told.fact_kinds))
        )
    asked = told.conditions
    if asked.channels:
        said.append((_("Channels"), _joined(words.channel(each) for each in asked.channels)))
    if asked.customers:
        said.append((_("Customers"), str(NOVELTIES.get(asked.customers, ""))))
    if asked.products:
        said.append((_("Products"), _joined(asked.products)))
    if amounts := _amounts(asked, currency):
        said.append((_("Amount"), amounts))
    said += [(each.name, _joined(each.values)) for each in asked.attributes]
    if told.rolling_days:
        said.append((_("Window"), words.last_days(told.rolling_days)))
    said.append((_("Unit"), str(UNITS.get(told.unit, ""))))
    said.append((_("Direction"), str(DIRECTIONS.get(told.direction, ""))))
    return said


def _joined(texts: Iterable[str]) -> str:
    return _(", ").join(texts)


def _amounts(asked: metrics_pb2.MetricDefinition.Conditions, currency: str) -> str:
    least, most = (
        formats.money(getattr(asked, field), currency) if asked.HasField(field) else ""
        for field in ("least_amount", "most_amount")
    )
    if least and most:
        return _("%(low)s to %(high)s", low=least, high=most)
    if least:
        return _("at least %(low)s", low=least)
    return _("at most %(high)s", high=most) if most else ""

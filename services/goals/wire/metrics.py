"""Metric definitions."""

from foothold.goals.v1 import metric_library_pb2, metrics_pb2

from services.goals.domain.conditions import Conditions, Novelty
from services.goals.domain.definitions import Definition, Version
from services.goals.domain.facts import FactKind
from services.goals.domain.metrics import METRICS, Aggregation, Direction, Metric
from services.goals.domain.values import Unit
from services.goals.wire.values import from_date, from_instant


def from_metric(metric: Metric) -> metrics_pb2.MetricDefinition:
    """A definition as the contract tells it."""
    return metrics_pb2.MetricDefinition(
        name=metric.name,
        unit=int(metric.unit),  # type: ignore[arg-type]  # the enums have the same numbers
        aggregation=int(metric.aggregation),  # type: ignore[arg-type]  # the enums have the same numbers
        fact_kinds=[int(kind) for kind in metric.kinds],  # type: ignore[misc]  # the enums have the same numbers
        numerator=metric.numerator,
        denominators=metric.denominators,
        direction=int(metric.direction),  # type: ignore[arg-type]  # the enums have the same numbers
        description=metric.description,
        conditions=_from_conditions(metric.conditions),
        titles=dict(metric.titles),
        rolling_days=metric.rolling_days,
    )


def from_definition(told: Definition) -> metrics_pb2.MetricDefinition:
    """A definition as its author gave it."""
    return metrics_pb2.MetricDefinition(
        name=told.name,
        unit=int(told.unit),  # type: ignore[arg-type]  # the enums have the same numbers
        aggregation=int(told.aggregation),  # type: ignore[arg-type]  # the enums have the same numbers
        fact_kinds=[int(kind) for kind in told.kinds],  # type: ignore[misc]  # the enums have the same numbers
        numerator=told.numerator,
        denominators=told.denominators,
        direction=int(told.direction),  # type: ignore[arg-type]  # the enums have the same numbers
        description=told.description,
        conditions=_from_conditions(told.conditions),
        titles=dict(told.titles),
        rolling_days=told.rolling_days,
    )


def to_definition(told: metrics_pb2.MetricDefinition) -> Definition | dict[str, str]:
    """A definition, or the fields whose values are not of their type; what they say together is the domain's."""
    wrong = {}
    for field, value, allowed in (
        ("unit", int(told.unit), Unit),
        ("aggregation", int(told.aggregation), Aggregation),
        ("direction", int(told.direction), Direction),
        ("conditions.customers", int(told.conditions.customers), Novelty),
    ):
        if value not in set(allowed):
            wrong[field] = "must be one of the documented values"
    if not all(int(kind) in set(FactKind) for kind in told.fact_kinds):
        wrong["fact_kinds"] = "must be documented kinds"
    if wrong:
        return wrong
    asked = told.conditions
    return Definition(
        told.name,
        Unit(int(told.unit)),
        Aggregation(int(told.aggregation)),
        told.description.strip(),
        tuple(FactKind(int(kind)) for kind in told.fact_kinds),
        told.numerator,
        tuple(told.denominators),
        Direction(int(told.direction)),
        Conditions(
            frozenset(asked.channels),
            frozenset(asked.products),
            asked.least_amount if asked.HasField("least_amount") else None,
            asked.most_amount if asked.HasField("most_amount") else None,
            tuple(
                (each.name, frozenset(each.values)) for each in sorted(asked.attributes, key=lambda a: a.name)
            ),
            Novelty(int(asked.customers)),
        ),
        tuple(sorted((language, title.strip()) for language, title in told.titles.items())),
        told.rolling_days,
    )


def from_version(version: Version) -> metric_library_pb2.MetricVersion:
    """A version of a metric."""
    return metric_library_pb2.MetricVersion(
        definition=from_definition(version.definition),
        version=version.version,
        effective_from=from_date(version.effective_from),
        author_id=version.author_id,
        recorded_at=from_instant(version.recorded_at),
        reason=version.reason,
        state=int(version.state),  # type: ignore[arg-type]  # the enums have the same numbers
        people_done=version.done,
        people_total=version.total,
    )


def built_in_versions() -> list[metric_library_pb2.MetricVersion]:
    """The built-in metrics, in the order people read them."""
    serving = metric_library_pb2.MetricVersion.STATE_SERVING
    return [
        metric_library_pb2.MetricVersion(definition=from_metric(each), state=serving)
        for each in METRICS.values()
    ]


def _from_conditions(conditions: Conditions) -> metrics_pb2.MetricDefinition.Conditions | None:
    if conditions == Conditions():
        return None
    return metrics_pb2.MetricDefinition.Conditions(
        channels=sorted(conditions.channels),
        products=sorted(conditions.products),
        least_amount=conditions.least_amount,
        most_amount=conditions.most_amount,
        attributes=[
            metrics_pb2.MetricDefinition.AttributeCondition(name=name, values=sorted(values))
            for name, values in conditions.attributes
        ],
        customers=int(conditions.customers),  # type: ignore[arg-type]  # the enums have the same numbers
    )

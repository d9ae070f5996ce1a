"""Metric definitions."""

from foothold.goals.v1 import metrics_pb2

from services.goals.domain.metrics import Metric


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
    )

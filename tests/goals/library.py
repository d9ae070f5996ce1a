"""Metrics of one's own, as an administrator defines them in tests."""

import time
from datetime import date
from typing import Any

from foothold.goals.v1 import facts_pb2, metric_library_pb2, metrics_pb2, values_pb2

from tests.goals.enterprise import Client, Enterprise, day, fresh

STATE = metric_library_pb2.MetricVersion
AGGREGATION = metrics_pb2.MetricDefinition.Aggregation
CONDITIONS = metrics_pb2.MetricDefinition.Conditions
NOVELTY = metrics_pb2.MetricDefinition.Novelty


def definition(
    name: str, aggregation: str, *kinds: str, unit: str = "COUNT", **fields: Any
) -> metrics_pb2.MetricDefinition:
    """A definition; kinds, aggregation and unit are named as in the contract without their prefixes."""
    return metrics_pb2.MetricDefinition(
        name=name,
        unit=values_pb2.Unit.Value(f"UNIT_{unit}"),
        aggregation=AGGREGATION.Value(f"AGGREGATION_{aggregation}"),
        fact_kinds=[facts_pb2.FactKind.Value(f"FACT_KIND_{kind}") for kind in kinds],
        direction=metrics_pb2.MetricDefinition.DIRECTION_AT_LEAST,
        titles={"zh-CN": f"指标 {name}", "en": f"Metric {name}"},
        description=fields.pop("description", "What a test counts."),
        **fields,
    )


def request(
    told: metrics_pb2.MetricDefinition, *, first: date = date(2025, 1, 1), replaces: int = 0, **fields: Any
) -> metric_library_pb2.DefineMetricRequest:
    return metric_library_pb2.DefineMetricRequest(
        request_id=fields.pop("request_id", fresh("r")),
        definition=told,
        effective_from=day(first),
        reason=fields.pop("reason", "we sell online now"),
        replaces_version=replaces,
        **fields,
    )


def define(goals: Enterprise, told: metrics_pb2.MetricDefinition, **fields: Any) -> None:
    """Define a metric and wait until its values serve."""
    hr = goals.as_("hr")
    hr.library.DefineMetric(request(told, **fields))
    wait_for(hr, told.name)


def newest(client: Client, name: str) -> metric_library_pb2.MetricVersion:
    asked = metric_library_pb2.ListMetricVersionsRequest(metric=name)
    return client.library.ListMetricVersions(asked).versions[0]


def wait_for(client: Client, name: str) -> metric_library_pb2.MetricVersion:
    until = time.monotonic() + 60
    while (found := newest(client, name)).state != STATE.STATE_SERVING:
        assert time.monotonic() < until, f"{name} is still being computed"
        time.sleep(0.02)
    return found

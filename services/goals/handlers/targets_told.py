"""Targets as callers tell them, checked."""

from typing import Final

from foothold.goals.v1 import targets_pb2, values_pb2

from access import Kind, Scope
from chassis.clock import Clock
from chassis.errors import InvalidArgument
from chassis.validation import Fields
from services.goals.domain.metrics import Metric
from services.goals.domain.periods import PeriodKind
from services.goals.domain.targets import (
    Latitude,
    Made,
    Measure,
    OverrideRule,
    Target,
    TargetChange,
    check_rule,
    check_value,
)
from services.goals.domain.values import Value
from services.goals.domain.windows import fits
from services.goals.handlers.metrics import find_metric
from services.goals.store.library import LibraryCache
from services.goals.store.measured import unfit
from services.goals.wire.targets import to_value

LONGEST_REASON: Final = 500
LONGEST_ROLE: Final = 40


def told_target(
    request: targets_pb2.SetTargetRequest,
    scope: Scope,
    library: LibraryCache,
    *,
    clock: Clock,
    new_id: str,
    currency: str,
) -> Target:
    """The target to be set. InvalidArgument FIELD_INVALID, METRIC_UNKNOWN or VALUE_INVALID, with the fields."""
    told = request.target
    fields = Fields()
    fields.request_id(request.request_id)
    within = fields.within("target")
    within.identifier("id", told.id, required=False)
    node_id = within.identifier("node_id", told.node_id)
    role = within.text("job_role", told.job_role, max_length=LONGEST_ROLE)
    kind = within.one_of("period_kind", int(told.period_kind), set(PeriodKind))
    first = within.date("effective_from", told.effective_from)
    end = within.date("effective_to", told.effective_to) if told.HasField("effective_to") else None
    if end is not None and end <= first:
        within.refuse("effective_to", "must be after effective_from")
    latitude = within.one_of("rule.latitude", int(told.rule.latitude), {0, *Latitude})
    node = scope.caller.directory.node(node_id)
    needs_reason = node is not None and node.kind is not Kind.ENTERPRISE
    reason = within.text("reason", told.reason, max_length=LONGEST_REASON, required=needs_reason)
    fields.require_valid()
    metric = find_metric(library.metrics(first, retired=False), told.metric)
    if not fits(PeriodKind(kind), metric.rolling_days):
        raise unfit("target.period_kind", metric.rolling_days)
    value = _value(metric, told.value, "target.value", currency)
    rule = OverrideRule(
        Latitude(latitude or Latitude.FREE),
        _bound(metric, told, "minimum", currency),
        _bound(metric, told, "maximum", currency),
        told.rule.approval_required,
    )
    wrong = check_rule(value, rule)
    if wrong is not None:
        raise InvalidArgument("VALUE_INVALID", wrong[1], fields={f"target.rule.{wrong[0]}": wrong[1]})
    return Target(
        told.id or new_id,
        node_id,
        role,
        Measure(metric.name, PeriodKind(kind)),
        value,
        first,
        end,
        reason,
        scope.caller.id,
        clock.now(),
        Made(TargetChange.SET, scope.caller.id, reason),
        rule,
    )


def _bound(metric: Metric, told: targets_pb2.Target, name: str, currency: str) -> Value | None:
    if not told.rule.HasField(name):  # type: ignore[arg-type]  # one of the two
        return None
    return _value(metric, getattr(told.rule, name), f"target.rule.{name}", currency)


def _value(metric: Metric, told: values_pb2.Value, field: str, currency: str) -> Value:
    value = to_value(told)
    wrong: str | None = "its unit must be one of the documented ones"
    if value is not None:
        wrong = check_value(metric, value, currency=told.currency, expected_currency=currency)
    if value is None or wrong:
        raise InvalidArgument("VALUE_INVALID", f"{metric.name}: {wrong}", fields={field: wrong or ""})
    return value

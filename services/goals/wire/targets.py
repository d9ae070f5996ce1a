"""Targets, as set and as they hold."""

from functools import lru_cache

from foothold.goals.v1 import standards_pb2, targets_pb2, values_pb2

from services.goals.domain.targets import (
    Allowance,
    Drift,
    KnownTarget,
    OverrideRule,
    ResolvedTarget,
    Target,
    TargetAtNode,
)
from services.goals.domain.values import Unit, Value
from services.goals.wire.values import from_date, from_instant, from_value


def to_value(value: values_pb2.Value) -> Value | None:
    """A value as told; None where its unit is none of ours."""
    try:
        unit = Unit(int(value.unit))
    except ValueError:
        return None
    return Value(unit, value.numerator, value.denominator)


def from_target(target: Target, currency: str) -> targets_pb2.Target:
    """A target as set at its node."""
    approval = target.approval
    return targets_pb2.Target(
        id=target.id,
        node_id=target.node_id,
        job_role=target.job_role,
        metric=target.measure.metric,
        period_kind=int(target.measure.period_kind),  # type: ignore[arg-type]  # the enums have the same numbers
        value=from_value(target.value, currency),
        effective_from=from_date(target.effective_from),
        effective_to=None if target.effective_to is None else from_date(target.effective_to),
        reason=target.reason,
        author_id=target.author_id,
        recorded_at=from_instant(target.recorded_at),
        rule=_from_rule(target.rule, currency),
        state=int(target.state),  # type: ignore[arg-type]  # the enums have the same numbers
        approval_node_id=approval.node_id,
        approver_id=approval.approver_id,
        decided_at=None if approval.decided_at is None else from_instant(approval.decided_at),
        change=int(target.made.change),  # type: ignore[arg-type]  # the enums have the same numbers
        changed_by_id=target.made.by,
        change_reason=target.made.reason,
        revision=target.revision,
    )


@lru_cache(maxsize=4096)
def from_resolved(resolved: ResolvedTarget, currency: str) -> targets_pb2.ResolvedTarget:
    """The target in force, and what it overrides. Shared: copied into messages, never changed."""
    return targets_pb2.ResolvedTarget(
        target=from_target(resolved.target, currency),
        overridden=[from_target(each, currency) for each in resolved.overridden],
    )


def from_known(known: KnownTarget, currency: str) -> standards_pb2.KnownTarget:
    """What was known of a target, and until when."""
    until = known.superseded_at
    return standards_pb2.KnownTarget(
        target=from_target(known.target, currency),
        superseded_at=None if until is None else from_instant(until),
    )


def from_at_node(found: TargetAtNode, currency: str) -> standards_pb2.StandardAtNode:
    """What holds at a node, and what may be set there."""
    return standards_pb2.StandardAtNode(
        resolved=from_resolved(found.resolved, currency),
        allowance=_from_allowance(found.allowance, currency),
        out_of_bounds=found.out_of_bounds,
    )


def from_drift(drift: Drift, currency: str) -> standards_pb2.Drift:
    """A target that differs from what is set above it."""
    return standards_pb2.Drift(
        target=from_target(drift.target, currency),
        standard=from_target(drift.standard, currency),
        difference=from_value(drift.difference, currency),
        allowance=_from_allowance(drift.allowance, currency),
        out_of_bounds=drift.out_of_bounds,
    )


def _from_rule(rule: OverrideRule, currency: str) -> targets_pb2.OverrideRule:
    return targets_pb2.OverrideRule(
        latitude=int(rule.latitude),  # type: ignore[arg-type]  # the enums have the same numbers
        minimum=_from_bound(rule.minimum, currency),
        maximum=_from_bound(rule.maximum, currency),
        approval_required=rule.approval_required,
    )


def _from_allowance(allowance: Allowance, currency: str) -> standards_pb2.Allowance:
    return standards_pb2.Allowance(
        latitude=int(allowance.latitude),  # type: ignore[arg-type]  # the enums have the same numbers
        minimum=_from_bound(allowance.minimum, currency),
        maximum=_from_bound(allowance.maximum, currency),
        locked_by_node_id=allowance.locked_by,
        approval_node_id=allowance.approval_node,
    )


def _from_bound(value: Value | None, currency: str) -> values_pb2.Value | None:
    return None if value is None else from_value(value, currency)

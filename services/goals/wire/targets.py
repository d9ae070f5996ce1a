"""Targets, as set and as they hold."""

from functools import lru_cache

from foothold.goals.v1 import targets_pb2, values_pb2

from services.goals.domain.targets import ResolvedTarget, Target
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
    )


@lru_cache(maxsize=4096)
def from_resolved(resolved: ResolvedTarget, currency: str) -> targets_pb2.ResolvedTarget:
    """The target in force, and what it overrides. Shared: copied into messages, never changed."""
    return targets_pb2.ResolvedTarget(
        target=from_target(resolved.target, currency),
        overridden=[from_target(each, currency) for each in resolved.overridden],
    )

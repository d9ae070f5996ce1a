"""Evidence."""

from foothold.goals.v1 import evidence_pb2

from services.goals.domain.evidence import Change, Interval, Published
from services.goals.domain.values import Unit, exactly
from services.goals.wire.values import from_value


def from_change(told: Change, currency: str) -> evidence_pb2.Change:
    """How a figure compares with an earlier one."""
    return evidence_pb2.Change(
        before=from_value(told.before, currency),
        after=from_value(told.after, currency),
        difference=from_value(told.difference, currency),
        relative=from_value(told.relative, currency),
    )


def from_interval(told: Interval) -> evidence_pb2.Interval:
    """Where a difference of rates lies."""
    low, high = (from_value(exactly(Unit.RATE, each), "") for each in told)
    return evidence_pb2.Interval(low=low, high=high)


def from_published(told: Published, unit: Unit, currency: str) -> evidence_pb2.Benchmark:
    """A figure of others."""
    return evidence_pb2.Benchmark(
        low=from_value(exactly(unit, told.low), currency),
        high=from_value(exactly(unit, told.high), currency),
        kind=told.kind,  # type: ignore[arg-type]  # the enums have the same numbers
        sources=told.sources,
        year=told.year,
    )

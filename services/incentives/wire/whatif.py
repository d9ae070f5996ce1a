"""What-ifs."""

from collections.abc import Iterable

from foothold.incentives.v1 import values_pb2, whatif_pb2

from services.incentives.domain.evaluation import Evaluation
from services.incentives.domain.metrics import Figure, Metric
from services.incentives.domain.reaching import MOST_OWN, Changes
from services.incentives.wire.values import from_money, from_value


def to_changes(message: whatif_pb2.Changes) -> Changes:
    """How much more of each."""
    return Changes(*(getattr(message, lever) for lever in Changes._fields))


def from_changes(changes: Changes) -> whatif_pb2.Changes:
    """How much more of each."""
    return whatif_pb2.Changes(**changes._asdict())


def from_own_levers(bases: Iterable[Metric]) -> list[whatif_pb2.OwnLever]:
    """What there can be more of, of the enterprise's own."""
    return [
        whatif_pb2.OwnLever(
            metric=base.name, unit=values_pb2.Unit.ValueType(base.unit), most=MOST_OWN[base.unit]
        )
        for base in bases
    ]


def from_lines(before: Evaluation, after: Evaluation, currency: str) -> list[whatif_pb2.ChangedLine]:
    """Every line as it is and as it would be."""
    return [
        whatif_pb2.ChangedLine(
            rule_id=now.rule.id,
            label=now.rule.label,
            before=from_money(now.amount, currency),
            after=from_money(then.amount, currency),
        )
        for now, then in zip(before.lines, after.lines, strict=True)
    ]


def from_values(
    told: Iterable[tuple[Metric, Figure, Figure]], currency: str
) -> list[whatif_pb2.ChangedValue]:
    """Metrics as they are and as they would be."""
    return [
        whatif_pb2.ChangedValue(
            metric=metric.name,
            before=from_value(metric.unit, before, currency),
            after=from_value(metric.unit, after, currency),
        )
        for metric, before, after in told
    ]


def from_way(
    changes: Changes, now: Evaluation, then: Evaluation, unheld: Evaluation, currency: str
) -> whatif_pb2.Way:
    """A way, and the lines it changes."""
    lines = from_lines(now, then, currency)
    return whatif_pb2.Way(
        changes=from_changes(changes),
        total=from_money(then.total, currency),
        total_unheld=from_money(unheld.total, currency),
        lines=[line for line in lines if line.before != line.after],
    )

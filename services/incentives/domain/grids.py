"""Figures to try a plan with, the smallest first: everything near its own thresholds, and the first few of each."""

from collections.abc import Iterator, Sequence
from typing import Final

from services.incentives.domain.evaluation import evaluate
from services.incentives.domain.metrics import (
    DRAWN,
    MENTEES,
    METRICS,
    PRIZE,
    TENURE,
    Figure,
    Figures,
    Metric,
    Unit,
    is_course,
)
from services.incentives.domain.plans import Plan
from services.incentives.domain.rules import (
    Accelerator,
    Draw,
    Gate,
    Graduated,
    Rule,
    ThresholdBonus,
    Tiers,
    metrics_of,
)

MOST_POINTS: Final = 1_500
"""A search must answer while somebody types."""
_FIRST: Final = 30


class Grid:
    """Figures of every metric that some of the plans read."""

    def __init__(self, plans: Sequence[Plan]) -> None:
        rules = [node.rule for plan in plans for node in plan.nodes]
        read = {base.name: base for plan in plans for base in plan.figures.values()}
        self.metrics = sorted(read, key=_place)
        self._choices = [_choices(read[name], rules) for name in self.metrics]
        if any(plan.reads_tenure for plan in plans):
            self.metrics.append(TENURE)
            self._choices.append([1, 0])
        owed = {f"{DRAWN}{rule.id}": rule.kind.amount for rule in rules if isinstance(rule.kind, Draw)}
        self.metrics += owed
        self._choices += [[0, amount] for amount in owed.values()]
        self._totals: dict[tuple[int, ...], int] = {}

    def points(self) -> Iterator[Figures]:
        """Figures that can be, the smallest first, at most 1,500 of them."""
        count = 0
        for size in range(sum(map(len, self._choices)) or 1):
            for indexes in _adding_up_to(size, [len(choices) for choices in self._choices]):
                figures = {
                    name: choices[index]
                    for name, choices, index in zip(self.metrics, self._choices, indexes, strict=True)
                }
                followed = figures.get("customers_followed")
                # New customers are followed ones.
                if followed is not None and figures.get("new_customers", 0) > followed:
                    continue
                yield figures
                count += 1
                if count >= MOST_POINTS:
                    return

    def total(self, plan: Plan, figures: Figures) -> int:
        """What the plan pays, worked out once; for one plan only."""
        key = tuple(figures[name] for name in self.metrics)
        found = self._totals.get(key)
        if found is None:
            found = self._totals[key] = evaluate(plan, figures).total
        return found


def _adding_up_to(size: int, lengths: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Indexes below `lengths` that sum to `size`."""
    if not lengths:
        if size == 0:
            yield ()
        return
    for first in range(min(size, lengths[0] - 1) + 1):
        for rest in _adding_up_to(size - first, lengths[1:]):
            yield first, *rest


def _place(name: str) -> tuple[int, str]:
    """Metrics in the order people read them, then the enterprise's own and courses."""
    names = list(METRICS)
    return names.index(name) if name in METRICS else len(names), name


def _choices(metric: Metric, rules: Sequence[Rule]) -> list[int]:
    """The first few, and what lies at and just under every threshold of the metric; of a course passed and not."""
    if is_course(metric.name):
        return [1, 0]
    if metric.name.startswith(PRIZE):
        # Nobody does more to be paid a prize that others may win: a plan is looked at without.
        return [0]
    if metric.name.startswith(MENTEES):
        return [0, 1]
    unit = metric.unit
    first = range(_FIRST) if unit is Unit.COUNT else range(1)
    edges = {edge.numerator for rule in rules if metric in metrics_of(rule) for edge in _edges(rule)}
    return sorted(
        {
            *first,
            *edges,
            *(max(0, edge - 1) for edge in edges),
            *({1_000_000} if unit is not Unit.COUNT else ()),
        }
    )


def _edges(rule: Rule) -> list[Figure]:
    kind = rule.kind
    match kind:
        case ThresholdBonus():
            return [kind.threshold]
        case Tiers():
            return [tier.low for tier in kind.tiers]
        case Graduated():
            return [band.low for band in kind.bands]
        case Gate() | Accelerator():
            return [kind.condition.bound]
    return []

"""What a plan pays for given figures: whole-number arithmetic, exact to the last minor unit (R1-R5).

`pay` is the short way, for statements and for searching what-ifs; `tracing.trace` is the long way that can be
read step by step. Tests hold the two, and an evaluator of their own, together.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple, assert_never

from services.incentives.domain.metrics import METRICS, Figure, Figures, measure
from services.incentives.domain.plans import (
    POINTS,
    PerPoint,
    PerUnit,
    Plan,
    PointMode,
    Rule,
    RuleKind,
    ThresholdBonus,
    Tier,
    Tiers,
)

LINE_LIMIT: Final = 10**15
"""No line pays more minor units than this, whatever the figures: totals stay exact in 64 bits."""


class Line(NamedTuple):
    """What one rule pays, in minor units, for the value it read."""

    rule: Rule
    value: Figure
    amount: int


class Evaluation(NamedTuple):
    """One line per rule in the plan's order, and their sum (R5)."""

    lines: tuple[Line, ...]
    total: int


def evaluate(plan: Plan, figures: Figures, held: Mapping[str, Figure] | None = None) -> Evaluation:
    """The whole plan re-evaluated; `held` names metrics that keep a given value (R6)."""
    lines = []
    total = 0
    for rule in plan.rules:
        metric = rule.kind.metric
        value = held[metric] if held and metric in held else measure(METRICS[metric], figures)
        amount = pay(rule.kind, value)
        total += amount
        lines.append(Line(rule, value, amount))
    return Evaluation(tuple(lines), total)


def pay(kind: RuleKind, value: Figure) -> int:
    """What one rule pays. No data pays nothing (R4); a negative value (revenue reversed) counts as 0."""
    numerator, denominator = value
    if denominator <= 0:
        return 0
    return min(LINE_LIMIT, _pay(kind, max(0, numerator), denominator))


def _pay(kind: RuleKind, numerator: int, denominator: int) -> int:
    match kind:
        case PerUnit():
            return numerator // denominator * kind.amount
        case ThresholdBonus():
            low, of = kind.threshold
            return kind.amount if numerator * of >= low * denominator else 0
        case PerPoint():
            low, of = kind.threshold
            above = (numerator * of - low * denominator) * POINTS
            if above <= 0:
                return 0
            whole = denominator * of
            if kind.mode is PointMode.WHOLE:
                return above // whole * kind.amount
            return (2 * above * kind.amount + whole) // (2 * whole)
        case Tiers():
            return tier_of(kind, Figure(numerator, denominator))[1].amount
        case _:
            assert_never(kind)


def tier_of(kind: Tiers, value: Figure) -> tuple[int, Tier]:
    """The tier that holds a value that is not negative, and its index; tiers leave no gap."""
    numerator, denominator = value
    at = 0
    for index, tier in enumerate(kind.tiers):
        if numerator * tier.low.denominator < tier.low.numerator * denominator:
            break
        at = index
    return at, kind.tiers[at]

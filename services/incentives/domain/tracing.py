"""Why a line pays what it pays: steps that anybody can repeat with a pencil (R12).

Every step names its operation, its exact operands and its exact result. Whoever applies the operations to
the operands gets the results, and the last result is the line's amount in minor units.
"""

from enum import IntEnum
from fractions import Fraction
from math import floor
from typing import Final, NamedTuple, assert_never

from services.incentives.domain.evaluation import LINE_LIMIT, tier_of
from services.incentives.domain.metrics import METRICS, Figure, Figures, Metric
from services.incentives.domain.plans import (
    POINTS,
    PerPoint,
    PerUnit,
    PointMode,
    RuleKind,
    ThresholdBonus,
    Tiers,
)

_HALF: Final = Fraction(1, 2)


class Operation(IntEnum):
    """What a step does; the numbers of the contract's `TraceStep.Operation`."""

    READ = 1
    DIVIDE = 2
    SUBTRACT = 3
    MULTIPLY = 4
    FLOOR = 5
    AT_LEAST = 6
    TIER = 7
    ROUND_HALF_UP = 8
    MAX = 9
    NO_DATA = 10
    ADD = 11
    MIN = 12


class Step(NamedTuple):
    """One operation, exact; money in minor units."""

    operation: Operation
    operands: tuple[Fraction, ...]
    result: Fraction
    subject: str = ""


class _Trace:
    def __init__(self) -> None:
        self.steps: list[Step] = []

    def note(
        self, operation: Operation, result: Fraction | int, *operands: Fraction | int, subject: str = ""
    ) -> Fraction:
        exact = Fraction(result)
        self.steps.append(Step(operation, tuple(map(Fraction, operands)), exact, subject))
        return exact


def trace(kind: RuleKind, figures: Figures, *, rule_index: int) -> tuple[Step, ...]:
    """The steps from the base figures to the line's amount."""
    told = _Trace()
    value = _read(told, METRICS[kind.metric], figures)
    if value is None:
        told.note(Operation.NO_DATA, 0)
        return tuple(told.steps)
    if value < 0:
        value = told.note(Operation.MAX, 0, value, 0)
    amount = _apply(told, kind, value, rule_index)
    if amount > LINE_LIMIT:
        told.note(Operation.MIN, LINE_LIMIT, amount, LINE_LIMIT)
    return tuple(told.steps)


def _read(told: _Trace, metric: Metric, figures: Figures) -> Fraction | None:
    """The metric's value, None for no data."""
    note = told.note
    first = note(Operation.READ, figures.get(metric.numerator, 0), subject=metric.numerator)
    if not metric.is_ratio:
        return first
    parts = [
        first if name == metric.numerator else note(Operation.READ, figures.get(name, 0), subject=name)
        for name in metric.denominators
    ]
    whole = parts[0] if len(parts) == 1 else note(Operation.ADD, sum(parts), *parts)
    return note(Operation.DIVIDE, first / whole, first, whole, subject=metric.name) if whole > 0 else None


def _apply(told: _Trace, kind: RuleKind, value: Fraction, rule_index: int) -> Fraction:
    note = told.note
    match kind:
        case PerUnit():
            if value.denominator != 1:
                value = note(Operation.FLOOR, floor(value), value)
            return note(Operation.MULTIPLY, value * kind.amount, value, kind.amount)
        case ThresholdBonus():
            threshold = kind.threshold.exact
            met = note(Operation.AT_LEAST, int(value >= threshold), value, threshold)
            return note(Operation.MULTIPLY, met * kind.amount, met, kind.amount)
        case PerPoint():
            return _points(told, kind, value)
        case Tiers():
            at, tier = tier_of(kind, Figure(value.numerator, value.denominator))
            ends = (tier.low.exact,) if tier.high is None else (tier.low.exact, tier.high.exact)
            subject = f"rules[{rule_index}].tiers[{at}]"
            return note(Operation.TIER, tier.amount, value, tier.amount, *ends, subject=subject)
        case _:
            assert_never(kind)


def _points(told: _Trace, kind: PerPoint, value: Fraction) -> Fraction:
    note = told.note
    threshold = kind.threshold.exact
    above = note(Operation.SUBTRACT, value - threshold, value, threshold)
    points = note(Operation.MULTIPLY, above * POINTS, above, POINTS)
    if kind.mode is PointMode.WHOLE:
        points = note(Operation.FLOOR, floor(points), points)
    points = note(Operation.MAX, max(points, Fraction(0)), points, 0)
    amount = note(Operation.MULTIPLY, points * kind.amount, points, kind.amount)
    if kind.mode is PointMode.PRO_RATA:
        amount = note(Operation.ROUND_HALF_UP, floor(amount + _HALF), amount)
    return amount

"""Why a line pays what it pays: steps that anybody can repeat with a pencil (R12).

Every step names its operation, its exact operands and its exact result. Whoever applies the operations to
the operands gets the results, and the last result is the line's amount in minor units.
"""

from collections.abc import Sequence
from enum import IntEnum
from fractions import Fraction
from math import floor
from typing import Final, NamedTuple, assert_never

from services.incentives.domain.evaluation import LINE_LIMIT, is_met, tier_of
from services.incentives.domain.metrics import DRAWN, TENURE, Figure, Figures, Metric
from services.incentives.domain.plans import Plan
from services.incentives.domain.rules import (
    POINTS,
    Accelerator,
    Band,
    Cap,
    Condition,
    Draw,
    Floor,
    Gate,
    Graduated,
    Group,
    Guarantee,
    Leaf,
    MentorBonus,
    Node,
    PerPoint,
    PerUnit,
    PointMode,
    Ramp,
    RankingPrize,
    RateOf,
    Rule,
    ThresholdBonus,
    Tiers,
    Wrapper,
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
    READ_LINE = 13


class Step(NamedTuple):
    """One operation, exact; money in minor units."""

    operation: Operation
    operands: tuple[Fraction, ...]
    result: Fraction
    subject: str = ""


class _Trace:
    def __init__(self, figures: Figures, place: str) -> None:
        self.steps: list[Step] = []
        self.figures = figures
        self.place = place

    def note(
        self, operation: Operation, result: Fraction | int, *operands: Fraction | int, subject: str = ""
    ) -> Fraction:
        exact = Fraction(result)
        self.steps.append(Step(operation, tuple(map(Fraction, operands)), exact, subject))
        return exact

    def round(self, amount: Fraction) -> Fraction:
        return self.note(Operation.ROUND_HALF_UP, floor(amount + _HALF), amount)

    def limit(self, amount: Fraction) -> Fraction:
        """A line's limit is told where it is met only."""
        return self.note(Operation.MIN, LINE_LIMIT, amount, LINE_LIMIT) if amount > LINE_LIMIT else amount


def trace(plan: Plan, index: int, figures: Figures, amounts: Sequence[int]) -> tuple[Step, ...]:
    """The steps to the amount of the line at `index`; `amounts` are those of all lines.

    A leaf begins with the base figures, a wrapper with the lines inside it, each told by its own trace.
    """
    node = plan.nodes[index]
    told = _Trace(figures, node.place)
    kind = node.rule.kind
    if isinstance(kind, Wrapper):
        _change(
            told, node.rule, _inside(told, plan.nodes[index + 1 : node.end], amounts[index + 1 : node.end])
        )
    else:
        value = _value(told, node.rule, kind)
        if value is None:
            told.note(Operation.NO_DATA, 0)
        else:
            told.limit(_pay(told, kind, value))
    return tuple(told.steps)


def _value(told: _Trace, rule: Rule, kind: Leaf) -> Fraction | None:
    """What a leaf reads, None for no data; below zero counts as 0."""
    if rule.credit:
        parts = []
        for metric, share in rule.credit:
            value = _read(told, metric)
            if value is not None:
                parts.append(told.note(Operation.MULTIPLY, value * share.exact, value, share.exact))
        credited: Fraction | None = told.note(Operation.ADD, sum(parts), *parts)
    else:
        credited = _read(told, kind.metric)
    return _nothing_below(told, credited)


def _nothing_below(told: _Trace, value: Fraction | None) -> Fraction | None:
    return told.note(Operation.MAX, 0, value, 0) if value is not None and value < 0 else value


def _read(told: _Trace, metric: Metric) -> Fraction | None:
    """The metric's value, None for no data."""
    note, figures = told.note, told.figures
    first = note(Operation.READ, figures.get(metric.numerator, 0), subject=metric.numerator)
    if not metric.is_ratio:
        return first
    parts = [
        first if name == metric.numerator else note(Operation.READ, figures.get(name, 0), subject=name)
        for name in metric.denominators
    ]
    whole = parts[0] if len(parts) == 1 else note(Operation.ADD, sum(parts), *parts)
    return note(Operation.DIVIDE, first / whole, first, whole, subject=metric.name) if whole > 0 else None


def _pay(told: _Trace, kind: Leaf, value: Fraction) -> Fraction:
    note = told.note
    match kind:
        case PerUnit() | MentorBonus():
            if value.denominator != 1:
                value = note(Operation.FLOOR, floor(value), value)
            return note(Operation.MULTIPLY, value * kind.amount, value, kind.amount)
        case RankingPrize():
            return note(Operation.FLOOR, floor(value), value)
        case ThresholdBonus():
            threshold = kind.threshold.exact
            met = note(Operation.AT_LEAST, int(value >= threshold), value, threshold)
            return note(Operation.MULTIPLY, met * kind.amount, met, kind.amount)
        case PerPoint():
            return _points(told, kind, value)
        case Tiers():
            at, tier = tier_of(kind, Figure(value.numerator, value.denominator))
            ends = (tier.low.exact,) if tier.high is None else (tier.low.exact, tier.high.exact)
            return note(
                Operation.TIER, tier.amount, value, tier.amount, *ends, subject=f"{told.place}.tiers[{at}]"
            )
        case RateOf():
            share = kind.share.exact
            return told.round(note(Operation.MULTIPLY, value * share, value, share))
        case Graduated():
            parts = [_band(told, band, value) for band in kind.bands if value > band.low.exact]
            return told.round(note(Operation.ADD, sum(parts), *parts))
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
    return told.round(amount) if kind.mode is PointMode.PRO_RATA else amount


def _band(told: _Trace, band: Band, value: Fraction) -> Fraction:
    """What the part of the value within a band pays, not rounded."""
    note, low = told.note, band.low.exact
    end = value
    if band.high is not None and value > band.high.exact:
        end = note(Operation.MIN, band.high.exact, value, band.high.exact)
    part = note(Operation.SUBTRACT, end - low, end, low)
    return note(Operation.MULTIPLY, part * band.each.exact, part, band.each.exact)


def _inside(told: _Trace, nodes: Sequence[Node], amounts: Sequence[int]) -> Fraction:
    """What the lines inside a wrapper come to."""
    parts = [
        told.note(Operation.READ_LINE, amount, subject=node.rule.id)
        for node, amount in zip(nodes, amounts, strict=True)
    ]
    return told.note(Operation.ADD, sum(parts), *parts)


def _change(told: _Trace, rule: Rule, inside: Fraction) -> Fraction:  # noqa: PLR0911  a case a kind
    note = told.note
    kind: Wrapper = rule.kind  # type: ignore[assignment]  # a wrapper
    match kind:
        case Group():
            return note(Operation.SUBTRACT, 0, inside, inside)
        case Cap():
            kept = note(Operation.MIN, min(inside, Fraction(kind.amount)), inside, kind.amount)
            return note(Operation.SUBTRACT, kept - inside, kept, inside)
        case Floor():
            return _top_up(told, inside, kind.amount)
        case Gate():
            met = _met(told, kind.condition)
            kept = note(Operation.MULTIPLY, inside * met, inside, met)
            return note(Operation.SUBTRACT, kept - inside, kept, inside)
        case Accelerator():
            more = kind.factor.exact - 1
            met = _met(told, kind.condition)
            counted = note(Operation.MULTIPLY, inside * met, inside, met)
            return told.limit(told.round(note(Operation.MULTIPLY, counted * more, counted, more)))
        case Guarantee():
            month = note(Operation.READ, told.figures.get(TENURE, 0), subject=TENURE)
            if month <= 0:
                return note(Operation.NO_DATA, 0)
            within = note(Operation.AT_LEAST, int(month <= kind.months), kind.months, month)
            gap = _top_up(told, inside, kind.amount)
            return note(Operation.MULTIPLY, gap * within, gap, within)
        case Draw():
            return _drawn(told, kind, inside, f"{DRAWN}{rule.id}")
        case Ramp():
            return _ramped(told, kind, inside)
        case _:
            assert_never(kind)


def _top_up(told: _Trace, inside: Fraction, least: int) -> Fraction:
    paid = told.note(Operation.MAX, max(inside, Fraction(least)), inside, least)
    return told.note(Operation.SUBTRACT, paid - inside, paid, inside)


def _drawn(told: _Trace, kind: Draw, inside: Fraction, owed: str) -> Fraction:
    note = told.note
    month = note(Operation.READ, told.figures.get(TENURE, 0), subject=TENURE)
    if month <= 0:
        return note(Operation.NO_DATA, 0)
    within = note(Operation.AT_LEAST, int(month <= kind.months), kind.months, month)
    least = note(Operation.MULTIPLY, within * kind.amount, within, kind.amount)
    if inside <= least:
        return note(Operation.SUBTRACT, least - inside, least, inside)
    above = note(Operation.SUBTRACT, inside - least, inside, least)
    share = kind.recovery.exact
    part = told.round(note(Operation.MULTIPLY, above * share, above, share))
    left = note(Operation.READ, told.figures.get(owed, 0), subject=owed)
    back = note(Operation.MIN, min(left, part), left, part)
    return note(Operation.SUBTRACT, -back, 0, back)


def _ramped(told: _Trace, kind: Ramp, inside: Fraction) -> Fraction:
    note = told.note
    month = note(Operation.READ, told.figures.get(TENURE, 0), subject=TENURE)
    if month <= 0:
        return note(Operation.NO_DATA, 0)
    at = int(month) - 1
    if at < len(kind.shares):
        share, ends = kind.shares[at].exact, [month, month + 1]
        subject = f"{told.place}.shares[{at}]"
    else:
        share, ends, subject = Fraction(1), [Fraction(len(kind.shares) + 1)], told.place
    share = note(Operation.TIER, share, month, share, *ends, subject=subject)
    kept = told.round(note(Operation.MULTIPLY, inside * share, inside, share))
    return note(Operation.SUBTRACT, kept - inside, kept, inside)


def _met(told: _Trace, condition: Condition) -> Fraction:
    """1 where the condition holds, else 0."""
    value = _nothing_below(told, _read(told, condition.metric))
    if value is None:
        return told.note(Operation.NO_DATA, 0)
    bound = condition.bound.exact
    sides = (bound, value) if condition.at_most else (value, bound)
    met = is_met(condition, Figure(value.numerator, value.denominator))
    return told.note(Operation.AT_LEAST, int(met), *sides)

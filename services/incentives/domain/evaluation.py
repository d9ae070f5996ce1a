"""What a plan pays for given figures: whole-number arithmetic, exact to the last minor unit (R1-R5).

`evaluate` is the short way, for statements and for searching what-ifs; `tracing.trace` is the long way that can
be read step by step. Tests hold the two, and an evaluator of their own, together.
"""

from collections.abc import Mapping, Sequence
from math import lcm
from typing import Final, NamedTuple, assert_never

from services.incentives.domain.metrics import DRAWN, TENURE, Figure, Figures, Metric, measure
from services.incentives.domain.plans import Plan
from services.incentives.domain.rules import (
    POINTS,
    WRAPPERS,
    Accelerator,
    Cap,
    Condition,
    Credit,
    Draw,
    Floor,
    Gate,
    Graduated,
    Group,
    Guarantee,
    Leaf,
    MentorBonus,
    PerPoint,
    PerUnit,
    PointMode,
    Ramp,
    RankingPrize,
    RateOf,
    Rule,
    ThresholdBonus,
    Tier,
    Tiers,
    Wrapper,
)

LINE_LIMIT: Final = 10**15
"""No line pays more minor units than this, whatever the figures: totals stay exact in 64 bits."""
WHOLE: Final = Figure(1, 1)

Held = Mapping[str, Figure]
"""Metrics that keep a given value (R6)."""


class Line(NamedTuple):
    """What one rule pays, or what one wrapper changes, in minor units, for the value it read.

    A cap, a floor and a group read what their rules pay together; a guarantee, a draw and a ramp the month of tenure.
    """

    rule: Rule
    value: Figure
    amount: int


class Evaluation(NamedTuple):
    """One line per rule in the order of `Plan.nodes`, and their sum (R5)."""

    lines: tuple[Line, ...]
    total: int


def evaluate(plan: Plan, figures: Figures, held: Held | None = None) -> Evaluation:
    """The whole plan re-evaluated."""
    lines: list[Line] = []
    total = 0
    for rule in plan.rules:
        total += _line(rule, figures, held, lines)
    return Evaluation(tuple(lines), total)


def _line(rule: Rule, figures: Figures, held: Held | None, lines: list[Line]) -> int:
    """Add the rule's line and those inside it; what they come to together."""
    kind = rule.kind
    if type(kind) in WRAPPERS:
        at = len(lines)
        lines.append(Line(rule, WHOLE, 0))
        inside = 0
        for each in kind.rules:  # type: ignore[union-attr]  # every wrapper holds rules
            inside += _line(each, figures, held, lines)
        value = read(rule, figures, inside, held)
        amount = change(rule, value, inside, figures)
        lines[at] = Line(rule, value, amount)
        return inside + amount
    # The same as `read`, without asking what kind it is: most rules are leaves, and this is the way of every figure.
    value = _credited(rule.credit, figures, held) if rule.credit else _measure(kind.metric, figures, held)  # type: ignore[union-attr]
    amount = pay(kind, value)  # type: ignore[arg-type]  # a leaf
    lines.append(Line(rule, value, amount))
    return amount


def read(rule: Rule, figures: Figures, inside: int, held: Held | None = None) -> Figure:
    """The value a rule reads; `inside` is what the rules of a wrapper pay together."""
    kind = rule.kind
    match kind:
        case Group() | Cap() | Floor():
            return Figure(inside, 1)
        case Guarantee() | Draw() | Ramp():
            month = figures.get(TENURE, 0)
            return Figure(month, 1) if month > 0 else Figure(0, 0)
        case Gate() | Accelerator():
            return _measure(kind.condition.metric, figures, held)
    if rule.credit:
        return _credited(rule.credit, figures, held)
    return _measure(kind.metric, figures, held)


def _measure(metric: Metric, figures: Figures, held: Held | None) -> Figure:
    return held[metric.name] if held and metric.name in held else measure(metric, figures)


def _credited(credit: Credit, figures: Figures, held: Held | None) -> Figure:
    """The sum of what is credited, as one fraction that is not reduced."""
    whole = lcm(*(share.denominator for _, share in credit))
    above = 0
    for metric, share in credit:
        above += _measure(metric, figures, held).numerator * share.numerator * (whole // share.denominator)
    return Figure(above, whole)


def values(plan: Plan, figures: Figures, amounts: Sequence[int]) -> list[Figure]:
    """What each line read, from its amounts."""
    found = []
    for index, (rule, _parent, _depth, end, _place) in enumerate(plan.nodes):
        kind = rule.kind
        if type(kind) in WRAPPERS or rule.credit:
            found.append(read(rule, figures, sum(amounts[index + 1 : end])))
        else:
            # As in `_line`: every statement that is told comes this way.
            found.append(measure(kind.metric, figures))  # type: ignore[union-attr]
    return found


def pay(kind: Leaf, value: Figure) -> int:
    """What one leaf pays. No data pays nothing (R4); a negative value (revenue reversed) counts as 0."""
    numerator, denominator = value
    if denominator <= 0:
        return 0
    return min(LINE_LIMIT, _pay(kind, max(0, numerator), denominator))


def _pay(kind: Leaf, numerator: int, denominator: int) -> int:  # noqa: PLR0911  a case a kind
    match kind:
        case PerUnit() | MentorBonus():
            return numerator // denominator * kind.amount
        case RankingPrize():
            return numerator // denominator
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
            return _half_up(above * kind.amount, whole)
        case Tiers():
            return tier_of(kind, Figure(numerator, denominator))[1].amount
        case RateOf():
            return _half_up(numerator * kind.share.numerator, denominator * kind.share.denominator)
        case Graduated():
            return _graduated(kind, numerator, denominator)
        case _:
            assert_never(kind)


def _graduated(kind: Graduated, numerator: int, denominator: int) -> int:
    """Every part at its own band's rate, over one common denominator, rounded once."""
    whole = lcm(
        denominator,
        *(band.low.denominator for band in kind.bands),
    )
    scale = lcm(*(band.each.denominator for band in kind.bands))
    value = numerator * (whole // denominator)
    paid = 0
    for band in kind.bands:
        low = band.low.numerator * (whole // band.low.denominator)
        if value <= low:
            break
        end = value
        if band.high is not None:
            # Each band begins where the one before ends, so its high divides the common whole as well.
            end = min(end, band.high.numerator * whole // band.high.denominator)
        paid += (end - low) * band.each.numerator * (scale // band.each.denominator)
    return _half_up(paid, whole * scale)


def change(rule: Rule, value: Figure, inside: int, figures: Figures) -> int:  # noqa: PLR0911  a case a kind
    """The difference a wrapper makes to what its rules pay together; never below minus that, so no sum is negative."""
    kind: Wrapper = rule.kind  # type: ignore[assignment]  # a wrapper
    match kind:
        case Group():
            return 0
        case Gate():
            return 0 if is_met(kind.condition, value) else -inside
        case Cap():
            return min(0, kind.amount - inside)
        case Floor():
            return max(0, kind.amount - inside)
        case Guarantee():
            within = value.denominator > 0 and value.numerator <= kind.months
            return max(0, kind.amount - inside) if within else 0
        case Draw():
            return _drawn(kind, value, inside, figures.get(f"{DRAWN}{rule.id}", 0))
        case Ramp():
            share = share_of(kind, value)
            return _half_up(inside * share.numerator, share.denominator) - inside
        case Accelerator():
            if not is_met(kind.condition, value):
                return 0
            above, below = kind.factor
            return min(LINE_LIMIT, _half_up(inside * (above - below), below))
        case _:
            assert_never(kind)


def _drawn(kind: Draw, month: Figure, inside: int, owed: int) -> int:
    """What is advanced, or paid back of what is owed; nothing where the month of tenure is not known."""
    if month.denominator <= 0:
        return 0
    least = kind.amount if month.numerator <= kind.months else 0
    if inside <= least:
        return least - inside
    share = kind.recovery
    return -min(owed, _half_up((inside - least) * share.numerator, share.denominator))


def is_met(condition: Condition, value: Figure) -> bool:
    """Whether the condition holds; without data it does not (R4), and a negative value counts as 0."""
    if value.denominator <= 0:
        return False
    numerator = max(0, value.numerator)
    low, of = condition.bound
    ahead = numerator * of - low * value.denominator
    return ahead <= 0 if condition.at_most else ahead >= 0


def share_of(kind: Ramp, value: Figure) -> Figure:
    """The share paid in a month of tenure: all of it after the last, and where the month is not known."""
    if value.denominator <= 0 or value.numerator > len(kind.shares):
        return WHOLE
    return kind.shares[value.numerator - 1]


def _half_up(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)


def tier_of(kind: Tiers, value: Figure) -> tuple[int, Tier]:
    """The tier that holds a value that is not negative, and its index; tiers leave no gap."""
    numerator, denominator = value
    at = 0
    for index, tier in enumerate(kind.tiers):
        if numerator * tier.low.denominator < tier.low.numerator * denominator:
            break
        at = index
    return at, kind.tiers[at]

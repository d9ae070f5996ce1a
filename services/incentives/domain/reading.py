"""A plan read back in plain words, so that its author sees what was meant and what was written."""

from typing import assert_never

from services.incentives.domain.drafts import DraftValue
from services.incentives.domain.evaluation import pay
from services.incentives.domain.findings import money, written
from services.incentives.domain.metrics import Figure, Unit
from services.incentives.domain.rules import (
    POINTS,
    Accelerator,
    Band,
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
    Tiers,
    Wrapper,
)


def read_back(rule: Rule) -> str:
    """One rule as a sentence; a wrapper speaks of the rules inside it as "these"."""
    kind = rule.kind
    if isinstance(kind, Wrapper):
        return f"{rule.label}: {_wrapper(kind)}"
    what = _credit(rule.credit) if rule.credit else kind.metric.name
    unit = (rule.credit[0][0] if rule.credit else kind.metric).unit
    return f"{rule.label}: {_leaf(kind, what, unit)}"


def _leaf(kind: Leaf, what: str, unit: Unit) -> str:
    match kind:
        case PerUnit():
            ten = money(pay(kind, Figure(10, 1)))
            return f"{money(kind.amount)} for each of {what}; 10 pay {ten}."
        case ThresholdBonus():
            at = _written(unit, kind.threshold)
            return f"{money(kind.amount)} once {what} reaches {at}; exactly {at} counts."
        case PerPoint():
            numerator, denominator = kind.threshold
            above = Figure(2 * POINTS * numerator + 5 * denominator, 2 * POINTS * denominator)
            how = "whole points only" if kind.mode is PointMode.WHOLE else "part points in proportion"
            return (
                f"{money(kind.amount)} per percentage point of {what} above {_written(unit, kind.threshold)}, {how}; "
                f"{_written(unit, above)} pays {money(pay(kind, above))}."
            )
        case Tiers():
            steps = "; ".join(f"from {_written(unit, tier.low)} {money(tier.amount)}" for tier in kind.tiers)
            return f"by {what}: {steps}."
        case RateOf():
            return f"{_written(Unit.RATE, kind.share)} of {what}."
        case RankingPrize():
            return _prize(kind)
        case MentorBonus():
            return f"{money(kind.amount)} for each person mentored whose {_condition(kind.condition)}."
        case Graduated():
            bands = "; ".join(f"from {_written(unit, band.low)} {_each(band, unit)}" for band in kind.bands)
            return f"each part of {what} at its own rate: {bands}."
        case _:
            assert_never(kind)


def _prize(kind: RankingPrize) -> str:
    prizes = ", ".join(f"rank {rank} {money(amount)}" for rank, amount in enumerate(kind.prizes, 1))
    days = [f"from {kind.first}" if kind.first else "", f"before {kind.end}" if kind.end else ""]
    within = " for periods that begin " + " and ".join(filter(None, days)) if any(days) else ""
    return (
        f"by rank of {kind.ranked.name} when the period is closed{within}: {prizes}; who ties shares equally."
    )


def _each(band: Band, unit: Unit) -> str:
    return _written(Unit.RATE, band.each) if unit is Unit.MONEY else f"{money(band.each.numerator)} each"


def _wrapper(kind: Wrapper) -> str:
    match kind:
        case Group():
            return "these add up."
        case Gate():
            return f"these are paid only where {_condition(kind.condition)}."
        case Cap():
            return f"these together pay at most {money(kind.amount)}."
        case Floor():
            return f"these together pay at least {money(kind.amount)}."
        case Guarantee():
            return f"in the first {kind.months} months these together pay at least {money(kind.amount)}."
        case Draw():
            back = _written(Unit.RATE, kind.recovery)
            return (
                f"in the first {kind.months} months these together pay at least {money(kind.amount)}, as an advance; "
                f"{back} of what they pay above that, and of all they pay afterwards, pays it back."
            )
        case Ramp():
            shares = ", ".join(_written(Unit.RATE, share) for share in kind.shares)
            return f"month by month of tenure these pay {shares}, then in full."
        case Accelerator():
            factor = _written(Unit.RATE, kind.factor)
            return f"these pay {factor} of their sum where {_condition(kind.condition)}."
        case _:
            assert_never(kind)


def _condition(condition: Condition) -> str:
    bound = _written(condition.metric.unit, condition.bound)
    return f"{condition.metric.name} is {'at most' if condition.at_most else 'at least'} {bound}"


def _credit(credit: Credit) -> str:
    return " and ".join(f"{_written(Unit.RATE, share)} of {metric.name}" for metric, share in credit)


def _written(unit: Unit, value: Figure) -> str:
    return written(DraftValue(unit, *value))

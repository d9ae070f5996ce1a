"""The rules of a stored plan as messages."""

from collections.abc import Iterable
from typing import assert_never

from foothold.incentives.v1 import plans_pb2, values_pb2

from services.incentives.domain.metrics import Figure, Unit
from services.incentives.domain.rules import (
    Accelerator,
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
    PerPoint,
    PerUnit,
    Ramp,
    RankingPrize,
    RateOf,
    Rule,
    ThresholdBonus,
    Tiers,
    Wrapper,
    metrics_of,
)
from services.incentives.wire.values import from_date, from_money, from_value


def from_rules(rules: Iterable[Rule], currency: str) -> list[plans_pb2.Rule]:
    """Rules with those inside them."""
    return [_from_rule(rule, currency) for rule in rules]


def _from_rule(rule: Rule, currency: str) -> plans_pb2.Rule:
    message = plans_pb2.Rule(id=rule.id, label=rule.label)
    for metric, share in rule.credit:
        message.credit.add(metric=metric.name, share=_share(share))
    kind = rule.kind
    if isinstance(kind, Wrapper):
        _wrapper(message, kind, currency)
    else:
        _leaf(message, kind, metrics_of(rule)[0].unit, currency)
    return message


def _leaf(message: plans_pb2.Rule, kind: Leaf, unit: Unit, currency: str) -> None:  # noqa: C901, PLR0912  a case a kind
    match kind:
        case PerUnit():
            message.per_unit.metric = kind.metric.name
            message.per_unit.amount.CopyFrom(from_money(kind.amount, currency))
        case ThresholdBonus():
            message.threshold_bonus.metric = kind.metric.name
            message.threshold_bonus.threshold.CopyFrom(from_value(unit, kind.threshold, currency))
            message.threshold_bonus.amount.CopyFrom(from_money(kind.amount, currency))
        case PerPoint():
            message.per_point.metric = kind.metric.name
            message.per_point.threshold.CopyFrom(from_value(unit, kind.threshold, currency))
            message.per_point.amount.CopyFrom(from_money(kind.amount, currency))
            message.per_point.mode = plans_pb2.PerPoint.Mode.ValueType(kind.mode)
        case Tiers():
            message.tiers.metric = kind.metric.name
            for tier in kind.tiers:
                message.tiers.tiers.add(
                    low=from_value(unit, tier.low, currency),
                    high=None if tier.high is None else from_value(unit, tier.high, currency),
                    amount=from_money(tier.amount, currency),
                )
        case RateOf():
            message.rate_of.metric = kind.metric.name
            message.rate_of.share.CopyFrom(_share(kind.share))
        case RankingPrize():
            prize = message.ranking_prize
            prize.metric, prize.minimum_denominator = kind.ranked.name, kind.minimum_denominator
            prize.prizes.extend(from_money(each, currency) for each in kind.prizes)
            if kind.first is not None:
                getattr(prize, "from").CopyFrom(from_date(kind.first))
            if kind.end is not None:
                prize.to.CopyFrom(from_date(kind.end))
        case MentorBonus():
            message.mentor_bonus.condition.CopyFrom(_condition(kind.condition, currency))
            message.mentor_bonus.amount.CopyFrom(from_money(kind.amount, currency))
        case Graduated():
            message.graduated.metric = kind.metric.name
            for band in kind.bands:
                added = message.graduated.bands.add(
                    low=from_value(unit, band.low, currency),
                    high=None if band.high is None else from_value(unit, band.high, currency),
                )
                if unit is Unit.MONEY:
                    added.share.CopyFrom(_share(band.each))
                else:
                    added.amount.CopyFrom(from_money(band.each.numerator, currency))
        case _:
            assert_never(kind)


def _wrapper(message: plans_pb2.Rule, kind: Wrapper, currency: str) -> None:
    inside = from_rules(kind.rules, currency)
    match kind:
        case Group():
            message.group.rules.extend(inside)
        case Gate():
            message.gate.condition.CopyFrom(_condition(kind.condition, currency))
            message.gate.rules.extend(inside)
        case Cap():
            message.cap.amount.CopyFrom(from_money(kind.amount, currency))
            message.cap.rules.extend(inside)
        case Floor():
            message.floor.amount.CopyFrom(from_money(kind.amount, currency))
            message.floor.rules.extend(inside)
        case Guarantee():
            message.guarantee.amount.CopyFrom(from_money(kind.amount, currency))
            message.guarantee.months = kind.months
            message.guarantee.rules.extend(inside)
        case Draw():
            message.draw.amount.CopyFrom(from_money(kind.amount, currency))
            message.draw.months = kind.months
            message.draw.recovery.CopyFrom(_share(kind.recovery))
            message.draw.rules.extend(inside)
        case Ramp():
            message.ramp.shares.extend(map(_share, kind.shares))
            message.ramp.rules.extend(inside)
        case Accelerator():
            message.accelerator.condition.CopyFrom(_condition(kind.condition, currency))
            message.accelerator.factor.CopyFrom(_share(kind.factor))
            message.accelerator.rules.extend(inside)
        case _:
            assert_never(kind)


def _condition(condition: Condition, currency: str) -> plans_pb2.Condition:
    bound = from_value(condition.metric.unit, condition.bound, currency)
    message = plans_pb2.Condition(metric=condition.metric.name)
    (message.at_most if condition.at_most else message.at_least).CopyFrom(bound)
    return message


def _share(share: Figure) -> values_pb2.Value:
    return from_value(Unit.RATE, share, "")

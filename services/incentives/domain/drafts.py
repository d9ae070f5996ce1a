"""Plans as somebody wrote them: anything may be wrong or missing, and `checks` says what."""

from dataclasses import dataclass
from datetime import date

from services.incentives.domain.metrics import Figure
from services.incentives.domain.periods import PeriodKind
from services.incentives.domain.plans import (
    PerPoint,
    PerUnit,
    PointMode,
    Rule,
    RuleKind,
    ThresholdBonus,
    Tier,
    Tiers,
)


@dataclass(frozen=True, slots=True)
class DraftMoney:
    """An amount in minor units; `minor` is None where it is no whole number of them."""

    currency: str
    minor: int | None


@dataclass(frozen=True, slots=True)
class DraftValue:
    """A value with the number of its unit."""

    unit: int
    numerator: int
    denominator: int
    currency: str = ""


@dataclass(frozen=True, slots=True)
class DraftTier:
    """A tier."""

    low: DraftValue | None
    high: DraftValue | None
    amount: DraftMoney | None


@dataclass(frozen=True, slots=True)
class DraftRule:
    """A rule of one kind: per_unit, threshold_bonus, per_point, tiers, or empty for none."""

    id: str
    label: str
    kind: str
    metric: str = ""
    amount: DraftMoney | None = None
    threshold: DraftValue | None = None
    mode: int = 0
    tiers: tuple[DraftTier, ...] = ()


@dataclass(frozen=True, slots=True)
class DraftPlan:
    """A plan."""

    id: str
    node_id: str
    job_role: str
    name: str
    period_kind: int
    rules: tuple[DraftRule, ...]
    effective_from: date | None
    reason: str


def accept(draft: DraftPlan) -> tuple[PeriodKind, date, tuple[Rule, ...]]:
    """The stored form of a draft that was checked and found without error."""
    if draft.effective_from is None:
        raise ValueError("an unchecked draft")
    rules = tuple(Rule(rule.id, rule.label, _kind(rule)) for rule in draft.rules)
    return PeriodKind(draft.period_kind), draft.effective_from, rules


def _kind(rule: DraftRule) -> RuleKind:
    match rule.kind:
        case "per_unit":
            return PerUnit(rule.metric, _minor(rule.amount))
        case "threshold_bonus":
            return ThresholdBonus(rule.metric, _figure(rule.threshold), _minor(rule.amount))
        case "per_point":
            return PerPoint(rule.metric, _figure(rule.threshold), _minor(rule.amount), PointMode(rule.mode))
        case "tiers":
            return Tiers(rule.metric, tuple(_tier(tier) for tier in rule.tiers))
        case _:
            raise ValueError("an unchecked draft")


def _tier(tier: DraftTier) -> Tier:
    high = None if tier.high is None else _figure(tier.high)
    return Tier(_figure(tier.low), high, _minor(tier.amount))


def _figure(value: DraftValue | None) -> Figure:
    if value is None:
        raise ValueError("an unchecked draft")
    return Figure(value.numerator, value.denominator)


def _minor(money: DraftMoney | None) -> int:
    if money is None or money.minor is None:
        raise ValueError("an unchecked draft")
    return money.minor

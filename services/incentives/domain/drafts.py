"""Plans as somebody wrote them: anything may be wrong or missing, and `checks` says what."""

from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple

from services.incentives.domain.metrics import MENTEES, PRIZE, UNREAD, Figure, Known, Unit, base, named
from services.incentives.domain.parameters import Parameter
from services.incentives.domain.periods import PeriodKind
from services.incentives.domain.rules import (
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
    MentorBonus,
    PerPoint,
    PerUnit,
    PointMode,
    Ramp,
    RankingPrize,
    RateOf,
    Rule,
    RuleKind,
    ThresholdBonus,
    Tier,
    Tiers,
)

DEFAULT_MINIMUM: Final = 5
"""The least denominator of a ranked ratio where none is told (R8)."""


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
class DraftBand:
    """A band: of money `share` is paid, of counts and minutes `amount` for each."""

    low: DraftValue | None
    high: DraftValue | None
    share: DraftValue | None
    amount: DraftMoney | None


@dataclass(frozen=True, slots=True)
class DraftCondition:
    """A metric and one of the two bounds."""

    metric: str
    bound: DraftValue | None
    at_most: bool = False


@dataclass(frozen=True, slots=True)
class DraftRule:
    """A rule of one kind, named as in the contract's `Rule.kind`, or empty for none; a wrapper holds `rules`.

    `share` is also an accelerator's factor and a draw's recovery. `credit` holds metrics with their shares.
    """

    id: str
    label: str
    kind: str
    metric: str = ""
    amount: DraftMoney | None = None
    threshold: DraftValue | None = None
    mode: int = 0
    tiers: tuple[DraftTier, ...] = ()
    share: DraftValue | None = None
    bands: tuple[DraftBand, ...] = ()
    credit: tuple[tuple[str, DraftValue | None], ...] = ()
    condition: DraftCondition | None = None
    months: int = 0
    shares: tuple[DraftValue, ...] = ()
    minimum_denominator: int = 0
    prizes: tuple[DraftMoney, ...] = ()
    first: date | None = None
    end: date | None = None
    rules: tuple["DraftRule", ...] = ()


@dataclass(frozen=True, slots=True)
class DraftParameter:
    """A number that nodes below may set."""

    rule_id: str
    field: str
    minimum: DraftValue | None = None
    maximum: DraftValue | None = None


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
    parameters: tuple[DraftParameter, ...] = ()


class Accepted(NamedTuple):
    """What a draft says in its stored form."""

    period_kind: PeriodKind
    effective_from: date
    rules: tuple[Rule, ...]
    parameters: tuple[Parameter, ...]


def accept(draft: DraftPlan, known: Known) -> Accepted:
    """The stored form of a draft that was checked, with the same metrics known, and found without error."""
    if draft.effective_from is None:
        raise ValueError("an unchecked draft")
    parameters = tuple(
        Parameter(
            each.rule_id,
            each.field,
            None if each.minimum is None else _figure(each.minimum),
            None if each.maximum is None else _figure(each.maximum),
        )
        for each in draft.parameters
    )
    rules = accepted_rules(draft.rules, known)
    return Accepted(PeriodKind(draft.period_kind), draft.effective_from, rules, parameters)


def accepted_rules(drafts: tuple[DraftRule, ...], known: Known) -> tuple[Rule, ...]:
    """The stored form of rules that were checked."""
    return tuple(
        Rule(
            draft.id,
            draft.label,
            _kind(draft, known),
            tuple((known[metric], _figure(share)) for metric, share in draft.credit),
        )
        for draft in drafts
    )


def _wrapper(rule: DraftRule, known: Known) -> RuleKind:
    inside = accepted_rules(rule.rules, known)
    match rule.kind:
        case "group":
            return Group(inside)
        case "gate":
            return Gate(_condition(rule.condition, known), inside)
        case "cap":
            return Cap(_minor(rule.amount), inside)
        case "floor":
            return Floor(_minor(rule.amount), inside)
        case "guarantee":
            return Guarantee(_minor(rule.amount), rule.months, inside)
        case "draw":
            return Draw(_minor(rule.amount), rule.months, _figure(rule.share), inside)
        case "ramp":
            return Ramp(tuple(_figure(share) for share in rule.shares), inside)
        case _:
            return Accelerator(_condition(rule.condition, known), _figure(rule.share), inside)


def _kind(rule: DraftRule, known: Known) -> RuleKind:  # noqa: PLR0911  a case a kind
    if rule.rules:
        return _wrapper(rule, known)
    if rule.kind == "mentor_bonus":
        counted = base(f"{MENTEES}{rule.id}", Unit.COUNT)
        return MentorBonus(counted, _condition(rule.condition, known), _minor(rule.amount))
    if rule.kind == "ranking_prize":
        won = base(f"{PRIZE}{rule.id}", Unit.MONEY)
        least = rule.minimum_denominator or DEFAULT_MINIMUM
        prizes = tuple(_minor(prize) for prize in rule.prizes)
        return RankingPrize(won, known[rule.metric], least, prizes, rule.first, rule.end)
    metric = UNREAD if rule.credit else known[rule.metric]
    match rule.kind:
        case "rate_of":
            return RateOf(metric, _figure(rule.share))
        case "graduated":
            return Graduated(metric, tuple(_band(band) for band in rule.bands))
        case "per_unit":
            return PerUnit(metric, _minor(rule.amount))
        case "threshold_bonus":
            return ThresholdBonus(metric, _figure(rule.threshold), _minor(rule.amount))
        case "per_point":
            return PerPoint(metric, _figure(rule.threshold), _minor(rule.amount), PointMode(rule.mode))
        case "tiers":
            return Tiers(metric, tuple(_tier(tier) for tier in rule.tiers))
        case _:
            raise ValueError("an unchecked draft")


def _tier(tier: DraftTier) -> Tier:
    high = None if tier.high is None else _figure(tier.high)
    return Tier(_figure(tier.low), high, _minor(tier.amount))


def _band(band: DraftBand) -> Band:
    high = None if band.high is None else _figure(band.high)
    each = Figure(_minor(band.amount), 1) if band.share is None else _figure(band.share)
    return Band(_figure(band.low), high, each)


def _condition(condition: DraftCondition | None, known: Known) -> Condition:
    if condition is None:
        raise ValueError("an unchecked draft")
    return Condition(named(known, condition.metric), _figure(condition.bound), condition.at_most)


def _figure(value: DraftValue | None) -> Figure:
    if value is None:
        raise ValueError("an unchecked draft")
    return Figure(value.numerator, value.denominator)


def _minor(money: DraftMoney | None) -> int:
    if money is None or money.minor is None:
        raise ValueError("an unchecked draft")
    return money.minor

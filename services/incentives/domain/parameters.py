"""Numbers of a plan that nodes below may set for themselves: which a rule has, and the rule with others (0430)."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Final, NamedTuple

from services.incentives.domain.limits import (
    LARGEST_AMOUNT,
    LARGEST_DENOMINATOR,
    LARGEST_FACTOR,
    LARGEST_NUMERATOR,
    MOST_MONTHS,
)
from services.incentives.domain.metrics import Figure, Metric, Unit, is_course
from services.incentives.domain.rules import (
    POINTS,
    Accelerator,
    Band,
    Cap,
    Draw,
    Floor,
    Gate,
    Graduated,
    Guarantee,
    MentorBonus,
    PerPoint,
    PerUnit,
    PointMode,
    Ramp,
    RateOf,
    Rule,
    RuleKind,
    ThresholdBonus,
    Tier,
    Tiers,
    Wrapper,
    metrics_of,
)

_SEVERAL: Final = re.compile(r"(tiers|bands|shares)\[(\d{1,2})\]")
_PAYS: Final = PerUnit | ThresholdBonus | PerPoint | MentorBonus | Cap | Floor | Guarantee | Draw
_CONDITIONED: Final = Gate | Accelerator | MentorBonus


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number that nodes below may set: a rule's field, from `minimum` to `maximum`, both included; None is open."""

    rule_id: str
    field: str
    minimum: Figure | None = None
    maximum: Figure | None = None

    @property
    def key(self) -> str:
        """What it is called in one plan."""
        return f"{self.rule_id}.{self.field}"


Numbers = tuple[tuple[str, Figure], ...]
"""Other numbers than a plan's own by `Parameter.key`, in order, each reduced; money in minor units."""


class Number(NamedTuple):
    """A number of a rule: what it is, in which unit (money: minor units), and from where to where it makes sense.

    `above`: the least itself does not.
    """

    value: Figure
    unit: Unit
    least: Fraction
    most: Fraction
    above: bool = False

    def admits(self, value: Fraction) -> bool:
        """Whether the rule makes sense with the value."""
        if self.unit is not Unit.RATE and value.denominator != 1:
            return False
        return self.least <= value <= self.most and not (self.above and value == self.least)


def numbers_of(rule: Rule) -> Mapping[str, Number]:
    """The numbers of a rule that may be set by themselves, by field as the contract's messages name them.

    Not where a tier ends or what a rank wins: those only make sense together.
    """
    return dict(_numbers(rule))


def with_numbers(rules: Iterable[Rule], numbers: Mapping[str, Figure]) -> tuple[Rule, ...]:
    """The same rules with these numbers, by `Parameter.key`."""
    return tuple(_with_numbers(rule, numbers) for rule in rules)


def _with_numbers(rule: Rule, numbers: Mapping[str, Figure]) -> Rule:
    kind = rule.kind
    if isinstance(kind, Wrapper):
        kind = replace(kind, rules=with_numbers(kind.rules, numbers))
    for field in numbers_of(rule):
        value = numbers.get(f"{rule.id}.{field}")
        if value is not None:
            kind = _set(kind, field, value)
    return replace(rule, kind=kind)


def _set(kind: Any, field: str, value: Figure) -> RuleKind:
    several = _SEVERAL.fullmatch(field)
    if several is not None:
        name, at = several[1], int(several[2])
        parts = list(getattr(kind, name))
        parts[at] = _part(parts[at], value)
        changed: dict[str, object] = {name: tuple(parts)}
    elif field == "condition":
        changed = {field: replace(kind.condition, bound=value)}
    else:
        changed = {field: value.numerator if field in ("amount", "months") else value}
    made: RuleKind = replace(kind, **changed)
    return made


def _part(part: Tier | Band | Figure, value: Figure) -> Tier | Band | Figure:
    match part:
        case Tier():
            return replace(part, amount=value.numerator)
        case Band():
            return replace(part, each=value)
    return value


def _numbers(rule: Rule) -> Iterator[tuple[str, Number]]:
    kind = rule.kind
    if isinstance(kind, ThresholdBonus | PerPoint):
        yield "threshold", _threshold(kind, metrics_of(rule)[0])
    if isinstance(kind, _PAYS):
        yield "amount", _money(kind.amount, 0 if isinstance(kind, Cap) else 1)
    if isinstance(kind, _CONDITIONED) and not is_course(kind.condition.metric.name):
        at_most, metric = kind.condition.at_most, kind.condition.metric
        most = LARGEST_NUMERATOR if at_most else metric.largest or LARGEST_NUMERATOR
        yield "condition", Number(kind.condition.bound, metric.unit, Fraction(0), Fraction(most))
    if isinstance(kind, Guarantee | Draw):
        yield "months", Number(Figure(kind.months, 1), Unit.COUNT, Fraction(1), Fraction(MOST_MONTHS))
    yield from _shares(kind)
    yield from _steps(rule)


def _shares(kind: RuleKind) -> Iterator[tuple[str, Number]]:
    match kind:
        case RateOf():
            yield "share", _share(kind.share, above=True)
        case Draw():
            yield "recovery", _share(kind.recovery, above=True)
        case Accelerator():
            yield "factor", Number(kind.factor, Unit.RATE, Fraction(1), Fraction(LARGEST_FACTOR), above=True)
        case Ramp():
            yield from ((f"shares[{at}]", _share(share)) for at, share in enumerate(kind.shares))


def _steps(rule: Rule) -> Iterator[tuple[str, Number]]:
    """What each tier or band pays."""
    kind = rule.kind
    if isinstance(kind, Tiers):
        yield from ((f"tiers[{at}]", _money(tier.amount, 0)) for at, tier in enumerate(kind.tiers))
    if isinstance(kind, Graduated):
        of_money = metrics_of(rule)[0].unit is Unit.MONEY
        for at, band in enumerate(kind.bands):
            yield f"bands[{at}]", _share(band.each) if of_money else _money(band.each.numerator, 0)


def _threshold(kind: ThresholdBonus | PerPoint, metric: Metric) -> Number:
    """Up to where the rule can still pay."""
    most = Fraction(LARGEST_NUMERATOR)
    if metric.largest is not None:
        room = Fraction(0)
        if isinstance(kind, PerPoint):
            room = Fraction(1, POINTS if kind.mode is PointMode.WHOLE else LARGEST_DENOMINATOR)
        most = metric.largest - room
    return Number(kind.threshold, metric.unit, Fraction(0), most)


def _money(amount: int, least: int) -> Number:
    return Number(Figure(amount, 1), Unit.MONEY, Fraction(least), Fraction(LARGEST_AMOUNT))


def _share(share: Figure, *, above: bool = False) -> Number:
    return Number(share, Unit.RATE, Fraction(0), Fraction(1), above)

"""The rules of plans, as data."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from typing import Final, NamedTuple

from services.incentives.domain.metrics import Figure, Metric

POINTS: Final = 100
"""A percentage point is a hundredth: points = rate x 100."""


class PointMode(IntEnum):
    """How part points pay (R2); the numbers of the contract's `PerPoint.Mode`."""

    WHOLE = 1
    PRO_RATA = 2


@dataclass(frozen=True, slots=True)
class PerUnit:
    """`amount` minor units for each whole unit."""

    metric: Metric
    amount: int


@dataclass(frozen=True, slots=True)
class ThresholdBonus:
    """`amount` minor units once the metric reaches the threshold, which is inclusive (R3)."""

    metric: Metric
    threshold: Figure
    amount: int


@dataclass(frozen=True, slots=True)
class PerPoint:
    """`amount` minor units per percentage point of a rate above the threshold (R2)."""

    metric: Metric
    threshold: Figure
    amount: int
    mode: PointMode


@dataclass(frozen=True, slots=True)
class Tier:
    """`amount` minor units for values in [low, high); no high is no upper end."""

    low: Figure
    high: Figure | None
    amount: int


@dataclass(frozen=True, slots=True)
class Tiers:
    """The tier the value is in; the first begins at 0, each begins where the one before ends (R3)."""

    metric: Metric
    tiers: tuple[Tier, ...]


@dataclass(frozen=True, slots=True)
class RateOf:
    """A share of a money metric, rounded once, half up."""

    metric: Metric
    share: Figure


@dataclass(frozen=True, slots=True)
class Band:
    """What is in [low, high) pays `each` minor units per unit of the metric: of money a share, else whole."""

    low: Figure
    high: Figure | None
    each: Figure


@dataclass(frozen=True, slots=True)
class Graduated:
    """Every part of the value pays at its own band's rate; the line is rounded once, half up."""

    metric: Metric
    bands: tuple[Band, ...]


@dataclass(frozen=True, slots=True)
class Condition:
    """A metric at least, or at most, a value; reaching it exactly is meeting it (R3), no data is not (R4)."""

    metric: Metric
    bound: Figure
    at_most: bool = False


@dataclass(frozen=True, slots=True)
class MentorBonus:
    """`amount` minor units for each person mentored whose own figures of the period meet the condition.

    `metric` counts them.
    """

    metric: Metric
    condition: Condition
    amount: int


@dataclass(frozen=True, slots=True)
class RankingPrize:
    """`prizes`, in minor units from rank 1 on, for the best by `ranked` of all whom the plan pays for a period.

    For periods that begin within [first, end); None is open. `metric` is what somebody won, known when it is closed.
    """

    metric: Metric
    ranked: Metric
    minimum_denominator: int
    prizes: tuple[int, ...]
    first: date | None = None
    end: date | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Its rules add up."""

    rules: tuple["Rule", ...]


@dataclass(frozen=True, slots=True)
class Gate:
    """Its rules are paid only where the condition holds."""

    condition: Condition
    rules: tuple["Rule", ...]


@dataclass(frozen=True, slots=True)
class Cap:
    """Its rules together pay at most `amount` minor units."""

    amount: int
    rules: tuple["Rule", ...]


@dataclass(frozen=True, slots=True)
class Floor:
    """Its rules together pay at least `amount` minor units."""

    amount: int
    rules: tuple["Rule", ...]


@dataclass(frozen=True, slots=True)
class Guarantee:
    """Its rules together pay at least `amount` minor units in the first `months` months of tenure."""

    amount: int
    months: int
    rules: tuple["Rule", ...]


@dataclass(frozen=True, slots=True)
class Draw:
    """Its rules together pay at least `amount` minor units in the first `months` months of tenure, as an advance.

    `recovery` is the share of what they pay above it, and of all they pay after those months, that pays it back.
    """

    amount: int
    months: int
    recovery: Figure
    rules: tuple["Rule", ...]


@dataclass(frozen=True, slots=True)
class Ramp:
    """Its rules pay a share in each of the first months of tenure, and all of it after the last share."""

    shares: tuple[Figure, ...]
    rules: tuple["Rule", ...]


@dataclass(frozen=True, slots=True)
class Accelerator:
    """Its rules pay `factor` times as much where the condition holds; the factor is above 1."""

    condition: Condition
    factor: Figure
    rules: tuple["Rule", ...]


Leaf = PerUnit | ThresholdBonus | PerPoint | Tiers | RateOf | Graduated | MentorBonus | RankingPrize
Wrapper = Group | Gate | Cap | Floor | Guarantee | Draw | Ramp | Accelerator
RuleKind = Leaf | Wrapper
WRAPPERS: Final = frozenset({Group, Gate, Cap, Floor, Guarantee, Draw, Ramp, Accelerator})

Credit = tuple[tuple[Metric, Figure], ...]
"""Metrics of one unit, each with the share that is credited; their sum is what a leaf reads instead of one metric."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: a statement line. With a `credit` its kind, a leaf, reads no metric of its own."""

    id: str
    label: str
    kind: RuleKind
    credit: Credit = ()


def metrics_of(rule: Rule) -> tuple[Metric, ...]:
    """The metrics that a rule itself reads; a wrapper's condition, not the rules inside."""
    kind = rule.kind
    match kind:
        case Gate() | Accelerator():
            return (kind.condition.metric,)
        case Group() | Cap() | Floor() | Guarantee() | Draw() | Ramp():
            return ()
    return tuple(metric for metric, _ in rule.credit) or (kind.metric,)


class Node(NamedTuple):
    """A rule in its place: every rule is one, in the order of the statement's lines, a wrapper before its rules.

    `parent` is the index of the wrapper it is in, -1 for none; `end` the index after the last rule inside it.
    """

    rule: Rule
    parent: int
    depth: int
    end: int
    place: str


def nodes_of(rules: Iterable[Rule]) -> tuple[Node, ...]:
    """The rules of a tree, a wrapper before what it holds; `place` as in `rules[0].rules[1]`."""
    found: list[Node] = []

    def visit(inside: Iterable[Rule], parent: int, depth: int, prefix: str) -> None:
        for number, rule in enumerate(inside):
            at = len(found)
            found.append(Node(rule, parent, depth, at + 1, f"{prefix}rules[{number}]"))
            if isinstance(rule.kind, Wrapper):
                visit(rule.kind.rules, at, depth + 1, f"{found[at].place}.")
                found[at] = found[at]._replace(end=len(found))

    visit(rules, -1, 0, "")
    return tuple(found)

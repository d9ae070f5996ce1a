"""Incentives worked out the slow and obvious way, sharing no code with the service: Fractions and plain loops.

It knows the contract's rules R1 to R5 and R8 only, and is what the service is held against.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import product
from math import floor
from typing import NamedTuple

from hypothesis import strategies as st

from services.incentives.domain.metrics import Figure
from services.incentives.domain.plans import PerPoint, PerUnit, PointMode, Rule, ThresholdBonus, Tier, Tiers

Figures = Mapping[str, int]

LIMIT = 10**15
COUNTS = (
    "customers_followed",
    "new_customers",
    "deals_won",
    "deals_lost",
    "emails_sent",
    "meetings_attended",
)
_RATIOS = {
    "close_rate": ("deals_won", ("customers_followed",)),
    "win_rate": ("deals_won", ("deals_won", "deals_lost")),
    "average_order_value": ("revenue", ("deals_won", "orders_placed")),
}
LEVERS = {
    1: ("customers_followed", "new_customers"),
    2: ("deals_won",),
    3: ("emails_sent",),
    4: ("meetings_attended",),
}


def value_of(metric: str, figures: Figures) -> Fraction | None:
    if metric not in _RATIOS:
        return Fraction(figures.get(metric, 0))
    above, below = _RATIOS[metric]
    whole = sum(figures.get(name, 0) for name in below)
    return Fraction(figures.get(above, 0), whole) if whole else None


def half_up(amount: Fraction) -> int:
    return floor(amount + Fraction(1, 2))


def pays(rule: Rule, value: Fraction | None) -> int:
    """R2, R3, R4; and no line pays more than LIMIT."""
    return min(LIMIT, _pays(rule, value))


def _pays(rule: Rule, value: Fraction | None) -> int:
    if value is None:
        return 0
    value = max(value, Fraction(0))
    match rule.kind:
        case PerUnit(amount=amount):
            return floor(value) * amount
        case ThresholdBonus(threshold=threshold, amount=amount):
            return amount if value >= Fraction(*threshold) else 0
        case PerPoint(threshold=threshold, amount=amount, mode=mode):
            points = (value - Fraction(*threshold)) * 100
            if points <= 0:
                return 0
            return floor(points) * amount if mode == PointMode.WHOLE else half_up(points * amount)
        case Tiers(tiers=steps):
            for tier in steps:
                if Fraction(*tier.low) <= value and (tier.high is None or value < Fraction(*tier.high)):
                    return tier.amount
    raise AssertionError("no tier holds the value")


def total(rules: Sequence[Rule], figures: Figures, held: Mapping[str, Fraction | None] | None = None) -> int:
    """R5, R6."""
    return sum(
        pays(
            rule,
            held[rule.kind.metric]
            if held and rule.kind.metric in held
            else value_of(rule.kind.metric, figures),
        )
        for rule in rules
    )


def after(figures: Figures, changes: Mapping[int, int]) -> dict[str, int]:
    changed = dict(figures)
    for lever, number in changes.items():
        for name in LEVERS[lever]:
            changed[name] = changed.get(name, 0) + number
    return changed


def least_alone(rules: Sequence[Rule], figures: Figures, lever: int, most: int) -> int | None:
    now = total(rules, figures)
    for number in range(1, most + 1):
        if total(rules, after(figures, {lever: number})) > now:
            return number
    return None


def least_pairs(rules: Sequence[Rule], figures: Figures, most: int) -> set[tuple[int, int]]:
    """(follow-ups, deals), both at least 1, that bring more where nothing smaller in both respects does."""
    now = total(rules, figures)
    enough = {
        (follow_ups, deals)
        for follow_ups, deals in product(range(most + 1), repeat=2)
        if total(rules, after(figures, {1: follow_ups, 2: deals})) > now
    }
    return {
        pair
        for pair in enough
        if all(pair)
        and not any(other != pair and other[0] <= pair[0] and other[1] <= pair[1] for other in enough)
    }


class Ranked(NamedTuple):
    rank: int
    person_id: str


def ranks(values: Mapping[str, Fraction]) -> list[Ranked]:
    """Competition ranks: one more than how many are strictly better (R8)."""
    order = sorted(values, key=lambda who: (-values[who], who))
    return [Ranked(1 + sum(other > values[who] for other in values.values()), who) for who in order]


# What plans and figures can be.

AMOUNTS = st.integers(1, 10**6) | st.sampled_from([1, 33, 5_000, 10**12])


@st.composite
def rates(draw: st.DrawFn) -> Figure:
    below = draw(st.sampled_from([1, 3, 7, 20, 100, 1000, 10**9]) | st.integers(1, 500))
    return Figure(draw(st.integers(0, below)), below)


@st.composite
def tier_sets(draw: st.DrawFn, metric: str) -> Tiers:
    if metric in ("close_rate", "win_rate"):
        cuts = sorted({Fraction(*draw(rates())) for _ in range(draw(st.integers(0, 4)))} - {Fraction(0)})
    else:
        cuts = [Fraction(cut) for cut in sorted(draw(st.sets(st.integers(1, 60), max_size=4)))]
    ends = [Figure(cut.numerator, cut.denominator) for cut in cuts]
    lows, highs = [Figure(0, 1), *ends], [*ends, None]
    return Tiers(
        metric,
        tuple(Tier(low, high, draw(st.integers(0, 10**6))) for low, high in zip(lows, highs, strict=True)),
    )


@st.composite
def rules(draw: st.DrawFn, most: int = 4) -> tuple[Rule, ...]:
    found = []
    for number in range(draw(st.integers(1, most))):
        which = draw(st.sampled_from(["per_unit", "bonus", "per_point", "tiers"]))
        rate = draw(st.sampled_from(["close_rate", "win_rate"]))
        any_metric = draw(st.sampled_from([*COUNTS, rate]))
        kind: PerUnit | ThresholdBonus | PerPoint | Tiers
        if which == "per_unit":
            kind = PerUnit(draw(st.sampled_from(COUNTS)), draw(AMOUNTS))
        elif which == "bonus":
            low = draw(rates()) if any_metric == rate else Figure(draw(st.integers(0, 60)), 1)
            kind = ThresholdBonus(any_metric, low, draw(AMOUNTS))
        elif which == "per_point":
            kind = PerPoint(rate, draw(rates()), draw(AMOUNTS), draw(st.sampled_from(PointMode)))
        else:
            kind = draw(tier_sets(any_metric))
        found.append(Rule(f"r{number}", f"第{number}条", kind))
    return tuple(found)


@st.composite
def figures(draw: st.DrawFn, most: int = 40) -> dict[str, int]:
    numbers = st.integers(0, most) | st.just(0)
    return {name: draw(numbers) for name in COUNTS}

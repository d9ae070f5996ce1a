"""Incentives worked out the slow and obvious way, sharing no code with the service: Fractions and plain loops.

It knows what the contract says of rules and of R1 to R5 and R8 only, and is what the service is held against.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import product
from math import floor
from typing import NamedTuple

from hypothesis import strategies as st

from services.incentives.domain.metrics import UNREAD, Figure, Metric, Unit, base, named, ratio
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
OWN_COUNTS = ("online_deals", "online_customers")
OWN_MONEY = "online_revenue"
_OWN = {
    OWN_MONEY: base(OWN_MONEY, Unit.MONEY),
    "online_rate": ratio("online_rate", Unit.RATE, *(base(name, Unit.COUNT) for name in OWN_COUNTS)),
}
"""Metrics of the enterprise's own."""
RATES = ("close_rate", "win_rate", "online_rate")
_RATIOS = {
    "online_rate": ("online_deals", ("online_customers",)),
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


def metric_of(name: str) -> Metric:
    """What rules read by a name."""
    return named(_OWN, name) if name else UNREAD


def value_of(metric: str, figures: Figures) -> Fraction | None:
    if metric not in _RATIOS:
        return Fraction(figures.get(metric, 0))
    above, below = _RATIOS[metric]
    whole = sum(figures.get(name, 0) for name in below)
    return Fraction(figures.get(above, 0), whole) if whole else None


def half_up(amount: Fraction) -> int:
    return floor(amount + Fraction(1, 2))


def read_by(
    rule: Rule, figures: Figures, held: Mapping[str, Fraction | None] | None = None
) -> Fraction | None:
    """What a rule that pays for something reads: its metric, or the sum of what is credited."""

    def one(metric: str) -> Fraction | None:
        return held[metric] if held and metric in held else value_of(metric, figures)

    if rule.credit:
        return sum(
            ((one(metric.name) or Fraction(0)) * Fraction(*share) for metric, share in rule.credit),
            Fraction(0),
        )
    metric: Metric = getattr(rule.kind, "metric")  # noqa: B009  only rules that pay for something have one
    return one(metric.name)


def pays(rule: Rule, value: Fraction | None) -> int:
    """R2, R3, R4; and no line pays more than LIMIT."""
    return min(LIMIT, _pays(rule, value))


def _pays(rule: Rule, value: Fraction | None) -> int:  # noqa: C901, PLR0911  a case a kind
    if value is None:
        return 0
    value = max(value, Fraction(0))
    match rule.kind:
        case PerUnit(amount=amount) | MentorBonus(amount=amount):
            return floor(value) * amount
        case RankingPrize():
            return floor(value)
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
        case RateOf(share=share):
            return half_up(value * Fraction(*share))
        case Graduated(bands=parts):
            return _band_by_band(parts, value)
    raise AssertionError("no tier holds the value")


def _band_by_band(parts: Sequence[Band], value: Fraction) -> int:
    paid = Fraction(0)
    for band in parts:
        top = value if band.high is None else min(value, Fraction(*band.high))
        paid += max(Fraction(0), top - Fraction(*band.low)) * Fraction(*band.each)
    return half_up(paid)


def lines(
    rules: Sequence[Rule], figures: Figures, held: Mapping[str, Fraction | None] | None = None
) -> list[int]:
    """A line a rule, a wrapper before those inside it; a wrapper's is the difference it makes."""
    found: list[int] = []
    for rule in rules:
        if not hasattr(rule.kind, "rules"):
            found.append(pays(rule, read_by(rule, figures, held)))
            continue
        inside = lines(rule.kind.rules, figures, held)
        before = sum(inside)
        found.append(_becomes(rule, before, figures, held) - before)
        found += inside
    return found


def _becomes(  # noqa: C901, PLR0911  a case a kind
    rule: Rule, before: int, figures: Figures, held: Mapping[str, Fraction | None] | None
) -> int:
    """What the rules inside a wrapper pay because of it."""
    month = figures.get("tenure_month", 0)

    def holds(condition: Condition) -> bool:
        metric = condition.metric.name
        value = held[metric] if held and metric in held else value_of(metric, figures)
        if value is None:
            return False
        bound = Fraction(*condition.bound)
        return max(value, Fraction(0)) <= bound if condition.at_most else max(value, Fraction(0)) >= bound

    match rule.kind:
        case Group():
            return before
        case Gate(condition=condition):
            return before if holds(condition) else 0
        case Cap(amount=amount):
            return min(before, amount)
        case Floor(amount=amount):
            return max(before, amount)
        case Guarantee(amount=amount, months=months):
            return max(before, amount) if 1 <= month <= months else before
        case Draw(amount=amount, months=months, recovery=recovery):
            least = amount if month <= months else 0
            if month < 1 or before <= least:
                return before if month < 1 else least
            back = half_up((before - least) * Fraction(*recovery))
            return before - min(back, figures.get(f"drawn:{rule.id}", 0))
        case Ramp(shares=shares):
            return half_up(before * Fraction(*shares[month - 1])) if 1 <= month <= len(shares) else before
        case Accelerator(condition=condition, factor=factor):
            more = before * (Fraction(*factor) - 1)
            return before + min(LIMIT, half_up(more)) if holds(condition) else before
    raise AssertionError("a wrapper nobody knows")


def total(rules: Sequence[Rule], figures: Figures, held: Mapping[str, Fraction | None] | None = None) -> int:
    """R5, R6."""
    return sum(lines(rules, figures, held))


def after(figures: Figures, changes: Mapping[int | str, int]) -> dict[str, int]:
    changed = dict(figures)
    for lever, number in changes.items():
        for name in (lever,) if isinstance(lever, str) else LEVERS[lever]:
            changed[name] = changed.get(name, 0) + number
    return changed


def least_alone(rules: Sequence[Rule], figures: Figures, lever: int | str, most: int) -> int | None:
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

COURSE = "course:sales-basics"
AMOUNTS = st.integers(1, 10**6) | st.sampled_from([1, 33, 5_000, 10**12])


@st.composite
def rates(draw: st.DrawFn) -> Figure:
    below = draw(st.sampled_from([1, 3, 7, 20, 100, 1000, 10**9]) | st.integers(1, 500))
    return Figure(draw(st.integers(0, below)), below)


@st.composite
def tier_sets(draw: st.DrawFn, metric: str) -> Tiers:
    if metric in RATES:
        cuts = sorted({Fraction(*draw(rates())) for _ in range(draw(st.integers(0, 4)))} - {Fraction(0)})
    else:
        cuts = [Fraction(cut) for cut in sorted(draw(st.sets(st.integers(1, 60), max_size=4)))]
    ends = [Figure(cut.numerator, cut.denominator) for cut in cuts]
    lows, highs = [Figure(0, 1), *ends], [*ends, None]
    return Tiers(
        metric_of(metric),
        tuple(Tier(low, high, draw(st.integers(0, 10**6))) for low, high in zip(lows, highs, strict=True)),
    )


@st.composite
def rules(draw: st.DrawFn, most: int = 4) -> tuple[Rule, ...]:
    found = []
    for number in range(draw(st.integers(1, most))):
        which = draw(st.sampled_from(["per_unit", "bonus", "per_point", "tiers"]))
        rate = draw(st.sampled_from(RATES))
        any_metric = draw(st.sampled_from([*COUNTS, *OWN_COUNTS, rate]))
        kind: PerUnit | ThresholdBonus | PerPoint | Tiers
        if which == "per_unit":
            kind = PerUnit(metric_of(draw(st.sampled_from([*COUNTS, *OWN_COUNTS]))), draw(AMOUNTS))
        elif which == "bonus":
            low = draw(rates()) if any_metric == rate else Figure(draw(st.integers(0, 60)), 1)
            kind = ThresholdBonus(metric_of(any_metric), low, draw(AMOUNTS))
        elif which == "per_point":
            kind = PerPoint(metric_of(rate), draw(rates()), draw(AMOUNTS), draw(st.sampled_from(PointMode)))
        else:
            kind = draw(tier_sets(any_metric))
        found.append(Rule(f"r{number}", f"第{number}条", kind))
    return tuple(found)


@st.composite
def figures(draw: st.DrawFn, most: int = 40) -> dict[str, int]:
    numbers = st.integers(0, most) | st.just(0)
    return {name: draw(numbers) for name in (*COUNTS, *OWN_COUNTS)}


@st.composite
def bands(draw: st.DrawFn, metric: str) -> Graduated:
    if metric in ("revenue", OWN_MONEY):
        cuts = sorted(draw(st.sets(st.integers(1, 10**7), max_size=3)))
        each = st.integers(0, 1000).map(lambda share: Figure(share, 1000)) | rates()
    else:
        cuts = sorted(draw(st.sets(st.integers(1, 60), max_size=3)))
        each = st.integers(0, 10**5).map(lambda amount: Figure(amount, 1))
    lows, highs = [0, *cuts], [*cuts, None]
    return Graduated(
        metric_of(metric),
        tuple(
            Band(Figure(low, 1), None if high is None else Figure(high, 1), draw(each))
            for low, high in zip(lows, highs, strict=True)
        ),
    )


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    if draw(st.booleans()):
        return Condition(metric_of(draw(st.sampled_from(RATES))), draw(rates()), draw(st.booleans()))
    metric = draw(st.sampled_from([*COUNTS, COURSE]))
    if metric == COURSE:
        return Condition(metric_of(COURSE), Figure(1, 1))
    return Condition(metric_of(metric), Figure(draw(st.integers(0, 30)), 1), draw(st.booleans()))


@st.composite
def leaves(draw: st.DrawFn, number: int) -> Rule:
    """Any rule that pays for something."""
    kind: RuleKind
    which = draw(st.sampled_from(["flat", "flat", "rate_of", "graduated", "credit", "mentees", "prize"]))
    if which == "flat":
        return replace(draw(rules(1))[0], id=f"r{number}")
    if which == "credit":
        names = draw(st.lists(st.sampled_from(COUNTS), min_size=1, max_size=3, unique=True))
        credit = tuple(
            (metric_of(name), Figure(draw(st.integers(1, 7)), draw(st.integers(1, 7)))) for name in names
        )
        kinds: list[RuleKind] = [
            PerUnit(UNREAD, draw(AMOUNTS)),
            ThresholdBonus(UNREAD, Figure(5, 1), draw(AMOUNTS)),
        ]
        kinds += [draw(tier_sets("")), draw(bands(""))]
        return Rule(f"r{number}", "按比例计入", draw(st.sampled_from(kinds)), credit)
    if which == "prize":
        won = base(f"prize:r{number}", Unit.MONEY)
        return Rule(f"r{number}", "排名奖", RankingPrize(won, metric_of("close_rate"), 5, (draw(AMOUNTS),)))
    if which == "mentees":
        kind = MentorBonus(base(f"mentees:r{number}", Unit.COUNT), draw(conditions()), draw(AMOUNTS))
        return Rule(f"r{number}", "带教奖", kind)
    kind = draw(bands(draw(st.sampled_from([*COUNTS, "revenue", OWN_MONEY]))))
    if which == "rate_of":
        kind = RateOf(metric_of(draw(st.sampled_from(["revenue", OWN_MONEY]))), draw(rates()))
    return Rule(f"r{number}", f"第{number}条", kind)


@st.composite
def wrappers(draw: st.DrawFn, inside: tuple[Rule, ...]) -> RuleKind:
    amount = draw(st.integers(1, 10**6) | st.just(10**12))
    kinds = ("group", "gate", "cap", "floor", "guarantee", "draw", "ramp", "accelerator")
    match draw(st.sampled_from(kinds)):
        case "group":
            return Group(inside)
        case "gate":
            return Gate(draw(conditions()), inside)
        case "cap":
            return Cap(amount, inside)
        case "floor":
            return Floor(amount, inside)
        case "guarantee":
            return Guarantee(amount, draw(st.integers(1, 6)), inside)
        case "draw":
            below = draw(st.integers(1, 20))
            recovery = Figure(draw(st.integers(1, below)), below)
            return Draw(amount, draw(st.integers(1, 6)), recovery, inside)
        case "ramp":
            return Ramp(tuple(draw(st.lists(rates(), min_size=1, max_size=4))), inside)
        case _:
            below = draw(st.integers(1, 20))
            factor = Figure(below + draw(st.integers(1, 9 * below)), below)
            return Accelerator(draw(conditions()), factor, inside)


@st.composite
def trees(draw: st.DrawFn, most: int = 12) -> tuple[Rule, ...]:
    """Plans of every kind of rule, up to five deep."""
    number = 0

    def some(depth: int) -> tuple[Rule, ...]:
        nonlocal number
        found = []
        for _ in range(draw(st.integers(1, 3 if depth == 1 else 2))):
            number += 1
            mine = number
            if depth < 5 and number < most and draw(st.booleans()):
                found.append(Rule(f"r{mine}", f"第{mine}条", draw(wrappers(some(depth + 1)))))
            else:
                found.append(draw(leaves(mine)))
        return tuple(found)

    return some(1)


@st.composite
def histories(draw: st.DrawFn) -> dict[str, int]:
    """What a person did, money included, the month of tenure where it is known, and a course where it is passed."""
    money = st.integers(-(10**6), 10**8) | st.just(0)
    found = {**draw(figures()), "revenue": draw(money), OWN_MONEY: draw(money)}
    if draw(st.booleans()):
        found[COURSE] = 1
    for rule_id in draw(st.sets(st.sampled_from([f"r{number}" for number in range(1, 9)]))):
        found[f"drawn:{rule_id}"] = draw(st.integers(1, 10**6))
        found[f"mentees:{rule_id}"] = draw(st.integers(1, 9))
        found[f"prize:{rule_id}"] = draw(st.integers(1, 10**7))
    month = draw(st.integers(0, 7))
    return {**found, "tenure_month": month} if month else found

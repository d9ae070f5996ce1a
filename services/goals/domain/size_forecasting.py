"""How a sum of money or minutes, or a mean of them, is likely to end: events as in `forecasting`, each with a size.

How many events the workdays left bring is a count as elsewhere. Their sizes are taken for gamma with the mean and
variance that were seen, so that sums of them are gamma too: the compound that insurers reckon with (Tweedie). The mean
of a person's sizes is Bühlmann and Straub's: colleagues' mean, moved by the person's own the more the more they have,
and known only so well.
"""

from collections.abc import Callable, Sequence
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from math import ceil, floor
from typing import Final, NamedTuple

from services.goals.domain.forecasting import (
    CONTEXT,
    FEWEST_COLLEAGUES,
    FEWEST_OWN_WORKDAYS,
    TENTH,
    Forecast,
    Rate,
    Silence,
    believed,
    ends,
    outcomes,
    spread_of,
)
from services.goals.domain.histories import History, Sizes

FEWEST_EVENTS: Final = 30
"""Below so many sizes, the person's and colleagues' together, their scatter is not known."""
_LEAST_SPREAD: Final = Fraction(1, 5)
"""Of the mean: people's mean sizes are never believed to be more alike than that."""
_LEAST_SCATTER: Final = Fraction(1, 1000)
"""Of the mean: keeps a size that is always the same from dividing by nothing."""
_ROUGH: Final = Context(prec=12, Emin=-(10**9), Emax=10**9)
_SLIGHT: Final = Decimal(10) ** -9
_THIRD: Final = Decimal(1) / 3
_MOST_OUTCOMES: Final = 20
"""Numbers of events beyond that are taken together, neighbours each: sums of so many hardly differ."""
_CLOSE: Final = 2048
"""A bound is looked for until it is known to this part of itself."""
_TAIL: Final = (
    *(Decimal("1.330274429"), Decimal("-1.821255978"), Decimal("1.781477937")),
    *(Decimal("-0.356563782"), Decimal("0.319381530")),
)
_ROOT: Final = Decimal("0.3989422804014327")
"""1 / √(2π)."""
_FIGURES: Final = 10
"""Bounds are told in steps of a power of ten at most this part of the interval: more figures would promise too much."""


class Size(NamedTuple):
    """What is believed of a person's sizes: their mean, one size's variance about it, and the variance of the mean."""

    mean: Fraction
    variance: Fraction
    unsure: Fraction


class Sum(NamedTuple):
    """Events counted before today and today, what they came to until now, and what it is reckoned from."""

    before: int
    today: int
    total: int
    own: History
    colleagues: Sequence[History]
    own_sizes: Sizes
    sizes: Sequence[Sizes]


class _Outcome(NamedTuple):
    """So many more events, or neighbours of that mean, with their probability; as a gamma they come to this."""

    events: Fraction
    mass: Decimal
    mean: Decimal
    shape: Decimal


def forecast_sum(asked: Fraction, left: int, found: Sum, *, at_most: bool = False) -> Forecast | Silence:
    """How the sum of the sizes is likely to end; a Silence where too little is known.

    `at_most`: what is asked is not to be passed.
    """
    if found.total > asked and at_most:
        return Silence.LIMIT_PASSED
    if found.total >= asked and not at_most:
        return Silence.TARGET_REACHED
    missing = asked - found.total

    def reached(some: Sequence[_Outcome]) -> Decimal:
        if at_most:
            return ended(some, floor(missing))
        return sum((each.mass * _at_least(each, missing) for each in some), Decimal(0))

    def ended(some: Sequence[_Outcome], at: int) -> Decimal:
        return sum((each.mass * (1 - _at_least(each, Fraction(at + 1))) for each in some), Decimal(0))

    return _forecast(left, found, reached, ended, first=found.total)


def forecast_mean(asked: Fraction, left: int, found: Sum, *, at_most: bool = False) -> Forecast | Silence:
    """How the mean of the sizes is likely to end. What is reached may be lost again, so it goes on being told of.

    `at_most`: what is asked is not to be passed. An end without any event has no mean: it reaches or keeps to nothing
    (R4) and is not in the interval.
    """
    there = found.before + found.today

    def beyond(each: _Outcome, mean: Fraction) -> Decimal:
        return _at_least(each, mean * (there + each.events) - found.total)

    def reached(some: Sequence[_Outcome]) -> Decimal:
        known = [(each.mass, beyond(each, asked)) for each in some if there + each.events]
        return sum((mass * (1 - more if at_most else more) for mass, more in known), Decimal(0))

    def ended(some: Sequence[_Outcome], at: int) -> Decimal:
        known = [each for each in some if there + each.events]
        whole = sum((each.mass for each in known), Decimal(0))
        return sum((each.mass * (1 - beyond(each, Fraction(at))) for each in known), Decimal(0)) / whole

    return _forecast(left, found, reached, ended, first=0, mean=True)


def believed_size(own: Sizes, colleagues: Sequence[Sizes]) -> Size | None:
    """What is believed of a person's sizes; None where colleagues' came to nothing."""
    seen = [(Fraction(each.events), Fraction(each.total, each.events)) for each in colleagues if each.events]
    events = sum((number for number, _ in seen), Fraction(0))
    total = sum(each.total for each in colleagues)
    if not total:
        return None
    mean = total / events
    free = sum(max(0, each.days - 1) for each in (own, *colleagues))
    within = sum((each.scatter for each in (own, *colleagues)), Fraction(0)) / free if free else Fraction(0)
    within = max(within, (mean * _LEAST_SCATTER) ** 2)
    # The variance between people that is left of the variance seen, as in an analysis of variance.
    apart = sum((number * (each - mean) ** 2 for number, each in seen), Fraction(0)) - within * (
        len(seen) - 1
    )
    weight = events - sum((number**2 for number, _ in seen), Fraction(0)) / events
    between = max(apart / weight if weight else Fraction(0), (mean * _LEAST_SPREAD) ** 2)
    trust = own.events / (own.events + within / between)
    moved = trust * Fraction(own.total, own.events) + (1 - trust) * mean if own.events else mean
    return Size(moved, within, between * (1 - trust))


def _forecast(
    left: int,
    found: Sum,
    reached: Callable[[Sequence[_Outcome]], Decimal],
    ended: Callable[[Sequence[_Outcome], int], Decimal],
    *,
    first: int,
    mean: bool = False,
) -> Forecast | Silence:
    if not left:
        return Silence.NO_WORKDAY_LEFT
    if found.own.days < FEWEST_OWN_WORKDAYS:
        return Silence.TOO_FEW_OWN_WORKDAYS
    if len(found.colleagues) < FEWEST_COLLEAGUES:
        return Silence.TOO_FEW_COLLEAGUES
    size = believed_size(found.own_sizes, found.sizes)
    events = found.own_sizes.events + sum(each.events for each in found.sizes)
    if size is None or events < FEWEST_EVENTS:
        return Silence.TOO_FEW_EVENTS
    rate = believed(found.own, found.colleagues).aged(left)
    pace = left * rate.mean
    some = _outcomes(outcomes(pace, spread_of(rate, left), at_least=found.today), size, mean=mean)
    # A mean is known as roughly as the sizes are; a sum as its pace and its sizes, whose relative variances add up.
    rough = size.unsure / size.mean**2 + (0 if mean else 1 / rate.shape)
    known = Rate(1 / rough, 1 / rough, rate.dispersion)
    at_ends = []
    with localcontext(CONTEXT):
        factors = ends(known)
    for factor in factors:
        # Of a mean the sizes move; of a sum the pace, which comes to the same as both would.
        count, spread = (
            (pace, spread_of(rate, left)) if mean else (pace * factor, rate.dispersion * pace * factor)
        )
        masses = outcomes(count, spread, at_least=found.today)
        at_ends.append(
            _outcomes(
                masses, Size(size.mean * (factor if mean else 1), size.variance, Fraction(0)), mean=mean
            )
        )
    with localcontext(_ROUGH):
        chance = reached(some)
        chances = [chance, *map(reached, at_ends)]
        guess = round(size.mean if mean else pace * size.mean) or 1
        low = _bound(lambda at: ended(some, at) >= TENTH, guess)
        high = _bound(lambda at: ended(some, at) >= 1 - TENTH, guess)
    low, high = _plainly(first + max(0, low - mean), first + high)
    return Forecast(
        low=Fraction(max(first, low)),
        high=Fraction(high),
        chance_low=max(0, int(100 * min(chances))),
        chance_high=min(100, ceil(100 * max(chances))),
        chance=chance,
        dispersion=rate.dispersion,
    )


def _outcomes(masses: Sequence[Decimal], size: Size, *, mean: bool) -> list[_Outcome]:
    likely = [(events, mass) for events, mass in enumerate(masses) if mass > _SLIGHT]
    some = likely[:1] if likely[0][0] == 0 else []
    rest = likely[len(some) :]
    together = -(-len(rest) // _MOST_OUTCOMES) or 1
    found = []
    with localcontext(_ROUGH):
        each, scatter, unsure = (_decimal(part) for part in size)
        for group in [
            *([one] for one in some),
            *(rest[at : at + together] for at in range(0, len(rest), together)),
        ]:
            mass = sum((part for _, part in group), Decimal(0))
            events, squares = (
                sum((number**power * part for number, part in group), Decimal(0)) / mass for power in (1, 2)
            )
            variance = events * scatter + squares * unsure
            if not mean:
                # Neighbours taken together differ in what they come to, not in their mean.
                variance += (squares - events**2) * each**2
            shape = (events * each) ** 2 / variance if variance else Decimal(0)
            found.append(_Outcome(Fraction(events), mass, events * each, shape))
    return found


def _at_least(outcome: _Outcome, amount: Fraction) -> Decimal:
    """The probability that the sizes come to an amount or more; a gamma's, after Wilson and Hilferty."""
    if amount <= 0:
        return Decimal(1)
    if not outcome.events:
        return Decimal(0)
    ninth = 1 / (9 * outcome.shape)
    steps = ((_decimal(amount) / outcome.mean) ** _THIRD - 1 + ninth) / ninth.sqrt()
    return _normal_tail(steps)


def _normal_tail(steps: Decimal) -> Decimal:
    """The probability of a normal variable to lie so many standard deviations above its mean, or more.

    Abramowitz and Stegun 26.2.17: wrong by less than 10⁻⁷.
    """
    at = abs(steps)
    part = 1 / (1 + Decimal("0.2316419") * at)
    polynomial = Decimal(0)
    for factor in _TAIL:
        polynomial = part * (factor + polynomial)
    tail = polynomial * (-at * at / 2).exp() * _ROOT
    return tail if steps >= 0 else 1 - tail


def _bound(reached: Callable[[int], bool], guess: int) -> int:
    """The least whole number for which it is so, to within one in `_CLOSE`; looked for around a guess."""
    if reached(0):
        return 0
    short, enough = 0, guess
    while not reached(enough):
        short, enough = enough, 2 * enough
    while enough - short > max(1, enough // _CLOSE):
        middle = (short + enough) // 2
        short, enough = (short, middle) if reached(middle) else (middle, enough)
    return enough


def _plainly(low: int, high: int) -> tuple[int, int]:
    """Rounded outwards to plain numbers."""
    step = 1
    while 10 * step * _FIGURES <= high - low:
        step *= 10
    return low // step * step, -(-high // step) * step


def _decimal(number: Fraction) -> Decimal:
    return Decimal(number.numerator) / Decimal(number.denominator)

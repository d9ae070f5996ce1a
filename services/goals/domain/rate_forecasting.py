"""How a rate of two counts is likely to end: each count as in `forecasting`, taken for independent of the other.

Deals follow on follow-ups, but of days or weeks before, and their numbers hang together less than one would think:
taken for independent the interval errs on the wide side. What is a share of the whole, as deals among deals won and
lost, is told apart from the rest of it first.
"""

from collections.abc import Sequence
from decimal import Decimal, localcontext
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
from services.goals.domain.histories import History

_SLIGHT: Final = Decimal(10) ** -9
"""Outcomes below this move no percent: two counts make many pairs."""
_SHIFT: Final = 64


class Count(NamedTuple):
    """What was counted before today and today, and the histories it is reckoned from."""

    before: int
    today: int
    own: History
    colleagues: Sequence[History]


class _Outcomes(NamedTuple):
    """The probabilities of `first`, one more and so on."""

    first: int
    masses: Sequence[Decimal]


def forecast_rate(
    asked: Fraction, left: int, above: Count, beside: Count, *, within: bool, at_most: bool = False
) -> Forecast | Silence:
    """How `above` over `beside` is likely to end; with `within` it is over both together, a share of the whole.

    `at_most`: what is asked is not to be passed. A Silence where too little is known. No outcome without anything below
    the line reaches or keeps to anything (R4), and none of these is in the interval.
    """
    if not left:
        return Silence.NO_WORKDAY_LEFT
    if above.own.days < FEWEST_OWN_WORKDAYS:
        return Silence.TOO_FEW_OWN_WORKDAYS
    if min(len(above.colleagues), len(beside.colleagues)) < FEWEST_COLLEAGUES:
        return Silence.TOO_FEW_COLLEAGUES
    counts = (above, beside)
    rates = [believed(each.own, each.colleagues).aged(left) for each in counts]
    with localcontext(CONTEXT):
        tops, rest = (
            _outcomes(each, left * rate.mean, spread_of(rate, left))
            for each, rate in zip(counts, rates, strict=True)
        )
        chance = _chance(asked, tops, rest, within=within, at_most=at_most)
        chances = [chance]
        # The least favourable pair of paces, and the most.
        low, high = (
            [_at(each, rate, left, end) for end in ends(rate)]
            for each, rate in zip(counts, rates, strict=True)
        )
        chances += [
            _chance(asked, low[0], high[1], within=within, at_most=at_most),
            _chance(asked, low[1], high[0], within=within, at_most=at_most),
        ]
        shares = _shares(tops, rest, within=within)
        return Forecast(
            low=_quantile(shares, TENTH),
            high=_quantile(shares, 1 - TENTH),
            chance_low=max(0, int(100 * min(chances))),
            chance_high=min(100, ceil(100 * max(chances))),
            chance=chance,
            dispersion=max(rate.dispersion for rate in rates),
        )


def _outcomes(count: Count, mean: Fraction, spread: Fraction) -> _Outcomes:
    masses = outcomes(mean, spread, at_least=count.today)
    return _Outcomes(count.before + count.today, masses)


def _at(count: Count, rate: Rate, left: int, end: Fraction) -> _Outcomes:
    return _outcomes(count, left * end, rate.dispersion * left * end)


def _chance(asked: Fraction, tops: _Outcomes, rest: _Outcomes, *, within: bool, at_most: bool) -> Decimal:
    """The chance that the rate is at least `asked`, or at most: a number below the line needs so much above it.

    The chance of at most is what is left of the chance that there is anything below the line.
    """
    tails = _tails(tops.masses)
    there = chance = Decimal(0)
    for index, mass in enumerate(rest.masses):
        below = rest.first + index
        # Without anything beside it the rest of the whole is a whole as soon as there is something above.
        fewest = (1 - min(below, 1)) if within else 0
        if not below and not within:
            continue
        there += mass * _from(tails, fewest - tops.first)
        if within and asked >= 1:
            if below or asked > 1 or at_most:
                continue  # a share is at most 1, and that only without anything beside it
            needed = fewest
        else:
            bound = asked * below / (1 - asked) if within else asked * below
            needed = max(floor(bound) + 1 if at_most else ceil(bound), fewest)
        chance += mass * _from(tails, needed - tops.first)
    return there - chance if at_most else chance


def _from(tails: Sequence[Decimal], at: int) -> Decimal:
    return tails[max(0, at)] if at < len(tails) else Decimal(0)


def _tails(masses: Sequence[Decimal]) -> list[Decimal]:
    """The probability of each number or more."""
    tails, total = [], Decimal(0)
    for mass in reversed(masses):
        total += mass
        tails.append(total)
    return tails[::-1]


def _shares(tops: _Outcomes, rest: _Outcomes, *, within: bool) -> list[tuple[Fraction, Decimal]]:
    """Every rate that may come with its probability, in order."""
    likely = [(tops.first + n, mass) for n, mass in enumerate(tops.masses) if mass > _SLIGHT]
    found: dict[int, tuple[int, int, Decimal]] = {}
    for index, mass in enumerate(rest.masses):
        if mass <= _SLIGHT:
            continue
        for top, other in likely:
            whole = rest.first + index + (top if within else 0)
            if whole:
                order = (top << _SHIFT) // whole
                _, _, known = found.get(order, (0, 0, Decimal(0)))
                found[order] = (top, whole, known + mass * other)
    return [(Fraction(top, whole), mass) for _, (top, whole, mass) in sorted(found.items())]


def _quantile(shares: Sequence[tuple[Fraction, Decimal]], share: Decimal) -> Fraction:
    """The first rate below or at which this share of all outcomes lies."""
    wanted = share * sum((mass for _, mass in shares), Decimal(0))
    reached = Decimal(0)
    for rate, mass in shares:
        reached += mass
        if reached >= wanted:
            return rate
    return shares[-1][0] if shares else Fraction(0)

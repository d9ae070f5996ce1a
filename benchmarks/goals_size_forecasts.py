"""Are forecasts of sums and means as good as they say? Held against sales that are known to their end.

As in `goals_forecast`: a branch of people over four months, the last of them held back; a forecast after a third and
after two thirds of it. Whose deals are how many and how large differs from person to person.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Final, NamedTuple

from benchmarks.figures import Figure
from benchmarks.goals_forecast import Case, poisson, reliability, scores
from services.goals.domain.forecasting import Forecast
from services.goals.domain.histories import comparable, history_of, sizes_of
from services.goals.domain.size_forecasting import Sum, forecast_mean, forecast_sum

_PEOPLE: Final = 12
_BRANCHES: Final = 24
_MONTH: Final = 21
_BEFORE: Final = 3 * _MONTH
_FIRST: Final = date(2025, 1, 6)


class _Kind(NamedTuple):
    """How often something is done on a workday, and how large it is."""

    name: str
    pace: float
    draw: Callable[[random.Random], float]


_KINDS: Final = (
    _Kind("deals of much the same size", 0.3, lambda chance: chance.gammavariate(9, 50_000)),
    _Kind("deals of very different sizes", 0.3, lambda chance: chance.lognormvariate(12.5, 1)),
    _Kind("few deals, some of them huge", 0.1, lambda chance: 200_000 * chance.paretovariate(2.2)),
    _Kind("minutes of follow-ups", 6, lambda chance: 1 + chance.gammavariate(4, 3)),
)


def measure() -> Iterator[Figure]:
    """Coverage of the eight-in-ten interval, per kind of size, of sums and of means."""
    chance = random.Random(20250306)
    for kind in _KINDS:
        for mean in (False, True):
            cases = [each for _ in range(_BRANCHES) for each in _branch(kind, chance, mean=mean)]
            inside = sum(each.made.low <= each.final <= each.made.high for each in cases) / len(cases)
            what = "mean" if mean else "sum"
            yield Figure(
                "goals",
                f"forecasts, {kind.name}: share of months whose {what} ends within the eight-in-ten interval",
                inside,
                f"{len(cases)} forecasts; {scores(cases)}; {reliability(cases)}",
                at_least=0.75,
                at_most=0.95,
            )


def _branch(kind: _Kind, chance: random.Random, *, mean: bool) -> Iterator[Case]:
    days = [_FIRST + timedelta(days=7 * (number // 5) + number % 5) for number in range(_BEFORE + _MONTH)]
    people = []
    for _ in range(_PEOPLE):
        pace, factor = chance.gammavariate(6, kind.pace / 6), chance.gammavariate(12, 1 / 12)
        people.append([[int(factor * kind.draw(chance)) for _ in range(poisson(chance, pace))] for _ in days])
    finals = [_final(each[_BEFORE:], mean=mean) for each in people]
    target = sorted(each or Fraction(0) for each in finals)[_PEOPLE // 2]
    past = [_final(each[_BEFORE - _MONTH : _BEFORE], mean=mean) or 0 for each in people]
    base = (sum(each >= target for each in past) + 1) / (_PEOPLE + 2)
    for gone in (_MONTH // 3, 2 * _MONTH // 3):
        until = _BEFORE + gone
        worked = days[:until]
        known = [
            history_of({day: len(some) for day, some in zip(worked, each, strict=False)}, worked)
            for each in people
        ]
        sizes = [sizes_of([(len(some), sum(some)) for some in each[:until]]) for each in people]
        for number, each in enumerate(people):
            others = [other for other in range(_PEOPLE) if other != number]
            there = [amount for some in each[_BEFORE:until] for amount in some]
            found = Sum(
                *(len(there), 0, sum(there), known[number]),
                comparable([known[other] for other in others]),
                sizes[number],
                [sizes[other] for other in others],
            )
            made = (forecast_mean if mean else forecast_sum)(target, _MONTH - gone, found)
            final = finals[number]
            if isinstance(made, Forecast) and final is not None:
                yield Case(made, final, final >= target, base)


def _final(days: Sequence[Sequence[int]], *, mean: bool) -> Fraction | None:
    """What a month came to; None for the mean of nothing."""
    amounts = [amount for some in days for amount in some]
    if not mean:
        return Fraction(sum(amounts))
    return Fraction(sum(amounts), len(amounts)) if amounts else None

"""Are forecasts as good as they say? Held against histories that are known to their end.

Each generator makes a branch of people over four months. The last month is held back: a forecast is made after a third
and after two thirds of its workdays, from what was known then, and compared with what the month came to.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Final, NamedTuple

from benchmarks.figures import Figure
from services.goals.domain.forecasting import Course, Forecast, forecast
from services.goals.domain.histories import comparable, history_of
from services.goals.domain.rate_forecasting import Count, forecast_rate

_PEOPLE: Final = 12
_BRANCHES: Final = 48
_MONTH: Final = 21
_BEFORE: Final = 3 * _MONTH
_BUCKETS: Final = 5
_FIRST: Final = date(2025, 1, 6)


class Case(NamedTuple):
    """A forecast, what came, and what a forecast by how often everybody reaches such a target says."""

    made: Forecast
    final: int | Fraction
    reached: bool
    base: float


@dataclass(frozen=True)
class _Kind:
    """How people of a branch work: `rate` for a person of a drawn pace; newcomers joined lately."""

    name: str
    rate: Callable[[random.Random, float, int, int, dict[int, float]], float]
    newcomers: bool = False


def _steady(_chance: random.Random, pace: float, _day: int, _there: int, _weeks: dict[int, float]) -> float:
    return pace


def _waves(chance: random.Random, pace: float, day: int, _there: int, weeks: dict[int, float]) -> float:
    """Good weeks and bad ones: twice as much scatter as chance alone would make, and more."""
    week = day // 5
    if week not in weeks:
        weeks[week] = chance.gammavariate(4, 1 / 4)
    return pace * weeks[week] * chance.gammavariate(2, 1 / 2)


def _weekdays(_chance: random.Random, pace: float, day: int, _there: int, _weeks: dict[int, float]) -> float:
    return pace * (2.2, 1.2, 0.8, 0.5, 0.3)[day % 5]


def _ramping(_chance: random.Random, pace: float, _day: int, there: int, _weeks: dict[int, float]) -> float:
    """Half at first, everything after three months."""
    return pace * min(1.0, 0.4 + 0.6 * there / 60)


_KINDS: Final = (
    _Kind("steady", _steady),
    _Kind("in waves", _waves),
    _Kind("by weekdays", _weekdays),
    _Kind("ramping newcomers", _ramping, newcomers=True),
)


def measure() -> Iterator[Figure]:
    """Coverage of the eight-in-ten interval per generator, and the Brier score against a base rate's."""
    chance = random.Random(20250306)
    everything: list[Case] = []
    for kind in _KINDS:
        cases = [each for _ in range(_BRANCHES) for each in _branch(kind, chance)]
        everything += cases
        inside = sum(each.made.low <= each.final <= each.made.high for each in cases) / len(cases)
        yield Figure(
            "goals",
            f"forecasts, {kind.name}: share of months that end within the interval said to hold eight in ten",
            inside,
            f"{len(cases)} forecasts; {scores(cases)}",
            at_least=0.75,
            at_most=0.9,
        )
    rates = list(_rates(chance))
    yield Figure(
        "goals",
        "forecasts of close rates: share of months that end within the interval said to hold eight in ten",
        sum(each.made.low <= each.final <= each.made.high for each in rates) / len(rates),
        f"{len(rates)} forecasts; {scores(rates)}; {reliability(rates)}",
        at_least=0.75,
        at_most=0.95,
    )
    yield Figure(
        "goals",
        "forecasts: Brier score of the chance to reach the target against a base rate's",
        brier([(float(each.made.chance), each.reached) for each in everything])
        / brier([(each.base, each.reached) for each in everything]),
        f"{scores(everything)}; {reliability(everything)}",
        at_most=1,
    )


def _rates(chance: random.Random) -> Iterator[Case]:
    """The same for close rates: deals come of customers followed, days later, one person closing more than another."""
    for kind in (_KINDS[0], _KINDS[1], _KINDS[3]):
        for _ in range(_BRANCHES // 3):
            yield from _rate_branch(kind, chance)


def _rate_branch(kind: _Kind, chance: random.Random) -> Iterator[Case]:
    days = [_FIRST + timedelta(days=7 * (number // 5) + number % 5) for number in range(_BEFORE + _MONTH)]
    people = []
    for _ in range(_PEOPLE):
        pace, weeks, closes = chance.gammavariate(6, 0.25), dict[int, float](), chance.betavariate(6, 34)
        followed, won = dict.fromkeys(days, 0), dict.fromkeys(days, 0)
        for at, day in enumerate(days):
            followed[day] = poisson(chance, kind.rate(chance, pace, at, at, weeks))
            for _ in range(followed[day]):
                later = at + chance.randrange(10)
                if chance.random() < closes and later < len(days):
                    won[days[later]] += 1
        people.append((won, followed))
    month = days[_BEFORE:]
    finals = [_share(won, followed, month) for won, followed in people]
    target = Fraction(round(20 * sorted(finals)[_PEOPLE // 2]) or 1, 20)
    earlier = [_share(won, followed, days[_BEFORE - _MONTH : _BEFORE]) >= target for won, followed in people]
    base = (sum(earlier) + 1) / (_PEOPLE + 2)
    for gone in (_MONTH // 3, 2 * _MONTH // 3):
        until = days[: _BEFORE + gone]
        known = [
            [history_of({day: each[day] for day in until}, until) for each in counts] for counts in people
        ]
        for number, counts in enumerate(people):
            others = [each for other, each in enumerate(known) if other != number]
            parts = [
                Count(
                    sum(counts[part][day] for day in until[_BEFORE:]),
                    0,
                    known[number][part],
                    comparable([each[part] for each in others]),
                )
                for part in (0, 1)
            ]
            made = forecast_rate(target, _MONTH - gone, *parts, within=False)
            if isinstance(made, Forecast):
                yield Case(made, finals[number], finals[number] >= target, base)


def _share(won: dict[date, int], followed: dict[date, int], month: list[date]) -> Fraction:
    below = sum(followed[day] for day in month)
    return Fraction(sum(won[day] for day in month), below) if below else Fraction(0)


def _branch(kind: _Kind, chance: random.Random) -> Iterator[Case]:
    """Forecasts for everybody of one branch, about targets that some reach and some do not."""
    days = [_FIRST + timedelta(days=7 * (number // 5) + number % 5) for number in range(_BEFORE + _MONTH)]
    people = []
    for _ in range(_PEOPLE):
        pace, weeks = chance.gammavariate(6, 0.25), dict[int, float]()
        joined = chance.randrange(_BEFORE - 20) if kind.newcomers else 0
        counts = {
            days[day]: poisson(chance, kind.rate(chance, pace, day, day - joined, weeks))
            for day in range(joined, len(days))
        }
        people.append((days[joined:], counts))
    finals = [sum(counts[day] for day in days[_BEFORE:]) for _, counts in people]
    target = sorted(finals)[_PEOPLE // 2] + chance.randrange(-2, 3)
    past = [
        sum(counts[day] for day in days[_BEFORE - _MONTH : _BEFORE]) >= target
        for worked, counts in people
        if worked[0] <= days[_BEFORE - _MONTH]
    ]
    base = (sum(past) + 1) / (len(past) + 2)
    for gone in (_MONTH // 3, 2 * _MONTH // 3):
        today = _BEFORE + gone
        known = [
            history_of(
                {day: count for day, count in counts.items() if day < days[today]},
                [day for day in worked if day < days[today]],
            )
            for worked, counts in people
        ]
        for number, (_, counts) in enumerate(people):
            before = sum(counts[day] for day in days[_BEFORE:today])
            course = Course(Fraction(target), before, 0, _MONTH - gone)
            colleagues = comparable([each for other, each in enumerate(known) if other != number])
            made = forecast(course, known[number], colleagues)
            if isinstance(made, Forecast):
                yield Case(made, finals[number], finals[number] >= target, base)


def poisson(chance: random.Random, mean: float) -> int:
    """How many arrivals an expovariate clock makes within one unit of time."""
    count, passed = 0, chance.expovariate(1) if mean else mean + 1
    while passed < mean:
        count, passed = count + 1, passed + chance.expovariate(1)
    return count


def brier(told: list[tuple[float, bool]]) -> float:
    return sum((said - reached) ** 2 for said, reached in told) / len(told)


def scores(cases: list[Case]) -> str:
    ours = brier([(float(each.made.chance), each.reached) for each in cases])
    base = brier([(each.base, each.reached) for each in cases])
    width = float(sum((each.made.high - each.made.low for each in cases), Fraction(0)) / len(cases))
    return f"Brier {ours:.3f} against {base:.3f}; interval {width:.2f} wide on average"


def reliability(cases: list[Case]) -> str:
    """What was said against what came, in five buckets."""
    told = []
    for bucket in range(_BUCKETS):
        found = [each for each in cases if min(int(each.made.chance * _BUCKETS), _BUCKETS - 1) == bucket]
        if found:
            said = sum(float(each.made.chance) for each in found) / len(found)
            came = sum(each.reached for each in found) / len(found)
            told.append(f"said {said:.0%} came {came:.0%} (n={len(found)})")
    return ", ".join(told)

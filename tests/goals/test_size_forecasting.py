"""Forecasts of sums and means: their arithmetic, against draws from what they say they believe, and for any history."""

import random
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from statistics import quantiles

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.goals.domain.forecasting import (
    FEWEST_COLLEAGUES,
    Forecast,
    Silence,
    believed,
    outcomes,
    spread_of,
)
from services.goals.domain.histories import Sizes, history_of, sizes_of
from services.goals.domain.size_forecasting import (
    FEWEST_EVENTS,
    Sum,
    believed_size,
    forecast_mean,
    forecast_sum,
)
from tests.goals.test_forecasting import MONDAY, histories, of

Maker = Callable[[Fraction, int, Sum], Forecast | Silence]
TEAM = [of(*[number % 3 for _ in range(40)]) for number in range(1, FEWEST_COLLEAGUES + 1)]
TEAM_SIZES = [sizes_of([(1, 400 + 40 * person + 90 * day) for day in range(8)]) for person in range(8)]


def of_days(days: list[tuple[int, int]]) -> Sizes:
    return sizes_of(days)


sizes = st.lists(st.tuples(st.integers(1, 3), st.integers(0, 9_000)), max_size=20).map(of_days)


@st.composite
def sums(draw: st.DrawFn) -> Sum:
    before, today = draw(st.integers(0, 12)), draw(st.integers(0, 3))
    total = draw(st.integers(0, 2_000 * (before + today)))
    return Sum(before, today, total, draw(histories()), TEAM, draw(sizes), TEAM_SIZES)


def made(maker: Maker, asked: Fraction, left: int, found: Sum) -> Forecast:
    told = maker(asked, left, found)
    assert isinstance(told, Forecast)
    return told


@settings(max_examples=40, deadline=None)
@given(sums(), st.integers(1, 22), st.integers(1, 40_000), st.booleans())
def test_the_further_the_smaller_the_chance_and_the_interval_begins_at_what_there_is(
    found: Sum, left: int, more: int, mean: bool
) -> None:
    maker = forecast_mean if mean else forecast_sum
    base = Fraction(found.total, found.before + found.today or 1) if mean else Fraction(found.total)
    near, far = (made(maker, base + each, left, found) for each in (more, 2 * more))
    assert near.chance >= far.chance
    assert (near.low, near.high) == (far.low, far.high)
    assert near.low <= near.high
    assert mean or found.total <= near.low
    for each in (near, far):
        assert 0 <= each.chance_low <= 100 * each.chance <= each.chance_high <= 100


@settings(max_examples=20, deadline=None)
@given(sums(), st.integers(1, 22), st.integers(1, 40_000))
def test_to_stay_within_a_sum_is_not_to_pass_it(found: Sum, left: int, more: int) -> None:
    asked = Fraction(found.total + more)
    within = forecast_sum(asked, left, found, at_most=True)
    beyond = made(forecast_sum, asked + 1, left, found)
    assert isinstance(within, Forecast)
    assert abs(within.chance + beyond.chance - 1) < Decimal(10) ** -6
    passed = forecast_sum(Fraction(found.total) - 1, left, found, at_most=True)
    assert passed is Silence.LIMIT_PASSED


@pytest.mark.parametrize("own", [(), (3, 3, 3), (1, 9, 2, 8) * 4])
@pytest.mark.parametrize("left", [2, 9])
def test_draws_from_what_is_believed_end_as_often_as_said(own: tuple[int, ...], left: int) -> None:
    chance = random.Random(f"{own} {left}")
    history = of(*[1, 0] * 15)
    mine = sizes_of([(1, 100 * each) for each in own])
    found = Sum(2, 1, 1_800, history, TEAM, mine, TEAM_SIZES)
    size = believed_size(mine, TEAM_SIZES)
    assert size is not None
    rate = believed(history, TEAM).aged(left)
    masses = outcomes(left * rate.mean, spread_of(rate, left), at_least=1)
    draws = []
    for events in chance.choices(range(len(masses)), [float(each) for each in masses], k=20_000):
        variance = float(events * size.variance + events**2 * size.unsure)
        mean = float(events * size.mean)
        draws.append((events, chance.gammavariate(mean**2 / variance, variance / mean) if events else 0.0))
    ends = [1_800 + drawn for _, drawn in draws]
    means = [(1_800 + drawn) / (3 + events) for events, drawn in draws]
    for maker, came, asked in ((forecast_sum, ends, 4_000), (forecast_mean, means, 650)):
        told = made(maker, Fraction(asked), left, found)
        assert abs(float(told.chance) - sum(each >= asked for each in came) / len(came)) < 0.02
        deciles = quantiles(came, n=10)
        for bound, decile in ((told.low, deciles[0]), (told.high, deciles[-1])):
            assert abs(float(bound) - decile) <= 0.13 * float(told.high - told.low) + 1


def test_the_size_is_colleagues_without_own_ones_and_one_s_own_with_many() -> None:
    none = believed_size(of_days([]), TEAM_SIZES)
    events, total = (sum(getattr(each, name) for each in TEAM_SIZES) for name in ("events", "total"))
    assert none is not None
    assert none.mean == Fraction(total, events)
    many = believed_size(of_days([(1, 2_000 + each) for each in range(-200, 201)]), TEAM_SIZES)
    assert many is not None
    assert abs(many.mean - 2_000) < 20
    assert many.unsure < none.unsure / 20
    assert believed_size(of_days([]), [of_days([])]) is None


@given(st.lists(st.integers(0, 10**6), min_size=2, max_size=30))
def test_the_scatter_of_single_events_is_their_variance(amounts: list[int]) -> None:
    found, mean = sizes_of([(1, each) for each in amounts]), Fraction(sum(amounts), len(amounts))
    assert found.scatter == sum((each - mean) ** 2 for each in amounts)
    assert (found.events, found.total, found.days) == (len(amounts), sum(amounts), len(amounts))


def test_where_too_little_is_known_nothing_is_said() -> None:
    history, some = of(*[1] * 30), sizes_of([(1, 500)] * 3)
    few = [sizes_of([(1, 500)] * 3)] * 8
    told = Sum(1, 0, 500, history, TEAM, some, few)
    assert 8 * 3 + 3 < FEWEST_EVENTS <= 8 * 4 + 3
    assert forecast_sum(Fraction(900), 5, told) is Silence.TOO_FEW_EVENTS
    enough = told._replace(sizes=[sizes_of([(1, 500)] * 4)] * 8)
    assert isinstance(forecast_sum(Fraction(900), 5, enough), Forecast)
    assert forecast_sum(Fraction(500), 5, enough) is Silence.TARGET_REACHED
    # A mean that is reached may be lost again.
    assert isinstance(forecast_mean(Fraction(500), 5, enough), Forecast)
    assert forecast_mean(Fraction(500), 0, enough) is Silence.NO_WORKDAY_LEFT
    assert forecast_sum(Fraction(900), 5, enough._replace(own=of(1, 1))) is Silence.TOO_FEW_OWN_WORKDAYS
    assert forecast_sum(Fraction(900), 5, enough._replace(colleagues=TEAM[:7])) is Silence.TOO_FEW_COLLEAGUES
    worthless = enough._replace(own_sizes=sizes_of([]), sizes=[sizes_of([(1, 0)] * 9)] * 8)
    assert forecast_sum(Fraction(900), 5, worthless) is Silence.TOO_FEW_EVENTS


def _team(chance: random.Random, draw: Callable[[], float]) -> list[list[tuple[int, int]]]:
    """Twelve people's events and what they came to, by workday, over four months."""
    people = []
    for _ in range(12):
        pace, factor = chance.gammavariate(6, 0.06), chance.gammavariate(12, 1 / 12)
        days = [sum(chance.random() < pace / 4 for _ in range(4)) for _ in range(84)]
        people.append([(each, sum(round(factor * draw()) for _ in range(each))) for each in days])
    return people


@pytest.mark.parametrize("heavy", [False, True])
def test_eight_in_ten_months_end_within_the_interval(heavy: bool) -> None:
    """Sizes as scattered as sales often are; `heavy`: one in a hundred is ten times the median."""
    chance = random.Random(20250306)
    draw = (lambda: chance.lognormvariate(10, 1)) if heavy else (lambda: chance.gammavariate(3, 10_000))
    inside = total = 0
    for _ in range(5):
        people = _team(chance, draw)
        worked = [MONDAY + timedelta(days=7 * (at // 5) + at % 5) for at in range(73)]
        known = [
            history_of({day: there[0] for day, there in zip(worked, each, strict=False)}, worked)
            for each in people
        ]
        amounts = [sizes_of(each[:73]) for each in people]
        for at, each in enumerate(people):
            others = [other for other in range(12) if other != at]
            until, end = each[63:73], each[63:]
            found = Sum(
                sum(events for events, _ in until),
                0,
                sum(amount for _, amount in until),
                known[at],
                [known[other] for other in others],
                amounts[at],
                [amounts[other] for other in others],
            )
            told = forecast_sum(Fraction(10**9), 11, found)
            assert isinstance(told, Forecast)
            inside += told.low <= sum(amount for _, amount in end) <= told.high
            total += 1
    assert total == 60
    assert Decimal("0.72") <= Decimal(inside) / total <= Decimal("0.97")

"""Forecasts of rates: their arithmetic, against every pair of outcomes counted one by one."""

from decimal import Decimal
from fractions import Fraction

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
from services.goals.domain.histories import History
from services.goals.domain.rate_forecasting import Count, forecast_rate
from tests.goals.test_forecasting import histories, of

_FOLLOWED = [of(*[number % 3 + 1] * 40) for number in range(FEWEST_COLLEAGUES)]
_WON = [of(*[number % 4 == 0] * 40) for number in range(FEWEST_COLLEAGUES)]


def counts(own: st.SearchStrategy[History], colleagues: list[History]) -> st.SearchStrategy[Count]:
    return st.builds(
        Count, before=st.integers(0, 30), today=st.integers(0, 4), own=own, colleagues=st.just(colleagues)
    )


@st.composite
def cases(draw: st.DrawFn) -> tuple[Fraction, int, Count, Count, bool]:
    asked = Fraction(draw(st.integers(1, 40)), draw(st.sampled_from([10, 20, 100])))
    own = histories()
    return (
        min(asked, Fraction(1)),
        draw(st.integers(1, 15)),
        draw(counts(own, _WON)),
        draw(counts(own, _FOLLOWED)),
        draw(st.booleans()),
    )


def made(
    asked: Fraction, left: int, above: Count, beside: Count, *, within: bool, at_most: bool = False
) -> Forecast:
    found = forecast_rate(asked, left, above, beside, within=within, at_most=at_most)
    assert isinstance(found, Forecast)
    return found


def every(left: int, count: Count) -> list[tuple[int, Decimal]]:
    rate = believed(count.own, count.colleagues).aged(left)
    masses = outcomes(left * rate.mean, spread_of(rate, left), at_least=count.today)
    return [(count.before + count.today + number, mass) for number, mass in enumerate(masses)]


@settings(max_examples=15, deadline=None)
@given(cases(), st.booleans())
def test_the_chance_is_that_of_every_pair_that_reaches_or_stays_within(
    case: tuple[Fraction, int, Count, Count, bool], at_most: bool
) -> None:
    asked, left, above, beside, within = case
    found = made(asked, left, above, beside, within=within, at_most=at_most)
    expected = Decimal(0)
    for top, first in every(left, above):
        for rest, second in every(left, beside):
            whole = rest + top if within else rest
            if whole and (Fraction(top, whole) <= asked if at_most else Fraction(top, whole) >= asked):
                expected += first * second
    assert abs(found.chance - expected) < Decimal(10) ** -20
    assert found.chance_low <= 100 * found.chance <= found.chance_high


@settings(max_examples=15, deadline=None)
@given(cases())
def test_eight_in_ten_lie_in_the_interval(case: tuple[Fraction, int, Count, Count, bool]) -> None:
    asked, left, above, beside, within = case
    found = made(asked, left, above, beside, within=within)
    inside, told = Decimal(0), Decimal(0)
    for top, first in every(left, above):
        for rest, second in every(left, beside):
            whole = rest + top if within else rest
            if whole:
                told += first * second
                inside += first * second if found.low <= Fraction(top, whole) <= found.high else 0
    assert inside >= Decimal("0.7999") * told


@settings(max_examples=15, deadline=None)
@given(cases())
def test_the_higher_what_is_asked_the_smaller_the_chance(
    case: tuple[Fraction, int, Count, Count, bool],
) -> None:
    asked, left, above, beside, within = case
    easier = made(asked / 2, left, above, beside, within=within)
    assert easier.chance >= made(asked, left, above, beside, within=within).chance


def test_where_nothing_is_below_the_line_nothing_is_reached() -> None:
    idle = of(*[0] * 40)
    nobody = [of(*[0] * 40)] * FEWEST_COLLEAGUES
    found = made(Fraction(1, 10), 1, Count(3, 0, idle, nobody), Count(0, 0, idle, nobody), within=False)
    assert found.chance < Decimal("0.1")


def test_too_little_is_said_to_be_too_little() -> None:
    few, many = of(1, 2), of(*[1] * 40)
    asked = Fraction(1, 10)
    known, unknown = Count(0, 0, many, _WON), Count(0, 0, few, _WON)
    assert forecast_rate(asked, 0, known, known, within=False) is Silence.NO_WORKDAY_LEFT
    assert forecast_rate(asked, 5, unknown, unknown, within=False) is Silence.TOO_FEW_OWN_WORKDAYS
    alone = Count(0, 0, many, _WON[:3])
    assert forecast_rate(asked, 5, known, alone, within=False) is Silence.TOO_FEW_COLLEAGUES

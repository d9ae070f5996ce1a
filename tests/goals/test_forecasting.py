"""Forecasts: their arithmetic, for any history."""

from datetime import date, timedelta
from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.goals.domain.forecasting import (
    FEWEST_COLLEAGUES,
    FEWEST_OWN_WORKDAYS,
    Course,
    Forecast,
    Silence,
    believed,
    dispersion_of,
    forecast,
    outcomes,
)
from services.goals.domain.histories import (
    FEWEST_WORKDAYS_OF_A_COLLEAGUE,
    History,
    comparable,
    history_of,
)

MONDAY = date(2025, 3, 3)


@st.composite
def histories(draw: st.DrawFn, fewest: int = FEWEST_OWN_WORKDAYS) -> History:
    """What somebody counted, week by week."""
    weeks = draw(st.lists(st.integers(0, 40), min_size=fewest // 5, max_size=14))
    over = draw(st.integers(0, 4))
    return History(5 * len(weeks) + over, sum(weeks) + draw(st.integers(0, 8 * over)), tuple(weeks))


def of(*by_day: int) -> History:
    worked = [MONDAY + timedelta(days=number) for number in range(len(by_day))]
    return history_of(dict(zip(worked, by_day, strict=True)), worked)


colleagues = st.lists(histories(FEWEST_WORKDAYS_OF_A_COLLEAGUE), min_size=FEWEST_COLLEAGUES, max_size=10)
courses = st.builds(
    Course,
    asked=st.builds(Fraction, st.integers(1, 200)),
    before=st.integers(0, 60),
    today=st.integers(0, 8),
    left=st.integers(1, 22),
    at_most=st.just(False),
)
TEAM = [of(*[number % 3 + 1] * 40) for number in range(FEWEST_COLLEAGUES)]


def made(course: Course, own: History, others: list[History]) -> Forecast:
    found = forecast(course, own, others)
    assert isinstance(found, Forecast)
    return found


@given(courses, histories(), colleagues)
def test_a_forecast_is_an_interval_that_holds_what_it_is_around(
    course: Course, own: History, others: list[History]
) -> None:
    found = forecast(course, own, others)
    if course.before + course.today >= course.asked:
        assert found is Silence.TARGET_REACHED
        return
    assert isinstance(found, Forecast)
    assert course.before + course.today <= found.low <= found.high
    assert 0 <= found.chance_low <= found.chance_high <= 100
    assert found.chance_low <= 100 * found.chance <= found.chance_high
    assert found.dispersion >= 1


@given(courses, histories(), colleagues, st.integers(1, 20))
def test_asking_for_more_is_never_likelier_and_having_done_more_never_less_likely(
    course: Course, own: History, others: list[History], more: int
) -> None:
    course = course._replace(asked=Fraction(course.before + course.today + 2 * more))
    base = made(course, own, others)
    asked = made(course._replace(asked=course.asked + more), own, others)
    before = made(course._replace(before=course.before + more), own, others)
    today = made(course._replace(today=course.today + more), own, others)
    for less, greater in ((asked, base), (base, before), (base, today)):
        assert less.chance <= greater.chance
        assert less.chance_low <= greater.chance_low
        assert less.chance_high <= greater.chance_high
    assert (asked.low, asked.high) == (base.low, base.high)
    assert (before.low, before.high) == (base.low + more, base.high + more)
    assert today.low >= base.low


@given(st.integers(1, 8), st.integers(2, 12))
def test_more_workdays_at_the_same_rate_never_widen(each: int, weeks: int) -> None:
    others = [of(*[each] * 40)] * FEWEST_COLLEAGUES
    course = Course(Fraction(20 * each), 10 * each, 0, 10)
    fewer, more = (made(course, of(*[each] * 5 * number), others) for number in (weeks, weeks + 1))
    assert more.high - more.low <= fewer.high - fewer.low
    assert more.chance_high - more.chance_low <= fewer.chance_high - fewer.chance_low


@given(st.integers(1, 400), st.integers(10, 60), st.integers(1, 40))
def test_outcomes_are_the_negative_binomial(mean_tenths: int, more_tenths: int, start: int) -> None:
    mean = Fraction(mean_tenths, 10)
    variance = mean * Fraction(more_tenths, 10)
    masses = outcomes(mean, variance)
    assert abs(sum(masses, Decimal(0)) - 1) < Decimal("1e-24")
    with localcontext(prec=40):
        first = masses[0]
        if variance == mean:
            expected = (-Decimal(mean.numerator) / mean.denominator).exp()
        else:
            base, power = mean / variance, mean**2 / (variance - mean)
            exponent = Decimal(power.numerator) / power.denominator
            expected = ((Decimal(base.numerator) / base.denominator).ln() * exponent).exp()
        assert abs(first - expected) < Decimal("1e-24")
        found = sum((number * mass for number, mass in enumerate(masses)), Decimal(0))
        assert abs(found - Decimal(mean.numerator) / mean.denominator) < Decimal("1e-18")
        rest = sum(masses[start:], Decimal(0))
        if rest > Decimal("1e-6"):
            assert abs(outcomes(mean, variance, at_least=start)[0] - masses[start] / rest) < Decimal("1e-15")


def test_nothing_is_said_below_the_least_data() -> None:
    course = Course(Fraction(40), 5, 0, 10)
    short, enough = of(*[1] * (FEWEST_OWN_WORKDAYS - 1)), of(*[1] * FEWEST_OWN_WORKDAYS)
    assert forecast(course, short, TEAM) is Silence.TOO_FEW_OWN_WORKDAYS
    assert isinstance(forecast(course, enough, TEAM), Forecast)
    assert forecast(course, enough, TEAM[1:]) is Silence.TOO_FEW_COLLEAGUES
    assert forecast(course._replace(left=0), enough, TEAM) is Silence.NO_WORKDAY_LEFT
    assert forecast(course._replace(today=35), short, []) is Silence.TARGET_REACHED
    colleague = of(*[1] * FEWEST_WORKDAYS_OF_A_COLLEAGUE)
    assert comparable([of(*[1] * (FEWEST_WORKDAYS_OF_A_COLLEAGUE - 1)), colleague]) == [colleague]


def test_nothing_ever_counted_is_still_no_certainty() -> None:
    nothing = of(*[0] * 40)
    found = made(Course(Fraction(1), 0, 0, 10), nothing, [nothing] * FEWEST_COLLEAGUES)
    assert found.low == found.high == 0
    assert 0 < found.chance_high < 20


@pytest.mark.parametrize(("asked", "missing"), [(Fraction(20), 15), (Fraction(39, 2), 15), (Fraction(3), 0)])
def test_a_part_of_a_count_asks_for_a_whole_one(asked: Fraction, missing: int) -> None:
    assert Course(asked, 5, 0, 10).missing == missing


def test_newer_weeks_say_more_than_older_ones() -> None:
    rising, falling = of(*[1] * 20, *[3] * 20), of(*[3] * 20, *[1] * 20)
    assert rising.total == falling.total
    assert believed(rising, TEAM).mean > believed(falling, TEAM).mean


def test_scatter_between_weeks_counts_and_within_them_does_not() -> None:
    by_weekday = of(*[5, 3, 1, 1, 0] * 8)
    in_waves = of(*([4] * 5 + [0] * 5) * 4)
    assert dispersion_of([by_weekday]) == 1
    assert dispersion_of([in_waves]) > 10
    assert dispersion_of([of(*[0] * 20)]) == 1
    course = Course(Fraction(40), 20, 0, 10)
    waves, steady = (made(course, own, [own] * FEWEST_COLLEAGUES) for own in (in_waves, by_weekday))
    assert waves.high - waves.low > steady.high - steady.low


def test_a_day_off_belongs_to_the_workday_before_it() -> None:
    friday, monday = date(2025, 3, 7), date(2025, 3, 10)
    found = history_of(
        {friday - timedelta(9): 1, friday: 1, friday + timedelta(1): 2, monday: 4}, [friday, monday]
    )
    assert found == History(2, 8, ())
    assert history_of({friday: 1}, []) == History(0, 0, ())


@given(courses, histories(), colleagues)
def test_to_stay_within_a_number_is_not_to_reach_the_next(
    course: Course, own: History, others: list[History]
) -> None:
    within = forecast(course._replace(at_most=True), own, others)
    beyond = forecast(course._replace(asked=course.asked + 1), own, others)
    if within is Silence.LIMIT_PASSED:
        assert course.before + course.today > course.asked
        return
    assert isinstance(within, Forecast)
    assert isinstance(beyond, Forecast)
    assert abs(within.chance + beyond.chance - 1) < Decimal(10) ** -20
    assert (within.low, within.high) == (beyond.low, beyond.high)
    assert 0 <= within.chance_low <= 100 * within.chance <= within.chance_high <= 100

"""Days and targets as pure values: each day is worked or not, once; leave takes away, never more than there is."""

from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.goals.domain.leave import (
    USUAL_POLICY,
    Absence,
    LeaveMode,
    LeavePolicy,
    Ramp,
    RuleOrigin,
    Rules,
    asked_of,
    half_days,
    half_up,
)
from services.goals.domain.metrics import METRICS
from services.goals.domain.periods import PeriodKind, period_of
from services.goals.domain.progress import course_of
from services.goals.domain.values import Unit
from services.goals.domain.workdays import (
    FIVE_DAY,
    CalendarKind,
    Entered,
    SpecialDay,
    UnknownYear,
    WorkCalendar,
    Workplace,
    YearUnknownError,
)
from services.goals.store.public_days import public_year

SATURDAY = date(2025, 1, 4)
FOLLOWED = METRICS["customers_followed"]
days_known = st.dates(date(2004, 1, 1), date(2026, 12, 31))
calendars = st.one_of(
    st.just(FIVE_DAY),
    st.just(WorkCalendar(CalendarKind.ALTERNATE_SATURDAYS, SATURDAY)),
    st.builds(
        lambda anchor, pattern: WorkCalendar(CalendarKind.SHIFTS, anchor, pattern),
        days_known,
        st.text("01", min_size=1, max_size=60).filter(lambda pattern: "1" in pattern),
    ),
)


def place(
    calendar: WorkCalendar = FIVE_DAY, special: Sequence[SpecialDay] = (), complete: Sequence[int] = ()
) -> Workplace:
    entered = Entered(["hq"], [{each.day: each for each in special}], complete)
    return Workplace(lambda _: (calendar, "hq"), entered, public_year)


def rules(policy: LeavePolicy = USUAL_POLICY, ramp: Ramp | None = None, start: date | None = None) -> Rules:
    return Rules(place(), policy, RuleOrigin(), ramp or Ramp(()), RuleOrigin(), (start, None))


def absent(first: date, last: date | None = None, *, fact: str = "oa/0/1", half: str = "") -> Absence:
    begin, stop = half_days(
        first, afternoon=half == "afternoon", last=last or first, until_noon=half == "morning"
    )
    return Absence(begin, stop, fact)


def asked(target: int, month: date, holding: Rules, *absences: Absence) -> Fraction:
    period = period_of(PeriodKind.MONTH, month, "Asia/Shanghai")
    return asked_of(FOLLOWED, Fraction(target), period, holding, absences).amount


@pytest.mark.parametrize(
    ("month", "workdays"),
    [(date(2025, 1, 1), 19), (date(2025, 10, 1), 18), (date(2024, 2, 1), 18), (date(2026, 5, 1), 19)],
)
def test_workdays_of_months_in_mainland_china(month: date, workdays: int) -> None:
    period = period_of(PeriodKind.MONTH, month, "Asia/Shanghai")
    assert len(place().workdays(period.first, period.end)) == workdays


def test_sunday_26_january_2025_is_a_workday() -> None:
    day = place().day(date(2025, 1, 26))
    assert (day.works, day.reason.name, day.name) == (True, "MAKE_UP_WORKDAY", "Spring Festival")


@given(calendars, days_known, st.integers(0, 60), st.integers(0, 60))
def test_every_day_is_a_workday_or_not_once_and_ranges_add_up(
    calendar: WorkCalendar, first: date, one: int, other: int
) -> None:
    there = place(calendar, complete=(2027,))
    middle, end = first + timedelta(days=one), first + timedelta(days=one + other)
    together = there.workdays(first, end)
    assert together == there.workdays(first, middle) + there.workdays(middle, end)
    found = [each.day for each in there.days(first, end)]
    assert found == [first + timedelta(days=ahead) for ahead in range(one + other)]
    assert set(together) == {each.day for each in there.days(first, end) if each.works}


@given(days_known)
def test_every_other_saturday_is_worked_where_nothing_says_otherwise(day: date) -> None:
    there = place(WorkCalendar(CalendarKind.ALTERNATE_SATURDAYS, SATURDAY), complete=(2027,))
    saturday = day + timedelta(days=(5 - day.weekday()) % 7)
    following = saturday + timedelta(days=7)
    usual = {"WEEKEND", "WORKING_SATURDAY"}
    reasons = {there.day(saturday).reason.name, there.day(following).reason.name}
    assert reasons == usual or reasons - usual


@given(days_known, st.integers(-400, 400))
def test_a_shift_pattern_goes_on_for_ever_both_ways(anchor: date, ahead: int) -> None:
    there = place(WorkCalendar(CalendarKind.SHIFTS, anchor, "1101000"))
    assert there.day(anchor + timedelta(days=ahead)).works == ("1101000"[ahead % 7] == "1")


def test_a_year_nothing_is_known_of_is_refused_by_name_and_can_be_entered() -> None:
    with pytest.raises(YearUnknownError) as refused:
        place().workdays(date(2026, 12, 30), date(2027, 1, 3))
    assert refused.value.unknown == UnknownYear(2027, "hq")
    new_year = SpecialDay("hq", date(2027, 1, 1), works=False, name="元旦")
    with pytest.raises(YearUnknownError):
        place(special=[new_year]).day(date(2027, 1, 4))
    known = place(special=[new_year], complete=[2027])
    assert [each.works for each in known.days(date(2027, 1, 1), date(2027, 1, 5))] == [
        False,
        False,
        False,
        True,
    ]


JANUARY = date(2025, 1, 1)
leave = st.lists(
    st.builds(
        lambda first, length, half: absent(
            date(2024, 12, 25) + timedelta(days=first),
            date(2024, 12, 25) + timedelta(days=first + length),
            half=half,
            fact=f"oa/0/{first}-{length}",
        ),
        st.integers(0, 40),
        st.integers(1, 9),
        st.sampled_from(["", "morning", "afternoon"]),
    ),
    max_size=6,
)
policies = st.sampled_from(
    [
        USUAL_POLICY,
        LeavePolicy(LeaveMode.PRO_RATA, frozenset({Unit.COUNT})),
        LeavePolicy(LeaveMode.NONE, frozenset()),
    ]
)
ramps = st.lists(st.fractions(0, 1, max_denominator=12), max_size=4).map(lambda shares: Ramp(tuple(shares)))


@given(st.integers(0, 10_000), leave, policies, ramps, st.dates(date(2024, 9, 1), date(2025, 2, 1)))
def test_what_is_asked_lies_between_nothing_and_the_target(
    target: int, absences: list[Absence], policy: LeavePolicy, ramp: Ramp, start: date
) -> None:
    amount = asked(target, JANUARY, rules(policy, ramp, start), *absences)
    assert 0 <= amount <= target
    assert amount.denominator == 1


@given(leave, policies, st.randoms(use_true_random=False))
def test_the_order_of_leave_never_matters_nor_does_telling_it_twice(
    absences: list[Absence], policy: LeavePolicy, chance: object
) -> None:
    shuffled = [*absences, *absences[:2]]
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # a random.Random
    period = period_of(PeriodKind.MONTH, JANUARY, "Asia/Shanghai")
    holding = rules(policy)
    there = asked_of(FOLLOWED, Fraction(20), period, holding, absences)
    assert there == asked_of(FOLLOWED, Fraction(20), period, holding, shuffled)


def test_two_half_days_are_one_and_one_is_none() -> None:
    morning, afternoon = absent(date(2025, 1, 6), half="morning"), absent(date(2025, 1, 8), half="afternoon")
    assert asked(20, JANUARY, rules(), morning) == 20
    assert asked(20, JANUARY, rules(), morning, afternoon) == 19
    # The same half day, told by two facts.
    assert asked(20, JANUARY, rules(), morning, morning._replace(fact_id="oa/0/2")) == 20


def test_s18_pro_rata_of_thirty_over_twenty_two_workdays_is_fifteen_elevenths_and_takes_one() -> None:
    pro_rata = rules(LeavePolicy(LeaveMode.PRO_RATA, frozenset({Unit.COUNT})))
    april = date(2024, 4, 1)
    assert len(place().workdays(april, date(2024, 5, 1))) == 22
    assert half_up(Fraction(15, 11)) == 1
    assert asked(30, april, pro_rata, absent(date(2024, 4, 9))) == 29
    assert asked(30, april, pro_rata, absent(april, date(2024, 4, 30))) == 0


def test_the_ramp_comes_before_leave_and_is_rounded_half_up() -> None:
    half = Ramp((Fraction(1, 2), Fraction(3, 4)))
    begun = date(2025, 1, 6)
    assert asked(25, JANUARY, rules(ramp=half, start=begun)) == 13
    assert asked(25, JANUARY, rules(ramp=half, start=begun), absent(date(2025, 1, 8))) == 12
    assert asked(25, date(2025, 2, 1), rules(ramp=half, start=begun)) == 19
    assert asked(25, date(2025, 3, 1), rules(ramp=half, start=begun)) == 25
    # Before probation, and without one, the whole.
    assert asked(25, date(2024, 12, 1), rules(ramp=half, start=begun)) == 25
    assert asked(25, JANUARY, rules(ramp=half)) == 25
    # A quarter carries the mean of its months: (1/2 + 3/4 + 1) / 3 of 24.
    quarter = period_of(PeriodKind.QUARTER, JANUARY, "Asia/Shanghai")
    assert asked_of(FOLLOWED, Fraction(24), quarter, rules(ramp=half, start=begun), ()).amount == 18


def test_rates_means_and_what_is_to_be_stayed_under_are_never_adjusted() -> None:
    away, period = absent(JANUARY, date(2025, 1, 31)), period_of(PeriodKind.MONTH, JANUARY, "Asia/Shanghai")
    holding = rules(
        LeavePolicy(LeaveMode.PRO_RATA, frozenset(Unit) - {Unit.RATE}), Ramp((Fraction(0),)), JANUARY
    )
    for name in ("close_rate", "average_order_value", "deals_lost"):
        assert asked_of(METRICS[name], Fraction(7), period, holding, [away]).steps == ()
    assert asked_of(METRICS["revenue"], Fraction(7), period, holding, [away]).amount == 0


@given(leave, st.integers(0, 31))
def test_days_gone_and_days_left_are_the_days_worked(absences: list[Absence], ahead: int) -> None:
    period = period_of(PeriodKind.MONTH, JANUARY, "Asia/Shanghai")
    worked = asked_of(FOLLOWED, Fraction(20), period, rules(), absences).worked
    assert worked is not None
    course = course_of(worked, JANUARY + timedelta(days=ahead))
    assert 0 <= course.gone <= 1
    assert course.gone * course.total + course.left == course.total

"""Forecasts through the contract: what they rest on, and when nothing is said."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction

import grpc
import pytest
from foothold.goals.v1 import facts_pb2, forecast_pb2, values_pb2
from foothold.identity.v1 import directory_pb2

from chassis.errors import from_rpc_error
from tests.goals.enterprise import NOW, Enterprise, count, day, fact, instant, leave, rate, yuan

SILENCE = forecast_pb2.ForecastSilence
COLLEAGUES = tuple(f"colleague-{number}" for number in range(9))
ELSEWHERE = tuple(f"elsewhere-{number}" for number in range(9))
HIRED = day(date(2025, 1, 6))
FIRST, TODAY = date(2025, 2, 10), date(2025, 3, 20)


def workdays(first: date = FIRST, end: date = TODAY) -> Iterator[date]:
    """From Monday to Friday: no public holiday lies among them."""
    return (
        each for number in range((end - first).days) if (each := first + timedelta(days=number)).weekday() < 5
    )


def followed(person: str, each: date, customer: str) -> facts_pb2.Fact:
    at = datetime.combine(each, time(4), UTC)
    return fact("FOLLOW_UP", person, customer=f"{person}-{customer}", at=at)


def tell(goals: Enterprise, *people: str, first: date = FIRST, times: int = 1) -> None:
    """So many new customers each workday."""
    for person in people:
        goals.as_("crm").record(
            *(
                followed(person, each, f"{each}-{number}")
                for each in workdays(first)
                for number in range(times)
            )
        )


@pytest.fixture(scope="module")
def staffed(running: Enterprise) -> Enterprise:
    """Nine colleagues in the branch, nine elsewhere, all with a hire date."""
    running.add_people(COLLEAGUES, hire_date=HIRED)
    running.add_people(ELSEWHERE, "beijing-sales", hire_date=HIRED)
    return running


@pytest.fixture
def known(staffed: Enterprise) -> Enterprise:
    """Forty customers a month are asked for; everybody of the branch follows one up each workday since 10 February."""
    staffed.clear()
    staffed.as_("hr").set_target("customers_followed", count(40))
    tell(staffed, "li", *COLLEAGUES)
    return staffed


def test_a_forecast_says_what_it_rests_on(known: Enterprise) -> None:
    told = known.as_("li").forecast()
    assert (told.asked.numerator, told.done.numerator, told.period.first_day.month) == (40, 13, 3)
    found, basis = told.forecast, told.forecast.basis
    assert found.model == forecast_pb2.FORECAST_MODEL_GAMMA_POISSON
    # Eight days are left, today the first of them: eight more, give or take.
    assert found.workdays_left == 8
    assert 13 <= found.low.numerator <= 21 <= found.high.numerator <= 30
    assert 0 <= found.chance_low_percent <= found.chance_high_percent < 5
    assert (basis.own_workdays, basis.colleagues, basis.colleague_workdays) == (28, 9, 9 * 28)
    assert basis.node_id == "shanghai"
    assert (basis.first_day.year, basis.first_day.month, basis.first_day.day) == (2024, 12, 1)
    for mean in (basis.own_per_workday, basis.colleagues_per_workday):
        assert Fraction(mean.numerator, mean.denominator) == 1
    assert basis.dispersion_hundredths == 100


def test_the_further_the_target_the_smaller_the_chance(known: Enterprise) -> None:
    highs = []
    for asked in (18, 21, 24, 40):
        known.as_("hr").set_target("customers_followed", count(asked), node="li")
        highs.append(known.as_("li").forecast().forecast.chance_high_percent)
    assert highs == sorted(highs, reverse=True)
    assert highs[0] > 90


def test_a_second_follow_up_in_the_month_is_none_and_a_day_off_belongs_to_the_workday_before(
    known: Enterprise,
) -> None:
    crm = known.as_("crm")
    before = known.as_("li").forecast()
    crm.record(followed("li", date(2025, 3, 5), f"{date(2025, 3, 4)}-0"))
    assert known.as_("li").forecast() == before
    crm.record(followed("li", date(2025, 3, 8), "of a Saturday"))
    basis = known.as_("li").forecast().forecast.basis
    assert (basis.own_workdays, basis.own_per_workday.numerator) == (28, 29)


def test_days_wholly_on_leave_are_no_workdays(known: Enterprise) -> None:
    known.as_("crm").record(
        leave(date(2025, 3, 3)), leave(date(2025, 3, 4), half="MORNING"), leave(date(2025, 3, 21))
    )
    found = known.as_("li").forecast().forecast
    assert (found.basis.own_workdays, found.workdays_left) == (27, 7)


def test_what_today_brought_is_a_part_of_today(known: Enterprise) -> None:
    before = known.as_("li").forecast().forecast
    known.as_("crm").record(*(followed("li", TODAY, f"today-{number}") for number in range(3)))
    after = known.as_("li").forecast().forecast
    assert after.basis == before.basis
    assert before.high.numerator <= after.high.numerator <= before.high.numerator + 3
    assert after.low.numerator >= max(before.low.numerator, 16)


def test_as_of_an_earlier_day_says_what_was_to_be_said_then(known: Enterprise) -> None:
    earlier = instant(NOW - timedelta(days=7))
    told = known.as_("li").forecast(as_of=earlier)
    assert (told.done.numerator, told.forecast.workdays_left) == (8 + 1, 13)
    assert told.forecast.basis.own_workdays == 23


def test_where_the_branch_has_too_few_the_enterprise_serves(known: Enterprise) -> None:
    known.clear()
    known.as_("hr").set_target("customers_followed", count(40))
    tell(known, "li", *COLLEAGUES[:7], *ELSEWHERE[:1])
    basis = known.as_("li").forecast().forecast.basis
    assert (basis.node_id, basis.colleagues) == ("hq", 8)


def silence(told: forecast_pb2.TargetForecast) -> str:
    assert told.HasField("silent"), told
    return SILENCE.Name(told.silent.reason).removeprefix("FORECAST_SILENCE_")


def test_below_the_least_data_nothing_is_said_but_what_is_missing(known: Enterprise) -> None:
    known.clear()
    known.as_("hr").set_target("customers_followed", count(40))
    tell(known, "li", *COLLEAGUES[:7])
    told = known.as_("li").forecast()
    assert silence(told) == "TOO_FEW_COLLEAGUES"
    assert (told.silent.colleagues, told.silent.colleagues_needed, told.silent.own_workdays) == (7, 8, 28)
    tell(known, COLLEAGUES[7])
    assert known.as_("li").forecast().HasField("forecast")
    # Who came eight workdays ago.
    known.add_people(["novice"], hire_date=day(date(2025, 3, 10)))
    told = known.as_("manager").forecast(person="novice")
    assert silence(told) == "TOO_FEW_OWN_WORKDAYS"
    assert (told.silent.own_workdays, told.silent.own_workdays_needed) == (8, 10)
    known.add_people(["novice"], hire_date=day(date(2025, 3, 6)))
    assert known.as_("manager").forecast(person="novice").HasField("forecast")


def test_what_has_no_model_is_reached_or_has_no_day_left_is_said_so(known: Enterprise) -> None:
    hr, li = known.as_("hr"), known.as_("li")
    hr.set_target("revenue", worth(5_000))
    hr.set_target("deals_lost", count(3))
    hr.set_target("new_customers", count(13), kind="WEEK")
    told = li.forecast("revenue")
    assert silence(told) == "TOO_FEW_EVENTS"
    assert (told.silent.events, told.silent.events_needed) == (0, 30)
    # Nobody has lost a deal: it is all but certain that no more than three are lost.
    kept = li.forecast("deals_lost")
    assert (kept.at_most, told.at_most) == (True, False)
    assert kept.forecast.chance_low_percent > 90
    hr.set_target("customers_bought_again", count(3))
    assert silence(li.forecast("customers_bought_again")) == "NO_MODEL"
    assert li.forecast("new_customers").forecast.workdays_left == 2
    hr.set_target("new_customers", count(3), node="li", kind="WEEK")
    assert silence(li.forecast("new_customers")) == "TARGET_REACHED"
    known.as_("crm").record(leave(date(2025, 3, 20), date(2025, 3, 31)))
    assert silence(li.forecast()) == "NO_WORKDAY_LEFT"


def test_a_rate_of_two_counts_is_forecast_from_both(known: Enterprise) -> None:
    known.as_("hr").set_target("close_rate", rate(1, 10))
    for person in ("li", *COLLEAGUES):
        fridays = [each for each in workdays() if each.weekday() == 4]
        known.as_("crm").record(
            *(
                fact("DEAL_WON", person, customer=f"{person}-{each}", at=datetime.combine(each, time(5), UTC))
                for each in fridays
            )
        )
    told = known.as_("li").forecast("close_rate")
    assert (told.done.numerator, told.done.denominator) == (2, 13)
    found, basis = told.forecast, told.forecast.basis
    assert found.model == forecast_pb2.FORECAST_MODEL_TWO_COUNTS
    assert found.workdays_left == 8
    low, high = (Fraction(each.numerator, each.denominator) for each in (found.low, found.high))
    # Five of twenty-eight since February, two of thirteen this month, eight workdays to go.
    assert 0 < low <= Fraction(3, 21) <= high < Fraction(1, 2)
    assert 0 < found.chance_low_percent <= found.chance_high_percent <= 100
    assert (basis.own_rate.numerator, basis.own_rate.denominator) == (5, 28)
    assert (basis.colleagues_rate.numerator, basis.colleagues_rate.denominator) == (9 * 5, 9 * 28)
    known.as_("hr").set_target("close_rate", rate(9, 10), node="li")
    assert known.as_("li").forecast("close_rate").forecast.chance_high_percent < 5


def test_a_rate_that_is_reached_may_fall_again_and_a_share_of_a_whole_is_within_it(known: Enterprise) -> None:
    known.as_("hr").set_target("win_rate", rate(1, 2))
    for person in ("li", *COLLEAGUES):
        known.as_("crm").record(
            *(
                fact(kind, person, customer=f"{person}-{each}", at=datetime.combine(each, time(5), UTC))
                for each in workdays()
                for kind in (("DEAL_WON", "DEAL_LOST")[each.day % 2],)
            )
        )
    told = known.as_("li").forecast("win_rate")
    assert told.HasField("forecast"), told
    assert told.forecast.high.numerator <= told.forecast.high.denominator
    basis = told.forecast.basis
    assert basis.own_rate.denominator == 28


def sold(person: str, each: date, amount: int) -> facts_pb2.Fact:
    at = datetime.combine(each, time(5), UTC)
    return fact("DEAL_WON", person, customer=f"{person}-{each}", at=at, amount=yuan(amount))


def worth(number: int) -> values_pb2.Value:
    return values_pb2.Value(unit=values_pb2.UNIT_MONEY, numerator=100 * number, denominator=1, currency="CNY")


def test_money_is_forecast_from_how_many_deals_there_are_and_their_sizes(known: Enterprise) -> None:
    known.as_("hr").set_target("revenue", worth(5_000))
    known.as_("hr").set_target("average_order_value", worth(1_000))
    for person in ("li", *COLLEAGUES):
        some = [each for each in workdays() if each.weekday() in {1, 4}]
        known.as_("crm").record(*(sold(person, each, 600 + 20 * each.day) for each in some))
    told = known.as_("li").forecast("revenue")
    assert told.done.numerator == 100 * sum(600 + 20 * day for day in (4, 7, 11, 14, 18))
    found, basis = told.forecast, told.forecast.basis
    assert found.model == forecast_pb2.FORECAST_MODEL_SIZES
    # Eight workdays are left with about three deals of some 900.
    assert told.done.numerator <= found.low.numerator < told.done.numerator + 270_000 < found.high.numerator
    assert found.high.numerator < told.done.numerator + 800_000
    assert (found.low.currency, found.low.denominator) == ("CNY", 1)
    assert 70 < found.chance_low_percent < found.chance_high_percent <= 100
    assert (basis.own_per_workday.numerator, basis.own_size.denominator) == (11, 11)
    assert (basis.own_size.numerator * 9, basis.own_size.denominator * 9) == (
        basis.colleagues_size.numerator,
        basis.colleagues_size.denominator,
    )
    mean = known.as_("li").forecast("average_order_value").forecast
    assert mean.model == forecast_pb2.FORECAST_MODEL_SIZES
    assert 60_000 < mean.low.numerator < 81_600 < mean.high.numerator < 110_000
    assert mean.chance_high_percent < 20
    known.as_("hr").set_target("revenue", worth(50_000), node="li")
    assert known.as_("li").forecast("revenue").forecast.chance_high_percent <= 1
    known.as_("hr").set_target("revenue", worth(500), node="li")
    assert silence(known.as_("li").forecast("revenue")) == "TARGET_REACHED"


def test_what_today_sold_is_a_part_of_today(known: Enterprise) -> None:
    known.as_("hr").set_target("revenue", worth(9_000))
    for person in ("li", *COLLEAGUES):
        known.as_("crm").record(*(sold(person, each, 800) for each in workdays() if each.weekday() == 4))
    before = known.as_("li").forecast("revenue")
    known.as_("crm").record(sold("li", TODAY, 800))
    after = known.as_("li").forecast("revenue")
    assert after.forecast.basis == before.forecast.basis
    assert after.done.numerator == before.done.numerator + 80_000
    assert before.forecast.low.numerator <= after.forecast.low.numerator
    # The deal of today is one of those that were to be expected, not one more.
    assert after.forecast.high.numerator < before.forecast.high.numerator + 80_000


def test_minutes_are_forecast_alike(known: Enterprise) -> None:
    known.as_("hr").set_target(
        "followup_minutes", values_pb2.Value(unit=values_pb2.UNIT_MINUTES, numerator=700, denominator=1)
    )
    for person in ("li", *COLLEAGUES):
        known.as_("crm").record(
            *(
                fact("TIME_SPENT", person, at=datetime.combine(each, time(6), UTC), minutes=20 + each.day)
                for each in workdays()
            )
        )
    found = known.as_("li").forecast("followup_minutes").forecast
    assert found.model == forecast_pb2.FORECAST_MODEL_SIZES
    assert found.low.unit == values_pb2.UNIT_MINUTES
    assert 0 < found.low.numerator < found.high.numerator
    assert found.low.currency == ""


def test_probation_is_forecast_where_days_add_up_and_not_where_customers_are_told_apart_by_month(
    known: Enterprise,
) -> None:
    known.add_people(["novice"], probation_start=day(FIRST), probation_end=day(date(2025, 5, 9)))
    tell(known, "novice")
    hr = known.as_("hr")
    for metric in ("new_customers", "customers_bought"):
        hr.set_target(metric, count(60), kind="PROBATION", node="novice")
    assert silence(hr.forecast("customers_bought", "novice")) == "NO_MODEL"
    found = hr.forecast("new_customers", "novice").forecast
    # One each workday so far; April has a holiday and a Sunday that is worked, May five days off.
    assert found.workdays_left == 34
    assert 45 <= found.low.numerator < 28 + 34 < found.high.numerator <= 85
    assert 0 < found.chance_low_percent <= 50 <= found.chance_high_percent < 100


def test_a_year_without_a_calendar_is_said(known: Enterprise) -> None:
    told = known.as_("li").forecast(as_of=instant(datetime(2031, 5, 20, tzinfo=UTC)))
    assert silence(told) == "CALENDAR_UNKNOWN"


def test_a_forecast_is_for_those_who_may_see_the_person_s_progress(known: Enterprise) -> None:
    for who in ("li", "mentor", "manager", "hr"):
        assert known.as_(who).forecast().HasField("forecast")
    with pytest.raises(grpc.RpcError) as refused:
        known.as_("wang").forecast()
    assert from_rpc_error(refused.value).code.name == "NOT_FOUND"


def test_a_metric_of_one_s_own_has_a_forecast_by_its_counter(known: Enterprise) -> None:
    known.as_("hr").set_target("customers_bought", count(5))
    told = known.as_("li").forecast("customers_bought")
    assert (told.forecast.low.numerator, told.done.numerator) == (0, 0)
    assert told.forecast.basis.own_per_workday.numerator == 0


def test_who_has_left_counts_until_then_and_who_came_nobody_knows_when_from_the_first_fact(
    known: Enterprise,
) -> None:
    left = directory_pb2.Person(
        id="left",
        parent_id="shanghai-sales",
        name="left",
        employee_number="E-left",
        job_role="sales",
        hire_date=HIRED,
        status=directory_pb2.PERSON_STATUS_DISMISSED,
        dismissed_at=instant(datetime(2025, 3, 10, 1, tzinfo=UTC)),
    )
    known.tell({"person_changed": left})
    before = known.as_("li").forecast().forecast.basis
    # Chen has no hire date; nobody has before the tenth of February.
    tell(known, "left", "chen", first=date(2025, 2, 12))
    basis = known.as_("li").forecast().forecast.basis
    assert (before.colleagues, basis.colleagues) == (9, 11)
    assert basis.colleague_workdays == before.colleague_workdays + 20 + 26
    left.dismissed_at.CopyFrom(instant(datetime(2025, 3, 7, 1, tzinfo=UTC)))
    known.tell({"person_changed": left})
    # Nineteen workdays are too few.
    assert known.as_("li").forecast().forecast.basis.colleagues == 10

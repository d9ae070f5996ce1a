"""R9: every instant lies in exactly one period of each kind, in every zone, through every change of clocks."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.goals.domain.periods import (
    CALENDAR_KINDS,
    Calendar,
    PeriodKind,
    day_start,
    local_day,
    period_of,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Midnights skipped, repeated and crossed backwards, a whole day left out, and offsets of odd minutes.
ODD = (
    "Asia/Shanghai",
    "America/Sao_Paulo",
    "America/Havana",
    "America/St_Johns",
    "America/Asuncion",
    "Atlantic/Azores",
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "Africa/Cairo",
)
INSTANTS = st.datetimes(datetime(2000, 1, 2), datetime(2099, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001  bounds are naive
ZONES = st.one_of(st.sampled_from(ODD), st.sampled_from(sorted(available_timezones() - {"localtime"})))
MICROSECOND = timedelta(microseconds=1)


@settings(max_examples=400, deadline=None)
@given(INSTANTS, ZONES)
def test_every_instant_lies_in_exactly_one_period_of_each_kind(instant: datetime, zone: str) -> None:
    today = local_day(instant, zone)
    for kind in CALENDAR_KINDS:
        period = period_of(kind, today, zone)
        assert period.start <= instant < period.stop
        following = period_of(kind, period.end, zone)
        assert following.start == period.stop
        assert local_day(period.stop, zone) >= period.end
        assert local_day(period.stop - MICROSECOND, zone) < period.end


@settings(max_examples=400, deadline=None)
@given(INSTANTS, ZONES)
def test_the_calendar_remembers_rightly(instant: datetime, zone: str) -> None:
    calendar = Calendar()
    for moment in (instant, instant - timedelta(minutes=40), instant + timedelta(minutes=40)):
        days = calendar.day_number((moment - EPOCH) // MICROSECOND, zone)
        assert date(1970, 1, 1) + timedelta(days=days) == local_day(moment, zone)


@pytest.mark.parametrize("zone", ODD)
def test_days_follow_each_other_without_a_gap_around_every_change_of_clocks(zone: str) -> None:
    day = date(2000, 1, 2)
    calendar = Calendar()
    while day < date(2030, 1, 1):
        start, following = day_start(day, zone), day_start(day + timedelta(days=1), zone)
        assert start <= following
        if start < following:
            assert local_day(start, zone) == day
            assert local_day(following - MICROSECOND, zone) == day
            for moment in (start, following - MICROSECOND):
                number = calendar.day_number((moment - EPOCH) // MICROSECOND, zone)
                assert date(1970, 1, 1) + timedelta(days=number) == day
        day += timedelta(days=1)


def test_the_day_that_samoa_left_out_has_no_instant() -> None:
    left_out = date(2011, 12, 30)
    assert day_start(left_out, "Pacific/Apia") == day_start(date(2011, 12, 31), "Pacific/Apia")


def test_weeks_begin_on_monday_and_quarters_in_january() -> None:
    week = period_of(PeriodKind.WEEK, date(2025, 3, 23), "Asia/Shanghai")
    assert (week.first, week.end) == (date(2025, 3, 17), date(2025, 3, 24))
    assert week.start == datetime(2025, 3, 16, 16, tzinfo=UTC)
    quarter = period_of(PeriodKind.QUARTER, date(2024, 12, 31), "Asia/Shanghai")
    assert (quarter.first, quarter.end) == (date(2024, 10, 1), date(2025, 1, 1))
    assert period_of(PeriodKind.MONTH, date(2024, 2, 29), "UTC").days == 29

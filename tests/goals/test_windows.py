"""Windows that are a person's own: each instant lies in exactly one probation or in none, in every zone."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from services.goals.domain.periods import Period, PeriodKind, day_start, local_day
from services.goals.domain.windows import Days, NoPeriod, Probation
from tests.goals.test_periods import INSTANTS, ZONES

MICROSECOND = timedelta(microseconds=1)
DAYS = st.dates(date(2000, 1, 2), date(2099, 12, 30))
LENGTHS = st.integers(0, 400)


def probation_at(instant: datetime, zone: str, probation: Probation) -> Period | NoPeriod:
    return Days(local_day(instant, zone), zone, probation).period(PeriodKind.PROBATION)


@settings(max_examples=400, deadline=None)
@given(INSTANTS, ZONES, st.integers(-400, 400), LENGTHS)
def test_every_instant_lies_in_the_probation_or_in_none(
    instant: datetime, zone: str, away: int, length: int
) -> None:
    first = local_day(instant, zone) + timedelta(days=away)
    last = first + timedelta(days=length)
    begins, ends = day_start(first, zone), day_start(last + timedelta(days=1), zone)
    found = probation_at(instant, zone, Probation(first, last))
    if isinstance(found, Period):
        assert (found.start, found.stop) == (begins, ends)
        assert begins <= instant < ends
    else:
        assert found is (NoPeriod.NOT_BEGUN if instant < begins else NoPeriod.OVER)
        assert not begins <= instant < ends


@settings(max_examples=200, deadline=None)
@given(DAYS, ZONES, LENGTHS)
def test_its_first_and_last_instant_belong_to_it_and_their_neighbours_do_not(
    first: date, zone: str, length: int
) -> None:
    probation = Probation(first, first + timedelta(days=length))
    begins = day_start(first, zone)
    ends = day_start(first + timedelta(days=length + 1), zone)
    if begins == ends:  # Samoa left that day out: nothing happened in it.
        return
    for inside in (begins, ends - MICROSECOND):
        assert isinstance(probation_at(inside, zone, probation), Period)
    assert probation_at(begins - MICROSECOND, zone, probation) is NoPeriod.NOT_BEGUN
    assert probation_at(ends, zone, probation) is NoPeriod.OVER


@given(INSTANTS, ZONES)
def test_a_day_that_is_not_known_is_not_guessed(instant: datetime, zone: str) -> None:
    today = local_day(instant.astimezone(UTC), zone)
    assert probation_at(instant, zone, Probation(None, None)) is NoPeriod.PROBATION_UNKNOWN
    assert probation_at(instant, zone, Probation(today, None)) is NoPeriod.END_UNKNOWN

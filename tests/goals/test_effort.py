"""What a person puts in, beside their own weeks before (S28): days, weeks, what is usual; never anybody else's."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import grpc
import pytest
from foothold.goals.v1 import effort_pb2

from chassis.errors import from_rpc_error
from tests.goals.enterprise import NOW, Client, Enterprise, day, fact

_MONDAY = datetime(2025, 3, 17, 1, 0, tzinfo=UTC)
_WEEK = timedelta(days=7)


def _effort(
    client: Client, person: str = "li", *, on: date | None = None, weeks: int = 0
) -> effort_pb2.GetEffortResponse:
    request = effort_pb2.GetEffortRequest(person_id=person, weeks=weeks, on=day(on) if on else None)
    return client.effort.GetEffort(request)


def test_s28_hours_mails_and_meetings_of_the_day_and_five_hours_more_than_the_week_before(
    goals: Enterprise,
) -> None:
    goals.as_("crm").record(
        fact("FOLLOW_UP", customer="a", minutes=600, at=_MONDAY - _WEEK),
        fact("FOLLOW_UP", customer="b", minutes=13 * 60, at=_MONDAY),
        fact("TIME_SPENT", minutes=120, at=NOW),
        *(fact("EMAIL", at=NOW) for _ in range(5)),
        *(fact("MEETING", at=NOW) for _ in range(2)),
    )
    answer = _effort(goals.as_("li"))
    today = answer.days[-1].effort
    assert (today.minutes, today.emails, today.meetings) == (120, 5, 2)
    assert [each.effort.minutes for each in answer.weeks[-2:]] == [600, 900]
    assert answer.so_far.minutes - answer.same_days_before.minutes == 300
    assert Fraction(answer.so_far.minutes, answer.same_days_before.minutes) - 1 == Fraction(1, 2)


def test_calls_are_the_follow_ups_by_phone_and_every_touch_counts(goals: Enterprise) -> None:
    goals.as_("crm").record(
        fact("FOLLOW_UP", customer="a", channel="phone", at=NOW),
        fact("FOLLOW_UP", customer="a", channel="phone", at=NOW),
        fact("FOLLOW_UP", customer="a", channel="wechat", at=NOW),
    )
    today = _effort(goals.as_("li")).days[-1].effort
    assert (today.follow_ups, today.calls) == (3, 2)


def test_what_is_voided_or_told_twice_does_not_count(goals: Enterprise) -> None:
    crm = goals.as_("crm")
    mail = fact("EMAIL", at=NOW)
    crm.record(mail, mail, fact("EMAIL", at=NOW))
    mail.version, mail.voided = 1, True
    crm.record(mail)
    assert _effort(goals.as_("li")).days[-1].effort.emails == 1


def test_the_week_so_far_is_compared_with_the_same_days_of_the_week_before(goals: Enterprise) -> None:
    goals.as_("crm").record(
        fact("EMAIL", at=_MONDAY - _WEEK),
        fact("EMAIL", at=_MONDAY - timedelta(days=1)),
        fact("EMAIL", at=_MONDAY),
    )
    wednesday = (_MONDAY + timedelta(days=2)).date()
    answer = _effort(goals.as_("li"), on=wednesday)
    assert (answer.so_far.emails, answer.same_days_before.emails) == (1, 1)
    assert answer.weeks[-2].effort.emails == 2


def test_what_is_usual_is_the_median_of_whole_weeks_exactly(goals: Enterprise) -> None:
    for weeks, mails in ((1, 4), (2, 1), (3, 9), (4, 3)):
        goals.as_("crm").record(*(fact("EMAIL", at=_MONDAY - weeks * _WEEK) for _ in range(mails)))
    usual = _effort(goals.as_("li"), weeks=5).usual
    assert usual.weeks == 4
    assert Fraction(usual.emails.numerator, usual.emails.denominator) == Fraction(7, 2)


def test_with_fewer_than_three_whole_weeks_nothing_is_called_usual(goals: Enterprise) -> None:
    assert not _effort(goals.as_("li"), weeks=3).HasField("usual")


def test_a_day_belongs_to_the_person_s_own_zone(goals: Enterprise) -> None:
    # Sunday 16:30 UTC is Monday 00:30 in Shanghai.
    goals.as_("crm").record(fact("EMAIL", at=datetime(2025, 3, 16, 16, 30, tzinfo=UTC)))
    answer = _effort(goals.as_("li"), on=date(2025, 3, 17))
    assert [each.effort.emails for each in answer.weeks[-2:]] == [0, 1]


@pytest.mark.parametrize("fields", [{"weeks": 1}, {"weeks": 27}, {"weeks": -1}, {"on": date(2025, 12, 1)}])
def test_what_cannot_be_asked_is_refused_by_field(goals: Enterprise, fields: dict[str, object]) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        _effort(goals.as_("li"), **fields)  # type: ignore[arg-type]  # one of both
    failure = from_rpc_error(caught.value)
    assert set(failure.fields) == set(fields)


def test_a_peer_sees_nothing(goals: Enterprise) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        _effort(goals.as_("li"), "wang")
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND

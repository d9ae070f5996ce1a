"""Acceptance cases S15 to S18: leave from the OA system, through the contract."""

import random
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import grpc
import pytest
from foothold.goals.v1 import calendars_pb2, facts_pb2, progress_pb2, values_pb2

from chassis.errors import from_rpc_error
from tests.goals.enterprise import NOW, Enterprise, count, fact, instant, leave, rate

FRIDAY = date(2025, 3, 21)
PRO_RATA = calendars_pb2.LeavePolicy(mode=calendars_pb2.LEAVE_MODE_PRO_RATA, units=[values_pb2.UNIT_COUNT])


@pytest.fixture
def asked(goals: Enterprise) -> Enterprise:
    """Twenty customers a month, 10 % of them won."""
    goals.as_("hr").set_target("customers_followed", count(20))
    goals.as_("hr").set_target("close_rate", rate(1, 10))
    return goals


def followed(goals: Enterprise, person: str = "li") -> progress_pb2.TargetProgress:
    return goals.as_(person).target_progress("customers_followed", person)


def test_s15_a_workday_of_leave_takes_one_off_and_leaves_the_rate(asked: Enterprise) -> None:
    asked.as_("crm").record(fact("FOLLOW_UP", customer="c1"))
    before = followed(asked)
    assert (before.asked.numerator, before.remaining.numerator, list(before.adjustments)) == (20, 19, [])
    assert asked.as_("crm").outcomes(leave(FRIDAY, external_id="L-1")) == ["RECORDED"]
    after = followed(asked)
    assert after.target.target.value.numerator == 20
    assert (after.asked.numerator, after.remaining.numerator) == (19, 18)
    assert Fraction(after.attainment.numerator, after.attainment.denominator) == Fraction(1, 19)
    (step,) = after.adjustments
    assert (step.change.numerator, step.result.numerator, step.leave.half_days) == (-1, 19, 2)
    (taken,) = step.leave.days
    assert (taken.day.month, taken.day.day, taken.morning, taken.afternoon) == (3, 21, True, True)
    assert taken.fact_ids == ["oa/0/L-1"]
    # 21 workdays less one; 18 more over the 7 that are left, today the first of them.
    assert (after.workdays, after.workdays_left) == (20, 7)
    assert Fraction(after.daily_pace.numerator, after.daily_pace.denominator) == Fraction(18, 7)
    assert Fraction(after.pace.numerator, after.pace.denominator) == 19 * Fraction(13, 20)
    of_rate = asked.as_("li").target_progress("close_rate")
    assert (of_rate.asked.numerator, of_rate.asked.denominator, len(of_rate.adjustments)) == (1, 10, 0)
    assert not of_rate.HasField("daily_pace")


def test_s15_is_told_wherever_the_target_is(asked: Enterprise) -> None:
    asked.as_("crm").record(leave(FRIDAY))
    li = asked.as_("li")
    assert li.explain("customers_followed").target.asked.numerator == 19
    course = li.progress.GetProgressCourse(
        progress_pb2.GetProgressCourseRequest(
            person_id="li", metric="customers_followed", period_kind=values_pb2.PERIOD_KIND_MONTH
        )
    )
    assert (course.target.target.value.numerator, course.asked.numerator) == (20, 19)
    assert Fraction(course.points[-1].pace.numerator, course.points[-1].pace.denominator) == 19 * Fraction(
        14, 20
    )
    team = asked.as_("manager").progress.ListTeamProgress(progress_pb2.ListTeamProgressRequest())
    by_person = {each.person_id: each.targets[0].asked.numerator for each in team.people if each.targets}
    assert (by_person["li"], by_person["wang"]) == (19, 20)


def test_s16_the_same_event_twice_then_cancelled(asked: Enterprise) -> None:
    crm = asked.as_("crm")
    told = leave(FRIDAY, external_id="L-1")
    assert crm.outcomes(told, told) == ["RECORDED", "ALREADY_KNOWN"]
    assert crm.outcomes(told) == ["ALREADY_KNOWN"]
    assert followed(asked).asked.numerator == 19
    cancelled = fact("LEAVE", source="oa", external_id="L-1", version=1, voided=True)
    assert crm.outcomes(cancelled, cancelled) == ["RECORDED", "ALREADY_KNOWN"]
    assert followed(asked).asked.numerator == 20
    assert asked.as_("administrator").check().values_differing == 0


def test_s16_a_changed_leave_counts_as_it_is_now(asked: Enterprise) -> None:
    crm = asked.as_("crm")
    crm.record(leave(FRIDAY, external_id="L-1"))
    crm.record(leave(date(2025, 3, 24), date(2025, 3, 26), external_id="L-1", version=1))
    assert followed(asked).asked.numerator == 17
    crm.record(leave(FRIDAY, None, "wang", external_id="L-1", version=2))
    assert (followed(asked).asked.numerator, followed(asked, "wang").asked.numerator) == (20, 19)


def test_s17_leave_on_a_weekend_or_public_holiday_changes_nothing_on_a_make_up_workday_it_does(
    goals: Enterprise,
) -> None:
    goals.as_("hr").set_target("customers_followed", count(20))
    crm, li = goals.as_("crm"), goals.as_("li")
    january = instant(datetime(2025, 1, 31, 3, tzinfo=UTC))
    granted = datetime(2025, 1, 3, 3, tzinfo=UTC)

    def then() -> int:
        (target,) = li.get(as_of=january).targets
        return target.asked.numerator

    assert li.get(as_of=january).targets[0].workdays == 19
    # A Saturday, then Spring Festival.
    crm.record(leave(date(2025, 1, 4), at=granted), leave(date(2025, 1, 28), date(2025, 1, 31), at=granted))
    assert then() == 20
    crm.record(leave(date(2025, 1, 26), at=granted))
    assert then() == 19


def test_s18_half_days(asked: Enterprise) -> None:
    crm = asked.as_("crm")
    crm.record(leave(FRIDAY, half="MORNING"))
    once = followed(asked)
    assert once.asked.numerator == 20
    assert (once.adjustments[0].leave.half_days, once.adjustments[0].change.numerator) == (1, 0)
    crm.record(leave(date(2025, 3, 24), half="AFTERNOON"))
    assert followed(asked).asked.numerator == 19
    # The same half days again, from another source.
    crm.record(
        leave(FRIDAY, half="MORNING", source="oa2"), leave(date(2025, 3, 24), half="AFTERNOON", source="oa2")
    )
    assert followed(asked).asked.numerator == 19


def test_s18_more_leave_than_is_asked_leaves_nothing_and_never_less(goals: Enterprise) -> None:
    goals.as_("hr").set_target("customers_followed", count(15))
    goals.as_("crm").record(leave(date(2025, 2, 24), date(2025, 4, 4)))
    progress = followed(goals)
    assert (progress.asked.numerator, progress.remaining.numerator) == (0, 0)
    assert progress.status == progress_pb2.PROGRESS_STATUS_MET
    assert (progress.workdays, progress.workdays_left) == (0, 0)
    assert not progress.HasField("daily_pace")


def test_s18_pro_rata_by_workdays(goals: Enterprise) -> None:
    hr = goals.as_("hr")
    hr.set_target("customers_followed", count(30))
    hr.set_rule(leave_policy=PRO_RATA)
    goals.as_("crm").record(leave(FRIDAY))
    progress = followed(goals)
    # 30/21 is nearest to 1.
    assert progress.asked.numerator == 29
    step = progress.adjustments[0]
    assert (step.node_id, step.leave.workdays) == ("hq", 21)
    assert step.leave.mode == calendars_pb2.LEAVE_MODE_PRO_RATA


def test_money_is_less_only_where_the_policy_says_so(goals: Enterprise) -> None:
    hr = goals.as_("hr")
    money = values_pb2.Value(unit=values_pb2.UNIT_MONEY, numerator=2_100_000, denominator=1, currency="CNY")
    hr.set_target("revenue", money)
    goals.as_("crm").record(leave(FRIDAY))
    assert goals.as_("li").target_progress("revenue").asked.numerator == 2_100_000
    both = calendars_pb2.LeavePolicy(
        mode=calendars_pb2.LEAVE_MODE_PRO_RATA, units=[values_pb2.UNIT_COUNT, values_pb2.UNIT_MONEY]
    )
    hr.set_rule("shanghai", leave_policy=both)
    assert goals.as_("li").target_progress("revenue").asked.numerator == 2_000_000


def test_a_month_of_probation_carries_its_share_then_comes_leave(asked: Enterprise) -> None:
    ramp = calendars_pb2.Ramp(shares=[rate(1, 4), rate(1, 2), rate(3, 4)])
    asked.as_("hr").set_rule("shanghai", ramp=ramp)
    asked.as_("crm").record(leave(FRIDAY))
    # March is the third month of a probation that began on 6 January.
    progress = followed(asked)
    assert progress.asked.numerator == 14
    first, second = progress.adjustments
    assert (first.ramp.month, first.ramp.share.numerator, first.change.numerator) == (3, 3, -5)
    assert (first.node_id, second.change.numerator) == ("shanghai", -1)
    # No probation, no ramp.
    assert followed(asked, "chen").asked.numerator == 20


def test_leave_is_nobodys_word_but_the_systems(asked: Enterprise) -> None:
    by_hand = leave(FRIDAY, source="foothold")
    assert asked.as_("crm").outcomes(by_hand) == ["FIELD_INVALID"]
    assert asked.as_("manager").outcomes(by_hand) == ["FIELD_INVALID"]
    assert asked.as_("manager").outcomes(leave(FRIDAY)) == ["PERMISSION_MISSING"]
    with pytest.raises(grpc.RpcError) as refused:
        asked.as_("crm").facts.RecordFact(facts_pb2.RecordFactRequest(fact=by_hand))
    assert list(from_rpc_error(refused.value).fields) == ["fact.kind"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (facts_pb2.Leave(), "leave.first_day"),
        (leave(FRIDAY, date(2025, 3, 20)).leave, "leave.last_day"),
        (leave(FRIDAY, date(2026, 3, 22)).leave, "leave.last_day"),
        (
            facts_pb2.Leave(
                first_day=leave(FRIDAY).leave.first_day,
                first_half=facts_pb2.DAY_HALF_AFTERNOON,
                last_half=facts_pb2.DAY_HALF_MORNING,
            ),
            "leave.last_day",
        ),
        (facts_pb2.Leave(first_day=leave(FRIDAY).leave.first_day, first_half=9), "leave.first_half"),  # type: ignore[arg-type]
    ],
)
def test_leave_of_no_days_is_refused_by_its_field(
    asked: Enterprise, wrong: facts_pb2.Leave, field: str
) -> None:
    told = fact("LEAVE", source="oa", leave=wrong)
    (result,) = asked.as_("crm").record(told)
    assert (result.reason, result.field) == ("FIELD_INVALID", field)
    (result,) = asked.as_("crm").record(fact("LEAVE", source="oa"))
    assert result.field == "leave"
    (result,) = asked.as_("crm").record(fact("EMAIL", leave=leave(FRIDAY).leave))
    assert result.field == "leave"


def test_leave_is_a_fact_like_others_and_counts_in_no_figure(asked: Enterprise) -> None:
    before = asked.as_("li").get()
    asked.as_("crm").record(leave(FRIDAY, half="AFTERNOON", external_id="L-1"))
    after = asked.as_("li").get()
    assert list(after.values) == list(before.values)
    assert not after.HasField("last_fact_recorded_at")
    (listed,) = asked.as_("li").facts.ListFacts(facts_pb2.ListFactsRequest(person_id="li")).facts
    told = listed.fact.leave
    assert (told.first_day.day, told.last_day.day) == (21, 21)
    assert told.first_half == told.last_half == facts_pb2.DAY_HALF_AFTERNOON
    history = facts_pb2.GetFactHistoryRequest(fact_id="oa/0/L-1")
    assert asked.as_("li").facts.GetFactHistory(history).versions[0].fact.leave == told


def test_what_is_asked_is_what_was_asked_then(asked: Enterprise) -> None:
    asked.as_("crm").record(leave(FRIDAY, at=NOW - timedelta(hours=1)))
    then = asked.as_("li").get(as_of=instant(NOW - timedelta(hours=2)))
    assert then.targets[0].asked.numerator == 20
    assert asked.as_("li").get(as_of=instant(NOW)).targets[0].asked.numerator == 19


def test_leave_over_the_turn_of_a_month_tells_both(asked: Enterprise) -> None:
    operator = asked.as_("operator")
    head = operator.head()
    asked.as_("crm").record(leave(date(2025, 3, 31), date(2025, 4, 1)))
    (event,) = operator.heard(head, "values_changed", 1)
    assert event.values_changed.person_id == "li"
    firsts = {(each.period.kind, each.period.first_day.month) for each in event.values_changed.periods}
    assert {(3, 3), (3, 4), (2, 3)} <= firsts


def test_any_order_of_leave_leaves_the_same_ledger(asked: Enterprise) -> None:
    told = [
        leave(FRIDAY, external_id="L-1"),
        leave(date(2025, 3, 24), external_id="L-1", version=1),
        fact("LEAVE", source="oa", external_id="L-1", version=2, voided=True),
        leave(FRIDAY, half="MORNING", external_id="L-2"),
        leave(date(2025, 3, 20), date(2025, 4, 2), "wang", external_id="L-3"),
        fact("FOLLOW_UP", customer="c", external_id="F-1"),
    ]
    chance = random.Random(3)
    states = set()
    for _ in range(5):
        asked.clear()
        again = told + chance.sample(told, 3)
        chance.shuffle(again)
        for each in again:
            asked.as_("crm").record(each)
        check = asked.as_("administrator").check()
        assert check.values_differing == 0
        states.add(check.state_hash)
    assert len(states) == 1


def test_nobody_is_idle_on_days_off_or_on_leave(asked: Enterprise) -> None:
    def reasons(person: str = "li") -> list[str]:
        team = asked.as_("manager").progress.ListTeamProgress(progress_pb2.ListTeamProgressRequest())
        return next(list(each.reasons) for each in team.people if each.person_id == person)

    monday = NOW - timedelta(days=3)
    asked.as_("crm").record(fact("FOLLOW_UP", customer="c", at=monday))
    assert "no_follow_up" in reasons()
    # On leave on Tuesday and Wednesday: the last two days worked are Friday and Monday.
    asked.as_("crm").record(leave(date(2025, 3, 18), date(2025, 3, 19)))
    assert "no_follow_up" not in reasons()

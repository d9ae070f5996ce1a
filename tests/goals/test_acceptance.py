"""Acceptance cases S03, S04, S05, S34 and rules R1, R3, R4, R9, R12, through the contract."""

from datetime import UTC, date, datetime, timedelta

import pytest
from foothold.goals.v1 import facts_pb2, progress_pb2, values_pb2

from tests.goals.enterprise import NOW, Enterprise, count, fact, instant, rate, yuan
from tests.goals.splitting import credit

STATUS = progress_pb2.ProgressStatus
MARCH = datetime(2025, 3, 3, 2, 0, tzinfo=UTC)


def follow(number: int, *, person: str = "li", first: int = 0) -> list[facts_pb2.Fact]:
    return [
        fact(
            "FOLLOW_UP",
            person,
            customer=f"c{n}",
            channel=("phone", "wechat")[n % 2],
            at=MARCH + timedelta(minutes=n),
        )
        for n in range(first, first + number)
    ]


def win(number: int, *, person: str = "li") -> list[facts_pb2.Fact]:
    return [
        fact("DEAL_WON", person, customer=f"c{n}", amount=yuan(1000), at=MARCH + timedelta(hours=n))
        for n in range(number)
    ]


def test_s03_fifteen_of_twenty_followed_up(goals: Enterprise) -> None:
    goals.as_("hr").set_target("customers_followed", count(20))
    goals.as_("crm").record(*follow(15))
    progress = goals.as_("li").target_progress("customers_followed")
    assert (progress.done.numerator, progress.remaining.numerator) == (15, 5)
    assert (progress.attainment.numerator, progress.attainment.denominator) == (3, 4)
    # 13 of March's 21 workdays are over: an even pace needs 260/21 for them.
    assert (progress.pace.numerator, progress.pace.denominator) == (260, 21)
    # 5 more, over the 8 workdays from today on.
    assert (progress.daily_pace.numerator, progress.daily_pace.denominator) == (5, 8)
    assert (progress.workdays, progress.workdays_left) == (21, 8)
    assert progress.status == STATUS.PROGRESS_STATUS_ON_PACE


def test_s04_two_deals_from_twenty_meet_ten_percent_at_the_threshold(goals: Enterprise) -> None:
    goals.as_("hr").set_target("close_rate", rate(10, 100))
    goals.as_("crm").record(*follow(20), *win(2))
    progress = goals.as_("manager").target_progress("close_rate")
    assert (progress.done.numerator, progress.done.denominator) == (2, 20)
    assert (progress.attainment.numerator, progress.attainment.denominator) == (1, 1)
    assert progress.remaining.numerator == 0
    assert progress.status == STATUS.PROGRESS_STATUS_AT_THRESHOLD
    team = goals.as_("manager").progress.ListTeamProgress(progress_pb2.ListTeamProgressRequest())
    li = next(each for each in team.people if each.person_id == "li")
    assert li.needs_attention
    assert "at_threshold" in li.reasons


def test_s05_twenty_five_of_twenty(goals: Enterprise) -> None:
    goals.as_("hr").set_target("customers_followed", count(20))
    goals.as_("crm").record(*follow(25))
    progress = goals.as_("li").target_progress("customers_followed")
    assert (progress.attainment.numerator, progress.attainment.denominator) == (5, 4)
    assert progress.remaining.numerator == 0
    assert progress.status == STATUS.PROGRESS_STATUS_MET


def test_s34_an_order_again_and_cancelled(goals: Enterprise) -> None:
    crm, li = goals.as_("crm"), goals.as_("li")
    crm.record(*follow(10))
    deal = fact("DEAL_WON", external_id="D-1", customer="c1", amount=yuan(500), at=MARCH)
    assert crm.outcomes(deal) == ["RECORDED"]
    assert li.value("close_rate") == (1, 10)
    assert li.value("revenue") == (50_000, 1)
    assert crm.outcomes(deal) == ["ALREADY_KNOWN"]
    assert li.value("close_rate") == (1, 10)
    cancelled = fact("DEAL_REVERSED", external_id="X-1", reverses="D-1", at=MARCH + timedelta(days=1))
    assert crm.outcomes(cancelled) == ["RECORDED"]
    assert li.value("close_rate") == (0, 10)
    assert li.value("revenue") == (0, 1)
    explained = li.explain("close_rate")
    taken_back = next(each for each in explained.facts if each.fact.external_id == "D-1")
    assert not taken_back.counts
    assert taken_back.reversed_by == "crm/0/X-1"
    assert goals.as_("administrator").check().values_differing == 0


def test_s34_the_cancellation_may_come_first(goals: Enterprise) -> None:
    crm, li = goals.as_("crm"), goals.as_("li")
    crm.record(fact("DEAL_REVERSED", external_id="X-1", reverses="D-1", at=MARCH))
    crm.record(fact("DEAL_WON", external_id="D-1", amount=yuan(5), at=MARCH))
    assert li.value("deals_won") == (0, 1)
    # The cancellation turns out to be a mistake.
    crm.record(fact("DEAL_REVERSED", external_id="X-1", version=1, reverses="D-1", voided=True, at=MARCH))
    assert li.value("deals_won") == (1, 1)


def test_r4_nobody_followed_is_no_data_neither_zero_nor_met(goals: Enterprise) -> None:
    goals.as_("hr").set_target("close_rate", rate(0, 1))
    goals.as_("crm").record(*win(1))
    progress = goals.as_("li").target_progress("close_rate")
    assert progress.done.denominator == 0
    assert progress.attainment.denominator == 0
    assert progress.status == STATUS.PROGRESS_STATUS_NO_DATA


def test_r3_thresholds_are_inclusive(goals: Enterprise) -> None:
    goals.as_("hr").set_target("customers_followed", count(20))
    goals.as_("crm").record(*follow(19))
    assert goals.as_("li").target_progress("customers_followed").remaining.numerator == 1
    goals.as_("crm").record(*follow(1, first=19))
    progress = goals.as_("li").target_progress("customers_followed")
    assert progress.status == STATUS.PROGRESS_STATUS_AT_THRESHOLD
    assert progress.remaining.numerator == 0


@pytest.mark.parametrize(
    ("moment", "week", "month"),
    [
        # Monday 2025-03-17 00:00 in Shanghai is Sunday 16:00 UTC.
        (datetime(2025, 3, 16, 15, 59, 59, 999_999, tzinfo=UTC), 0, 1),
        (datetime(2025, 3, 16, 16, 0, tzinfo=UTC), 1, 1),
        # 1 March 00:00 in Shanghai.
        (datetime(2025, 2, 28, 15, 59, 59, tzinfo=UTC), 0, 0),
        (datetime(2025, 2, 28, 16, 0, tzinfo=UTC), 0, 1),
    ],
)
def test_r9_periods_are_half_open_in_the_branch_own_zone(
    goals: Enterprise, moment: datetime, week: int, month: int
) -> None:
    goals.as_("crm").record(fact("EMAIL", at=moment))
    assert goals.as_("li").value("emails_sent", kind="WEEK") == (week, 1)
    assert goals.as_("li").value("emails_sent", kind="MONTH") == (month, 1)


def test_every_metric(goals: Enterprise) -> None:
    february = datetime(2025, 2, 10, 2, 0, tzinfo=UTC)
    goals.as_("crm").record(
        fact("FOLLOW_UP", customer="old", minutes=5, at=february),
        fact("FOLLOW_UP", customer="old", minutes=10, at=MARCH),
        fact("FOLLOW_UP", customer="new", minutes=15, at=MARCH),
        fact("FOLLOW_UP", customer="new", minutes=15, at=MARCH + timedelta(days=1)),
        fact("TIME_SPENT", minutes=30, at=MARCH),
        fact("DEAL_WON", amount=yuan(300), at=MARCH),
        fact("DEAL_WON", at=MARCH),
        fact("DEAL_LOST", at=MARCH),
        fact("ORDER", amount=yuan(100, 50), at=MARCH),
        fact("EMAIL", at=MARCH),
        fact("MEETING", at=MARCH),
        fact("ORDER", "wang", amount=yuan(10), at=MARCH, credits=[credit("li", 30, overlay=True)]),
    )
    values = {
        each.metric: (each.value.numerator, each.value.denominator)
        for each in goals.as_("li").get().values
        if each.period.kind == values_pb2.PERIOD_KIND_MONTH
    }
    assert values == {
        "customers_followed": (2, 1),
        "new_customers": (1, 1),
        "deals_won": (2, 1),
        "deals_lost": (1, 1),
        "close_rate": (2, 2),
        "win_rate": (2, 3),
        "revenue": (40_050, 1),
        "overlay_revenue": (300, 1),
        "average_order_value": (40_050, 3),
        "orders_placed": (1, 1),
        "customers_bought": (0, 1),
        "customers_bought_again": (0, 1),
        "repurchase_rate": (0, 0),
        "followup_minutes": (70, 1),
        "emails_sent": (1, 1),
        "meetings_attended": (1, 1),
    }


def test_a_month_past_can_be_asked_for(goals: Enterprise) -> None:
    goals.as_("hr").set_target("customers_followed", count(2))
    moments = [datetime(2025, 2, day, 2, 0, tzinfo=UTC) for day in (3, 10, 20)]
    goals.as_("crm").record(
        *(fact("FOLLOW_UP", customer=f"c{n}", at=moment) for n, moment in enumerate(moments))
    )
    asked = goals.as_("li").get(as_of=instant(moments[1]))
    progress = asked.targets[0]
    assert progress.done.numerator == 2
    assert progress.period.first_day.month == 2
    assert goals.as_("li").value("new_customers", as_of=instant(moments[1])) == (2, 1)
    assert goals.as_("li").value("customers_followed") == (0, 1)


def test_r12_the_trace_reproduces_the_figure(goals: Enterprise) -> None:
    goals.as_("hr").set_target("close_rate", rate(10, 100))
    crm = goals.as_("crm")
    crm.record(*follow(12), *win(3))
    crm.record(fact("DEAL_WON", external_id="gone", at=MARCH))
    crm.record(fact("DEAL_WON", external_id="gone", version=1, at=MARCH, voided=True))
    facts: list[facts_pb2.RecordedFact] = []
    token = ""
    while True:
        page = goals.as_("li").explain("close_rate", page_size=5, page_token=token)
        facts.extend(page.facts)
        token = page.next_page_token
        if not token:
            break
    assert page.total_facts == len(facts) == 16
    counting = [each.fact for each in facts if each.counts]
    won = sum(1 for each in counting if each.kind == 2)
    followed = len({each.customer for each in counting if each.kind == 1})
    assert (page.value.numerator, page.value.denominator) == (won, followed) == (3, 12)
    assert [component.name for component in page.components] == ["deals_won", "customers_followed"]
    assert [value.numerator for value in page.component_values] == [3, 12]
    assert page.target.target.target.node_id == "hq"
    assert [each.fact.external_id for each in facts if not each.counts] == ["gone"]


def test_new_customers_are_explained_by_first_follow_ups_only(goals: Enterprise) -> None:
    february = datetime(2025, 2, 10, 2, 0, tzinfo=UTC)
    goals.as_("crm").record(
        fact("FOLLOW_UP", customer="old", at=february),
        fact("FOLLOW_UP", customer="old", at=MARCH),
        fact("FOLLOW_UP", customer="new", at=MARCH),
    )
    explained = goals.as_("li").explain("new_customers")
    assert explained.value.numerator == 1
    assert {each.fact.customer for each in explained.facts} == {"new"}


def test_the_course_of_a_month_against_its_pace(goals: Enterprise) -> None:
    goals.as_("hr").set_target("customers_followed", count(21))
    goals.as_("crm").record(*follow(3), fact("FOLLOW_UP", customer="c1", at=NOW))
    course = goals.as_("li").progress.GetProgressCourse(
        progress_pb2.GetProgressCourseRequest(
            person_id="li", metric="customers_followed", period_kind=values_pb2.PERIOD_KIND_MONTH
        )
    )
    assert [point.done.numerator for point in course.points] == [0, 0, *[3] * 18]
    # One each workday: 1 and 2 March are a weekend.
    expected = [0, 0, 1, 2, 3, 4, 5, 5, 5, 6, 7, 8, 9, 10, 10, 10, 11, 12, 13, 14]
    assert [point.pace.numerator for point in course.points] == expected
    assert course.target.target.value.numerator == course.asked.numerator == 21
    # The pace is told to the month's end: after the last weekend one is left, on Monday the 31st.
    assert [point.pace.numerator for point in course.pace[19:]] == [
        14,
        15,
        15,
        15,
        16,
        17,
        18,
        19,
        20,
        20,
        20,
        21,
    ]


def test_a_branch_overrides_and_inherits(goals: Enterprise) -> None:
    hr = goals.as_("hr")
    hr.set_target("close_rate", rate(12, 100))
    hr.set_target("customers_followed", count(25))
    hr.set_target("customers_followed", count(30), node="shanghai", reason="more leads here")
    li = goals.as_("li").target_progress("customers_followed").target
    assert (li.target.node_id, li.target.value.numerator) == ("shanghai", 30)
    assert [(each.node_id, each.value.numerator) for each in li.overridden] == [("hq", 25)]
    assert goals.as_("li").target_progress("close_rate").target.target.node_id == "hq"
    assert goals.as_("zhao").target_progress("customers_followed", "zhao").target.target.value.numerator == 25


def test_a_new_standard_holds_from_its_day_and_february_still_says_what_it_said(goals: Enterprise) -> None:
    hr = goals.as_("hr")
    hr.set_target("close_rate", rate(12, 100))
    hr.set_target("close_rate", rate(13, 100), first=date(2025, 3, 1))
    now = goals.as_("li").get().targets[0].target.target
    then = goals.as_("li").get(as_of=instant(datetime(2025, 2, 20, tzinfo=UTC))).targets[0].target.target
    assert (now.value.numerator, then.value.numerator) == (13, 12)
    assert then.effective_to.month == 3

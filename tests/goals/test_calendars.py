"""Work calendars at nodes: kinds, special days, years nothing is known of, inheritance, history."""

from datetime import UTC, date, datetime
from typing import Any

import grpc
import pytest
from foothold.goals.v1 import calendars_pb2, progress_pb2, values_pb2

from chassis.errors import Failure, from_rpc_error
from tests.goals.enterprise import NOW, Client, Enterprise, count, day, fact, fresh, leave, rate

SATURDAYS = calendars_pb2.WorkCalendar(
    kind=calendars_pb2.CALENDAR_KIND_ALTERNATE_SATURDAYS, anchor=day(date(2025, 3, 1))
)
SHIFTS = calendars_pb2.WorkCalendar(
    kind=calendars_pb2.CALENDAR_KIND_SHIFTS, anchor=day(date(2025, 3, 1)), pattern="110"
)
FIVE_DAY = calendars_pb2.WorkCalendar(kind=calendars_pb2.CALENDAR_KIND_FIVE_DAY)


def month(client: Client, year: int, number: int, node: str = "hq") -> calendars_pb2.ListDaysResponse:
    after = date(year + number // 12, number % 12 + 1, 1)
    return client.days(date(year, number, 1), after, node)


def refused(call: Any, *arguments: Any, **named: Any) -> Failure:
    with pytest.raises(grpc.RpcError) as failed:
        call(*arguments, **named)
    return from_rpc_error(failed.value)


def reasons(answer: calendars_pb2.ListDaysResponse) -> dict[int, str]:
    names = calendars_pb2.DayReason
    return {each.day.day: names.Name(each.reason).removeprefix("DAY_REASON_") for each in answer.days}


def test_workdays_in_mainland_china_without_any_calendar(goals: Enterprise) -> None:
    li = goals.as_("li")
    january = month(li, 2025, 1, "li")
    assert (january.workdays, len(january.days)) == (19, 31)
    sunday = january.days[25]
    assert (sunday.workday, sunday.name, sunday.node_id) == (True, "Spring Festival", "")
    assert reasons(january)[26] == "MAKE_UP_WORKDAY"
    assert month(li, 2025, 10).workdays == 18


def test_a_year_nothing_is_known_of_is_refused_by_name_until_it_is_entered(goals: Enterprise) -> None:
    hr, li = goals.as_("hr"), goals.as_("li")
    failure = refused(month, li, 2027, 1)
    assert (failure.code.name, failure.reason) == ("FAILED_PRECONDITION", "CALENDAR_YEAR_UNKNOWN")
    assert (failure.metadata["year"], failure.metadata["node_id"]) == ("2027", "hq")
    assert "2027" in failure.message
    hr.set_rule("shanghai", calendar=SATURDAYS)
    assert refused(month, li, 2027, 1, "shanghai-sales").metadata["node_id"] == "shanghai"
    # Days alone make no year known: the others would be a guess.
    hr.set_days(off={date(2027, 1, 1): "元旦"})
    assert refused(month, li, 2027, 1).reason == "CALENDAR_YEAR_UNKNOWN"
    hr.set_days(off={date(2027, 2, 6): "春节"}, worked={date(2027, 1, 31): "春节调休"}, complete=2027)
    january = month(li, 2027, 1)
    assert january.workdays == 21
    assert (reasons(january)[1], reasons(january)[31]) == ("SPECIAL_HOLIDAY", "SPECIAL_WORKDAY")
    assert month(li, 2027, 1, "shanghai").workdays > 21


def test_what_the_public_calendar_knows_is_not_entered_anew(goals: Enterprise) -> None:
    failure = refused(goals.as_("hr").set_days, complete=2026)
    assert failure.fields["complete_year"]


def test_progress_goes_on_in_a_year_nothing_is_known_of_and_says_so(goals: Enterprise) -> None:
    goals.as_("hr").set_target("customers_followed", count(20))
    goals.as_("hr").set_target("close_rate", rate(1, 10))
    goals.clock.set(datetime(2027, 1, 13, 4, tzinfo=UTC))
    try:
        goals.as_("crm").record(
            fact("FOLLOW_UP", customer="c", at=goals.clock.now()),
            leave(date(2027, 1, 14), at=goals.clock.now()),
        )
        progress = goals.as_("li").target_progress("customers_followed")
        assert (progress.unknown_year.year, progress.unknown_year.node_id) == (2027, "hq")
        assert (progress.done.numerator, progress.asked.numerator) == (1, 20)
        assert progress.status == progress_pb2.PROGRESS_STATUS_NO_DATA
        assert not {"pace", "daily_pace"} & {field.name for field, _ in progress.ListFields()}
        team = goals.as_("manager").progress.ListTeamProgress(progress_pb2.ListTeamProgressRequest())
        assert all("no_follow_up" not in each.reasons for each in team.people)
        goals.as_("hr").set_days(off={date(2027, 1, 1): "元旦"}, complete=2027)
        known = goals.as_("li").target_progress("customers_followed")
        assert (known.asked.numerator, known.workdays) == (19, 19)
        assert not known.HasField("unknown_year")
    finally:
        goals.clock.set(NOW)


def test_the_nearest_calendar_holds_from_its_day_on(goals: Enterprise) -> None:
    hr, li = goals.as_("hr"), goals.as_("li")
    hr.set_rule("hq", calendar=SATURDAYS)
    hr.set_rule("shanghai", first=date(2025, 3, 10), calendar=SHIFTS)
    found = reasons(month(li, 2025, 3, "shanghai-sales"))
    assert (found[1], found[8]) == ("WORKING_SATURDAY", "WEEKEND")
    assert [found[number] for number in (10, 11, 12, 13)] == ["SHIFT_ON", "SHIFT_ON", "SHIFT_OFF", "SHIFT_ON"]
    assert reasons(month(li, 2025, 3, "hq"))[29] == "WORKING_SATURDAY"
    resolved = li.calendars.ResolveWorkRules(calendars_pb2.ResolveWorkRulesRequest(node_id="li"))
    assert resolved.calendar.rule.node_id == "shanghai"
    assert [each.node_id for each in resolved.calendar.overridden] == ["hq"]
    assert not resolved.ramp.HasField("rule")
    # Inherits again.
    known = resolved.calendar.rule.revision
    back = calendars_pb2.WorkRule(
        node_id="shanghai",
        effective_from=day(date(2025, 3, 17)),
        calendar=FIVE_DAY,
        inherit=True,
        reason="shifts end",
    )
    hr.calendars.SetWorkRule(
        calendars_pb2.SetWorkRuleRequest(request_id=fresh("r"), rule=back, replaces=known)
    )
    assert reasons(month(li, 2025, 3, "shanghai-sales"))[29] == "WORKING_SATURDAY"


def test_a_shift_pattern_keeps_to_itself(goals: Enterprise) -> None:
    hr = goals.as_("hr")
    hr.set_rule("shanghai", calendar=SHIFTS)
    hr.set_days("hq", off={date(2025, 3, 4): "公司日", date(2025, 3, 5): "公司日"})
    hr.set_days("shanghai-sales", worked={date(2025, 3, 3): "盘点"})
    found = reasons(month(goals.as_("li"), 2025, 3, "shanghai-sales"))
    assert [found[number] for number in (3, 4, 5)] == ["SPECIAL_WORKDAY", "SHIFT_ON", "SHIFT_ON"]
    assert reasons(month(goals.as_("zhao"), 2025, 3, "beijing"))[4] == "SPECIAL_HOLIDAY"


def test_special_days_are_taken_back_and_stay_readable(goals: Enterprise) -> None:
    hr = goals.as_("hr")
    off = date(2025, 3, 21)
    hr.set_days(off={off: "团建"})
    assert reasons(month(hr, 2025, 3))[21] == "SPECIAL_HOLIDAY"
    (gone,) = hr.set_days(removed=[off])
    assert (gone.removed, gone.name) == (True, "团建")
    assert reasons(month(hr, 2025, 3))[21] == "WEEKDAY"
    assert refused(hr.set_days, removed=[off]).fields["removed_days"]
    asked = calendars_pb2.ListSpecialDaysRequest(node_id="hq", include_superseded=True)
    assert [each.removed for each in hr.calendars.ListSpecialDays(asked).days] == [False, True]
    asked.include_superseded = False
    assert list(hr.calendars.ListSpecialDays(asked).days) == []


def test_who_changes_a_rule_has_seen_the_last_one(goals: Enterprise) -> None:
    hr = goals.as_("hr")
    first = hr.set_rule(calendar=FIVE_DAY)
    assert refused(hr.set_rule, calendar=SATURDAYS).reason == "ETAG_MISMATCH"
    second = hr.set_rule(calendar=SATURDAYS, replaces=first.revision)
    listed = hr.calendars.ListWorkRules(
        calendars_pb2.ListWorkRulesRequest(node_id="hq", include_superseded=True)
    )
    assert [each.revision for each in listed.rules] == [second.revision, first.revision]
    assert listed.rules[1].HasField("superseded_at")
    assert listed.rules[1].author_id == "hr"


def test_a_rule_is_set_once_however_often_it_is_asked_for(goals: Enterprise) -> None:
    rule = calendars_pb2.WorkRule(
        node_id="hq", effective_from=day(date(2025, 1, 1)), calendar=SATURDAYS, reason="x"
    )
    request = calendars_pb2.SetWorkRuleRequest(request_id=fresh("r"), rule=rule)
    hr = goals.as_("hr")
    assert hr.calendars.SetWorkRule(request) == hr.calendars.SetWorkRule(request)


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({}, "rule.content"),
        ({"calendar": calendars_pb2.WorkCalendar()}, "rule.calendar.kind"),
        ({"calendar": calendars_pb2.WorkCalendar(kind=3, pattern="110")}, "rule.calendar.anchor"),  # type: ignore[arg-type]
        ({"calendar": calendars_pb2.WorkCalendar(kind=3, pattern="0")}, "rule.calendar.pattern"),  # type: ignore[arg-type]
        ({"calendar": calendars_pb2.WorkCalendar(kind=1, pattern="1")}, "rule.calendar.pattern"),  # type: ignore[arg-type]
        (
            {"calendar": calendars_pb2.WorkCalendar(kind=2, anchor=day(date(2025, 3, 2)))},  # type: ignore[arg-type]
            "rule.calendar.anchor",
        ),
        ({"leave_policy": calendars_pb2.LeavePolicy(mode=1)}, "rule.leave_policy.units"),  # type: ignore[arg-type]
        (
            {
                "leave_policy": calendars_pb2.LeavePolicy(
                    mode=calendars_pb2.LEAVE_MODE_PRO_RATA, units=[values_pb2.UNIT_RATE]
                )
            },
            "rule.leave_policy.units",
        ),
        ({"ramp": calendars_pb2.Ramp(shares=[rate(3, 2)])}, "rule.ramp.shares"),
        ({"ramp": calendars_pb2.Ramp(shares=[rate(1, 7)])}, "rule.ramp.shares"),
        ({"ramp": calendars_pb2.Ramp(shares=[count(1)])}, "rule.ramp.shares"),
        ({"ramp": calendars_pb2.Ramp(shares=[rate(1, 2)] * 25)}, "rule.ramp.shares"),
    ],
)
def test_what_is_wrong_with_a_rule_is_told_at_its_field(
    goals: Enterprise, content: dict[str, Any], field: str
) -> None:
    failure = refused(goals.as_("hr").set_rule, **content)
    assert (failure.reason, list(failure.fields)) == ("FIELD_INVALID", [field])


def test_who_may_set_and_see(goals: Enterprise) -> None:
    assert refused(goals.as_("li").set_rule, "li", calendar=FIVE_DAY).reason == "PERMISSION_MISSING"
    assert refused(goals.as_("branch-hr").set_rule, "hq", calendar=FIVE_DAY).reason == "NODE_UNKNOWN"
    assert refused(goals.as_("branch-hr").set_days, "beijing", off={date(2025, 3, 4): "x"}).reason
    goals.as_("branch-hr").set_rule("shanghai", calendar=SATURDAYS)
    goals.as_("hr").set_rule("beijing", calendar=SHIFTS)
    seen = goals.as_("li").calendars.ListWorkRules(calendars_pb2.ListWorkRulesRequest())
    assert [each.node_id for each in seen.rules] == ["shanghai"]
    assert refused(month, goals.as_("li"), 2025, 3, "beijing").reason == "NODE_UNKNOWN"
    assert refused(month, goals.as_("trainer"), 2025, 3, "hq").reason == "PERMISSION_MISSING"


def test_a_changed_calendar_is_told(goals: Enterprise) -> None:
    operator = goals.as_("operator")
    head = operator.head()
    goals.as_("hr").set_rule("shanghai", calendar=SATURDAYS)
    goals.as_("hr").set_days(off={date(2025, 3, 4): "团建"})
    events = operator.heard(head, "calendar_changed", 2)
    told = [each.calendar_changed.node_id for each in events]
    assert told == ["shanghai", "hq"]


def test_rules_and_days_come_by_pages(goals: Enterprise) -> None:
    hr = goals.as_("hr")
    hr.set_rule(calendar=SATURDAYS)
    hr.set_rule("shanghai", calendar=SHIFTS)
    hr.set_days(off={date(2025, 3, number): "团建" for number in (4, 5, 6)})
    rules, days = [], []
    asked = calendars_pb2.ListWorkRulesRequest(page_size=1)
    while True:
        page = hr.calendars.ListWorkRules(asked)
        rules += [each.node_id for each in page.rules]
        asked.page_token = page.next_page_token
        if not asked.page_token:
            break
    special = calendars_pb2.ListSpecialDaysRequest(page_size=2, year=2025)
    while True:
        found = hr.calendars.ListSpecialDays(special)
        days += [each.day.day for each in found.days]
        special.page_token = found.next_page_token
        if not special.page_token:
            break
    assert (rules, days) == (["shanghai", "hq"], [4, 5, 6])

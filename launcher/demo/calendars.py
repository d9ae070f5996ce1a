"""The demo's work calendars, leave policies and ramp, and a newcomer's day off."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import grpc
from foothold.goals.v1 import calendars_pb2, calendars_pb2_grpc, facts_pb2, facts_pb2_grpc, values_pb2
from google.type.date_pb2 import Date

from chassis.errors import from_rpc_error
from launcher.demo.acting import acting
from launcher.demo.enterprise import enterprise
from launcher.reaching import Reached

_HEADQUARTERS: Final = "gu.wenjing"
_ON_LEAVE: Final = "zhou.yutong"
_SOURCE: Final = "demo-oa"
_SATURDAY: Final = 5
_FRIDAY: Final = 4


def set_calendars(reached: Reached, anchor: date) -> None:
    """Set them from a first of the month before the story begins, each by who would have."""
    root, since = enterprise().id, (anchor - timedelta(days=120)).replace(day=1)
    saturday = since + timedelta(days=(_SATURDAY - since.weekday()) % 7)
    following = (anchor.replace(day=1) + timedelta(days=32)).replace(day=1)
    with acting(reached, _HEADQUARTERS) as own:
        _set(own, root, since, "全国统一按法定节假日放假", calendar=_five_day())
        _stub(own).SetDays(
            calendars_pb2.SetDaysRequest(
                request_id="demo-anniversary",
                node_id=root,
                days=[
                    calendars_pb2.SpecialDay(
                        day=_date(following + timedelta(days=(_FRIDAY - following.weekday()) % 7)),
                        name="公司周年庆",
                    )
                ],
                reason="周年庆全员放假一天",
            )
        )
    with acting(reached, _hr_of("guangzhou")) as own:
        weeks = calendars_pb2.WorkCalendar(
            kind=calendars_pb2.CALENDAR_KIND_ALTERNATE_SATURDAYS, anchor=_date(saturday)
        )
        _set(own, "guangzhou", since, "周末到店客户多，大小周轮休", calendar=weeks)
    with acting(reached, _hr_of("hangzhou")) as own:
        policy = calendars_pb2.LeavePolicy(
            mode=calendars_pb2.LEAVE_MODE_PRO_RATA, units=[values_pb2.UNIT_COUNT, values_pb2.UNIT_MONEY]
        )
        _set(own, "hangzhou", since, "请假按工作日比例扣减", leave_policy=policy)
    with acting(reached, _hr_of("shenzhen")) as own:
        ramp = calendars_pb2.Ramp(shares=[_percent(50), _percent(75)])
        _set(own, "shenzhen", since, "前两个月以学习为主", ramp=ramp)


def tell_leave(reached: Reached, anchor: date) -> None:
    """A workday of leave this month for one newcomer, granted the day before; none in a year without a calendar."""
    person = next(each for each in enterprise().people if each.login == _ON_LEAVE)
    first = anchor.replace(day=1)
    end = (first + timedelta(days=32)).replace(day=1)
    asked = calendars_pb2.ListDaysRequest(node_id=person.id, first_day=_date(first), end_day=_date(end))
    try:
        days = _stub(reached).ListDays(asked).days
    except grpc.RpcError as error:
        failure = from_rpc_error(error)
        if failure.reason != "CALENDAR_YEAR_UNKNOWN":
            raise failure from error
        return
    workdays = [date(each.day.year, each.day.month, each.day.day) for each in days if each.workday]
    later = [day for day in workdays if day > anchor]
    day = later[0] if later else workdays[-1]
    fact = facts_pb2.Fact(
        source=_SOURCE,
        external_id=f"{person.number}-leave-{day:%Y%m%d}",
        kind=facts_pb2.FACT_KIND_LEAVE,
        employee_number=person.number,
        leave=facts_pb2.Leave(first_day=_date(day)),
    )
    granted = datetime.combine(anchor - timedelta(days=1), time(10), ZoneInfo(enterprise().zone))
    fact.occurred_at.FromDatetime(granted.astimezone(UTC))
    facts = facts_pb2_grpc.FactsServiceStub(reached.channel("goals"))
    facts.RecordFact(facts_pb2.RecordFactRequest(fact=fact))


def _set(
    own: Reached,
    node: str,
    since: date,
    reason: str,
    *,
    calendar: calendars_pb2.WorkCalendar | None = None,
    leave_policy: calendars_pb2.LeavePolicy | None = None,
    ramp: calendars_pb2.Ramp | None = None,
) -> None:
    rule = calendars_pb2.WorkRule(
        node_id=node,
        effective_from=_date(since),
        calendar=calendar,
        leave_policy=leave_policy,
        ramp=ramp,
        reason=reason,
    )
    _stub(own).SetWorkRule(calendars_pb2.SetWorkRuleRequest(request_id=f"demo-{node}-work", rule=rule))


def _stub(reached: Reached) -> calendars_pb2_grpc.CalendarsServiceStub:
    return calendars_pb2_grpc.CalendarsServiceStub(reached.channel("goals"))


def _hr_of(branch: str) -> str:
    return next(each.login for each in enterprise().people if each.bound == ("branch_hr", branch))


def _five_day() -> calendars_pb2.WorkCalendar:
    return calendars_pb2.WorkCalendar(kind=calendars_pb2.CALENDAR_KIND_FIVE_DAY)


def _percent(number: int) -> values_pb2.Value:
    return values_pb2.Value(unit=values_pb2.UNIT_RATE, numerator=number, denominator=100)


def _date(day: date) -> Date:
    return Date(year=day.year, month=day.month, day=day.day)

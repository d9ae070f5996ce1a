"""What a target comes to, in plain lines: the standard, the month of probation, each day of leave, the pace left."""

from typing import Any

import pytest
from flask import Flask, g
from foothold.goals.v1 import calendars_pb2, progress_pb2, targets_pb2, values_pb2
from google.type.date_pb2 import Date

from services.gateway import asked

PLACES = {"hq": "总部", "shanghai": "上海分公司"}
ONE_PER_DAY, PRO_RATA = calendars_pb2.LEAVE_MODE_ONE_PER_DAY, calendars_pb2.LEAVE_MODE_PRO_RATA


def count(number: int, denominator: int = 1) -> values_pb2.Value:
    return values_pb2.Value(unit=values_pb2.UNIT_COUNT, numerator=number, denominator=denominator)


def of_ramp(change: int, result: int) -> progress_pb2.TargetAdjustment:
    share = values_pb2.Value(unit=values_pb2.UNIT_RATE, numerator=3, denominator=4)
    return progress_pb2.TargetAdjustment(
        ramp=progress_pb2.RampShare(month=2, share=share),
        change=count(change),
        result=count(result),
        node_id="shanghai",
        since=Date(year=2025, month=1, day=1),
    )


def of_leave(
    change: int, result: int, *days: tuple[int, bool, bool], mode: Any = ONE_PER_DAY
) -> progress_pb2.TargetAdjustment:
    taken = [
        progress_pb2.LeaveDay(day=Date(year=2025, month=3, day=day), morning=morning, afternoon=afternoon)
        for day, morning, afternoon in days
    ]
    halves = sum(each.morning + each.afternoon for each in taken)
    leave = progress_pb2.LeaveTaken(mode=mode, half_days=halves, workdays=21, days=taken)
    return progress_pb2.TargetAdjustment(leave=leave, change=count(change), result=count(result))


def target(
    now: int, *steps: progress_pb2.TargetAdjustment, left: int = 3, daily: values_pb2.Value | None = None
) -> progress_pb2.TargetProgress:
    standard = targets_pb2.Target(
        node_id="hq",
        period_kind=values_pb2.PERIOD_KIND_MONTH,
        value=count(20),
        effective_from=Date(year=2025, month=1, day=1),
    )
    return progress_pb2.TargetProgress(
        target=targets_pb2.ResolvedTarget(target=standard),
        asked=count(now),
        adjustments=steps,
        remaining=count(now - 7),
        daily_pace=daily,
        workdays_left=left,
    )


@pytest.fixture
def english() -> Any:
    with Flask("words").test_request_context():
        g.language = "en"
        yield


def test_a_day_of_leave_in_chinese() -> None:
    told = target(19, of_leave(-1, 19, (21, True, True)), daily=count(4))
    assert asked.lines(told, PLACES, "顾文静") == [
        "20：来自总部的标准，顾文静设定，1月1日起",
        "−1：3月21日 周五请假",
        "所以是每月\u200919",
        "还差\u200912：还有\u20093\u202f个工作日，每天\u20094",
    ]
    assert asked.brief(told) == "标准\u200920、请假 −\u20601"


def test_ramp_then_leave_in_english(english: None) -> None:
    told = target(14, of_ramp(-5, 15), of_leave(-1, 14, (21, True, True)), daily=count(7, 3))
    assert asked.lines(told, PLACES, "") == [
        "20 from the standard of 总部, since 1 Jan",
        "−5: month 2 of probation carries 75\u202f% (rule of 上海分公司 since 1 Jan)",
        "−1 for leave on Fri 21 Mar",
        "So 14 per month",
        # Two a day would not be enough.
        "7 to go: 3 a day for 3 workdays",
    ]
    assert asked.brief(told) == "standard 20, probation −\u20605, leave −\u20601"


def test_half_days_and_many_days_are_told_in_one_line(english: None) -> None:
    half = target(20, of_leave(0, 20, (21, True, False)))
    assert asked.lines(half, PLACES, "")[1:] == [
        "Leave on Fri 21 Mar, the morning: less than a full day takes nothing off",
        "So 20 per month",
    ]
    assert asked.brief(half) == ""
    many = target(14, of_leave(-6, 14, *((day, True, True) for day in (10, 11, 12, 13, 14, 17))))
    assert asked.lines(many, PLACES, "")[1] == (
        "Leave on Mon 10 Mar, Tue 11 Mar, Wed 12 Mar, Thu 13 Mar, 2 more days"
    )
    assert len(asked.lines(many, PLACES, "")) < 10


def test_pro_rata_says_of_how_many_workdays(english: None) -> None:
    told = target(19, of_leave(-1, 19, (21, True, True), mode=PRO_RATA))
    assert asked.lines(told, PLACES, "")[1:3] == [
        "Leave on Fri 21 Mar",
        "−1: 1 of 21 workdays, in proportion",
    ]


def test_a_year_nothing_is_known_of_is_named(english: None) -> None:
    told = target(20)
    told.unknown_year.year = 2027
    assert "2027" in asked.lines(told, PLACES, "")[-1]

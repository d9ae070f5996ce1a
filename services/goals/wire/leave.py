"""Leave: as facts tell it, and what it and probation make of targets."""

from datetime import date, timedelta
from typing import Final

from foothold.goals.v1 import facts_pb2, progress_pb2
from google.type.date_pb2 import Date

from services.goals.domain.facts import Refusal
from services.goals.domain.leave import LONGEST_LEAVE, LeaveStep, RampStep, half_days
from services.goals.domain.values import Unit, exactly
from services.goals.wire.values import from_date, from_value

_FIRST: Final = date(2000, 1, 1)
_LAST: Final = date(2099, 12, 31)
_EPOCH: Final = date(1970, 1, 1)
_HALVES: Final = frozenset(facts_pb2.DayHalf.values())
_MORNING: Final = facts_pb2.DAY_HALF_MORNING
_AFTERNOON: Final = facts_pb2.DAY_HALF_AFTERNOON


def to_half_days(leave: facts_pb2.Leave) -> tuple[int, int] | Refusal:
    """The half days since 1970-01-01, the second not included, or what is wrong with them."""
    first = _day(leave.first_day)
    last = _day(leave.last_day) if leave.HasField("last_day") else first
    if first is None:
        return _invalid("first_day", "must be a day from 2000-01-01 to 2099-12-31")
    if last is None:
        return _invalid("last_day", "must be a day from 2000-01-01 to 2099-12-31")
    for name, half in (("first_half", leave.first_half), ("last_half", leave.last_half)):
        if half not in _HALVES:
            return _invalid(name, "must be one of the documented values")
    begin, stop = half_days(
        first, afternoon=leave.first_half == _AFTERNOON, last=last, until_noon=leave.last_half == _MORNING
    )
    if stop <= begin:
        return _invalid("last_day", "must not end before it begins")
    if (last - first).days >= LONGEST_LEAVE:
        return _invalid("last_day", f"must be at most {LONGEST_LEAVE} days")
    return begin, stop


def from_half_days(first: int | None, stop: int | None) -> facts_pb2.Leave | None:
    """The same as a message; halves are always told."""
    if first is None or stop is None:
        return None
    begin, end = divmod(first, 2), divmod(stop - 1, 2)
    return facts_pb2.Leave(
        first_day=from_date(_EPOCH + timedelta(days=begin[0])),
        first_half=_AFTERNOON if begin[1] else _MORNING,
        last_day=from_date(_EPOCH + timedelta(days=end[0])),
        last_half=_AFTERNOON if end[1] else _MORNING,
    )


def from_step(step: RampStep | LeaveStep, unit: Unit, currency: str) -> progress_pb2.TargetAdjustment:
    """One step from a target's value to what is asked."""
    told = progress_pb2.TargetAdjustment(
        change=from_value(exactly(unit, step.result - step.before), currency),
        result=from_value(exactly(unit, step.result), currency),
        node_id=step.origin.node_id,
        since=None if step.origin.since is None else from_date(step.origin.since),
    )
    if isinstance(step, RampStep):
        share = from_value(exactly(Unit.RATE, step.share), currency)
        told.ramp.CopyFrom(progress_pb2.RampShare(month=step.month, share=share))
        return told
    told.leave.CopyFrom(
        progress_pb2.LeaveTaken(
            mode=int(step.mode),  # type: ignore[arg-type]  # the enums have the same numbers
            half_days=step.halves,
            workdays=step.workdays,
            days=[
                progress_pb2.LeaveDay(
                    day=from_date(each.day),
                    morning=each.morning,
                    afternoon=each.afternoon,
                    fact_ids=each.fact_ids,
                )
                for each in step.days
            ],
        )
    )
    return told


def _day(told: Date) -> date | None:
    try:
        day = date(told.year, told.month, told.day)
    except ValueError:
        return None
    return day if _FIRST <= day <= _LAST else None


def _invalid(field: str, message: str) -> Refusal:
    return Refusal(f"leave.{field}", "FIELD_INVALID", message)

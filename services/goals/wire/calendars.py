"""Calendars, leave policies, ramps and special days."""

from datetime import date
from fractions import Fraction
from typing import Final

from foothold.goals.v1 import calendars_pb2

from services.goals.domain.leave import LeaveMode, LeavePolicy, Ramp
from services.goals.domain.values import Unit, exactly
from services.goals.domain.work_rules import Content, EnteredDay, RuleKind, WorkRule
from services.goals.domain.workdays import CalendarKind, Day, UnknownYear, WorkCalendar
from services.goals.wire.values import from_date, from_instant, from_value

KINDS: Final = {
    "calendar": RuleKind.CALENDAR,
    "leave_policy": RuleKind.LEAVE_POLICY,
    "ramp": RuleKind.RAMP,
}
_FIELDS: Final = {kind: field for field, kind in KINDS.items()}


def to_calendar(told: calendars_pb2.WorkCalendar, anchor: date | None) -> WorkCalendar:
    """A calendar as told; its kind and anchor were read."""
    return WorkCalendar(CalendarKind(int(told.kind)), anchor, told.pattern)


def to_policy(told: calendars_pb2.LeavePolicy) -> LeavePolicy:
    """A leave policy as told; its mode and units were read."""
    return LeavePolicy(LeaveMode(int(told.mode)), frozenset(Unit(int(unit)) for unit in told.units))


def to_ramp(told: calendars_pb2.Ramp) -> Ramp | None:
    """A ramp as told; None where a share is no rate."""
    if any(int(share.unit) != Unit.RATE or share.denominator < 1 for share in told.shares):
        return None
    return Ramp(tuple(Fraction(share.numerator, share.denominator) for share in told.shares))


def from_rule(rule: WorkRule) -> calendars_pb2.WorkRule:
    """A rule as set at its node."""
    told = calendars_pb2.WorkRule(
        node_id=rule.node_id,
        effective_from=from_date(rule.effective_from),
        inherit=rule.content is None,
        reason=rule.reason,
        author_id=rule.author_id,
        recorded_at=from_instant(rule.recorded_at),
        superseded_at=None if rule.superseded_at is None else from_instant(rule.superseded_at),
        revision=rule.revision,
    )
    if rule.content is None:
        getattr(told, _FIELDS[rule.kind]).SetInParent()
    else:
        _write(told, rule.content)
    return told


def from_resolved_rule(rules: tuple[WorkRule, ...]) -> calendars_pb2.ResolvedWorkRule:
    """The rule that holds, first, and what it overrides."""
    return calendars_pb2.ResolvedWorkRule(
        rule=from_rule(rules[0]) if rules else None, overridden=[from_rule(each) for each in rules[1:]]
    )


def from_day(day: Day) -> calendars_pb2.CalendarDay:
    """A day, and why it is worked or not."""
    return calendars_pb2.CalendarDay(
        day=from_date(day.day),
        workday=day.works,
        reason=int(day.reason),  # type: ignore[arg-type]  # the enums have the same numbers
        name=day.name,
        node_id=day.node_id,
    )


def from_entered(entered: EnteredDay) -> calendars_pb2.SpecialDay:
    """A special day as entered."""
    special, until = entered.special, entered.superseded_at
    return calendars_pb2.SpecialDay(
        node_id=special.node_id,
        day=from_date(special.day),
        workday=special.works,
        name=special.name,
        reason=entered.reason,
        author_id=entered.author_id,
        recorded_at=from_instant(entered.recorded_at),
        superseded_at=None if until is None else from_instant(until),
        removed=entered.removed,
    )


def from_unknown_year(unknown: UnknownYear) -> calendars_pb2.UnknownYear:
    """A year whose workdays nothing tells."""
    return calendars_pb2.UnknownYear(year=unknown.year, node_id=unknown.node_id)


def _write(told: calendars_pb2.WorkRule, content: Content) -> None:
    if isinstance(content, WorkCalendar):
        told.calendar.CopyFrom(
            calendars_pb2.WorkCalendar(
                kind=int(content.kind),  # type: ignore[arg-type]  # the enums have the same numbers
                anchor=None if content.anchor is None else from_date(content.anchor),
                pattern=content.pattern,
            )
        )
    elif isinstance(content, LeavePolicy):
        told.leave_policy.CopyFrom(
            calendars_pb2.LeavePolicy(
                mode=int(content.mode),  # type: ignore[arg-type]  # the enums have the same numbers
                units=sorted(int(unit) for unit in content.units),  # type: ignore[misc]  # as above
            )
        )
    else:
        shares = [from_value(exactly(Unit.RATE, share), "") for share in content.shares]
        told.ramp.CopyFrom(calendars_pb2.Ramp(shares=shares))

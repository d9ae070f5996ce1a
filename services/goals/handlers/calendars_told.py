"""Work rules and special days as callers tell them, checked."""

from collections.abc import Sequence
from datetime import date
from typing import Final, NamedTuple

from foothold.goals.v1 import calendars_pb2

from access import Kind, Scope
from chassis.clock import Clock
from chassis.validation import Fields
from services.goals.domain.leave import LeaveMode, check_policy, check_ramp
from services.goals.domain.values import Unit
from services.goals.domain.work_rules import Content, EnteredDay, RuleKind, WorkRule
from services.goals.domain.workdays import CalendarKind, SpecialDay, check_calendar
from services.goals.store.public_days import public_year
from services.goals.wire.calendars import KINDS, to_calendar, to_policy, to_ramp

LONGEST_REASON: Final = 500
_LONGEST_NAME: Final = 60
_MOST_DAYS: Final = 400
_FIRST_YEAR: Final = 2000
_LAST_YEAR: Final = 2099


class ToldDays(NamedTuple):
    """Special days to enter, those `removed` among them to take back, and a year they complete."""

    node_id: str
    days: Sequence[EnteredDay]
    removed: frozenset[date]
    complete: WorkRule | None


def told_rule(request: calendars_pb2.SetWorkRuleRequest, scope: Scope, clock: Clock) -> WorkRule:
    """The rule to be set. InvalidArgument FIELD_INVALID with the fields."""
    told = request.rule
    fields = Fields()
    fields.request_id(request.request_id)
    within = fields.within("rule")
    node_id = within.identifier("node_id", told.node_id)
    first = within.date("effective_from", told.effective_from)
    node = scope.caller.directory.node(node_id)
    needs_reason = node is not None and node.kind is not Kind.ENTERPRISE
    reason = within.text("reason", told.reason, max_length=LONGEST_REASON, required=needs_reason)
    name = told.WhichOneof("content")
    if name is None:
        within.refuse("content", "a calendar, a leave policy or a ramp must be told")
    content = None if name is None or told.inherit else _content(fields, told, name)
    fields.require_valid()
    return WorkRule(node_id, KINDS[name or ""], first, content, reason, scope.caller.id, clock.now())


def told_days(request: calendars_pb2.SetDaysRequest, scope: Scope, clock: Clock) -> ToldDays:
    """The days to be entered and taken back. InvalidArgument FIELD_INVALID with the fields."""
    fields = Fields()
    fields.request_id(request.request_id)
    node_id = fields.identifier("node_id", request.node_id)
    reason = fields.text("reason", request.reason, max_length=LONGEST_REASON)
    year = request.complete_year
    if year:
        fields.integer("complete_year", year, minimum=_FIRST_YEAR, maximum=_LAST_YEAR)
        if public_year(year) is not None:
            fields.refuse("complete_year", "the public calendar knows that year; enter what differs from it")
    many = len(request.days) + len(request.removed_days)
    fields.count("days", many, minimum=0 if year else 1, maximum=_MOST_DAYS)
    author, now = scope.caller.id, clock.now()
    entered: list[EnteredDay] = []
    for number, each in enumerate(request.days[:_MOST_DAYS]):
        within = fields.within(f"days[{number}]")
        day = within.date("day", each.day)
        name = within.text("name", each.name, max_length=_LONGEST_NAME)
        special = SpecialDay(node_id, day, each.workday, name)
        entered.append(EnteredDay(special, removed=False, reason=reason, author_id=author, recorded_at=now))
    removed = []
    for number, each_removed in enumerate(request.removed_days[:_MOST_DAYS]):
        day = fields.date(f"removed_days[{number}]", each_removed)
        removed.append(day)
        special = SpecialDay(node_id, day, works=False, name="")
        entered.append(EnteredDay(special, removed=True, reason=reason, author_id=author, recorded_at=now))
    if len({each.special.day for each in entered}) < len(entered):
        fields.refuse("days", "no day may come twice")
    fields.require_valid()
    complete = None
    if year:
        first = date(year, 1, 1)
        complete = WorkRule(node_id, RuleKind.COMPLETE_YEAR, first, None, reason, author, now)
    return ToldDays(node_id, entered, frozenset(removed), complete)


def _content(fields: Fields, told: calendars_pb2.WorkRule, name: str) -> Content | None:
    """A rule's content; what is wrong with it is noted."""
    within = fields.within(f"rule.{name}")
    if name == "calendar":
        kind = within.one_of("kind", int(told.calendar.kind), set(CalendarKind))
        anchor = None
        if told.calendar.HasField("anchor"):
            anchor = within.date("anchor", told.calendar.anchor)
        if not kind:
            return None
        calendar = to_calendar(told.calendar, anchor)
        _note(within, check_calendar(calendar))
        return calendar
    if name == "leave_policy":
        mode = within.one_of("mode", int(told.leave_policy.mode), set(LeaveMode))
        units = [within.one_of("units", int(unit), set(Unit)) for unit in told.leave_policy.units]
        if not mode or not all(units):
            return None
        policy = to_policy(told.leave_policy)
        _note(within, check_policy(policy))
        return policy
    ramp = to_ramp(told.ramp)
    if ramp is None:
        within.refuse("shares", "each must be a UNIT_RATE with a denominator")
        return None
    _note(within, check_ramp(ramp))
    return ramp


def _note(fields: Fields, wrong: tuple[str, str] | None) -> None:
    if wrong is not None:
        fields.refuse(*wrong)

"""CalendarsService."""

from datetime import date, timedelta
from typing import Final

import grpc
from foothold.goals.v1 import calendars_pb2, calendars_pb2_grpc

from access import Scope, caller
from chassis.clock import Clock
from chassis.database import Database
from chassis.errors import FailedPrecondition, NotFound
from chassis.feed import NewEvent, publish
from chassis.idempotency import answer_once
from chassis.paging import decode_token, encode_token
from chassis.validation import Fields
from services.goals.domain.periods import local_day
from services.goals.domain.work_rules import RuleKind
from services.goals.domain.workdays import UnknownYear, YearUnknownError
from services.goals.handlers.calendars_told import told_days, told_rule
from services.goals.permissions import CALENDARS_READ, CALENDARS_WRITE
from services.goals.store.work_rules import WorkRules
from services.goals.store.workplaces import WorkplacesCache
from services.goals.wire.calendars import from_day, from_entered, from_resolved_rule, from_rule
from services.goals.wire.feed import CALENDAR_CHANGED
from services.goals.wire.values import from_date

_LONGEST_ID: Final = 64
_MOST_DAYS: Final = 400
_LAST_YEAR: Final = 2099
_SERVICE: Final = "/foothold.goals.v1.CalendarsService/"


class CalendarsHandler(calendars_pb2_grpc.CalendarsServiceServicer):
    """Sets, lists and resolves work rules; enters and tells days."""

    def __init__(self, database: Database, workplaces: WorkplacesCache, clock: Clock) -> None:
        self._database = database
        self._workplaces = workplaces
        self._clock = clock

    def SetWorkRule(
        self, request: calendars_pb2.SetWorkRuleRequest, context: grpc.ServicerContext
    ) -> calendars_pb2.SetWorkRuleResponse:
        scope = caller(context).scope(CALENDARS_WRITE)
        new = told_rule(request, scope, self._clock)
        scope.require(new.node_id)
        with self._database.begin() as connection:

            def produce() -> calendars_pb2.SetWorkRuleResponse:
                stored = WorkRules(connection, scope).set(new, replaces=request.replaces)
                publish(connection, [NewEvent(CALENDAR_CHANGED, new.node_id, b"")])
                return calendars_pb2.SetWorkRuleResponse(rule=from_rule(stored))

            return answer_once(
                connection,
                caller=scope.caller.id,
                method=f"{_SERVICE}SetWorkRule",
                request=request,
                response=calendars_pb2.SetWorkRuleResponse,
                produce=produce,
            )

    def ListWorkRules(
        self, request: calendars_pb2.ListWorkRulesRequest, context: grpc.ServicerContext
    ) -> calendars_pb2.ListWorkRulesResponse:
        scope = caller(context).scope(CALENDARS_READ)
        fields = Fields()
        node_id = fields.text("node_id", request.node_id, max_length=_LONGEST_ID, required=False)
        size = fields.page_size(request.page_size)
        fields.require_valid()
        after = decode_token(request.page_token, query=request, shape=(int,))
        with self._database.read() as connection:
            found = WorkRules(connection, scope).page(
                node_id=node_id,
                superseded=request.include_superseded,
                before=None if after is None else int(after[0] or 0),
                limit=size + 1,
            )
        token = encode_token((found[size - 1].revision,), query=request) if len(found) > size else ""
        return calendars_pb2.ListWorkRulesResponse(
            rules=[from_rule(each) for each in found[:size]], next_page_token=token
        )

    def ResolveWorkRules(
        self, request: calendars_pb2.ResolveWorkRulesRequest, context: grpc.ServicerContext
    ) -> calendars_pb2.ResolveWorkRulesResponse:
        scope = caller(context).scope(CALENDARS_READ)
        fields = Fields()
        node_id = fields.identifier("node_id", request.node_id)
        on: date | None = fields.date("on", request.on) if request.HasField("on") else None
        fields.require_valid()
        path = _path(scope, node_id)
        day = on or local_day(self._clock.now(), scope.caller.directory.zone_of(node_id))
        with self._database.read() as connection:
            copy = self._workplaces.fresh(connection)
        calendar, policy, ramp = (
            from_resolved_rule(copy.resolve(kind, path, day))
            for kind in (RuleKind.CALENDAR, RuleKind.LEAVE_POLICY, RuleKind.RAMP)
        )
        return calendars_pb2.ResolveWorkRulesResponse(
            calendar=calendar, leave_policy=policy, ramp=ramp, on=from_date(day)
        )

    def ListDays(
        self, request: calendars_pb2.ListDaysRequest, context: grpc.ServicerContext
    ) -> calendars_pb2.ListDaysResponse:
        scope = caller(context).scope(CALENDARS_READ)
        fields = Fields()
        node_id = fields.identifier("node_id", request.node_id)
        first = fields.date("first_day", request.first_day)
        end = fields.date("end_day", request.end_day)
        if not timedelta(0) < end - first <= timedelta(days=_MOST_DAYS):
            fields.refuse("end_day", f"must be 1 to {_MOST_DAYS} days after first_day")
        fields.require_valid()
        path = _path(scope, node_id)
        with self._database.read() as connection:
            copy = self._workplaces.fresh(connection)
        try:
            days = list(copy.place(path).days(first, end))
        except YearUnknownError as error:
            raise _year_unknown(error.unknown) from None
        return calendars_pb2.ListDaysResponse(
            days=[from_day(each) for each in days], workdays=sum(each.works for each in days)
        )

    def SetDays(
        self, request: calendars_pb2.SetDaysRequest, context: grpc.ServicerContext
    ) -> calendars_pb2.SetDaysResponse:
        scope = caller(context).scope(CALENDARS_WRITE)
        told = told_days(request, scope, self._clock)
        scope.require(told.node_id)
        with self._database.begin() as connection:

            def produce() -> calendars_pb2.SetDaysResponse:
                stored = WorkRules(connection, scope).set_days(
                    told.node_id, told.days, told.removed, complete=told.complete
                )
                publish(connection, [NewEvent(CALENDAR_CHANGED, told.node_id, b"")])
                return calendars_pb2.SetDaysResponse(days=[from_entered(each) for each in stored])

            return answer_once(
                connection,
                caller=scope.caller.id,
                method=f"{_SERVICE}SetDays",
                request=request,
                response=calendars_pb2.SetDaysResponse,
                produce=produce,
            )

    def ListSpecialDays(
        self, request: calendars_pb2.ListSpecialDaysRequest, context: grpc.ServicerContext
    ) -> calendars_pb2.ListSpecialDaysResponse:
        scope = caller(context).scope(CALENDARS_READ)
        fields = Fields()
        node_id = fields.text("node_id", request.node_id, max_length=_LONGEST_ID, required=False)
        year = fields.integer("year", request.year, minimum=0, maximum=_LAST_YEAR)
        size = fields.page_size(request.page_size)
        fields.require_valid()
        after = decode_token(request.page_token, query=request, shape=(str, str, int))
        with self._database.read() as connection:
            found = WorkRules(connection, scope).days(
                node_id=node_id,
                year=year,
                superseded=request.include_superseded,
                after=after,  # type: ignore[arg-type]  # its shape was checked
                limit=size + 1,
            )
        token = ""
        if len(found) > size:
            last = found[size - 1]
            place = (last.special.day.isoformat(), last.special.node_id, last.revision)
            token = encode_token(place, query=request)
        return calendars_pb2.ListSpecialDaysResponse(
            days=[from_entered(each) for each in found[:size]], next_page_token=token
        )


def _path(scope: Scope, node_id: str) -> tuple[str, ...]:
    """The node and those above it; what is set there is there for everybody at or below."""
    if not scope.is_member(node_id):
        raise NotFound("NODE_UNKNOWN", "There is no such node.")
    return scope.caller.directory.ancestors(node_id)


def _year_unknown(unknown: UnknownYear) -> FailedPrecondition:
    return FailedPrecondition(
        "CALENDAR_YEAR_UNKNOWN",
        f"Nothing tells which days of {unknown.year} are workdays; enter the year's holidays and make-up workdays.",
        metadata={"year": str(unknown.year), "node_id": unknown.node_id},
    )

"""EffortService."""

from datetime import timedelta
from typing import Final

import grpc
from foothold.goals.v1 import effort_pb2, effort_pb2_grpc

from access import caller
from chassis.clock import Clock
from chassis.database import Database
from chassis.validation import Fields
from services.goals.domain.effort import WEEK, Effort, between, first_week, usual, weeks_of
from services.goals.domain.periods import local_day
from services.goals.permissions import PROGRESS_READ
from services.goals.store.effort import read_effort
from services.goals.wire.effort import from_days, from_effort, from_usual, from_weeks
from services.goals.wire.values import from_date

_WEEKS: Final = 8
_FEWEST_WEEKS: Final = 2
_MOST_WEEKS: Final = 26
_DAY: Final = timedelta(days=1)


class EffortHandler(effort_pb2_grpc.EffortServiceServicer):
    """Tells what a person put in."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def GetEffort(
        self, request: effort_pb2.GetEffortRequest, context: grpc.ServicerContext
    ) -> effort_pb2.GetEffortResponse:
        scope = caller(context).scope(PROGRESS_READ)
        fields = Fields()
        weeks = fields.integer("weeks", request.weeks or _WEEKS, minimum=_FEWEST_WEEKS, maximum=_MOST_WEEKS)
        asked = fields.date("on", request.on) if request.HasField("on") else None
        fields.require_valid()
        scope.require_person(request.person_id)
        directory = scope.caller.directory
        zone = directory.zone_of(request.person_id)
        today = local_day(self._clock.now(), zone)
        on = asked or today
        if on > today:
            fields.refuse("on", "must not be in the future")
            fields.require_valid()
        person = directory.person(request.person_id)
        started = (person.probation_start or person.hire_date) if person is not None else None
        last = on - timedelta(days=on.weekday())
        first = first_week(last, weeks, started)
        with self._database.look() as connection:
            days = read_effort(connection, request.person_id, first, last + WEEK)
        told = weeks_of(days, first, last)
        known = usual(told[:-1], started)
        shown = [last - WEEK + number * _DAY for number in range(14)]
        return effort_pb2.GetEffortResponse(
            weeks=from_weeks(told, zone),
            days=from_days({day: days.get(day, Effort()) for day in shown if day <= today}),
            so_far=from_effort(between(days, last, on + _DAY)),
            same_days_before=from_effort(between(days, last - WEEK, on - WEEK + _DAY)),
            usual=None if known is None else from_usual(known),
            today=from_date(today),
        )

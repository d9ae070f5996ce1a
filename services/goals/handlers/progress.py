"""ProgressService."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

import grpc
from foothold.goals.v1 import progress_pb2, progress_pb2_grpc
from google.protobuf.timestamp_pb2 import Timestamp

from access import Person, Scope, caller
from chassis.clock import Clock
from chassis.database import Database
from chassis.errors import InvalidArgument
from chassis.paging import decode_token, encode_token
from chassis.validation import Fields
from services.goals.domain.metrics import Metric, evaluate
from services.goals.domain.periods import Period, PeriodKind, local_day
from services.goals.domain.progress import Status, TargetStanding, course_of
from services.goals.domain.recorded import Recorded
from services.goals.domain.targets import Measure
from services.goals.domain.values import Value, exactly
from services.goals.handlers.facts import told
from services.goals.handlers.metrics import find_metric, people_at
from services.goals.permissions import FACTS_READ, PROGRESS_READ
from services.goals.store.course import course_days, read_course
from services.goals.store.listing import Facts
from services.goals.store.progress import read_one, read_progress, read_team
from services.goals.store.targets import TargetsCache
from services.goals.store.workplaces import WorkplacesCache
from services.goals.wire.facts import FactReader
from services.goals.wire.metrics import from_metric
from services.goals.wire.progress import from_member, from_progress, from_standing
from services.goals.wire.targets import from_resolved
from services.goals.wire.values import from_date, from_instant, from_period, from_value

_LARGEST_TEAM_PAGE: Final = 500
_LONGEST_ID: Final = 64
_PLACE: Final = (int, str, str, int)
_URGENCY: Final = (int, int, int, str)


class _Asked(NamedTuple):
    """Whose figures, and for when. `as_of` is None for now, `known_at` for what is known now."""

    scope: Scope
    person: Person
    now: datetime
    as_of: datetime | None
    known_at: datetime | None


class ProgressHandler(progress_pb2_grpc.ProgressServiceServicer):
    """Tells how far people are, and why."""

    def __init__(
        self,
        database: Database,
        cache: TargetsCache,
        workplaces: WorkplacesCache,
        reader: FactReader,
        clock: Clock,
        currency: str,
    ) -> None:
        self._database = database
        self._cache = cache
        self._workplaces = workplaces
        self._reader = reader
        self._clock = clock
        self._currency = currency

    def GetProgress(
        self, request: progress_pb2.GetProgressRequest, context: grpc.ServicerContext
    ) -> progress_pb2.GetProgressResponse:
        asked = self._asked(
            caller(context).scope(PROGRESS_READ),
            request.person_id,
            request.as_of if request.HasField("as_of") else None,
            request.known_at if request.HasField("known_at") else None,
        )
        with self._database.look() as connection:
            progress = read_progress(
                connection,
                self._cache,
                self._workplaces,
                asked.scope.caller.directory,
                asked.person,
                now=asked.now,
                as_of=asked.as_of,
                known_at=asked.known_at,
            )
        metrics = self._cache.library.known(asked.known_at).metrics
        return from_progress(progress, metrics, asked.as_of or asked.now, self._currency)

    def GetProgressCourse(
        self, request: progress_pb2.GetProgressCourseRequest, context: grpc.ServicerContext
    ) -> progress_pb2.GetProgressCourseResponse:
        asked = self._asked(
            caller(context).scope(PROGRESS_READ),
            request.person_id,
            request.as_of if request.HasField("as_of") else None,
            request.known_at if request.HasField("known_at") else None,
        )
        measure = self._measure(request.metric, int(request.period_kind))
        directory = asked.scope.caller.directory
        with self._database.read() as connection:
            period, _, standing = read_one(
                connection,
                self._cache,
                self._workplaces,
                directory,
                asked.person,
                measure,
                now=asked.now,
                as_of=asked.as_of,
                known_at=asked.known_at,
            )
            metric = self._metric(measure, period, asked.known_at)
            today = local_day(asked.as_of or asked.now, period.zone)
            course = read_course(
                connection,
                self._cache,
                asked.person,
                period,
                today,
                as_of=asked.as_of,
                known_at=asked.known_at,
            )
        response = progress_pb2.GetProgressCourseResponse(period=from_period(period))
        if standing is not None:
            response.target.CopyFrom(from_resolved(standing.resolved, self._currency))
            response.asked.CopyFrom(from_value(standing.asked_value, self._currency))
            for day in course_days(period, period.end - timedelta(days=1)):
                needed = _needed(metric, standing, day)
                if needed is not None:
                    response.pace.add(day=from_date(day), pace=from_value(needed, self._currency))
        for day, figures in course:
            needed = None if standing is None else _needed(metric, standing, day)
            response.points.add(
                day=from_date(day),
                done=from_value(evaluate(metric, figures), self._currency),
                pace=None if needed is None else from_value(needed, self._currency),
            )
        return response

    def ListTeamProgress(
        self, request: progress_pb2.ListTeamProgressRequest, context: grpc.ServicerContext
    ) -> progress_pb2.ListTeamProgressResponse:
        scope = caller(context).scope(PROGRESS_READ)
        fields = Fields()
        fields.text("node_id", request.node_id, max_length=_LONGEST_ID, required=False)
        as_of = fields.optional_instant("as_of", request.as_of, present=request.HasField("as_of"))
        known_at = fields.optional_instant("known_at", request.known_at, present=request.HasField("known_at"))
        as_of = as_of or known_at
        status = fields.one_of("status", int(request.status), {0, *Status})
        size = fields.page_size(request.page_size, maximum=_LARGEST_TEAM_PAGE)
        fields.require_valid()
        after = decode_token(request.page_token, query=request, shape=_URGENCY)
        now = self._clock.now()
        here = people_at(scope, request.node_id)
        with self._database.read() as connection:
            members = read_team(
                connection,
                self._cache,
                self._workplaces,
                scope.caller.directory,
                # Who has come or gone since stands elsewhere now; nobody is shown who may not be seen today.
                people_of(scope, here if as_of is None else people_at(scope, "")),
                node_id=request.node_id,
                now=now,
                as_of=as_of,
                known_at=known_at,
                newcomers_only=request.newcomers_only,
            )
        needing_attention = sum(member.needs_attention for member in members)
        if status:
            members = [member for member in members if status in member.statuses]
        rest = [member for member in members if after is None or member.urgency > after]
        return progress_pb2.ListTeamProgressResponse(
            people=[from_member(member, self._currency) for member in rest[:size]],
            next_page_token=encode_token(rest[size - 1].urgency, query=request) if len(rest) > size else "",
            total_size=len(members),
            needing_attention=needing_attention,
            as_of=from_instant(as_of or now),
        )

    def ExplainProgress(
        self, request: progress_pb2.ExplainProgressRequest, context: grpc.ServicerContext
    ) -> progress_pb2.ExplainProgressResponse:
        asked = self._asked(
            caller(context).scope(PROGRESS_READ),
            request.person_id,
            request.as_of if request.HasField("as_of") else None,
            request.known_at if request.HasField("known_at") else None,
        )
        measure = self._measure(request.metric, int(request.period_kind))
        fields = Fields()
        size = fields.page_size(request.page_size)
        fields.require_valid()
        after = decode_token(request.page_token, query=request, shape=_PLACE)
        who = asked.scope.caller
        with self._database.read() as connection:
            period, figures, standing = read_one(
                connection,
                self._cache,
                self._workplaces,
                who.directory,
                asked.person,
                measure,
                now=asked.now,
                as_of=asked.as_of,
                known_at=asked.known_at,
            )
            metric = self._metric(measure, period, asked.known_at)
            total, facts = 0, list[Recorded]()
            if who.may(FACTS_READ, asked.person.id):
                total, facts = Facts(connection, who.scope(FACTS_READ)).behind(
                    asked.person.id,
                    period,
                    metric,
                    until=asked.as_of,
                    known_at=asked.known_at,
                    after=after,  # type: ignore[arg-type]  # its shape was checked
                    limit=size + 1,
                )
        components = list(metric.components)
        return progress_pb2.ExplainProgressResponse(
            definition=from_metric(metric),
            components=[from_metric(each) for each in components],
            period=from_period(period),
            value=from_value(evaluate(metric, figures), self._currency),
            component_values=[from_value(evaluate(each, figures), self._currency) for each in components],
            target=None if standing is None else from_standing(standing, self._currency),
            facts=[told(each, asked.scope, self._reader) for each in facts[:size]],
            total_facts=total,
            next_page_token=encode_token(facts[size - 1].place, query=request) if len(facts) > size else "",
            as_of=from_instant(asked.as_of or asked.now),
        )

    def _asked(
        self, scope: Scope, person_id: str, as_of: Timestamp | None, known_at: Timestamp | None
    ) -> _Asked:
        fields = Fields()
        known = None if known_at is None else fields.instant("known_at", known_at)
        moment = known if as_of is None else fields.instant("as_of", as_of)
        fields.require_valid()
        scope.require_person(person_id)
        person = scope.caller.directory.person(person_id)
        assert person is not None  # noqa: S101  required above
        return _Asked(scope, person, self._clock.now(), moment, known)

    def _measure(self, metric: str, period_kind: int) -> Measure:
        find_metric(self._cache.library.metrics(date.max), metric)
        if period_kind not in set(PeriodKind):
            raise InvalidArgument(
                "PERIOD_UNSUPPORTED",
                "There is no such kind of period.",
                fields={"period_kind": "must be one of the documented values"},
            )
        return Measure(metric, PeriodKind(period_kind))

    def _metric(self, measure: Measure, period: Period, known_at: datetime | None) -> Metric:
        """The version that measures the period. NotFound METRIC_UNKNOWN where there was none at that time."""
        return find_metric(self._cache.library.known(known_at).metrics(period.measured_on), measure.metric)


def people_of(scope: Scope, people: Collection[str] | None) -> list[Person]:
    """The records of people by their ids; everybody's for None."""
    directory = scope.caller.directory
    if people is None:
        return list(directory.people())
    found = (directory.person(person_id) for person_id in people)
    return [person for person in found if person is not None]


def _needed(metric: Metric, standing: TargetStanding, day: date) -> Value | None:
    """What an even pace needs through a day; for ratios and rolling windows the target; None without a calendar."""
    if metric.is_ratio or standing.period.kind is PeriodKind.ROLLING:
        return standing.asked_value
    if standing.asked.worked is None:
        return None
    course = course_of(standing.asked.worked, day + timedelta(days=1))
    return exactly(metric.unit, standing.asked.amount * course.gone)

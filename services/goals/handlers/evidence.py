"""EvidenceService."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Final, NamedTuple

import grpc
from foothold.goals.v1 import evidence_pb2, evidence_pb2_grpc

from access import Directory, Person, Scope, caller
from chassis.clock import Clock
from chassis.database import Database
from chassis.validation import Fields
from services.goals.domain.evidence import LEAST, Published, TenureMonth, change, interval, summarise
from services.goals.domain.metrics import Figures, evaluate
from services.goals.domain.periods import PeriodKind, local_day, period_of
from services.goals.domain.values import Unit, exactly
from services.goals.handlers.metrics import find_metric, people_at
from services.goals.permissions import METRICS_READ, PROGRESS_READ
from services.goals.store.evidence import read_cohort
from services.goals.store.figures import Span, read_figures, read_grouped
from services.goals.store.library import LibraryCache
from services.goals.wire.evidence import from_change, from_interval, from_published
from services.goals.wire.values import from_date, from_instant, from_period, from_value

_DAY: Final = timedelta(days=1)
_LONGEST_ID: Final = 64
_LONGEST_ROLE: Final = 40
_MONTHS: Final = 6
_MOST_MONTHS: Final = 24
_LONGEST_SIDE: Final = timedelta(days=1_096)


class _Side(NamedTuple):
    """What one side of a comparison is of; `people` None is everybody."""

    first: date
    stop: date
    people: frozenset[str] | None


class EvidenceHandler(evidence_pb2_grpc.EvidenceServiceServicer):
    """Tells what earlier people reached, and how figures compare."""

    def __init__(
        self,
        database: Database,
        library: LibraryCache,
        clock: Clock,
        currency: str,
        published: Sequence[Published],
    ) -> None:
        self._database = database
        self._library = library
        self._clock = clock
        self._currency = currency
        self._published = published

    def SuggestTargets(
        self, request: evidence_pb2.SuggestTargetsRequest, context: grpc.ServicerContext
    ) -> evidence_pb2.SuggestTargetsResponse:
        scope = caller(context).scope(METRICS_READ)
        fields = Fields()
        role = fields.text("job_role", request.job_role, max_length=_LONGEST_ROLE)
        fields.text("node_id", request.node_id, max_length=_LONGEST_ID, required=False)
        months = fields.count("months", request.months or _MONTHS, maximum=_MOST_MONTHS)
        fields.require_valid()
        metric = find_metric(self._library.metrics(date.max, retired=False), request.metric)
        directory = scope.caller.directory
        people = _of_role(directory, people_at(scope, request.node_id), role)
        with self._database.read() as connection:
            cohort = read_cohort(
                connection,
                directory,
                people,
                metric,
                months=months,
                now=self._clock.now(),
                counters=self._library.current_counters,
            )
        published = [each for each in self._published if each.metric == metric.name]
        return evidence_pb2.SuggestTargetsResponse(
            months=[self._month(each, metric.unit) for each in summarise(cohort.reached, months)],
            people=cohort.people,
            without_first_day=cohort.without_first_day,
            without_facts=cohort.without_facts,
            least=LEAST,
            benchmarks=[from_published(each, metric.unit, self._currency) for each in published],
        )

    def CompareFigures(
        self, request: evidence_pb2.CompareFiguresRequest, context: grpc.ServicerContext
    ) -> evidence_pb2.CompareFiguresResponse:
        scope = caller(context).scope(METRICS_READ)
        fields = Fields()
        sides = [_side(scope, fields.within(name), getattr(request, name)) for name in ("before", "after")]
        metric = find_metric(self._library.metrics(sides[0].first), request.metric)
        if metric.rolling_days:
            metric = find_metric(self._library.metrics(sides[1].stop - _DAY), request.metric)
            days = timedelta(days=metric.rolling_days)
            sides = [side._replace(first=side.stop - days) for side in sides]
        with self._database.read() as connection:
            found = [
                read_grouped(
                    connection,
                    by="person",
                    people=None if side.people is None else sorted(side.people),
                    first=side.first,
                    stop=side.stop,
                )
                for side in sides
            ]
        before, after = (evaluate(metric, _together(figures)) for figures in found)
        sure = interval(before, after)
        return evidence_pb2.CompareFiguresResponse(
            change=from_change(change(before, after), self._currency),
            interval=None if sure is None else from_interval(sure),
            people_before=len(found[0]),
            people_after=len(found[1]),
        )

    def CompareWeeks(
        self, request: evidence_pb2.CompareWeeksRequest, context: grpc.ServicerContext
    ) -> evidence_pb2.CompareWeeksResponse:
        scope = caller(context).scope(PROGRESS_READ)
        fields = Fields()
        as_of = fields.optional_instant("as_of", request.as_of, present=request.HasField("as_of"))
        fields.require_valid()
        scope.require_person(request.person_id)
        moment = as_of or self._clock.now()
        zone = scope.caller.directory.zone_of(request.person_id)
        today = local_day(moment, zone)
        day, week = period_of(PeriodKind.DAY, today, zone), period_of(PeriodKind.WEEK, today, zone)
        earlier = period_of(PeriodKind.WEEK, week.first - timedelta(days=1), zone)
        with self._database.read() as connection:
            found = read_figures(
                connection,
                [Span(request.person_id, period) for period in (day, week, earlier)],
                as_of=as_of,
                counters=self._library.current_counters,
            ).figures
        response = evidence_pb2.CompareWeeksResponse(
            day=from_period(day),
            week=from_period(week),
            week_before=from_period(earlier),
            as_of=from_instant(moment),
        )
        for metric in self._library.metrics(week.first, retired=False).values():
            if metric.rolling_days:
                # Today, this week and the last are no windows of its own.
                continue
            now, so_far, before = (evaluate(metric, figures) for figures in found)
            response.changes.add(
                metric=metric.name,
                today=from_value(now, self._currency),
                week=from_change(change(before, so_far), self._currency),
            )
        return response

    def _month(self, month: TenureMonth, unit: Unit) -> evidence_pb2.TenureMonth:
        told = evidence_pb2.TenureMonth(month=month.month, n=month.n, sufficient=bool(month.quartiles))
        if month.first is not None and month.end is not None:
            getattr(told, "from").CopyFrom(from_date(month.first))
            told.to.CopyFrom(from_date(month.end))
        for field, number in zip((told.p25, told.p50, told.p75), month.quartiles, strict=False):
            field.CopyFrom(from_value(exactly(unit, number), self._currency))
        return told


def _side(scope: Scope, fields: Fields, told: evidence_pb2.ComparedSide) -> _Side:
    first = fields.date("from", getattr(told, "from"))
    stop = fields.date("to", told.to)
    fields.text("node_id", told.node_id, max_length=_LONGEST_ID, required=False)
    fields.require_valid()
    if not first < stop <= first + _LONGEST_SIDE:
        fields.refuse("to", f"must be after `from`, at most {_LONGEST_SIDE.days} days")
    fields.require_valid()
    return _Side(first, stop, people_at(scope, told.node_id))


def _of_role(directory: Directory, people: frozenset[str] | None, role: str) -> list[Person]:
    """Everybody of a job role, those too who have left: without them only those who did well would be counted."""
    if people is None:
        found: list[Person | None] = list(directory.people())
    else:
        found = [directory.person(person_id) for person_id in people]
    return [person for person in found if person is not None and person.job_role == role]


def _together(figures: Mapping[str, Figures]) -> Figures:
    total = Figures()
    for each in figures.values():
        total.merge(each)
    return total

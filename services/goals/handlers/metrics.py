"""MetricsService."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

import grpc
from foothold.goals.v1 import metrics_pb2, metrics_pb2_grpc

from access import Directory, Scope, caller
from chassis.clock import Clock
from chassis.database import Database
from chassis.errors import NotFound
from chassis.paging import decode_token, encode_token
from chassis.validation import Fields
from services.goals.domain.metrics import Figures, Metric, evaluate
from services.goals.domain.periods import local_day, months_after
from services.goals.permissions import METRICS_READ
from services.goals.store.figures import read_grouped
from services.goals.store.library import LibraryCache
from services.goals.wire.metrics import from_metric
from services.goals.wire.values import from_value

BY: Final = {
    metrics_pb2.GROUP_BY_PERSON: "person",
    metrics_pb2.GROUP_BY_DEPARTMENT: "department",
    metrics_pb2.GROUP_BY_BRANCH: "branch",
    metrics_pb2.GROUP_BY_MONTH: "month",
}
_DAY: Final = timedelta(days=1)
_FIRST_DAY: Final = date(1999, 12, 1)
_LAST_DAY: Final = date(2101, 1, 1)
_LONGEST_ID: Final = 64


class MetricsHandler(metrics_pb2_grpc.MetricsServiceServicer):
    """Definitions, and values grouped."""

    def __init__(self, database: Database, library: LibraryCache, clock: Clock, currency: str) -> None:
        self._database = database
        self._library = library
        self._clock = clock
        self._currency = currency

    def ListMetrics(
        self, request: metrics_pb2.ListMetricsRequest, context: grpc.ServicerContext
    ) -> metrics_pb2.ListMetricsResponse:
        metrics = self._library.metrics(date.max, retired=False)
        return metrics_pb2.ListMetricsResponse(metrics=[from_metric(each) for each in metrics.values()])

    def QueryMetric(
        self, request: metrics_pb2.QueryMetricRequest, context: grpc.ServicerContext
    ) -> metrics_pb2.QueryMetricResponse:
        scope = caller(context).scope(METRICS_READ)
        fields = Fields()
        by = BY.get(request.group_by, "")
        fields.one_of("group_by", request.group_by, BY)
        first = fields.date("from", getattr(request, "from")) if request.HasField("from") else _FIRST_DAY
        stop = fields.date("to", request.to) if request.HasField("to") else _LAST_DAY
        size = fields.page_size(request.page_size)
        fields.text("node_id", request.node_id, max_length=_LONGEST_ID, required=False)
        fields.require_valid()
        metric = find_metric(self._library.metrics(first), request.metric)
        people = people_at(scope, request.node_id)
        after = decode_token(request.page_token, query=request, shape=(str,))
        if metric.rolling_days:
            open_end = not request.HasField("to")
            return self._rolling(request, scope, by, people, first, None if open_end else stop, after, size)
        with self._database.read() as connection:
            read = {
                kind: read_grouped(
                    connection,
                    by=kind,
                    people=None if people is None else sorted(people),
                    first=first,
                    stop=stop,
                )
                for kind in (("month", "all") if by == "month" else ("person",))
            }
        groups = read["month"] if by == "month" else _gather(scope.caller.directory, by, read["person"])
        total = Figures()
        for figures in read.get("all", groups).values():
            total.merge(figures)
        keys = sorted(key for key in groups if after is None or key > str(after[0]))
        page = keys[:size]
        response = metrics_pb2.QueryMetricResponse(
            next_page_token=encode_token([page[-1]], query=request) if len(keys) > size else "",
            total=from_value(evaluate(metric, total), self._currency),
        )
        for key in page:
            row = row_of(scope.caller.directory, by, key)
            row.value.CopyFrom(from_value(evaluate(metric, groups[key]), self._currency))
            response.rows.append(row)
        return response

    def _rolling(
        self,
        request: metrics_pb2.QueryMetricRequest,
        scope: Scope,
        by: str,
        people: frozenset[str] | None,
        first: date,
        stop: date | None,
        after: tuple[object, ...] | None,
        size: int,
    ) -> metrics_pb2.QueryMetricResponse:
        """The same of a metric with a window of its own: what matters is the day before which each window ends."""
        directory = scope.caller.directory
        end = stop or local_day(self._clock.now(), directory.zone_of(directory.root_id)) + _DAY
        with self._database.read() as connection:

            def window(ending: date, kind: str) -> tuple[Metric, dict[str, Figures]]:
                metric = find_metric(self._library.metrics(ending - _DAY), request.metric)
                days = timedelta(days=metric.rolling_days)
                chosen = None if people is None else sorted(people)
                return metric, read_grouped(
                    connection, by=kind, people=chosen, first=ending - days, stop=ending
                )

            newest, found = window(end, "person")
            total = Figures()
            for figures in found.values():
                total.merge(figures)
            keys: list[str] = []
            values = {}
            if by == "month":
                told = read_grouped(
                    connection,
                    by="month",
                    people=None if people is None else sorted(people),
                    first=first,
                    stop=end,
                )
                keys = sorted(key for key in told if after is None or key > str(after[0]))
                for key in keys[:size]:
                    begin = date.fromisoformat(f"{key}-01")
                    metric, all_of_it = window(min(months_after(begin, 1), end), "all")
                    values[key] = evaluate(metric, all_of_it.get("", Figures()))
            else:
                groups = _gather(directory, by, found)
                keys = sorted(key for key in groups if after is None or key > str(after[0]))
                values = {key: evaluate(newest, groups[key]) for key in keys[:size]}
        response = metrics_pb2.QueryMetricResponse(
            next_page_token=encode_token([keys[size - 1]], query=request) if len(keys) > size else "",
            total=from_value(evaluate(newest, total), self._currency),
        )
        for key, value in values.items():
            row = row_of(directory, by, key)
            row.value.CopyFrom(from_value(value, self._currency))
            response.rows.append(row)
        return response


def find_metric(metrics: Mapping[str, Metric], name: str) -> Metric:
    """A metric by name. NotFound METRIC_UNKNOWN."""
    metric = metrics.get(name)
    if metric is None:
        raise NotFound("METRIC_UNKNOWN", "There is no such metric.", metadata={"metrics": ", ".join(metrics)})
    return metric


def people_at(scope: Scope, node_id: str) -> frozenset[str] | None:
    """Who is at or below a node and covered; None for everybody. NotFound NODE_UNKNOWN."""
    covered = scope.people()
    if not node_id:
        return covered
    directory = scope.caller.directory
    under = directory.people_under(node_id)
    if covered is None:
        scope.require(node_id)
        return under
    if not (scope.covers(node_id) or under & covered):
        scope.require(node_id)
    return under & covered


def _gather(directory: Directory, by: str, people: dict[str, Figures]) -> dict[str, Figures]:
    """People's figures added up by where they belong."""
    if by == "person":
        return people
    groups: dict[str, Figures] = {}
    for person_id, figures in people.items():
        groups.setdefault(group_of(directory, by, person_id), Figures()).merge(figures)
    return groups


def group_of(directory: Directory, by: str, person_id: str) -> str:
    """The key of the group a person belongs to."""
    if by == "person":
        return person_id
    branch = directory.branch_of(person_id)
    if by == "branch":
        return branch or directory.root_id
    return directory.department_of(person_id) or branch or directory.root_id


def row_of(directory: Directory, by: str, key: str) -> metrics_pb2.MetricRow:
    """A group's row, still without its value."""
    if by == "month":
        return metrics_pb2.MetricRow(key=key, label=key)
    if by == "person":
        person = directory.person(key)
        if person is not None:
            return metrics_pb2.MetricRow(key=key, label=person.name, employee_number=person.employee_number)
    node = directory.node(key)
    return metrics_pb2.MetricRow(key=key, label=node.name if node is not None else key)

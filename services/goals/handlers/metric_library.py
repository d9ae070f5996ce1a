"""MetricLibraryService."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

import grpc
from foothold.goals.v1 import metric_library_pb2, metric_library_pb2_grpc, metrics_pb2

from access import Directory, caller
from chassis.clock import Clock
from chassis.database import Database
from chassis.errors import Aborted, FailedPrecondition, InvalidArgument, NotFound
from chassis.idempotency import answer_once
from chassis.paging import decode_token, encode_token
from chassis.validation import Fields
from services.goals.domain.definitions import (
    Definition,
    Library,
    State,
    Version,
    check_definition,
    check_parts,
    metric_of,
)
from services.goals.domain.metrics import METRICS, Figures, Metric, evaluate
from services.goals.handlers.metrics import BY, group_of, people_at, row_of
from services.goals.permissions import METRICS_READ, METRICS_WRITE
from services.goals.store.library import LibraryCache, Versions
from services.goals.store.previewing import Preview, preview, preview_rolling
from services.goals.wire.metrics import built_in_versions, from_version, to_definition
from services.goals.wire.values import from_value

_DEFINE: Final = "/foothold.goals.v1.MetricLibraryService/DefineMetric"
_RETIRE: Final = "/foothold.goals.v1.MetricLibraryService/RetireMetric"
_LONGEST_REASON: Final = 500
_LONGEST_ID: Final = 64
_LONGEST_NAME: Final = 40
_LONGEST_PREVIEW: Final = timedelta(days=366)
_MOST_ROWS: Final = 200
_PREVIEW_COUNTER: Final = 32_767


class MetricLibraryHandler(metric_library_pb2_grpc.MetricLibraryServiceServicer):
    """Defines, previews, lists and retires metrics. `wake` is called when values are to be computed."""

    def __init__(
        self, database: Database, library: LibraryCache, clock: Clock, currency: str, wake: Callable[[], None]
    ) -> None:
        self._database = database
        self._library = library
        self._clock = clock
        self._currency = currency
        self._wake = wake

    def DefineMetric(
        self, request: metric_library_pb2.DefineMetricRequest, context: grpc.ServicerContext
    ) -> metric_library_pb2.DefineMetricResponse:
        scope = caller(context).scope(METRICS_WRITE)
        scope.require_everywhere()
        fields = Fields()
        fields.request_id(request.request_id)
        first = fields.date("effective_from", request.effective_from)
        reason = fields.text("reason", request.reason, max_length=_LONGEST_REASON)
        fields.require_valid()
        told = _read(request.definition)

        with self._database.begin() as connection:
            versions = Versions(connection)

            def produce() -> metric_library_pb2.DefineMetricResponse:
                # One definer at a time, from here on.
                versions.changed()
                library = versions.load()
                _require_sound(told, library.on(date.max), library)
                before = library.newest(told.name)
                _require_newest(before, request.replaces_version)
                new = versions.define(
                    told,
                    before,
                    effective_from=first,
                    by=scope.caller.id,
                    at=self._clock.now(),
                    reason=reason,
                )
                return metric_library_pb2.DefineMetricResponse(version=from_version(new))

            answer = answer_once(
                connection,
                caller=scope.caller.id,
                method=_DEFINE,
                request=request,
                response=metric_library_pb2.DefineMetricResponse,
                produce=produce,
            )
        self._library.refresh()
        self._wake()
        return answer

    def PreviewMetric(
        self, request: metric_library_pb2.PreviewMetricRequest, context: grpc.ServicerContext
    ) -> metric_library_pb2.PreviewMetricResponse:
        caller(context).scope(METRICS_WRITE).require_everywhere()
        scope = caller(context).scope(METRICS_READ)
        fields = Fields()
        by = BY.get(request.group_by, "")
        fields.one_of("group_by", request.group_by, BY)
        first = fields.date("from", getattr(request, "from"))
        stop = fields.date("to", request.to)
        fields.text("node_id", request.node_id, max_length=_LONGEST_ID, required=False)
        fields.require_valid()
        if not first < stop <= first + _LONGEST_PREVIEW:
            fields.refuse("to", f"must be after `from`, at most {_LONGEST_PREVIEW.days} days")
        fields.require_valid()
        told = _read(request.definition)
        library = self._library.current
        known = library.on(first)
        _require_sound(told, known, library)
        metric = metric_of(
            told, known, counter=told.counter(_PREVIEW_COUNTER) if told.needs_counter else None
        )
        people = people_at(scope, request.node_id)
        with self._database.read() as connection:
            found = (preview_rolling if told.rolling_days else preview)(
                connection,
                metric,
                None if people is None else sorted(people),
                first=first,
                stop=stop,
                monthly=by == "month",
            )
        return self._previewed(scope.caller.directory, by, metric, found)

    def ListMetricVersions(
        self, request: metric_library_pb2.ListMetricVersionsRequest, context: grpc.ServicerContext
    ) -> metric_library_pb2.ListMetricVersionsResponse:
        caller(context).scope(METRICS_READ)
        fields = Fields()
        name = fields.text("metric", request.metric, max_length=_LONGEST_NAME, required=False)
        size = fields.page_size(request.page_size)
        fields.require_valid()
        after = decode_token(request.page_token, query=request, shape=(int,))
        start = after[0] if after and isinstance(after[0], int) else 0
        with self._database.read() as connection:
            library = Versions(connection).load()
            # Whoever is told that a version serves gets figures by it from now on.
            self._library.at_least(connection, library.number)
        found = _versions(library, name)
        token = encode_token([start + size], query=request) if len(found) > start + size else ""
        return metric_library_pb2.ListMetricVersionsResponse(
            versions=found[start : start + size], next_page_token=token
        )

    def RetireMetric(
        self, request: metric_library_pb2.RetireMetricRequest, context: grpc.ServicerContext
    ) -> metric_library_pb2.RetireMetricResponse:
        scope = caller(context).scope(METRICS_WRITE)
        scope.require_everywhere()
        fields = Fields()
        fields.request_id(request.request_id)
        name = fields.text("metric", request.metric, max_length=_LONGEST_NAME)
        reason = fields.text("reason", request.reason, max_length=_LONGEST_REASON)
        fields.require_valid()
        with self._database.begin() as connection:
            versions = Versions(connection)

            def produce() -> metric_library_pb2.RetireMetricResponse:
                versions.changed()
                library = versions.load()
                newest = library.newest(name)
                if name in METRICS:
                    raise FailedPrecondition("METRIC_BUILT_IN", "A built-in metric cannot be retired.")
                if newest is None:
                    raise _unknown()
                for other in library.in_use():
                    if name in (other.definition.numerator, *other.definition.denominators):
                        raise FailedPrecondition(
                            "METRIC_IN_USE",
                            f"{other.definition.name} is made of it; retire that first.",
                            metadata={"metric": other.definition.name},
                        )
                retired = replace(
                    newest,
                    version=newest.version + 1,
                    counter_id=0,
                    author_id=scope.caller.id,
                    recorded_at=self._clock.now(),
                    reason=reason,
                    state=State.RETIRED,
                    done=0,
                    total=0,
                )
                if newest.state is not State.RETIRED:
                    versions.add(retired)
                return metric_library_pb2.RetireMetricResponse(
                    version=from_version(newest if newest.state is State.RETIRED else retired)
                )

            answer = answer_once(
                connection,
                caller=scope.caller.id,
                method=_RETIRE,
                request=request,
                response=metric_library_pb2.RetireMetricResponse,
                produce=produce,
            )
        self._library.refresh()
        return answer

    def _previewed(
        self,
        directory: Directory,
        by: str,
        metric: Metric,
        found: Preview,
    ) -> metric_library_pb2.PreviewMetricResponse:
        groups: dict[str, Figures] = {}
        total = Figures()
        for person_or_month, figures in found.figures.items():
            key = person_or_month if by == "month" else group_of(directory, by, person_or_month)
            groups.setdefault(key, Figures()).merge(figures)
            total.merge(figures)
        response = metric_library_pb2.PreviewMetricResponse(
            total_size=len(groups),
            total=from_value(evaluate(metric, found.total or total), self._currency),
            facts=found.met,
            facts_of_kind=found.of_kind,
        )
        for key in sorted(groups)[:_MOST_ROWS]:
            row = row_of(directory, by, key)
            row.value.CopyFrom(from_value(evaluate(metric, groups[key]), self._currency))
            response.rows.append(row)
        return response


def _unknown() -> NotFound:
    return NotFound("METRIC_UNKNOWN", "There is no such metric.")


def _read(told: metrics_pb2.MetricDefinition) -> Definition:
    found = to_definition(told)
    if isinstance(found, Definition):
        return found
    raise InvalidArgument(
        "FIELD_INVALID",
        "the definition has invalid fields",
        fields={f"definition.{field}": why for field, why in found.items()},
    )


def _require_sound(told: Definition, known: Mapping[str, Metric], library: Library) -> None:
    if told.name in METRICS:
        raise FailedPrecondition("METRIC_BUILT_IN", "A built-in metric has that name; choose another one.")
    wrong = check_definition(told, known) | check_parts(told, library)
    if wrong:
        raise InvalidArgument(
            "FIELD_INVALID",
            "the definition is not sound",
            fields={f"definition.{field}": why for field, why in wrong.items()},
        )


def _require_newest(before: Version | None, replaces: int) -> None:
    newest = before.version if before else 0
    if replaces != newest:
        raise Aborted(
            "METRIC_CHANGED",
            f"The newest version is {newest}; read it again and make your change from there.",
            metadata={"version": str(newest)},
        )
    if before is not None and before.state is State.COMPUTING:
        raise FailedPrecondition(
            "METRIC_COMPUTING", "The version before is still being computed; try again when that is done."
        )


def _versions(library: Library, name: str) -> list[metric_library_pb2.MetricVersion]:
    """Of one metric all, newest first; of all metrics the newest."""
    if not name:
        own = [from_version(versions[-1]) for _, versions in sorted(library.versions.items())]
        return [*built_in_versions(), *own]
    if name in METRICS:
        return [each for each in built_in_versions() if each.definition.name == name]
    versions = library.versions.get(name)
    if versions is None:
        raise _unknown()
    return [from_version(each) for each in reversed(versions)]

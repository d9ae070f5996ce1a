"""StandardsService."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from typing import Final

import grpc
from foothold.goals.v1 import standards_pb2, standards_pb2_grpc, targets_pb2
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date

from access import Scope, caller
from chassis.clock import Clock
from chassis.database import Database
from chassis.errors import NotFound
from chassis.idempotency import answer_once
from chassis.ids import new_id
from chassis.paging import decode_token, encode_token
from chassis.validation import Fields
from services.goals.domain.periods import PeriodKind, local_day
from services.goals.domain.targets import Approval, Made, Measure, Target, TargetChange, TargetState
from services.goals.handlers.metrics import find_metric
from services.goals.handlers.targets import publish_target
from services.goals.handlers.targets_told import LONGEST_REASON, LONGEST_ROLE
from services.goals.permissions import TARGETS_APPROVE, TARGETS_READ, TARGETS_WRITE
from services.goals.store.placements import ancestors_at, end_of
from services.goals.store.targets import Targets, TargetsCache
from services.goals.store.targets_reading import at_node, changes_of, drift_at
from services.goals.wire.targets import from_at_node, from_drift, from_known, from_target

_LONGEST_ID: Final = 64
_SERVICE: Final = "/foothold.goals.v1.StandardsService/"


class StandardsHandler(standards_pb2_grpc.StandardsServiceServicer):
    """Tells what holds at nodes and where they differ; restores, approves and refuses."""

    def __init__(self, database: Database, cache: TargetsCache, clock: Clock, currency: str) -> None:
        self._database = database
        self._cache = cache
        self._clock = clock
        self._currency = currency

    def ResolveStandard(
        self, request: standards_pb2.ResolveStandardRequest, context: grpc.ServicerContext
    ) -> standards_pb2.ResolveStandardResponse:
        scope = caller(context).scope(TARGETS_READ)
        fields = Fields()
        node_id = fields.identifier("node_id", request.node_id)
        role = fields.text("job_role", request.job_role, max_length=LONGEST_ROLE)
        on = _day(fields, request.on, present=request.HasField("on"))
        known_at = _known_at(fields, request.known_at, present=request.HasField("known_at"))
        fields.require_valid()
        _require_member(scope, node_id)
        directory = scope.caller.directory
        now, zone = self._clock.now(), directory.zone_of(node_id)
        with self._database.read() as connection:
            copy = self._cache.known(connection, known_at)
            as_of = end_of(on, zone, now, known_at)
            ancestors = ancestors_at(connection, directory, [node_id], as_of=as_of, known_at=known_at)
        found = at_node(copy, role, ancestors(node_id), on or local_day(now, zone))
        return standards_pb2.ResolveStandardResponse(
            standards=[from_at_node(each, self._currency) for each in found]
        )

    def ListDrift(
        self, request: standards_pb2.ListDriftRequest, context: grpc.ServicerContext
    ) -> standards_pb2.ListDriftResponse:
        scope = caller(context).scope(TARGETS_READ)
        fields = Fields()
        node_id = fields.text("node_id", request.node_id, max_length=_LONGEST_ID, required=False)
        role = fields.text("job_role", request.job_role, max_length=LONGEST_ROLE, required=False)
        on = _day(fields, request.on, present=request.HasField("on"))
        known_at = _known_at(fields, request.known_at, present=request.HasField("known_at"))
        size = fields.page_size(request.page_size)
        fields.require_valid()
        start = decode_token(request.page_token, query=request, shape=(int,))
        directory = scope.caller.directory
        now, zone = self._clock.now(), directory.zone_of(directory.root_id)
        with self._database.read() as connection:
            copy = self._cache.known(connection, known_at)
            as_of = end_of(on, zone, now, known_at)
            ancestors = ancestors_at(connection, directory, copy.nodes, as_of=as_of, known_at=known_at)
        day = on or local_day(now, zone)
        drifts = drift_at(copy, scope, ancestors, node_id=node_id, job_role=role, day=day)
        outside = [each for each in drifts if each.out_of_bounds]
        wanted = outside if request.out_of_bounds_only else drifts
        first = 0 if start is None else int(start[0] or 0)
        end = first + size
        return standards_pb2.ListDriftResponse(
            drifts=[from_drift(each, self._currency) for each in wanted[first:end]],
            next_page_token=encode_token((end,), query=request) if len(wanted) > end else "",
            total_size=len(wanted),
            out_of_bounds=len(outside),
        )

    def ListTargetChanges(
        self, request: standards_pb2.ListTargetChangesRequest, context: grpc.ServicerContext
    ) -> standards_pb2.ListTargetChangesResponse:
        scope = caller(context).scope(TARGETS_READ)
        fields = Fields()
        node_id = fields.identifier("node_id", request.node_id)
        role = fields.text("job_role", request.job_role, max_length=LONGEST_ROLE)
        kind = fields.one_of("period_kind", int(request.period_kind), set(PeriodKind))
        size = fields.page_size(request.page_size)
        fields.require_valid()
        measure = Measure(
            find_metric(self._cache.library.metrics(date.max), request.metric).name, PeriodKind(kind)
        )
        before = decode_token(request.page_token, query=request, shape=(int,))
        _require_member(scope, node_id)
        with self._database.read() as connection:
            found = changes_of(
                connection,
                node_id=node_id,
                job_role=role,
                measure=measure,
                before=None if before is None else int(before[0] or 0),
                limit=size + 1,
            )
        more = len(found) > size
        return standards_pb2.ListTargetChangesResponse(
            changes=[from_known(each, self._currency) for each in found[:size]],
            next_page_token=encode_token((found[size - 1].target.revision,), query=request) if more else "",
        )

    def RestoreTarget(
        self, request: standards_pb2.RestoreTargetRequest, context: grpc.ServicerContext
    ) -> standards_pb2.RestoreTargetResponse:
        scope = caller(context).scope(TARGETS_WRITE)
        fields = Fields()
        fields.request_id(request.request_id)
        target_id = fields.identifier("target_id", request.target_id)
        first = fields.date("effective_from", request.effective_from)
        end = _day(
            fields, request.effective_to, name="effective_to", present=request.HasField("effective_to")
        )
        if end is not None and end <= first:
            fields.refuse("effective_to", "must be after effective_from")
        reason = fields.text("reason", request.reason, max_length=LONGEST_REASON)
        fields.require_valid()
        with self._database.begin() as connection:

            def produce() -> standards_pb2.RestoreTargetResponse:
                targets = Targets(connection, scope)
                new = replace(
                    targets.once(target_id, request.revision),
                    id=new_id(),
                    effective_from=first,
                    effective_to=end,
                    reason=reason,
                    author_id=scope.caller.id,
                    recorded_at=self._clock.now(),
                    made=Made(TargetChange.SET, scope.caller.id, reason),
                    state=TargetState.IN_FORCE,
                    approval=Approval(),
                )
                stored = targets.set(new)
                publish_target(connection, stored, self._currency)
                return standards_pb2.RestoreTargetResponse(target=from_target(stored, self._currency))

            return answer_once(
                connection,
                caller=scope.caller.id,
                method=f"{_SERVICE}RestoreTarget",
                request=request,
                response=standards_pb2.RestoreTargetResponse,
                produce=produce,
            )

    def ApproveTarget(
        self, request: standards_pb2.ApproveTargetRequest, context: grpc.ServicerContext
    ) -> standards_pb2.ApproveTargetResponse:
        scope, target_id, reason = _decision(request, context, must_say_why=False)
        with self._database.begin() as connection:

            def produce() -> standards_pb2.ApproveTargetResponse:
                decided = Targets(connection, scope).approve
                return standards_pb2.ApproveTargetResponse(
                    target=self._decided(decided, connection, scope, target_id, reason)
                )

            return answer_once(
                connection,
                caller=scope.caller.id,
                method=f"{_SERVICE}ApproveTarget",
                request=request,
                response=standards_pb2.ApproveTargetResponse,
                produce=produce,
            )

    def RefuseTarget(
        self, request: standards_pb2.RefuseTargetRequest, context: grpc.ServicerContext
    ) -> standards_pb2.RefuseTargetResponse:
        scope, target_id, reason = _decision(request, context, must_say_why=True)
        with self._database.begin() as connection:

            def produce() -> standards_pb2.RefuseTargetResponse:
                decided = Targets(connection, scope).refuse
                return standards_pb2.RefuseTargetResponse(
                    target=self._decided(decided, connection, scope, target_id, reason)
                )

            return answer_once(
                connection,
                caller=scope.caller.id,
                method=f"{_SERVICE}RefuseTarget",
                request=request,
                response=standards_pb2.RefuseTargetResponse,
                produce=produce,
            )

    def _decided(
        self, decide: Callable[..., Target], connection: object, scope: Scope, target_id: str, reason: str
    ) -> targets_pb2.Target:
        decided = decide(target_id, by=scope.caller.id, reason=reason, at=self._clock.now())
        publish_target(connection, decided, self._currency)
        return from_target(decided, self._currency)


def _decision(
    request: standards_pb2.ApproveTargetRequest | standards_pb2.RefuseTargetRequest,
    context: grpc.ServicerContext,
    *,
    must_say_why: bool,
) -> tuple[Scope, str, str]:
    scope = caller(context).scope(TARGETS_APPROVE)
    fields = Fields()
    fields.request_id(request.request_id)
    target_id = fields.identifier("target_id", request.target_id)
    reason = fields.text("reason", request.reason, max_length=LONGEST_REASON, required=must_say_why)
    fields.require_valid()
    return scope, target_id, reason


def _day(fields: Fields, told: Date, *, present: bool, name: str = "on") -> date | None:
    return fields.date(name, told) if present else None


def _known_at(fields: Fields, told: Timestamp, *, present: bool) -> datetime | None:
    return fields.optional_instant("known_at", told, present=present)


def _require_member(scope: Scope, node_id: str) -> None:
    """What is set at a node is there for everybody at or below it."""
    if not scope.is_member(node_id):
        raise NotFound("NODE_UNKNOWN", "There is no such node.")

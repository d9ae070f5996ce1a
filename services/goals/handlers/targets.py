"""TargetsService."""

from datetime import date
from typing import Final

import grpc
from foothold.goals.v1 import targets_pb2, targets_pb2_grpc

from access import Kind, Scope, caller
from chassis.clock import Clock
from chassis.database import Database
from chassis.errors import InvalidArgument
from chassis.feed import NewEvent, publish
from chassis.idempotency import answer_once
from chassis.ids import new_id
from chassis.paging import decode_token, encode_token
from chassis.validation import Fields
from services.goals.domain.periods import PeriodKind, local_day
from services.goals.domain.targets import Measure, Target, check_value
from services.goals.handlers.metrics import find_metric
from services.goals.permissions import TARGETS_READ, TARGETS_WRITE
from services.goals.store.targets import Targets, TargetsCache
from services.goals.wire.feed import TARGET_CHANGED, target_payload
from services.goals.wire.targets import from_resolved, from_target, to_value

_LONGEST_REASON: Final = 500
_LONGEST_ROLE: Final = 40
_LONGEST_ID: Final = 64
_SET: Final = "/foothold.goals.v1.TargetsService/SetTarget"
_END: Final = "/foothold.goals.v1.TargetsService/EndTarget"
_PLACE: Final = (str, str, str, str, str)


class TargetsHandler(targets_pb2_grpc.TargetsServiceServicer):
    """Sets, ends, lists and resolves targets."""

    def __init__(self, database: Database, cache: TargetsCache, clock: Clock, currency: str) -> None:
        self._database = database
        self._cache = cache
        self._clock = clock
        self._currency = currency

    def SetTarget(
        self, request: targets_pb2.SetTargetRequest, context: grpc.ServicerContext
    ) -> targets_pb2.SetTargetResponse:
        scope = caller(context).scope(TARGETS_WRITE)
        new = self._read(request, scope)
        scope.require(new.node_id)
        with self._database.begin() as connection:

            def produce() -> targets_pb2.SetTargetResponse:
                stored = Targets(connection, scope).set(new)
                self._publish(connection, stored)
                return targets_pb2.SetTargetResponse(target=from_target(stored, self._currency))

            return answer_once(
                connection,
                caller=scope.caller.id,
                method=_SET,
                request=request,
                response=targets_pb2.SetTargetResponse,
                produce=produce,
            )

    def EndTarget(
        self, request: targets_pb2.EndTargetRequest, context: grpc.ServicerContext
    ) -> targets_pb2.EndTargetResponse:
        scope = caller(context).scope(TARGETS_WRITE)
        fields = Fields()
        fields.request_id(request.request_id)
        target_id = fields.identifier("target_id", request.target_id)
        day = fields.date("effective_to", request.effective_to)
        reason = fields.text("reason", request.reason, max_length=_LONGEST_REASON)
        fields.require_valid()
        with self._database.begin() as connection:

            def produce() -> targets_pb2.EndTargetResponse:
                ended = Targets(connection, scope).end(
                    target_id,
                    effective_to=day,
                    reason=reason,
                    author_id=scope.caller.id,
                    at=self._clock.now(),
                )
                self._publish(connection, ended)
                return targets_pb2.EndTargetResponse(target=from_target(ended, self._currency))

            return answer_once(
                connection,
                caller=scope.caller.id,
                method=_END,
                request=request,
                response=targets_pb2.EndTargetResponse,
                produce=produce,
            )

    def ListTargets(
        self, request: targets_pb2.ListTargetsRequest, context: grpc.ServicerContext
    ) -> targets_pb2.ListTargetsResponse:
        scope = caller(context).scope(TARGETS_READ)
        fields = Fields()
        node_id = fields.text("node_id", request.node_id, max_length=_LONGEST_ID, required=False)
        role = fields.text("job_role", request.job_role, max_length=_LONGEST_ROLE, required=False)
        size = fields.page_size(request.page_size)
        fields.require_valid()
        after = decode_token(request.page_token, query=request, shape=_PLACE)
        with self._database.read() as connection:
            found = Targets(connection, scope).page(
                node_id=node_id,
                job_role=role,
                after=after,  # type: ignore[arg-type]  # its shape was checked
                limit=size + 1,
            )
        token = encode_token(found[size - 1][1], query=request) if len(found) > size else ""
        return targets_pb2.ListTargetsResponse(
            targets=[from_target(target, self._currency) for target, _ in found[:size]],
            next_page_token=token,
        )

    def ResolveTargets(
        self, request: targets_pb2.ResolveTargetsRequest, context: grpc.ServicerContext
    ) -> targets_pb2.ResolveTargetsResponse:
        scope = caller(context).scope(TARGETS_READ)
        fields = Fields()
        on: date | None = fields.date("on", request.on) if request.HasField("on") else None
        fields.require_valid()
        scope.require_person(request.person_id)
        directory = scope.caller.directory
        person = directory.person(request.person_id)
        assert person is not None  # noqa: S101  required above
        day = on or local_day(self._clock.now(), directory.zone_of(person.id))
        with self._database.read() as connection:
            targets = self._cache.fresh(connection).of(person, directory.ancestors(person.id), day)
        return targets_pb2.ResolveTargetsResponse(
            targets=[from_resolved(each, self._currency) for each in targets.values()]
        )

    def _read(self, request: targets_pb2.SetTargetRequest, scope: Scope) -> Target:
        told = request.target
        fields = Fields()
        fields.request_id(request.request_id)
        within = fields.within("target")
        within.identifier("id", told.id, required=False)
        node_id = within.identifier("node_id", told.node_id)
        role = within.text("job_role", told.job_role, max_length=_LONGEST_ROLE)
        kind = within.one_of("period_kind", int(told.period_kind), set(PeriodKind))
        first = within.date("effective_from", told.effective_from)
        node = scope.caller.directory.node(node_id)
        needs_reason = node is not None and node.kind is not Kind.ENTERPRISE
        reason = within.text("reason", told.reason, max_length=_LONGEST_REASON, required=needs_reason)
        fields.require_valid()
        metric = find_metric(self._cache.library.metrics(first, retired=False), told.metric)
        value = to_value(told.value)
        wrong = "its unit must be one of the documented ones"
        if value is not None:
            wrong = (
                check_value(
                    metric,
                    value,
                    currency=told.value.currency,
                    expected_currency=self._currency,
                )
                or ""
            )
        if value is None or wrong:
            raise InvalidArgument("VALUE_INVALID", f"{told.metric}: {wrong}", fields={"target.value": wrong})
        return Target(
            told.id or new_id(),
            node_id,
            role,
            Measure(metric.name, PeriodKind(kind)),
            value,
            first,
            None,
            reason,
            scope.caller.id,
            self._clock.now(),
        )

    def _publish(self, connection: object, target: Target) -> None:
        publish(
            connection,  # type: ignore[arg-type]  # handlers do not name SQLAlchemy's types
            [NewEvent(TARGET_CHANGED, target.node_id, target_payload(target, self._currency))],
        )

"""TargetsService."""

from datetime import date
from typing import Final

import grpc
from foothold.goals.v1 import targets_pb2, targets_pb2_grpc

from access import caller
from chassis.clock import Clock
from chassis.database import Database
from chassis.feed import NewEvent, publish
from chassis.idempotency import answer_once
from chassis.ids import new_id
from chassis.paging import decode_token, encode_token
from chassis.validation import Fields
from services.goals.domain.periods import local_day
from services.goals.domain.targets import Target, TargetState
from services.goals.handlers.targets_told import LONGEST_REASON, LONGEST_ROLE, told_target
from services.goals.permissions import TARGETS_READ, TARGETS_WRITE
from services.goals.store.placements import end_of, places
from services.goals.store.targets import Targets, TargetsCache
from services.goals.wire.feed import TARGET_CHANGED, target_payload
from services.goals.wire.targets import from_resolved, from_target

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
        new = told_target(
            request, scope, self._cache.library, clock=self._clock, new_id=new_id(), currency=self._currency
        )
        scope.require(new.node_id)
        with self._database.begin() as connection:

            def produce() -> targets_pb2.SetTargetResponse:
                stored = Targets(connection, scope).set(new)
                publish_target(connection, stored, self._currency)
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
        reason = fields.text("reason", request.reason, max_length=LONGEST_REASON)
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
                publish_target(connection, ended, self._currency)
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
        role = fields.text("job_role", request.job_role, max_length=LONGEST_ROLE, required=False)
        states = {fields.one_of("states", int(state), set(TargetState)) for state in request.states}
        size = fields.page_size(request.page_size)
        fields.require_valid()
        after = decode_token(request.page_token, query=request, shape=_PLACE)
        with self._database.read() as connection:
            found = Targets(connection, scope).page(
                node_id=node_id,
                job_role=role,
                states=[TargetState(state) for state in states or {TargetState.IN_FORCE}],
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
        known_at = fields.optional_instant("known_at", request.known_at, present=request.HasField("known_at"))
        fields.require_valid()
        scope.require_person(request.person_id)
        directory = scope.caller.directory
        person = directory.person(request.person_id)
        assert person is not None  # noqa: S101  required above
        now, zone = self._clock.now(), directory.zone_of(person.id)
        with self._database.read() as connection:
            copy = self._cache.known(connection, known_at)
            as_of = end_of(on, zone, now, known_at)
            place = places(connection, directory, [person], as_of=as_of, known_at=known_at)[person.id]
        targets = copy.of(place.job_role, place.path, on or local_day(now, zone))
        return targets_pb2.ResolveTargetsResponse(
            targets=[from_resolved(each, self._currency) for each in targets.values()]
        )


def publish_target(connection: object, target: Target, currency: str) -> None:
    """Tell followers about a target that counts; of proposals and what became of them they hear nothing."""
    if target.state is TargetState.IN_FORCE:
        publish(
            connection,  # type: ignore[arg-type]  # handlers do not name SQLAlchemy's types
            [NewEvent(TARGET_CHANGED, target.node_id, target_payload(target, currency))],
        )

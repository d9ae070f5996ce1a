"""Computing a period anew."""

from typing import Final

import grpc
from foothold.incentives.v1 import recompute_pb2, recompute_pb2_grpc

from access import caller
from chassis.database import Database
from chassis.idempotency import answer_once
from chassis.paging import decode_token, encode_token
from chassis.validation import Fields
from services.incentives.calculating import Calculator
from services.incentives.catalogue import Catalogue
from services.incentives.domain.periods import PeriodKind, period_of
from services.incentives.domain.rechecking import differences
from services.incentives.wire.simulation import from_difference

_PERMISSION: Final = "incentives.periods.close"
_METHOD: Final = "/foothold.incentives.v1.RecomputeService/RecomputePeriod"
_KINDS: Final = frozenset(map(int, PeriodKind))


class RecomputeHandler(recompute_pb2_grpc.RecomputeServiceServicer):
    def __init__(
        self, database: Database, catalogue: Catalogue, calculator: Calculator, currency: str
    ) -> None:
        self._database = database
        self._catalogue = catalogue
        self._calculator = calculator
        self._currency = currency

    def RecomputePeriod(
        self, request: recompute_pb2.RecomputePeriodRequest, context: grpc.ServicerContext
    ) -> recompute_pb2.RecomputePeriodResponse:
        scope = caller(context).scope(_PERMISSION)
        fields = Fields()
        fields.request_id(request.request_id)
        node_id = fields.identifier("node_id", request.node_id)
        kind = fields.one_of("period_kind", request.period_kind, _KINDS)
        day = fields.date("on", request.on)
        size = fields.page_size(request.page_size, default=500)
        fields.require_valid()
        scope.require(node_id)
        # Neither the id of the call nor the size makes it another list.
        listed = recompute_pb2.RecomputePeriodRequest()
        listed.CopyFrom(request)
        listed.request_id = ""
        cursor = decode_token(request.page_token, query=listed, shape=(str, int))
        after, done = (str(cursor[0]), int(cursor[1] or 0)) if cursor else ("", 0)
        period = period_of(PeriodKind(kind), day)
        everybody = sorted(scope.caller.directory.people_under(node_id))
        people = [each for each in everybody if each > after][:size]

        def produce() -> recompute_pb2.RecomputePeriodResponse:
            checked, changed = self._calculator.recheck(connection, people, period, apply=request.apply)
            book = self._catalogue.plans(connection)
            lines = [
                from_difference(line, self._currency)
                for each in changed
                if each.before is not None
                for line in differences(each.before, each.after, book)
            ]
            response = recompute_pb2.RecomputePeriodResponse(
                statements=checked,
                lines_changed=len(lines),
                lines=lines,
                people=len(everybody),
                people_done=min(len(everybody), done + len(people)),
            )
            if people and people[-1] != everybody[-1]:
                response.next_page_token = encode_token([people[-1], response.people_done], query=listed)
            return response

        with self._database.begin() as connection:
            if not request.apply:
                return produce()
            return answer_once(
                connection,
                caller=scope.caller.id,
                method=_METHOD,
                request=request,
                response=recompute_pb2.RecomputePeriodResponse,
                produce=produce,
            )

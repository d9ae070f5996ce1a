"""Batches for payroll: what of closed periods is handed over, as what, and that it is paid."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Final, Protocol, TypeVar

import grpc
from foothold.incentives.v1 import payouts_pb2, payouts_pb2_grpc
from google.protobuf.message import Message
from google.type.date_pb2 import Date
from sqlalchemy import Connection

from access import Scope, caller
from chassis.clock import Clock
from chassis.database import Database
from chassis.errors import FailedPrecondition, NotFound
from chassis.paging import decode_token, encode_token
from chassis.validation import Fields
from services.incentives.batching import booked, make
from services.incentives.catalogue import Catalogue
from services.incentives.domain.payouts import Batch
from services.incentives.domain.periods import FURTHEST_AHEAD, Period, PeriodKind, period_of, today
from services.incentives.handlers.commands import once
from services.incentives.store.batches import BatchStore
from services.incentives.store.payouts import PayoutStore
from services.incentives.wire.payouts import from_batch, from_line

R = TypeVar("R", bound=Message)
_PAY: Final = "incentives.payouts.pay"
_KINDS: Final = frozenset(map(int, PeriodKind))


class _Asked(Protocol):
    """A request that names a period."""

    @property
    def period_kind(self) -> int: ...
    @property
    def on(self) -> Date: ...


class BatchesPart(payouts_pb2_grpc.PayoutsServiceServicer):
    """The part of PayoutsService that is about batches."""

    def __init__(self, database: Database, catalogue: Catalogue, clock: Clock, currency: str) -> None:
        self._database = database
        self._catalogue = catalogue
        self._clock = clock
        self._currency = currency

    def CreateBatch(
        self, request: payouts_pb2.CreateBatchRequest, context: grpc.ServicerContext
    ) -> payouts_pb2.CreateBatchResponse:
        scope = caller(context).scope(_PAY)
        fields = Fields()
        fields.request_id(request.request_id)
        node_id = fields.identifier("node_id", request.node_id)
        period = period_in(fields, request)
        fields.require_valid()

        def produce(connection: Connection) -> payouts_pb2.CreateBatchResponse:
            begun = Batch(
                request.request_id, node_id, period(), scope.caller.id, self._clock.now(), 0, 0, 0, ""
            )
            book = self._catalogue.plans(connection)
            batch = make(BatchStore(connection, scope), PayoutStore(connection, scope), book, begun)
            return payouts_pb2.CreateBatchResponse(batch=from_batch(batch, self._currency))

        return self._once(scope, "CreateBatch", request, payouts_pb2.CreateBatchResponse, produce)

    def MarkBatchPaid(
        self, request: payouts_pb2.MarkBatchPaidRequest, context: grpc.ServicerContext
    ) -> payouts_pb2.MarkBatchPaidResponse:
        scope = caller(context).scope(_PAY)
        fields = Fields()
        fields.request_id(request.request_id)
        batch_id = fields.request_id(request.batch_id, name="batch_id")
        paid_on = fields.date("paid_on", request.paid_on)
        if paid_on > today(self._clock.now(), FURTHEST_AHEAD):
            fields.refuse("paid_on", "must not be in the future")
        reference = fields.text("reference", request.reference, max_length=100, required=False)
        fields.require_valid()

        def produce(connection: Connection) -> payouts_pb2.MarkBatchPaidResponse:
            store = BatchStore(connection, scope)
            batch = _known(store, batch_id)
            if not store.pay(batch_id, paid_on, reference):
                told = batch.paid_on.isoformat() if batch.paid_on else ""
                raise FailedPrecondition(
                    "BATCH_PAID", f"The batch was paid on {told}.", metadata={"paid_on": told}
                )
            paid = replace(batch, paid_on=paid_on, reference=reference, paid_by=scope.caller.id)
            return payouts_pb2.MarkBatchPaidResponse(batch=from_batch(paid, self._currency))

        return self._once(scope, "MarkBatchPaid", request, payouts_pb2.MarkBatchPaidResponse, produce)

    def GetBatch(
        self, request: payouts_pb2.GetBatchRequest, context: grpc.ServicerContext
    ) -> payouts_pb2.GetBatchResponse:
        scope = caller(context).scope(_PAY)
        fields = Fields()
        batch_id = fields.request_id(request.batch_id, name="batch_id")
        fields.require_valid()
        with self._database.read() as connection:
            batch = _known(BatchStore(connection, scope), batch_id)
        return payouts_pb2.GetBatchResponse(batch=from_batch(batch, self._currency))

    def ListBatches(
        self, request: payouts_pb2.ListBatchesRequest, context: grpc.ServicerContext
    ) -> payouts_pb2.ListBatchesResponse:
        scope = caller(context).scope(_PAY)
        fields = Fields()
        size = fields.page_size(request.page_size)
        fields.require_valid()
        after = decode_token(request.page_token, query=request, shape=(str,))
        with self._database.read() as connection:
            found = BatchStore(connection, scope).batches()
        ids = [each.id for each in found]
        first = ids.index(str(after[0])) + 1 if after and after[0] in ids else 0
        page = found[first : first + size]
        more = len(found) > first + size
        return payouts_pb2.ListBatchesResponse(
            batches=[from_batch(each, self._currency) for each in page],
            next_page_token=encode_token((page[-1].id,), query=request) if more else "",
        )

    def ListBatchLines(
        self, request: payouts_pb2.ListBatchLinesRequest, context: grpc.ServicerContext
    ) -> payouts_pb2.ListBatchLinesResponse:
        scope = caller(context).scope(_PAY)
        fields = Fields()
        batch_id = fields.request_id(request.batch_id, name="batch_id")
        size = fields.page_size(request.page_size)
        fields.require_valid()
        after = decode_token(request.page_token, query=request, shape=(int,))
        first = int(after[0] or 0) if after else 0
        with self._database.read() as connection:
            store = BatchStore(connection, scope)
            batch = _known(store, batch_id)
            book = self._catalogue.plans(connection)
            lines = booked(store, PayoutStore(connection, scope), book, batch)
        page = lines[first : first + size]
        more = len(lines) > first + size
        return payouts_pb2.ListBatchLinesResponse(
            lines=[from_line(*each, self._currency) for each in page],
            next_page_token=encode_token((first + size,), query=request) if more else "",
        )

    def _once(
        self, scope: Scope, rpc: str, request: Message, response: type[R], produce: Callable[[Connection], R]
    ) -> R:
        return once(self._database, scope, f"PayoutsService/{rpc}", request, response, produce)


def period_in(fields: Fields, request: _Asked) -> Callable[[], Period]:
    """The period a request names, once the request is valid."""
    kind = fields.one_of("period_kind", request.period_kind, _KINDS)
    day: date = fields.date("on", request.on)
    return lambda: period_of(PeriodKind(kind), day)


def _known(store: BatchStore, batch_id: str) -> Batch:
    found = store.batch(batch_id)
    if found is None:
        raise NotFound("BATCH_UNKNOWN", "There is no such batch.")
    return found


def not_closed() -> FailedPrecondition:
    """Nothing there is closed."""
    return FailedPrecondition("PERIOD_NOT_CLOSED", "Nothing of that period is closed there: close it first.")

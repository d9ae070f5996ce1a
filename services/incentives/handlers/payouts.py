"""From closed periods to payroll."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final, Protocol, TypeVar

import grpc
from foothold.incentives.v1 import payouts_pb2, payouts_pb2_grpc
from google.protobuf.message import Message
from google.type.date_pb2 import Date
from sqlalchemy import Connection

from access import PLATFORM, Scope, caller
from chassis.clock import Clock
from chassis.database import Database
from chassis.errors import FailedPrecondition, NotFound
from chassis.idempotency import answer_once
from chassis.paging import decode_token, encode_token
from chassis.validation import Fields
from services.incentives.catalogue import Catalogue
from services.incentives.domain.payouts import Batch, Payout, PayoutLine, PayoutState, batch_digest, lines_of
from services.incentives.domain.periods import Period, PeriodKind, period_of
from services.incentives.domain.plans import PlanBook
from services.incentives.store.payouts import PayoutStore
from services.incentives.wire.payouts import from_batch, from_line, from_payout
from services.incentives.wire.values import from_money

R = TypeVar("R", bound=Message)

_READ: Final = "incentives.statements.read"
_APPROVE: Final = "incentives.payouts.approve"
_HOLD: Final = "incentives.payouts.hold"
_PAY: Final = "incentives.payouts.pay"
_SERVICE: Final = "/foothold.incentives.v1.PayoutsService"
_KINDS: Final = frozenset(map(int, PeriodKind))


class _Asked(Protocol):
    """A request that names a period."""

    @property
    def period_kind(self) -> int: ...
    @property
    def on(self) -> Date: ...


class PayoutsHandler(payouts_pb2_grpc.PayoutsServiceServicer):
    def __init__(self, database: Database, catalogue: Catalogue, clock: Clock, currency: str) -> None:
        self._database = database
        self._catalogue = catalogue
        self._clock = clock
        self._currency = currency

    def ListPayouts(
        self, request: payouts_pb2.ListPayoutsRequest, context: grpc.ServicerContext
    ) -> payouts_pb2.ListPayoutsResponse:
        scope = caller(context).scope(_READ)
        fields = Fields()
        node_id = fields.identifier("node_id", request.node_id)
        period = _period(fields, request)
        size = fields.page_size(request.page_size)
        fields.require_valid()
        after = decode_token(request.page_token, query=request, shape=(str,))
        with self._database.read() as connection:
            store = PayoutStore(connection, scope)
            found = store.listed(node_id, period(), str(after[0]) if after else "", size + 1)
            tally = store.tally(node_id, period())
        page = found[:size]
        return payouts_pb2.ListPayoutsResponse(
            payouts=[from_payout(each, self._currency) for each in page],
            next_page_token=encode_token((page[-1].person_id,), query=request) if len(found) > size else "",
            waiting=tally.waiting,
            held=tally.held,
            approved=tally.approved,
            batched=tally.batched,
            approved_total=from_money(tally.due, self._currency),
        )

    def ApprovePayouts(
        self, request: payouts_pb2.ApprovePayoutsRequest, context: grpc.ServicerContext
    ) -> payouts_pb2.ApprovePayoutsResponse:
        scope = caller(context).scope(_APPROVE)
        fields = Fields()
        fields.request_id(request.request_id)
        node_id = fields.identifier("node_id", request.node_id)
        period = _period(fields, request)
        fields.require_valid()

        def produce(connection: Connection) -> payouts_pb2.ApprovePayoutsResponse:
            store = PayoutStore(connection, scope)
            closers = store.closers(node_id, period())
            if not closers:
                raise _not_closed()
            _require_second(scope, closers)
            approved, total = store.approve(node_id, period(), self._clock.now())
            return payouts_pb2.ApprovePayoutsResponse(
                approved=approved, total=from_money(total, self._currency)
            )

        return self._once(scope, request, payouts_pb2.ApprovePayoutsResponse, produce)

    def HoldPayout(
        self, request: payouts_pb2.HoldPayoutRequest, context: grpc.ServicerContext
    ) -> payouts_pb2.HoldPayoutResponse:
        scope = caller(context).scope(_HOLD)
        payout = self._held(scope, request, PayoutStore.hold, held=True)
        return self._once(
            scope,
            request,
            payouts_pb2.HoldPayoutResponse,
            lambda connection: payouts_pb2.HoldPayoutResponse(payout=payout(connection)),
        )

    def ReleasePayout(
        self, request: payouts_pb2.ReleasePayoutRequest, context: grpc.ServicerContext
    ) -> payouts_pb2.ReleasePayoutResponse:
        scope = caller(context).scope(_HOLD)
        payout = self._held(scope, request, PayoutStore.release, held=False)
        return self._once(
            scope,
            request,
            payouts_pb2.ReleasePayoutResponse,
            lambda connection: payouts_pb2.ReleasePayoutResponse(payout=payout(connection)),
        )

    def CreateBatch(
        self, request: payouts_pb2.CreateBatchRequest, context: grpc.ServicerContext
    ) -> payouts_pb2.CreateBatchResponse:
        scope = caller(context).scope(_PAY)
        fields = Fields()
        fields.request_id(request.request_id)
        node_id = fields.identifier("node_id", request.node_id)
        period = _period(fields, request)
        fields.require_valid()

        def produce(connection: Connection) -> payouts_pb2.CreateBatchResponse:
            batch = self._create(connection, scope, request.request_id, node_id, period())
            return payouts_pb2.CreateBatchResponse(batch=from_batch(batch, self._currency))

        return self._once(scope, request, payouts_pb2.CreateBatchResponse, produce)

    def MarkBatchPaid(
        self, request: payouts_pb2.MarkBatchPaidRequest, context: grpc.ServicerContext
    ) -> payouts_pb2.MarkBatchPaidResponse:
        scope = caller(context).scope(_PAY)
        fields = Fields()
        fields.request_id(request.request_id)
        batch_id = fields.request_id(request.batch_id, name="batch_id")
        paid_on = fields.date("paid_on", request.paid_on)
        reference = fields.text("reference", request.reference, max_length=100, required=False)
        fields.require_valid()

        def produce(connection: Connection) -> payouts_pb2.MarkBatchPaidResponse:
            store = PayoutStore(connection, scope)
            batch = _known(store, batch_id)
            if not store.pay(batch_id, paid_on, reference):
                told = batch.paid_on.isoformat() if batch.paid_on else ""
                raise FailedPrecondition(
                    "BATCH_PAID", f"The batch was paid on {told}.", metadata={"paid_on": told}
                )
            paid = replace(batch, paid_on=paid_on, reference=reference, paid_by=scope.caller.id)
            return payouts_pb2.MarkBatchPaidResponse(batch=from_batch(paid, self._currency))

        return self._once(scope, request, payouts_pb2.MarkBatchPaidResponse, produce)

    def GetBatch(
        self, request: payouts_pb2.GetBatchRequest, context: grpc.ServicerContext
    ) -> payouts_pb2.GetBatchResponse:
        scope = caller(context).scope(_PAY)
        fields = Fields()
        batch_id = fields.request_id(request.batch_id, name="batch_id")
        fields.require_valid()
        with self._database.read() as connection:
            batch = _known(PayoutStore(connection, scope), batch_id)
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
            found = PayoutStore(connection, scope).batches()
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
            store = PayoutStore(connection, scope)
            batch = _known(store, batch_id)
            book = self._catalogue.plans(connection)
            lines = _lines(store, book, store.items(batch_id), batch.period)
        page = lines[first : first + size]
        more = len(lines) > first + size
        return payouts_pb2.ListBatchLinesResponse(
            lines=[from_line(each, self._currency) for each in page],
            next_page_token=encode_token((first + size,), query=request) if more else "",
        )

    def _create(
        self, connection: Connection, scope: Scope, batch_id: str, node_id: str, period: Period
    ) -> Batch:
        store = PayoutStore(connection, scope)
        batch = Batch(
            batch_id,
            node_id,
            period,
            scope.caller.id,
            self._clock.now(),
            people=0,
            lines=0,
            total=0,
            digest="",
        )
        people = store.begin_batch(batch)
        if people is None:
            raise FailedPrecondition("REQUEST_ID_REUSED", "Another batch has this id.")
        if not people:
            raise FailedPrecondition("NOTHING_TO_PAY", "Nothing there is approved, free and in no batch yet.")
        lines = _lines(store, self._catalogue.plans(connection), people, period)
        batch = replace(
            batch,
            people=len(people),
            lines=len(lines),
            total=sum(each.amount for each in lines),
            digest=batch_digest(lines),
        )
        store.end_batch(batch)
        return batch

    def _held(
        self,
        scope: Scope,
        request: payouts_pb2.HoldPayoutRequest | payouts_pb2.ReleasePayoutRequest,
        change: Callable[[PayoutStore, str, Period, str, datetime], bool],
        *,
        held: bool,
    ) -> Callable[[Connection], payouts_pb2.Payout]:
        """Checks a request to hold or release; the returned function carries it out."""
        fields = Fields()
        fields.request_id(request.request_id)
        person_id = fields.identifier("person_id", request.person_id)
        period = _period(fields, request)
        reason = fields.text("reason", request.reason, max_length=500)
        fields.require_valid()

        def carry_out(connection: Connection) -> payouts_pb2.Payout:
            store = PayoutStore(connection, scope)
            payout = _payout(store, person_id, period())
            if payout.state in {PayoutState.IN_BATCH, PayoutState.PAID}:
                raise FailedPrecondition(
                    "PAYOUT_IN_BATCH",
                    "The payout is in a batch for payroll.",
                    metadata={"batch_id": payout.batch_id},
                )
            if not change(store, person_id, period(), reason, self._clock.now()):
                raise FailedPrecondition(
                    "PAYOUT_HOLD",
                    "The payout is held back already." if held else "The payout is not held back.",
                    metadata={"held": str(held).lower()},
                )
            return from_payout(_payout(store, person_id, period()), self._currency)

        return carry_out

    def _once(self, scope: Scope, request: Any, response: type[R], produce: Callable[[Connection], R]) -> R:
        with self._database.begin() as connection:
            return answer_once(
                connection,
                caller=scope.caller.id,
                method=f"{_SERVICE}/{type(request).__name__.removesuffix('Request')}",
                request=request,
                response=response,
                produce=lambda: produce(connection),
            )


def _period(fields: Fields, request: _Asked) -> Callable[[], Period]:
    """The period a request names, once the request is valid."""
    kind = fields.one_of("period_kind", request.period_kind, _KINDS)
    day: date = fields.date("on", request.on)
    return lambda: period_of(PeriodKind(kind), day)


def _lines(store: PayoutStore, book: PlanBook, people: Sequence[str], period: Period) -> list[PayoutLine]:
    return [
        line
        for frozen, adjustments in store.contents(people, period)
        for line in lines_of(frozen, book.get(frozen.statement.plan_id), adjustments)
    ]


def _known(store: PayoutStore, batch_id: str) -> Batch:
    found = store.batch(batch_id)
    if found is None:
        raise NotFound("BATCH_UNKNOWN", "There is no such batch.")
    return found


def _payout(store: PayoutStore, person_id: str, period: Period) -> Payout:
    found = store.of_person(person_id, period)
    if found is None:
        raise NotFound("PAYOUT_UNKNOWN", "Nothing of that person is closed in that period.")
    return found


def _not_closed() -> FailedPrecondition:
    return FailedPrecondition("PERIOD_NOT_CLOSED", "Nothing of that period is closed there: close it first.")


def _require_second(scope: Scope, closers: set[str]) -> None:
    """As with plans (0414): the operator may be anybody, so a second of it would prove nothing."""
    who = scope.caller
    if who.id in closers and PLATFORM not in who.directory.granted_at(who.id, _APPROVE):
        raise FailedPrecondition(
            "SECOND_PERSON_NEEDED", "Whoever closed the period may not approve what is paid for it."
        )

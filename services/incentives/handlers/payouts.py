"""From closed periods to payroll."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime
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
from services.incentives.domain.payouts import (
    Batch,
    Payout,
    PayoutLine,
    PayoutState,
    line_of,
    lines_of,
    noteworthy,
)
from services.incentives.domain.periods import FURTHEST_AHEAD, Period, PeriodKind, period_of, today
from services.incentives.handlers.commands import once, require_second
from services.incentives.store.batches import BatchStore
from services.incentives.store.payouts import PayoutStore
from services.incentives.wire.payouts import from_batch, from_line, from_payout
from services.incentives.wire.values import from_money, to_money

R = TypeVar("R", bound=Message)

_READ: Final = "incentives.statements.read"
_APPROVE: Final = "incentives.payouts.approve"
_HOLD: Final = "incentives.payouts.hold"
_PAY: Final = "incentives.payouts.pay"
_KINDS: Final = frozenset(map(int, PeriodKind))
_ORDERS: Final = frozenset(payouts_pb2.ListPayoutsRequest.Order.values())
_MOST_PEOPLE: Final = 1000
_LONGEST_RULE: Final = 40


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
        fields.count("person_ids", len(request.person_ids), maximum=_MOST_PEOPLE, minimum=0)
        fields.one_of("order", request.order, _ORDERS)
        size = fields.page_size(request.page_size)
        if request.person_ids and request.order:
            fields.refuse("order", "not with person_ids")
        fields.require_valid()
        response = payouts_pb2.ListPayoutsResponse()
        with self._database.read() as connection:
            store = PayoutStore(connection, scope)
            if request.person_ids:
                found = store.of_people(node_id, period(), request.person_ids)
                response.payouts.extend(from_payout(each, self._currency) for each in found)
            elif request.order:
                self._noteworthy(response, request, store.every(node_id, period()), size)
            else:
                after = decode_token(request.page_token, query=request, shape=(str,))
                found = store.listed(node_id, period(), str(after[0]) if after else "", size + 1)
                if len(found) > size:
                    found.pop()
                    response.next_page_token = encode_token((found[-1].person_id,), query=request)
                response.payouts.extend(from_payout(each, self._currency) for each in found)
            tally = store.tally(node_id, period())
        response.waiting, response.held = tally.waiting, tally.held
        response.approved, response.batched = tally.approved, tally.batched
        response.held_lines = tally.held_lines
        response.approved_total.CopyFrom(from_money(tally.approved_due, self._currency))
        response.waiting_total.CopyFrom(from_money(tally.waiting_due, self._currency))
        return response

    def _noteworthy(
        self,
        response: payouts_pb2.ListPayoutsResponse,
        request: payouts_pb2.ListPayoutsRequest,
        found: Sequence[Payout],
        size: int,
    ) -> None:
        after = decode_token(request.page_token, query=request, shape=(int,))
        first = int(after[0] or 0) if after else 0
        ordered = noteworthy(found)
        for payout, told in ordered[first : first + size]:
            message = from_payout(payout, self._currency)
            message.notices.extend(payouts_pb2.Payout.Notice.ValueType(each) for each in told)
            response.payouts.append(message)
        if len(ordered) > first + size:
            response.next_page_token = encode_token((first + size,), query=request)

    def ApprovePayouts(
        self, request: payouts_pb2.ApprovePayoutsRequest, context: grpc.ServicerContext
    ) -> payouts_pb2.ApprovePayoutsResponse:
        scope = caller(context).scope(_APPROVE)
        fields = Fields()
        fields.request_id(request.request_id)
        node_id = fields.identifier("node_id", request.node_id)
        period = _period(fields, request)
        looked_at = self._looked_at(fields, request)
        fields.require_valid()

        def produce(connection: Connection) -> payouts_pb2.ApprovePayoutsResponse:
            store = PayoutStore(connection, scope)
            closers = store.closers(node_id, period())
            if not closers:
                raise _not_closed()
            require_second(scope, closers, "Whoever closed the period may not approve what is paid for it.")
            approved, total = store.approve(node_id, period(), self._clock.now())
            if looked_at is not None and looked_at != (approved, total):
                raise FailedPrecondition(
                    "PAYOUTS_CHANGED", "What waits to be approved is not what was looked at: look again."
                )
            return payouts_pb2.ApprovePayoutsResponse(
                approved=approved, total=from_money(total, self._currency)
            )

        return self._once(scope, "ApprovePayouts", request, payouts_pb2.ApprovePayoutsResponse, produce)

    def HoldPayout(
        self, request: payouts_pb2.HoldPayoutRequest, context: grpc.ServicerContext
    ) -> payouts_pb2.HoldPayoutResponse:
        scope = caller(context).scope(_HOLD)
        payout = self._held(scope, request, PayoutStore.hold, held=True)
        return self._once(
            scope,
            "HoldPayout",
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
            "ReleasePayout",
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

    def _held(
        self,
        scope: Scope,
        request: payouts_pb2.HoldPayoutRequest | payouts_pb2.ReleasePayoutRequest,
        change: Callable[[PayoutStore, str, Period, str, datetime, PayoutLine | None], bool],
        *,
        held: bool,
    ) -> Callable[[Connection], payouts_pb2.Payout]:
        """Checks a request to hold or release; the returned function carries it out."""
        fields = Fields()
        fields.request_id(request.request_id)
        person_id = fields.identifier("person_id", request.person_id)
        period = _period(fields, request)
        reason = fields.text("reason", request.reason, max_length=500)
        rule_id = fields.text("rule_id", request.rule_id, max_length=_LONGEST_RULE, required=False)
        fields.require_valid()

        def carry_out(connection: Connection) -> payouts_pb2.Payout:
            store = PayoutStore(connection, scope)
            payout = _payout(store, person_id, period())
            line = self._line(connection, store, payout, rule_id)
            # What its batch left out is released into a later one.
            if payout.state in {PayoutState.IN_BATCH, PayoutState.PAID} and (held or line is None):
                raise FailedPrecondition(
                    "PAYOUT_IN_BATCH",
                    "The payout is in a batch for payroll.",
                    metadata={"batch_id": payout.batch_id},
                )
            if not held:
                require_second(scope, [person_id], "Nobody releases a payout of their own.")
            if not change(store, person_id, period(), reason, self._clock.now(), line):
                raise FailedPrecondition(
                    "PAYOUT_HOLD",
                    "The payout is held back already." if held else "The payout is not held back.",
                    metadata={"held": str(held).lower()},
                )
            return from_payout(_payout(store, person_id, period()), self._currency)

        return carry_out

    def _line(
        self, connection: Connection, store: PayoutStore, payout: Payout, rule_id: str
    ) -> PayoutLine | None:
        """The line of a payout that is named; None where none is. NotFound LINE_UNKNOWN where it books nothing."""
        if not rule_id:
            return None
        ((frozen, adjustments),) = store.contents([payout.person_id], payout.period)
        plan = self._catalogue.plans(connection).get(frozen.statement.plan_id)
        found = line_of(lines_of(frozen, plan, adjustments), rule_id)
        if found is None:
            raise NotFound("LINE_UNKNOWN", "There is no such line in the payout of that period.")
        return found

    def _looked_at(
        self, fields: Fields, request: payouts_pb2.ApprovePayoutsRequest
    ) -> tuple[int, int] | None:
        """How many were looked at, and what they come to; None where the caller does not say."""
        if not request.HasField("waiting") and not request.HasField("waiting_total"):
            return None
        total = to_money(request.waiting_total)
        if total.minor is None or (total.minor and total.currency != self._currency):
            fields.refuse("waiting_total", f"must be whole hundredths of {self._currency}")
        return request.waiting, total.minor or 0

    def _once(
        self, scope: Scope, rpc: str, request: Message, response: type[R], produce: Callable[[Connection], R]
    ) -> R:
        return once(self._database, scope, f"PayoutsService/{rpc}", request, response, produce)


def _period(fields: Fields, request: _Asked) -> Callable[[], Period]:
    """The period a request names, once the request is valid."""
    kind = fields.one_of("period_kind", request.period_kind, _KINDS)
    day: date = fields.date("on", request.on)
    return lambda: period_of(PeriodKind(kind), day)


def _known(store: BatchStore, batch_id: str) -> Batch:
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

"""From closed periods to payroll."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

import grpc
from foothold.incentives.v1 import payouts_pb2
from sqlalchemy import Connection

from access import Scope, caller
from chassis.errors import FailedPrecondition, NotFound
from chassis.paging import decode_token, encode_token
from chassis.validation import Fields
from services.incentives.domain.payouts import (
    Payout,
    PayoutLine,
    line_of,
    lines_of,
    noteworthy,
)
from services.incentives.domain.periods import Period
from services.incentives.handlers.batches import not_closed, period_in
from services.incentives.handlers.commands import require_second
from services.incentives.handlers.payout_deals import DealsPart, deal_in
from services.incentives.holding import known, not_so, require_free
from services.incentives.store.payouts import PayoutStore
from services.incentives.wire.payouts import from_payout
from services.incentives.wire.values import from_money, to_money

_READ: Final = "incentives.statements.read"
_APPROVE: Final = "incentives.payouts.approve"
_HOLD: Final = "incentives.payouts.hold"
_ORDERS: Final = frozenset(payouts_pb2.ListPayoutsRequest.Order.values())
_MOST_PEOPLE: Final = 1000
_LONGEST_RULE: Final = 40


class PayoutsHandler(DealsPart):
    """The whole of it: what is due, approved and held back; batches and deals are parts of their own."""

    def ListPayouts(
        self, request: payouts_pb2.ListPayoutsRequest, context: grpc.ServicerContext
    ) -> payouts_pb2.ListPayoutsResponse:
        scope = caller(context).scope(_READ)
        fields = Fields()
        node_id = fields.identifier("node_id", request.node_id)
        period = period_in(fields, request)
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
        period = period_in(fields, request)
        looked_at = self._looked_at(fields, request)
        fields.require_valid()

        def produce(connection: Connection) -> payouts_pb2.ApprovePayoutsResponse:
            store = PayoutStore(connection, scope)
            closers = store.closers(node_id, period())
            if not closers:
                raise not_closed()
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
        period = period_in(fields, request)
        reason = fields.text("reason", request.reason, max_length=500)
        rule_id = fields.text("rule_id", request.rule_id, max_length=_LONGEST_RULE, required=False)
        deal = deal_in(fields, "deal", request.deal) if request.HasField("deal") else None
        if deal is not None and rule_id:
            fields.refuse("deal", "not with rule_id")
        fields.require_valid()

        def carry_out(connection: Connection) -> payouts_pb2.Payout:
            store = PayoutStore(connection, scope)
            if not held:
                known(store.seen_of(person_id, period()))
                require_second(scope, [person_id], "Nobody releases a payout of their own.")
            if deal is not None:
                change_deal = self._deals.hold if held else self._deals.release
                found = change_deal(connection, scope, person_id, period(), deal, reason)
                return from_payout(found, self._currency)
            payout = known(store.of_person(person_id, period()))
            line = self._line(connection, store, payout, rule_id)
            # What its batch left out is released into a later one.
            if held or (line is None and not payout.held_flags):
                require_free(payout)
            if not change(store, person_id, period(), reason, self._clock.now(), line):
                raise not_so(held=held)
            return from_payout(known(store.of_person(person_id, period())), self._currency)

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

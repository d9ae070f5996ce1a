"""The deals of a closed payout, and what would be kept for them."""

from typing import Final

import grpc
from foothold.incentives.v1 import payouts_pb2

from access import caller
from chassis.clock import Clock
from chassis.database import Database
from chassis.validation import Fields
from services.incentives.catalogue import Catalogue
from services.incentives.domain.closing import DealName
from services.incentives.handlers.batches import BatchesPart, period_in
from services.incentives.holding import DealHolder
from services.incentives.wire.closing import from_held
from services.incentives.wire.payouts import from_deal

_HOLD: Final = "incentives.payouts.hold"
_LONGEST_NAME: Final = 120


class DealsPart(BatchesPart):
    """The part of PayoutsService that is about deals, and about batches."""

    def __init__(
        self, database: Database, catalogue: Catalogue, deals: DealHolder, clock: Clock, currency: str
    ) -> None:
        super().__init__(database, catalogue, clock, currency)
        self._deals = deals

    def ListPayoutDeals(
        self, request: payouts_pb2.ListPayoutDealsRequest, context: grpc.ServicerContext
    ) -> payouts_pb2.ListPayoutDealsResponse:
        scope = caller(context).scope(_HOLD)
        fields = Fields()
        person_id = fields.identifier("person_id", request.person_id)
        period = period_in(fields, request)
        asked = request.looked_at
        looked_at = deal_in(fields, "looked_at", asked) if request.HasField("looked_at") else None
        fields.require_valid()
        with self._database.read() as connection:
            deals, held, kept = self._deals.listed(connection, scope, person_id, period(), looked_at)
        return payouts_pb2.ListPayoutDealsResponse(
            deals=[from_deal(each, self._currency, held=each.name in held) for each in deals],
            kept=[from_held(each, self._currency) for each in kept],
        )


def deal_in(fields: Fields, name: str, told: payouts_pb2.PayoutDeal) -> DealName:
    """The deal a request names in a field."""
    within = fields.within(name)
    within.text("source", told.source, max_length=_LONGEST_NAME)
    within.text("external_id", told.external_id, max_length=_LONGEST_NAME)
    return DealName(told.source, told.external_id)

"""Asks goals what hangs on deals, as everything stood when a period was closed (decision 0428)."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

import grpc
from foothold.goals.v1 import feed_pb2 as goals_pb2
from foothold.goals.v1 import feed_pb2_grpc as goals_pb2_grpc

from chassis.errors import NotFound, Unavailable, from_rpc_error
from services.incentives.domain.closing import Deal, DealName
from services.incentives.domain.periods import Period
from services.incentives.following import GOALS_KINDS, figures_of
from services.incentives.wire.values import from_date, to_money

_ANSWER_SECONDS: Final = 5.0
MOST_DEALS: Final = 50
"""So many goals leaves out at once."""
MOST_FLAGS: Final = 200
"""So many flags' facts it leaves out at once."""


class Answer(NamedTuple):
    """A person's deals, and their base figures with and without what was named."""

    deals: Sequence[Deal]
    figures: Mapping[str, int]
    without: Mapping[str, int]


class DealsOfGoals:
    """`channel` carries this component's token."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._stub = goals_pb2_grpc.FeedServiceStub(channel)

    def ask(
        self,
        person_id: str,
        period: Period,
        known_at: datetime,
        named: Sequence[DealName] = (),
        flags: Sequence[str] = (),
    ) -> Answer:
        """What goals tells; NotFound DEAL_UNKNOWN, FLAG_UNKNOWN, Unavailable GOALS_UNREACHABLE."""
        asked = goals_pb2.GetDealsRequest(
            period_kind=GOALS_KINDS[period.kind],
            on=from_date(period.first_day),
            person_id=person_id,
            leave_out=[goals_pb2.DealKey(**each._asdict()) for each in named],
            leave_out_flags=flags,
        )
        asked.known_at.FromDatetime(known_at)
        try:
            answer = self._stub.GetDeals(asked, timeout=_ANSWER_SECONDS)
        except grpc.RpcError as error:
            reason = from_rpc_error(error).reason
            if reason == "FLAG_UNKNOWN":
                raise NotFound(
                    "FLAG_UNKNOWN", "Goals does not know a flag that holds the payout back."
                ) from error
            if reason == "DEAL_UNKNOWN":
                raise NotFound(
                    "DEAL_UNKNOWN", "There is no such deal in the person's figures of that period as closed."
                ) from error
            raise Unavailable(
                "GOALS_UNREACHABLE",
                "Goals cannot be asked what hangs on the deal; nothing was changed. Send it again shortly, or hold the"
                " line or the whole payout meanwhile.",
            ) from error
        return Answer(
            [_deal(each) for each in answer.deals], figures_of(answer.values), figures_of(answer.without)
        )


def _deal(told: goals_pb2.PeriodDeal) -> Deal:
    return Deal(
        DealName(told.key.source, told.key.external_id),
        told.occurred_at.ToDatetime(UTC),
        to_money(told.amount).minor if told.HasField("amount") else None,
        to_money(told.deal_amount).minor if told.HasField("deal_amount") else None,
        told.product,
    )

"""Last month is closed in Guangzhou and handed to payroll; a deal told of too late is an adjustment this month."""

import time
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from typing import Any, Final
from zoneinfo import ZoneInfo

from foothold.goals.v1 import facts_pb2, facts_pb2_grpc
from foothold.incentives.v1 import (
    disputes_pb2,
    disputes_pb2_grpc,
    payouts_pb2,
    payouts_pb2_grpc,
    periods_pb2,
    periods_pb2_grpc,
)
from foothold.incentives.v1 import values_pb2 as incentives
from google.type.date_pb2 import Date
from google.type.money_pb2 import Money

from launcher.demo.acting import acting
from launcher.demo.stories import SOURCE
from launcher.exits import Stop
from launcher.reaching import Reached

_BRANCH: Final = "guangzhou"
_HR: Final = "liang.yue"
_LATE: Final = "GZ0101"
_HEADQUARTERS: Final = "gu.wenjing"
_DISPUTES: Final = "li.jiahui"
_HELD: Final = "xian-yijun"
_LINE_HELD: Final = "li-jiahui"
_LOOKED_AT: Final = "luo-minyi"
_SECONDS: Final = 30.0


def close_last_month(reached: Reached, anchor: date, zone: ZoneInfo) -> None:
    """To be called when incentives has heard of everything; then somebody enters a deal of that month.

    The month before is closed as well, so that there is something to compare with.
    """
    last = anchor.replace(day=1) - timedelta(days=1)
    with acting(reached, _HR) as own:
        periods = periods_pb2_grpc.PeriodsServiceStub(own.channel("incentives"))
        for day in (last.replace(day=1) - timedelta(days=1), last):
            periods.ClosePeriod(
                periods_pb2.ClosePeriodRequest(
                    request_id=f"demo-close-{_BRANCH}-{day:%Y-%m}",
                    node_id=_BRANCH,
                    period_kind=incentives.PERIOD_KIND_MONTH,
                    on=Date(year=day.year, month=day.month, day=day.day),
                )
            )
    _pay(reached, last)
    fact = facts_pb2.Fact(
        source=SOURCE,
        external_id=f"{_LATE}-late",
        kind=facts_pb2.FACT_KIND_DEAL_WON,
        employee_number=_LATE,
        customer="荔湾·补录的一单",
        amount=Money(currency_code="CNY", units=6_800),
    )
    fact.occurred_at.FromDatetime(datetime.combine(last, clock(15, 20), zone).astimezone(UTC))
    facts_pb2_grpc.FactsServiceStub(reached.channel("goals")).RecordFact(
        facts_pb2.RecordFactRequest(fact=fact)
    )


def _pay(reached: Reached, last: date) -> None:
    """One payout is held back, a line disputed and held back; headquarters approves, the branch makes a batch.

    Of somebody's payout a second look keeps a part, and the rest is paid with the others.
    """
    of: dict[str, Any] = {
        "period_kind": incentives.PERIOD_KIND_MONTH,
        "on": Date(year=last.year, month=last.month, day=last.day),
    }
    with acting(reached, _HR) as own:
        payouts_pb2_grpc.PayoutsServiceStub(own.channel("incentives")).HoldPayout(
            payouts_pb2.HoldPayoutRequest(
                request_id="demo-hold", person_id=_HELD, reason="两位客户疑似重复，核实后放行", **of
            )
        )
        _wait_for_the_part_kept(payouts_pb2_grpc.PayoutsServiceStub(own.channel("incentives")), of)
    with acting(reached, _HEADQUARTERS) as own:
        payouts_pb2_grpc.PayoutsServiceStub(own.channel("incentives")).ApprovePayouts(
            payouts_pb2.ApprovePayoutsRequest(request_id="demo-approve", node_id=_BRANCH, **of)
        )
    with acting(reached, _DISPUTES) as own:
        disputes_pb2_grpc.DisputesServiceStub(own.channel("incentives")).OpenDispute(
            disputes_pb2.OpenDisputeRequest(
                request_id="demo-dispute",
                rule_id="new-customers",
                on=of["on"],
                words="月底最后一天跟进的两位新客户好像没有算进去，请帮忙核对。",
            )
        )
    with acting(reached, _HR) as own:
        stub = payouts_pb2_grpc.PayoutsServiceStub(own.channel("incentives"))
        stub.HoldPayout(
            payouts_pb2.HoldPayoutRequest(
                request_id="demo-hold-line",
                person_id=_LINE_HELD,
                rule_id="new-customers",
                reason="这一行正在核对，其余先发",
                **of,
            )
        )
        stub.CreateBatch(
            payouts_pb2.CreateBatchRequest(request_id=f"{_BRANCH}-{last:%Y-%m}", node_id=_BRANCH, **of)
        )


def _wait_for_the_part_kept(stub: payouts_pb2_grpc.PayoutsServiceStub, of: dict[str, Any]) -> None:
    """A flag holds back a whole payout for a moment, until what rests on it is worked out."""
    until = time.monotonic() + _SECONDS
    asked = payouts_pb2.ListPayoutsRequest(node_id=_BRANCH, person_ids=[_LOOKED_AT], **of)
    while not any(each.held_flags for each in stub.ListPayouts(asked).payouts):
        if time.monotonic() > until:
            raise Stop("incentives did not work out in time what a flag keeps of a payout")
        time.sleep(0.1)

"""Last month is closed in Guangzhou; a deal told of too late is paid as an adjustment this month."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from foothold.goals.v1 import facts_pb2, facts_pb2_grpc
from foothold.incentives.v1 import periods_pb2, periods_pb2_grpc
from foothold.incentives.v1 import values_pb2 as incentives
from google.type.date_pb2 import Date
from google.type.money_pb2 import Money

from launcher.demo.acting import acting
from launcher.demo.stories import SOURCE
from launcher.reaching import Reached

_BRANCH: Final = "guangzhou"
_HR: Final = "liang.yue"
_LATE: Final = "GZ0101"


def close_last_month(reached: Reached, anchor: date, zone: ZoneInfo) -> None:
    """To be called when incentives has heard of everything; then somebody enters a deal of that month."""
    last = anchor.replace(day=1) - timedelta(days=1)
    with acting(reached, _HR) as own:
        periods_pb2_grpc.PeriodsServiceStub(own.channel("incentives")).ClosePeriod(
            periods_pb2.ClosePeriodRequest(
                request_id=f"demo-close-{_BRANCH}",
                node_id=_BRANCH,
                period_kind=incentives.PERIOD_KIND_MONTH,
                on=Date(year=last.year, month=last.month, day=last.day),
            )
        )
    fact = facts_pb2.Fact(
        source=SOURCE,
        external_id=f"{_LATE}-late",
        kind=facts_pb2.FACT_KIND_DEAL_WON,
        employee_number=_LATE,
        customer="荔湾·补录的一单",
        amount=Money(currency_code="CNY", units=6_800),
    )
    fact.occurred_at.FromDatetime(datetime.combine(last, time(15, 20), zone).astimezone(UTC))
    facts_pb2_grpc.FactsServiceStub(reached.channel("goals")).RecordFact(
        facts_pb2.RecordFactRequest(fact=fact)
    )

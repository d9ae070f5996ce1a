"""Two people in Guangzhou each followed up two customers with one phone number: one has said why, one has not yet."""

import time
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from typing import Final
from zoneinfo import ZoneInfo

from foothold.goals.v1 import facts_pb2, facts_pb2_grpc, fairness_pb2, fairness_pb2_grpc

from launcher.demo.acting import acting
from launcher.demo.stories import SOURCE
from launcher.exits import Stop
from launcher.reaching import Reached

_HR: Final = "liang.yue"
_WAITS: Final = ("GZ0106", "13800138106", ("番禺·小满面馆", "番禺·小满面馆（新店）"))
_EXPLAINED: Final = ("GZ0107", "13800138107", ("越秀·初见花艺", "海珠·初见花艺"))
_SPEAKER: Final = "cai.zhenhao"
_REPLY: Final = "两家店是夫妻俩开的，留的是同一个手机号。"
_ANSWER: Final = "看过两家店的合同，确实是两位客户。"
_SECONDS: Final = 30.0


def notice_something(reached: Reached, anchor: date, zone: ZoneInfo) -> int:
    """Tell the follow-ups, wait until goals has noticed, and have one of the two answered; how many were noticed."""
    day = anchor.replace(day=1) - timedelta(days=8)
    told = facts_pb2.RecordFactsRequest()
    for number, phone, customers in (_WAITS, _EXPLAINED):
        for place, customer in enumerate(customers):
            fact = told.facts.add(
                source=SOURCE,
                external_id=f"{number}-phone-{place}",
                kind=facts_pb2.FACT_KIND_FOLLOW_UP,
                employee_number=number,
                customer=customer,
                channel="visit",
                minutes=20,
                attributes={"customer_phone": phone},
            )
            fact.occurred_at.FromDatetime(
                datetime.combine(day, clock_time(10 + 4 * place, 20), zone).astimezone(UTC)
            )
    facts_pb2_grpc.FactsServiceStub(reached.channel("goals")).RecordFacts(told)
    noticed = _noticed(reached, 2)
    with acting(reached, _SPEAKER) as own:
        stub = fairness_pb2_grpc.FairnessServiceStub(own.channel("goals"))
        (mine,) = stub.ListFlags(fairness_pb2.ListFlagsRequest()).flags
        stub.ReplyToFlag(
            fairness_pb2.ReplyToFlagRequest(request_id="demo-flag-reply", flag_id=mine.id, reply=_REPLY)
        )
    with acting(reached, _HR) as own:
        fairness_pb2_grpc.FairnessServiceStub(own.channel("goals")).AnswerFlag(
            fairness_pb2.AnswerFlagRequest(
                request_id="demo-flag-answer",
                flag_id=mine.id,
                outcome=fairness_pb2.FLAG_STATE_DISMISSED,
                reason=_ANSWER,
            )
        )
    return noticed


def _noticed(reached: Reached, many: int) -> int:
    """How many flags there are, once there are so many."""
    stub = fairness_pb2_grpc.FairnessServiceStub(reached.channel("goals"))
    until = time.monotonic() + _SECONDS
    asked = fairness_pb2.ListFlagsRequest(kinds=[fairness_pb2.FAIRNESS_KIND_DUPLICATE_CUSTOMERS])
    while (found := stub.ListFlags(asked).total_size) < many:
        if time.monotonic() > until:
            raise Stop("goals did not look at the demo's facts in time")
        time.sleep(0.1)
    return found

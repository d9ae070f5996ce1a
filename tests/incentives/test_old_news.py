"""Incentives' feed when it has grown old: the newest statement of every period, and every plan."""

import grpc
import pytest
from foothold.incentives.v1 import feed_pb2

from chassis.errors import from_rpc_error
from tests.ageing import grow_old
from tests.incentives.company import TODAY, Company
from tests.incentives.plans import S07, in_yuan, plan


def test_old_news_is_the_newest_statement_of_every_period_and_every_plan(company: Company) -> None:
    hr = company.as_("hr")
    hr.create(plan(*S07))
    hr.create(plan(*S07, job_role="other"))
    for number in range(1, 9):
        company.figures("li", None, customers_followed=number, new_customers=number)
        company.figures("li", TODAY.replace(month=2), new_customers=20 + number)
        company.settle()
    grow_old(company.database, company.server)
    feed = company.as_component("gateway").feed
    page = feed.ListEvents(feed_pb2.ListEventsRequest(page_size=1_000, compacted=True))
    assert len([event for event in page.events if event.HasField("plan_created")]) == 2
    told = [event.statement_changed for event in page.events if event.HasField("statement_changed")]
    newest = {each.period.first_day.month: in_yuan(each.total) for each in told if each.person_id == "li"}
    assert newest == {2: "1400.00", 3: "400.00"}
    assert len(told) <= 3
    with pytest.raises(grpc.RpcError) as refused:
        feed.ListEvents(feed_pb2.ListEventsRequest())
    failure = from_rpc_error(refused.value)
    assert failure.reason == "FEED_POSITION_EXPIRED"
    assert failure.code is grpc.StatusCode.OUT_OF_RANGE
    again = feed_pb2.ListEventsRequest(after_position=int(failure.metadata["floor"]))
    positions = [event.position for event in feed.ListEvents(again).events]
    assert positions == list(range(page.compacted_position + 1, page.head_position + 1))

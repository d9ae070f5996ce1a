"""Metrics grouped by person, department, branch and month."""

from datetime import UTC, date, datetime

import grpc
import pytest
from foothold.goals.v1 import metrics_pb2

from chassis.errors import from_rpc_error
from tests.goals.enterprise import Enterprise, day, fact, yuan

BY = metrics_pb2.GroupBy


def query(goals: Enterprise, metric: str, by: str, **fields: object) -> metrics_pb2.QueryMetricResponse:
    request = metrics_pb2.QueryMetricRequest(metric=metric, group_by=BY.Value(f"GROUP_BY_{by}"), **fields)  # type: ignore[arg-type]  # whatever fields it has
    return goals.as_("hr").metrics.QueryMetric(request)


def values(answer: metrics_pb2.QueryMetricResponse) -> dict[str, tuple[int, int]]:
    return {row.key: (row.value.numerator, row.value.denominator) for row in answer.rows}


@pytest.fixture
def told(goals: Enterprise) -> Enterprise:
    january, march = datetime(2025, 1, 10, tzinfo=UTC), datetime(2025, 3, 10, tzinfo=UTC)
    goals.as_("crm").record(
        fact("FOLLOW_UP", "li", customer="a", at=january),
        fact("FOLLOW_UP", "li", customer="a", at=march),
        fact("FOLLOW_UP", "wang", customer="a", at=march),
        fact("FOLLOW_UP", "chen", customer="b", at=march),
        fact("FOLLOW_UP", "zhao", customer="b", at=march),
        fact("DEAL_WON", "zhao", amount=yuan(10), at=march),
        fact("DEAL_WON", "li", amount=yuan(20), at=march),
        fact("ORDER", "li", amount=yuan(5), at=january),
    )
    return goals


def test_by_person(told: Enterprise) -> None:
    answer = query(told, "close_rate", "PERSON")
    assert values(answer) == {"chen": (0, 1), "li": (1, 1), "wang": (0, 1), "zhao": (1, 1)}
    assert (answer.total.numerator, answer.total.denominator) == (2, 4)
    assert answer.rows[1].employee_number == "E-li"


def test_by_department_and_branch(told: Enterprise) -> None:
    assert values(query(told, "customers_followed", "DEPARTMENT")) == {
        "beijing-sales": (1, 1),
        "shanghai-key": (1, 1),
        "shanghai-sales": (2, 1),
    }
    branches = query(told, "average_order_value", "BRANCH")
    assert values(branches) == {"beijing": (1000, 1), "shanghai": (2500, 2)}
    assert branches.total.numerator == 3500
    assert branches.total.currency == "CNY"


def test_by_month_and_the_total_counts_a_customer_once(told: Enterprise) -> None:
    answer = query(told, "customers_followed", "MONTH")
    assert values(answer) == {"2025-01": (1, 1), "2025-03": (4, 1)}
    assert answer.total.numerator == 4
    assert values(query(told, "new_customers", "MONTH")) == {"2025-01": (1, 1), "2025-03": (3, 1)}


def test_within_days_and_in_pages(told: Enterprise) -> None:
    february = {"from": day(date(2025, 2, 1)), "to": day(date(2025, 3, 11))}
    assert values(query(told, "revenue", "PERSON", **february))["li"] == (2000, 1)
    first = query(told, "revenue", "PERSON", page_size=2)
    second = query(told, "revenue", "PERSON", page_size=2, page_token=first.next_page_token)
    assert [row.key for page in (first, second) for row in page.rows] == ["chen", "li", "wang", "zhao"]
    assert not second.next_page_token


def test_what_is_not_a_metric(told: Enterprise) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        query(told, "happiness", "PERSON")
    failure = from_rpc_error(refused.value)
    assert failure.reason == "METRIC_UNKNOWN"
    assert "close_rate" in failure.metadata["metrics"]


def test_definitions_are_data(goals: Enterprise) -> None:
    listed = goals.as_("li").metrics.ListMetrics(metrics_pb2.ListMetricsRequest()).metrics
    names = [each.name for each in listed]
    assert names[:5] == ["customers_followed", "new_customers", "deals_won", "deals_lost", "close_rate"]
    close_rate = listed[4]
    assert (close_rate.numerator, list(close_rate.denominators)) == ("deals_won", ["customers_followed"])
    assert all(each.description.endswith(".") for each in listed)

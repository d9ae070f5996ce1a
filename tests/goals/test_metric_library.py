"""Metrics as versioned data: S02, versions by effective day, what is refused, previews."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import grpc
import pytest
from foothold.goals.v1 import metric_library_pb2, metrics_pb2, progress_pb2

from chassis.errors import Failure, from_rpc_error
from tests.goals.enterprise import Enterprise, count, day, fact, fresh, instant, rate, yuan
from tests.goals.library import CONDITIONS, NOVELTY, STATE, define, definition, newest, request, wait_for

STATUS = progress_pb2.ProgressStatus
MARCH = datetime(2025, 3, 3, 2, 0, tzinfo=UTC)
FEBRUARY = MARCH - timedelta(days=28)
ONLINE = ("online", "douyin")


def refused(goals: Enterprise, told: metrics_pb2.MetricDefinition, **fields: Any) -> Failure:
    with pytest.raises(grpc.RpcError) as error:
        goals.as_("hr").library.DefineMetric(request(told, **fields))
    return from_rpc_error(error.value)


def online(name: str = "online_new_customers") -> metrics_pb2.MetricDefinition:
    return definition(
        name,
        "DISTINCT_CUSTOMERS",
        "FOLLOW_UP",
        conditions=CONDITIONS(channels=ONLINE, customers=NOVELTY.NOVELTY_NEW),
    )


def test_s02_new_customers_from_online_channels_close_rate_and_repurchase_rate(goals: Enterprise) -> None:
    hr, crm = goals.as_("hr"), goals.as_("crm")
    define(goals, online())
    hr.set_target("online_new_customers", count(20))
    hr.set_target("close_rate", rate(8, 100))
    hr.set_target("repurchase_rate", rate(5, 100))
    follow_ups = [
        fact("FOLLOW_UP", customer=f"n{n}", channel=ONLINE[n % 2], at=MARCH + timedelta(minutes=n))
        for n in range(19)
    ]
    crm.record(*follow_ups)
    # Offline customers are new but do not count; a repeat customer came online but is not new.
    crm.record(*(fact("FOLLOW_UP", customer=f"off{n}", channel="store", at=MARCH) for n in range(5)))
    crm.record(fact("FOLLOW_UP", customer="known", channel="store", at=FEBRUARY))
    crm.record(fact("FOLLOW_UP", customer="known", channel="online", at=MARCH))
    li = goals.as_("li")
    assert li.target_progress("online_new_customers").done.numerator == 19
    assert li.target_progress("online_new_customers").remaining.numerator == 1
    crm.record(fact("FOLLOW_UP", customer="n19", channel="online", at=MARCH))
    met = li.target_progress("online_new_customers")
    assert (met.done.numerator, met.status) == (20, STATUS.PROGRESS_STATUS_AT_THRESHOLD)

    # 2 deals of 26 customers followed are under 8 %; of 25 they meet it.
    wins = [fact("DEAL_WON", customer=f"n{n}", amount=yuan(100), at=MARCH) for n in range(2)]
    crm.record(*wins)
    assert li.value("close_rate") == (2, 26)
    assert li.target_progress("close_rate").status == STATUS.PROGRESS_STATUS_BEHIND
    crm.record(
        fact(
            "FOLLOW_UP",
            external_id=follow_ups[0].external_id,
            version=1,
            customer="n1",
            channel="online",
            at=MARCH,
        )
    )
    assert li.value("close_rate") == (2, 25)
    assert li.target_progress("close_rate").status == STATUS.PROGRESS_STATUS_AT_THRESHOLD

    # 20 customers bought in March, one of them for the second time.
    crm.record(*(fact("ORDER", customer=f"n{n}", amount=yuan(50), at=MARCH) for n in range(2, 20)))
    assert li.value("repurchase_rate") == (0, 20)
    crm.record(fact("ORDER", customer="n0", amount=yuan(50), at=MARCH + timedelta(days=1)))
    assert li.value("repurchase_rate") == (1, 20)
    assert li.target_progress("repurchase_rate").status == STATUS.PROGRESS_STATUS_AT_THRESHOLD
    assert goals.as_("operator").check().values_differing == 0


def test_who_bought_before_the_period_buys_again_in_it(goals: Enterprise) -> None:
    crm = goals.as_("crm")
    crm.record(fact("ORDER", customer="a", amount=yuan(1), at=FEBRUARY, external_id="first"))
    crm.record(fact("ORDER", customer="a", amount=yuan(1), at=MARCH))
    crm.record(fact("ORDER", customer="b", amount=yuan(1), at=MARCH))
    assert goals.as_("li").value("repurchase_rate") == (1, 2)
    crm.record(fact("DEAL_REVERSED", reverses="first", at=MARCH))
    assert goals.as_("li").value("repurchase_rate") == (0, 2)


def test_a_change_holds_from_its_day_and_the_past_keeps_its_version(goals: Enterprise) -> None:
    crm, li = goals.as_("crm"), goals.as_("li")
    for at in (FEBRUARY, MARCH):
        crm.record(*(fact("ORDER", amount=yuan(amount), at=at) for amount in (50, 150, 250)))
    large = definition("large_orders", "COUNT", "ORDER", conditions=CONDITIONS(least_amount=10_000))
    define(goals, large)
    assert li.value("large_orders") == (2, 1)
    larger = definition("large_orders", "COUNT", "ORDER", conditions=CONDITIONS(least_amount=20_000))
    define(goals, larger, first=date(2025, 3, 1), replaces=1)
    assert li.value("large_orders") == (1, 1)
    february = li.value("large_orders", as_of=instant(datetime(2025, 2, 20, tzinfo=UTC)))
    assert february == (2, 1)
    kept = goals.as_("hr").library.ListMetricVersions(
        metric_library_pb2.ListMetricVersionsRequest(metric="large_orders")
    )
    assert [(each.version, each.definition.conditions.least_amount) for each in kept.versions] == [
        (2, 20_000),
        (1, 10_000),
    ]


def test_explained_by_the_facts_that_meet_the_conditions(goals: Enterprise) -> None:
    define(goals, definition("wechat", "COUNT", "FOLLOW_UP", conditions=CONDITIONS(channels=["wechat"])))
    goals.as_("crm").record(
        fact("FOLLOW_UP", customer="a", channel="wechat", external_id="counts"),
        fact("FOLLOW_UP", customer="b", channel="phone"),
    )
    why = goals.as_("li").explain("wechat")
    assert [each.fact_id for each in why.facts] == ["crm/0/counts"]
    assert (why.value.numerator, why.total_facts) == (1, 1)
    assert list(why.definition.conditions.channels) == ["wechat"]


def test_means_and_ratios_of_ones_own(goals: Enterprise) -> None:
    goals.as_("crm").record(
        fact("ORDER", customer="a", product="pos", amount=yuan(10)),
        fact("ORDER", customer="b", product="pos", amount=yuan(15)),
        fact("ORDER", customer="c", product="loan", amount=yuan(99)),
        fact("MEETING", customer="a", attributes={"room": "big"}),
        fact("MEETING", customer="b", attributes={"room": "small"}),
    )
    define(
        goals,
        definition(
            "pos_order", "MEAN_AMOUNT", "ORDER", unit="MONEY", conditions=CONDITIONS(products=["pos"])
        ),
    )
    attribute = metrics_pb2.MetricDefinition.AttributeCondition(name="room", values=["big", "huge"])
    define(
        goals, definition("big_meetings", "COUNT", "MEETING", conditions=CONDITIONS(attributes=[attribute]))
    )
    define(
        goals,
        definition(
            "big_share", "RATIO", unit="RATE", numerator="big_meetings", denominators=["meetings_attended"]
        ),
    )
    li = goals.as_("li")
    assert li.value("pos_order") == (2_500, 2)
    assert li.value("big_share") == (1, 2)
    assert goals.as_("manager").value("pos_order", "wang") == (0, 0)


def test_a_preview_says_what_would_be_measured_and_stores_nothing(goals: Enterprise) -> None:
    goals.as_("crm").record(
        fact("FOLLOW_UP", "li", customer="a", channel="online", at=MARCH),
        fact("FOLLOW_UP", "li", customer="b", channel="store", at=MARCH),
        fact("FOLLOW_UP", "zhao", customer="c", channel="online", at=FEBRUARY),
    )
    before = goals.rows()
    asked = metric_library_pb2.PreviewMetricRequest(
        definition=online(),
        to=day(date(2025, 4, 1)),
        group_by=metrics_pb2.GROUP_BY_PERSON,
        **{"from": day(date(2025, 2, 1))},  # a keyword of Python
    )
    answer = goals.as_("hr").library.PreviewMetric(asked)
    assert {row.key: row.value.numerator for row in answer.rows} == {"li": 1, "zhao": 1}
    assert (answer.total.numerator, answer.facts, answer.facts_of_kind) == (2, 2, 3)
    asked.group_by = metrics_pb2.GROUP_BY_MONTH
    monthly = goals.as_("hr").library.PreviewMetric(asked)
    assert {row.key: row.value.numerator for row in monthly.rows} == {"2025-02": 1, "2025-03": 1}
    assert goals.rows() == before


@pytest.mark.parametrize(
    ("told", "field"),
    [
        (definition("Bad", "COUNT", "ORDER"), "definition.name"),
        (definition("a", "COUNT"), "definition.fact_kinds"),
        (definition("a", "COUNT", "DEAL_REVERSED"), "definition.fact_kinds"),
        (definition("a", "COUNT", "ORDER", unit="MONEY"), "definition.unit"),
        (definition("a", "COUNT", "ORDER", rolling_days=367), "definition.rolling_days"),
        (definition("a", "COUNT", "ORDER", description=" "), "definition.description"),
        (definition("a", "COUNT", "ORDER", description="one\x00two"), "definition.description"),
        (
            definition("a", "COUNT", "ORDER", conditions=CONDITIONS(least_amount=5, most_amount=4)),
            "definition.conditions.most_amount",
        ),
        (
            definition("a", "RATIO", unit="RATE", numerator="close_rate", denominators=["deals_won"]),
            "definition.numerator",
        ),
        (
            definition("a", "RATIO", unit="RATE", numerator="revenue", denominators=["deals_won"]),
            "definition.unit",
        ),
        (definition("a", "RATIO", unit="RATE", numerator="deals_won"), "definition.denominators"),
    ],
)
def test_what_is_unsound_is_refused_by_field(
    goals: Enterprise, told: metrics_pb2.MetricDefinition, field: str
) -> None:
    failure = refused(goals, told)
    assert failure.reason == "FIELD_INVALID"
    assert field in failure.fields


def test_built_in_metrics_and_stale_changes_are_refused(goals: Enterprise) -> None:
    assert refused(goals, definition("close_rate", "COUNT", "ORDER")).reason == "METRIC_BUILT_IN"
    define(goals, definition("calls", "COUNT", "FOLLOW_UP"))
    stale = refused(goals, definition("calls", "COUNT", "EMAIL"))
    assert (stale.reason, stale.metadata["version"]) == ("METRIC_CHANGED", "1")


def test_a_part_of_a_ratio_stays_what_the_ratio_counts_on(goals: Enterprise) -> None:
    define(goals, definition("spent", "SUM_AMOUNT", "ORDER", unit="MONEY"))
    define(
        goals, definition("spent_each", "RATIO", unit="MONEY", numerator="spent", denominators=["deals_won"])
    )
    other_unit = refused(goals, definition("spent", "COUNT", "ORDER"), replaces=1)
    assert (
        other_unit.fields["definition.unit"]
        == "a metric stays what it is counted in, MONEY: define another one"
    )
    mean = refused(goals, definition("spent", "MEAN_AMOUNT", "ORDER", unit="MONEY"), replaces=1)
    assert mean.fields["definition.aggregation"] == "is a part of spent_each, and parts are no ratios"
    of_itself = definition("spent", "RATIO", unit="MONEY", numerator="spent", denominators=["deals_won"])
    assert "definition.numerator" in refused(goals, of_itself, replaces=1).fields
    define(goals, definition("spent", "SUM_AMOUNT", "DEAL_WON", unit="MONEY"), replaces=1)


def test_a_retired_metric_is_out_of_use_and_its_past_stays(goals: Enterprise) -> None:
    hr = goals.as_("hr")
    define(goals, definition("calls", "COUNT", "FOLLOW_UP", conditions=CONDITIONS(channels=["phone"])))
    define(
        goals, definition("call_rate", "RATIO", unit="RATE", numerator="calls", denominators=["deals_won"])
    )
    goals.as_("crm").record(fact("FOLLOW_UP", customer="a", channel="phone"))
    asked = metric_library_pb2.RetireMetricRequest(request_id=fresh("r"), metric="calls", reason="too coarse")
    with pytest.raises(grpc.RpcError) as error:
        hr.library.RetireMetric(asked)
    assert from_rpc_error(error.value).metadata["metric"] == "call_rate"
    hr.library.RetireMetric(
        metric_library_pb2.RetireMetricRequest(request_id=fresh("r"), metric="call_rate", reason="unused")
    )
    retired = hr.library.RetireMetric(
        metric_library_pb2.RetireMetricRequest(request_id=fresh("r"), metric="calls", reason="too coarse")
    )
    assert retired.version.state == STATE.STATE_RETIRED
    listed = hr.metrics.ListMetrics(metrics_pb2.ListMetricsRequest()).metrics
    assert "calls" not in {each.name for each in listed}
    with pytest.raises(grpc.RpcError):
        hr.set_target("calls", count(5))
    assert goals.as_("li").value("calls") == (1, 1)
    assert newest(hr, "calls").reason == "too coarse"


def test_the_same_request_twice_is_one_version(goals: Enterprise) -> None:
    hr = goals.as_("hr")
    asked = request(definition("calls", "COUNT", "FOLLOW_UP", conditions=CONDITIONS(channels=["phone"])))
    first = hr.library.DefineMetric(asked)
    assert hr.library.DefineMetric(asked) == first
    assert wait_for(hr, "calls").version == 1

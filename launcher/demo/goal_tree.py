"""The demo's goal tree, from the company's year to newcomers' months, and an objective with three key results."""

import time
from datetime import date
from typing import Final

from foothold.goals.v1 import (
    allocation_pb2,
    allocation_pb2_grpc,
    cascade_pb2,
    cascade_pb2_grpc,
    facts_pb2,
    metric_library_pb2,
    metric_library_pb2_grpc,
    metrics_pb2,
    objectives_pb2,
    objectives_pb2_grpc,
    values_pb2,
)
from google.type.date_pb2 import Date

from launcher.demo.acting import acting
from launcher.demo.enterprise import enterprise
from launcher.exits import Stop
from launcher.reaching import Reached

_HEADQUARTERS: Final = "gu.wenjing"
_DEPARTMENT: Final = "shanghai-sales-1"
_MANAGER: Final = "tang.wei"
_OBJECTIVE_OF: Final = "zhou-yutong"
_ONLINE: Final = "online_new_customers"
_SECONDS: Final = 60


def set_goals(reached: Reached, anchor: date) -> None:
    """Set the goals of the anchor day's year, each by who would have. Stop where the demo's metric is not computed."""
    with acting(reached, _HEADQUARTERS) as own:
        company = _set(own, enterprise().id, _fen(100_000_000_00), anchor, "年度经营计划")
        department = _set(
            own, _DEPARTMENT, _fen(50_000_000_00), anchor, "上海市场最大，承担全公司一半", company.id
        )
        _assign(own, department.id, "revenue", _fen(50_000_00), anchor)
        _assign(own, department.id, "close_rate", _rate(10), anchor)
        _define_online(own, anchor)
    with acting(reached, _MANAGER) as own:
        _set_objective(own, anchor)


def _set(
    own: Reached, node: str, value: values_pb2.Value, anchor: date, reason: str, parent: str = ""
) -> cascade_pb2.Goal:
    goal = cascade_pb2.Goal(
        parent_id=parent,
        node_id=node,
        metric="revenue",
        period_kind=values_pb2.PERIOD_KIND_YEAR,
        first_day=Date(year=anchor.year, month=1, day=1),
        value=value,
        reason=reason,
    )
    request = cascade_pb2.SetGoalRequest(request_id=f"demo-goal-{node}", goal=goal)
    return cascade_pb2_grpc.CascadeServiceStub(own.channel("goals")).SetGoal(request).goal


def _assign(own: Reached, parent: str, metric: str, value: values_pb2.Value, anchor: date) -> None:
    """Ask the same of every newcomer of the department, each month from now to the end of the year."""
    request = allocation_pb2.AssignGoalRequest(
        request_id=f"demo-assign-{metric.replace('_', '-')}",
        parent_id=parent,
        metric=metric,
        value=value,
        period_kind=values_pb2.PERIOD_KIND_MONTH,
        first_day=Date(year=anchor.year, month=anchor.month, day=1),
        periods=13 - anchor.month,
        person_ids=[each.id for each in enterprise().newcomers if each.unit == _DEPARTMENT],
        reason="试用期统一要求",
    )
    allocation_pb2_grpc.AllocationServiceStub(own.channel("goals")).AssignGoal(request)


def _define_online(own: Reached, anchor: date) -> None:
    """New customers who came online; usable once the library has computed it."""
    definition = metrics_pb2.MetricDefinition
    library = metric_library_pb2_grpc.MetricLibraryServiceStub(own.channel("goals"))
    library.DefineMetric(
        metric_library_pb2.DefineMetricRequest(
            request_id="demo-online-new-customers",
            definition=definition(
                name=_ONLINE,
                unit=values_pb2.UNIT_COUNT,
                aggregation=definition.AGGREGATION_DISTINCT_CUSTOMERS,
                fact_kinds=[facts_pb2.FACT_KIND_FOLLOW_UP],
                direction=definition.DIRECTION_AT_LEAST,
                conditions=definition.Conditions(
                    channels=["online", "douyin", "wechat"], customers=definition.NOVELTY_NEW
                ),
                titles={"zh-CN": "线上新客户", "en": "New customers online"},
                description="本期首次跟进、来自线上、抖音或微信的客户。",
            ),
            effective_from=Date(year=anchor.year - 1, month=1, day=1),
            reason="线上渠道单独看",
        )
    )
    until = time.monotonic() + _SECONDS
    asked = metric_library_pb2.ListMetricVersionsRequest(metric=_ONLINE)
    serving = metric_library_pb2.MetricVersion.STATE_SERVING
    while library.ListMetricVersions(asked).versions[0].state != serving:
        if time.monotonic() > until:
            raise Stop("the demo's metric is still being computed; try again")
        time.sleep(0.05)


def _set_objective(own: Reached, anchor: date) -> None:
    """Twenty new customers online a month, a close rate of 8 %, a repurchase rate of 5 %."""
    objective = objectives_pb2.Objective(
        node_id=_OBJECTIVE_OF,
        title="线上做出第一批自己的客户",
        period_kind=values_pb2.PERIOD_KIND_QUARTER,
        first_day=Date(year=anchor.year, month=(anchor.month - 1) // 3 * 3 + 1, day=1),
        key_results=[
            _key_result(
                40, _ONLINE, values_pb2.Value(unit=values_pb2.UNIT_COUNT, numerator=20, denominator=1)
            ),
            _key_result(40, "close_rate", _rate(8)),
            _key_result(20, "repurchase_rate", _rate(5)),
        ],
        reason="转正前把线上渠道跑通",
    )
    request = objectives_pb2.SetObjectiveRequest(request_id="demo-objective", objective=objective)
    objectives_pb2_grpc.ObjectivesServiceStub(own.channel("goals")).SetObjective(request)


def _key_result(weight: int, metric: str, value: values_pb2.Value) -> objectives_pb2.KeyResult:
    return objectives_pb2.KeyResult(
        weight=_rate(weight), metric=metric, period_kind=values_pb2.PERIOD_KIND_MONTH, value=value
    )


def _fen(amount: int) -> values_pb2.Value:
    return values_pb2.Value(unit=values_pb2.UNIT_MONEY, numerator=amount, denominator=1, currency="CNY")


def _rate(percent: int) -> values_pb2.Value:
    return values_pb2.Value(unit=values_pb2.UNIT_RATE, numerator=percent, denominator=100)

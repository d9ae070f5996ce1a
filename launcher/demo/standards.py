"""The demo's targets and incentive plans: national ones, and what branches set for themselves."""

from datetime import date, timedelta
from typing import Final

from foothold.goals.v1 import targets_pb2, targets_pb2_grpc
from foothold.goals.v1 import values_pb2 as goals
from foothold.incentives.v1 import plans_pb2, plans_pb2_grpc
from foothold.incentives.v1 import values_pb2 as incentives
from google.type.date_pb2 import Date
from google.type.money_pb2 import Money

from launcher.demo.enterprise import enterprise
from launcher.reaching import Reached

_JOB: Final = "sales"
_MONTH: Final = goals.PERIOD_KIND_MONTH

_Target = tuple[str, str, "goals.PeriodKind.ValueType", goals.Value, str]


def set_standards(reached: Reached, anchor: date) -> None:
    """Set them from a first of the month before the story begins."""
    since = _first_of_month(anchor - timedelta(days=120))
    targets = targets_pb2_grpc.TargetsServiceStub(reached.channel("goals"))
    for node, metric, period, value, reason in _targets():
        target = targets_pb2.Target(
            node_id=node,
            job_role=_JOB,
            metric=metric,
            period_kind=period,
            value=value,
            effective_from=since,
            reason=reason,
        )
        request = targets_pb2.SetTargetRequest(request_id=f"demo-{node}-{metric}", target=target)
        targets.SetTarget(request)
    plans = plans_pb2_grpc.PlansServiceStub(reached.channel("incentives"))
    for plan in _plans(since):
        plans.CreatePlan(plans_pb2.CreatePlanRequest(request_id=f"demo-{plan.id}", plan=plan))


def _targets() -> list[_Target]:
    root = enterprise().id
    return [
        (root, "customers_followed", _MONTH, _count(20), ""),
        (root, "close_rate", _MONTH, _rate(10), ""),
        (root, "revenue", _MONTH, _fen(20_000_00), ""),
        (
            root,
            "followup_minutes",
            _MONTH,
            goals.Value(unit=goals.UNIT_MINUTES, numerator=600, denominator=1),
            "",
        ),
        ("shanghai", "customers_followed", _MONTH, _count(30), "门店密集，路上时间少，跟进目标高于全国"),
        ("guangzhou", "close_rate", _MONTH, _rate(15), "广州以转介绍客户为主，成单率要求高于全国"),
    ]


def _plans(since: Date) -> list[plans_pb2.Plan]:
    root = enterprise().id
    national = plans_pb2.Plan(
        id="newcomer-sales",
        node_id=root,
        job_role=_JOB,
        name="新人跟进与成单奖励",
        period_kind=incentives.PERIOD_KIND_MONTH,
        effective_from=since,
        rules=[
            plans_pb2.Rule(
                id="new-customers",
                label="跟进新客户",
                per_unit=plans_pb2.PerUnit(metric="new_customers", amount=_yuan(50)),
            ),
            plans_pb2.Rule(
                id="close-rate-points",
                label="成单率超过 10 % 的部分",
                per_point=plans_pb2.PerPoint(
                    metric="close_rate",
                    threshold=_share(10),
                    amount=_yuan(50),
                    mode=plans_pb2.PerPoint.MODE_WHOLE_POINTS,
                ),
            ),
            plans_pb2.Rule(
                id="close-rate-bonus",
                label="成单率达到 15 %",
                threshold_bonus=plans_pb2.ThresholdBonus(
                    metric="close_rate", threshold=_share(15), amount=_yuan(200)
                ),
            ),
        ],
    )
    pilot = plans_pb2.Plan(
        id="newcomer-sales-shenzhen",
        node_id="shenzhen",
        job_role=_JOB,
        name="深圳试点：按比例计奖",
        period_kind=incentives.PERIOD_KIND_MONTH,
        effective_from=since,
        reason="试点：成单率按比例计奖，签约额分三档",
        rules=[
            plans_pb2.Rule(
                id="new-customers",
                label="跟进新客户",
                per_unit=plans_pb2.PerUnit(metric="new_customers", amount=_yuan(40)),
            ),
            plans_pb2.Rule(
                id="close-rate-points",
                label="成单率超过 10 % 的部分（按比例）",
                per_point=plans_pb2.PerPoint(
                    metric="close_rate",
                    threshold=_share(10),
                    amount=_yuan(60),
                    mode=plans_pb2.PerPoint.MODE_PRO_RATA,
                ),
            ),
            plans_pb2.Rule(id="revenue-tier", label="签约额阶梯", tiers=_tiers()),
        ],
    )
    return [national, pilot]


def _tiers() -> plans_pb2.Tiers:
    steps = ((0, 15_000_00, 0), (15_000_00, 30_000_00, 200), (30_000_00, None, 500))
    tiers = []
    for low, high, amount in steps:
        tier = plans_pb2.Tier(low=_money(low), amount=_yuan(amount))
        if high is not None:
            tier.high.CopyFrom(_money(high))
        tiers.append(tier)
    return plans_pb2.Tiers(metric="revenue", tiers=tiers)


def _first_of_month(day: date) -> Date:
    return Date(year=day.year, month=day.month, day=1)


def _count(number: int) -> goals.Value:
    return goals.Value(unit=goals.UNIT_COUNT, numerator=number, denominator=1)


def _rate(percent: int) -> goals.Value:
    return goals.Value(unit=goals.UNIT_RATE, numerator=percent, denominator=100)


def _fen(minor: int) -> goals.Value:
    return goals.Value(unit=goals.UNIT_MONEY, numerator=minor, denominator=1, currency="CNY")


def _share(percent: int) -> incentives.Value:
    return incentives.Value(unit=incentives.UNIT_RATE, numerator=percent, denominator=100)


def _money(minor: int) -> incentives.Value:
    return incentives.Value(unit=incentives.UNIT_MONEY, numerator=minor, denominator=1, currency="CNY")


def _yuan(units: int) -> Money:
    return Money(currency_code="CNY", units=units)

"""Plans as their authors write them."""

from datetime import date
from typing import Any

from foothold.incentives.v1 import plans_pb2, values_pb2
from google.type import date_pb2, money_pb2

WHOLE = plans_pb2.PerPoint.MODE_WHOLE_POINTS
PRO_RATA = plans_pb2.PerPoint.MODE_PRO_RATA
MONTH = values_pb2.PERIOD_KIND_MONTH
WEEK = values_pb2.PERIOD_KIND_WEEK


def yuan(amount: str, currency: str = "CNY") -> money_pb2.Money:
    """Money from "600.00"."""
    units, _, rest = amount.partition(".")
    sign = -1 if units.startswith("-") else 1
    return money_pb2.Money(
        currency_code=currency, units=int(units), nanos=sign * int(rest.ljust(2, "0") or 0) * 10_000_000
    )


def rate(numerator: int, denominator: int) -> values_pb2.Value:
    return values_pb2.Value(unit=values_pb2.UNIT_RATE, numerator=numerator, denominator=denominator)


def count(number: int) -> values_pb2.Value:
    return values_pb2.Value(unit=values_pb2.UNIT_COUNT, numerator=number, denominator=1)


def per_unit(metric: str, amount: str, id: str = "unit") -> plans_pb2.Rule:
    return plans_pb2.Rule(
        id=id, label="跟进奖", per_unit=plans_pb2.PerUnit(metric=metric, amount=yuan(amount))
    )


def bonus(metric: str, threshold: values_pb2.Value, amount: str, id: str = "bonus") -> plans_pb2.Rule:
    kind = plans_pb2.ThresholdBonus(metric=metric, threshold=threshold, amount=yuan(amount))
    return plans_pb2.Rule(id=id, label="达标奖", threshold_bonus=kind)


def per_point(
    metric: str,
    threshold: values_pb2.Value,
    amount: str,
    mode: plans_pb2.PerPoint.Mode.ValueType = WHOLE,
    id: str = "points",
) -> plans_pb2.Rule:
    kind = plans_pb2.PerPoint(metric=metric, threshold=threshold, amount=yuan(amount), mode=mode)
    return plans_pb2.Rule(id=id, label="成交率奖", per_point=kind)


def tiers(
    metric: str, *steps: tuple[values_pb2.Value, values_pb2.Value | None, str], id: str = "tiers"
) -> plans_pb2.Rule:
    kind = plans_pb2.Tiers(metric=metric)
    for low, high, amount in steps:
        kind.tiers.add(low=low, high=high, amount=yuan(amount))
    return plans_pb2.Rule(id=id, label="阶梯奖", tiers=kind)


def plan(
    *rules: plans_pb2.Rule, node_id: str = "hq", effective: date = date(2025, 1, 1), **more: Any
) -> plans_pb2.Plan:
    values = {
        "job_role": "sales",
        "name": "新人激励",
        "period_kind": MONTH,
        "reason": "" if node_id == "hq" else "本地竞争",
        **more,
    }
    day = date_pb2.Date(year=effective.year, month=effective.month, day=effective.day)
    return plans_pb2.Plan(node_id=node_id, rules=rules, effective_from=day, **values)


S07 = (per_unit("new_customers", "50"), per_point("close_rate", rate(10, 100), "50"))
"""50 for each new customer followed, and 50 per whole point of close rate above 10 %."""
S25 = tiers(
    "close_rate",
    (rate(0, 1), rate(10, 100), "0"),
    (rate(10, 100), rate(15, 100), "1000"),
    (rate(15, 100), None, "2000"),
)


def in_yuan(money: money_pb2.Money) -> str:
    """Money as "600.00"."""
    assert money.currency_code == "CNY"
    minor = money.units * 100 + money.nanos // 10_000_000
    return f"{minor // 100}.{minor % 100:02}"

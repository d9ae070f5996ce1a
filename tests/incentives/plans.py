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


def money(amount: str) -> values_pb2.Value:
    """A value of money from "150000"."""
    minor = int(amount) * 100
    return values_pb2.Value(unit=values_pb2.UNIT_MONEY, numerator=minor, denominator=1, currency="CNY")


def percent(number: int) -> values_pb2.Value:
    return rate(number, 100)


def rate_of(metric: str, share: values_pb2.Value, id: str = "share") -> plans_pb2.Rule:
    return plans_pb2.Rule(id=id, label="提成", rate_of=plans_pb2.RateOf(metric=metric, share=share))


def graduated(
    metric: str, *bands: tuple[values_pb2.Value, values_pb2.Value | str], id: str = "graduated"
) -> plans_pb2.Rule:
    """Bands by where they begin and what they pay; each ends where the next begins."""
    kind = plans_pb2.Graduated(metric=metric)
    for low, pays in bands:
        if kind.bands:
            kind.bands[-1].high.CopyFrom(low)
        band = kind.bands.add(low=low)
        if isinstance(pays, str):
            band.amount.CopyFrom(yuan(pays))
        else:
            band.share.CopyFrom(pays)
    return plans_pb2.Rule(id=id, label="分段提成", graduated=kind)


def at_least(metric: str, value: values_pb2.Value) -> plans_pb2.Condition:
    return plans_pb2.Condition(metric=metric, at_least=value)


def at_most(metric: str, value: values_pb2.Value) -> plans_pb2.Condition:
    return plans_pb2.Condition(metric=metric, at_most=value)


def mentor_bonus(condition: plans_pb2.Condition, amount: str, id: str = "mentees") -> plans_pb2.Rule:
    kind = plans_pb2.MentorBonus(condition=condition, amount=yuan(amount))
    return plans_pb2.Rule(id=id, label="带教奖", mentor_bonus=kind)


def ranking_prize(
    metric: str,
    *prizes: str,
    minimum: int = 0,
    dates: tuple[date | None, date | None] = (None, None),
    id: str = "prize",
) -> plans_pb2.Rule:
    kind = plans_pb2.RankingPrize(
        metric=metric, minimum_denominator=minimum, prizes=[yuan(each) for each in prizes]
    )
    first, end = (day and date_pb2.Date(year=day.year, month=day.month, day=day.day) for day in dates)
    if first:
        getattr(kind, "from").CopyFrom(first)
    if end:
        kind.to.CopyFrom(end)
    return plans_pb2.Rule(id=id, label="排名奖", ranking_prize=kind)


def group(*rules: plans_pb2.Rule, id: str = "group") -> plans_pb2.Rule:
    return plans_pb2.Rule(id=id, label="合计", group=plans_pb2.Group(rules=rules))


def gate(condition: plans_pb2.Condition, *rules: plans_pb2.Rule, id: str = "gate") -> plans_pb2.Rule:
    return plans_pb2.Rule(id=id, label="门槛", gate=plans_pb2.Gate(condition=condition, rules=rules))


def cap(amount: str, *rules: plans_pb2.Rule, id: str = "cap") -> plans_pb2.Rule:
    return plans_pb2.Rule(id=id, label="封顶", cap=plans_pb2.Cap(amount=yuan(amount), rules=rules))


def floor(amount: str, *rules: plans_pb2.Rule, id: str = "floor") -> plans_pb2.Rule:
    return plans_pb2.Rule(id=id, label="保底", floor=plans_pb2.Floor(amount=yuan(amount), rules=rules))


def guarantee(amount: str, months: int, *rules: plans_pb2.Rule, id: str = "guarantee") -> plans_pb2.Rule:
    kind = plans_pb2.Guarantee(amount=yuan(amount), months=months, rules=rules)
    return plans_pb2.Rule(id=id, label="新人保底", guarantee=kind)


def draw(
    amount: str, months: int, recovery: values_pb2.Value, *rules: plans_pb2.Rule, id: str = "draw"
) -> plans_pb2.Rule:
    kind = plans_pb2.Draw(amount=yuan(amount), months=months, recovery=recovery, rules=rules)
    return plans_pb2.Rule(id=id, label="预支", draw=kind)


def ramp(shares: list[int], *rules: plans_pb2.Rule, id: str = "ramp") -> plans_pb2.Rule:
    kind = plans_pb2.Ramp(shares=[percent(share) for share in shares], rules=rules)
    return plans_pb2.Rule(id=id, label="爬坡", ramp=kind)


def accelerator(
    condition: plans_pb2.Condition, factor: values_pb2.Value, *rules: plans_pb2.Rule, id: str = "more"
) -> plans_pb2.Rule:
    kind = plans_pb2.Accelerator(condition=condition, factor=factor, rules=rules)
    return plans_pb2.Rule(id=id, label="加速", accelerator=kind)


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
TREE = cap(
    "5000",
    gate(
        at_most("deals_lost", count(9)),
        guarantee("3000", 3, ramp([50, 80], per_unit("meetings_attended", "5"))),
    ),
    accelerator(
        at_least("deals_won", count(3)),
        rate(3, 2),
        graduated("revenue", (money("0"), percent(4)), (money("150000"), percent(6)), id="bands"),
        group(floor("1", rate_of("revenue", percent(1)))),
    ),
)
"""A plan of every kind of wrapper, ten lines."""


def in_yuan(money: money_pb2.Money) -> str:
    """Money as "600.00", what is taken back as "-8.00"."""
    assert money.currency_code == "CNY"
    minor = money.units * 100 + money.nanos // 10_000_000
    return f"{'-' if minor < 0 else ''}{abs(minor) // 100}.{abs(minor) % 100:02}"


def may_set(
    rule_id: str, field: str, minimum: values_pb2.Value | None = None, maximum: values_pb2.Value | None = None
) -> plans_pb2.PlanParameter:
    """A number that nodes below may set."""
    return plans_pb2.PlanParameter(rule_id=rule_id, field=field, minimum=minimum, maximum=maximum)

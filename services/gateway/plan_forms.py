"""A plan as a form, and what of it cannot be read."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Final, NamedTuple

from foothold.goals.v1 import metrics_pb2
from foothold.incentives.v1 import plans_pb2, values_pb2
from google.type.money_pb2 import Money

from services.gateway import course_titles, plan_own_forms
from services.gateway.figures import COUNT, RATE, from_date, from_minor
from services.gateway.formats import minor_digits
from services.gateway.language import _
from services.gateway.pages.goals import is_date
from services.gateway.plan_blocks import RuleRow
from services.gateway.standards_forms import number

_BUILT_IN: Final = frozenset(
    {
        *("customers_followed", "new_customers", "deals_won", "deals_lost", "close_rate", "win_rate"),
        *("revenue", "overlay_revenue", "average_order_value", "orders_placed"),
        *("followup_minutes", "emails_sent", "meetings_attended"),
    }
)
_HOW = metrics_pb2.MetricDefinition
_SUMS: Final = frozenset(
    {
        *(_HOW.AGGREGATION_COUNT, _HOW.AGGREGATION_DISTINCT_CUSTOMERS),
        *(_HOW.AGGREGATION_SUM_AMOUNT, _HOW.AGGREGATION_SUM_MINUTES),
    }
)
_MOST_TIERS: Final = 20
_MOST_MONTHS: Final = 24
_MOST_PRIZES: Final = 20
_PER_LINE: Final = 2


class Typed(NamedTuple):
    """The plan as typed, what cannot be read by field, and where in the plan each row's rule stands."""

    plan: plans_pb2.Plan
    wrong: dict[str, str]
    places: list[str]
    rules: list[plans_pb2.Rule]


def payable(metrics: Sequence[metrics_pb2.MetricDefinition]) -> list[metrics_pb2.MetricDefinition]:
    """Those of goals' metrics that plans can pay by and boards rank by, as incentives has it (0418).

    Some that are built in; of the enterprise's own those that its own facts decide, and ratios of such.
    """
    found = {each.name for each in metrics if each.name in _BUILT_IN}
    found |= {each.name for each in metrics if each.titles and _is_sum(each)}
    ratios = [each for each in metrics if each.titles and each.aggregation == _HOW.AGGREGATION_RATIO]
    return [
        each
        for each in metrics
        if each.name in found or (each in ratios and {each.numerator, *each.denominators} <= found)
    ]


def _is_sum(metric: metrics_pb2.MetricDefinition) -> bool:
    return metric.aggregation in _SUMS and not metric.rolling_days and not metric.conditions.customers


def plan_of(
    form: Mapping[str, str],
    rows: Sequence[RuleRow],
    metrics: Sequence[metrics_pb2.MetricDefinition],
    currency: str,
) -> Typed:
    """The plan as typed. Whether it holds together is incentives' to say."""
    wrong: dict[str, str] = {}
    start = is_date(form.get("effective_from", ""))
    if start is None:
        wrong["effective_from"] = _("A day like 2026-11-23, please.")
    if not form.get("name", "").strip():
        wrong["name"] = _("Give the plan a name.")
    weekly = form.get("period") == "week"
    plan = plans_pb2.Plan(
        node_id=form.get("node_id", "")[:64],
        job_role=form.get("job_role", "").strip()[:40],
        name=form.get("name", "").strip()[:100],
        period_kind=values_pb2.PERIOD_KIND_WEEK if weekly else values_pb2.PERIOD_KIND_MONTH,
        effective_from=from_date(start) if start else None,
        reason=form.get("reason", "").strip()[:500],
    )
    units: dict[str, int] = {each.name: each.unit for each in metrics}
    units |= {name: COUNT for name, _title in course_titles.choices()}
    # Where the rules of each depth go, and the place of what holds them.
    holders: list[tuple[Any, str]] = [(plan.rules, "")]
    places, rules = [], []
    for index, row in enumerate(rows):
        del holders[row.depth + 1 :]
        held, place = holders[-1]
        places.append(f"{place}rules[{len(held)}]")
        label = row.label or _("Rule %(number)s", number=index + 1)
        rule = held.add(id=f"rule-{index + 1}", label=label)
        rules.append(rule)
        for field, why in _fill(rule, row, units.get(row.metric, 0), currency).items():
            wrong[f"rule-{index}-{field}"] = why
        if not any(name.startswith(f"rule-{index}-") for name in wrong):
            for field, why in plan_own_forms.fill(plan, rule, row, currency):
                wrong[f"rule-{index}-{field}"] = why
        if row.wraps:
            inside = getattr(rule, row.kind)
            inside.SetInParent()
            holders.append((inside.rules, f"{places[-1]}."))
    return Typed(plan, wrong, places, rules)


def _fill(  # noqa: C901, PLR0911  a case a kind
    rule: plans_pb2.Rule, row: RuleRow, unit: int, currency: str
) -> dict[str, str]:
    if row.wraps:
        return _fill_wrapper(rule, row, unit, currency)
    why = _unpayable(row.metric, unit)
    if why:
        return {"metric": why}
    if row.kind == "tiers":
        return _fill_tiers(rule.tiers, row, unit, currency)
    if row.kind == "graduated":
        return _fill_bands(rule.graduated, row, unit, currency)
    if row.kind == "ranking_prize":
        return _fill_prizes(rule.ranking_prize, row, currency)
    if row.kind == "rate_of":
        share = _value(row.share, RATE, currency)
        rule.rate_of.CopyFrom(plans_pb2.RateOf(metric=row.metric, share=share))
        return {} if share is not None else {"share": _("A percentage like 8 or 2.5, please.")}
    wrong: dict[str, str] = {}
    amount = _amount(row.amount, currency, wrong)
    if row.kind == "mentor_bonus":
        rule.mentor_bonus.amount.CopyFrom(amount)
        return wrong | _fill_condition(rule.mentor_bonus.condition, row, unit, currency)
    if row.kind == "per_unit":
        rule.per_unit.CopyFrom(plans_pb2.PerUnit(metric=row.metric, amount=amount))
        return wrong
    threshold = _value(row.threshold, unit, currency)
    if threshold is None:
        wrong["threshold"] = _("A number, please; rates in percent.")
        return wrong
    if row.kind == "threshold_bonus":
        bonus = plans_pb2.ThresholdBonus(metric=row.metric, threshold=threshold, amount=amount)
        rule.threshold_bonus.CopyFrom(bonus)
    elif row.kind in ("per_point", "per_point_pro_rata"):
        modes = plans_pb2.PerPoint
        mode = modes.MODE_PRO_RATA if row.kind.endswith("pro_rata") else modes.MODE_WHOLE_POINTS
        rule.per_point.CopyFrom(
            plans_pb2.PerPoint(metric=row.metric, threshold=threshold, amount=amount, mode=mode)
        )
    else:
        wrong["kind"] = _("Choose one of the list.")
    return wrong


def _fill_prizes(prize: plans_pb2.RankingPrize, row: RuleRow, currency: str) -> dict[str, str]:
    """A prize a rank, and for which periods."""
    prize.metric = row.metric
    wrong: dict[str, str] = {}
    for text in _words(row.prizes)[:_MOST_PRIZES] or [""]:
        told: dict[str, str] = {}
        prize.prizes.append(_amount(text, currency, told))
        if told:
            wrong["prizes"] = _("An amount for each rank, please: 1000 500 200.")
    for name, field in (("since", "from"), ("until", "to")):
        typed: str = getattr(row, name)
        day = is_date(typed)
        if day is not None:
            getattr(prize, field).CopyFrom(from_date(day))
        elif typed:
            wrong[name] = _("A day like 2026-11-23, please.")
    return wrong


def _unpayable(metric: str, unit: int) -> str:
    """Why a rule cannot pay by a metric; empty where it can."""
    if metric.startswith(course_titles.PREFIX):
        return _("A course pays nothing by itself; it can be what a condition asks for.")
    return "" if unit else _("Choose one of the list.")


def _fill_wrapper(rule: plans_pb2.Rule, row: RuleRow, unit: int, currency: str) -> dict[str, str]:
    wrong: dict[str, str] = {}
    if row.kind in ("cap", "floor", "guarantee", "draw"):
        getattr(rule, row.kind).amount.CopyFrom(_amount(row.amount, currency, wrong))
    if row.kind in ("guarantee", "draw"):
        wrong |= _fill_months(rule, row, currency)
    if row.kind == "ramp":
        shares = [_value(text, RATE, currency) for text in _words(row.shares)[:_MOST_MONTHS]]
        found = [share for share in shares if share is not None]
        if not found or len(found) < len(shares):
            wrong["shares"] = _("A percentage for each month, please: 50 80.")
        rule.ramp.shares.extend(found)
    if row.kind in ("gate", "accelerator"):
        wrong |= _fill_condition(getattr(rule, row.kind).condition, row, unit, currency)
    if row.kind == "accelerator":
        factor = number(row.factor)
        if factor is None:
            wrong["factor"] = _("A factor like 1.5, please.")
        else:
            told = values_pb2.Value(
                unit=values_pb2.UNIT_RATE, numerator=factor.numerator, denominator=factor.denominator
            )
            rule.accelerator.factor.CopyFrom(told)
    return wrong


def _fill_months(rule: plans_pb2.Rule, row: RuleRow, currency: str) -> dict[str, str]:
    """For how many months, and of a draw what pays it back."""
    wrong: dict[str, str] = {}
    months = number(row.months)
    if months is None or months.denominator != 1 or not 1 <= months <= 60:  # noqa: PLR2004  as incentives says
        wrong["months"] = _("A number from %(least)s to %(most)s, please.", least=1, most=60)
    else:
        getattr(rule, row.kind).months = int(months)
    if row.kind == "draw":
        recovery = _value(row.share, RATE, currency)
        if recovery is None:
            wrong["share"] = _("A percentage like 8 or 2.5, please.")
        else:
            rule.draw.recovery.CopyFrom(recovery)
    return wrong


def _fill_condition(condition: plans_pb2.Condition, row: RuleRow, unit: int, currency: str) -> dict[str, str]:
    condition.metric = row.metric
    if not unit:
        return {"metric": _("Choose one of the list.")}
    # That a course is passed needs no number: it is 1 of 1.
    typed = row.threshold or ("1" if row.metric.startswith(course_titles.PREFIX) else "")
    bound = _value(typed, unit, currency)
    if bound is None:
        return {"threshold": _("A number, please; rates in percent.")}
    (condition.at_most if row.bound == "at_most" else condition.at_least).CopyFrom(bound)
    return {}


def _words(text: str) -> list[str]:
    """What stands between spaces, line ends and signs."""
    for sign in "%:：,，、/":
        text = text.replace(sign, " ")
    return text.split()


def _lines(text: str) -> list[list[str]]:
    lines = [
        line.replace("%", " ").replace(":", " ").replace("：", " ").split() for line in text.splitlines()
    ]
    return [line for line in lines if line]


def _fill_tiers(tiers: plans_pb2.Tiers, row: RuleRow, unit: int, currency: str) -> dict[str, str]:
    """A line says from where on a tier holds and what it pays: `10 1000`. It ends where the next begins."""
    tiers.metric = row.metric
    lines = _lines(row.tiers)
    for line in lines[:_MOST_TIERS]:
        low = _value(line[0], unit, currency) if len(line) == _PER_LINE else None
        amount = number(line[1]) if len(line) == _PER_LINE else None
        if low is None or amount is None:
            lines = []
            break
        if tiers.tiers:
            tiers.tiers[-1].high.CopyFrom(low)
        tiers.tiers.add(low=low, amount=_money(amount, currency))
    return {} if lines else {"tiers": _("A line per tier, please: from where on, and what it pays.")}


def _fill_bands(graduated: plans_pb2.Graduated, row: RuleRow, unit: int, currency: str) -> dict[str, str]:
    """The same for bands: of money a percentage, of counts and minutes an amount each."""
    graduated.metric = row.metric
    lines = _lines(row.tiers)
    for line in lines[:_MOST_TIERS]:
        low = _value(line[0], unit, currency) if len(line) == _PER_LINE else None
        pays = number(line[1]) if len(line) == _PER_LINE else None
        if low is None or pays is None:
            lines = []
            break
        if graduated.bands:
            graduated.bands[-1].high.CopyFrom(low)
        band = graduated.bands.add(low=low)
        share = _value(line[1], RATE, currency)
        if unit == values_pb2.UNIT_MONEY and share is not None:
            band.share.CopyFrom(share)
        else:
            band.amount.CopyFrom(_money(pays, currency))
    return {} if lines else {"tiers": _("A line per tier, please: from where on, and what it pays.")}


def _amount(text: str, currency: str, wrong: dict[str, str]) -> Money:
    typed = number(text)
    if not typed:
        wrong["amount"] = _("An amount like 1200 or 1200.50, please.")
    return _money(typed or Fraction(0), currency)


def _money(typed: Fraction, currency: str) -> Money:
    found = typed * 10 ** minor_digits(currency)
    return from_minor(found.numerator // found.denominator, currency)


def _value(text: str, unit: int, currency: str) -> values_pb2.Value | None:
    typed = number(text)
    if typed is None:
        return None
    if unit == RATE:
        typed /= 100
    elif unit == values_pb2.UNIT_MONEY:
        typed *= 10 ** minor_digits(currency)
    value = values_pb2.Value(numerator=typed.numerator, denominator=typed.denominator)
    value.unit = unit  # type: ignore[assignment]  # goals and incentives number units alike
    if unit == values_pb2.UNIT_MONEY:
        value.currency = currency
    return value

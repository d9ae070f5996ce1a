"""A plan as a form, and as sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from foothold.goals.v1 import metrics_pb2
from foothold.incentives.v1 import plans_pb2, values_pb2
from google.type.money_pb2 import Money

from services.gateway.figures import RATE, from_date
from services.gateway.formats import minor_digits
from services.gateway.language import _, later
from services.gateway.pages.goals import is_date
from services.gateway.standards_forms import number

KINDS: Final = (
    ("per_unit", later("So much per unit")),
    ("threshold_bonus", later("A sum once a threshold is reached")),
    ("per_point", later("So much per percentage point above a threshold")),
    ("per_point_pro_rata", later("The same, part points in proportion")),
    ("tiers", later("A sum for the tier reached")),
)
PAYABLE: Final = frozenset(
    {
        *("customers_followed", "new_customers", "deals_won", "deals_lost", "close_rate", "win_rate"),
        *("revenue", "average_order_value", "orders_placed"),
        *("followup_minutes", "emails_sent", "meetings_attended"),
    }
)
"""What incentives can pay by: it keeps figures of its own, not of every metric that goals knows."""
_MOST_RULES: Final = 50


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One rule as typed. `tiers` holds a tier a line: from where on, and what it pays."""

    label: str = ""
    kind: str = "per_unit"
    metric: str = "new_customers"
    threshold: str = ""
    amount: str = ""
    tiers: str = ""


def rows_of(form: Mapping[str, str]) -> list[RuleRow]:
    """The rules as typed; rows with neither a name nor an amount are left out, but for the first."""
    text = form.get("rules", "1")
    rules = min(int(text), _MOST_RULES) if text.isascii() and text.isdigit() and len(text) < 4 else 1  # noqa: PLR2004
    rows = []
    for index in range(rules):
        row = RuleRow(
            *(
                form.get(f"rule-{index}-{name}", "").strip()[:2000]
                for name in ("label", "kind", "metric", "threshold", "amount", "tiers")
            )
        )
        if row.label or row.amount or row.tiers or index == 0:
            rows.append(row)
    return rows


def plan_of(
    form: Mapping[str, str],
    rows: Sequence[RuleRow],
    metrics: Sequence[metrics_pb2.MetricDefinition],
    currency: str,
) -> tuple[plans_pb2.Plan, dict[str, str]]:
    """The plan as typed, and what cannot be read, by field. Whether it holds together is incentives' to say."""
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
    units = {each.name: each.unit for each in metrics}
    for index, row in enumerate(rows):
        rule = plan.rules.add(
            id=f"rule-{index + 1}", label=row.label or _("Rule %(number)s", number=index + 1)
        )
        for field, why in _fill(rule, row, units.get(row.metric, 0), currency).items():
            wrong[f"rule-{index}-{field}"] = why
    return plan, wrong


def _fill(rule: plans_pb2.Rule, row: RuleRow, unit: int, currency: str) -> dict[str, str]:
    if not unit:
        return {"metric": _("Choose one of the list.")}
    if row.kind == "tiers":
        return _fill_tiers(rule.tiers, row, unit, currency)
    wrong: dict[str, str] = {}
    typed = number(row.amount)
    if not typed:
        wrong["amount"] = _("An amount like 1200 or 1200.50, please.")
    amount = _money(typed or Fraction(0), currency)
    threshold = _value(row.threshold, unit, currency)
    if row.kind == "per_unit":
        rule.per_unit.CopyFrom(plans_pb2.PerUnit(metric=row.metric, amount=amount))
        return wrong
    if threshold is None:
        wrong["threshold"] = _("A number, please; rates in percent.")
        return wrong
    if row.kind == "threshold_bonus":
        bonus = plans_pb2.ThresholdBonus(metric=row.metric, threshold=threshold, amount=amount)
        rule.threshold_bonus.CopyFrom(bonus)
    else:
        modes = plans_pb2.PerPoint
        mode = modes.MODE_PRO_RATA if row.kind.endswith("pro_rata") else modes.MODE_WHOLE_POINTS
        rule.per_point.CopyFrom(
            plans_pb2.PerPoint(metric=row.metric, threshold=threshold, amount=amount, mode=mode)
        )
    return wrong


def _fill_tiers(tiers: plans_pb2.Tiers, row: RuleRow, unit: int, currency: str) -> dict[str, str]:
    """A line says from where on a tier holds and what it pays: `10 1000`. It ends where the next begins."""
    tiers.metric = row.metric
    lines = [
        line.replace("%", " ").replace(":", " ").split() for line in row.tiers.splitlines() if line.strip()
    ]
    if not lines:
        return {"tiers": _("A line per tier, please: from where on, and what it pays.")}
    for line in lines[:20]:
        low = _value(line[0], unit, currency) if len(line) == 2 else None  # noqa: PLR2004
        amount = number(line[1]) if len(line) == 2 else None  # noqa: PLR2004
        if low is None or amount is None:
            return {"tiers": _("A line per tier, please: from where on, and what it pays.")}
        if tiers.tiers:
            tiers.tiers[-1].high.CopyFrom(low)
        tiers.tiers.add(low=low, amount=_money(amount, currency))
    return {}


def _money(typed: Fraction, currency: str) -> Money:
    minor = typed * 10 ** minor_digits(currency)
    units, rest = divmod(minor.numerator // minor.denominator, 10 ** minor_digits(currency))
    return Money(currency_code=currency, units=units, nanos=rest * 10 ** (9 - minor_digits(currency)))


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

"""What is wrong with a plan, said all at once, with the field and in words (R3)."""

import re
from datetime import date
from fractions import Fraction
from typing import Final

from services.incentives.domain.drafts import DraftMoney, DraftPlan, DraftRule, DraftValue
from services.incentives.domain.findings import Finding, Severity, error
from services.incentives.domain.metrics import METRICS, Metric, Unit
from services.incentives.domain.periods import PeriodKind
from services.incentives.domain.plans import POINTS, PointMode
from services.incentives.domain.tiers import check_tiers, cliffs

MOST_RULES: Final = 50
MOST_TIERS: Final = 20
LARGEST_AMOUNT: Final = 10**12
LARGEST_NUMERATOR: Final = 10**15
LARGEST_DENOMINATOR: Final = 10**9
EARLIEST, LATEST = date(2000, 1, 1), date(2199, 12, 31)
_ID: Final = re.compile(r"[a-z0-9-]{1,64}")
_RULE_ID: Final = re.compile(r"[a-z0-9_-]{1,40}")
JOB_ROLE: Final = _RULE_ID
_LONGEST_NAME: Final = 100
_LONGEST_LABEL: Final = 60
_LONGEST_REASON: Final = 500
_UNIT_WORDS: Final = {
    Unit.COUNT: "a count",
    Unit.RATE: "a rate",
    Unit.MONEY: "money",
    Unit.MINUTES: "minutes",
}
_PAYS_PER: Final = {
    "per_unit": frozenset({Unit.COUNT, Unit.MINUTES}),
    "per_point": frozenset({Unit.RATE}),
    "threshold_bonus": frozenset(Unit),
    "tiers": frozenset(Unit),
}


def check(draft: DraftPlan, *, currency: str, needs_reason: bool) -> tuple[Finding, ...]:
    """Everything there is to say about a draft, errors first.

    `currency` is the enterprise's. `needs_reason`: the node is not the enterprise.
    """
    found = _check_plan(draft, needs_reason=needs_reason)
    seen: set[str] = set()
    for index, rule in enumerate(draft.rules[:MOST_RULES]):
        found += _check_rule(f"rules[{index}]", rule, seen, currency)
    return tuple(sorted(found, key=lambda finding: -finding.severity))


def errors(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Those that refuse the plan."""
    return tuple(finding for finding in findings if finding.severity is Severity.ERROR)


def _check_plan(draft: DraftPlan, *, needs_reason: bool) -> list[Finding]:
    found = []
    if draft.id and not _ID.fullmatch(draft.id):
        found.append(_malformed("id", "1 to 64 of a-z, 0-9 and -, or empty."))
    if not _ID.fullmatch(draft.node_id):
        found.append(_malformed("node_id", "Required: 1 to 64 of a-z, 0-9 and -."))
    if not JOB_ROLE.fullmatch(draft.job_role):
        found.append(_malformed("job_role", "Required: 1 to 40 of a-z, 0-9, _ and -."))
    found += check_text("name", draft.name, _LONGEST_NAME)
    if draft.period_kind not in set(PeriodKind):
        found.append(error("PERIOD_UNSUPPORTED", "period_kind", "A plan pays per week or per month."))
    if draft.effective_from is None or not EARLIEST <= draft.effective_from <= LATEST:
        found.append(_malformed("effective_from", "Required: a day from 2000 to 2199."))
    if draft.reason or needs_reason:
        found += check_text("reason", draft.reason, _LONGEST_REASON)
    if not draft.rules:
        found.append(error("PLAN_INVALID", "rules", "A plan without rules pays nothing; add one."))
    if len(draft.rules) > MOST_RULES:
        found.append(error("PLAN_INVALID", "rules", f"At most {MOST_RULES} rules."))
    return found


def check_text(field: str, text: str, longest: int) -> list[Finding]:
    """Text must be there, printable and not too long."""
    if not text.strip() or len(text) > longest or not _storable(text):
        return [_malformed(field, f"Required: 1 to {longest} printable characters.")]
    return []


def _storable(text: str) -> bool:
    return all(char.isprintable() or char == "\n" for char in text)


def _check_rule(field: str, rule: DraftRule, seen: set[str], currency: str) -> list[Finding]:
    found = []
    if not _RULE_ID.fullmatch(rule.id):
        found.append(_malformed(f"{field}.id", "Required: 1 to 40 of a-z, 0-9, _ and -."))
    elif rule.id in seen:
        found.append(error("PLAN_INVALID", f"{field}.id", "Another rule of the plan has this id."))
    seen.add(rule.id)
    found += check_text(f"{field}.label", rule.label, _LONGEST_LABEL)
    if rule.kind not in _PAYS_PER:
        found.append(
            error(
                "PLAN_INVALID",
                field,
                "Say what it pays for: one of per_unit, threshold_bonus, per_point, tiers.",
            )
        )
        return found
    inside = f"{field}.{rule.kind}"
    metric = METRICS.get(rule.metric)
    if metric is None:
        found.append(
            error("PLAN_INVALID", f"{inside}.metric", f"No such metric; one of {', '.join(METRICS)}.")
        )
        return found
    if metric.unit not in _PAYS_PER[rule.kind]:
        wanted = " or ".join(_UNIT_WORDS[unit] for unit in sorted(_PAYS_PER[rule.kind]))
        message = f"{metric.name} is {_UNIT_WORDS[metric.unit]}; this kind of rule needs {wanted}."
        found.append(error("PLAN_INVALID", f"{inside}.metric", message))
        return found
    if rule.kind == "tiers":
        return found + _check_tiers(field, rule, metric, currency)
    found += _check_money(f"{inside}.amount", rule.amount, currency, least=1)
    if rule.kind != "per_unit":
        threshold = f"{inside}.threshold"
        found += _check_value(threshold, rule.threshold, metric.unit, currency) or _check_reach(
            threshold, rule, metric
        )
    if rule.kind == "per_point" and rule.mode not in set(PointMode):
        found.append(
            error("PLAN_INVALID", f"{inside}.mode", "Say how part points pay: whole points or pro rata.")
        )
    return found


def _check_reach(field: str, rule: DraftRule, metric: Metric) -> list[Finding]:
    """A threshold out of the metric's reach: the rule would never pay.

    A bonus is paid at the threshold itself (R3); points need room above it, whole points room for a whole one.
    """
    if rule.threshold is None or metric.largest is None:
        return []
    room = metric.largest - Fraction(rule.threshold.numerator, rule.threshold.denominator)
    if rule.kind != "per_point":
        never = room < 0
    elif rule.mode == PointMode.WHOLE:
        never = room < Fraction(1, POINTS)
    else:
        never = room <= 0
    if not never:
        return []
    message = (
        f"{metric.name} is a share of a whole, at most 100 %: above this threshold nothing is ever paid."
    )
    return [error("VALUE_INVALID", field, message)]


def _check_tiers(field: str, rule: DraftRule, metric: Metric, currency: str) -> list[Finding]:
    if not 1 <= len(rule.tiers) <= MOST_TIERS:
        return [error("PLAN_INVALID", f"{field}.tiers", f"1 to {MOST_TIERS} tiers.")]
    found: list[Finding] = []
    for index, tier in enumerate(rule.tiers):
        name = f"{field}.tiers[{index}]"
        found += _check_value(f"{name}.low", tier.low, metric.unit, currency)
        if tier.high is not None:
            found += _check_value(f"{name}.high", tier.high, metric.unit, currency)
        found += _check_money(f"{name}.amount", tier.amount, currency, least=0)
    if found:
        return found
    return check_tiers(field, metric, rule.tiers) or cliffs(field, rule.tiers)


def _check_money(field: str, amount: DraftMoney | None, currency: str, *, least: int) -> list[Finding]:
    if amount is None:
        return [error("PLAN_INVALID", field, "Required.")]
    if amount.currency != currency:
        return [
            error("CURRENCY_MISMATCH", f"{field}.currency_code", f"The enterprise's currency is {currency}.")
        ]
    if amount.minor is None:
        return [error("PLAN_INVALID", field, "A whole number of hundredths, units and nanos of one sign.")]
    if not least <= amount.minor <= LARGEST_AMOUNT:
        return [error("PLAN_INVALID", field, f"From {least} to {LARGEST_AMOUNT} minor units.")]
    return []


def _check_value(field: str, value: DraftValue | None, unit: Unit, currency: str) -> list[Finding]:
    if value is None:
        return [error("PLAN_INVALID", field, "Required.")]
    if value.unit != unit:
        return [error("VALUE_INVALID", f"{field}.unit", f"The metric is {_UNIT_WORDS[unit]}.")]
    if unit is Unit.MONEY and value.currency != currency:
        return [error("CURRENCY_MISMATCH", f"{field}.currency", f"The enterprise's currency is {currency}.")]
    largest = LARGEST_DENOMINATOR if unit is Unit.RATE else 1
    if not 1 <= value.denominator <= largest:
        return [error("VALUE_INVALID", f"{field}.denominator", f"From 1 to {largest}.")]
    if not 0 <= value.numerator <= LARGEST_NUMERATOR:
        return [error("VALUE_INVALID", f"{field}.numerator", f"From 0 to {LARGEST_NUMERATOR}.")]
    return []


def _malformed(field: str, message: str) -> Finding:
    return error("FIELD_INVALID", field, message)

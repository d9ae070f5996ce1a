"""What is wrong with a plan, said all at once, with the field and in words (R3)."""

from datetime import date
from typing import Final

from services.incentives.domain.drafts import DraftPlan, DraftRule, accepted_rules
from services.incentives.domain.findings import Finding, Severity, check_text, error
from services.incentives.domain.identifiers import JOB_ROLE, NODE_ID
from services.incentives.domain.metrics import Known
from services.incentives.domain.parameter_checks import check_parameters
from services.incentives.domain.periods import PeriodKind
from services.incentives.domain.rule_checks import MOST_RULES, RuleChecks

EARLIEST, LATEST = date(2000, 1, 1), date(2199, 12, 31)
_LONGEST_NAME: Final = 100
_LONGEST_REASON: Final = 500


def check(draft: DraftPlan, *, currency: str, known: Known, needs_reason: bool) -> tuple[Finding, ...]:
    """Every error of a draft; none is a plan that may be stored, and that `lint` has something to say about.

    `currency` is the enterprise's, `known` what metrics there are to read. `needs_reason`: the node is not the
    enterprise.
    """
    found = _check_plan(draft, needs_reason=needs_reason)
    rules = RuleChecks(currency, known)
    rules.rules("", draft.rules)
    if rules.found or not draft.parameters:
        return (*found, *rules.found)
    return (*found, *check_parameters(draft.parameters, accepted_rules(draft.rules, known), currency))


def errors(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Those that refuse the plan."""
    return tuple(finding for finding in findings if finding.severity is Severity.ERROR)


def _check_plan(draft: DraftPlan, *, needs_reason: bool) -> list[Finding]:
    found = []
    if draft.id and not NODE_ID.fullmatch(draft.id):
        found.append(_malformed("id", "1 to 64 of a-z, 0-9 and -, or empty."))
    if not NODE_ID.fullmatch(draft.node_id):
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
    if _count(draft.rules) > MOST_RULES:
        found.append(error("PLAN_INVALID", "rules", f"At most {MOST_RULES} rules."))
    return found


def _count(rules: tuple[DraftRule, ...]) -> int:
    return sum(1 + _count(rule.rules) for rule in rules)


def _malformed(field: str, message: str) -> Finding:
    return error("FIELD_INVALID", field, message)

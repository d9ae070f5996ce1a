"""What is wrong with the numbers that a plan lets nodes below set."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Final

from services.incentives.domain.drafts import DraftParameter, DraftValue
from services.incentives.domain.findings import Finding, error, written
from services.incentives.domain.parameters import Number, numbers_of
from services.incentives.domain.rules import Rule, nodes_of

MOST_PARAMETERS: Final = 50


def check_parameters(
    drafts: Sequence[DraftParameter], rules: Sequence[Rule], currency: str
) -> tuple[Finding, ...]:
    """Every error; `rules` are the plan's and sound, `currency` is the enterprise's."""
    if len(drafts) > MOST_PARAMETERS:
        return (error("PLAN_INVALID", "parameters", f"At most {MOST_PARAMETERS}."),)
    numbers = {node.rule.id: numbers_of(node.rule) for node in nodes_of(rules)}
    seen: set[tuple[str, str]] = set()
    found: list[Finding] = []
    for index, draft in enumerate(drafts):
        at = f"parameters[{index}]"
        if (draft.rule_id, draft.field) in seen:
            found.append(error("PLAN_INVALID", f"{at}.field", "Each number once."))
        seen.add((draft.rule_id, draft.field))
        found += _check(draft, numbers, at, currency)
    return tuple(found)


def _check(
    draft: DraftParameter, numbers: Mapping[str, Mapping[str, Number]], at: str, currency: str
) -> list[Finding]:
    of_rule = numbers.get(draft.rule_id)
    if of_rule is None:
        return [error("PLAN_INVALID", f"{at}.rule_id", "The plan has no such rule.")]
    number = of_rule.get(draft.field)
    if number is None:
        may = f"one of {', '.join(of_rule)}" if of_rule else "this kind of rule has none"
        return [error("PLAN_INVALID", f"{at}.field", f"No number that could be set by itself; {may}.")]
    found = []
    for name, bound, sign in (("minimum", draft.minimum, 1), ("maximum", draft.maximum, -1)):
        if bound is None:
            continue
        why = refused(bound, number, currency)
        if why:
            found.append(error("VALUE_INVALID", f"{at}.{name}", why))
        elif sign * Fraction(bound.numerator, bound.denominator) > sign * number.value.exact:
            found.append(error("VALUE_INVALID", f"{at}.{name}", "The plan's own number lies outside."))
    return found


def refused(value: DraftValue, number: Number, currency: str) -> str:
    """Why a number cannot take a value; empty where it can."""
    if value.unit != number.unit:
        return f"Must be in {number.unit.name}."
    if value.currency not in ("", currency):
        return f"The enterprise's currency is {currency}."
    if value.denominator < 1 or not number.admits(Fraction(value.numerator, value.denominator)):
        least, most = (
            written(DraftValue(number.unit, each.numerator, each.denominator))
            for each in (number.least, number.most)
        )
        return f"{'Above' if number.above else 'From'} {least} to {most}."
    return ""

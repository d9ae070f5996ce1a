"""From where to where branches may set a number of a block, as typed."""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Final

from foothold.incentives.v1 import plans_pb2

from services.gateway import plan_numbers
from services.gateway.figures import exact
from services.gateway.language import _
from services.gateway.plan_blocks import RuleRow

_FIELDS: Final[Mapping[str, Mapping[str, str]]] = {
    "per_unit": {"amount": "amount"},
    "threshold_bonus": {"threshold": "threshold", "amount": "amount"},
    "per_point": {"threshold": "threshold", "amount": "amount"},
    "per_point_pro_rata": {"threshold": "threshold", "amount": "amount"},
    "rate_of": {"share": "share"},
    "mentor_bonus": {"threshold": "condition", "amount": "amount"},
    "gate": {"threshold": "condition"},
    "cap": {"amount": "amount"},
    "floor": {"amount": "amount"},
    "guarantee": {"amount": "amount", "months": "months"},
    "draw": {"amount": "amount", "months": "months", "share": "recovery"},
    "accelerator": {"threshold": "condition", "factor": "factor"},
}
_ENDS: Final = 2


def fill(
    plan: plans_pb2.Plan, rule: plans_pb2.Rule, row: RuleRow, currency: str
) -> Iterator[tuple[str, str]]:
    """Let branches set the numbers of a rule that were typed; what does not fit, by the row's field."""
    for name, field in _FIELDS.get(row.kind, {}).items():
        text = getattr(row, f"own_{name}")
        if text:
            why = _fill(plan, rule, field, text, currency)
            if why:
                yield f"own_{name}", why


def _fill(plan: plans_pb2.Plan, rule: plans_pb2.Rule, field: str, text: str, currency: str) -> str:
    """Why it cannot be so; empty where it can."""
    parameter = plan.parameters.add(rule_id=rule.id, field=field)
    number = plan_numbers.number(rule, parameter)
    for sign in "~–—-至到%,，;；":
        text = text.replace(sign, " ")
    ends = [plan_numbers.typed(each, number, currency) for each in text.split()]
    found = [each for each in ends if each is not None]
    if len(found) != _ENDS or len(ends) != _ENDS:
        return _("Two numbers, please: from and to, for example 40 80.")
    least, most = found
    low, own, high = (exact(each) or Fraction(0) for each in (least, number.value, most))
    if not low <= own <= high:
        return _("The number above has to lie within.")
    parameter.minimum.CopyFrom(least)
    parameter.maximum.CopyFrom(most)
    return ""

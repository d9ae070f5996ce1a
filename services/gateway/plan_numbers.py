"""Numbers of a plan that branches may set: found in the plan, said in words, typed into a form."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from foothold.incentives.v1 import parameters_pb2, plans_pb2, statements_pb2, values_pb2
from google.type.money_pb2 import Money

from services.gateway import standards_forms
from services.gateway.clients import ask
from services.gateway.figures import exact, minor, written
from services.gateway.language import _, later
from services.gateway.parts import clients
from services.gateway.plan_reading import inside
from services.gateway.traced import plain

_NAMES: Final = {
    "amount": later("amount"),
    "threshold": later("threshold"),
    "condition": later("bound of the condition"),
    "share": later("share"),
    "recovery": later("share that pays back"),
    "factor": later("times as much"),
    "months": later("months"),
}
_MOST: Final = 1000
_SEVERAL: Final = re.compile(r"(tiers|bands|shares)\[(\d{1,2})\]")


class Number(NamedTuple):
    """A number of a rule that may be set: whose, what the plan says, and from where to where."""

    rule_id: str
    field: str
    label: str
    value: values_pb2.Value
    parameter: plans_pb2.PlanParameter

    @property
    def key(self) -> str:
        """What a form calls it."""
        return f"{self.rule_id}.{self.field}"

    @property
    def title(self) -> str:
        """The rule and which of its numbers."""
        return f"{self.label} · {name(self.field)}"

    @property
    def said(self) -> str:
        """What the plan says."""
        return said(self.field, self.value)

    @property
    def bounds(self) -> str:
        """From where to where it may be set; empty for anywhere."""
        ends = [
            said(self.field, getattr(self.parameter, end)) if self.parameter.HasField(end) else ""
            for end in ("minimum", "maximum")
        ]
        return standards_forms.span_words(*ends) if any(ends) else ""


def numbers(plan: plans_pb2.Plan) -> list[Number]:
    """The numbers that a plan lets branches set, as it names them."""
    rules = dict(_rules(plan.rules))
    return [number(rules[each.rule_id], each) for each in plan.parameters if each.rule_id in rules]


def number(rule: plans_pb2.Rule, parameter: plans_pb2.PlanParameter) -> Number:
    """One number of a rule."""
    return Number(rule.id, parameter.field, rule.label, _own(rule, parameter.field), parameter)


def name(field: str) -> str:
    """Which of a rule's numbers."""
    several = _SEVERAL.fullmatch(field)
    if several is None:
        return str(_NAMES.get(field, field))
    number = int(several[2]) + 1
    if several[1] == "shares":
        return _("share of month %(number)s", number=number)
    return _("what tier %(number)s pays", number=number)


def said(field: str, value: values_pb2.Value) -> str:
    """A number as people read it; a factor is no percentage."""
    found = exact(value)
    return plain(found) if field == "factor" and found is not None else written(value)


def differing(told: statements_pb2.PlanNumber, place: str) -> str:
    """That a unit set a number in the place of the plan's own, as a sentence."""
    values = {
        "number": name(told.field),
        "value": said(told.field, told.value),
        "own": said(told.field, told.plan_value),
    }
    if place:
        return _(
            "%(place)s has set the %(number)s to %(value)s; the plan says %(own)s.", place=place, **values
        )
    return _("The %(number)s is %(value)s here; the plan says %(own)s.", **values)


def typed(text: str, number: Number, currency: str) -> values_pb2.Value | None:
    """What was typed, in the number's unit: rates in percent, a factor as it is; None for no number."""
    if number.field == "factor":
        factor = standards_forms.number(text)
        if factor is None:
            return None
        return values_pb2.Value(
            unit=number.value.unit, numerator=factor.numerator, denominator=factor.denominator
        )
    found = standards_forms.value_of(text, number.value.unit, currency)  # type: ignore[arg-type]  # numbered alike
    if found is None:
        return None
    return values_pb2.Value(
        unit=number.value.unit,
        numerator=found.numerator,
        denominator=found.denominator,
        currency=found.currency,
    )


def setting(
    form: Mapping[str, str], plan: plans_pb2.Plan, number: Number, value: values_pb2.Value
) -> parameters_pb2.ParameterSetting:
    """What somebody would like to set, without its days."""
    return parameters_pb2.ParameterSetting(
        node_id=form.get("node_id", "")[:64],
        job_role=plan.job_role,
        rule_id=number.rule_id,
        field=number.field,
        value=value,
        reason=form.get("reason", "").strip()[:500],
    )


def listed(
    states: Sequence[parameters_pb2.ParameterSetting.State.ValueType],
    *,
    plan_node_id: str = "",
    job_role: str = "",
) -> list[parameters_pb2.ParameterSetting]:
    """All that was set for the plans of a node, or of any, as far as the reader may see it."""
    asked = parameters_pb2.ListParameterSettingsRequest(
        plan_node_id=plan_node_id, job_role=job_role, states=states, page_size=_MOST
    )
    found: list[parameters_pb2.ParameterSetting] = []
    while True:
        answer = ask(clients().parameters.ListParameterSettings, asked)
        found += answer.settings
        asked.page_token = answer.next_page_token
        if not asked.page_token:
            return found


def _rules(rules: Any) -> Iterator[tuple[str, plans_pb2.Rule]]:
    for rule in rules:
        yield rule.id, rule
        yield from _rules(inside(rule))


def _own(rule: plans_pb2.Rule, field: str) -> values_pb2.Value:
    kind = getattr(rule, rule.WhichOneof("kind") or "group")
    several = _SEVERAL.fullmatch(field)
    if several is not None:
        return _part(getattr(kind, several[1])[int(several[2])])
    found = getattr(kind, field)
    if isinstance(found, plans_pb2.Condition):
        return getattr(found, found.WhichOneof("bound") or "at_least")  # type: ignore[no-any-return]
    if isinstance(found, int):
        return values_pb2.Value(unit=values_pb2.UNIT_COUNT, numerator=found, denominator=1)
    return _money(found) if isinstance(found, Money) else found


def _part(part: plans_pb2.Tier | plans_pb2.Band | values_pb2.Value) -> values_pb2.Value:
    if isinstance(part, values_pb2.Value):
        return part
    if isinstance(part, plans_pb2.Band) and part.WhichOneof("pays") == "share":
        return part.share
    return _money(part.amount)


def _money(amount: Money) -> values_pb2.Value:
    return values_pb2.Value(
        unit=values_pb2.UNIT_MONEY, numerator=minor(amount), denominator=1, currency=amount.currency_code
    )

"""Plans, their drafts and what checks found."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Literal, Protocol

from foothold.incentives.v1 import plans_pb2, statements_pb2, values_pb2
from google.type import money_pb2

from services.incentives.domain.drafts import (
    DraftBand,
    DraftCondition,
    DraftMoney,
    DraftParameter,
    DraftPlan,
    DraftRule,
    DraftTier,
    DraftValue,
)
from services.incentives.domain.findings import Example, Finding
from services.incentives.domain.metrics import Figure, Figures, named
from services.incentives.domain.plans import Plan
from services.incentives.domain.proposals import Proposal, digest_of
from services.incentives.domain.rule_checks import DEEPEST
from services.incentives.wire.rules import from_rules
from services.incentives.wire.values import from_date, from_money, from_value, to_date, to_money, to_value


def to_draft(message: plans_pb2.Plan) -> DraftPlan:
    """A plan as its author wrote it, whatever is wrong with it."""
    return DraftPlan(
        id=message.id,
        node_id=message.node_id,
        job_role=message.job_role,
        name=message.name,
        period_kind=message.period_kind,
        rules=_to_rules(message.rules),
        effective_from=to_date(message.effective_from) if message.HasField("effective_from") else None,
        reason=message.reason,
        parameters=tuple(
            DraftParameter(
                each.rule_id,
                each.field,
                to_value(each.minimum) if each.HasField("minimum") else None,
                to_value(each.maximum) if each.HasField("maximum") else None,
            )
            for each in message.parameters
        ),
    )


def _to_rules(messages: Iterable[plans_pb2.Rule], depth: int = 0) -> tuple[DraftRule, ...]:
    """Rules deeper than any may be are left out: that the last one is too deep refuses the plan."""
    return tuple(_to_rule(message, depth) for message in messages) if depth <= DEEPEST else ()


def _to_rule(message: plans_pb2.Rule, depth: int) -> DraftRule:
    kind = message.WhichOneof("kind")
    if kind is None:
        return DraftRule(message.id, message.label, "")
    return DraftRule(
        message.id,
        message.label,
        kind,
        credit=tuple(
            (part.metric, to_value(part.share) if part.HasField("share") else None) for part in message.credit
        ),
        **_to_kind(message, depth),
    )


def _to_kind(message: plans_pb2.Rule, depth: int) -> dict[str, Any]:  # noqa: PLR0911  a case a kind
    match message.WhichOneof("kind"):
        case "per_unit":
            unit = message.per_unit
            return {"metric": unit.metric, "amount": _amount(unit)}
        case "threshold_bonus":
            bonus = message.threshold_bonus
            return {"metric": bonus.metric, "amount": _amount(bonus), "threshold": _threshold(bonus)}
        case "per_point":
            point = message.per_point
            told = {"metric": point.metric, "amount": _amount(point), "threshold": _threshold(point)}
            return {**told, "mode": point.mode}
        case "tiers":
            return {"metric": message.tiers.metric, "tiers": tuple(map(_to_tier, message.tiers.tiers))}
        case "rate_of":
            rate = message.rate_of
            return {"metric": rate.metric, "share": to_value(rate.share) if rate.HasField("share") else None}
        case "ranking_prize":
            prize = message.ranking_prize
            return {
                "metric": prize.metric,
                "minimum_denominator": prize.minimum_denominator,
                "prizes": tuple(map(to_money, prize.prizes)),
                "first": to_date(getattr(prize, "from")) if prize.HasField("from") else None,
                "end": to_date(prize.to) if prize.HasField("to") else None,
            }
        case "mentor_bonus":
            bonus_for = message.mentor_bonus
            return {"condition": _to_condition(bonus_for), "amount": _amount(bonus_for)}
        case "graduated":
            bands = tuple(map(_to_band, message.graduated.bands))
            return {"metric": message.graduated.metric, "bands": bands}
        case _:
            return _to_wrapper(message, depth + 1)


def _to_wrapper(message: plans_pb2.Rule, depth: int) -> dict[str, Any]:
    match message.WhichOneof("kind"):
        case "group":
            return {"rules": _to_rules(message.group.rules, depth)}
        case "gate":
            rules = _to_rules(message.gate.rules, depth)
            return {"condition": _to_condition(message.gate), "rules": rules}
        case "cap":
            return {"amount": _amount(message.cap), "rules": _to_rules(message.cap.rules, depth)}
        case "floor":
            return {"amount": _amount(message.floor), "rules": _to_rules(message.floor.rules, depth)}
        case "guarantee":
            guarantee = message.guarantee
            rules = _to_rules(guarantee.rules, depth)
            return {"amount": _amount(guarantee), "months": guarantee.months, "rules": rules}
        case "draw":
            draw = message.draw
            return {
                "amount": _amount(draw),
                "months": draw.months,
                "share": to_value(draw.recovery) if draw.HasField("recovery") else None,
                "rules": _to_rules(draw.rules, depth),
            }
        case "ramp":
            shares = tuple(map(to_value, message.ramp.shares))
            return {"shares": shares, "rules": _to_rules(message.ramp.rules, depth)}
        case _:
            more = message.accelerator
            return {
                "condition": _to_condition(more),
                "share": to_value(more.factor) if more.HasField("factor") else None,
                "rules": _to_rules(more.rules, depth),
            }


def _to_tier(message: plans_pb2.Tier) -> DraftTier:
    return DraftTier(
        low=to_value(message.low) if message.HasField("low") else None,
        high=to_value(message.high) if message.HasField("high") else None,
        amount=_amount(message),
    )


def _to_band(message: plans_pb2.Band) -> DraftBand:
    return DraftBand(
        low=to_value(message.low) if message.HasField("low") else None,
        high=to_value(message.high) if message.HasField("high") else None,
        share=to_value(message.share) if message.HasField("share") else None,
        amount=_amount(message),
    )


def _to_condition(
    message: plans_pb2.Gate | plans_pb2.Accelerator | plans_pb2.MentorBonus,
) -> DraftCondition | None:
    if not message.HasField("condition"):
        return None
    condition = message.condition
    match condition.WhichOneof("bound"):
        case "at_least":
            return DraftCondition(condition.metric, to_value(condition.at_least))
        case "at_most":
            return DraftCondition(condition.metric, to_value(condition.at_most), at_most=True)
        case None:
            return DraftCondition(condition.metric, None)


class _WithAmount(Protocol):
    @property
    def amount(self) -> money_pb2.Money: ...

    def HasField(self, field_name: Literal["amount"]) -> bool: ...  # noqa: N802  protobuf's name


def _amount(message: _WithAmount) -> DraftMoney | None:
    return to_money(message.amount) if message.HasField("amount") else None


def _threshold(message: plans_pb2.ThresholdBonus | plans_pb2.PerPoint) -> DraftValue | None:
    return to_value(message.threshold) if message.HasField("threshold") else None


def from_plan(plan: Plan, effective_to: date | None, currency: str) -> plans_pb2.Plan:
    """A plan in force, or that was; `effective_to` is the day it no longer holds."""
    message = _from_content(plan, currency)
    message.state = plans_pb2.Plan.STATE_APPROVED
    message.decided_by = plan.approved_by
    message.decided_at.FromDatetime(plan.recorded_at)
    if effective_to is not None:
        message.effective_to.CopyFrom(from_date(effective_to))
    return message


def from_proposal(proposal: Proposal, currency: str) -> plans_pb2.Plan:
    """A plan as proposed."""
    message = _from_content(proposal.plan, currency)
    message.state = plans_pb2.Plan.State.ValueType(proposal.state)
    message.decided_by, message.decision_reason = proposal.decided_by, proposal.decision_reason
    if proposal.decided_at is not None:
        message.decided_at.FromDatetime(proposal.decided_at)
    return message


def _from_content(plan: Plan, currency: str) -> plans_pb2.Plan:
    message = plans_pb2.Plan(
        id=plan.id,
        node_id=plan.node_id,
        job_role=plan.job_role,
        name=plan.name,
        period_kind=values_pb2.PeriodKind.ValueType(plan.period_kind),
        rules=from_rules(plan.rules, currency),
        effective_from=from_date(plan.effective_from),
        reason=plan.reason,
        author_id=plan.author_id,
        digest=digest_of(plan),
        parameters=from_parameters(plan, currency),
        base_plan_id="" if plan.base is None else plan.base.id,
        numbers=from_numbers(plan, {}, currency),
    )
    message.recorded_at.FromDatetime(plan.recorded_at)
    return message


def from_parameters(plan: Plan, currency: str) -> list[plans_pb2.PlanParameter]:
    """The numbers that nodes below may set, in the order that the plan names them."""
    own = plan.parameter_numbers
    return [
        plans_pb2.PlanParameter(
            rule_id=each.rule_id,
            field=each.field,
            minimum=each.minimum and from_value(own[each.key].unit, each.minimum, currency),
            maximum=each.maximum and from_value(own[each.key].unit, each.maximum, currency),
        )
        for each in plan.parameters
    ]


def from_numbers(plan: Plan, nodes: Mapping[str, str], currency: str) -> list[statements_pb2.PlanNumber]:
    """In which numbers a variant differs from the plan; `nodes` says who set each, by `Parameter.key`."""
    if plan.base is None:
        return []
    own = plan.base.parameter_numbers
    return [
        statements_pb2.PlanNumber(
            rule_id=key.partition(".")[0],
            field=key.partition(".")[2],
            value=from_value(own[key].unit, value, currency),
            plan_value=from_value(own[key].unit, own[key].value, currency),
            node_id=nodes.get(key, ""),
        )
        for key, value in plan.numbers
    ]


def from_finding(finding: Finding, currency: str) -> plans_pb2.PlanFinding:
    return plans_pb2.PlanFinding(
        severity=plans_pb2.PlanFinding.Severity.ValueType(finding.severity),
        code=finding.code,
        field=finding.field,
        message=finding.message,
        step=None if finding.step is None else from_money(finding.step, currency),
        example=None if finding.example is None else _from_example(finding.example, currency),
    )


def _from_example(example: Example, currency: str) -> plans_pb2.PlanExample:
    at = None
    if example.at is not None:
        value = from_value(example.metric.unit, example.at, currency)
        at = statements_pb2.NamedValue(metric=example.metric.name, value=value)
    return plans_pb2.PlanExample(
        before=_from_figures(example, example.before, currency),
        after=_from_figures(example, example.after, currency),
        pays_before=from_money(example.pays_before, currency),
        pays_after=from_money(example.pays_after, currency),
        at=at,
        other_plan_id=example.other_plan_id,
        other_plan_name=example.other_plan_name,
        other_node_id=example.other_node_id,
    )


def _from_figures(example: Example, figures: Figures, currency: str) -> list[statements_pb2.NamedValue]:
    return [
        statements_pb2.NamedValue(
            metric=name, value=from_value(named(example.known, name).unit, Figure(number, 1), currency)
        )
        for name, number in figures.items()
        if number
    ]

"""Plans, their drafts and what checks found."""

from datetime import date

from foothold.incentives.v1 import plans_pb2, values_pb2

from services.incentives.domain.drafts import DraftMoney, DraftPlan, DraftRule, DraftTier, DraftValue
from services.incentives.domain.findings import Finding
from services.incentives.domain.plans import PerPoint, PerUnit, Plan, Rule, ThresholdBonus, Tiers
from services.incentives.wire.values import from_date, from_figure, from_money, to_date, to_money, to_value


def to_draft(message: plans_pb2.Plan) -> DraftPlan:
    """A plan as its author wrote it, whatever is wrong with it."""
    return DraftPlan(
        id=message.id,
        node_id=message.node_id,
        job_role=message.job_role,
        name=message.name,
        period_kind=message.period_kind,
        rules=tuple(_to_rule(rule) for rule in message.rules),
        effective_from=to_date(message.effective_from) if message.HasField("effective_from") else None,
        reason=message.reason,
    )


def _to_rule(message: plans_pb2.Rule) -> DraftRule:
    match message.WhichOneof("kind"):
        case "per_unit":
            unit = message.per_unit
            return DraftRule(message.id, message.label, "per_unit", unit.metric, _amount(unit))
        case "threshold_bonus":
            bonus = message.threshold_bonus
            return DraftRule(
                message.id, message.label, "threshold_bonus", bonus.metric, _amount(bonus), _threshold(bonus)
            )
        case "per_point":
            point = message.per_point
            return DraftRule(
                message.id,
                message.label,
                "per_point",
                point.metric,
                _amount(point),
                _threshold(point),
                point.mode,
            )
        case "tiers":
            tiers = tuple(_to_tier(tier) for tier in message.tiers.tiers)
            return DraftRule(message.id, message.label, "tiers", message.tiers.metric, tiers=tiers)
        case None:
            return DraftRule(message.id, message.label, "")


def _to_tier(message: plans_pb2.Tier) -> DraftTier:
    return DraftTier(
        low=to_value(message.low) if message.HasField("low") else None,
        high=to_value(message.high) if message.HasField("high") else None,
        amount=_amount(message),
    )


def _amount(
    message: plans_pb2.PerUnit | plans_pb2.ThresholdBonus | plans_pb2.PerPoint | plans_pb2.Tier,
) -> DraftMoney | None:
    return to_money(message.amount) if message.HasField("amount") else None


def _threshold(message: plans_pb2.ThresholdBonus | plans_pb2.PerPoint) -> DraftValue | None:
    return to_value(message.threshold) if message.HasField("threshold") else None


def from_plan(plan: Plan, effective_to: date | None, currency: str) -> plans_pb2.Plan:
    message = plans_pb2.Plan(
        id=plan.id,
        node_id=plan.node_id,
        job_role=plan.job_role,
        name=plan.name,
        period_kind=values_pb2.PeriodKind.ValueType(plan.period_kind),
        rules=[_from_rule(rule, currency) for rule in plan.rules],
        effective_from=from_date(plan.effective_from),
        effective_to=None if effective_to is None else from_date(effective_to),
        reason=plan.reason,
        author_id=plan.author_id,
    )
    message.recorded_at.FromDatetime(plan.recorded_at)
    return message


def _from_rule(rule: Rule, currency: str) -> plans_pb2.Rule:
    message = plans_pb2.Rule(id=rule.id, label=rule.label)
    kind = rule.kind
    match kind:
        case PerUnit():
            message.per_unit.metric = kind.metric
            message.per_unit.amount.CopyFrom(from_money(kind.amount, currency))
        case ThresholdBonus():
            message.threshold_bonus.metric = kind.metric
            message.threshold_bonus.threshold.CopyFrom(from_figure(kind.metric, kind.threshold, currency))
            message.threshold_bonus.amount.CopyFrom(from_money(kind.amount, currency))
        case PerPoint():
            message.per_point.metric = kind.metric
            message.per_point.threshold.CopyFrom(from_figure(kind.metric, kind.threshold, currency))
            message.per_point.amount.CopyFrom(from_money(kind.amount, currency))
            message.per_point.mode = plans_pb2.PerPoint.Mode.ValueType(kind.mode)
        case Tiers():
            message.tiers.metric = kind.metric
            for tier in kind.tiers:
                message.tiers.tiers.add(
                    low=from_figure(kind.metric, tier.low, currency),
                    high=None if tier.high is None else from_figure(kind.metric, tier.high, currency),
                    amount=from_money(tier.amount, currency),
                )
    return message


def from_finding(finding: Finding, currency: str) -> plans_pb2.PlanFinding:
    return plans_pb2.PlanFinding(
        severity=plans_pb2.PlanFinding.Severity.ValueType(finding.severity),
        code=finding.code,
        field=finding.field,
        message=finding.message,
        step=None if finding.step is None else from_money(finding.step, currency),
    )

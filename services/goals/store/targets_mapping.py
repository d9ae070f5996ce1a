"""Targets as standards, and back."""

from services.goals.domain.targets import (
    Allowance,
    Approval,
    Latitude,
    Made,
    OverrideRule,
    ResolvedTarget,
    Target,
    TargetChange,
    TargetState,
    measure_of,
)
from services.goals.domain.values import Unit, Value
from standards import Allowance as StandardAllowance
from standards import Amount, Change, Decision, Resolved, Rule, Standard, State
from standards import Latitude as StandardLatitude
from standards import Made as StandardMade


def target_of(standard: Standard) -> Target:
    """A standard as a target."""
    unit, made, decision = Unit(standard.unit), standard.made, standard.decision
    return Target(
        standard.id,
        standard.node_id,
        standard.subject,
        measure_of(standard.parameter),
        Value(unit, standard.numerator, standard.denominator),
        standard.effective_from,
        standard.effective_to,
        standard.reason,
        standard.author_id,
        standard.recorded_at,
        Made(TargetChange(made.change), made.by, made.reason),
        OverrideRule(
            Latitude(standard.rule.latitude),
            _value(unit, standard.rule.minimum),
            _value(unit, standard.rule.maximum),
            standard.rule.approval,
        ),
        TargetState(standard.state),
        Approval(decision.node_id, decision.approver_id, decision.at),
        standard.revision,
    )


def standard_of(target: Target) -> Standard:
    """A target as a standard; an end that it has was given."""
    rule, made = target.rule, target.made
    return Standard(
        target.id,
        target.node_id,
        target.job_role,
        target.measure.parameter,
        target.value.numerator,
        target.value.denominator,
        int(target.value.unit),
        target.effective_from,
        target.effective_to,
        target.reason,
        target.author_id,
        target.recorded_at,
        StandardMade(Change(made.change), made.by, made.reason),
        Rule(
            StandardLatitude(rule.latitude),
            _amount(rule.minimum),
            _amount(rule.maximum),
            rule.approval_required,
        ),
        target.effective_to is not None,
        State(target.state),
        Decision(target.approval.node_id, target.approval.approver_id, target.approval.decided_at),
        target.revision,
    )


def resolved_of(resolved: Resolved) -> ResolvedTarget:
    """What holds, and what it overrides."""
    return ResolvedTarget(
        target_of(resolved.standard), tuple(target_of(each) for each in resolved.overridden)
    )


def allowance_of(allowance: StandardAllowance, unit: Unit) -> Allowance:
    """What a node may set."""
    return Allowance(
        Latitude(allowance.latitude),
        _value(unit, allowance.minimum),
        _value(unit, allowance.maximum),
        allowance.locked_by,
        allowance.approval_node,
    )


def _value(unit: Unit, amount: Amount | None) -> Value | None:
    return None if amount is None else Value(unit, amount.numerator, amount.denominator)


def _amount(value: Value | None) -> Amount | None:
    return None if value is None else Amount(value.numerator, value.denominator)

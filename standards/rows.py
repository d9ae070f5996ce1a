"""Standards and their rows."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row

from standards.records import Amount, Change, Decision, Latitude, Made, Rule, Standard, State


def read(row: Row[Any]) -> Standard:
    """A row of the table as a standard."""
    return Standard(
        row.id,
        row.node_id,
        row.subject,
        row.parameter,
        row.numerator,
        row.denominator,
        row.unit,
        row.effective_from,
        row.effective_to,
        row.reason,
        row.author_id,
        row.recorded_at,
        Made(Change(row.change), row.changed_by, row.change_reason),
        Rule(
            Latitude(row.latitude),
            _amount(row.minimum_numerator, row.minimum_denominator),
            _amount(row.maximum_numerator, row.maximum_denominator),
            row.approval,
        ),
        row.dated,
        State(row.state),
        Decision(row.approval_node, row.approver_id, row.decided_at),
        row.revision,
        row.superseded_at,
    )


def written(standard: Standard) -> Mapping[str, object]:
    """A standard as a new row that is what is known."""
    rule, made, decision = standard.rule, standard.made, standard.decision
    return {
        "id": standard.id,
        "node_id": standard.node_id,
        "subject": standard.subject,
        "parameter": standard.parameter,
        "numerator": standard.numerator,
        "denominator": standard.denominator,
        "unit": standard.unit,
        "effective_from": standard.effective_from,
        "effective_to": standard.effective_to,
        "reason": standard.reason,
        "author_id": standard.author_id,
        "recorded_at": standard.recorded_at,
        "latitude": int(rule.latitude),
        "minimum_numerator": None if rule.minimum is None else rule.minimum.numerator,
        "minimum_denominator": None if rule.minimum is None else rule.minimum.denominator,
        "maximum_numerator": None if rule.maximum is None else rule.maximum.numerator,
        "maximum_denominator": None if rule.maximum is None else rule.maximum.denominator,
        "approval": rule.approval,
        "dated": standard.dated,
        "state": int(standard.state),
        "approval_node": decision.node_id,
        "approver_id": decision.approver_id,
        "decided_at": decision.at,
        "change": int(made.change),
        "changed_by": made.by,
        "change_reason": made.reason,
    }


def _amount(numerator: int | None, denominator: int | None) -> Amount | None:
    return None if numerator is None or denominator is None else Amount(numerator, denominator)

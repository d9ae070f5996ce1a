"""Adjustments, and what becomes of statements once their period is over."""

from collections.abc import Sequence
from datetime import date

from foothold.incentives.v1 import closing_pb2, periods_pb2, statements_pb2

from services.incentives.domain.closing import Adjustment, Closing, Frozen, HeldDeal, HeldFlag, HeldLine, Sums
from services.incentives.domain.statements import Statement
from services.incentives.wire.values import from_date, from_money, from_period

_STATES = closing_pb2.StatementState


def from_adjustment(adjustment: Adjustment, currency: str) -> closing_pb2.Adjustment:
    message = closing_pb2.Adjustment(
        id=adjustment.id,
        person_id=adjustment.person_id,
        period=from_period(adjustment.period),
        corrects=from_period(adjustment.corrects),
        rule_id=adjustment.rule_id,
        label=adjustment.label,
        amount=from_money(adjustment.amount, currency),
        goals_position=adjustment.goals_position,
        dispute_id=adjustment.dispute_id,
    )
    message.changed_at.FromDatetime(adjustment.changed_at)
    return message


def from_held(line: HeldLine, currency: str) -> closing_pb2.HeldLine:
    """A line that is held back."""
    return closing_pb2.HeldLine(
        rule_id=line.rule_id,
        label=line.label,
        amount=from_money(line.amount, currency),
        reason=line.reason,
        held_by=line.held_by,
        in_part=line.in_part,
    )


def from_held_deal(deal: HeldDeal) -> closing_pb2.HeldDeal:
    """A deal that is held back."""
    message = closing_pb2.HeldDeal(**deal.name._asdict(), reason=deal.reason, held_by=deal.held_by)
    message.held_at.FromDatetime(deal.held_at)
    return message


def from_held_flag(flag: HeldFlag) -> closing_pb2.HeldFlag:
    """A flag that holds back what rests on its facts."""
    return closing_pb2.HeldFlag(flag_id=flag.flag_id, rule=flag.rule)


def complete(
    message: statements_pb2.Statement,
    statement: Statement,
    *,
    frozen: Frozen | None,
    adjustments: Sequence[Adjustment],
    today: date,
    currency: str,
) -> statements_pb2.Statement:
    """Add to a statement how far it is and what later facts adjusted; `today` is the person's."""
    if frozen is not None:
        message.state = _STATES.STATEMENT_STATE_CLOSED
        if frozen.paid_on is not None:
            message.state = _STATES.STATEMENT_STATE_PAID
            message.frozen.paid_on.CopyFrom(from_date(frozen.paid_on))
        elif frozen.approved and not frozen.hold_reason and not frozen.flag_id:
            message.state = _STATES.STATEMENT_STATE_APPROVED
        message.frozen.hold_reason = frozen.hold_reason
        message.frozen.held_lines.extend(from_held(each, currency) for each in frozen.held_lines)
        message.frozen.held_deals.extend(map(from_held_deal, frozen.held_deals))
        message.frozen.held_flags.extend(map(from_held_flag, frozen.held_flags))
        message.frozen.flag_id, message.frozen.flag_rule = frozen.flag_id, frozen.flag_rule
        message.frozen.closed_at.FromDatetime(frozen.closed_at)
        message.frozen.closed_by = frozen.closed_by
        message.frozen.digest = frozen.digest
    elif statement.period.end_day <= today:
        message.state = _STATES.STATEMENT_STATE_ACCRUED
    else:
        message.state = _STATES.STATEMENT_STATE_ESTIMATE
    message.adjustments.extend(from_adjustment(each, currency) for each in adjustments)
    message.due.CopyFrom(from_money(statement.total + sum(each.amount for each in adjustments), currency))
    return message


def from_standing(
    node_id: str,
    closing: Closing | None,
    sums: Sums,
    *,
    runs: bool,
    currency: str,
) -> periods_pb2.PeriodStanding:
    stages = periods_pb2.PeriodStanding
    stage = stages.STAGE_RUNS if runs else stages.STAGE_OVER
    message = periods_pb2.PeriodStanding(
        node_id=node_id,
        period=from_period(sums.period),
        stage=stage if closing is None else stages.STAGE_CLOSED,
        people=sums.people,
        frozen_people=sums.frozen,
        total=from_money(sums.total, currency),
        adjustments=from_money(sums.adjusted, currency),
        due=from_money(sums.total + sums.adjusted, currency),
        corrected_later=from_money(sums.corrected_later, currency),
    )
    if closing is not None:
        message.closed_at.FromDatetime(closing.closed_at)
        message.closed_by, message.closed_node_id = closing.closed_by, closing.node_id
    return message

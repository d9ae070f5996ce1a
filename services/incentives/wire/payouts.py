"""Payouts and batches."""

from datetime import date

from foothold.incentives.v1 import payouts_pb2
from google.type.date_pb2 import Date

from services.incentives.domain.closing import Deal
from services.incentives.domain.payouts import Batch, Payee, Payout, PayoutLine
from services.incentives.wire.closing import from_held, from_held_deal, from_held_flag
from services.incentives.wire.values import from_date, from_money, from_period


def from_payout(payout: Payout, currency: str) -> payouts_pb2.Payout:
    """One person's payout."""
    message = payouts_pb2.Payout(
        person_id=payout.person_id,
        period=from_period(payout.period),
        due=from_money(payout.due, currency),
        last=None if payout.last is None else from_money(payout.last, currency),
        state=payouts_pb2.Payout.State.ValueType(payout.state),
        hold_reason=payout.hold_reason,
        held_by=payout.held_by,
        flag_id=payout.flag_id,
        flag_rule=payout.flag_rule,
        approved_by=payout.approved_by,
        batch_id=payout.batch_id,
    )
    message.held_lines.extend(from_held(each, currency) for each in payout.held_lines)
    message.held_deals.extend(map(from_held_deal, payout.held_deals))
    message.held_flags.extend(map(from_held_flag, payout.held_flags))
    if payout.approved_at is not None:
        message.approved_at.FromDatetime(payout.approved_at)
    return message


def from_batch(batch: Batch, currency: str) -> payouts_pb2.Batch:
    """A batch with its control totals."""
    message = payouts_pb2.Batch(
        id=batch.id,
        node_id=batch.node_id,
        period=from_period(batch.period),
        created_by=batch.created_by,
        people=batch.people,
        lines=batch.lines,
        total=from_money(batch.total, currency),
        digest=batch.digest,
        paid_on=_day(batch.paid_on),
        reference=batch.reference,
        paid_by=batch.paid_by,
    )
    message.created_at.FromDatetime(batch.created_at)
    return message


def from_line(payee: Payee, line: PayoutLine, currency: str) -> payouts_pb2.BatchLine:
    """A line for payroll."""
    return payouts_pb2.BatchLine(
        person_id=line.person_id,
        rule_id=line.rule_id,
        label=line.label,
        corrects=None if line.corrects is None else from_period(line.corrects),
        amount=from_money(line.amount, currency),
        name=payee.name,
        employee_number=payee.employee_number,
    )


def from_deal(deal: Deal, currency: str, *, held: bool) -> payouts_pb2.ListPayoutDealsResponse.Deal:
    """A deal in a payout's figures."""
    message = payouts_pb2.ListPayoutDealsResponse.Deal(
        name=payouts_pb2.PayoutDeal(**deal.name._asdict()),
        amount=None if deal.amount is None else from_money(deal.amount, currency),
        deal_amount=None if deal.whole is None else from_money(deal.whole, currency),
        product=deal.product,
        held=held,
    )
    message.occurred_at.FromDatetime(deal.occurred_at)
    return message


def _day(day: date | None) -> Date | None:
    return None if day is None else from_date(day)

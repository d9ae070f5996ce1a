"""Disputes."""

from datetime import date

from foothold.incentives.v1 import disputes_pb2, statements_pb2

from services.incentives.domain.disputes import Dispute, DisputeState
from services.incentives.wire.values import from_date, from_money, from_period


def from_dispute(dispute: Dispute, currency: str, today: date, *, traced: bool) -> disputes_pb2.Dispute:
    """A dispute as it stands on a day of the person's; with its trace where `traced`."""
    message = disputes_pb2.Dispute(
        id=dispute.id,
        person_id=dispute.person_id,
        period=from_period(dispute.period),
        rule_id=dispute.rule_id,
        label=dispute.label,
        amount=from_money(dispute.amount, currency),
        words=dispute.words,
        due_day=from_date(dispute.due_day),
        late=dispute.late(today),
        state=disputes_pb2.Dispute.State.ValueType(dispute.state),
        answer=dispute.answer,
        answered_by=dispute.answered_by,
    )
    message.opened_at.FromDatetime(dispute.opened_at)
    if dispute.ended_at is not None:
        message.ended_at.FromDatetime(dispute.ended_at)
    if dispute.state is DisputeState.ADJUSTED and dispute.paid_in is not None:
        message.adjustment.CopyFrom(from_money(dispute.adjustment, currency))
        message.paid_in.CopyFrom(from_period(dispute.paid_in))
    if traced:
        message.trace.CopyFrom(statements_pb2.ExplainLineResponse.FromString(dispute.trace))
    return message

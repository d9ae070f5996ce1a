"""Makes batches for payroll, and tells what they book; in the caller's transaction."""

from collections.abc import Mapping
from dataclasses import replace

from chassis.errors import FailedPrecondition
from services.incentives.domain.payouts import (
    Batch,
    LatePart,
    Payee,
    PayoutLine,
    batch_digest,
    less,
    lines_of,
    only,
)
from services.incentives.domain.plan_book import PlanBook
from services.incentives.store.batches import BatchStore
from services.incentives.store.payouts import PayoutStore


def make(store: BatchStore, payouts: PayoutStore, book: PlanBook, begun: Batch) -> Batch:
    """A batch of everything that is approved and free below its node, with its control totals.

    FailedPrecondition REQUEST_ID_REUSED where its id is taken, NOTHING_TO_PAY where nothing would be booked.
    """
    if not store.begin_batch(begun):
        raise FailedPrecondition("REQUEST_ID_REUSED", "Another batch has this id.")
    lines = [line for _, line in booked(store, payouts, book, begun)]
    if not lines:
        raise FailedPrecondition("NOTHING_TO_PAY", "Nothing there is approved, free and in no batch yet.")
    made = replace(
        begun,
        people=len({each.person_id for each in lines}),
        lines=len(lines),
        total=sum(each.amount for each in lines),
        digest=batch_digest(lines),
    )
    store.end_batch(made)
    return made


def booked(
    store: BatchStore, payouts: PayoutStore, book: PlanBook, batch: Batch
) -> list[tuple[Payee, PayoutLine]]:
    """What a batch books for whom, in its order: the same each time, since all of it is frozen.

    Of a payout that is its own all but what was held back; of another batch's what it pays of what that left out.
    """
    left, late = store.left(batch.id), store.late(batch.id)
    payees = store.items(batch.id)
    contents = payouts.contents([each.person_id for each in payees], batch.period)
    return [
        (payee, line)
        for payee, (frozen, adjustments) in zip(payees, contents, strict=True)
        for line in _of_payee(
            lines_of(frozen, book.get(frozen.statement.plan_id), adjustments),
            left.get(payee.person_id, {}),
            late.get(payee.person_id),
        )
    ]


def _of_payee(
    lines: list[PayoutLine], left: Mapping[str, int | None], late: Mapping[str, LatePart] | None
) -> list[PayoutLine]:
    return less(lines, left) if late is None else only(lines, late)

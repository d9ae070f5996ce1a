"""What is due for a closed period on its way to payroll: held back, approved, in a batch, paid."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum
from typing import NamedTuple

from services.incentives.domain.closing import Adjustment, Frozen, HeldDeal, HeldFlag, HeldLine, amounts
from services.incentives.domain.periods import Period
from services.incentives.domain.plans import Plan


class PayoutState(IntEnum):
    """How far a payout is; the numbers of the contract's `Payout.State`."""

    CLOSED = 1
    HELD = 2
    APPROVED = 3
    IN_BATCH = 4
    PAID = 5


@dataclass(frozen=True, slots=True)
class Payout:
    """A frozen statement with the adjustments paid in it, in minor units; `last` is what was due the period before.

    Held back it is by somebody, with a reason, or by a flag of goals', whose rule is named; in part by deals and flags.
    """

    person_id: str
    period: Period
    due: int
    last: int | None = None
    hold_reason: str = ""
    held_by: str = ""
    flag_id: str = ""
    flag_rule: str = ""
    approved_by: str = ""
    approved_at: datetime | None = None
    batch_id: str = ""
    paid_on: date | None = None
    held_lines: tuple[HeldLine, ...] = ()
    held_deals: tuple[HeldDeal, ...] = ()
    held_flags: tuple[HeldFlag, ...] = ()

    @property
    def held(self) -> bool:
        """Whether somebody or a flag holds it back."""
        return bool(self.held_by or self.flag_id)

    @property
    def state(self) -> PayoutState:
        """What is in a batch is beyond being held."""
        if self.paid_on is not None:
            return PayoutState.PAID
        if self.batch_id:
            return PayoutState.IN_BATCH
        if self.held:
            return PayoutState.HELD
        return PayoutState.APPROVED if self.approved_at is not None else PayoutState.CLOSED


class Notice(IntEnum):
    """What deserves a look before a payout is approved; the numbers of the contract's `Payout.Notice`."""

    NEW = 1
    MUCH_MORE = 2
    MUCH_LESS = 3
    TAKEN_BACK = 4


def notices(payout: Payout, *, compared: bool) -> list[Notice]:
    """More than half as much again as last time, less than half of it, for the first time, or below zero.

    `compared`: the period before is closed for somebody here; else nobody is new.
    """
    found = []
    if payout.due < 0:
        found.append(Notice.TAKEN_BACK)
    if payout.last is None:
        return [*found, Notice.NEW] if compared and payout.due else found
    if 2 * payout.due > 3 * payout.last and payout.due > 0:
        found.append(Notice.MUCH_MORE)
    elif 2 * payout.due < payout.last and payout.due >= 0:
        found.append(Notice.MUCH_LESS)
    return found


def noteworthy(payouts: Sequence[Payout]) -> list[tuple[Payout, list[Notice]]]:
    """Every payout with its notices: held ones and those with notices first, the largest change before the others."""
    compared = any(each.last is not None for each in payouts)
    found = [(each, notices(each, compared=compared)) for each in payouts]
    return sorted(
        found,
        key=lambda pair: (
            not (pair[1] or pair[0].held or pair[0].held_lines or pair[0].held_deals or pair[0].held_flags),
            -abs(pair[0].due - (pair[0].last or 0)),
            pair[0].person_id,
        ),
    )


class Payee(NamedTuple):
    """Somebody a batch pays, as they were called when it was made."""

    person_id: str
    name: str
    employee_number: str


class PayoutLine(NamedTuple):
    """What payroll books, in minor units, never zero; `corrects` is the closed period of an adjustment."""

    person_id: str
    rule_id: str
    label: str
    corrects: Period | None
    amount: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Payouts handed to payroll, with control totals; `total` in minor units."""

    id: str
    node_id: str
    period: Period
    created_by: str
    created_at: datetime
    people: int
    lines: int
    total: int
    digest: str
    paid_on: date | None = None
    reference: str = ""
    paid_by: str = ""


@dataclass(frozen=True, slots=True)
class Tally:
    """How many payouts of a node's period are how far; what those waiting and those approved come to, in minor units.

    Approved ones without a line that pays or takes back are left out: there is nothing to hand over.
    """

    waiting: int
    waiting_due: int
    held: int
    approved: int
    batched: int
    approved_due: int
    held_lines: int


def lines_of(frozen: Frozen, plan: Plan | None, adjustments: Iterable[Adjustment]) -> list[PayoutLine]:
    """A payout's lines in the statement's order, adjustments last; their sum is what is due."""
    person_id = frozen.statement.person_id
    found = [
        PayoutLine(person_id, rule_id, label, None, amount)
        for rule_id, (label, amount) in amounts(frozen.statement, plan).items()
    ]
    found += [
        PayoutLine(person_id, each.rule_id, each.label, each.corrects, each.amount) for each in adjustments
    ]
    return [each for each in found if each.amount]


def line_of(lines: Iterable[PayoutLine], rule_id: str) -> PayoutLine | None:
    """What a payout books for a rule, its adjustments included, as one; None where that is nothing at all."""
    found = [each for each in lines if each.rule_id == rule_id]
    return found[0]._replace(amount=sum(each.amount for each in found), corrects=None) if found else None


class LatePart(NamedTuple):
    """What a batch pays of a line that an earlier one left out, in minor units.

    `still_kept` of the whole line is what it leaves out itself; None where it pays a part of the line, no adjustment.
    """

    amount: int
    still_kept: int | None


def less(lines: Iterable[PayoutLine], left: Mapping[str, int | None]) -> list[PayoutLine]:
    """A payout's lines less what is left out of them: a part of the line itself, None for it and its adjustments."""
    found = []
    for each in lines:
        part = left.get(each.rule_id, 0)
        if part is not None:
            found.append(each._replace(amount=each.amount - (0 if each.corrects else part)))
    return [each for each in found if each.amount]


def only(lines: Iterable[PayoutLine], late: Mapping[str, LatePart]) -> list[PayoutLine]:
    """What is paid of a payout's lines by a batch for what an earlier one left out."""
    found = []
    for each in lines:
        part = late.get(each.rule_id)
        if part is None or (part.still_kept is None and each.corrects):
            continue
        if part.still_kept is None:
            found.append(each._replace(amount=part.amount))
        else:
            found += less([each], {each.rule_id: part.still_kept})
    return found


def batch_digest(lines: Sequence[PayoutLine]) -> str:
    """SHA-256 in hexadecimal over a batch's lines, in order (decision 0415)."""
    form = [
        [
            each.person_id,
            each.rule_id,
            [each.corrects.kind.name, each.corrects.first_day.isoformat()] if each.corrects else None,
            each.amount,
        ]
        for each in lines
    ]
    return hashlib.sha256(json.dumps(form, separators=(",", ":")).encode()).hexdigest()

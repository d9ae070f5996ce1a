"""Lines that are disputed by those they pay."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import IntEnum
from typing import Final

from services.incentives.domain.periods import Period

DAYS_TO_ANSWER: Final = timedelta(days=10)
"""Calendar days after the day a dispute was opened on, in the person's zone; the last one is still in time."""


class DisputeState(IntEnum):
    """How far a dispute is; the numbers of the contract's `Dispute.State`."""

    OPEN = 1
    ANSWERED = 2
    ADJUSTED = 3
    WITHDRAWN = 4


@dataclass(frozen=True, slots=True)
class Dispute:
    """A line somebody asked to be looked at again; money in minor units, `trace` as it was explained then."""

    id: str
    person_id: str
    period: Period
    rule_id: str
    label: str
    amount: int
    words: str
    trace: bytes
    opened_at: datetime
    due_day: date
    state: DisputeState = DisputeState.OPEN
    answer: str = ""
    answered_by: str = ""
    ended_at: datetime | None = None
    adjustment: int = 0
    paid_in: Period | None = None

    def late(self, today: date) -> bool:
        """Whether it waits for an answer beyond its day."""
        return self.state is DisputeState.OPEN and today > self.due_day

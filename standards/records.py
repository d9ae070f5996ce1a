"""What a standard is."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Standard:
    """A value that holds for a subject (a job role) at a node and below it, from a day on.

    `parameter` says what it is a value of; the service that asks gives it its meaning, as it does to
    `unit`. `effective_to` is exclusive and None while there is no end in sight.
    """

    id: str
    node_id: str
    subject: str
    parameter: str
    numerator: int
    denominator: int
    unit: int
    effective_from: date
    effective_to: date | None
    reason: str
    author_id: str
    recorded_at: datetime

    def holds_on(self, day: date) -> bool:
        """Whether it is in force on a day."""
        return self.effective_from <= day and (self.effective_to is None or day < self.effective_to)


class Resolved(NamedTuple):
    """The standard in force for a parameter, and those set above that it overrides, nearest first."""

    standard: Standard
    overridden: tuple[Standard, ...]

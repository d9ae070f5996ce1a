"""What a standard is, and what nodes below may do about it."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum
from fractions import Fraction
from typing import NamedTuple


class Latitude(IntEnum):
    """What nodes below may do."""

    FREE = 1
    BOUNDED = 2
    LOCKED = 3


class State(IntEnum):
    """Whether a standard counts."""

    IN_FORCE = 1
    PENDING = 2
    REFUSED = 3
    WITHDRAWN = 4


class Change(IntEnum):
    """What made a standard as it is."""

    SET = 1
    SUCCEEDED = 2
    ENDED = 3
    PROPOSED = 4
    APPROVED = 5
    REFUSED = 6
    WITHDRAWN = 7


class Amount(NamedTuple):
    """An exact number as it was told, never reduced; the denominator is not 0."""

    numerator: int
    denominator: int

    @property
    def fraction(self) -> Fraction:
        return Fraction(self.numerator, self.denominator)

    def __str__(self) -> str:
        return f"{self.numerator}/{self.denominator}"


@dataclass(frozen=True, slots=True)
class Rule:
    """How far a standard binds the nodes below. The bounds, both included, are for BOUNDED only."""

    latitude: Latitude = Latitude.FREE
    minimum: Amount | None = None
    maximum: Amount | None = None
    approval: bool = False


class Made(NamedTuple):
    """What made it as it is: by whom and why. When is `recorded_at`."""

    change: Change
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Decision:
    """Who approved or refused it, and when; `node_id` is whose rule asks for that, empty where none does."""

    node_id: str = ""
    approver_id: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Standard:
    """A value that holds for a subject (a job role) at a node and below it, from a day on.

    `parameter` says what it is a value of; the service that asks gives it its meaning, as it does to
    `unit`. `effective_to` is exclusive and None while there is no end in sight; `dated` says that the end was
    given, and did not come from another one set for a later day. `reason` and `author_id` are of who set it.
    It is what was known from `recorded_at` until `superseded_at`, None while it is.
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
    made: Made
    rule: Rule = Rule()
    dated: bool = False
    state: State = State.IN_FORCE
    decision: Decision = Decision()
    revision: int = 0
    superseded_at: datetime | None = None

    @property
    def amount(self) -> Amount:
        return Amount(self.numerator, self.denominator)

    def holds_on(self, day: date) -> bool:
        """Whether it counts and is in force on a day."""
        return self.state is State.IN_FORCE and self.covers(day)

    def covers(self, day: date) -> bool:
        """Whether the day is one of those it is set for."""
        return self.effective_from <= day and (self.effective_to is None or day < self.effective_to)

    def meets(self, other: "Standard") -> bool:
        """Whether there is a day that both are set for."""
        return max(self.effective_from, other.effective_from) < min(
            self.effective_to or date.max, other.effective_to or date.max
        )


class Resolved(NamedTuple):
    """The standard in force for a parameter, and those set above that it overrides, nearest first."""

    standard: Standard
    overridden: tuple[Standard, ...]


class Allowance(NamedTuple):
    """What a node may set, by all the rules above it: a nearer one cannot loosen a farther one.

    `locked_by` is the widest node that locks it, `approval_node` the widest that asks for approval.
    """

    latitude: Latitude
    minimum: Amount | None
    maximum: Amount | None
    locked_by: str
    approval_node: str

    def admits(self, amount: Amount) -> bool:
        """Whether the amount may be set."""
        if self.latitude is Latitude.LOCKED:
            return False
        low, high = self.minimum, self.maximum
        return (low is None or low.fraction <= amount.fraction) and (
            high is None or amount.fraction <= high.fraction
        )

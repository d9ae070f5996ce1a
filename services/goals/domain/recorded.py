"""What became of facts: results of recording, and versions as they stand in the ledger."""

from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Final, NamedTuple

from services.goals.domain.credits import deal_source
from services.goals.domain.facts import Credit, Key, Refusal, fact_id

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Place = tuple[int, str, str, int]
"""Where a page ends: microseconds of the occurrence, source, external id, version."""


class Recorded(NamedTuple):
    """A version as recorded. Amounts are in minor units, None when none was told; leave is in half days, as told.

    A deal with credits and its parts have the `deal_amount` told, and `amount` is what of it is this person's. A part
    names its `deal` by external id.
    """

    source: str
    external_id: str
    version: int
    kind: int
    person_id: str
    occurred_at: datetime
    customer: str
    product: str
    channel: str
    amount: int | None
    minutes: int
    reverses: str
    attributes: dict[str, str] | None
    leave_first: int | None
    leave_stop: int | None
    voided: bool
    counts: bool
    recorded_at: datetime
    credits: tuple[Credit, ...]
    deal_amount: int | None
    deal: str
    reversed_by: str

    @property
    def deal_id(self) -> str:
        """The ledger's id of the deal that this is a part of, in the version it is; its own where it is no part."""
        return fact_id(deal_source(self.source), self.deal or self.external_id, self.version)

    @property
    def id(self) -> str:
        """The ledger's id of this version."""
        return fact_id(self.source, self.external_id, self.version)

    @property
    def place(self) -> Place:
        """Where a page that ends with it ends."""
        micros = (self.occurred_at - _EPOCH) // timedelta(microseconds=1)
        return (micros, self.source, self.external_id, self.version)


class Deal(NamedTuple):
    """What counts for somebody of a deal. Amounts are in minor units, None when none was told.

    `deal_amount` is the whole of a shared one.
    """

    key: Key
    kind: int
    occurred_at: datetime
    amount: int | None
    deal_amount: int | None
    product: str


class Outcome(IntEnum):
    """What became of a row; the numbers of `foothold.goals.v1.FactOutcome`."""

    RECORDED = 1
    ALREADY_KNOWN = 2
    REFUSED = 3


class Result(NamedTuple):
    """What became of a row: why it was refused, where it was. Whatever was not refused is known by its fact's id."""

    outcome: Outcome
    refusal: Refusal | None = None


RECORDED: Final = Result(Outcome.RECORDED)
ALREADY_KNOWN: Final = Result(Outcome.ALREADY_KNOWN)

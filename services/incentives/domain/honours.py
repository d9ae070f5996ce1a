"""Honours: who was first on a board, confirmed by a person, shown as the honoured one likes."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Final

from services.incentives.domain.metrics import Figure, Figures
from services.incentives.domain.periods import Period
from services.incentives.domain.ranking import Board, exact_order, place

LEAST_RANKED: Final = 3
"""Among fewer nobody is honoured for being first."""


class HonourState(IntEnum):
    """How far an honour is; the numbers of the contract's `Honour.State`."""

    PROPOSED = 1
    CONFIRMED = 2
    PASSED = 3
    WITHDRAWN = 4


class Consent(IntEnum):
    """What the honoured person lets others see; the numbers of the contract's `Honour.Consent`."""

    UNANSWERED = 0
    NAME = 1
    STORY = 2
    NOTHING = 3


@dataclass(frozen=True, slots=True)
class Honour:
    """A decision about who was first, or a proposal without an id.

    `second` is the value of the next one then, None where nobody was: what the person's figures have to reach for the
    honour to stand. A period that was passed over names nobody. `photo` is the etag of a photo, empty for none.
    """

    id: str
    board_id: str
    node_id: str
    period: Period
    person_id: str
    value: Figure | None
    second: Figure | None
    state: HonourState
    reason: str = ""
    decided_by: str = ""
    decided_at: datetime | None = None
    consent: Consent = Consent.UNANSWERED
    story: str = ""
    photo: str = ""
    photo_shown: bool = False

    @property
    def is_shown(self) -> bool:
        """Whether everybody at the node may see it: the name is on the board anyway, until the person says no."""
        return self.state is HonourState.CONFIRMED and self.consent is not Consent.NOTHING

    @property
    def told_story(self) -> str:
        """The story, where the person lets it be told."""
        return self.story if self.consent is Consent.STORY else ""

    @property
    def shown_photo(self) -> str:
        """The photo's etag, where the person lets the photo be seen; with the name, or not at all."""
        return self.photo if self.is_shown and self.photo_shown else ""


def still_first(board: Board, honour: Honour, figures: Figures, before: Figures) -> bool:
    """Whether corrected figures still make the person first of those there were.

    What others are told of later takes no honour away; only what is learned of the person does.
    """
    found = place(board, figures, before)
    if found is None or not found.ranked:
        return False
    return honour.second is None or exact_order(found.value) >= exact_order(honour.second)

"""What is set about work at nodes: calendars, leave policies and ramps, from a day on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum

from services.goals.domain.leave import LeavePolicy, Ramp
from services.goals.domain.workdays import SpecialDay, WorkCalendar


class RuleKind(IntEnum):
    """What a rule is about. COMPLETE_YEAR says that the special days entered make that year known."""

    CALENDAR = 1
    LEAVE_POLICY = 2
    RAMP = 3
    COMPLETE_YEAR = 4


Content = WorkCalendar | LeavePolicy | Ramp


@dataclass(frozen=True, slots=True)
class WorkRule:
    """A rule at a node from a day on, until one of its kind set for a later day; without content it inherits again.

    It is what was known from `recorded_at` until `superseded_at`, None while it is.
    """

    node_id: str
    kind: RuleKind
    effective_from: date
    content: Content | None
    reason: str
    author_id: str
    recorded_at: datetime
    superseded_at: datetime | None = None
    revision: int = 0


@dataclass(frozen=True, slots=True)
class EnteredDay:
    """A special day as entered, or taken back, at a node; known as a rule is."""

    special: SpecialDay
    removed: bool
    reason: str
    author_id: str
    recorded_at: datetime
    superseded_at: datetime | None = None
    revision: int = 0


def in_force(rules: Mapping[str, Sequence[WorkRule]], path: Sequence[str], day: date) -> tuple[WorkRule, ...]:
    """Those of one kind that are in force on a day at a node, and above it; `path` and what comes are nearest first.

    `rules` has what is known at each node, ascending by day.
    """
    found = []
    for node_id in path:
        held = [each for each in rules.get(node_id, ()) if each.effective_from <= day]
        if held and held[-1].content is not None:
            found.append(held[-1])
    return tuple(found)

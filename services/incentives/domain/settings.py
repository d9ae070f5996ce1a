"""What a node has set, or would like to, for a parameter of the plans above it (0430)."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum

from services.incentives.domain.metrics import Figure
from services.incentives.domain.parameters import Number


class SettingState(IntEnum):
    """How far a setting is; the numbers of the contract's `ParameterSetting.State`."""

    IN_FORCE = 1
    PENDING = 2
    REFUSED = 3
    WITHDRAWN = 4


@dataclass(frozen=True, slots=True)
class Proposed:
    """A number that a node would like to set; money in minor units. With an end it holds for just those days."""

    node_id: str
    job_role: str
    plan_node_id: str
    key: str
    value: Figure
    number: Number
    effective_from: date
    effective_to: date | None
    reason: str
    author_id: str


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting as known from `recorded_at` on.

    `number` is what the plan in force today says itself, None where it has no such parameter any more;
    `out_of_bounds`: its bounds were drawn closer since.
    """

    id: str
    node_id: str
    job_role: str
    plan_node_id: str
    rule_id: str
    field: str
    value: Figure
    unit: int
    effective_from: date
    effective_to: date | None
    reason: str
    author_id: str
    recorded_at: datetime
    state: SettingState
    decided_by: str
    decided_at: datetime | None
    decision_reason: str
    number: Number | None
    out_of_bounds: bool

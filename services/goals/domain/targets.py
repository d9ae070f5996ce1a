"""What a target may ask for."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum
from fractions import Fraction
from typing import Final, NamedTuple

from services.goals.domain.facts import LARGEST_AMOUNT
from services.goals.domain.metrics import METRICS, Metric
from services.goals.domain.periods import PeriodKind
from services.goals.domain.values import Unit, Value, exactly

LARGEST_DENOMINATOR: Final = 1_000_000


class Measure(NamedTuple):
    """What a target is for: a metric over a kind of period."""

    metric: str
    period_kind: PeriodKind

    @property
    def parameter(self) -> str:
        """Its name among the standards."""
        return f"{self.metric}/{int(self.period_kind)}"

    @property
    def place(self) -> tuple[int, str, int]:
        """Where it comes in the order people read: built-in metrics first, then the enterprise's own by name."""
        built_in = list(METRICS)
        place = built_in.index(self.metric) if self.metric in METRICS else len(built_in)
        return place, self.metric, int(self.period_kind)


class Latitude(IntEnum):
    """What nodes below may do; the numbers of `foothold.goals.v1.Latitude`."""

    FREE = 1
    BOUNDED = 2
    LOCKED = 3


class TargetState(IntEnum):
    """Whether a target counts; the numbers of `foothold.goals.v1.TargetState`."""

    IN_FORCE = 1
    PENDING = 2
    REFUSED = 3
    WITHDRAWN = 4


class TargetChange(IntEnum):
    """What made a target as it is; the numbers of `foothold.goals.v1.TargetChange`."""

    SET = 1
    SUCCEEDED = 2
    ENDED = 3
    PROPOSED = 4
    APPROVED = 5
    REFUSED = 6
    WITHDRAWN = 7


@dataclass(frozen=True, slots=True)
class OverrideRule:
    """How far a target binds the nodes below; bounds, both included, where it is BOUNDED."""

    latitude: Latitude = Latitude.FREE
    minimum: Value | None = None
    maximum: Value | None = None
    approval_required: bool = False


@dataclass(frozen=True, slots=True)
class Approval:
    """Whose rule asks for approval (empty where none does), who decided, and when."""

    node_id: str = ""
    approver_id: str = ""
    decided_at: datetime | None = None


class Made(NamedTuple):
    """What made a target as it is known, by whom and why."""

    change: TargetChange
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Target:
    """A target as set at one node, in force from a day on and until, not including, another."""

    id: str
    node_id: str
    job_role: str
    measure: Measure
    value: Value
    effective_from: date
    effective_to: date | None
    reason: str
    author_id: str
    recorded_at: datetime
    made: Made
    rule: OverrideRule = OverrideRule()
    state: TargetState = TargetState.IN_FORCE
    approval: Approval = Approval()
    revision: int = 0


class KnownTarget(NamedTuple):
    """What was known of a target, until when; None while it is."""

    target: Target
    superseded_at: datetime | None


class ResolvedTarget(NamedTuple):
    """The target that holds for a person, and what it overrides, nearest first."""

    target: Target
    overridden: tuple[Target, ...]


class Allowance(NamedTuple):
    """What a node may set, by all the rules above it; node ids are empty where no rule locks or asks for approval."""

    latitude: Latitude
    minimum: Value | None
    maximum: Value | None
    locked_by: str
    approval_node: str


class TargetAtNode(NamedTuple):
    """What holds at a node, and what may be set there; whether what it has set itself lies outside of that."""

    resolved: ResolvedTarget
    allowance: Allowance
    out_of_bounds: bool


class Drift(NamedTuple):
    """A node's target that differs from the nearest one above it."""

    target: Target
    standard: Target
    allowance: Allowance
    out_of_bounds: bool

    @property
    def difference(self) -> Value:
        """The target less the standard, in lowest terms."""
        return exactly(self.target.value.unit, _number(self.target.value) - _number(self.standard.value))


def _number(value: Value) -> Fraction:
    return Fraction(value.numerator, value.denominator)


def measure_of(parameter: str) -> Measure:
    """The measure a standard's parameter names."""
    metric, _, kind = parameter.rpartition("/")
    return Measure(metric, PeriodKind(int(kind)))


def check_value(metric: Metric, value: Value, *, currency: str, expected_currency: str) -> str | None:
    """What is wrong with a target's value, in English."""
    unit = metric.unit
    if value.unit is not unit:
        return f"{metric.name} is counted in {unit.name}"
    if unit is Unit.MONEY and currency != expected_currency:
        return f"must be in {expected_currency}"
    if unit is not Unit.MONEY and currency:
        return "a currency is for money only"
    if not 1 <= value.denominator <= LARGEST_DENOMINATOR:
        return f"the denominator must be 1 to {LARGEST_DENOMINATOR}"
    if not 0 <= value.numerator <= LARGEST_AMOUNT:
        return f"the numerator must be 0 to {LARGEST_AMOUNT}"
    if unit is Unit.RATE and value.numerator > value.denominator:
        return "a rate is at most 1"
    return None


def check_rule(value: Value, rule: OverrideRule) -> tuple[str, str] | None:
    """The field of a target's rule that is wrong, and why, in English; its values are checked by themselves."""
    if rule.latitude is not Latitude.BOUNDED:
        if rule.minimum is not None or rule.maximum is not None:
            return "latitude", "bounds are for LATITUDE_BOUNDED only"
        return None
    if rule.minimum is None and rule.maximum is None:
        return "minimum", "a bound is needed, here or as the maximum"
    if rule.minimum is not None and _number(rule.minimum) > _number(value):
        return "minimum", "must not be above the target's own value"
    if rule.maximum is not None and _number(rule.maximum) < _number(value):
        return "maximum", "must not be below the target's own value"
    return None

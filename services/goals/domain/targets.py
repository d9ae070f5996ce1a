"""What a target may ask for."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, NamedTuple

from services.goals.domain.facts import LARGEST_AMOUNT
from services.goals.domain.metrics import METRICS, Metric
from services.goals.domain.periods import PeriodKind
from services.goals.domain.values import Unit, Value

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


class ResolvedTarget(NamedTuple):
    """The target that holds for a person, and what it overrides, nearest first."""

    target: Target
    overridden: tuple[Target, ...]


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

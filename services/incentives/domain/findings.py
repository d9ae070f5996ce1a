"""What a check finds, and how its messages write figures."""

from dataclasses import dataclass, field
from enum import IntEnum

from services.incentives.domain.drafts import DraftValue
from services.incentives.domain.metrics import METRICS, UNREAD, Figure, Figures, Known, Metric, Unit


class Severity(IntEnum):
    """How bad a finding is; the numbers of the contract's `PlanFinding.Severity`."""

    WARNING = 1
    ERROR = 2


@dataclass(frozen=True, slots=True)
class Example:
    """Figures before and after, and what they pay, in minor units; what an example does not need is left empty.

    For a cliff `metric` and the value `at` which the step is; for plans that differ `pays_before` is the other's.
    `known` says what the figures' names mean.
    """

    before: Figures = field(default_factory=dict)
    after: Figures = field(default_factory=dict)
    pays_before: int = 0
    pays_after: int = 0
    metric: Metric = UNREAD
    at: Figure | None = None
    other_plan_id: str = ""
    other_plan_name: str = ""
    other_node_id: str = ""
    known: Known = field(default_factory=lambda: METRICS)


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong or worth knowing: `code` for machines, `field` for the form, `message` for people.

    `step` is what a cliff pays at once, in minor units.
    """

    severity: Severity
    code: str
    field: str
    message: str
    step: int | None = None
    example: Example | None = None


def error(code: str, name: str, message: str) -> Finding:
    return Finding(Severity.ERROR, code, name, message)


def check_text(name: str, text: str, longest: int) -> list[Finding]:
    """Text must be there, printable and not too long."""
    if not text.strip() or len(text) > longest or not _storable(text):
        return [error("FIELD_INVALID", name, f"Required: 1 to {longest} printable characters.")]
    return []


def _storable(text: str) -> bool:
    return all(char.isprintable() or char == "\n" for char in text)


def money(minor: int) -> str:
    """123456 minor units as 1,234.56."""
    sign = "-" if minor < 0 else ""
    whole, rest = divmod(abs(minor), 100)
    return f"{sign}{whole:,}.{rest:02}"


def written(value: DraftValue) -> str:
    """A value as people write it: 10 %, 12, 1,000.00, 90 min; a fraction where decimals are not exact."""
    if value.unit == Unit.RATE:
        hundredths, rest = divmod(value.numerator * 10_000, value.denominator)
        if rest:
            return f"{value.numerator}/{value.denominator}"
        return f"{hundredths // 100}.{hundredths % 100:02}".rstrip("0").rstrip(".") + " %"
    if value.unit == Unit.MONEY:
        return money(value.numerator)
    return f"{value.numerator:,}" + (" min" if value.unit == Unit.MINUTES else "")

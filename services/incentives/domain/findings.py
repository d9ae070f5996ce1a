"""What a check finds, and how its messages write figures."""

from dataclasses import dataclass
from enum import IntEnum

from services.incentives.domain.drafts import DraftValue
from services.incentives.domain.metrics import Unit


class Severity(IntEnum):
    """How bad a finding is; the numbers of the contract's `PlanFinding.Severity`."""

    WARNING = 1
    ERROR = 2


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


def error(code: str, field: str, message: str) -> Finding:
    return Finding(Severity.ERROR, code, field, message)


def check_text(field: str, text: str, longest: int) -> list[Finding]:
    """Text must be there, printable and not too long."""
    if not text.strip() or len(text) > longest or not _storable(text):
        return [error("FIELD_INVALID", field, f"Required: 1 to {longest} printable characters.")]
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

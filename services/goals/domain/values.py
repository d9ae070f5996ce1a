"""Exact values: a unit, a numerator and a denominator, never a binary float (R1)."""

from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction


class Unit(IntEnum):
    """What a value is counted in; the numbers of `foothold.goals.v1.Unit`."""

    COUNT = 1
    RATE = 2
    MONEY = 3
    MINUTES = 4


@dataclass(frozen=True, slots=True)
class Value:
    """An exact rational. Rates keep numerator and denominator as counted; denominator 0 is "no data" (R4).

    Money is in minor units of the enterprise's currency.
    """

    unit: Unit
    numerator: int
    denominator: int = 1

    @property
    def fraction(self) -> Fraction | None:
        """The number, or None without data."""
        return Fraction(self.numerator, self.denominator) if self.denominator else None


def exactly(unit: Unit, number: Fraction) -> Value:
    """A value from a number, in lowest terms."""
    return Value(unit, number.numerator, number.denominator)


def no_data(unit: Unit) -> Value:
    """The value of something that cannot be judged: neither 0 nor unmet."""
    return Value(unit, 0, 0)

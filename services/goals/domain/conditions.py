"""What a fact must be like to count for a metric: typed conditions, never code."""

from dataclasses import dataclass
from enum import IntEnum
from json import loads
from typing import Final

from services.goals.domain.facts import LARGEST_AMOUNT

_MOST_CHANNELS: Final = 20
_MOST_PRODUCTS: Final = 50
_MOST_ATTRIBUTES: Final = 5
_MOST_VALUES: Final = 20
_LONGEST: Final = 120
_LONGEST_NAME: Final = 40
_LONGEST_VALUE: Final = 200


class Novelty(IntEnum):
    """Whom a customer is to the person when the period begins; the contract's `MetricDefinition.Novelty`."""

    ANYBODY = 0
    NEW = 1
    KNOWN = 2


@dataclass(frozen=True, slots=True)
class Conditions:
    """Every condition given must hold; one not given holds for every fact. Amounts in minor units, inclusive."""

    channels: frozenset[str] = frozenset()
    products: frozenset[str] = frozenset()
    least_amount: int | None = None
    most_amount: int | None = None
    attributes: tuple[tuple[str, frozenset[str]], ...] = ()
    customers: Novelty = Novelty.ANYBODY

    @property
    def of_facts(self) -> bool:
        """Whether a fact by itself can fail them; whom a customer is depends on the period instead."""
        return bool(
            self.channels
            or self.products
            or self.attributes
            or self.least_amount is not None
            or self.most_amount is not None
        )

    def admit(self, channel: str, product: str, amount: int | None, attributes: str) -> bool:
        """Whether a fact meets what can be asked of it alone. `attributes` is a JSON object or empty."""
        if self.channels and channel not in self.channels:
            return False
        if self.products and product not in self.products:
            return False
        if self.least_amount is not None and (amount is None or amount < self.least_amount):
            return False
        if self.most_amount is not None and (amount is None or amount > self.most_amount):
            return False
        if not self.attributes:
            return True
        told = loads(attributes) if attributes else {}
        return all(told.get(name) in values for name, values in self.attributes)


UNCONDITIONAL: Final = Conditions()
"""Every fact counts."""


def check_conditions(conditions: Conditions) -> dict[str, str]:
    """What is wrong, by field of the contract, in English."""
    wrong: dict[str, str] = {}
    for field, texts, most in (
        ("channels", conditions.channels, _MOST_CHANNELS),
        ("products", conditions.products, _MOST_PRODUCTS),
    ):
        if len(texts) > most or not all(_usable(each, _LONGEST) for each in texts):
            wrong[field] = f"must be at most {most} texts of 1 to {_LONGEST} characters"
    least, most_amount = conditions.least_amount, conditions.most_amount
    for field, amount in (("least_amount", least), ("most_amount", most_amount)):
        if amount is not None and not 0 <= amount <= LARGEST_AMOUNT:
            wrong[field] = f"must be 0 to {LARGEST_AMOUNT} minor units"
    if not wrong and least is not None and most_amount is not None and least > most_amount:
        wrong["most_amount"] = "must not be below least_amount: no amount could meet both"
    names = [name for name, _ in conditions.attributes]
    if (
        len(names) > _MOST_ATTRIBUTES
        or len(set(names)) < len(names)
        or not all(_usable(name, _LONGEST_NAME) for name in names)
    ):
        wrong["attributes"] = (
            f"must be at most {_MOST_ATTRIBUTES} different names of 1 to {_LONGEST_NAME} characters"
        )
    for _, values in conditions.attributes:
        if not 1 <= len(values) <= _MOST_VALUES or not all(_usable(each, _LONGEST_VALUE) for each in values):
            wrong["attributes"] = f"each needs 1 to {_MOST_VALUES} values of 1 to {_LONGEST_VALUE} characters"
    return wrong


def _usable(text: str, longest: int) -> bool:
    return 0 < len(text) <= longest and text.isprintable()

"""Credits as they are written beside a deal and its parts."""

from collections.abc import Sequence
from fractions import Fraction
from json import dumps

from services.goals.domain.facts import Credit

Written = Sequence[tuple[str, int, int, bool]]
"""Per credit whose it is, the share's numerator and denominator, and whether it is overlay, in the order told."""


def credits_text(given: Sequence[Credit]) -> str:
    """A JSON array; empty where there are none."""
    if not given:
        return ""
    return dumps([[each.person_id, *each.share.as_integer_ratio(), each.overlay] for each in given])


def read_credits(written: Written | None) -> tuple[Credit, ...]:
    """Credits as told."""
    return tuple(
        Credit(person_id, Fraction(numerator, denominator), overlay)
        for person_id, numerator, denominator, overlay in written or ()
    )

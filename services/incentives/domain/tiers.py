"""Tiers must hold every value exactly once (R3): no gap, no overlap, none out of reach."""

from collections.abc import Sequence
from fractions import Fraction

from services.incentives.domain.drafts import DraftTier, DraftValue
from services.incentives.domain.findings import Finding, error, written


def check_tiers(
    field: str, largest: int | None, tiers: Sequence[DraftTier], *, part: str = "tiers"
) -> list[Finding]:
    """Errors of shape, each naming the tier. Every single value has been found sound before.

    `largest` is the value the metric never passes; `part` is what the tiers are called in the contract.

    Out of reach is a tier that holds no value at all, or only values above the metric's largest.
    """
    found: list[Finding] = []
    low = tiers[0].low
    if low is not None and low.numerator != 0:
        found.append(
            error(
                "TIER_GAP",
                f"{field}.{part}[0].low",
                f"Values below {written(low)} are in no tier; begin at 0.",
            )
        )
    for index, tier in enumerate(tiers):
        found += _alone(f"{field}.{part}[{index}]", largest, tier)
        if index + 1 < len(tiers):
            found += _beside(f"{field}.{part}[{index + 1}]", tier, tiers[index + 1])
    last = tiers[-1].high
    if last is not None:
        found.append(
            error(
                "TIER_GAP",
                f"{field}.{part}[{len(tiers) - 1}].high",
                f"Values from {written(last)} on are in no tier; leave the last tier's high unset.",
            )
        )
    return found


def _alone(field: str, largest: int | None, tier: DraftTier) -> list[Finding]:
    if tier.low is None:
        return []
    if tier.high is not None and _exact(tier.high) <= _exact(tier.low):
        message = f"No value is at least {written(tier.low)} and below {written(tier.high)}."
        return [error("TIER_UNREACHABLE", field, message)]
    if largest is not None and _exact(tier.low) > largest:
        message = f"{written(tier.low)} is more than it can be: it is a share of a whole, at most 100 %."
        return [error("TIER_UNREACHABLE", field, message)]
    return []


def _beside(name: str, tier: DraftTier, following: DraftTier) -> list[Finding]:
    if following.low is None:
        return []
    begins = written(following.low)
    if tier.high is None:
        message = f"The tier before has no upper end, so it claims {begins} as well; give it a high."
        return [error("TIER_OVERLAP", name, message)]
    ends = written(tier.high)
    if _exact(following.low) > _exact(tier.high):
        return [error("TIER_GAP", f"{name}.low", f"Values from {ends} up to {begins} are in no tier.")]
    if _exact(following.low) < _exact(tier.high):
        message = f"Values from {begins} up to {ends} are in this tier and the one before."
        return [error("TIER_OVERLAP", f"{name}.low", message)]
    return []


def _exact(value: DraftValue) -> Fraction:
    return Fraction(value.numerator, value.denominator)

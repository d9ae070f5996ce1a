"""Tiers must hold every value exactly once (R3): no gap, no overlap, none out of reach."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from services.incentives.domain.drafts import DraftTier, DraftValue
from services.incentives.domain.findings import Finding, Severity, error, money, written
from services.incentives.domain.metrics import Metric


def check_tiers(field: str, metric: Metric, tiers: Sequence[DraftTier]) -> list[Finding]:
    """Errors of shape, each naming the tier. Every single value has been found sound before.

    Out of reach is a tier that holds no value at all, or only values above the metric's largest.
    """
    found: list[Finding] = []
    low = tiers[0].low
    if low is not None and low.numerator != 0:
        found.append(
            error(
                "TIER_GAP",
                f"{field}.tiers[0].low",
                f"Values below {written(low)} are in no tier; begin at 0.",
            )
        )
    for index, tier in enumerate(tiers):
        found += _alone(f"{field}.tiers[{index}]", metric, tier)
        if index + 1 < len(tiers):
            found += _beside(field, index, tier, tiers[index + 1])
    last = tiers[-1].high
    if last is not None:
        found.append(
            error(
                "TIER_GAP",
                f"{field}.tiers[{len(tiers) - 1}].high",
                f"Values from {written(last)} on are in no tier; leave the last tier's high unset.",
            )
        )
    return found


def _alone(field: str, metric: Metric, tier: DraftTier) -> list[Finding]:
    if tier.low is None:
        return []
    if tier.high is not None and _exact(tier.high) <= _exact(tier.low):
        message = f"No value is at least {written(tier.low)} and below {written(tier.high)}."
        return [error("TIER_UNREACHABLE", field, message)]
    if metric.largest is not None and _exact(tier.low) > metric.largest:
        message = (
            f"{written(tier.low)} is more than {metric.name} can be: it is a share of a whole, at most 100 %."
        )
        return [error("TIER_UNREACHABLE", field, message)]
    return []


def _beside(field: str, index: int, tier: DraftTier, following: DraftTier) -> list[Finding]:
    name = f"{field}.tiers[{index + 1}]"
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


def cliffs(field: str, tiers: Sequence[DraftTier]) -> list[Finding]:
    """A warning for every step between neighbours of a sound set of tiers."""
    found = []
    for index, (tier, following) in enumerate(pairwise(tiers)):
        before, after, at = _minor(tier), _minor(following), following.low
        if before == after or at is None:
            continue
        message = (
            f"Just under {written(at)} pays {money(before)}, {written(at)} pays {money(after)}: "
            f"a step of {money(after - before)} at once."
        )
        where = f"{field}.tiers[{index + 1}]"
        found.append(Finding(Severity.WARNING, "CLIFF", where, message, step=after - before))
    return found


def _minor(tier: DraftTier) -> int:
    return 0 if tier.amount is None or tier.amount.minor is None else tier.amount.minor


def _exact(value: DraftValue) -> Fraction:
    return Fraction(value.numerator, value.denominator)

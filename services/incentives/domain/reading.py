"""A plan read back in plain words, so that its author sees what was meant and what was written."""

from typing import assert_never

from services.incentives.domain.drafts import DraftValue
from services.incentives.domain.evaluation import pay
from services.incentives.domain.findings import money, written
from services.incentives.domain.metrics import METRICS, Figure
from services.incentives.domain.plans import POINTS, PerPoint, PerUnit, PointMode, Rule, ThresholdBonus, Tiers


def read_back(rule: Rule) -> str:
    """One rule as a sentence with an example."""
    kind = rule.kind
    match kind:
        case PerUnit():
            ten = money(pay(kind, Figure(10, 1)))
            return f"{rule.label}: {money(kind.amount)} for each of {kind.metric}; 10 pay {ten}."
        case ThresholdBonus():
            at = _written(kind.metric, kind.threshold)
            return f"{rule.label}: {money(kind.amount)} once {kind.metric} reaches {at}; exactly {at} counts."
        case PerPoint():
            numerator, denominator = kind.threshold
            above = Figure(2 * POINTS * numerator + 5 * denominator, 2 * POINTS * denominator)
            how = "whole points only" if kind.mode is PointMode.WHOLE else "part points in proportion"
            return (
                f"{rule.label}: {money(kind.amount)} per percentage point of {kind.metric} above "
                f"{_written(kind.metric, kind.threshold)}, {how}; {_written(kind.metric, above)} pays "
                f"{money(pay(kind, above))}."
            )
        case Tiers():
            steps = "; ".join(
                f"from {_written(kind.metric, tier.low)} {money(tier.amount)}" for tier in kind.tiers
            )
            return f"{rule.label}: by {kind.metric}: {steps}."
        case _:
            assert_never(kind)


def _written(metric: str, value: Figure) -> str:
    return written(DraftValue(METRICS[metric].unit, *value))

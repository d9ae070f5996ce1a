"""Rules as JSON: whole numbers only, figures as [numerator, denominator] as their author wrote them."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.incentives.domain.metrics import Figure
from services.incentives.domain.plans import (
    PerPoint,
    PerUnit,
    PointMode,
    Rule,
    RuleKind,
    ThresholdBonus,
    Tier,
    Tiers,
)


def encode(rules: Sequence[Rule]) -> list[dict[str, Any]]:
    return [{"id": rule.id, "label": rule.label, **_encode_kind(rule.kind)} for rule in rules]


def decode(rows: Sequence[Mapping[str, Any]]) -> tuple[Rule, ...]:
    return tuple(Rule(row["id"], row["label"], _decode_kind(row)) for row in rows)


def _encode_kind(kind: RuleKind) -> dict[str, Any]:
    match kind:
        case PerUnit():
            return {"kind": "per_unit", "metric": kind.metric, "amount": kind.amount}
        case ThresholdBonus():
            return {
                "kind": "threshold_bonus",
                "metric": kind.metric,
                "threshold": list(kind.threshold),
                "amount": kind.amount,
            }
        case PerPoint():
            return {
                "kind": "per_point",
                "metric": kind.metric,
                "threshold": list(kind.threshold),
                "amount": kind.amount,
                "mode": int(kind.mode),
            }
        case Tiers():
            tiers = [
                {"low": list(tier.low), "high": tier.high and list(tier.high), "amount": tier.amount}
                for tier in kind.tiers
            ]
            return {"kind": "tiers", "metric": kind.metric, "tiers": tiers}


def _decode_kind(row: Mapping[str, Any]) -> RuleKind:
    metric: str = row["metric"]
    match row["kind"]:
        case "per_unit":
            return PerUnit(metric, row["amount"])
        case "threshold_bonus":
            return ThresholdBonus(metric, Figure(*row["threshold"]), row["amount"])
        case "per_point":
            return PerPoint(metric, Figure(*row["threshold"]), row["amount"], PointMode(row["mode"]))
        case "tiers":
            return Tiers(metric, tuple(_decode_tier(tier) for tier in row["tiers"]))
        case other:
            raise ValueError(f"a stored rule of unknown kind {other!r}")


def _decode_tier(row: Mapping[str, Any]) -> Tier:
    return Tier(Figure(*row["low"]), Figure(*row["high"]) if row["high"] else None, row["amount"])

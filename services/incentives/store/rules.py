"""Rules as JSON: whole numbers only, figures as [numerator, denominator] as their author wrote them."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from services.incentives.domain.metrics import Figure
from services.incentives.domain.rules import (
    Accelerator,
    Band,
    Cap,
    Condition,
    Credit,
    Draw,
    Floor,
    Gate,
    Graduated,
    Group,
    Guarantee,
    MentorBonus,
    PerPoint,
    PerUnit,
    PointMode,
    Ramp,
    RankingPrize,
    RateOf,
    Rule,
    RuleKind,
    ThresholdBonus,
    Tier,
    Tiers,
    Wrapper,
)
from services.incentives.store.metrics import decode_metric, encode_metric


def encode(rules: Sequence[Rule]) -> list[dict[str, Any]]:
    return [
        {"id": rule.id, "label": rule.label, **_encode_credit(rule.credit), **_encode_kind(rule.kind)}
        for rule in rules
    ]


def decode(rows: Sequence[Mapping[str, Any]]) -> tuple[Rule, ...]:
    return tuple(Rule(row["id"], row["label"], _decode_kind(row), _decode_credit(row)) for row in rows)


def _encode_credit(credit: Credit) -> dict[str, Any]:
    return {"credit": [[encode_metric(metric), list(share)] for metric, share in credit]} if credit else {}


def _decode_credit(row: Mapping[str, Any]) -> Credit:
    return tuple((decode_metric(metric), Figure(*share)) for metric, share in row.get("credit", ()))


def _encode_condition(condition: Condition) -> dict[str, Any]:
    return {
        "metric": encode_metric(condition.metric),
        "bound": list(condition.bound),
        "at_most": condition.at_most,
    }


def _decode_condition(row: Mapping[str, Any]) -> Condition:
    return Condition(decode_metric(row["metric"]), Figure(*row["bound"]), row["at_most"])


def _encode_kind(kind: RuleKind) -> dict[str, Any]:  # noqa: PLR0911  a case a kind
    match kind:
        case PerUnit():
            return {"kind": "per_unit", "metric": encode_metric(kind.metric), "amount": kind.amount}
        case ThresholdBonus():
            return {
                "kind": "threshold_bonus",
                "metric": encode_metric(kind.metric),
                "threshold": list(kind.threshold),
                "amount": kind.amount,
            }
        case PerPoint():
            return {
                "kind": "per_point",
                "metric": encode_metric(kind.metric),
                "threshold": list(kind.threshold),
                "amount": kind.amount,
                "mode": int(kind.mode),
            }
        case Tiers():
            tiers = [
                {"low": list(tier.low), "high": tier.high and list(tier.high), "amount": tier.amount}
                for tier in kind.tiers
            ]
            return {"kind": "tiers", "metric": encode_metric(kind.metric), "tiers": tiers}
        case RateOf():
            return {"kind": "rate_of", "metric": encode_metric(kind.metric), "share": list(kind.share)}
        case Graduated():
            bands = [
                {"low": list(band.low), "high": band.high and list(band.high), "each": list(band.each)}
                for band in kind.bands
            ]
            return {"kind": "graduated", "metric": encode_metric(kind.metric), "bands": bands}
        case RankingPrize():
            return {
                "kind": "ranking_prize",
                "metric": kind.metric.name,
                "ranked": encode_metric(kind.ranked),
                "minimum": kind.minimum_denominator,
                "prizes": list(kind.prizes),
                "from": kind.first and kind.first.isoformat(),
                "to": kind.end and kind.end.isoformat(),
            }
        case MentorBonus():
            condition = _encode_condition(kind.condition)
            return {
                "kind": "mentor_bonus",
                "metric": kind.metric.name,
                "condition": condition,
                "amount": kind.amount,
            }
        case _:
            return {**_encode_wrapper(kind), "rules": encode(kind.rules)}


def _encode_wrapper(kind: Wrapper) -> dict[str, Any]:
    match kind:
        case Group():
            return {"kind": "group"}
        case Gate():
            return {"kind": "gate", "condition": _encode_condition(kind.condition)}
        case Cap():
            return {"kind": "cap", "amount": kind.amount}
        case Floor():
            return {"kind": "floor", "amount": kind.amount}
        case Guarantee():
            return {"kind": "guarantee", "amount": kind.amount, "months": kind.months}
        case Draw():
            recovery = list(kind.recovery)
            return {"kind": "draw", "amount": kind.amount, "months": kind.months, "recovery": recovery}
        case Ramp():
            return {"kind": "ramp", "shares": [list(share) for share in kind.shares]}
        case Accelerator():
            condition = _encode_condition(kind.condition)
            return {"kind": "accelerator", "condition": condition, "factor": list(kind.factor)}


def _decode_kind(row: Mapping[str, Any]) -> RuleKind:  # noqa: PLR0911  a case a kind
    if "rules" in row:
        return _decode_wrapper(row, decode(row["rules"]))
    metric = decode_metric(row["metric"])
    match row["kind"]:
        case "per_unit":
            return PerUnit(metric, row["amount"])
        case "threshold_bonus":
            return ThresholdBonus(metric, Figure(*row["threshold"]), row["amount"])
        case "per_point":
            return PerPoint(metric, Figure(*row["threshold"]), row["amount"], PointMode(row["mode"]))
        case "tiers":
            return Tiers(metric, tuple(_decode_tier(tier) for tier in row["tiers"]))
        case "rate_of":
            return RateOf(metric, Figure(*row["share"]))
        case "ranking_prize":
            days = (row[name] and date.fromisoformat(row[name]) for name in ("from", "to"))
            ranked = decode_metric(row["ranked"])
            return RankingPrize(metric, ranked, row["minimum"], tuple(row["prizes"]), *days)
        case "mentor_bonus":
            return MentorBonus(metric, _decode_condition(row["condition"]), row["amount"])
        case "graduated":
            return Graduated(metric, tuple(_decode_band(band) for band in row["bands"]))
        case other:
            raise ValueError(f"a stored rule of unknown kind {other!r}")


def _decode_wrapper(row: Mapping[str, Any], inside: tuple[Rule, ...]) -> RuleKind:
    match row["kind"]:
        case "group":
            return Group(inside)
        case "gate":
            return Gate(_decode_condition(row["condition"]), inside)
        case "cap":
            return Cap(row["amount"], inside)
        case "floor":
            return Floor(row["amount"], inside)
        case "guarantee":
            return Guarantee(row["amount"], row["months"], inside)
        case "draw":
            return Draw(row["amount"], row["months"], Figure(*row["recovery"]), inside)
        case "ramp":
            return Ramp(tuple(Figure(*share) for share in row["shares"]), inside)
        case "accelerator":
            return Accelerator(_decode_condition(row["condition"]), Figure(*row["factor"]), inside)
        case other:
            raise ValueError(f"a stored rule of unknown kind {other!r}")


def _decode_band(row: Mapping[str, Any]) -> Band:
    return Band(Figure(*row["low"]), Figure(*row["high"]) if row["high"] else None, Figure(*row["each"]))


def _decode_tier(row: Mapping[str, Any]) -> Tier:
    return Tier(Figure(*row["low"]), Figure(*row["high"]) if row["high"] else None, row["amount"])

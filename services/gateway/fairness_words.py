"""Words for fair play: what a rule looks for, what it noticed, how far a flag is."""

from collections.abc import Mapping
from typing import Final

from foothold.goals.v1 import fairness_pb2

from services.gateway.language import _, later

_KIND = fairness_pb2.FairnessKind
_STATE = fairness_pb2.FlagState

KINDS: Final[Mapping[int, str]] = {
    _KIND.FAIRNESS_KIND_DUPLICATE_CUSTOMERS: later("Customers with one phone number"),
    _KIND.FAIRNESS_KIND_BURST: later("Many follow-ups at once"),
    _KIND.FAIRNESS_KIND_EMPTY_FOLLOW_UPS: later("Follow-ups of a few seconds"),
    _KIND.FAIRNESS_KIND_SELF_ORDER: later("A sale to a colleague"),
    _KIND.FAIRNESS_KIND_MONTH_END_REVERSALS: later("Deals taken back after the month's end"),
}
STATES: Final[Mapping[int, tuple[str, str]]] = {
    _STATE.FLAG_STATE_OPEN: ("edge", later("Waits for a look")),
    _STATE.FLAG_STATE_CONFIRMED: ("behind", later("Confirmed")),
    _STATE.FLAG_STATE_DISMISSED: ("met", later("Nothing wrong")),
    _STATE.FLAG_STATE_CORRECTED: ("none", later("Corrected")),
}
"""State -> the name of its shape, its word."""
NUMBERS: Final[Mapping[int, tuple[str, ...]]] = {
    _KIND.FAIRNESS_KIND_DUPLICATE_CUSTOMERS: ("most",),
    _KIND.FAIRNESS_KIND_BURST: ("most", "minutes"),
    _KIND.FAIRNESS_KIND_EMPTY_FOLLOW_UPS: ("most", "seconds"),
    _KIND.FAIRNESS_KIND_SELF_ORDER: (),
    _KIND.FAIRNESS_KIND_MONTH_END_REVERSALS: ("most", "days", "percent"),
}
"""Which numbers a kind of rule has."""


def named(rule: str) -> str:
    """What a rule looks for, by the name a payout tells it with."""
    code = fairness_pb2.FairnessKind.DESCRIPTOR.values_by_name.get(f"FAIRNESS_KIND_{rule.upper()}")
    return str(KINDS.get(code.number, rule)) if code is not None else rule


def looks_for(rule: fairness_pb2.FairnessRule) -> str:
    """When a rule speaks up, with its numbers."""
    if rule.kind == _KIND.FAIRNESS_KIND_DUPLICATE_CUSTOMERS:
        return _(
            "A phone number belongs to more than %(most)s of somebody's customers in a month.",
            most=str(rule.most),
        )
    if rule.kind == _KIND.FAIRNESS_KIND_BURST:
        return _(
            "More than %(most)s follow-ups within %(minutes)s minutes. Those with exactly the same time, as an"
            " import gives them, count once.",
            most=str(rule.most),
            minutes=str(rule.minutes),
        )
    if rule.kind == _KIND.FAIRNESS_KIND_EMPTY_FOLLOW_UPS:
        return _(
            "More than %(most)s follow-ups in a day that took less than %(seconds)s seconds, where the CRM tells"
            " how long.",
            most=str(rule.most),
            seconds=str(rule.seconds),
        )
    if rule.kind == _KIND.FAIRNESS_KIND_MONTH_END_REVERSALS:
        return _(
            "Of the deals won in the last %(days)s days of a month, more than %(most)s and at least %(percent)s are"
            " taken back in the first %(days)s days of the next.",
            days=str(rule.days),
            most=str(rule.most),
            percent=f"{rule.percent} %",
        )
    return _("The buyer of a deal or order is somebody of the enterprise, by their employee number.")


def noticed(flag: fairness_pb2.Flag) -> str:
    """What a rule noticed, without a word about why."""
    rule, count = flag.rule, str(flag.counted)
    if rule.kind == _KIND.FAIRNESS_KIND_DUPLICATE_CUSTOMERS:
        return _("%(count)s customers with the same phone number", count=count)
    if rule.kind == _KIND.FAIRNESS_KIND_BURST:
        return _("%(count)s follow-ups within %(minutes)s minutes", count=count, minutes=str(rule.minutes))
    if rule.kind == _KIND.FAIRNESS_KIND_EMPTY_FOLLOW_UPS:
        return _(
            "%(count)s follow-ups shorter than %(seconds)s seconds in a day",
            count=count,
            seconds=str(rule.seconds),
        )
    if rule.kind == _KIND.FAIRNESS_KIND_MONTH_END_REVERSALS:
        return _(
            "%(count)s of %(total)s deals of the month's end taken back right after",
            count=count,
            total=str(flag.out_of),
        )
    return _("A sale to somebody of the enterprise")

"""What a check of a plan found, in words with its example, beside the block it is about."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from foothold.incentives.v1 import plans_pb2, statements_pb2

from services.gateway import formats, words
from services.gateway.faults import fault
from services.gateway.figures import money, written
from services.gateway.language import _
from services.gateway.me import me

ELSEWHERE: Final = -1
_UNSUITED: Final = re.compile(r"(\w+) is (?:a count|a rate|money|minutes); this kind of rule needs .+")
_NEVER: Final = re.compile(r"(\w+) is a share of a whole, at most 100 %: .+")
_SHARE: Final = re.compile(r"(Above|From) (\d+) % to (\d+) %\.")
_AMOUNT: Final = re.compile(r"From [01] to \d+ minor units\.")
_MOST: Final = re.compile(r"At most (\d+) rules\.")
_DEEPEST: Final = re.compile(r"At most (\d+) rules inside one another\.")


def finding(found: plans_pb2.PlanFinding) -> str:
    """A finding in the reader's language, with figures before and after where it has an example."""
    example = found.example
    values = {"before": money(example.pays_before), "after": money(example.pays_after)}
    if found.code == "CLIFF":
        at = {
            "metric": words.metric(example.at.metric),
            "at": written(example.at.value),
            "step": money(found.step),
        }
        return _(
            "A cliff: just under %(at)s of “%(metric)s” pays %(before)s, %(at)s pays %(after)s: %(step)s at once.",
            **at,
            **values,
        )
    if found.code == "MORE_PAYS_LESS":
        figures = {"was": _figures(example.before), "becomes": _figures(example.after)}
        return _(
            "Doing more can pay less: %(was)s pay %(before)s, %(becomes)s only %(after)s.",
            **figures,
            **values,
        )
    if found.code == "COST_UNBOUNDED":
        return _(
            "No cap: %(figures)s already pay %(after)s.",
            figures=_figures(example.after),
            after=values["after"],
        )
    if found.code == "PLANS_DIFFER":
        node = me().directory.node(example.other_node_id)
        return _(
            "Paid otherwise elsewhere: for %(figures)s, “%(name)s” at %(place)s pays %(before)s, this plan %(after)s.",
            figures=_figures(example.after),
            name=formats.spaced(example.other_plan_name),
            place=node.name if node else example.other_node_id,
            **values,
        )
    return {
        "TIER_GAP": _("Two tiers leave a gap between them."),
        "TIER_OVERLAP": _("Two tiers overlap."),
        "TIER_UNREACHABLE": _("A tier can never be reached."),
    }.get(found.code) or _wrong(found.message)


def _wrong(message: str) -> str:
    """What refuses a plan and can come of what was typed."""
    if message == "Put at least one rule inside.":
        return _("Put at least one rule inside.")
    if found := _UNSUITED.fullmatch(message):
        return _(
            "“%(metric)s” does not suit this kind of rule; choose another.", metric=words.metric(found[1])
        )
    if found := _NEVER.fullmatch(message):
        return _(
            "“%(metric)s” is at most 100 %%: nothing would ever come of this.", metric=words.metric(found[1])
        )
    if found := _SHARE.fullmatch(message):
        return _range(*found.groups())
    if _AMOUNT.fullmatch(message):
        return _("An amount above zero and at most 10,000,000,000, please.")
    return _too_many(message) or fault(message)


def _range(begins: str, least: str, most: str) -> str:
    if begins == "Above":
        return _("More than %(least)s %% and at most %(most)s %%, please.", least=least, most=most)
    return _("From %(least)s %% to %(most)s %%, please.", least=least, most=most)


def _too_many(message: str) -> str:
    if found := _MOST.fullmatch(message):
        return _("At most %(most)s rules, please.", most=found[1])
    if found := _DEEPEST.fullmatch(message):
        return _("At most %(most)s rules inside one another, please.", most=found[1])
    return ""


def by_block(
    findings: Iterable[plans_pb2.PlanFinding], places: Sequence[str]
) -> dict[int, list[plans_pb2.PlanFinding]]:
    """Findings by the row of the block they are about; those about the plan itself under ELSEWHERE."""
    rows = {place: index for index, place in enumerate(places)}
    found: dict[int, list[plans_pb2.PlanFinding]] = {}
    for each in findings:
        parts = each.field.split(".")
        # The longest of the places that the field lies in; `rules[0].gate.rules[1].id` names the kind as well.
        path = [part for part in parts if part.startswith("rules[")]
        ends = (".".join(path[:length]) for length in range(len(path), 0, -1))
        row = next((rows[end] for end in ends if end in rows), ELSEWHERE)
        found.setdefault(row, []).append(each)
    return found


def tier_of(found: plans_pb2.PlanFinding) -> str:
    """Which tier or band of its block a finding is about, as a beginning of a sentence; empty where about none."""
    for part in found.field.split("."):
        name, _bracket, number = part.partition("[")
        if name in ("tiers", "bands") and number.rstrip("]").isdigit():
            return _("Tier %(number)s", number=int(number.rstrip("]")) + 1) + _(": ")
    return ""


def _figures(told: Iterable[statements_pb2.NamedValue]) -> str:
    """Figures as people say them; nothing done at all included."""
    done = [f"{words.metric(each.metric)} {written(each.value)}" for each in told]
    return _(", ").join(done) or _("nothing done")

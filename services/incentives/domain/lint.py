"""What the author of a sound plan should know before it is stored; each with a concrete example."""

from itertools import pairwise

from services.incentives.domain.drafts import DraftValue
from services.incentives.domain.findings import Finding, Severity, money, written
from services.incentives.domain.metrics import METRICS
from services.incentives.domain.plans import Node, Rule, Tiers, nodes_of


def lint(rules: tuple[Rule, ...]) -> tuple[Finding, ...]:
    """Warnings, in the order of the rules."""
    return tuple(finding for node in nodes_of(rules) for finding in _cliffs(node))


def _cliffs(node: Node) -> list[Finding]:
    """A warning for every step between neighbours."""
    kind = node.rule.kind
    if not isinstance(kind, Tiers):
        return []
    unit = METRICS[node.rule.credit[0][0] if node.rule.credit else kind.metric].unit
    found = []
    for index, (tier, following) in enumerate(pairwise(kind.tiers)):
        step = following.amount - tier.amount
        if not step:
            continue
        at = written(DraftValue(unit, *following.low))
        message = (
            f"Just under {at} pays {money(tier.amount)}, {at} pays {money(following.amount)}: "
            f"a step of {money(step)} at once."
        )
        where = f"{node.place}.tiers[{index + 1}]"
        found.append(Finding(Severity.WARNING, "CLIFF", where, message, step=step))
    return found

"""Which standards are in force for somebody, what may be set below them, and where nodes differ."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date

from standards.records import Allowance, Latitude, Resolved, Standard


def resolve(
    standards: Iterable[Standard], *, subject: str, path: Sequence[str], day: date
) -> Mapping[str, Resolved]:
    """By parameter, what holds on `day` for a subject at a place in the tree.

    `path` is the node and its ancestors, nearest first: the nearest one that sets a parameter wins.
    """
    rank = {node: distance for distance, node in enumerate(path)}
    found: dict[str, list[Standard]] = {}
    for standard in standards:
        if standard.subject == subject and standard.node_id in rank and standard.holds_on(day):
            found.setdefault(standard.parameter, []).append(standard)
    resolved = {}
    for parameter, candidates in found.items():
        nearest, *above = sorted(candidates, key=lambda each: rank[each.node_id])
        resolved[parameter] = Resolved(nearest, tuple(above))
    return resolved


def allowance(above: Sequence[Standard]) -> Allowance:
    """What a node may set under the standards above it, nearest first."""
    bounds = [each.rule for each in above if each.rule.latitude is Latitude.BOUNDED]
    low = [rule.minimum for rule in bounds if rule.minimum is not None]
    high = [rule.maximum for rule in bounds if rule.maximum is not None]
    locks = [each.node_id for each in above if each.rule.latitude is Latitude.LOCKED]
    approvals = [each.node_id for each in above if each.rule.approval]
    latitude = Latitude.LOCKED if locks else Latitude.BOUNDED if bounds else Latitude.FREE
    return Allowance(
        latitude,
        max(low, key=lambda amount: amount.fraction, default=None),
        min(high, key=lambda amount: amount.fraction, default=None),
        locks[-1] if locks else "",
        approvals[-1] if approvals else "",
    )


def out_of_bounds(standard: Standard, above: Sequence[Standard]) -> bool:
    """Whether one lies outside of what those above it, nearest first, allow now: they were tightened since.

    One that asks for the same as what is set above differs from nothing, locked or not.
    """
    allowed = allowance(above)
    if allowed.latitude is Latitude.LOCKED:
        return standard.amount.fraction != above[0].amount.fraction
    return not allowed.admits(standard.amount)


def overrides(
    standards: Iterable[Standard], *, ancestors: Callable[[str], Sequence[str]], day: date
) -> Iterator[Resolved]:
    """Every standard in force on `day` that has another above it; `ancestors` tells a node's path, nearest first."""
    held: dict[tuple[str, str], dict[str, Standard]] = {}
    for standard in standards:
        if standard.holds_on(day):
            held.setdefault((standard.subject, standard.parameter), {})[standard.node_id] = standard
    for at in held.values():
        for node_id, standard in at.items():
            above = tuple(at[node] for node in ancestors(node_id)[1:] if node in at)
            if above:
                yield Resolved(standard, above)

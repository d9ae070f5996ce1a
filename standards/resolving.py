"""Which standards are in force for somebody."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from standards.records import Resolved, Standard


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

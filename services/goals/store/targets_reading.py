"""What holds at nodes, where they differ, and how it came to be."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import Connection

from access import Scope
from services.goals.domain.targets import Drift, KnownTarget, Measure, ResolvedTarget, TargetAtNode
from services.goals.store.placements import Ancestors
from services.goals.store.targets import TargetsCopy
from services.goals.store.targets_mapping import allowance_of, standard_of, target_of
from standards import Standards, allowance, out_of_bounds, overrides


def at_node(copy: TargetsCopy, job_role: str, path: Sequence[str], day: date) -> list[TargetAtNode]:
    """What holds for a job role at a node on a day, and what may be set there; `path` is nearest first."""
    return [_at_node(found, path[0]) for found in copy.at(job_role, path, day).values()]


def _at_node(resolved: ResolvedTarget, node_id: str) -> TargetAtNode:
    target = resolved.target
    own = target.node_id == node_id
    above = resolved.overridden if own else (target, *resolved.overridden)
    rules = [standard_of(each) for each in above]
    return TargetAtNode(
        resolved,
        allowance_of(allowance(rules), target.value.unit),
        own and out_of_bounds(standard_of(target), rules),
    )


def drift_at(
    copy: TargetsCopy, scope: Scope, ancestors: Ancestors, *, node_id: str, job_role: str, day: date
) -> list[Drift]:
    """Where nodes that the caller reads or inherits from differ from what is set above, by node, role and metric.

    Only at `node_id` and below, and for `job_role`; both may be empty.
    """
    found: dict[tuple[str, str, Measure], Drift] = {}
    for role in [job_role] if job_role else sorted(copy.by_role):
        for each in overrides(copy.by_role.get(role, ()), ancestors=ancestors, day=day):
            own, above = each.standard, each.overridden
            path = ancestors(own.node_id)
            if (node_id and node_id not in path) or not scope.is_member(own.node_id):
                continue
            target = target_of(own)
            allowed = allowance_of(allowance(above), target.value.unit)
            drift = Drift(target, target_of(above[0]), allowed, out_of_bounds(own, above))
            if drift.difference.numerator or drift.out_of_bounds:
                found[own.node_id, role, drift.target.measure] = drift
    return [found[key] for key in sorted(found, key=lambda key: (key[0], key[1], key[2].place))]


def changes_of(
    connection: Connection, *, node_id: str, job_role: str, measure: Measure, before: int | None, limit: int
) -> list[KnownTarget]:
    """All that was ever known of a target at a node, newest first, before a revision."""
    found = Standards(connection).history(
        node_id=node_id, subject=job_role, parameter=measure.parameter, before=before, limit=limit
    )
    return [KnownTarget(target_of(each), each.superseded_at) for each in found]

"""Adopting an industry's KPIs: the metrics that are missing, and targets at a node."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from access import Scope
from chassis.errors import AlreadyExists, Failure, InvalidArgument
from services.goals.domain.industries import Industry, Standing, standing_of
from services.goals.domain.targets import Measure, ResolvedTarget, Target, check_rule
from services.goals.store.library import Versions
from services.goals.store.targets import Targets, TargetsCache


@dataclass(frozen=True, slots=True)
class Adoption:
    """What became of a KPI: the target, or why it was refused.

    `before` is what held at the node until then, `defined` names the metrics that were defined for it.
    """

    measure: Measure
    before: Target | None
    target: Target | None = None
    unchanged: bool = False
    defined: tuple[str, ...] = ()
    refusal: Failure | None = None


class Adopter:
    """Adopts in one transaction; `scope` covers the node the targets are set at."""

    def __init__(self, connection: Connection, scope: Scope, cache: TargetsCache) -> None:
        self._connection = connection
        self._scope = scope
        self._cache = cache
        self._versions = Versions(connection)

    def adopt(self, industry: Industry, wanted: Sequence[Target], *, keep: bool) -> list[Adoption]:
        """Each target with the metrics it takes; a refused one leaves nothing behind and stops no other.

        Without `keep` nothing is left behind at all.
        """
        if keep:
            # One definer at a time, from here on.
            self._versions.changed()
        if not wanted:
            return []
        first = wanted[0]
        path = self._scope.caller.directory.ancestors(first.node_id)
        held = self._cache.fresh(self._connection).at(first.job_role, path, first.effective_from)
        with self._connection.begin_nested() as trial:
            found = [self._one(industry, each, held) for each in wanted]
            if not keep:
                trial.rollback()
        return found

    def _one(self, industry: Industry, target: Target, held: Mapping[Measure, ResolvedTarget]) -> Adoption:
        measure = target.measure
        resolved = held.get(measure)
        before = resolved.target if resolved else None
        with self._connection.begin_nested() as trial:
            try:
                defined = self._define(industry, target)
                if before is not None and _asks_the_same(before, target):
                    return Adoption(measure, before, before, unchanged=True, defined=defined)
                stored = Targets(self._connection, self._scope).set(_with_rule(before, target))
            except Failure as failure:
                trial.rollback()
                return Adoption(measure, before, refusal=failure)
        return Adoption(measure, before, stored, defined=defined)

    def _define(self, industry: Industry, target: Target) -> tuple[str, ...]:
        """Define what the target's metric takes and is not there; the names. AlreadyExists METRIC_CONFLICT."""
        library = self._versions.load()
        missing = []
        for told in industry.needed_for(target.measure.metric):
            newest = library.newest(told.name)
            standing = standing_of(told, newest)
            if standing is Standing.CONFLICT:
                raise AlreadyExists(
                    "METRIC_CONFLICT",
                    f"There is another metric of the name {told.name}, which measures something else.",
                    metadata={"metric": told.name},
                )
            if standing is Standing.MISSING:
                missing.append((told, newest))
        for told, newest in missing:
            self._versions.define(
                told,
                newest,
                effective_from=target.effective_from,
                by=target.author_id,
                at=target.recorded_at,
                reason=target.reason,
            )
        return tuple(told.name for told, _ in missing)


def _asks_the_same(before: Target, new: Target) -> bool:
    """Whether the node asks for exactly that itself already, open-ended."""
    return (
        before.node_id == new.node_id
        and before.value.fraction == new.value.fraction
        and before.effective_to is None
    )


def _with_rule(before: Target | None, new: Target) -> Target:
    """What the node had said that nodes below may do stays. InvalidArgument where the value lies outside of it."""
    if before is None or before.node_id != new.node_id:
        return new
    wrong = check_rule(new.value, before.rule)
    if wrong is not None:
        raise InvalidArgument("VALUE_INVALID", f"The bounds set for nodes below do not fit it: {wrong[1]}.")
    return replace(new, rule=before.rule)

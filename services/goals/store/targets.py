"""Targets: standards of goals, with a copy in memory that knows when it is old."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from sqlalchemy import Connection, true

from access import Person, Scope
from chassis.database import Database
from chassis.errors import NotFound
from services.goals.domain.targets import Measure, ResolvedTarget, Target, measure_of
from services.goals.domain.values import Unit, Value
from services.goals.store.library import LibraryCache
from standards import Standard, Standards, resolve
from standards.store import place

_NONE: Final = -1
_MOST_PLACES: Final = 10_000


@dataclass(frozen=True, slots=True)
class TargetsCopy:
    """Every target known at one version; `nodes` are those where one is set."""

    version: int
    by_role: Mapping[str, tuple[Standard, ...]]
    nodes: frozenset[str]
    _resolved: dict[tuple[str, tuple[str, ...], date], Mapping[Measure, ResolvedTarget]] = field(
        default_factory=dict, repr=False
    )

    def of(self, person: Person, path: tuple[str, ...], day: date) -> Mapping[Measure, ResolvedTarget]:
        """The targets in force for a person on a day, in the order people read metrics. `path` is nearest first.

        Worked out once for all who share a place, a job role and a day; a person's own leaf is part of the
        place only where something is set on leaves.
        """
        key = (person.job_role, path if path and path[0] in self.nodes else path[1:], day)
        known = self._resolved.get(key)
        if known is None:
            if len(self._resolved) >= _MOST_PLACES:
                self._resolved.clear()
            known = self._resolved[key] = self._resolve(person.job_role, path, day)
        return known

    def _resolve(self, job_role: str, path: Sequence[str], day: date) -> Mapping[Measure, ResolvedTarget]:
        found = resolve(self.by_role.get(job_role, ()), subject=job_role, path=path, day=day)
        measured = {
            measure_of(parameter): ResolvedTarget(
                target_of(resolved.standard), tuple(target_of(each) for each in resolved.overridden)
            )
            for parameter, resolved in found.items()
        }
        return {measure: measured[measure] for measure in sorted(measured, key=lambda each: each.place)}


class TargetsCache:
    """The targets in memory. They are few and change seldom; whoever reads figures reads their version along."""

    def __init__(self, database: Database, library: LibraryCache) -> None:
        self._database = database
        self.library = library
        self._copy = TargetsCopy(_NONE, {}, frozenset())

    def current(self, version: int | None = None) -> TargetsCopy:
        """The copy; read again where it is not of `version`, or where there is none yet."""
        copy = self._copy
        if copy.version == _NONE or (version is not None and copy.version < version):
            with self._database.read() as connection:
                copy = self._copy = self.load(connection)
        return copy

    def fresh(self, connection: Connection) -> TargetsCopy:
        """The copy as of the connection's snapshot."""
        copy = self._copy
        if copy.version != Standards(connection).version():
            copy = self._copy = self.load(connection)
        return copy

    @staticmethod
    def load(connection: Connection) -> TargetsCopy:
        standards = Standards(connection)
        version, everything = standards.version(), tuple(standards.all())
        roles = {standard.subject for standard in everything}
        by_role = {role: tuple(each for each in everything if each.subject == role) for role in roles}
        return TargetsCopy(version, by_role, frozenset(each.node_id for each in everything))


class Targets:
    """The targets at nodes in the scope's reach."""

    def __init__(self, connection: Connection, scope: Scope) -> None:
        self._standards = Standards(connection)
        self._scope = scope

    def page(
        self, *, node_id: str, job_role: str, after: tuple[str, ...] | None, limit: int
    ) -> list[tuple[Target, tuple[str, ...]]]:
        """Targets set at nodes the caller may read or inherits from, each with the place a page after it starts."""
        narrowed = self._scope.member_clause(place().node_id)
        narrowed = narrowed & (place().node_id == node_id if node_id else true())
        narrowed = narrowed & (place().subject == job_role if job_role else true())
        found = self._standards.page(narrowed, after=after, limit=limit)
        return [(target_of(each), _place(each)) for each in found]

    def set(self, new: Target) -> Target:
        """Store a target; one set before for the same ends where it begins. The scope must cover the node."""
        self._scope.require(new.node_id)
        return target_of(self._standards.set(_standard_of(new)))

    def end(self, target_id: str, *, effective_to: date, reason: str, author_id: str, at: datetime) -> Target:
        """End a target on a day. NotFound TARGET_UNKNOWN where there is none the caller may see."""
        known = self._standards.get(target_id)
        unknown = NotFound("TARGET_UNKNOWN", "There is no such target.")
        if known is None:
            raise unknown
        try:
            self._scope.require(known.node_id)
        except NotFound:
            raise unknown from None
        ended = self._standards.end(
            known, effective_to=effective_to, reason=reason, author_id=author_id, at=at
        )
        return target_of(ended)


def target_of(standard: Standard) -> Target:
    """A standard as a target."""
    return Target(
        standard.id,
        standard.node_id,
        standard.subject,
        measure_of(standard.parameter),
        Value(Unit(standard.unit), standard.numerator, standard.denominator),
        standard.effective_from,
        standard.effective_to,
        standard.reason,
        standard.author_id,
        standard.recorded_at,
    )


def _standard_of(target: Target) -> Standard:
    return Standard(
        target.id,
        target.node_id,
        target.job_role,
        target.measure.parameter,
        target.value.numerator,
        target.value.denominator,
        int(target.value.unit),
        target.effective_from,
        target.effective_to,
        target.reason,
        target.author_id,
        target.recorded_at,
    )


def _place(standard: Standard) -> tuple[str, ...]:
    return (
        standard.node_id,
        standard.subject,
        standard.parameter,
        standard.effective_from.isoformat(),
        standard.id,
    )

"""Targets: standards of goals, with a copy in memory that knows when it is old."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from sqlalchemy import Connection, true

from access import Scope
from chassis.database import Database
from chassis.errors import AlreadyExists, NotFound, PermissionDenied
from services.goals.domain.targets import Measure, ResolvedTarget, Target, TargetState, measure_of
from services.goals.store.library import LibraryCache
from services.goals.store.targets_mapping import resolved_of, standard_of, target_of
from standards import Standard, Standards, State, resolve
from standards.store import place

_NONE: Final = -1
_MOST_PLACES: Final = 10_000


@dataclass(frozen=True, slots=True)
class TargetsCopy:
    """Every target in force as known at one version; `nodes` are those where one is set."""

    version: int
    by_role: Mapping[str, tuple[Standard, ...]]
    nodes: frozenset[str]
    _resolved: dict[tuple[str, tuple[str, ...], date], Mapping[Measure, ResolvedTarget]] = field(
        default_factory=dict, repr=False
    )

    def of(self, job_role: str, path: tuple[str, ...], day: date) -> Mapping[Measure, ResolvedTarget]:
        """The targets in force for a job role on a day, in the order people read metrics. `path` is nearest first.

        Worked out once for all who share a place, a job role and a day; a person's own leaf is part of the
        place only where something is set on leaves.
        """
        key = (job_role, path if path and path[0] in self.nodes else path[1:], day)
        known = self._resolved.get(key)
        if known is None:
            if len(self._resolved) >= _MOST_PLACES:
                self._resolved.clear()
            known = self._resolved[key] = self.at(job_role, path, day)
        return known

    def at(self, job_role: str, path: Sequence[str], day: date) -> Mapping[Measure, ResolvedTarget]:
        """The targets in force for a job role at a place on a day, in the same order."""
        found = resolve(self.by_role.get(job_role, ()), subject=job_role, path=path, day=day)
        measured = {measure_of(parameter): resolved_of(resolved) for parameter, resolved in found.items()}
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

    def known(self, connection: Connection, known_at: datetime | None) -> TargetsCopy:
        """The copy as of the connection's snapshot; for a time, one of what was known then, read for this call."""
        return self.fresh(connection) if known_at is None else self.load(connection, known_at)

    @staticmethod
    def load(connection: Connection, known_at: datetime | None = None) -> TargetsCopy:
        standards = Standards(connection)
        version, everything = standards.version(), tuple(standards.in_force(known_at))
        by_role: dict[str, list[Standard]] = {}
        for each in everything:
            by_role.setdefault(each.subject, []).append(each)
        return TargetsCopy(
            version,
            {role: tuple(found) for role, found in by_role.items()},
            frozenset(each.node_id for each in everything),
        )


class Targets:
    """The targets at nodes in the scope's reach."""

    def __init__(self, connection: Connection, scope: Scope) -> None:
        self._standards = Standards(connection)
        self._scope = scope

    def page(
        self,
        *,
        node_id: str,
        job_role: str,
        states: Collection[TargetState],
        after: tuple[str, ...] | None,
        limit: int,
    ) -> list[tuple[Target, tuple[str, ...]]]:
        """Targets set at nodes the caller may read or inherits from, each with the place a page after it starts."""
        narrowed = self._scope.member_clause(place().node_id)
        narrowed = narrowed & (place().node_id == node_id if node_id else true())
        narrowed = narrowed & (place().subject == job_role if job_role else true())
        wanted = [State(each) for each in states]
        found = self._standards.page(narrowed, states=wanted, after=after, limit=limit)
        return [(target_of(each), _place(each)) for each in found]

    def set(self, new: Target) -> Target:
        """Store a target, or propose it where it has to be approved. The scope must cover the node.

        Refused where it is not allowed above or meets another one; see `Standards.set`.
        """
        self._scope.require(new.node_id)
        if self._standards.get(new.id) is not None:
            raise AlreadyExists("ALREADY_EXISTS", "There is a target of that id.")
        return target_of(self._standards.set(standard_of(new), path=self._path(new.node_id)))

    def end(self, target_id: str, *, effective_to: date, reason: str, author_id: str, at: datetime) -> Target:
        """End a target on a day, or withdraw a proposal. NotFound TARGET_UNKNOWN where there is none to see."""
        known = self._covered(target_id)
        ended = self._standards.end(
            known, effective_to=effective_to, reason=reason, author_id=author_id, at=at
        )
        return target_of(ended)

    def once(self, target_id: str, revision: int) -> Target:
        """What a target was. NotFound TARGET_UNKNOWN where there is none to see, or no such revision of it."""
        self._covered(target_id)
        found = self._standards.revision(target_id, revision)
        if found is None:
            raise _unknown()
        return target_of(found)

    def approve(self, target_id: str, *, by: str, reason: str, at: datetime) -> Target:
        """Put a proposal in force; refused as `set` is where it does not fit any more.

        NotFound TARGET_UNKNOWN where there is none to see. PermissionDenied where the scope does not cover the
        node whose rule asks for approval, APPROVAL_NEEDS_ANOTHER where `by` has proposed it.
        """
        known = self._to_decide(target_id, by)
        path = self._path(known.node_id)
        return target_of(self._standards.approve(known, path=path, by=by, reason=reason, at=at))

    def refuse(self, target_id: str, *, by: str, reason: str, at: datetime) -> Target:
        """Refuse a proposal, under the same conditions."""
        return target_of(self._standards.refuse(self._to_decide(target_id, by), by=by, reason=reason, at=at))

    def _path(self, node_id: str) -> tuple[str, ...]:
        return self._scope.caller.directory.ancestors(node_id)

    def _covered(self, target_id: str) -> Standard:
        known = self._standards.get(target_id)
        if known is None:
            raise _unknown()
        try:
            self._scope.require(known.node_id)
        except NotFound:
            raise _unknown() from None
        return known

    def _to_decide(self, target_id: str, by: str) -> Standard:
        known = self._covered(target_id)
        # What waits for nobody is refused as such, whoever asks among those who cover it.
        if known.decision.node_id:
            try:
                self._scope.require(known.decision.node_id)
            except NotFound:
                raise PermissionDenied(
                    "PERMISSION_MISSING",
                    "You do not have the permission this needs.",
                    metadata={"permission": self._scope.permission},
                ) from None
        if known.author_id == by:
            raise PermissionDenied(
                "APPROVAL_NEEDS_ANOTHER", "Somebody else than its author has to decide that."
            )
        return known


def _unknown() -> NotFound:
    return NotFound("TARGET_UNKNOWN", "There is no such target.")


def _place(standard: Standard) -> tuple[str, ...]:
    return (
        standard.node_id,
        standard.subject,
        standard.parameter,
        standard.effective_from.isoformat(),
        standard.id,
    )

"""Objectives in the database, and their key results with the values that targets and goals give them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime
from fractions import Fraction
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select, text, true, tuple_, update

from access import Scope
from chassis.errors import FailedPrecondition, InvalidArgument, NotFound
from services.goals.domain.cascade import Goal
from services.goals.domain.metrics import Direction, evaluate
from services.goals.domain.objectives import KeyResult, Objective, ObjectiveScore, score, score_key_result
from services.goals.domain.periods import CALENDAR_KINDS, PeriodKind, local_day, period_of
from services.goals.domain.targets import Target, TargetState
from services.goals.domain.values import Unit, Value
from services.goals.store.attaining import Asked, read_nodes
from services.goals.store.cascade import unknown as unknown_goal
from services.goals.store.goal_rows import COLUMNS, known, latest, read_row
from services.goals.store.library import LibraryCache
from services.goals.store.placements import whole_tree
from services.goals.store.targets_mapping import target_of
from services.goals.tables import goal as goal_table
from services.goals.tables import key_result, objective
from standards import Standards

_TURN: Final = text("LOCK TABLE objective IN SHARE ROW EXCLUSIVE MODE")
_ORDER: Final = (objective.c.first_day.desc(), objective.c.node_id, objective.c.id)
Place = tuple[str, str, str]
"""Where a page ends: first day, node, id."""


class Objectives:
    """The objectives at nodes the scope covers."""

    def __init__(self, connection: Connection, scope: Scope, library: LibraryCache) -> None:
        self._connection = connection
        self._library = library
        self._scope = scope
        self._directory = scope.caller.directory

    def get(self, objective_id: str, *, known_at: datetime | None = None) -> Objective:
        """NotFound OBJECTIVE_UNKNOWN where there is none the caller may see."""
        found = self._read(objective.c.id == objective_id, known_at)
        if not found or not self._scope.covers(found[0].node_id):
            raise _unknown()
        return found[0]

    def page(
        self,
        *,
        node_id: str,
        on: date | None,
        known_at: datetime | None,
        after: Place | None,
        limit: int,
    ) -> list[tuple[Objective, Place]]:
        """Objectives the caller may see, each with the place a page after it starts."""
        narrowed = self._scope.clause(objective.c.node_id)
        narrowed &= objective.c.node_id == node_id if node_id else true()
        if on is not None:
            narrowed &= and_(objective.c.first_day <= on, objective.c.end_day > on)
        if after is not None:
            first, node, id_ = date.fromisoformat(after[0]), after[1], after[2]
            later = and_(
                objective.c.first_day == first,
                tuple_(objective.c.node_id, objective.c.id) > (node, id_),
            )
            narrowed &= or_(objective.c.first_day < first, later)
        found = self._read(narrowed, known_at, limit=limit)
        return [(each, (each.first_day.isoformat(), each.node_id, each.id)) for each in found]

    def set(self, new: Objective, *, supersedes: bool) -> Objective:
        """Store an objective. NotFound OBJECTIVE_UNKNOWN where the one it supersedes is not of its node."""
        self._connection.execute(_TURN)
        if supersedes:
            before = self._read(objective.c.id == new.id, None)
            if not before or before[0].node_id != new.node_id:
                raise _unknown()
            self._supersede(new.id, new.recorded_at)
        self._insert(new, withdrawn=False)
        return new

    def withdraw(self, known_one: Objective, *, reason: str, author_id: str, at: datetime) -> Objective:
        """Take an objective back."""
        self._connection.execute(_TURN)
        told = replace(known_one, reason=reason, author_id=author_id, recorded_at=at)
        self._supersede(told.id, at)
        self._insert(told, withdrawn=True)
        return told

    def require_sources(self, one: Objective) -> None:
        """Pass where every target and goal it names stands at or above its node.

        NotFound TARGET_UNKNOWN, GOAL_UNKNOWN; InvalidArgument PERIOD_UNSUPPORTED where a target is over a window
        of each person's own; FailedPrecondition TARGET_NOT_IN_FORCE, and METRIC_COMPUTING where a target's metric has
        no values yet.
        """
        path = self._directory.ancestors(one.node_id)
        goals = self._goals_of([one])
        for each in one.key_results:
            target = self._target(each.target_id, path) if each.target_id else None
            if each.target_id and target is None:
                raise NotFound("TARGET_UNKNOWN", "There is no such target.")
            if target is not None and target.state is not TargetState.IN_FORCE:
                raise FailedPrecondition(
                    "TARGET_NOT_IN_FORCE",
                    "The target waits for approval, was refused or withdrawn; name one that counts.",
                    metadata={"state": target.state.name.lower()},
                )
            if target is not None and target.measure.metric not in self._library.metrics(date.max):
                raise FailedPrecondition(
                    "METRIC_COMPUTING",
                    "The target's metric is still being computed; try again when that is done.",
                )
            if target is not None and target.measure.period_kind not in CALENDAR_KINDS:
                raise InvalidArgument(
                    "PERIOD_UNSUPPORTED",
                    "A target over a window of each person's own is no key result of a node.",
                    fields={
                        "objective.key_results.target_id": "must be per day, week, month, quarter or year"
                    },
                )
            if each.goal_id and (each.goal_id not in goals or goals[each.goal_id].node_id not in path):
                raise unknown_goal()

    def filled(self, objectives: Sequence[Objective], *, known_at: datetime | None = None) -> list[Objective]:
        """The objectives, each key result with what the target or goal it names asks for, or last asked for."""
        goals = self._goals_of(objectives, known_at)
        named = any(each.target_id for one in objectives for each in one.key_results)
        then = Standards(self._connection).in_force(known_at) if named and known_at else ()
        stood = {each.id: target_of(each) for each in then}

        def fill(each: KeyResult) -> KeyResult:
            if each.target_id:
                target = stood.get(each.target_id) or self._target(each.target_id, None)
                if target is not None:
                    metric, kind = target.measure
                    return replace(each, metric=metric, period_kind=kind, value=target.value)
            if each.goal_id:
                goal = goals[each.goal_id]
                return replace(each, metric=goal.metric, period_kind=goal.period_kind, value=goal.value)
            return each

        return [replace(one, key_results=tuple(fill(each) for each in one.key_results)) for one in objectives]

    def scores(
        self,
        objectives: Sequence[Objective],
        now: datetime,
        *,
        as_of: datetime | None = None,
        known_at: datetime | None = None,
    ) -> list[ObjectiveScore]:
        """How far each is: the figures of all of them in one statement."""
        filled = self.filled(objectives, known_at=known_at)
        tree = whole_tree(self._connection, self._directory, as_of=as_of, known_at=known_at)
        library = self._library.known(known_at)
        asked, days = [], []
        for one in filled:
            zone = tree.zone_of(one.node_id)
            today = local_day(as_of or now, zone)
            day = min(max(today, one.first_day), date.fromordinal(one.end_day.toordinal() - 1))
            for each in one.key_results:
                asked.append(Asked(one.node_id, period_of(each.period_kind, day, zone)))
                days.append(today)
        read = read_nodes(
            self._connection, tree, asked, as_of=as_of, known_at=known_at, counters=library.counters
        )
        figures = iter(zip(asked, days, read, strict=True))
        found = []
        for one in filled:
            results = []
            for each in one.key_results:
                (_, period), today, done = next(figures)
                metric = library.metrics(period.first)[each.metric]
                results.append(score_key_result(each, metric, evaluate(metric, done), period, today))
            found.append(score(one, results))
        return found

    def _goals_of(self, objectives: Sequence[Objective], known_at: datetime | None = None) -> dict[str, Goal]:
        """What is known of the goals that key results name; of one taken back what it last asked for."""
        ids = sorted({each.goal_id for one in objectives for each in one.key_results if each.goal_id})
        if not ids:
            return {}
        last = latest(goal_table, known_at)
        query = select(*COLUMNS).where(goal_table.c.id == func.any(ids), last)
        return {row.id: read_row(row) for row in self._connection.execute(query)}

    def _target(self, target_id: str, path: Sequence[str] | None) -> Target | None:
        """A target by id, at one of the nodes where they are given."""
        standard = Standards(self._connection).get(target_id)
        if standard is None or (path is not None and standard.node_id not in path):
            return None
        return target_of(standard)

    def _supersede(self, objective_id: str, at: datetime) -> None:
        self._connection.execute(
            update(objective)
            .where(objective.c.id == objective_id, objective.c.superseded_at.is_(None))
            .values(superseded_at=at)
        )

    def _insert(self, new: Objective, *, withdrawn: bool) -> None:
        revision = self._connection.execute(
            objective.insert()
            .values(
                id=new.id,
                node_id=new.node_id,
                title=new.title,
                period_kind=int(new.period_kind),
                first_day=new.first_day,
                end_day=new.end_day,
                reason=new.reason,
                author_id=new.author_id,
                recorded_at=new.recorded_at,
                withdrawn=withdrawn,
            )
            .returning(objective.c.revision)
        ).scalar_one()
        self._connection.execute(
            key_result.insert(),
            [_values(revision, place, each) for place, each in enumerate(new.key_results)],
        )

    def _read(
        self, narrowed: ColumnElement[bool], known_at: datetime | None, *, limit: int | None = None
    ) -> list[Objective]:
        query = select(objective).where(narrowed, known(objective, known_at)).order_by(*_ORDER).limit(limit)
        rows = self._connection.execute(query).all()
        results = self._key_results([row.revision for row in rows])
        return [
            Objective(
                row.id,
                row.node_id,
                row.title,
                PeriodKind(row.period_kind),
                row.first_day,
                tuple(results[row.revision]),
                row.reason,
                row.author_id,
                row.recorded_at,
            )
            for row in rows
        ]

    def _key_results(self, revisions: Iterable[int]) -> dict[int, list[KeyResult]]:
        query = (
            select(key_result)
            .where(key_result.c.objective_revision == func.any(list(revisions)))
            .order_by(key_result.c.objective_revision, key_result.c.place)
        )
        found: dict[int, list[KeyResult]] = defaultdict(list)
        for row in self._connection.execute(query):
            found[row.objective_revision].append(
                KeyResult(
                    Fraction(row.weight_numerator, row.weight_denominator),
                    row.target_id,
                    row.goal_id,
                    row.metric,
                    PeriodKind(row.period_kind),
                    None if row.unit is None else Value(Unit(row.unit), row.numerator, row.denominator),
                    None if row.direction is None else Direction(row.direction),
                )
            )
        return found


def _values(revision: int, place: int, each: KeyResult) -> dict[str, Any]:
    value = None if each.target_id or each.goal_id else each.value
    return {
        "objective_revision": revision,
        "place": place,
        "weight_numerator": each.weight.numerator,
        "weight_denominator": each.weight.denominator,
        "target_id": each.target_id,
        "goal_id": each.goal_id,
        "metric": each.metric,
        "period_kind": int(each.period_kind),
        "unit": None if value is None else int(value.unit),
        "numerator": None if value is None else value.numerator,
        "denominator": None if value is None else value.denominator,
        "direction": None if each.direction is None else int(each.direction),
    }


def _unknown() -> NotFound:
    return NotFound("OBJECTIVE_UNKNOWN", "There is no such objective.")

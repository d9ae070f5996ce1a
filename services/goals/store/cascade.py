"""The goal tree in the database: superseded, never edited, so that what was known then is a filter."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime
from fractions import Fraction
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, func, select, text, true, tuple_

from access import Scope
from chassis.errors import FailedPrecondition, NotFound
from services.goals.domain.cascade import (
    Axis,
    Coverage,
    Goal,
    Key,
    Link,
    Overlap,
    Siblings,
    chain,
    wrong_link,
)
from services.goals.domain.metrics import METRICS, evaluate
from services.goals.domain.periods import Period, local_day
from services.goals.domain.progress import Standing, even_course, judge
from services.goals.store.arrays import Longs, Texts
from services.goals.store.attaining import Asked, read_nodes
from services.goals.store.goal_rows import COLUMNS, known, read_row, write_goals
from services.goals.store.placements import whole_tree
from services.goals.tables import goal as table

_EPOCH: Final = date(1970, 1, 1).toordinal()
_LONGEST_CHAIN: Final = 40
# Longest period first on a day; a year's number is the largest.
_LENGTH: Final = -table.c.period_kind
_ORDER: Final = (table.c.first_day, _LENGTH, table.c.node_id, table.c.metric, table.c.id)
Place = tuple[str, int, str, str, str]
"""Where a page ends: first day, length, node, metric, id."""

# Writers take turns, readers do not wait: no two of them can leave two goals in one place, or a ring.
_TURN: Final = text("LOCK TABLE goal IN SHARE ROW EXCLUSIVE MODE")
# A plan that was kept from when the table was small reads all of it, and for thousands of keys as often.
_PLAN_AFRESH: Final = text("SET LOCAL plan_cache_mode = force_custom_plan")
_FEW: Final = 50
# A look-up for each key: as a join it might be taken from the table's side where statistics lag behind.
_AT_KEYS: Final = """
SELECT (
    SELECT id FROM goal WHERE node_id = wanted AND metric = %(metric)s AND period_kind = %(kind)s
        AND first_day = date 'epoch' + first::integer AND superseded_at IS NULL AND NOT withdrawn
) FROM unnest(%(nodes)b::text[], %(firsts)b::bigint[]) AS row (wanted, first)
"""


class View(NamedTuple):
    """A goal with what hangs below it; `parent` is None for a root."""

    goal: Goal
    children: int
    coverage: tuple[Coverage, ...]
    parent: Goal | None


class Goals:
    """The goals at nodes in the scope's reach."""

    def __init__(self, connection: Connection, scope: Scope) -> None:
        self._connection = connection
        self._scope = scope

    def take_turn(self) -> None:
        """Wait for other writers; they wait until this transaction ends."""
        self._connection.execute(_TURN)

    def get(self, goal_id: str, *, known_at: datetime | None = None) -> Goal:
        """A goal at, above or below what the scope covers. NotFound GOAL_UNKNOWN."""
        found = self._one(goal_id, known_at)
        if found is None or not self._scope.is_member(found.node_id):
            raise unknown()
        return found

    def at_keys(self, keys: Sequence[Key]) -> dict[Key, Goal]:
        """The goals that stand at keys, which share a metric and a kind of period."""
        if not keys:
            return {}
        self._plan_for(len(keys))
        rows = self._connection.exec_driver_sql(
            _AT_KEYS,
            {
                "nodes": Texts([key.node_id for key in keys]),
                "firsts": Longs(key.first_day.toordinal() - _EPOCH for key in keys),
                "metric": keys[0].metric,
                "kind": int(keys[0].period_kind),
            },
        )
        ids = [row[0] for row in rows if row[0] is not None]
        if not ids:
            return {}
        return {each.key: each for each in self._read(table.c.id == func.any(ids), None)}

    def children_of(self, parents: Iterable[str]) -> dict[str, list[Goal]]:
        """The goals directly below each."""
        found: dict[str, list[Goal]] = defaultdict(list)
        for each in self._read(table.c.parent_id == func.any(list(parents)), None):
            found[each.parent_id].append(each)
        return found

    def chain(self, goal: Goal, *, known_at: datetime | None = None) -> list[Link]:
        """The goal, its parent, and so on to where the tree begins."""
        steps = [goal]
        while steps[-1].parent_id and len(steps) < _LONGEST_CHAIN:
            parent = self._one(steps[-1].parent_id, known_at)
            if parent is None:
                break
            steps.append(parent)
        return chain(steps)

    def page(
        self,
        *,
        parent_id: str | None,
        node_id: str,
        metric: str,
        on: date | None,
        known_at: datetime | None,
        after: Place | None,
        limit: int,
    ) -> list[tuple[Goal, Place]]:
        """Goals the caller may see, each with the place a page after it starts. `parent_id` "" is for roots."""
        narrowed = self._scope.member_clause(table.c.node_id)
        narrowed &= true() if parent_id is None else table.c.parent_id == parent_id
        narrowed &= table.c.node_id == node_id if node_id else true()
        narrowed &= table.c.metric == metric if metric else true()
        if on is not None:
            narrowed &= and_(table.c.first_day <= on, table.c.end_day > on)
        if after is not None:
            narrowed &= tuple_(*_ORDER) > (date.fromisoformat(after[0]), *after[1:])
        return [(each, place_of(each)) for each in self._read(narrowed, known_at, limit=limit)]

    def views(self, goals: Sequence[Goal], *, known_at: datetime | None = None) -> list[View]:
        """The goals with their parents and what hangs below them: two statements, whatever the number."""
        self._plan_for(len(goals))
        child, parent = table.alias("child"), table.alias("parent")
        axis = (child.c.node_id != parent.c.node_id).label("by_place")
        adds = and_(child.c.metric == parent.c.metric, child.c.unit == parent.c.unit).label("adds")
        rows = self._connection.execute(
            select(parent.c.id, axis, adds, func.count(), func.sum(child.c.numerator * child.c.periods))
            .join_from(parent, child, child.c.parent_id == parent.c.id)
            .where(parent.c.id == func.any([each.id for each in goals]))
            .where(known(parent, known_at), known(child, known_at))
            .group_by(parent.c.id, axis, adds)
        )
        below: dict[str, int] = defaultdict(int)
        coverage: dict[str, list[Coverage]] = defaultdict(list)
        for goal_id, by_place, counted, children, total in rows:
            below[goal_id] += children
            if counted:
                coverage[goal_id].append(
                    Coverage(Axis.PLACE if by_place else Axis.TIME, children, int(total))
                )
        wanted = {each.parent_id for each in goals if each.parent_id}
        parents = (
            {each.id: each for each in self._read(table.c.id == func.any(sorted(wanted)), known_at)}
            if wanted
            else {}
        )
        return [
            View(
                each,
                below[each.id],
                tuple(sorted(coverage[each.id], key=lambda one: one.axis)) if each.is_sum else (),
                parents.get(each.parent_id),
            )
            for each in goals
        ]

    def progress(
        self,
        goals: Sequence[Goal],
        now: datetime,
        *,
        as_of: datetime | None = None,
        known_at: datetime | None = None,
    ) -> dict[str, tuple[Period, Standing]]:
        """How far each goal is in its period that holds, by id: one statement for the figures of all of them."""
        tree = whole_tree(self._connection, self._scope.caller.directory, as_of=as_of, known_at=known_at)
        asked, days = [], []
        for each in goals:
            zone = tree.zone_of(each.node_id)
            days.append(local_day(as_of or now, zone))
            asked.append(Asked(each.node_id, each.period_on(days[-1], zone)))
        found = {}
        read = read_nodes(self._connection, tree, asked, as_of=as_of, known_at=known_at)
        for each, (_, period), today, figures in zip(goals, asked, days, read, strict=True):
            metric = METRICS[each.metric]
            asks = Fraction(each.value.numerator, each.value.denominator)
            found[each.id] = (
                period,
                judge(metric, evaluate(metric, figures), asks, even_course(period, today)),
            )
        return found

    def set(self, new: Goal) -> Goal:
        """Store a goal; the one that stands at its key is superseded and keeps its id.

        FailedPrecondition GOAL_LINK_INVALID or GOAL_OVERLAPS where it cannot hang below its parent.
        """
        self.take_turn()
        standing = self.at_keys([new.key]).get(new.key)
        stored = new if standing is None else replace(new, id=standing.id)
        if stored.parent_id:
            self.require_link(stored)
        write_goals(self._connection, [stored], superseded=[] if standing is None else [standing.id])
        return stored

    def require_link(self, goal: Goal) -> None:
        """Pass where a goal may hang below its parent."""
        path_of = self._scope.caller.directory.ancestors
        parent = self.get(goal.parent_id)
        wrong = wrong_link(goal, parent, path_of(goal.node_id))
        if wrong is None and any(link.goal.id == goal.id for link in self.chain(parent)):
            wrong = "parent_id", "the goal would be above itself"
        if wrong is not None:
            raise link_invalid(*wrong)
        siblings = self.children_of([parent.id]).get(parent.id, [])
        self.require_disjoint(parent, [goal, *(each for each in siblings if each.id != goal.id)])

    def require_disjoint(self, parent: Goal, children: Iterable[Goal]) -> None:
        """Pass where no two children of a parent would be counted twice."""
        found = Siblings(parent, children).overlap(self._scope.caller.directory.ancestors)
        if found is not None:
            raise overlaps(found)

    def withdraw(self, goal: Goal, *, reason: str, author_id: str, at: datetime) -> Goal:
        """Take a goal back. FailedPrecondition GOAL_HAS_CHILDREN."""
        self.take_turn()
        children = len(self.children_of([goal.id]).get(goal.id, ()))
        if children:
            raise FailedPrecondition(
                "GOAL_HAS_CHILDREN",
                f"{children} goals hang below it.",
                metadata={"children": str(children)},
            )
        told = replace(goal, reason=reason, author_id=author_id, recorded_at=at)
        write_goals(self._connection, [told], superseded=[goal.id], withdrawn=True)
        return told

    def _plan_for(self, number: int) -> None:
        """Have what follows in this transaction planned for the table as it is, where it is about many goals."""
        if number > _FEW:
            self._connection.execute(_PLAN_AFRESH)

    def _one(self, goal_id: str, known_at: datetime | None) -> Goal | None:
        return next(iter(self._read(table.c.id == goal_id, known_at)), None)

    def _read(
        self, narrowed: ColumnElement[bool], known_at: datetime | None, *, limit: int | None = None
    ) -> list[Goal]:
        query = select(*COLUMNS).where(narrowed, known(table, known_at)).order_by(*_ORDER).limit(limit)
        return [read_row(row) for row in self._connection.execute(query)]


def place_of(goal: Goal) -> Place:
    """Where a page that ends with a goal ends."""
    return goal.first_day.isoformat(), -int(goal.period_kind), goal.node_id, goal.metric, goal.id


def unknown() -> NotFound:
    """There is no such goal, or none that may be seen."""
    return NotFound("GOAL_UNKNOWN", "There is no such goal.")


def link_invalid(field: str, why: str) -> FailedPrecondition:
    """It cannot hang there."""
    return FailedPrecondition(
        "GOAL_LINK_INVALID", f"The goal cannot hang there: {field} {why}.", fields={f"goal.{field}": why}
    )


def overlaps(found: Overlap) -> FailedPrecondition:
    """The same would be asked for twice."""
    return FailedPrecondition(
        "GOAL_OVERLAPS",
        f"{found.goal.node_id} would be counted twice below the same goal: {found.other.node_id} is asked already.",
        metadata={"goal": found.goal.id, "other": found.other.id, "node": found.other.node_id},
    )

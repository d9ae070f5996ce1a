"""Cutting a goal into shares, level by level: who stands below, what they are weighed by, what stood there before."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection

from access import Directory, Kind, Scope
from chassis.ids import new_id
from services.goals.domain.allocation import PERIODS, Into, Portion, Step, largest_remainder
from services.goals.domain.cascade import LARGEST_SUM, Axis, Coverage, Goal, Method, Share, axis_of
from services.goals.domain.periods import PeriodKind, months_after
from services.goals.domain.values import Value
from services.goals.store.cascade import Goals
from services.goals.store.goal_rows import write_goals
from services.goals.store.weighing import Slot, Weights, impossible

_MOST: Final = 100_000
_LENGTH: Final = {Into.MONTHS: PeriodKind.MONTH, Into.QUARTERS: PeriodKind.QUARTER}
_KINDS: Final = {Into.BRANCHES: Kind.BRANCH, Into.DEPARTMENTS: Kind.DEPARTMENT}


class Cut(NamedTuple):
    """A share as a goal; `portion` is None for a rate, `before` what stood there, `parent_node` whose part it is."""

    goal: Goal
    portion: Portion | None
    before: Goal | None
    parent_node: str
    level: int


@dataclass(frozen=True, slots=True)
class Allocation:
    """What was cut, on all levels, and the divided goal's coverage with it; `divided` is None for a rate."""

    cuts: tuple[Cut, ...]
    divided: int | None
    coverage: Coverage | None


@dataclass(frozen=True, slots=True)
class Act:
    """By whom, why and when, for every goal made."""

    author_id: str
    reason: str
    at: datetime
    today: date


class Allocator:
    """Divides goals at nodes the scope covers."""

    def __init__(self, connection: Connection, scope: Scope) -> None:
        self._connection = connection
        self._directory: Directory = scope.caller.directory
        self._goals = Goals(connection, scope)

    def allocate(self, goal: Goal, steps: Sequence[Step], amount: int | None, act: Act) -> Allocation:
        """Every share of every step. FailedPrecondition ALLOCATION_IMPOSSIBLE, GOAL_OVERLAPS. Nothing is stored."""
        cuts: list[Cut] = []
        parents = [goal]
        first_divided: int | None = None
        standing = self._goals.children_of([goal.id])
        for level, step in enumerate(steps):
            weigh = Weights(self._connection, self._directory, goal, step, level)
            made: list[Cut] = []
            for parent in parents:
                whole = amount if level == 0 and amount is not None else _divisible(parent, step)
                made += self._divide(parent, step, weigh, whole, act, level)
                if len(made) + len(cuts) > _MOST:
                    raise impossible(level, "into", f"that would be more than {_MOST} goals")
                if level == 0 and goal.is_sum:
                    first_divided = whole
            made = self._settled(made)
            if level:
                standing.update(self._goals.children_of([each.id for each in parents]))
            self._require_disjoint(parents, made, standing)
            cuts += made
            parents = [cut.goal for cut in made]
        return Allocation(tuple(cuts), first_divided, _coverage(goal, cuts, standing.get(goal.id, ())))

    def store(self, found: Allocation) -> None:
        """Store what `allocate` found in this transaction, in which writers have taken turns before."""
        by_level: dict[int, list[Cut]] = defaultdict(list)
        for cut in found.cuts:
            by_level[cut.level].append(cut)
        for cuts in by_level.values():
            superseded = [cut.before.id for cut in cuts if cut.before is not None]
            write_goals(self._connection, [cut.goal for cut in cuts], superseded=superseded)

    def _divide(
        self, parent: Goal, step: Step, weigh: Weights, whole: int, act: Act, level: int
    ) -> list[Cut]:
        slots = self._slots(parent, step, act, level)
        if not slots:
            if level:
                return []  # A department nobody works in yet keeps its goal whole.
            raise impossible(level, "into", f"nobody to divide among below {parent.node_id}")

        def made(slot: Slot, value: Value, share: Share, portion: Portion | None) -> Cut:
            goal = Goal(
                new_id(),
                parent.id,
                slot.node_id,
                parent.metric,
                slot.period_kind,
                slot.first_day,
                slot.periods,
                value,
                share,
                act.reason,
                act.author_id,
                act.at,
            )
            return Cut(goal, portion, None, parent.node_id, level)

        if not parent.is_sum:
            passed = Share(Method.PASSED_DOWN)
            return [made(slot, parent.value, passed, None) for slot in slots]
        weights = weigh.of(slots)
        portions = largest_remainder(whole, weights)
        if portions is None or portions[0].weight_sum > LARGEST_SUM:
            raise impossible(level, "method", f"nothing to divide by below {parent.node_id}")
        unit = parent.value.unit
        return [
            made(
                slot,
                Value(unit, portion.units),
                Share(step.method, portion.weight, portion.weight_sum, whole, weigh.basis),
                portion,
            )
            for slot, portion in zip(slots, portions, strict=True)
        ]

    def _slots(self, parent: Goal, step: Step, act: Act, level: int) -> list[Slot]:
        """What a step divides a goal among, by node or by period."""
        if step.into in PERIODS:
            kind = _LENGTH[step.into]
            length = 1 if kind is PeriodKind.MONTH else 3
            if parent.months <= length or parent.months % length or (parent.first_day.month - 1) % length:
                raise impossible(level, "into", "the goal is not longer than one such period")
            return [
                Slot(parent.node_id, kind, months_after(parent.first_day, months), 1)
                for months in range(0, parent.months, length)
            ]
        nodes = self._nodes(parent, step, act)
        return [Slot(node, parent.period_kind, parent.first_day, parent.periods) for node in sorted(nodes)]

    def _nodes(self, parent: Goal, step: Step, act: Act) -> Iterable[str]:
        if step.into is Into.NODES:
            return step.node_ids
        if step.into is Into.PEOPLE:
            day = max(parent.first_day, act.today)
            people = (self._directory.person(each) for each in self._directory.active_under(parent.node_id))
            return [
                person.id
                for person in people
                if person is not None
                and person.id != parent.node_id
                and (not step.job_role or person.job_role == step.job_role)
                and (not step.newcomers_only or person.on_probation(day))
            ]
        return self._nearest(parent.node_id, _KINDS[step.into])

    def _nearest(self, node_id: str, kind: Kind) -> list[str]:
        """The nodes of a kind strictly below, none below another of them."""
        found, waiting = [], list(self._directory.children(node_id))
        while waiting:
            node = self._directory.node(waiting.pop())
            if node is None or node.kind is Kind.PERSON:
                continue
            if node.kind is kind:
                found.append(node.id)
            else:
                waiting.extend(self._directory.children(node.id))
        return found

    def _settled(self, made: Sequence[Cut]) -> list[Cut]:
        """The cuts with the ids of the goals they take the place of."""
        standing = self._goals.at_keys([cut.goal.key for cut in made])
        if not standing:
            return list(made)
        return [
            cut
            if (before := standing.get(cut.goal.key)) is None
            else cut._replace(goal=replace(cut.goal, id=before.id), before=before)
            for cut in made
        ]

    def _require_disjoint(
        self, parents: Sequence[Goal], made: Sequence[Cut], standing: Mapping[str, Sequence[Goal]]
    ) -> None:
        below: dict[str, list[Goal]] = defaultdict(list)
        ids = set()
        for cut in made:
            below[cut.goal.parent_id].append(cut.goal)
            ids.add(cut.goal.id)
        for parent in parents:
            others = [each for each in standing.get(parent.id, ()) if each.id not in ids]
            self._goals.require_disjoint(parent, [*below.get(parent.id, ()), *others])


def _divisible(parent: Goal, step: Step) -> int:
    """Units that a step divides: of each period among nodes, of all of them among shorter periods."""
    return parent.total.numerator if step.into in PERIODS else parent.value.numerator


def _coverage(goal: Goal, cuts: Sequence[Cut], standing: Iterable[Goal]) -> Coverage | None:
    """The goal's coverage on the axis of its first cuts, with what stood there before and stays."""
    made = [cut.goal for cut in cuts if cut.level == 0]
    axis = axis_of(made[0], goal)
    if axis is None:
        return None
    ids = {each.id for each in made}
    below = [*made, *(each for each in standing if each.id not in ids and axis_of(each, goal) is axis)]
    return Coverage(Axis(axis), len(below), sum(each.total.numerator for each in below))

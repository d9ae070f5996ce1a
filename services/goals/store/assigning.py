"""Asking the same of many people in one act, with a result for each."""

from collections.abc import Iterable
from dataclasses import replace
from enum import IntEnum
from typing import NamedTuple

from sqlalchemy import Connection

from access import Scope
from chassis.errors import InvalidArgument, NotFound
from chassis.ids import new_id
from services.goals.domain.cascade import Goal, Siblings, wrong_link
from services.goals.domain.periods import PeriodKind
from services.goals.domain.values import Value
from services.goals.store.cascade import Goals
from services.goals.store.goal_rows import write_goals
from services.goals.store.targets_mapping import target_of
from standards import Standards


class Outcome(IntEnum):
    """What became of one person's goal; the numbers of `foothold.goals.v1.AssignmentResult.Outcome`."""

    ASSIGNED = 1
    ALREADY = 2
    REFUSED = 3


class Assignment(NamedTuple):
    """One person's result; `reason` is an ErrorReason where refused."""

    person_id: str
    outcome: Outcome
    reason: str = ""
    goal_id: str = ""


class Assigner:
    """Assigns goals to people the scope covers."""

    def __init__(self, connection: Connection, scope: Scope) -> None:
        self._connection = connection
        self._scope = scope
        self._directory = scope.caller.directory
        self._goals = Goals(connection, scope)

    def target(self, target_id: str, kind: PeriodKind) -> tuple[str, Value]:
        """Metric and value of a target the caller may see.

        NotFound TARGET_UNKNOWN, InvalidArgument PERIOD_UNSUPPORTED.
        """
        standard = Standards(self._connection).get(target_id)
        if standard is None or not self._scope.is_member(standard.node_id):
            raise NotFound("TARGET_UNKNOWN", "There is no such target.")
        target = target_of(standard)
        if target.measure.period_kind is not kind:
            raise InvalidArgument(
                "PERIOD_UNSUPPORTED",
                "The target is for another kind of period.",
                fields={"period_kind": "must be the target's"},
            )
        return target.measure.metric, target.value

    def assign(self, template: Goal, person_ids: Iterable[str]) -> list[Assignment]:
        """Ask the template of each person. NotFound GOAL_UNKNOWN where there is no such parent."""
        self._goals.take_turn()
        parent = self._goals.get(template.parent_id) if template.parent_id else None
        siblings = None
        if parent is not None:
            siblings = Siblings(parent, self._goals.children_of([parent.id]).get(parent.id, ()))
        asked = list(person_ids)
        wanted = {person_id: replace(template, id=new_id(), node_id=person_id) for person_id in asked}
        refused: dict[str, str] = {}
        for person_id, goal in wanted.items():
            why = self._refusal(goal, parent, siblings)
            if why:
                refused[person_id] = why
        goals = {person_id: goal for person_id, goal in wanted.items() if person_id not in refused}
        standing = self._goals.at_keys([goal.key for goal in goals.values()])
        results, made, superseded = {}, [], []
        for person_id, goal in goals.items():
            before = standing.get(goal.key)
            if before is not None and _same(before, goal):
                results[person_id] = Assignment(person_id, Outcome.ALREADY, goal_id=before.id)
                continue
            stored = goal if before is None else replace(goal, id=before.id)
            made.append(stored)
            superseded += [] if before is None else [before.id]
            results[person_id] = Assignment(person_id, Outcome.ASSIGNED, goal_id=stored.id)
        write_goals(self._connection, made, superseded=superseded)
        for person_id, why in refused.items():
            results[person_id] = Assignment(person_id, Outcome.REFUSED, reason=why)
        return [results[person_id] for person_id in asked]

    def _refusal(self, goal: Goal, parent: Goal | None, siblings: Siblings | None) -> str:
        """Why nothing is asked of a person; empty where it may be."""
        person = self._directory.person(goal.node_id)
        if person is None or not self._scope.covers(goal.node_id):
            return "PERSON_UNKNOWN"
        if not person.active:
            return "PERSON_LEFT"
        if parent is None or siblings is None:
            return ""
        path = self._directory.ancestors(goal.node_id)
        if wrong_link(goal, parent, path) is not None:
            return "GOAL_LINK_INVALID"
        return "" if siblings.above(goal, path) is None else "GOAL_OVERLAPS"


def _same(before: Goal, goal: Goal) -> bool:
    return (before.parent_id, before.periods, before.value) == (goal.parent_id, goal.periods, goal.value)

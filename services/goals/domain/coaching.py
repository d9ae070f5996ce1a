"""Coaching: the situations people are in, the step each suggests, and tasks with the day they are due."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import IntEnum
from typing import Final, NamedTuple

from services.goals.domain.periods import day_start, local_day
from services.goals.domain.progress import Member, Status

BUILT_IN: Final = ""
"""The node of the rules that come with the program: above every other."""
MOST_DAYS_AHEAD: Final = 90


class Situation(IntEnum):
    """What a newcomer may be in; the numbers of `foothold.goals.v1.CoachingSituation`."""

    BEHIND = 1
    AT_THRESHOLD = 2
    NO_FOLLOW_UP = 3
    NO_DATA = 4
    MET = 5


# In the order in which somebody who coaches looks at them.
_OF_STATUS: Final = {
    Status.BEHIND: Situation.BEHIND,
    Status.NO_DATA: Situation.NO_DATA,
    Status.AT_THRESHOLD: Situation.AT_THRESHOLD,
    Status.MET: Situation.MET,
}
_URGENCY: Final = (
    Situation.BEHIND,
    Situation.NO_FOLLOW_UP,
    Situation.NO_DATA,
    Situation.AT_THRESHOLD,
    Situation.MET,
)


class Matter(NamedTuple):
    """What a step or task is about. `metric` is empty where it is about no target."""

    situation: Situation
    metric: str


class RuleKey(NamedTuple):
    """A rule's place; `metric` is empty for any."""

    node_id: str
    situation: Situation
    metric: str


@dataclass(frozen=True, slots=True)
class Rule:
    """Which step a situation suggests; `recorded_at` is None for one that comes with the program."""

    key: RuleKey
    step_zh: str
    step_en: str
    days: int
    course_id: str
    active: bool
    reason: str = ""
    author_id: str = ""
    recorded_at: datetime | None = None


class TaskState(IntEnum):
    """How far a task is; the numbers of `foothold.goals.v1.CoachingTaskState`."""

    OPEN = 1
    ANSWERED = 2
    DONE = 3
    WITHDRAWN = 4

    @property
    def closed(self) -> bool:
        """Whether nothing is expected of anybody any more."""
        return self in CLOSED


CLOSED: Final = frozenset({TaskState.DONE, TaskState.WITHDRAWN})


@dataclass(frozen=True, slots=True)
class Task:
    """A coaching task as it stands; `closed_at` is None while it is not closed."""

    id: str
    person_id: str
    matter: Matter
    text: str
    course_id: str
    due_day: date
    opener_id: str
    opened_at: datetime
    state: TaskState = TaskState.OPEN
    answer: str = ""
    answered_at: datetime | None = None
    note: str = ""
    closer_id: str = ""
    closed_at: datetime | None = None

    def with_answer(self, answer: str, at: datetime) -> "Task":
        """With the person's answer, in place of one before."""
        return replace(self, state=TaskState.ANSWERED, answer=answer, answered_at=at)

    def close(self, outcome: TaskState, *, note: str, by: str, at: datetime) -> "Task":
        """Closed as `outcome`."""
        return replace(self, state=outcome, note=note, closer_id=by, closed_at=at)

    def late(self, now: datetime, zone: str) -> bool:
        """Whether its day has passed in the person's zone while it is not closed: from the first midnight after it."""
        return not self.state.closed and now >= day_start(self.due_day + timedelta(days=1), zone)


def matters_of(member: Member) -> list[Matter]:
    """The situations somebody is in, each once: of a metric with several targets the same is said once."""
    found = {
        Matter(situation, each.resolved.target.measure.metric)
        for each in member.targets
        if (situation := _OF_STATUS.get(each.standing.status)) is not None
    }
    if "no_follow_up" in member.reasons:
        found.add(Matter(Situation.NO_FOLLOW_UP, ""))
    order = {each.resolved.target.measure.metric: place for place, each in enumerate(member.targets)}
    return sorted(found, key=lambda each: (_URGENCY.index(each.situation), order.get(each.metric, 0)))


def by_key(rules: Iterable[Rule]) -> dict[RuleKey, Rule]:
    """The rules by their place."""
    return {rule.key: rule for rule in rules}


def rule_for(rules: Mapping[RuleKey, Rule], path: Sequence[str], matter: Matter) -> Rule | None:
    """The rule of the nearest node on `path` that has one, then the built-in one.

    At one node the rule for the metric goes before the one for any. None where there is none, or where the one found is
    not active: that is how a branch switches off what is set above.
    """
    for node_id in (*path, BUILT_IN):
        for metric in dict.fromkeys((matter.metric, "")):
            found = rules.get(RuleKey(node_id, matter.situation, metric))
            if found is not None:
                return found if found.active else None
    return None


def due_days(now: datetime, zone: str) -> tuple[date, date]:
    """The first and the last day that a task opened now may be due, both included."""
    today = local_day(now, zone)
    return today, today + timedelta(days=MOST_DAYS_AHEAD)

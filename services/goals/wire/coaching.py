"""Coaching rules, steps and tasks."""

from datetime import datetime

from foothold.goals.v1 import coaching_pb2, coaching_rules_pb2

from services.goals.domain.coaching import Matter, Rule, Task
from services.goals.wire.values import from_date, from_instant


def from_rule(rule: Rule) -> coaching_rules_pb2.CoachingRule:
    """A rule."""
    return coaching_rules_pb2.CoachingRule(
        node_id=rule.key.node_id,
        situation=int(rule.key.situation),  # type: ignore[arg-type]  # the enums have the same numbers
        metric=rule.key.metric,
        step_zh=rule.step_zh,
        step_en=rule.step_en,
        days=rule.days,
        course_id=rule.course_id,
        active=rule.active,
        reason=rule.reason,
        author_id=rule.author_id,
        recorded_at=None if rule.recorded_at is None else from_instant(rule.recorded_at),
    )


def from_task(task: Task, now: datetime, zone: str) -> coaching_pb2.CoachingTask:
    """A task as it stands now; `zone` is the person's."""
    return coaching_pb2.CoachingTask(
        id=task.id,
        person_id=task.person_id,
        situation=int(task.matter.situation),  # type: ignore[arg-type]  # the enums have the same numbers
        metric=task.matter.metric,
        text=task.text,
        course_id=task.course_id,
        due_day=from_date(task.due_day),
        opener_id=task.opener_id,
        opened_at=from_instant(task.opened_at),
        state=int(task.state),  # type: ignore[arg-type]  # the enums have the same numbers
        late=task.late(now, zone),
        answer=task.answer,
        answered_at=None if task.answered_at is None else from_instant(task.answered_at),
        note=task.note,
        closer_id=task.closer_id,
        closed_at=None if task.closed_at is None else from_instant(task.closed_at),
    )


def from_step(
    matter: Matter, rule: Rule | None, task: coaching_pb2.CoachingTask | None
) -> coaching_pb2.SuggestedStep:
    """A situation with the step it suggests and the task that is open for it."""
    return coaching_pb2.SuggestedStep(
        situation=int(matter.situation),  # type: ignore[arg-type]  # the enums have the same numbers
        metric=matter.metric,
        rule=None if rule is None else from_rule(rule),
        task=task,
    )

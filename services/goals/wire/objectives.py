"""Objectives, key results and their scores."""

from foothold.goals.v1 import objectives_pb2

from services.goals.domain.objectives import KeyResult, KeyResultScore, Objective, ObjectiveScore, as_rate
from services.goals.wire.values import from_date, from_instant, from_period, from_value


def from_objective(objective: Objective, currency: str) -> objectives_pb2.Objective:
    """An objective as set."""
    return objectives_pb2.Objective(
        id=objective.id,
        node_id=objective.node_id,
        title=objective.title,
        period_kind=int(objective.period_kind),  # type: ignore[arg-type]  # the enums have the same numbers
        first_day=from_date(objective.first_day),
        key_results=[from_key_result(each, currency) for each in objective.key_results],
        reason=objective.reason,
        author_id=objective.author_id,
        recorded_at=from_instant(objective.recorded_at),
        end_day=from_date(objective.end_day),
    )


def from_key_result(each: KeyResult, currency: str) -> objectives_pb2.KeyResult:
    """A key result; its value is unset while the target or goal it names was not looked up."""
    return objectives_pb2.KeyResult(
        weight=from_value(as_rate(each.weight), currency),
        target_id=each.target_id,
        goal_id=each.goal_id,
        metric=each.metric,
        period_kind=int(each.period_kind),  # type: ignore[arg-type]  # the enums have the same numbers
        value=None if each.value is None else from_value(each.value, currency),
        direction=int(each.direction or 0),  # type: ignore[arg-type]  # the enums have the same numbers
    )


def from_score(scored: ObjectiveScore, currency: str) -> objectives_pb2.ObjectiveScore:
    """An objective with its score."""
    return objectives_pb2.ObjectiveScore(
        objective=from_objective(scored.objective, currency),
        key_results=[_from_key_result_score(each, currency) for each in scored.key_results],
        score=from_value(as_rate(scored.score), currency),
        weight_with_data=from_value(as_rate(scored.weight_with_data), currency),
    )


def _from_key_result_score(each: KeyResultScore, currency: str) -> objectives_pb2.KeyResultScore:
    return objectives_pb2.KeyResultScore(
        key_result=from_key_result(each.key_result, currency),
        period=from_period(each.period),
        done=from_value(each.done, currency),
        attainment=from_value(as_rate(each.attainment), currency),
        status=int(each.status),  # type: ignore[arg-type]  # the enums have the same numbers
    )

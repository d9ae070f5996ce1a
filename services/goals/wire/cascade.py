"""Goals, what hangs below them, and where they come from."""

from collections.abc import Iterable
from fractions import Fraction

from foothold.goals.v1 import cascade_pb2

from services.goals.domain.cascade import Coverage, Goal, Link, Share, needed_for, share_of
from services.goals.domain.periods import Period
from services.goals.domain.progress import Standing
from services.goals.domain.values import Unit, Value, exactly
from services.goals.wire.values import from_date, from_instant, from_period, from_value


def from_goal(goal: Goal, currency: str, *, stored: bool = True) -> cascade_pb2.Goal:
    """A goal; without an id where it was not stored."""
    return cascade_pb2.Goal(
        id=goal.id if stored else "",
        parent_id=goal.parent_id,
        node_id=goal.node_id,
        metric=goal.metric,
        period_kind=int(goal.period_kind),  # type: ignore[arg-type]  # the enums have the same numbers
        first_day=from_date(goal.first_day),
        periods=goal.periods,
        value=from_value(goal.value, currency),
        share=_from_share(goal.share),
        reason=goal.reason,
        author_id=goal.author_id,
        recorded_at=from_instant(goal.recorded_at),
        end_day=from_date(goal.end_day),
        total=from_value(goal.total, currency),
    )


def from_coverage(goal: Goal, coverage: Coverage, currency: str) -> cascade_pb2.GoalCoverage:
    """What children make together against a goal."""
    unit, whole = goal.value.unit, goal.total.numerator
    return cascade_pb2.GoalCoverage(
        axis=int(coverage.axis),  # type: ignore[arg-type]  # the enums have the same numbers
        children=coverage.children,
        sum=from_value(Value(unit, coverage.total), currency),
        share=from_value(Value(Unit.RATE, coverage.total, whole), currency),
        gap=from_value(Value(unit, whole - coverage.total), currency),
    )


def from_view(
    goal: Goal, children: int, coverage: Iterable[Coverage], parent: Goal | None, currency: str
) -> cascade_pb2.GoalView:
    """A goal with what hangs below it. `parent` is None where there is none, or none to be told of."""
    view = cascade_pb2.GoalView(
        goal=from_goal(goal, currency),
        children=children,
        coverage=[from_coverage(goal, each, currency) for each in coverage],
    )
    if parent is not None:
        _set(view.share_of_parent, share_of(goal, parent), Unit.RATE)
        _set(view.needed_for_parent, needed_for(goal, parent), Unit.COUNT)
    return view


def from_link(link: Link, currency: str) -> cascade_pb2.GoalStep:
    """One step of a chain."""
    step = cascade_pb2.GoalStep(goal=from_goal(link.goal, currency), parent_changed=link.parent_changed)
    _set(step.share_of_parent, link.share_of_parent, Unit.RATE)
    return step


def from_goal_progress(period: Period, standing: Standing, currency: str) -> cascade_pb2.GoalProgress:
    """How far a goal is."""
    return cascade_pb2.GoalProgress(
        period=from_period(period),
        done=from_value(standing.done, currency),
        attainment=from_value(standing.attainment, currency),
        remaining=from_value(standing.remaining, currency),
        status=int(standing.status),  # type: ignore[arg-type]  # the enums have the same numbers
    )


def _from_share(share: Share) -> cascade_pb2.GoalShare:
    told = cascade_pb2.GoalShare(
        method=int(share.method),  # type: ignore[arg-type]  # the enums have the same numbers
        weight=share.weight,
        weight_sum=share.weight_sum,
        divided=share.divided,
    )
    if share.basis is not None:
        told.basis_from.CopyFrom(from_date(share.basis[0]))
        told.basis_to.CopyFrom(from_date(share.basis[1]))
    return told


def _set(field: object, number: Fraction | None, unit: Unit) -> None:
    if number is not None:
        field.CopyFrom(from_value(exactly(unit, number), ""))  # type: ignore[attr-defined]  # a Value message

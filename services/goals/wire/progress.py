"""Progress."""

from collections.abc import Callable, Mapping
from datetime import date, datetime

from foothold.goals.v1 import progress_pb2

from services.goals.domain.metrics import Metric, evaluate
from services.goals.domain.periods import PeriodKind
from services.goals.domain.progress import Member, Progress, TargetStanding
from services.goals.wire.calendars import from_unknown_year
from services.goals.wire.leave import from_step
from services.goals.wire.targets import from_resolved
from services.goals.wire.values import from_date, from_instant, from_period, from_value


def from_standing(standing: TargetStanding, currency: str) -> progress_pb2.TargetProgress:
    """A target with how the person stands with it."""
    judged, asked, course = standing.standing, standing.asked, standing.course
    unit = standing.resolved.target.value.unit
    return progress_pb2.TargetProgress(
        target=from_resolved(standing.resolved, currency),
        period=from_period(standing.period),
        done=from_value(judged.done, currency),
        remaining=from_value(judged.remaining, currency),
        attainment=from_value(judged.attainment, currency),
        status=int(judged.status),  # type: ignore[arg-type]  # the enums have the same numbers
        pace=None if judged.pace is None else from_value(judged.pace, currency),
        asked=from_value(standing.asked_value, currency),
        adjustments=[from_step(each, unit, currency) for each in asked.steps],
        daily_pace=None if judged.daily_pace is None else from_value(judged.daily_pace, currency),
        workdays=0 if course is None else course.total,
        workdays_left=0 if course is None else course.left,
        unknown_year=None if asked.unknown is None else from_unknown_year(asked.unknown),
    )


def from_progress(
    progress: Progress, metrics: Callable[[date], Mapping[str, Metric]], as_of: datetime, currency: str
) -> progress_pb2.GetProgressResponse:
    """One person's targets and figures; `metrics` are those that measure a period by its first day."""
    response = progress_pb2.GetProgressResponse(
        targets=[from_standing(each, currency) for each in progress.targets], as_of=from_instant(as_of)
    )
    for period, figures in progress.values:
        told = from_period(period)
        window = period.days if period.kind is PeriodKind.ROLLING else 0
        for metric in metrics(period.measured_on).values():
            if metric.rolling_days != window:
                continue
            response.values.add(
                metric=metric.name, period=told, value=from_value(evaluate(metric, figures), currency)
            )
    for each in progress.unmeasured:
        first, last = each.probation
        response.unmeasured.add(
            target=from_resolved(each.resolved, currency),
            reason=int(each.why),
            first_day=None if first is None else from_date(first),
            last_day=None if last is None else from_date(last),
        )
    if progress.last_recorded_at is not None:
        response.last_fact_recorded_at.CopyFrom(from_instant(progress.last_recorded_at))
    return response


def from_member(member: Member, currency: str) -> progress_pb2.PersonProgress:
    """One person's line in a team."""
    return progress_pb2.PersonProgress(
        person_id=member.person_id,
        name=member.name,
        employee_number=member.employee_number,
        targets=[from_standing(each, currency) for each in member.targets],
        needs_attention=member.needs_attention,
        reasons=member.reasons,
        last_follow_up=None if member.last_follow_up is None else from_date(member.last_follow_up),
        probation_end=None if member.probation_end is None else from_date(member.probation_end),
    )

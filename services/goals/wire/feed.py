"""Events: a change's days as written in the outbox, and figures as they are when the event is read."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from foothold.goals.v1 import coaching_pb2, fairness_pb2, feed_pb2, targets_pb2

from chassis.feed import StoredEvent
from services.goals.domain.coaching import Task
from services.goals.domain.definitions import State, Version
from services.goals.domain.metrics import Figures, Metric, evaluate
from services.goals.domain.periods import Period
from services.goals.domain.recorded import Deal
from services.goals.domain.targets import Target
from services.goals.wire.facts import from_minor
from services.goals.wire.metrics import from_definition
from services.goals.wire.targets import from_target
from services.goals.wire.values import from_date, from_instant, from_period, from_value

VALUES_CHANGED: Final = "values_changed"
TARGET_CHANGED: Final = "target_changed"
CALENDAR_CHANGED: Final = "calendar_changed"
TASK_CHANGED: Final = "coaching_task_changed"
METRIC_CHANGED: Final = "metric_changed"
FLAG_CHANGED: Final = "flag_changed"
_EPOCH: Final = date(1970, 1, 1).toordinal()


def target_payload(target: Target, currency: str) -> bytes:
    """A target as an event keeps it."""
    return from_target(target, currency).SerializeToString()


def target_event(position: int, occurred_at: datetime, payload: bytes) -> feed_pb2.Event:
    """A target was set or ended."""
    return feed_pb2.Event(
        position=position,
        occurred_at=from_instant(occurred_at),
        target_changed=targets_pb2.Target.FromString(payload),
    )


def calendar_event(position: int, occurred_at: datetime, node_id: str) -> feed_pb2.Event:
    """What is set about work at a node changed."""
    return feed_pb2.Event(
        position=position,
        occurred_at=from_instant(occurred_at),
        calendar_changed=feed_pb2.CalendarChanged(node_id=node_id),
    )


def task_payload(task: Task) -> bytes:
    """What an event tells of a task: not what it says, which is for those who may read the person's."""
    return coaching_pb2.CoachingTaskChanged(
        task_id=task.id,
        person_id=task.person_id,
        state=int(task.state),  # type: ignore[arg-type]  # the enums have the same numbers
        due_day=from_date(task.due_day),
    ).SerializeToString()


def task_event(position: int, occurred_at: datetime, payload: bytes) -> feed_pb2.Event:
    """A coaching task was opened, answered or closed."""
    return feed_pb2.Event(
        position=position,
        occurred_at=from_instant(occurred_at),
        coaching_task_changed=coaching_pb2.CoachingTaskChanged.FromString(payload),
    )


def flag_event(position: int, occurred_at: datetime, payload: bytes) -> feed_pb2.Event:
    """A flag was raised, answered or corrected."""
    return feed_pb2.Event(
        position=position,
        occurred_at=from_instant(occurred_at),
        flag_changed=fairness_pb2.FlagChanged.FromString(payload),
    )


def metric_event(
    position: int, occurred_at: datetime, name: str, payload: bytes, told: Version | None
) -> feed_pb2.Event:
    """Another version of a metric serves, or it is retired; `told` is the newest that has served."""
    return feed_pb2.Event(
        position=position,
        occurred_at=from_instant(occurred_at),
        metric_changed=feed_pb2.MetricChanged(
            metric=name,
            version=int(payload),
            definition=None if told is None else from_definition(told.definition),
            retired=told is not None and told.state is State.RETIRED,
        ),
    )


def days_of(payload: bytes) -> list[date]:
    """The local days whose figures changed."""
    return [date.fromordinal(_EPOCH + int(number)) for number in payload.split(b",")]


def states_of(event: StoredEvent) -> Sequence[str] | None:
    """Weeks and months whose figures changed, read anew with the event; task or flag; targets are kept for good."""
    if event.kind == TARGET_CHANGED:
        return None
    if event.kind in {CALENDAR_CHANGED, METRIC_CHANGED}:
        # It says only that there is something to be read anew.
        return [event.kind]
    if event.kind == TASK_CHANGED:
        return [coaching_pb2.CoachingTaskChanged.FromString(event.payload).task_id]
    if event.kind == FLAG_CHANGED:
        return [fairness_pb2.FlagChanged.FromString(event.payload).flag_id]
    days = days_of(event.payload)
    weeks = {f"week {day - timedelta(days=day.weekday())}" for day in days}
    return [*weeks, *{f"month {day:%Y-%m}" for day in days}]


def values_event(
    position: int,
    occurred_at: datetime,
    person_id: str,
    periods: Sequence[Period],
    told: Mapping[Period, feed_pb2.PeriodValues],
) -> feed_pb2.Event:
    """A person's figures changed."""
    return feed_pb2.Event(
        position=position,
        occurred_at=from_instant(occurred_at),
        values_changed=feed_pb2.ValuesChanged(
            person_id=person_id, periods=[told[period] for period in periods]
        ),
    )


def from_deal(deal: Deal, currency: str) -> feed_pb2.PeriodDeal:
    """What counts of a deal."""
    return feed_pb2.PeriodDeal(
        key=feed_pb2.DealKey(source=deal.key.source, external_id=deal.key.external_id),
        kind=deal.kind,  # type: ignore[arg-type]  # the enums have the same numbers
        occurred_at=from_instant(deal.occurred_at),
        amount=None if deal.amount is None else from_minor(deal.amount, currency),
        deal_amount=None if deal.deal_amount is None else from_minor(deal.deal_amount, currency),
        product=deal.product,
    )


def from_figures(
    period: Period, figures: Figures, metrics: Mapping[str, Metric], currency: str
) -> feed_pb2.PeriodValues:
    """All metrics over a period that are no ratios and have no window of their own, which is no week and no month."""
    values = feed_pb2.PeriodValues(period=from_period(period))
    for metric in metrics.values():
        if metric.is_ratio or metric.rolling_days:
            continue
        values.values.add(metric=metric.name, value=from_value(evaluate(metric, figures), currency))
    return values

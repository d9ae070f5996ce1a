"""What incentives does with other services' events: goals' figures make statements, people move and pass courses."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Final

import grpc
from foothold.goals.v1 import fairness_pb2, metrics_pb2
from foothold.goals.v1 import feed_pb2 as goals_pb2
from foothold.goals.v1 import feed_pb2_grpc as goals_pb2_grpc
from foothold.goals.v1 import values_pb2 as goals_values_pb2
from foothold.identity.v1 import directory_pb2
from foothold.identity.v1 import feed_pb2 as identity_pb2
from foothold.training.v1 import feed_pb2 as training_pb2
from foothold.training.v1 import feed_pb2_grpc as training_pb2_grpc
from foothold.training.v1 import learning_pb2
from google.protobuf.duration_pb2 import Duration
from sqlalchemy import Connection

from chassis.database import Database
from chassis.feed import Follower, Page
from services.incentives.calculating import Calculator
from services.incentives.domain.flags import FlagTold
from services.incentives.domain.metrics import Unit
from services.incentives.domain.periods import Period, PeriodKind
from services.incentives.domain.statements import Told
from services.incentives.store.catalogue import enqueue
from services.incentives.store.courses import Passed, note_courses, note_passed
from services.incentives.store.flag_holds import take_flags
from services.incentives.store.mentoring import mentors_before
from services.incentives.store.metrics import OwnMetric, forget_metric, note_metric, reread
from services.incentives.store.placements import Placement, note

PAGE_SIZES: Final = (200, 1_000)
"""Small while little waits, so that a fresh fact does not wait long behind a page; large behind a bulk load, for
the figures of one person and period are then read, computed and written once for all of a page's events."""
# On top of the time the answer may wait for news.
_ANSWER_SECONDS: Final = 10.0
_READABLE: Final = frozenset(
    {
        metrics_pb2.MetricDefinition.AGGREGATION_COUNT,
        metrics_pb2.MetricDefinition.AGGREGATION_DISTINCT_CUSTOMERS,
        metrics_pb2.MetricDefinition.AGGREGATION_SUM_AMOUNT,
        metrics_pb2.MetricDefinition.AGGREGATION_SUM_MINUTES,
        metrics_pb2.MetricDefinition.AGGREGATION_RATIO,
    }
)
_HOLDING: Final = (fairness_pb2.FLAG_STATE_OPEN, fairness_pb2.FLAG_STATE_CONFIRMED)
GOALS_KINDS: Final = {
    PeriodKind.WEEK: goals_values_pb2.PERIOD_KIND_WEEK,
    PeriodKind.MONTH: goals_values_pb2.PERIOD_KIND_MONTH,
}
"""What goals calls the kinds of periods that plans pay by."""
_KINDS: Final = {told: kind for kind, told in GOALS_KINDS.items()}


def follow_goals(
    calculator: Calculator,
    *,
    database: Database,
    channel: grpc.Channel,
    after_commit: Callable[[], None],
) -> Follower[goals_pb2.Event]:
    """The follower that keeps statements up with goals. `channel` carries this component's token."""
    stub = goals_pb2_grpc.FeedServiceStub(channel)
    smallest, largest = PAGE_SIZES
    head = 0

    def fetch(after: int, wait: float) -> Page[goals_pb2.Event]:
        nonlocal head
        size = min(max(smallest, head - after), largest)
        request = goals_pb2.ListEventsRequest(after_position=after, page_size=size, compacted=True)
        request.wait.CopyFrom(Duration(seconds=int(wait)))
        answer = stub.ListEvents(request, timeout=wait + _ANSWER_SECONDS)
        head = answer.head_position
        events = [(event.position, event) for event in answer.events]
        return Page(events, head, answer.compacted_position)

    def apply(connection: Connection, events: Sequence[goals_pb2.Event]) -> None:
        calculator.take(connection, told_by(events))
        take_metrics(connection, events)
        take_flags(connection, flags_told_by(events))

    return Follower("goals", database=database, fetch=fetch, apply=apply, after_commit=after_commit)


def follow_training(
    calculator: Calculator, *, database: Database, channel: grpc.Channel
) -> Follower[training_pb2.Event]:
    """The follower that knows courses and who has passed them. `channel` carries this component's token."""
    stub = training_pb2_grpc.FeedServiceStub(channel)

    def fetch(after: int, wait: float) -> Page[training_pb2.Event]:
        request = training_pb2.ListEventsRequest(
            after_position=after, page_size=PAGE_SIZES[-1], compacted=True
        )
        request.wait.CopyFrom(Duration(seconds=int(wait)))
        answer = stub.ListEvents(request, timeout=wait + _ANSWER_SECONDS)
        events = [(event.position, event) for event in answer.events]
        return Page(events, answer.head_position, answer.compacted_position)

    def apply(connection: Connection, events: Sequence[training_pb2.Event]) -> None:
        courses, passed = passed_by(events)
        note_courses(connection, courses)
        news = note_passed(connection, passed)
        if news:
            calculator.learn(connection, news)

    return Follower("training", database=database, fetch=fetch, apply=apply)


def passed_by(events: Sequence[training_pb2.Event]) -> tuple[set[str], list[Passed]]:
    """The courses events tell of, and who has passed which."""
    courses, passed = set[str](), list[Passed]()
    for event in events:
        if event.WhichOneof("body") == "course_changed":
            courses.add(event.course_changed.id)
        elif event.learning_changed.state == learning_pb2.COURSE_STATE_PASSED:
            told = event.learning_changed
            passed.append(Passed(told.person_id, told.course_id, event.occurred_at.ToDatetime(UTC)))
    return courses, passed


def told_by(events: Sequence[goals_pb2.Event]) -> Iterator[Told]:
    """The figures events tell, in order; other kinds of events are nothing to statements."""
    for event in events:
        if event.WhichOneof("body") == "values_changed":
            at = event.occurred_at
            occurred_at = datetime.fromtimestamp(at.seconds, UTC).replace(microsecond=at.nanos // 1_000)
            yield from told_of(event.values_changed, event.position, occurred_at)


def told_of(changed: goals_pb2.ValuesChanged, position: int, occurred_at: datetime) -> Iterator[Told]:
    """A person's figures, as of a position of goals' feed; other kinds of periods are nothing to incentives."""
    for each in changed.periods:
        kind = _KINDS.get(each.period.kind)
        if kind is None:
            continue
        first = each.period.first_day
        period = _period(kind, first.year, first.month, first.day)
        yield Told(changed.person_id, period, figures_of(each), position, occurred_at)


def figures_of(told: goals_pb2.PeriodValues) -> dict[str, int]:
    """The base figures goals tells. Ratios follow from them; what is no whole number is none of those."""
    return {named.metric: named.value.numerator for named in told.values if named.value.denominator == 1}


def take_metrics(connection: Connection, events: Sequence[goals_pb2.Event]) -> None:
    """Note which metrics of the enterprise's own may be read, and that figures are to be read anew because of one."""
    changed = [event.metric_changed for event in events if event.WhichOneof("body") == "metric_changed"]
    for told in changed:
        if _is_readable(told.definition):
            definition = told.definition
            below = tuple(definition.denominators)
            own = OwnMetric(told.metric, Unit(definition.unit), definition.numerator, below, told.retired)
            note_metric(connection, own)
        else:
            forget_metric(connection, told.metric)
    if any(_is_readable(told.definition) and not told.retired for told in changed):
        reread(connection)


def _is_readable(definition: metrics_pb2.MetricDefinition) -> bool:
    """Whether plans and boards may read a metric: whole numbers of one period that its own facts decide, and ratios.

    A mean is no sum of whole numbers; a window of its own is no week and no month; whom a customer is to somebody may
    change with a fact of another period, and goals tells only of that one (0308).
    """
    return (
        definition.aggregation in _READABLE
        and not definition.rolling_days
        and not definition.conditions.customers
    )


def flags_told_by(events: Sequence[goals_pb2.Event]) -> Iterator[FlagTold]:
    """The flags of fair play events tell, in order: open and confirmed ones hold back."""
    for event in events:
        if event.WhichOneof("body") != "flag_changed":
            continue
        told = event.flag_changed
        first, last = (date(each.year, each.month, each.day) for each in (told.first_day, told.last_day))
        name = fairness_pb2.FairnessKind.Name(told.kind).removeprefix("FAIRNESS_KIND_").lower()
        yield FlagTold(told.flag_id, told.person_id, name, first, last, told.state in _HOLDING)


@lru_cache(maxsize=256)
def _period(kind: PeriodKind, year: int, month: int, day: int) -> Period:
    return Period(kind, date(year, month, day))


def on_identity(connection: Connection, events: Sequence[identity_pb2.Event]) -> None:
    """Whoever came, moved or changed role gets statements computed anew, and where they stood is noted.

    Of closed periods those without a plan as well: goals may have told figures before identity told of the person.
    """
    moved: dict[str, date | None] = {}
    placed: list[Placement] = []
    mentors: dict[str, str] = {}
    for event in events:
        body = event.WhichOneof("body")
        at = event.occurred_at.ToDatetime(UTC)
        if body == "person_changed":
            person = event.person_changed
            moved[person.id] = date.min
            placed.append(Placement(person.id, at, person.parent_id, person.job_role, person.mentor_id))
            mentors[person.id] = person.mentor_id
        elif body == "node_changed" and event.node_changed.kind != directory_pb2.NODE_KIND_PERSON:
            moved[event.node_changed.id] = None
            placed.append(Placement(event.node_changed.id, at, event.node_changed.parent_id))
    # Who mentors somebody else now, or no more, may be paid otherwise.
    before = mentors_before(connection, list(mentors)) if mentors else {}
    for person_id, mentor_id in mentors.items():
        was = before.get(person_id, "")
        moved |= {each: None for each in {was, mentor_id} - {""} if was != mentor_id and each not in moved}
    note(connection, placed)
    enqueue(connection, list(moved.items()))

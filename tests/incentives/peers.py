"""The other services' event feeds as incentives meets them: real gRPC servers that speak their public contracts."""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from typing import Any

import grpc
from foothold.goals.v1 import feed_pb2 as goals_pb2
from foothold.goals.v1 import feed_pb2_grpc as goals_pb2_grpc
from foothold.goals.v1 import values_pb2
from foothold.identity.v1 import feed_pb2 as identity_pb2
from foothold.identity.v1 import feed_pb2_grpc as identity_pb2_grpc
from foothold.training.v1 import feed_pb2 as training_pb2
from foothold.training.v1 import feed_pb2_grpc as training_pb2_grpc
from google.type import date_pb2
from grpc_status import rpc_status

from chassis.errors import NotFound, to_status

_UNITS = {"revenue": values_pb2.UNIT_MONEY, "followup_minutes": values_pb2.UNIT_MINUTES}
Figures = Mapping[str, int]


class Feed:
    """Events in order, and whoever waits for more."""

    def __init__(self) -> None:
        self._events: list[Any] = []
        self._more = threading.Condition()
        self.page_size = 1_000
        self.asked = 0
        self.open = True

    @property
    def head(self) -> int:
        return len(self._events)

    def tell(self, *events: Any) -> int:
        with self._more:
            for event in events:
                event.position = len(self._events) + 1
                self._events.append(event)
            self._more.notify_all()
            return len(self._events)

    def read(self, request: Any, context: grpc.ServicerContext, response: type[Any]) -> Any:
        self.asked += 1
        if not self.open:
            context.abort(grpc.StatusCode.UNAVAILABLE, "down")
        until = time.monotonic() + request.wait.ToTimedelta().total_seconds()
        with self._more:
            while (
                self.head <= request.after_position
                and (left := until - time.monotonic()) > 0
                and context.is_active()
            ):
                self._more.wait(min(left, 0.2))
            size = min(request.page_size or 200, self.page_size)
            events = self._events[request.after_position : request.after_position + size]
            return response(events=events, head_position=self.head)


class _Identity(identity_pb2_grpc.FeedServiceServicer):
    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    def ListEvents(
        self, request: identity_pb2.ListEventsRequest, context: grpc.ServicerContext
    ) -> identity_pb2.ListEventsResponse:
        answer: identity_pb2.ListEventsResponse = self._feed.read(
            request, context, identity_pb2.ListEventsResponse
        )
        return answer


class GoalsFeed(Feed):
    """Goals' events, and what it answers when figures are asked for anew: those told last, or told `silently`."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0
        self.answers_from: int | None = None
        self.before_answering: Callable[[goals_pb2.GetValuesRequest], None] = lambda _: None
        self._flagged: dict[tuple[str, str], Figures] = {}
        self._deals: dict[str, dict[tuple[str, str], Figures]] = {}
        self._silent: dict[tuple[str, int, str], goals_pb2.PeriodValues] = {}

    def silently(self, event: goals_pb2.Event) -> None:
        """Figures are others, as when a metric measures something else, and no event says so."""
        for each in event.values_changed.periods:
            self._silent[event.values_changed.person_id, each.period.kind, str(each.period.first_day)] = each

    def values(self, request: goals_pb2.GetValuesRequest) -> goals_pb2.GetValuesResponse:
        self.reads += 1
        kind = month_of if request.period_kind == values_pb2.PERIOD_KIND_MONTH else week_of
        period = kind(date(request.on.year, request.on.month, request.on.day))
        with self._more:
            position = self.head if self.answers_from is None else self.answers_from
            answer = goals_pb2.GetValuesResponse(position=position)
            for person_id in request.person_ids:
                told = [
                    each
                    for event in self._events
                    if event.values_changed.person_id == person_id
                    for each in event.values_changed.periods
                    if each.period == period
                ]
                found = self._silent.get((person_id, period.kind, str(period.first_day)))
                found = found or (told[-1] if told else goals_pb2.PeriodValues(period=period))
                answer.values.add(person_id=person_id, periods=[found])
        self.before_answering(request)
        return answer

    def deals(
        self, request: goals_pb2.GetDealsRequest, context: grpc.ServicerContext
    ) -> goals_pb2.GetDealsResponse:
        """Figures as they were told last, and without the contributions of what was told by `counted` and `flagged`."""
        if not self.open:
            context.abort(grpc.StatusCode.UNAVAILABLE, "down")
        asked = goals_pb2.GetValuesRequest(
            period_kind=request.period_kind, on=request.on, person_ids=[request.person_id]
        )
        (told,) = self.values(asked).values[0].periods
        of = self._deals.get(request.person_id, {})
        answer = goals_pb2.GetDealsResponse(values=told, without=told)
        for name in of:
            answer.deals.add(key=goals_pb2.DealKey(source=name[0], external_id=name[1]))
        for key in request.leave_out:
            if (key.source, key.external_id) not in of:
                unknown = NotFound("DEAL_UNKNOWN", "unknown")
                context.abort_with_status(rpc_status.to_status(to_status(unknown, domain="goals")))
            _less(answer.without, of[key.source, key.external_id])
        for flag_id in request.leave_out_flags:
            if (request.person_id, flag_id) not in self._flagged:
                unknown = NotFound("FLAG_UNKNOWN", "unknown")
                context.abort_with_status(rpc_status.to_status(to_status(unknown, domain="goals")))
            _less(answer.without, self._flagged[request.person_id, flag_id])
        return answer

    def flagged(self, person_id: str, flag_id: str, **figures: int) -> None:
        """What a flag of somebody rests on counts so much, whatever the period."""
        self._flagged[person_id, flag_id] = figures

    def counted(self, person_id: str, external_id: str, **figures: int) -> None:
        """A deal of somebody counts so much, whatever the period."""
        self._deals.setdefault(person_id, {})["crm", external_id] = figures


def _less(told: goals_pb2.PeriodValues, figures: Figures) -> None:
    for each in told.values:
        each.value.numerator -= figures.get(each.metric, 0)


class _Goals(goals_pb2_grpc.FeedServiceServicer):
    def __init__(self, feed: GoalsFeed) -> None:
        self._feed = feed

    def ListEvents(
        self, request: goals_pb2.ListEventsRequest, context: grpc.ServicerContext
    ) -> goals_pb2.ListEventsResponse:
        answer: goals_pb2.ListEventsResponse = self._feed.read(request, context, goals_pb2.ListEventsResponse)
        return answer

    def GetValues(
        self, request: goals_pb2.GetValuesRequest, context: grpc.ServicerContext
    ) -> goals_pb2.GetValuesResponse:
        return self._feed.values(request)

    def GetDeals(
        self, request: goals_pb2.GetDealsRequest, context: grpc.ServicerContext
    ) -> goals_pb2.GetDealsResponse:
        return self._feed.deals(request, context)

    def GetFollowing(
        self, request: goals_pb2.GetFollowingRequest, context: grpc.ServicerContext
    ) -> goals_pb2.GetFollowingResponse:
        return goals_pb2.GetFollowingResponse()


class _Training(training_pb2_grpc.FeedServiceServicer):
    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    def ListEvents(
        self, request: training_pb2.ListEventsRequest, context: grpc.ServicerContext
    ) -> training_pb2.ListEventsResponse:
        answer: training_pb2.ListEventsResponse = self._feed.read(
            request, context, training_pb2.ListEventsResponse
        )
        return answer

    def GetFollowing(
        self, request: training_pb2.GetFollowingRequest, context: grpc.ServicerContext
    ) -> training_pb2.GetFollowingResponse:
        return training_pb2.GetFollowingResponse()


class Peers:
    """The feeds on one port."""

    def __init__(self) -> None:
        self.identity, self.goals, self.training = Feed(), GoalsFeed(), Feed()
        self._server = grpc.server(ThreadPoolExecutor(32))
        identity_pb2_grpc.add_FeedServiceServicer_to_server(_Identity(self.identity), self._server)
        goals_pb2_grpc.add_FeedServiceServicer_to_server(_Goals(self.goals), self._server)
        training_pb2_grpc.add_FeedServiceServicer_to_server(_Training(self.training), self._server)
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def stop(self) -> None:
        self._server.stop(0.2).wait()


def month_of(day: date) -> values_pb2.Period:
    first = day.replace(day=1)
    end = (first + timedelta(days=32)).replace(day=1)
    return _period(values_pb2.PERIOD_KIND_MONTH, first, end)


def week_of(day: date) -> values_pb2.Period:
    first = day - timedelta(days=day.weekday())
    return _period(values_pb2.PERIOD_KIND_WEEK, first, first + timedelta(days=7))


def day_of(day: date) -> values_pb2.Period:
    return _period(values_pb2.PERIOD_KIND_DAY, day, day + timedelta(days=1))


def values_changed(
    person_id: str, at: datetime, *periods: tuple[values_pb2.Period, Figures]
) -> goals_pb2.Event:
    """What goals tells when a person's figures changed."""
    event = goals_pb2.Event()
    event.occurred_at.FromDatetime(at)
    event.values_changed.person_id = person_id
    for period, figures in periods:
        told = event.values_changed.periods.add(period=period)
        for metric, number in figures.items():
            value = told.values.add(metric=metric).value
            value.unit = _UNITS.get(metric, values_pb2.UNIT_COUNT)
            value.numerator, value.denominator = number, 1
            value.currency = "CNY" if metric == "revenue" else ""
    return event


def _period(kind: values_pb2.PeriodKind.ValueType, first: date, end: date) -> values_pb2.Period:
    def as_date(day: date) -> date_pb2.Date:
        return date_pb2.Date(year=day.year, month=day.month, day=day.day)

    return values_pb2.Period(
        kind=kind, first_day=as_date(first), end_day=as_date(end), time_zone="Asia/Shanghai"
    )

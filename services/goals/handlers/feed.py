"""FeedService."""

from collections.abc import Sequence
from typing import Final

import grpc
from foothold.goals.v1 import feed_pb2, feed_pb2_grpc

from access import Directory, caller
from chassis.database import Database
from chassis.errors import NotFound
from chassis.feed import FeedReader, StoredEvent, read_extent
from chassis.validation import Fields
from services.goals.domain.facts import Key
from services.goals.domain.periods import Period, PeriodKind, period_of
from services.goals.following import FollowedFeed
from services.goals.permissions import FEED_READ
from services.goals.store.deals import Deals
from services.goals.store.enriching import TOLD_KINDS, figures_of, periods_of
from services.goals.store.library import LibraryCache
from services.goals.store.placements import zone_at
from services.goals.wire.feed import (
    CALENDAR_CHANGED,
    FLAG_CHANGED,
    METRIC_CHANGED,
    TARGET_CHANGED,
    TASK_CHANGED,
    VALUES_CHANGED,
    calendar_event,
    days_of,
    flag_event,
    from_deal,
    from_figures,
    metric_event,
    target_event,
    task_event,
    values_event,
)

_DEFAULT_PAGE: Final = 200
_LARGEST_PAGE: Final = 1_000
_MOST_PEOPLE: Final = 500
_MOST_DEALS: Final = 50
_MOST_FLAGS: Final = 200
_LONGEST_NAME: Final = 120
_NANOS: Final = 1_000_000_000
# Events that hold all they tell.
_WHOLE: Final = {TARGET_CHANGED: target_event, TASK_CHANGED: task_event, FLAG_CHANGED: flag_event}


class FeedHandler(feed_pb2_grpc.FeedServiceServicer):
    """What changed in goals, and how far goals has followed others."""

    def __init__(
        self,
        database: Database,
        reader: FeedReader,
        directory: Directory,
        followed: Sequence[FollowedFeed],
        library: LibraryCache,
        currency: str,
    ) -> None:
        self._database = database
        self._reader = reader
        self._directory = directory
        self._followed = followed
        self._library = library
        self._currency = currency

    def ListEvents(
        self, request: feed_pb2.ListEventsRequest, context: grpc.ServicerContext
    ) -> feed_pb2.ListEventsResponse:
        caller(context).scope(FEED_READ).require_everywhere()
        page = self._reader.page(
            after=request.after_position,
            wait=request.wait.seconds + request.wait.nanos / _NANOS,
            page_size=min(request.page_size, _LARGEST_PAGE) or _DEFAULT_PAGE,
            compacted=request.compacted,
            active=context.is_active,
        )
        return feed_pb2.ListEventsResponse(
            events=self._told(page.events), head_position=page.head, compacted_position=page.floor
        )

    def GetValues(
        self, request: feed_pb2.GetValuesRequest, context: grpc.ServicerContext
    ) -> feed_pb2.GetValuesResponse:
        caller(context).scope(FEED_READ).require_everywhere()
        fields = Fields()
        kind = fields.one_of("period_kind", request.period_kind, TOLD_KINDS)
        day = fields.date("on", request.on)
        fields.count("person_ids", len(request.person_ids), maximum=_MOST_PEOPLE)
        fields.require_valid()
        self._library.refresh()
        zone_of = self._directory.zone_of
        wanted = {
            person_id: [period_of(PeriodKind(kind), day, zone_of(person_id))]
            for person_id in request.person_ids
        }
        with self._database.read() as connection:
            # Before the figures: they are at least as new.
            response = feed_pb2.GetValuesResponse(position=read_extent(connection).head)
            figures = figures_of(connection, wanted)
        for (person_id, period), values in figures.items():
            metrics = self._library.metrics(period.first)
            told = from_figures(period, values, metrics, self._currency)
            response.values.add(person_id=person_id, periods=[told])
        return response

    def GetDeals(
        self, request: feed_pb2.GetDealsRequest, context: grpc.ServicerContext
    ) -> feed_pb2.GetDealsResponse:
        caller(context).scope(FEED_READ).require_everywhere()
        fields = Fields()
        kind = fields.one_of("period_kind", request.period_kind, TOLD_KINDS)
        day = fields.date("on", request.on)
        person_id = fields.identifier("person_id", request.person_id)
        known_at = fields.optional_instant("known_at", request.known_at, present=request.HasField("known_at"))
        named = _named(fields, request.leave_out)
        flags = _flags(fields, request.leave_out_flags)
        if flags and known_at is None:
            fields.refuse("leave_out_flags", "only with known_at")
        fields.require_valid()
        self._library.refresh()
        library = self._library.known(known_at)
        with self._database.read() as connection:
            zone = zone_at(connection, self._directory, person_id, known_at)
            period = period_of(PeriodKind(kind), day, zone)
            deals = Deals(connection, person_id, period, known_at)
            left_out = deals.counted_of(named)
            if len(left_out) < len(named):
                raise NotFound("DEAL_UNKNOWN", "A deal counted nothing for that person in that period.")
            left_out += deals.flagged(flags) if flags else []
            listed = deals.newest()
            figures = deals.figures(library.counters, ())
            without = deals.figures(library.counters, left_out) if left_out else figures
        metrics = library.metrics(period.first)
        return feed_pb2.GetDealsResponse(
            deals=[from_deal(each, self._currency) for each in listed],
            values=from_figures(period, figures, metrics, self._currency),
            without=from_figures(period, without, metrics, self._currency),
        )

    def GetFollowing(
        self, request: feed_pb2.GetFollowingRequest, context: grpc.ServicerContext
    ) -> feed_pb2.GetFollowingResponse:
        caller(context).scope(FEED_READ).require_everywhere()
        return feed_pb2.GetFollowingResponse(
            feeds=[
                feed_pb2.FollowedFeed(feed=each.name, position=each.position, head_position=each.head)
                for each in self._followed
            ]
        )

    def _told(self, events: Sequence[StoredEvent]) -> list[feed_pb2.Event]:
        """The page's events; the figures of all of them are read in one statement, after them."""
        periods = {
            event.position: periods_of(self._directory, event.subject, days_of(event.payload))
            for event in events
            if event.kind == VALUES_CHANGED
        }
        wanted: dict[str, dict[Period, None]] = {}
        for event in events:
            if event.kind == VALUES_CHANGED:
                wanted.setdefault(event.subject, {}).update(dict.fromkeys(periods[event.position]))
        if any(event.kind == METRIC_CHANGED for event in events):
            # Whoever hears of it reads figures anew.
            self._library.refresh()
        with self._database.read() as connection:
            figures = figures_of(connection, wanted)
        told: dict[str, dict[Period, feed_pb2.PeriodValues]] = {}
        for (person_id, period), values in figures.items():
            told.setdefault(person_id, {})[period] = from_figures(
                period, values, self._library.metrics(period.first), self._currency
            )

        def as_told(event: StoredEvent) -> feed_pb2.Event:
            if event.kind in _WHOLE:
                return _WHOLE[event.kind](event.position, event.occurred_at, event.payload)
            if event.kind == CALENDAR_CHANGED:
                return calendar_event(event.position, event.occurred_at, event.subject)
            if event.kind == METRIC_CHANGED:
                told_now = self._library.current.told(event.subject)
                return metric_event(event.position, event.occurred_at, event.subject, event.payload, told_now)
            return values_event(
                event.position, event.occurred_at, event.subject, periods[event.position], told[event.subject]
            )

        return [as_told(event) for event in events]


def _flags(fields: Fields, told: Sequence[str]) -> list[str]:
    fields.count("leave_out_flags", len(told), maximum=_MOST_FLAGS, minimum=0)
    for number, each in enumerate(told[:_MOST_FLAGS]):
        fields.identifier(f"leave_out_flags[{number}]", each)
    if len(set(told)) < len(told):
        fields.refuse("leave_out_flags", "must name each flag once")
    return list(told)


def _named(fields: Fields, told: Sequence[feed_pb2.DealKey]) -> list[Key]:
    fields.count("leave_out", len(told), maximum=_MOST_DEALS, minimum=0)
    named = [Key(each.source, each.external_id) for each in told]
    for number, each in enumerate(named[:_MOST_DEALS]):
        within = fields.within(f"leave_out[{number}]")
        within.text("source", each.source, max_length=_LONGEST_NAME)
        within.text("external_id", each.external_id, max_length=_LONGEST_NAME)
    if len(set(named)) < len(named):
        fields.refuse("leave_out", "must name each deal once")
    return named

"""The event feed: figures as they are when an event is read, so that a follower always ends in the right state."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import grpc
import pytest
from foothold.goals.v1 import feed_pb2, values_pb2
from google.protobuf.duration_pb2 import Duration
from google.type import date_pb2

from chassis.errors import from_rpc_error
from tests.goals.enterprise import NOW, Client, Enterprise, count, fact, yuan

MARCH = datetime(2025, 3, 3, 2, 0, tzinfo=UTC)

Seen = dict[tuple[str, int, str], dict[str, int]]


def head(client: Client) -> int:
    return client.feed.ListEvents(feed_pb2.ListEventsRequest()).head_position


def take(event: feed_pb2.Event, seen: Seen) -> None:
    changed = event.values_changed
    for period in changed.periods:
        first = period.period.first_day
        key = (changed.person_id, period.period.kind, f"{first.year}-{first.month:02}-{first.day:02}")
        seen[key] = {each.metric: each.value.numerator for each in period.values}


def follow(client: Client, after: int, seen: Seen, wait: float = 0.0) -> int:
    """Read a page and take it in, as a follower does; the position reached."""
    request = feed_pb2.ListEventsRequest(
        after_position=after, page_size=50, wait=Duration(nanos=int(wait * 1e9))
    )
    page = client.feed.ListEvents(request)
    for expected, event in enumerate(page.events, start=after + 1):
        assert event.position == expected
        take(event, seen)
    return after + len(page.events)


def catch_up(client: Client, after: int, seen: Seen, changes: int) -> int:
    for _ in range(200):
        reached = follow(client, after, seen, wait=0.1)
        if reached == after and changes <= reached:
            return reached
        after = reached
    raise AssertionError("the feed does not come to rest")


def test_figures_are_read_anew_as_events_would_tell_them(goals: Enterprise) -> None:
    follower = goals.as_component("incentives")
    before = head(follower)
    goals.as_("crm").record(
        fact("FOLLOW_UP", customer="a", at=MARCH), fact("DEAL_WON", amount=yuan(12, 34), at=MARCH)
    )
    seen: Seen = {}
    catch_up(follower, before, seen, before + 1)
    for kind, first in (
        (values_pb2.PERIOD_KIND_MONTH, "2025-03-01"),
        (values_pb2.PERIOD_KIND_WEEK, "2025-03-03"),
    ):
        asked = feed_pb2.GetValuesRequest(
            period_kind=kind, on=date_pb2.Date(year=2025, month=3, day=5), person_ids=["li", "nobody-known"]
        )
        answer = follower.feed.GetValues(asked)
        assert answer.position == head(follower)
        mine, unknown = answer.values
        assert (mine.person_id, unknown.person_id) == ("li", "nobody-known")
        (period,) = mine.periods
        assert {each.metric: each.value.numerator for each in period.values} == seen["li", kind, first]
        assert {each.value.numerator for each in unknown.periods[0].values} == {0}


@pytest.mark.parametrize(
    ("field", "spoilt"),
    [
        ("period_kind", {"period_kind": values_pb2.PERIOD_KIND_YEAR}),
        ("on", {"on": date_pb2.Date(year=2025, month=2, day=30)}),
        ("person_ids", {"person_ids": []}),
        ("person_ids", {"person_ids": ["li"] * 501}),
    ],
)
def test_a_question_for_figures_that_makes_no_sense_is_refused(
    goals: Enterprise, field: str, spoilt: dict[str, Any]
) -> None:
    sound: dict[str, Any] = {
        "period_kind": values_pb2.PERIOD_KIND_MONTH,
        "on": date_pb2.Date(year=2025, month=3, day=5),
        "person_ids": ["li"],
    }
    with pytest.raises(grpc.RpcError) as refused:
        goals.as_component("incentives").feed.GetValues(feed_pb2.GetValuesRequest(**sound | spoilt))
    assert set(from_rpc_error(refused.value).fields) == {field}


def test_a_fact_becomes_an_event_with_the_week_and_the_month(goals: Enterprise) -> None:
    follower = goals.as_component("incentives")
    before = head(follower)
    goals.as_("crm").record(
        fact("FOLLOW_UP", customer="a", at=MARCH), fact("DEAL_WON", amount=yuan(12, 34), at=MARCH)
    )
    seen: Seen = {}
    catch_up(follower, before, seen, before + 1)
    month = seen["li", values_pb2.PERIOD_KIND_MONTH, "2025-03-01"]
    assert month["revenue"] == 1234
    assert (month["customers_followed"], month["new_customers"], month["deals_won"]) == (1, 1, 1)
    assert "close_rate" not in month
    assert seen["li", values_pb2.PERIOD_KIND_WEEK, "2025-03-03"] == month


def test_what_changes_nothing_tells_nothing(goals: Enterprise) -> None:
    follower, crm = goals.as_component("incentives"), goals.as_("crm")
    order = fact("ORDER", amount=yuan(1))
    crm.record(order)
    seen: Seen = {}
    reached = catch_up(follower, head(follower), seen, 0)
    crm.record(order)
    crm.record(fact("ORDER", amount=yuan(1)), dry_run=True)
    assert follow(follower, reached, seen, wait=0.3) == reached


def test_an_earlier_first_follow_up_tells_of_both_months(goals: Enterprise) -> None:
    follower, crm = goals.as_component("incentives"), goals.as_("crm")
    crm.record(fact("FOLLOW_UP", external_id="late", customer="c", at=MARCH))
    seen: Seen = {}
    reached = catch_up(follower, max(head(follower) - 1, 0), seen, 0)
    assert seen["li", values_pb2.PERIOD_KIND_MONTH, "2025-03-01"]["new_customers"] == 1
    early = fact("FOLLOW_UP", external_id="early", customer="c", at=MARCH - timedelta(days=20))
    crm.record(early)
    reached = catch_up(follower, reached, seen, reached + 1)
    assert seen["li", values_pb2.PERIOD_KIND_MONTH, "2025-02-01"]["new_customers"] == 1
    assert seen["li", values_pb2.PERIOD_KIND_MONTH, "2025-03-01"]["new_customers"] == 0
    early.version, early.voided = 1, True
    crm.record(early)
    catch_up(follower, reached, seen, reached + 1)
    assert seen["li", values_pb2.PERIOD_KIND_MONTH, "2025-02-01"]["new_customers"] == 0
    assert seen["li", values_pb2.PERIOD_KIND_MONTH, "2025-03-01"]["new_customers"] == 1


def test_a_follower_beside_busy_writers_ends_in_the_right_state(goals: Enterprise) -> None:
    """Each page is read while others write; what was read last of each period must be what holds."""
    chance = random.Random(5)
    people = ("li", "wang", "zhao")
    stream = [
        fact(
            chance.choice(("FOLLOW_UP", "FOLLOW_UP", "DEAL_WON", "DEAL_REVERSED")),
            chance.choice(people),
            external_id=f"b{number % 500}",
            version=number // 500,
            at=NOW - timedelta(hours=chance.randrange(24 * 60)),
            customer=f"c{chance.randrange(12)}",
            voided=chance.random() < 0.05,
            reverses=f"b{number % 37}",
        )
        for number in range(600)
    ]
    for each in stream:
        if each.kind != 4:
            each.reverses = ""
    crm, follower = goals.as_("crm"), goals.as_component("incentives")
    seen: Seen = {}
    start = reached = head(follower)
    done = threading.Event()

    def keep_up() -> int:
        at = start
        while not done.is_set():
            at = follow(follower, at, seen, wait=0.05)
        return at

    batches = [stream[at : at + 15] for at in range(0, len(stream), 15)]
    with ThreadPoolExecutor(5) as pool:
        following = pool.submit(keep_up)
        list(pool.map(lambda batch: crm.record(*batch), batches[::2]))
        list(pool.map(lambda batch: crm.record(*batch), batches[1::2]))
        done.set()
        reached = following.result()
    catch_up(follower, reached, seen, 0)
    operator = goals.as_("operator")
    for person in people:
        for value in operator.get(person).values:
            first = value.period.first_day
            key = (person, value.period.kind, f"{first.year}-{first.month:02}-{first.day:02}")
            if key in seen and value.metric in seen[key]:
                assert seen[key][value.metric] == value.value.numerator, (key, value.metric)
    assert any(key[1] == values_pb2.PERIOD_KIND_MONTH for key in seen)


def test_targets_are_told_whole(goals: Enterprise) -> None:
    follower = goals.as_component("incentives")
    before = head(follower)
    goals.as_("hr").set_target("customers_followed", count(20), first=date(2025, 2, 1))
    request = feed_pb2.ListEventsRequest(after_position=before, wait=Duration(seconds=5))
    told = follower.feed.ListEvents(request).events[0].target_changed
    assert (told.metric, told.value.numerator, told.author_id) == ("customers_followed", 20, "hr")


def test_a_component_may_read_feeds_and_nothing_else(goals: Enterprise) -> None:
    component = goals.as_component("incentives")
    assert component.feed.GetFollowing(feed_pb2.GetFollowingRequest()).feeds[0].feed == "identity"
    with pytest.raises(grpc.RpcError) as refused:
        component.get()
    assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED

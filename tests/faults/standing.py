"""What a platform says once everything has settled, to be held against what another one says."""

import time
from typing import Any, Final, NamedTuple

from foothold.goals.v1 import facts_pb2, facts_pb2_grpc
from foothold.goals.v1 import feed_pb2 as goals_feed
from foothold.goals.v1 import feed_pb2_grpc as goals_feed_grpc
from foothold.identity.v1 import feed_pb2 as identity_feed
from foothold.identity.v1 import feed_pb2_grpc as identity_feed_grpc
from foothold.incentives.v1 import boards_pb2, boards_pb2_grpc, statements_pb2, statements_pb2_grpc
from foothold.incentives.v1 import feed_pb2 as incentives_feed
from foothold.incentives.v1 import feed_pb2_grpc as incentives_feed_grpc
from foothold.training.v1 import feed_pb2 as training_feed
from foothold.training.v1 import feed_pb2_grpc as training_feed_grpc
from google.type.date_pb2 import Date

from tests.faults.history import MONTHS, PEOPLE
from tests.platform import Platform

_FEEDS: Final[dict[str, tuple[Any, Any]]] = {
    "identity": (identity_feed, identity_feed_grpc),
    "goals": (goals_feed, goals_feed_grpc),
    "training": (training_feed, training_feed_grpc),
    "incentives": (incentives_feed, incentives_feed_grpc),
}
_FOLLOWERS: Final = {"goals", "training", "incentives"}
_SETTLE_SECONDS: Final = 60


class Standing(NamedTuple):
    """The ledger, the money and the ranks; nothing that depends on when something arrived."""

    state_hash: str
    versions: int
    counting: int
    statements: dict[tuple[str, int], list[tuple[str, int]]]
    boards: dict[int, list[tuple[int, str, int, int]]]


def standing(platform: Platform) -> Standing:
    """Wait until every follower has caught up, and ask."""
    wait_until_followed(platform)
    ledger = facts_pb2_grpc.FactsServiceStub(platform.channel("goals")).CheckLedger(
        facts_pb2.CheckLedgerRequest()
    )
    assert ledger.values_differing == 0
    incentives = platform.channel("incentives")
    return Standing(
        ledger.state_hash,
        ledger.fact_versions,
        ledger.facts_counting,
        _statements(statements_pb2_grpc.StatementsServiceStub(incentives)),
        _boards(boards_pb2_grpc.BoardsServiceStub(incentives)),
    )


def wait_until_followed(platform: Platform) -> None:
    """Return once every follower's position is the head of the feed it follows."""
    until = time.monotonic() + _SETTLE_SECONDS
    while behind := _behind(platform):
        assert time.monotonic() < until, f"not caught up: {behind}\n{platform.told()}"
        time.sleep(0.1)


def heads(platform: Platform) -> dict[str, int]:
    """The last position of each feed."""
    found = {}
    for service, (messages, stubs) in _FEEDS.items():
        stub = stubs.FeedServiceStub(platform.channel(service))
        found[service] = stub.ListEvents(messages.ListEventsRequest(page_size=1)).head_position
    return found


def positions(platform: Platform, service: str) -> list[int]:
    """Every position of a feed, as a follower that begins anew reads them."""
    messages, stubs = _FEEDS[service]
    stub = stubs.FeedServiceStub(platform.channel(service))
    found: list[int] = []
    while True:
        request = messages.ListEventsRequest(after_position=len(found), page_size=1000)
        page = [event.position for event in stub.ListEvents(request).events]
        if not page:
            return found
        found += page


def _behind(platform: Platform) -> dict[str, tuple[int, int]]:
    reached = heads(platform)
    behind = {}
    for service in _FOLLOWERS:
        messages, stubs = _FEEDS[service]
        stub = stubs.FeedServiceStub(platform.channel(service))
        for feed in stub.GetFollowing(messages.GetFollowingRequest()).feeds:
            if feed.position != reached[feed.feed]:
                behind[f"{service} after {feed.feed}"] = (feed.position, reached[feed.feed])
    return behind


def _statements(
    stub: statements_pb2_grpc.StatementsServiceStub,
) -> dict[tuple[str, int], list[tuple[str, int]]]:
    found = {}
    for year, month in MONTHS:
        for person_id in PEOPLE:
            on = Date(year=year, month=month, day=15)
            request = statements_pb2.GetStatementRequest(person_id=person_id, on=on)
            statement = stub.GetStatement(request).statement
            lines = [(line.rule_id, _minor(line.amount)) for line in statement.lines]
            found[person_id, month] = [*lines, ("total", _minor(statement.total))]
    return found


def _boards(stub: boards_pb2_grpc.BoardsServiceStub) -> dict[int, list[tuple[int, str, int, int]]]:
    found = {}
    for year, month in MONTHS:
        request = boards_pb2.GetBoardRequest(
            board_id="follow-ups-month",
            node_id="shanghai",
            on=Date(year=year, month=month, day=15),
            page_size=1000,
        )
        found[month] = [
            (entry.rank, entry.person_id, entry.value.numerator, entry.value.denominator)
            for entry in stub.GetBoard(request).entries
        ]
    return found


def _minor(money: Any) -> int:
    return int(money.units) * 100 + int(money.nanos) // 10_000_000

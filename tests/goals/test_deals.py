"""What somebody's figures are without some of their deals: as if those had never been told."""

from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from foothold.goals.v1 import facts_pb2, feed_pb2, values_pb2
from google.type import date_pb2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.errors import from_rpc_error
from tests.goals.enterprise import Client, Enterprise, fact, fresh, instant, yuan
from tests.goals.library import CONDITIONS, define, definition
from tests.goals.splitting import PEOPLE, SHARED, START, credit, deal, fen
from tests.goals.test_fairness import one_flag

MARCH = {"period_kind": values_pb2.PERIOD_KIND_MONTH, "on": date_pb2.Date(year=2025, month=3, day=5)}
Told = tuple[str, int, int, bool, bool]
told = st.tuples(
    st.sampled_from(["DEAL_WON", "ORDER"]),
    st.integers(0, 9_999),
    st.integers(0, 2),
    st.booleans(),
    st.booleans(),
)


def key(external_id: str, source: str = "crm") -> feed_pb2.DealKey:
    return feed_pb2.DealKey(source=source, external_id=external_id)


def deals(follower: Client, person: str = "li", *left_out: str, **more: Any) -> feed_pb2.GetDealsResponse:
    names = [key(each) for each in left_out]
    asked = feed_pb2.GetDealsRequest(**{**MARCH, "person_id": person, "leave_out": names, **more})
    return follower.feed.GetDeals(asked)


def figures(values: feed_pb2.PeriodValues) -> dict[str, int]:
    return {each.metric: each.value.numerator for each in values.values}


def now(follower: Client, person: str) -> dict[str, int]:
    asked = feed_pb2.GetValuesRequest(**MARCH, person_ids=[person])
    return figures(follower.feed.GetValues(asked).values[0].periods[0])


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(stream=st.lists(told, min_size=1, max_size=7), before=st.booleans())
def test_figures_without_deals_are_what_they_are_once_those_are_void(
    running: Enterprise, stream: list[Told], before: bool
) -> None:
    running.clear()
    define(running, definition("live_sum", "SUM_AMOUNT", "DEAL_WON", unit="MONEY", conditions=LIVE))
    define(running, definition("buyers", "DISTINCT_CUSTOMERS", "DEAL_WON", "ORDER"))
    crm, follower = running.as_("crm"), running.as_component("incentives")
    if before:
        crm.record(fact("DEAL_WON", customer="c0", at=datetime(2025, 2, 3, tzinfo=UTC), amount=yuan(1)))
    crm.record(fact("FOLLOW_UP", customer="c0", at=START), fact("FOLLOW_UP", customer="c2", at=START))
    facts = [
        deal(
            *(SHARED if shared else ()),
            kind=kind,
            amount=yuan(amount, 7),
            customer=f"c{customer}",
            channel="live" if customer else "",
            at=START,
        )
        for kind, amount, customer, shared, _ in stream
    ]
    crm.record(*facts)
    doubtful = [each for each, (*_, out) in zip(facts, stream, strict=True) if out]
    names = [each.external_id for each in doubtful]
    shared = [each.external_id for each in doubtful if each.credits]
    asked = {"li": names, "wang": shared, "chen": shared, "zhao": []}
    foreseen = {person: deals(follower, person, *left_out) for person, left_out in asked.items()}
    for person, answer in foreseen.items():
        assert figures(answer.values) == now(follower, person)
    moment = datetime.now(UTC)
    for each in doubtful:
        each.voided, each.version = True, 1
    if doubtful:
        assert not [each.reason for each in crm.record(*doubtful) if each.reason]
    for person in PEOPLE:
        assert figures(foreseen[person].without) == now(follower, person)
        # What was known before is told as it was then.
        then = deals(follower, person, *asked[person], known_at=instant(moment))
        assert then == foreseen[person]


LIVE = CONDITIONS(channels=["live"])


def test_each_has_their_own_share_of_a_deal_and_the_whole_beside_it(goals: Enterprise) -> None:
    crm, follower = goals.as_("crm"), goals.as_component("incentives")
    whole = deal(
        credit("li", 60), credit("wang", 40), credit("chen", 50, overlay=True), external_id="D-17", at=START
    )
    crm.record(whole, fact("ORDER", amount=yuan(5), external_id="D-18", at=START, product="课程"))
    second, first = sorted(deals(follower).deals, key=lambda each: -len(each.product))
    assert (first.key.source, first.key.external_id, fen(first.amount), fen(first.deal_amount)) == (
        "crm",
        "D-17",
        600_000,
        1_000_000,
    )
    assert (second.key.external_id, second.product, second.HasField("deal_amount")) == ("D-18", "课程", False)
    (wangs,) = deals(follower, "wang").deals
    assert (wangs.key, fen(wangs.amount), wangs.kind) == (
        first.key,
        400_000,
        facts_pb2.FACT_KIND_DEAL_CREDITED,
    )
    (chens,) = deals(follower, "chen").deals
    assert (chens.key, fen(chens.amount), chens.kind) == (
        first.key,
        500_000,
        facts_pb2.FACT_KIND_DEAL_OVERLAY,
    )
    without = deals(follower, "wang", "D-17")
    assert (figures(without.values)["revenue"], figures(without.without)["revenue"]) == (400_000, 0)


def test_a_deal_that_counts_nothing_for_the_person_in_the_period_is_unknown(goals: Enterprise) -> None:
    crm, follower = goals.as_("crm"), goals.as_component("incentives")
    theirs, earlier, back, lost = (fresh("d") for _ in range(4))
    crm.record(
        deal(external_id=theirs, person="wang", at=START),
        deal(external_id=earlier, at=datetime(2025, 2, 3, tzinfo=UTC)),
        deal(external_id=back, at=START),
        fact("DEAL_REVERSED", reverses=back, at=START),
        fact("DEAL_LOST", external_id=lost, at=START),
    )
    for external_id in (theirs, earlier, back, lost, "none", "D'; --", "\N{SNOWMAN}"):
        assert refused(follower, external_id) == ("NOT_FOUND", "DEAL_UNKNOWN")
    assert deals(follower, "wang", theirs).deals
    crm.record(deal(*SHARED, external_id="shared", at=START))
    with pytest.raises(grpc.RpcError) as refusal:
        deals(follower, "wang", leave_out=[key("shared/wang", "crm+credit")])
    assert from_rpc_error(refusal.value).reason == "DEAL_UNKNOWN", "a part is asked for by its deal"
    assert not deals(follower, "nobody-known").deals


def refused(follower: Client, *left_out: str, **more: Any) -> tuple[str, str]:
    with pytest.raises(grpc.RpcError) as refusal:
        deals(follower, "li", *left_out, **more)
    failure = from_rpc_error(refusal.value)
    return failure.code.name, failure.reason


@pytest.mark.parametrize(
    ("field", "spoilt"),
    [
        ("period_kind", {"period_kind": values_pb2.PERIOD_KIND_YEAR}),
        ("on", {"on": date_pb2.Date(year=2025, month=2, day=30)}),
        ("person_id", {"person_id": "Nobody At All"}),
        ("leave_out", {"leave_out": [key(f"d{n}") for n in range(51)]}),
        ("leave_out", {"leave_out": [key("d"), key("d")]}),
        ("leave_out[0].source", {"leave_out": [key("d", "")]}),
        ("leave_out[1].external_id", {"leave_out": [key("d"), key("x" * 121)]}),
        ("leave_out[0].external_id", {"leave_out": [key("a\0b")]}),
        ("leave_out_flags", {"leave_out_flags": ["f"]}),
        ("leave_out_flags", {"leave_out_flags": ["f", "f"], "known_at": instant(START)}),
        ("leave_out_flags", {"leave_out_flags": [f"f{n}" for n in range(201)], "known_at": instant(START)}),
        ("leave_out_flags[1]", {"leave_out_flags": ["f", "No Id"], "known_at": instant(START)}),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(
    goals: Enterprise, field: str, spoilt: dict[str, Any]
) -> None:
    with pytest.raises(grpc.RpcError) as refusal:
        deals(goals.as_component("incentives"), **spoilt)
    assert set(from_rpc_error(refusal.value).fields) == {field}


PHONE = {"customer_phone": "138-0000-0001"}


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    honest=st.lists(
        st.tuples(st.sampled_from(["FOLLOW_UP", "DEAL_WON", "ORDER"]), st.integers(0, 3)), max_size=6
    ),
    doubtful=st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=3),
)
def test_figures_without_a_flags_facts_are_what_they_are_once_those_are_void(
    running: Enterprise, honest: list[tuple[str, int]], doubtful: list[tuple[int, bool]]
) -> None:
    running.clear()
    define(running, definition("buyers", "DISTINCT_CUSTOMERS", "DEAL_WON", "ORDER"))
    crm, follower = running.as_("crm"), running.as_component("incentives")
    told = [fact(kind, customer=f"c{customer}", at=START) for kind, customer in honest]
    # Customers with one phone: c8 and c9 make sure of a flag, the others are somebody's anyway.
    flagged = [
        fact("FOLLOW_UP", customer=f"c{each}", attributes=PHONE, at=START + timedelta(hours=later))
        for each, later in [*doubtful, (8, False), (9, True)]
    ]
    crm.record(*told, *flagged)
    flag = one_flag(running)
    assert flag.fact_count == len(flagged)
    moment = instant(datetime.now(UTC))
    foreseen = deals(follower, known_at=moment, leave_out_flags=[flag.id])
    assert figures(foreseen.values) == now(follower, "li")
    for each in flagged:
        each.voided, each.version = True, 1
    crm.record(*flagged)
    assert figures(foreseen.without) == now(follower, "li")
    assert deals(follower, known_at=moment, leave_out_flags=[flag.id]) == foreseen
    with pytest.raises(grpc.RpcError) as refusal:
        deals(follower, "wang", known_at=moment, leave_out_flags=[flag.id])
    assert from_rpc_error(refusal.value).reason == "FLAG_UNKNOWN"

"""Laws of shared deals: parts sum to the amount, and no order, repetition or moment of asking makes a difference."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from foothold.goals.v1 import facts_pb2
from foothold.identity.v1 import directory_pb2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from tests.goals.enterprise import NOW, Client, Enterprise, fact, instant, yuan
from tests.goals.library import CONDITIONS, define, definition
from tests.goals.splitting import PEOPLE, SHARED, START, credit, deal, fen, figures, intact, shares
from tests.goals.test_order_proof import split, told


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(told_shares=shares(), amount=st.one_of(st.integers(0, 200), st.integers(0, 10**12)))
def test_parts_sum_to_the_amount_and_none_is_a_fen_away_from_its_share(
    running: Enterprise, told_shares: list[facts_pb2.Credit], amount: int
) -> None:
    running.clear()
    running.as_("crm").record(deal(*told_shares, amount=yuan(*divmod(amount, 100))))
    revenue = dict(zip(PEOPLE, figures(running), strict=True))
    overlay = dict(zip(PEOPLE, figures(running, "overlay_revenue"), strict=True))
    assert sum(revenue.values()) == amount
    exact = {person: Fraction() for person in PEOPLE} | {"li": Fraction(amount)}
    on_top = {person: Fraction() for person in PEOPLE}
    for each in told_shares:
        share = amount * Fraction(each.share.numerator, each.share.denominator)
        (on_top if each.overlay else exact)[each.person_id] = share
    for person in PEOPLE:
        assert abs(revenue[person] - exact[person]) < 1
        assert -Fraction(1, 2) < overlay[person] - on_top[person] <= Fraction(1, 2)


@st.composite
def shared_facts(draw: st.DrawFn, external_id: str, version: int) -> facts_pb2.Fact:
    """A version's one and only content: deals and orders with credits mostly, and what takes them back."""
    kind = draw(st.sampled_from(("DEAL_WON", "ORDER", "DEAL_WON", "DEAL_REVERSED", "FOLLOW_UP")))
    sold = kind in {"DEAL_WON", "ORDER"}
    owner = draw(st.sampled_from(PEOPLE))
    return fact(
        kind,
        owner,
        external_id=external_id,
        version=version,
        at=START + timedelta(hours=draw(st.integers(0, 12)) * 20),
        customer=f"c{draw(st.integers(0, 2))}",
        amount=yuan(draw(st.integers(0, 9)), draw(st.integers(0, 99))),
        reverses=f"k{draw(st.integers(0, 3))}" if kind == "DEAL_REVERSED" else "",
        voided=draw(st.integers(0, 4)) == 0,
        credits=draw(shares(owner)) if sold else [],
    )


@st.composite
def streams(draw: st.DrawFn) -> list[facts_pb2.Fact]:
    keys = draw(
        st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=12, unique=True)
    )
    return [draw(shared_facts(f"k{key}", version)) for key, version in keys]


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(stream=streams(), chance=st.randoms(use_true_random=False))
def test_any_order_and_any_repetition_leaves_the_same_credits(
    running: Enterprise, stream: list[facts_pb2.Fact], chance: random.Random
) -> None:
    crm = running.as_("crm")
    once = told(running, crm, [[each] for each in sorted(stream, key=lambda each: each.version)])
    again = stream + chance.sample(stream, len(stream) // 2)
    chance.shuffle(again)
    assert told(running, crm, split(again, chance)) == once
    standing = live(stream)
    assert sum(figures(running)) == sum(fen(each.amount) for each in standing)
    assert figures(running, "deals_won") == [
        sum(each.person_id == person and each.kind == facts_pb2.FACT_KIND_DEAL_WON for each in standing)
        for person in PEOPLE
    ]


def live(stream: list[facts_pb2.Fact]) -> list[facts_pb2.Fact]:
    """The deals and orders that stand, in the plainest way."""
    heads: dict[str, facts_pb2.Fact] = {}
    for each in sorted(stream, key=lambda each: each.version):
        heads[each.external_id] = each
    now = [each for each in heads.values() if not each.voided]
    taken_back = {each.reverses for each in now if each.kind == facts_pb2.FACT_KIND_DEAL_REVERSED}
    sold = {facts_pb2.FACT_KIND_DEAL_WON, facts_pb2.FACT_KIND_ORDER}
    return [each for each in now if each.kind in sold and each.external_id not in taken_back]


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(stream=streams())
def test_figures_and_their_traces_are_given_again_for_the_time_they_were_given_at(
    running: Enterprise, stream: list[facts_pb2.Fact]
) -> None:
    running.clear()
    answers = []
    try:
        running.clock.set(datetime.now(UTC))
        crm, operator = running.as_("crm"), running.as_("operator")
        for each in stream:
            running.clock.set(datetime.now(UTC))
            # Within the last eleven days instead of in March.
            each.occurred_at.FromDatetime(
                each.occurred_at.ToDatetime(UTC) + (running.clock.now() - START) - timedelta(days=11)
            )
            crm.record(each)
            running.clock.set(datetime.now(UTC))
            answers.append((running.clock.now(), _shown(operator)))
        for moment, shown in answers:
            assert _shown(operator, as_of=instant(moment), known_at=instant(moment)) == shown
        assert _shown(operator, as_of=instant(answers[-1][0])) == answers[-1][1]
    finally:
        running.clock.set(NOW)


def _shown(client: Client, **when: Any) -> list[Any]:
    """The figures that deals make, and the facts behind them."""
    found: list[Any] = []
    for person in PEOPLE:
        found += [
            (each.metric, each.value)
            for each in client.get(person, **when).values
            if "revenue" in each.metric
        ]
        for metric in ("revenue", "overlay_revenue"):
            found += list(client.explain(metric, person, **when).facts)
    return found


def test_a_change_of_zone_moves_a_part_with_whose_it_is(goals: Enterprise) -> None:
    # Half past five on 1 March in Shanghai and in Beijing.
    at = datetime(2025, 2, 28, 21, 30, tzinfo=UTC)
    goals.as_("crm").record(deal(credit("li", 50), credit("zhao", 50), external_id="d", at=at))
    assert figures(goals) == [500_000, 0, 0, 500_000]
    beijing = goals.node("beijing", "hq", directory_pb2.NODE_KIND_BRANCH, "America/New_York")
    goals.tell({"node_changed": beijing})
    try:
        assert figures(goals) == [500_000, 0, 0, 0]
        intact(goals)
        # What is shared from now on is reckoned by the new zone, too; and a correction finds the part where it is.
        goals.as_("crm").record(deal(credit("li", 20), credit("zhao", 80), external_id="e", at=at))
        goals.as_("crm").record(deal(credit("li", 10), credit("zhao", 90), external_id="d", at=at, version=1))
        assert figures(goals) == [300_000, 0, 0, 0]
        intact(goals)
    finally:
        goals.tell({"node_changed": goals.node("beijing", "hq", directory_pb2.NODE_KIND_BRANCH, "")})
    assert figures(goals) == [300_000, 0, 0, 1_700_000]
    intact(goals)


def test_metrics_of_ones_own_count_parts_and_go_with_them(goals: Enterprise) -> None:
    of_phone = CONDITIONS(channels=["phone"])
    kinds = ("DEAL_WON", "DEAL_CREDITED")
    define(goals, definition("phone_revenue", "SUM_AMOUNT", *kinds, unit="MONEY", conditions=of_phone))
    define(goals, definition("shared_customers", "DISTINCT_CUSTOMERS", "DEAL_CREDITED"))
    crm = goals.as_("crm")
    crm.record(deal(*SHARED, external_id="d", channel="phone", customer="c"), deal(*SHARED, customer="c"))
    assert figures(goals, "phone_revenue") == [600_000, 400_000, 0, 0]
    assert figures(goals, "shared_customers") == [0, 1, 0, 0]
    intact(goals)
    crm.record(fact("DEAL_REVERSED", reverses="d"))
    assert figures(goals, "phone_revenue") == [0, 0, 0, 0]
    intact(goals)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE fact SET amount_minor = amount_minor + 1 WHERE external_id = 'd/wang'",
        "UPDATE fact SET amount_minor = amount_minor - 1 WHERE external_id = 'd'",
        "UPDATE fact SET person_id = 'zhao' WHERE external_id = 'd/wang'",
        "UPDATE fact SET counts = false WHERE external_id = 'd/chen'",
        "UPDATE fact SET counts = false, current = false WHERE external_id = 'd/chen'",
        "DELETE FROM fact WHERE external_id = 'd/wang'",
        "DELETE FROM fact WHERE external_id = 'd'",
        "UPDATE fact SET kind = 11 WHERE kind = 10",
        "UPDATE fact SET product = 'other' WHERE external_id = 'd/wang'",
    ],
)
def test_the_check_finds_a_part_that_is_not_what_its_deal_says(goals: Enterprise, damage: str) -> None:
    goals.as_("crm").record(deal(*SHARED, external_id="d"), deal(*SHARED, external_id="e"))
    before = intact(goals)
    with goals.database.begin() as connection:
        connection.execute(text(damage))
        # Nothing but the parts themselves tells that something is wrong.
        connection.execute(text("DELETE FROM tally"))
        connection.execute(
            text(
                "INSERT INTO tally SELECT person_id, day, kind, count(*), sum(amount_minor), sum(minutes), now()"
                " FROM fact WHERE counts GROUP BY person_id, day, kind"
            )
        )
    after = goals.as_("operator").check()
    assert after.values_differing > 0
    assert after.state_hash != before


def test_eight_writers_at_once_share_as_one_writer_does(goals: Enterprise) -> None:
    chance = random.Random(7)
    stream = []
    for number in range(160):
        kind = chance.choice(("DEAL_WON", "DEAL_WON", "ORDER", "DEAL_REVERSED", "FOLLOW_UP"))
        owner, other = chance.sample(PEOPLE, 2)
        part = chance.randrange(1, 100)
        sharing = kind in {"DEAL_WON", "ORDER"} and chance.random() < 0.6
        stream.append(
            fact(
                kind,
                owner,
                external_id=f"k{number // 3}",
                version=number,
                customer="c",
                amount=yuan(chance.randrange(100), chance.randrange(100)),
                reverses=f"k{chance.randrange(50)}" if kind == "DEAL_REVERSED" else "",
                voided=chance.random() < 0.05,
                credits=[credit(owner, part), credit(other, 100 - part)] if sharing else [],
            )
        )
    crm = goals.as_("crm")
    expected = told(goals, crm, [[each] for each in stream])
    with goals.database.begin() as connection:
        for table in ("fact", "tally", "touch", "first_touch", "patron"):
            connection.execute(text(f"DELETE FROM {table}"))
    shuffled = [chance.sample(stream, len(stream)) for _ in range(8)]

    def tell(own: list[facts_pb2.Fact]) -> None:
        for at in range(0, len(own), 20):
            assert set(crm.outcomes(*own[at : at + 20])) <= {"RECORDED", "ALREADY_KNOWN"}

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(tell, shuffled))
    assert intact(goals) == expected

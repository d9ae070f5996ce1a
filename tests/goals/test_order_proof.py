"""R10: the same facts told twice, late or out of order leave byte-identical state, equal to a full recompute."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest
from foothold.goals.v1 import facts_pb2, values_pb2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from tests.goals.enterprise import Client, Enterprise, fact, yuan

PEOPLE = ("li", "wang", "zhao")
START = datetime(2025, 2, 25, 3, 0, tzinfo=UTC)
# Deals and follow-ups more often than the rest, and reversals often enough to meet what they name.
KINDS = ("DEAL_REVERSED", "DEAL_WON", "ORDER", "DEAL_WON", "DEAL_REVERSED", "FOLLOW_UP", "FOLLOW_UP", "EMAIL")


@st.composite
def facts(draw: st.DrawFn, external_id: str, version: int) -> facts_pb2.Fact:
    """A version's one and only content."""
    kind = draw(st.sampled_from(KINDS))
    return fact(
        kind,
        draw(st.sampled_from(PEOPLE)),
        external_id=external_id,
        version=version,
        at=START + timedelta(hours=draw(st.integers(0, 12)) * 20),
        customer=f"c{draw(st.integers(0, 2))}",
        amount=yuan(draw(st.integers(0, 9))),
        minutes=draw(st.integers(0, 3)),
        reverses=f"k{draw(st.integers(0, 3))}" if kind == "DEAL_REVERSED" else "",
        voided=draw(st.integers(0, 3)) == 3,
    )


@st.composite
def streams(draw: st.DrawFn) -> list[facts_pb2.Fact]:
    keys = draw(
        st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=12, unique=True)
    )
    return [draw(facts(f"k{key}", version)) for key, version in keys]


def told(goals: Enterprise, crm: Client, batches: list[list[facts_pb2.Fact]]) -> str:
    """The state's hash after these batches were told to an empty ledger."""
    with goals.database.begin() as connection:
        for table in ("fact", "tally", "touch", "first_touch", "patron"):
            connection.execute(text(f"DELETE FROM {table}"))
    for batch in batches:
        outcomes = crm.outcomes(*batch)
        assert set(outcomes) <= {"RECORDED", "ALREADY_KNOWN"}, outcomes
    check = goals.as_("operator").check()
    assert check.values_differing == 0
    return check.state_hash


def split(stream: list[facts_pb2.Fact], chance: random.Random) -> list[list[facts_pb2.Fact]]:
    batches: list[list[facts_pb2.Fact]] = [[]]
    for each in stream:
        batches[-1].append(each)
        if chance.random() < 0.4:
            batches.append([])
    return [batch for batch in batches if batch]


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(stream=streams(), chance=st.randoms(use_true_random=False))
def test_any_order_and_any_repetition_leaves_the_same_state(
    running: Enterprise, stream: list[facts_pb2.Fact], chance: random.Random
) -> None:
    crm = running.as_("crm")
    once = told(running, crm, [[each] for each in sorted(stream, key=lambda each: each.version)])
    again = stream + chance.sample(stream, len(stream) // 2)
    chance.shuffle(again)
    assert told(running, crm, split(again, chance)) == once
    month = values_pb2.PERIOD_KIND_MONTH
    expected = naive(stream)
    for person in PEOPLE:
        response = running.as_("operator").get(person)
        shown = {each.metric: each.value.numerator for each in response.values if each.period.kind == month}
        for metric in ("revenue", "customers_followed", "new_customers", "deals_won", "orders_placed"):
            assert shown[metric] == expected[person][metric], (person, metric)


def naive(stream: list[facts_pb2.Fact]) -> dict[str, dict[str, int]]:
    """March's figures, computed from the definitions in the plainest way."""
    heads: dict[str, facts_pb2.Fact] = {}
    for each in stream:
        if each.external_id not in heads or heads[each.external_id].version < each.version:
            heads[each.external_id] = each
    live = [each for each in heads.values() if not each.voided]
    reversed_ids = {each.reverses for each in live if each.kind == facts_pb2.FACT_KIND_DEAL_REVERSED}
    reversible = {facts_pb2.FACT_KIND_DEAL_WON, facts_pb2.FACT_KIND_ORDER}
    counting = [each for each in live if each.kind not in reversible or each.external_id not in reversed_ids]
    figures = {}
    for person in PEOPLE:
        own = [each for each in counting if each.person_id == person]
        march = [each for each in own if local_day(each) >= date(2025, 3, 1)]
        touched = {each.customer for each in march if each.kind == facts_pb2.FACT_KIND_FOLLOW_UP}
        before = {
            each.customer
            for each in own
            if each.kind == facts_pb2.FACT_KIND_FOLLOW_UP and local_day(each) < date(2025, 3, 1)
        }
        figures[person] = {
            "revenue": sum(each.amount.units * 100 for each in march if each.kind in reversible),
            "customers_followed": len(touched),
            "new_customers": len(touched - before),
            "deals_won": sum(each.kind == facts_pb2.FACT_KIND_DEAL_WON for each in march),
            "orders_placed": sum(each.kind == facts_pb2.FACT_KIND_ORDER for each in march),
        }
    return figures


def local_day(told: facts_pb2.Fact) -> date:
    return (told.occurred_at.ToDatetime() + timedelta(hours=8)).date()


def test_the_same_version_with_other_content_is_refused_and_changes_nothing(goals: Enterprise) -> None:
    crm = goals.as_("crm")
    first = fact("ORDER", external_id="o", amount=yuan(5))
    other = fact("ORDER", external_id="o", amount=yuan(6))
    assert crm.outcomes(first) == ["RECORDED"]
    before = goals.rows()
    assert crm.outcomes(other) == ["FACT_VERSION_CONFLICT"]
    assert crm.outcomes(other, other, first) == [
        "FACT_VERSION_CONFLICT",
        "FACT_VERSION_CONFLICT",
        "ALREADY_KNOWN",
    ]
    assert goals.rows() == before


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE tally SET n = n + 1 WHERE kind = 2",
        "DELETE FROM touch",
        "UPDATE first_touch SET day = day - 1",
        "UPDATE fact SET counts = false WHERE external_id = 'd'",
        "UPDATE fact SET counts = true WHERE external_id = 'gone'",
    ],
)
def test_the_check_finds_what_is_wrong(goals: Enterprise, damage: str) -> None:
    goals.as_("crm").record(
        fact("DEAL_WON", external_id="d", amount=yuan(3)),
        fact("FOLLOW_UP", customer="c"),
        fact("ORDER", external_id="gone", amount=yuan(3)),
        fact("DEAL_REVERSED", reverses="gone"),
    )
    before = goals.as_("operator").check()
    with goals.database.begin() as connection:
        connection.execute(text(damage))
    after = goals.as_("operator").check()
    assert before.values_differing == 0 < after.values_differing
    assert before.state_hash != after.state_hash


def test_a_void_reversal_takes_nothing_back(goals: Enterprise) -> None:
    crm = goals.as_("crm")
    crm.record(fact("DEAL_REVERSED", external_id="x", reverses="d", voided=True))
    crm.record(fact("DEAL_WON", external_id="d", amount=yuan(3)))
    assert goals.as_("li").value("deals_won") == (1, 1)
    assert goals.as_("operator").check().values_differing == 0


def test_a_correction_moves_a_fact_to_another_person_and_day(goals: Enterprise) -> None:
    crm = goals.as_("crm")
    crm.record(fact("FOLLOW_UP", external_id="f", customer="c"))
    moved = fact("FOLLOW_UP", "wang", external_id="f", version=1, customer="c", at=START)
    assert crm.outcomes(moved) == ["RECORDED"]
    assert goals.as_("li").value("customers_followed") == (0, 1)
    assert goals.as_("manager").value("customers_followed", "wang") == (0, 1)
    history = goals.as_("operator").facts.GetFactHistory(facts_pb2.GetFactHistoryRequest(fact_id="crm/1/f"))
    assert [(each.fact_id, each.counts) for each in history.versions] == [
        ("crm/0/f", False),
        ("crm/1/f", True),
    ]


@pytest.mark.parametrize("seed", range(3))
def test_eight_writers_at_once_leave_what_one_writer_leaves(goals: Enterprise, seed: int) -> None:
    chance = random.Random(seed)
    stream = []
    for number in range(400):
        kind = chance.choice(
            KINDS if chance.random() < 0.05 else [each for each in KINDS if "REV" not in each]
        )
        stream.append(
            fact(
                kind,
                chance.choice(PEOPLE),
                external_id=f"k{number // 2}" if chance.random() < 0.1 else f"n{number}",
                version=number,
                at=START + timedelta(hours=chance.randrange(500)),
                customer=f"c{chance.randrange(30)}",
                amount=yuan(chance.randrange(100)),
                reverses=f"n{chance.randrange(400)}" if kind == "DEAL_REVERSED" else "",
                voided=chance.random() < 0.03,
            )
        )
    crm = goals.as_("crm")
    expected = told(goals, crm, [[each] for each in stream])
    shuffled = []
    for _ in range(8):
        own = chance.sample(stream, 300)
        shuffled.append([own[at : at + 40] for at in range(0, len(own), 40)])
    with goals.database.begin() as connection:
        for table in ("fact", "tally", "touch", "first_touch", "patron"):
            connection.execute(text(f"DELETE FROM {table}"))

    def tell(batches: list[list[facts_pb2.Fact]]) -> None:
        for batch in batches:
            crm.record(*batch)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(tell, shuffled))
    crm.record(*stream)
    check = goals.as_("operator").check()
    assert (check.values_differing, check.state_hash) == (0, expected)

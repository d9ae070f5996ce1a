"""Deals that several people earned, as tests tell them and look at them."""

from datetime import UTC, datetime
from typing import Any

from foothold.goals.v1 import facts_pb2, values_pb2
from google.type.money_pb2 import Money
from hypothesis import strategies as st

from tests.goals.enterprise import Client, Enterprise, fact, yuan

PEOPLE = ("li", "wang", "chen", "zhao")
START = datetime(2025, 3, 3, 3, 0, tzinfo=UTC)


def credit(person: str, numerator: int, denominator: int = 100, *, overlay: bool = False) -> facts_pb2.Credit:
    share = values_pb2.Value(unit=values_pb2.UNIT_RATE, numerator=numerator, denominator=denominator)
    return facts_pb2.Credit(person_id=person, share=share, overlay=overlay)


def deal(*told: facts_pb2.Credit, amount: Money | None = None, **fields: Any) -> facts_pb2.Fact:
    """A deal of li's over 10,000.00."""
    fields.setdefault("person", "li")
    kind = fields.pop("kind", "DEAL_WON")
    return fact(kind, fields.pop("person"), credits=told, amount=amount or yuan(10_000), **fields)


SHARED = (credit("li", 60), credit("wang", 40), credit("chen", 50, overlay=True))


def figures(goals: Enterprise, metric: str = "revenue") -> list[int]:
    """What each of PEOPLE has this month."""
    return [goals.as_("operator").value(metric, person)[0] for person in PEOPLE]


def listed(client: Client, person: str, **fields: Any) -> list[facts_pb2.RecordedFact]:
    return list(client.facts.ListFacts(facts_pb2.ListFactsRequest(person_id=person, **fields)).facts)


def fen(money: Money) -> int:
    return int(money.units * 100 + money.nanos // 10_000_000)


def intact(goals: Enterprise) -> str:
    check = goals.as_("operator").check()
    assert check.values_differing == 0
    return check.state_hash


@st.composite
def shares(draw: st.DrawFn, owner: str = "li") -> list[facts_pb2.Credit]:
    """Revenue shares of the owner and others that are 1 together, and some overlay."""
    others = draw(st.lists(st.sampled_from([each for each in PEOPLE if each != owner]), unique=True))
    sharing = draw(st.integers(0, len(others)))
    weights = draw(st.lists(st.integers(1, 10_000), min_size=sharing + 1, max_size=sharing + 1))
    whole = sum(weights)
    told = [
        credit(person, weight, whole)
        for person, weight in zip((owner, *others[:sharing]), weights, strict=True)
        if sharing
    ]
    told += [credit(each, draw(st.integers(1, whole)), whole, overlay=True) for each in others[sharing:]]
    return list(draw(st.permutations(told)))

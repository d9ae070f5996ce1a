"""A small company and a year's worth of what its CRM tells, the same for the same seed."""

import random
from datetime import UTC, datetime, timedelta
from typing import Final

from foothold.goals.v1 import facts_pb2
from foothold.identity.v1 import directory_pb2, directory_pb2_grpc
from foothold.incentives.v1 import plan_life_pb2, plan_life_pb2_grpc, plans_pb2, plans_pb2_grpc, values_pb2
from google.type.date_pb2 import Date
from google.type.money_pb2 import Money

from tests.platform import Platform

PEOPLE: Final = tuple(f"seller-{number}" for number in range(1, 9))
MONTHS: Final = ((2025, 2), (2025, 3))
_START: Final = datetime(2025, 2, 1, 1, tzinfo=UTC)
_DAYS: Final = 58
_KINDS: Final = (
    "FOLLOW_UP",
    "FOLLOW_UP",
    "FOLLOW_UP",
    "DEAL_WON",
    "DEAL_WON",
    "DEAL_LOST",
    "DEAL_REVERSED",
    "ORDER",
    "EMAIL",
    "MEETING",
)
_KINDS_WITH_AMOUNT: Final = ("DEAL_WON", "ORDER")


def found(platform: Platform) -> None:
    """Tell identity and incentives of the company; everything has an id of its own, so that runs can be compared."""
    directory = directory_pb2_grpc.DirectoryServiceStub(platform.channel("identity"))
    kinds = directory_pb2.NodeKind
    for id, parent_id, kind in (
        ("hq", "", kinds.NODE_KIND_ENTERPRISE),
        ("shanghai", "hq", kinds.NODE_KIND_BRANCH),
        ("sales", "shanghai", kinds.NODE_KIND_DEPARTMENT),
    ):
        node = directory_pb2.Node(id=id, parent_id=parent_id, kind=kind, name=id, time_zone="Asia/Shanghai")
        directory.CreateNode(directory_pb2.CreateNodeRequest(request_id=f"node-{id}", node=node))
    for id in PEOPLE:
        person = directory_pb2.Person(id=id, parent_id="sales", name=id, employee_number=id, job_role="sales")
        request = directory_pb2.CreatePersonRequest(request_id=f"person-{id}", person=person)
        directory.CreatePerson(request)
    plans = plans_pb2_grpc.PlansServiceStub(platform.channel("incentives"))
    plans.CreatePlan(plans_pb2.CreatePlanRequest(request_id="plan", plan=_plan()))
    plan_life_pb2_grpc.PlanLifeServiceStub(platform.channel("incentives")).ApprovePlan(
        plan_life_pb2.ApprovePlanRequest(request_id="approve", plan_id=_plan().id)
    )


def _plan() -> plans_pb2.Plan:
    """50 for each new customer, and 50 per point of the close rate above 10 %."""
    fifty = Money(currency_code="CNY", units=50)
    threshold = values_pb2.Value(unit=values_pb2.UNIT_RATE, numerator=10, denominator=100)
    per_point = plans_pb2.PerPoint(
        metric="close_rate", threshold=threshold, amount=fifty, mode=plans_pb2.PerPoint.MODE_WHOLE_POINTS
    )
    return plans_pb2.Plan(
        id="plan",
        node_id="hq",
        job_role="sales",
        name="Plan",
        period_kind=values_pb2.PERIOD_KIND_MONTH,
        rules=[
            plans_pb2.Rule(
                id="new", label="New", per_unit=plans_pb2.PerUnit(metric="new_customers", amount=fifty)
            ),
            plans_pb2.Rule(id="rate", label="Rate", per_point=per_point),
        ],
        effective_from=Date(year=2025, month=1, day=1),
    )


def history(chance: random.Random, size: int) -> list[facts_pb2.Fact]:
    """`size` versions of facts, corrections and voids and reversals among them, in no order."""
    told: list[facts_pb2.Fact] = []
    keys = size * 3 // 4
    versions = [0] * keys
    for number in [*range(keys), *(chance.randrange(keys) for _ in range(size - keys))]:
        versions[number] += 1
        told.append(_fact(chance, number, versions[number], keys))
    chance.shuffle(told)
    return told


def _fact(chance: random.Random, number: int, version: int, keys: int) -> facts_pb2.Fact:
    # A key keeps its kind, or a reversal could one day stand for something else.
    kind = _KINDS[number % len(_KINDS)]
    fact = facts_pb2.Fact(
        source="crm",
        external_id=f"k{number}",
        version=version,
        kind=facts_pb2.FactKind.Value(f"FACT_KIND_{kind}"),
        person_id=chance.choice(PEOPLE),
        voided=version > 1 and chance.random() < 0.3,
    )
    fact.occurred_at.FromDatetime(
        _START + timedelta(days=chance.randrange(_DAYS), minutes=chance.randrange(600))
    )
    if kind in ("FOLLOW_UP", "DEAL_WON", "DEAL_LOST"):
        fact.customer = f"customer-{chance.randrange(400)}"
    if kind in _KINDS_WITH_AMOUNT:
        fact.amount.CopyFrom(Money(currency_code="CNY", units=chance.randrange(1, 9_000)))
    if kind == "DEAL_REVERSED":
        # Three before it, in the order of kinds, a deal was won.
        fact.reverses = f"k{number - chance.choice((2, 3))}"
    return fact

"""A quarter's statements of the Maven data's agents under a plan of tiers and bands: to the cent as SQL has them."""

import time
from typing import Any, Final

import psycopg
import pytest
from foothold.incentives.v1 import (
    plan_life_pb2,
    plan_life_pb2_grpc,
    plans_pb2,
    plans_pb2_grpc,
    statements_pb2,
    statements_pb2_grpc,
    values_pb2,
)
from google.type.date_pb2 import Date
from google.type.money_pb2 import Money

from chassis.ids import new_id
from tests.real_input.conftest import Imported

pytestmark = [pytest.mark.real_input, pytest.mark.timeout(300)]

_SECONDS: Final = 60
_MONTHS: Final = (7, 8, 9)
# Shares with places enough that cents must be rounded: once a line, half up.
_STATEMENTS: Final = """
WITH event AS (
    SELECT sales_agent, date_trunc('month', close_date)::date AS month, (deal_stage = 'Won')::integer AS won,
           100 * coalesce(close_value, 0) AS cents, NULL AS account
    FROM pipeline WHERE deal_stage IN ('Won', 'Lost')
    UNION ALL
    SELECT sales_agent, date_trunc('month', engage_date)::date, 0, 0, account
    FROM pipeline WHERE engage_date IS NOT NULL AND account IS NOT NULL
), figure AS (
    SELECT sales_agent, month, sum(won)::numeric AS won, sum(cents)::numeric AS cents,
           count(DISTINCT account)::numeric AS customers
    FROM event GROUP BY 1, 2
)
SELECT replace(lower(sales_agent), ' ', '-'), extract(month FROM month)::integer,
       floor(least(cents, 1000000) * 0.03333 + greatest(0, least(cents, 2500000) - 1000000) * 0.04777
             + greatest(0, cents - 2500000) * 0.06251 + 0.5)::bigint,
       CASE WHEN customers = 0 OR won / customers < 0.5 THEN 0
            WHEN won / customers < 1 THEN 25000 ELSE 40000 END
FROM figure WHERE month >= '2017-07-01' AND month < '2017-10-01' ORDER BY 1, 2
"""


def _dollars(cents: int) -> Money:
    return Money(currency_code="USD", units=cents // 100, nanos=cents % 100 * 10_000_000)


def _cents(told: Money) -> int:
    return int(told.units * 100 + told.nanos // 10_000_000)


def _money(cents: int) -> values_pb2.Value:
    return values_pb2.Value(unit=values_pb2.UNIT_MONEY, numerator=cents, denominator=1, currency="USD")


def _rate(above: int, below: int) -> values_pb2.Value:
    return values_pb2.Value(unit=values_pb2.UNIT_RATE, numerator=above, denominator=below)


def _plan() -> plans_pb2.Plan:
    band, tier = plans_pb2.Band, plans_pb2.Tier
    graduated = plans_pb2.Graduated(
        metric="revenue",
        bands=[
            band(low=_money(0), high=_money(1_000_000), share=_rate(3_333, 100_000)),
            band(low=_money(1_000_000), high=_money(2_500_000), share=_rate(4_777, 100_000)),
            band(low=_money(2_500_000), share=_rate(6_251, 100_000)),
        ],
    )
    tiers = plans_pb2.Tiers(
        metric="close_rate",
        tiers=[
            tier(low=_rate(0, 1), high=_rate(1, 2), amount=_dollars(0)),
            tier(low=_rate(1, 2), high=_rate(1, 1), amount=_dollars(25_000)),
            tier(low=_rate(1, 1), amount=_dollars(40_000)),
        ],
    )
    return plans_pb2.Plan(
        node_id="maven",
        job_role="sales",
        name="Third quarter",
        period_kind=values_pb2.PERIOD_KIND_MONTH,
        effective_from=Date(year=2017, month=7, day=1),
        rules=[
            plans_pb2.Rule(id="revenue", label="Commission", graduated=graduated),
            plans_pb2.Rule(id="closing", label="Closing", tiers=tiers),
        ],
    )


def test_a_quarter_s_statements_equal_sql_over_the_files(
    imported: Imported, files: psycopg.Connection[Any]
) -> None:
    channel = imported.platform.channel("incentives")
    draft = plans_pb2_grpc.PlansServiceStub(channel).CreatePlan(
        plans_pb2.CreatePlanRequest(request_id=new_id(), plan=_plan())
    )
    plan_life_pb2_grpc.PlanLifeServiceStub(channel).ApprovePlan(
        plan_life_pb2.ApprovePlanRequest(request_id=new_id(), plan_id=draft.plan.id)
    )
    expected = {
        (agent, month): (commission, closing)
        for agent, month, commission, closing in files.execute(_STATEMENTS).fetchall()
    }
    assert len({agent for agent, _ in expected}) == 30
    assert any(commission % 100 for commission, _ in expected.values())
    assert {closing for _, closing in expected.values()} == {0, 25_000, 40_000}
    until = time.monotonic() + _SECONDS
    while (told := _told(statements_pb2_grpc.StatementsServiceStub(channel))) != expected:
        # A plan for time past is worked off in the background.
        assert time.monotonic() < until, {key: (told.get(key), expected[key]) for key in expected}
        time.sleep(0.2)


def _told(stub: statements_pb2_grpc.StatementsServiceStub) -> dict[tuple[str, int], tuple[int, int]]:
    """Both lines by agent and month, of agents with anything told of the month."""
    found = {}
    for month in _MONTHS:
        request = statements_pb2.ListStatementsRequest(
            node_id="maven", on=Date(year=2017, month=month, day=15), page_size=1000
        )
        for statement in stub.ListStatements(request).statements:
            if statement.plan_id and statement.HasField("as_of"):
                commission, closing = (_cents(line.amount) for line in statement.lines)
                assert _cents(statement.total) == commission + closing
                found[statement.person_id, month] = (commission, closing)
    return found

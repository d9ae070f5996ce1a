"""Close rates, revenue and suggestions over the Maven CRM data, held against SQL of the test's own over the files."""

import csv
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest
from foothold.goals.v1 import evidence_pb2, evidence_pb2_grpc, metrics_pb2, metrics_pb2_grpc
from google.type.date_pb2 import Date

from tests.platform import Platform
from tests.real_input.conftest import Imported

pytestmark = [pytest.mark.real_input, pytest.mark.timeout(300)]

# Independent of ours: won, cents and the customers of each agent, added up by agent, manager, office, and month.
_FIGURES: Final = """
WITH event AS (
    SELECT sales_agent, date_trunc('month', close_date)::date AS month, (deal_stage = 'Won')::integer AS won,
           100 * coalesce(close_value, 0) AS cents, NULL AS account
    FROM pipeline WHERE deal_stage IN ('Won', 'Lost')
    UNION ALL
    SELECT sales_agent, date_trunc('month', engage_date)::date, 0, 0, account
    FROM pipeline WHERE engage_date IS NOT NULL AND account IS NOT NULL
), agent AS (
    SELECT sales_agent, {month} AS month, sum(won) AS won, sum(cents) AS cents,
           count(DISTINCT account) AS customers
    FROM event GROUP BY 1, 2
)
SELECT {key} AS key, to_char(month, 'YYYY-MM'), sum(won)::bigint, sum(cents)::bigint, sum(customers)::bigint
FROM agent JOIN team USING (sales_agent) GROUP BY 1, 2 ORDER BY 1, 2
"""
_KEYS: Final[dict[Any, str]] = {
    metrics_pb2.GROUP_BY_PERSON: "replace(lower(sales_agent), ' ', '-')",
    metrics_pb2.GROUP_BY_DEPARTMENT: "'team-' || replace(lower(manager), ' ', '-')",
    metrics_pb2.GROUP_BY_BRANCH: "lower(regional_office)",
}
_Figures = dict[tuple[str, str], tuple[int, int, int]]


@pytest.fixture(scope="module")
def computed(files: psycopg.Connection[Any]) -> Callable[[int, bool], _Figures]:
    """(won, cents, customers) by key and month, or by key alone, from the files by SQL of the test's own."""

    def ask(by: int, monthly: bool) -> _Figures:
        query = _FIGURES.format(key=_KEYS[by], month="month" if monthly else "date '2016-01-01'")
        rows = files.execute(query).fetchall()
        return {
            (key, month if monthly else ""): (won, cents, customers)
            for key, month, won, cents, customers in rows
        }

    return ask


def _told(platform: Platform, by: int, first: date | None = None, stop: date | None = None) -> _Figures:
    """The same from the platform; close rates give won and customers."""
    stub = metrics_pb2_grpc.MetricsServiceStub(platform.channel("goals"))
    found: dict[tuple[str, str], list[int]] = {}
    for metric in ("close_rate", "revenue"):
        request = metrics_pb2.QueryMetricRequest(metric=metric, group_by=by, page_size=1000)  # type: ignore[arg-type]  # a plain int serves
        for field, day in (("from", first), ("to", stop)):
            if day is not None:
                getattr(request, field).CopyFrom(Date(year=day.year, month=day.month, day=day.day))
        for row in stub.QueryMetric(request).rows:
            month = f"{first:%Y-%m}" if first else ""
            found.setdefault((row.key, month), []).extend(
                (row.value.numerator, row.value.denominator)
                if metric == "close_rate"
                else (row.value.numerator,)
            )
    return {key: (won, cents, customers) for key, (won, customers, cents) in found.items()}


def _rated(figures: _Figures) -> _Figures:
    """Without customers there is no rate, so nothing above its line is told (R4)."""
    return {
        key: (won if customers else 0, cents, customers) for key, (won, cents, customers) in figures.items()
    }


@pytest.mark.parametrize("by", [*_KEYS], ids=metrics_pb2.GroupBy.Name)
def test_close_rate_and_revenue_equal_sql_over_the_files(
    imported: Imported, computed: Callable[[int, bool], _Figures], by: int
) -> None:
    assert _told(imported.platform, by) == _rated(computed(by, False))
    monthly = _rated(computed(by, True))
    months = sorted({month for _, month in monthly})
    assert (months[0], months[-1], len(months)) == ("2016-10", "2017-12", 15)
    for month in months:
        first = date.fromisoformat(f"{month}-01")
        stop = date(first.year + first.month // 12, first.month % 12 + 1, 1)
        found = _told(imported.platform, by, first, stop)
        assert found == {key: figures for key, figures in monthly.items() if key[1] == month}, month


def test_each_office_has_a_suggestion_with_its_n(
    imported: Imported, maven: Path, computed: Callable[[int, bool], _Figures]
) -> None:
    stub = evidence_pb2_grpc.EvidenceServiceStub(imported.platform.channel("goals"))
    with (maven / "sales_teams.csv").open(encoding="utf-8") as file:
        offices = {
            row["sales_agent"].lower().replace(" ", "-"): row["regional_office"].lower()
            for row in csv.DictReader(file)
        }
    won = {key: figures[0] for key, figures in computed(metrics_pb2.GROUP_BY_PERSON, True).items()}
    agents = {agent for agent, _ in won}
    for office in ("central", "east", "west"):
        answer = stub.SuggestTargets(
            evidence_pb2.SuggestTargetsRequest(
                metric="deals_won", job_role="sales", node_id=office, months=12
            )
        )
        mine = [agent for agent in agents if offices[agent] == office]
        assert (answer.people, answer.without_facts) == (
            len(mine),
            len([each for each in offices if offices[each] == office]) - len(mine),
        )
        for month in answer.months:
            assert (month.n, month.sufficient) == (len(mine), True)
            index = 2016 * 12 + 9 + month.month - 1
            key = f"{index // 12}-{index % 12 + 1:02}"
            ordered = sorted(won.get((agent, key), 0) for agent in mine)
            expected = [ordered[-(-percent * len(ordered) // 100) - 1] for percent in (25, 50, 75)]
            assert [month.p25.numerator, month.p50.numerator, month.p75.numerator] == expected
            assert getattr(month, "from") == Date(year=index // 12, month=index % 12 + 1, day=1)

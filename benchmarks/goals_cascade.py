"""A year cut into 300 departments and 10,000 people, stored and shown, against one set-based statement."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from typing import Final

import grpc
import psycopg
from foothold.goals.v1 import allocation_pb2, allocation_pb2_grpc, cascade_pb2, cascade_pb2_grpc, values_pb2
from google.type.date_pb2 import Date

from benchmarks.figures import Figure, paired
from benchmarks.goals_stage import bearer, channel_to, stage
from chassis.ids import new_id

_PEOPLE: Final = 10_000
_DEPARTMENTS: Final = 300
_WHOLE: Final = 100_000_000_00
_ROUNDS: Final = 15
_METRIC: Final = "revenue"
_STEP: Final = allocation_pb2.AllocationStep
# What an allocation does in one statement: shares by headcount among departments and equal ones among their people, by
# the largest remainder on both levels, stored as goals like ours, and told with what each department's people make.
_STATEMENT: Final = """
WITH exact AS (
    SELECT parent_id AS department, count(*) AS n, sum(count(*)) OVER () AS everybody,
           %(whole)s::numeric * count(*) / sum(count(*)) OVER () AS share
    FROM directory_person WHERE status = 1 GROUP BY parent_id
), placed AS (
    SELECT *, row_number() OVER (ORDER BY share - floor(share) DESC, department) AS place,
           %(whole)s - sum(floor(share)) OVER () AS leftover FROM exact
), department AS (
    SELECT department, n, everybody, (floor(share) + (place <= leftover)::int)::bigint AS units FROM placed
), person AS (
    SELECT id, department, n, units AS whole,
           units / n + (row_number() OVER (PARTITION BY department ORDER BY id) <= units %% n)::int AS units
    FROM directory_person JOIN department ON parent_id = department WHERE status = 1
), made AS (
    INSERT INTO goal (id, parent_id, node_id, metric, period_kind, first_day, end_day, periods, unit, numerator,
                      denominator, method, weight, weight_sum, divided, reason, author_id, recorded_at, withdrawn)
    SELECT %(mark)s || department, %(mark)s, department, %(metric)s, 5, %(first)s::date,
           %(first)s::date + interval '1 year', 1, 3, units, 1, 4, n, everybody, %(whole)s, 'cut', 'sql', now(), false
    FROM department
    UNION ALL
    SELECT %(mark)s || id, %(mark)s || department, id, %(metric)s, 5, %(first)s::date,
           %(first)s::date + interval '1 year', 1, 3, units, 1, 2, 1, n, whole, 'cut', 'sql', now(), false
    FROM person
    RETURNING parent_id, numerator
)
SELECT parent_id, count(*), sum(numerator) FROM made GROUP BY parent_id
"""


def measure() -> Iterator[Figure]:
    """The issue's claim about the goal tree: at most five times one statement."""
    with ExitStack() as stack:
        found = stack.enter_context(stage(_PEOPLE, departments=_DEPARTMENTS))
        channel = stack.enter_context(channel_to(found.address))
        connection = stack.enter_context(psycopg.connect(found.url, autocommit=True))
        ours = _ours(channel, bearer(found.planner))
        took, bare = paired(ours, _statement(connection), _ROUNDS)
        yield Figure(
            "goals",
            "a year cut into 300 departments and 10,000 people, stored and shown, against one set-based statement",
            took / bare,
            f"{took * 1000:.0f} ms against {bare * 1000:.0f} ms",
            at_most=5,
        )


def _ours(channel: grpc.Channel, metadata: tuple[tuple[str, str], ...]) -> Callable[[], object]:
    """Cut the company's goal of another year each time, then list its departments with their coverage."""
    cascade = cascade_pb2_grpc.CascadeServiceStub(channel)
    allocation = allocation_pb2_grpc.AllocationServiceStub(channel)
    roots = iter([_root(cascade, metadata, year) for year in range(2030, 2030 + _ROUNDS + 1)])

    def cut_and_show() -> object:
        goal_id = next(roots)
        made = allocation.AllocateGoal(
            allocation_pb2.AllocateGoalRequest(
                request_id=new_id(),
                goal_id=goal_id,
                reason="cut",
                steps=[
                    _STEP(into=_STEP.INTO_DEPARTMENTS, method=cascade_pb2.GOAL_METHOD_HEADCOUNT),
                    _STEP(into=_STEP.INTO_PEOPLE, method=cascade_pb2.GOAL_METHOD_EQUAL),
                ],
            ),
            metadata=metadata,
            timeout=120,
        )
        assert made.made == _PEOPLE + _DEPARTMENTS, made.made
        shown = cascade.ListGoals(
            cascade_pb2.ListGoalsRequest(parent_id=goal_id, page_size=1000), metadata=metadata, timeout=60
        ).goals
        assert sum(each.coverage[0].sum.numerator for each in shown) == _WHOLE
        return shown

    return cut_and_show


def _root(
    cascade: cascade_pb2_grpc.CascadeServiceStub, metadata: tuple[tuple[str, str], ...], year: int
) -> str:
    goal = cascade_pb2.Goal(
        node_id="hq",
        metric=_METRIC,
        period_kind=values_pb2.PERIOD_KIND_YEAR,
        first_day=Date(year=year, month=1, day=1),
        value=values_pb2.Value(unit=values_pb2.UNIT_MONEY, numerator=_WHOLE, denominator=1, currency="CNY"),
    )
    request = cascade_pb2.SetGoalRequest(request_id=new_id(), goal=goal)
    return str(cascade.SetGoal(request, metadata=metadata, timeout=30).goal.id)


def _statement(connection: psycopg.Connection[tuple[object, ...]]) -> Callable[[], object]:
    """The same in one statement, in years of its own."""
    years = count(2060)

    def store_and_show() -> object:
        year = next(years)
        told = connection.execute(
            _STATEMENT, {"whole": _WHOLE, "mark": f"sql-{year}-", "metric": _METRIC, "first": f"{year}-01-01"}
        ).fetchall()
        assert len(told) == _DEPARTMENTS + 1, len(told)
        return told

    return store_and_show

"""A rank and the top ten among 100,000 against a bare echo; a statement against an echo and one statement."""

from collections.abc import Callable, Iterator

import grpc
import psycopg
from foothold.incentives.v1 import (
    boards_pb2,
    boards_pb2_grpc,
    plan_life_pb2,
    plan_life_pb2_grpc,
    plans_pb2,
    plans_pb2_grpc,
    statements_pb2,
    values_pb2,
)
from foothold.incentives.v1 import statements_pb2_grpc as statements_grpc
from google.type import date_pb2, money_pb2

from benchmarks.baselines import echo
from benchmarks.figures import Figure, paired
from benchmarks.incentives_stage import MONTH, PEOPLE, Stage, bearer, ready, stage

_ROUNDS = 3_000
_ONE_ROW = "SELECT total, amounts FROM statement WHERE period_kind = 2 AND first_day = %s AND person_id = %s"


def measure() -> Iterator[Figure]:
    """Both reads, one call in flight."""
    with stage() as company, echo() as say, grpc.insecure_channel(company.address) as channel:
        ready(channel)
        yield _board(company, channel, lambda: say(b"x" * 32))
        yield _statement(company, channel, lambda: say(b"x" * 32))


def _board(company: Stage, channel: grpc.Channel, echoed: Callable[[], object]) -> Figure:
    stub, metadata = boards_pb2_grpc.BoardsServiceStub(channel), bearer(company.newcomer)
    request = boards_pb2.GetBoardRequest(board_id="close-rate-week", node_id="hq")
    board = stub.GetBoard(request, metadata=metadata, timeout=60)
    assert board.ranked_size == PEOPLE
    assert board.standing.rank > 1
    assert len(board.entries) == 10
    ours, bare = paired(lambda: stub.GetBoard(request, metadata=metadata, timeout=5), echoed, _ROUNDS)
    return Figure(
        "incentives",
        "a rank, the gap to the next and the top 10 among 100,000, against a bare echo (p50)",
        ours / bare,
        f"{ours * 1e6:.0f} µs against {bare * 1e6:.0f} µs",
        at_most=1.3,
        bound_by="decoding, the door and encoding ten entries in Python",
    )


def _statement(company: Stage, channel: grpc.Channel, echoed: Callable[[], object]) -> Figure:
    agree(company, channel)
    stub, metadata = statements_grpc.StatementsServiceStub(channel), bearer(company.newcomer)
    request = statements_pb2.GetStatementRequest(person_id="p000777")
    stub.GetStatement(request, metadata=metadata, timeout=5)
    with psycopg.connect(company.url, autocommit=True) as connection:

        def echo_and_row() -> None:
            echoed()
            connection.execute(_ONE_ROW, [MONTH, "p000777"], prepare=True).fetchone()

        ours, bare = paired(
            lambda: stub.GetStatement(request, metadata=metadata, timeout=5), echo_and_row, _ROUNDS
        )
    return Figure(
        "incentives",
        "a newcomer's statement with its next amounts, against an echo and one statement (p50)",
        ours / bare,
        f"{ours * 1e6:.0f} µs against {bare * 1e6:.0f} µs",
        at_most=2.5,
        bound_by="a read-only snapshot is three round trips: begin, read, commit",
    )


def agree(company: Stage, channel: grpc.Channel, *, wait: bool = True) -> None:
    """A plan for everybody; `wait` until it is computed."""
    fifty = money_pb2.Money(currency_code="CNY", units=50)
    tenth = values_pb2.Value(unit=values_pb2.UNIT_RATE, numerator=1, denominator=10)
    plan = plans_pb2.Plan(
        node_id="hq",
        job_role="sales",
        name="plan",
        period_kind=values_pb2.PERIOD_KIND_MONTH,
        effective_from=date_pb2.Date(year=MONTH.year, month=MONTH.month, day=1),
        rules=[
            plans_pb2.Rule(
                id="unit", label="unit", per_unit=plans_pb2.PerUnit(metric="new_customers", amount=fifty)
            ),
            plans_pb2.Rule(
                id="points",
                label="points",
                per_point=plans_pb2.PerPoint(
                    metric="close_rate",
                    threshold=tenth,
                    amount=fifty,
                    mode=plans_pb2.PerPoint.MODE_WHOLE_POINTS,
                ),
            ),
        ],
    )
    draft = plans_pb2_grpc.PlansServiceStub(channel).CreatePlan(
        plans_pb2.CreatePlanRequest(request_id="bench", plan=plan), metadata=bearer(company.hr), timeout=30
    )
    plan_life_pb2_grpc.PlanLifeServiceStub(channel).ApprovePlan(
        plan_life_pb2.ApprovePlanRequest(request_id="bench", plan_id=draft.plan.id),
        metadata=bearer(company.second),
        timeout=30,
    )
    with psycopg.connect(company.url, autocommit=True) as connection:
        while wait and connection.execute("SELECT 1 FROM recompute").fetchone():
            pass

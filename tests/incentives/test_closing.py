"""Closing a period freezes it; whatever comes later is an adjustment in the period that runs (R11)."""

from collections.abc import Iterator
from datetime import date, timedelta

import grpc
import pytest
from foothold.identity.v1 import directory_pb2
from foothold.incentives.v1 import closing_pb2, feed_pb2, periods_pb2, statements_pb2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from chassis.errors import from_rpc_error
from tests.incentives.company import NOW, TODAY, Client, Company, on, person, request_id
from tests.incentives.plans import MONTH, in_yuan, per_unit, percent, plan, rate_of

MARCH = TODAY
FEBRUARY = date(2025, 2, 12)
APRIL = timedelta(days=31)


@pytest.fixture(scope="module", autouse=True)
def agreed(company: Company) -> None:
    """4 % of what is sold, and 50 for every new customer."""
    company.as_("hr").create(
        plan(rate_of("revenue", percent(4)), per_unit("new_customers", "50"), job_role="closer")
    )


@pytest.fixture(autouse=True)
def march(company: Company) -> Iterator[None]:
    yield
    company.clock.set(NOW)


_names = iter(f"closed-{number}" for number in range(10_000))


class Worker:
    """Somebody in a branch of their own, so that each test closes its own periods."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.name = next(_names)
        self.branch = f"branch-{self.name}"
        self._branch()
        company.newcomer(self.name, self.branch, "closer")
        company.settle()

    def _branch(self) -> None:
        self.company.tell(
            node_changed=directory_pb2.Node(
                id=self.branch, parent_id="hq", kind=directory_pb2.NODE_KIND_BRANCH, name=self.branch
            )
        )

    def has(self, day: date, **figures: int) -> None:
        self.company.figures(self.name, day, **figures)
        self.company.settle()

    def statement(self, day: date) -> statements_pb2.Statement:
        return self.company.as_(self.name).statement(day=day)

    def close(self, day: date = FEBRUARY) -> periods_pb2.ClosePeriodResponse:
        return self.company.as_("hr").close(self.branch, day)

    def adjustments(self, day: date) -> list[tuple[str, str, int]]:
        return [
            (each.rule_id, in_yuan(each.amount), each.corrects.first_day.month)
            for each in self.statement(day).adjustments
        ]


@pytest.fixture
def worker(company: Company) -> Worker:
    return Worker(company)


def refusal(client: Client, node_id: str, day: date) -> tuple[str, str]:
    with pytest.raises(grpc.RpcError) as raised:
        client.close(node_id, day)
    failure = from_rpc_error(raised.value)
    return failure.code.name, failure.reason


def test_a_statement_is_an_estimate_then_accrued_then_closed(worker: Worker) -> None:
    worker.has(FEBRUARY, new_customers=2)
    assert worker.statement(MARCH).state == closing_pb2.STATEMENT_STATE_ESTIMATE
    before = worker.statement(FEBRUARY)
    assert before.state == closing_pb2.STATEMENT_STATE_ACCRUED
    assert not before.HasField("frozen")
    worker.close()
    after = worker.statement(FEBRUARY)
    assert after.state == closing_pb2.STATEMENT_STATE_CLOSED
    assert after.frozen.closed_by == "hr"
    assert len(after.frozen.digest) == 64
    assert (after.lines, after.total, after.due) == (before.lines, before.total, before.total)


def test_a_period_that_runs_is_not_closed(company: Company, worker: Worker) -> None:
    assert refusal(company.as_("hr"), worker.branch, MARCH) == ("FAILED_PRECONDITION", "PERIOD_RUNS")
    assert company.as_("hr").period(worker.branch, MARCH).stage == periods_pb2.PeriodStanding.STAGE_RUNS


def test_only_the_enterprise_and_branches_are_closed(company: Company) -> None:
    assert refusal(company.as_("hr"), "beijing-sales", FEBRUARY) == ("INVALID_ARGUMENT", "FIELD_INVALID")
    assert refusal(company.as_("hr"), "li", FEBRUARY) == ("INVALID_ARGUMENT", "FIELD_INVALID")


def test_r11_an_order_of_1000_at_4_percent_with_200_refunded_leaves_32_over_all(worker: Worker) -> None:
    worker.has(FEBRUARY, revenue=100_000)
    worker.close()
    closed = worker.statement(FEBRUARY)
    assert in_yuan(closed.total) == "40.00"
    worker.has(FEBRUARY, revenue=80_000)
    assert worker.statement(FEBRUARY) == closed
    running = worker.statement(MARCH)
    assert worker.adjustments(MARCH) == [("share", "-8.00", 2)]
    assert (in_yuan(running.total), in_yuan(running.due)) == ("0.00", "-8.00")


def test_before_the_close_a_late_fact_changes_the_period_itself(worker: Worker) -> None:
    worker.has(FEBRUARY, revenue=100_000)
    worker.has(FEBRUARY, revenue=80_000)
    assert in_yuan(worker.statement(FEBRUARY).total) == "32.00"
    assert worker.adjustments(MARCH) == []


def test_what_is_corrected_twice_is_adjusted_by_the_difference_and_told_again_changes_nothing(
    worker: Worker,
) -> None:
    worker.has(FEBRUARY, revenue=100_000, new_customers=1)
    worker.close()
    worker.has(FEBRUARY, revenue=80_000, new_customers=1)
    worker.has(FEBRUARY, revenue=80_000, new_customers=1)
    worker.has(FEBRUARY, revenue=90_000, new_customers=3)
    assert worker.adjustments(MARCH) == [("share", "-4.00", 2), ("unit", "100.00", 2)]
    worker.has(FEBRUARY, revenue=100_000, new_customers=1)
    assert worker.adjustments(MARCH) == []


def test_an_adjustment_paid_in_a_closed_period_is_corrected_in_the_next(
    company: Company, worker: Worker
) -> None:
    worker.has(FEBRUARY, revenue=100_000)
    worker.close()
    worker.has(FEBRUARY, revenue=80_000)
    company.clock.advance(APRIL)
    worker.close(MARCH)
    march = worker.statement(MARCH)
    worker.has(FEBRUARY, revenue=0)
    assert worker.statement(MARCH) == march
    assert worker.adjustments(MARCH) == [("share", "-8.00", 2)]
    assert worker.adjustments(MARCH + APRIL) == [("share", "-32.00", 2)]


def test_closing_twice_changes_nothing_and_closing_the_enterprise_takes_in_the_rest(
    company: Company, worker: Worker
) -> None:
    worker.has(FEBRUARY, new_customers=1)
    first = worker.close()
    assert first.frozen_now == 1
    again = worker.close()
    assert again.frozen_now == 0
    assert again.standing == first.standing
    other = Worker(company)
    other.has(FEBRUARY, new_customers=2)
    company.as_("hr").close("hq", date(2025, 1, 1))
    above = company.as_("hr").period(worker.branch, date(2025, 1, 5))
    assert (above.stage, above.closed_node_id) == (periods_pb2.PeriodStanding.STAGE_CLOSED, "hq")


def test_the_same_request_id_closes_once(company: Company, worker: Worker) -> None:
    request = periods_pb2.ClosePeriodRequest(
        request_id=request_id(),
        node_id=worker.branch,
        period_kind=MONTH,
        on=on(FEBRUARY),
    )
    stub = company.as_("hr").periods
    assert stub.ClosePeriod(request) == stub.ClosePeriod(request)


def test_whoever_had_no_facts_is_closed_at_zero_and_paid_by_adjustment(worker: Worker) -> None:
    worker.close()
    closed = worker.statement(FEBRUARY)
    assert (closed.state, in_yuan(closed.total)) == (closing_pb2.STATEMENT_STATE_CLOSED, "0.00")
    worker.has(FEBRUARY, new_customers=3)
    assert worker.statement(FEBRUARY) == closed
    assert worker.adjustments(MARCH) == [("unit", "150.00", 2)]


def test_whoever_comes_to_a_closed_branch_is_closed_with_it(company: Company, worker: Worker) -> None:
    worker.close()
    moved = Worker(company)
    moved.has(FEBRUARY, new_customers=1)
    company.tell(person_changed=person(moved.name, worker.branch, "closer"))
    company.settle()
    moved.has(FEBRUARY, new_customers=2)
    assert in_yuan(moved.statement(FEBRUARY).total) == "50.00"
    assert moved.statement(FEBRUARY).state == closing_pb2.STATEMENT_STATE_CLOSED
    assert moved.adjustments(MARCH) == [("unit", "50.00", 2)]


def test_a_closed_line_is_explained_as_it_was_paid(company: Company, worker: Worker) -> None:
    worker.has(FEBRUARY, revenue=100_000)
    worker.close()
    worker.has(FEBRUARY, revenue=50_000)
    answer = company.as_(worker.name).explain("share", day=FEBRUARY)
    assert in_yuan(answer.line.amount) == "40.00"
    assert answer.steps[-1].result.numerator == "4000"


def test_the_sums_of_a_period_are_what_its_statements_say(company: Company, worker: Worker) -> None:
    worker.has(FEBRUARY, revenue=100_000)
    worker.close()
    worker.has(FEBRUARY, revenue=80_000)
    worker.has(MARCH, new_customers=1)
    hr = company.as_("hr")
    february, march = hr.period(worker.branch, FEBRUARY), hr.period(worker.branch, MARCH)
    assert (february.people, february.frozen_people) == (1, 1)
    assert [in_yuan(each) for each in (february.due, february.corrected_later)] == ["40.00", "-8.00"]
    assert [in_yuan(each) for each in (march.total, march.adjustments, march.due)] == [
        "50.00",
        "-8.00",
        "42.00",
    ]


def test_whoever_has_left_is_paid_what_is_learned_later_and_nothing_else(
    company: Company, worker: Worker
) -> None:
    worker.has(FEBRUARY, revenue=100_000)
    worker.close()
    company.tell(person_changed=person(worker.name, worker.branch, "closer", dismissed=True))
    company.settle()
    worker.has(FEBRUARY, revenue=150_000)
    company.clock.advance(APRIL)
    worker.close(MARCH)
    asked = statements_pb2.ListStatementsRequest(node_id=worker.branch, on=on(MARCH))
    (frozen,) = company.as_("hr").statements.ListStatements(asked).statements
    assert frozen.state == closing_pb2.STATEMENT_STATE_CLOSED
    assert (in_yuan(frozen.total), in_yuan(frozen.due)) == ("0.00", "20.00")


def test_whoever_follows_hears_of_the_adjustment_and_not_of_a_closed_statement(
    company: Company, worker: Worker
) -> None:
    worker.has(FEBRUARY, revenue=100_000)
    worker.close()
    feed = company.as_("administrator").feed
    head = company.told_head()
    worker.has(FEBRUARY, revenue=80_000)
    company.told_head()
    events = feed.ListEvents(feed_pb2.ListEventsRequest(after_position=head, page_size=1_000)).events
    bodies = [
        (event.WhichOneof("body"), event.adjustment_changed)
        for event in events
        if worker.name in (event.statement_changed.person_id, event.adjustment_changed.person_id)
        and event.statement_changed.period.kind != 1
    ]
    assert bodies == [("adjustment_changed", worker.statement(MARCH).adjustments[0])]


def test_the_database_itself_refuses_to_change_what_is_closed(company: Company, worker: Worker) -> None:
    worker.close()
    for change in ("UPDATE frozen SET total = 1", "DELETE FROM frozen", "TRUNCATE frozen CASCADE"):
        with pytest.raises(DBAPIError, match="a closed period never changes"), company.database.begin() as c:
            c.execute(text(change))


_STEP = st.one_of(
    st.tuples(st.just("fact"), st.integers(0, 3_000), st.integers(0, 4)),
    st.just(("close", 0, 0)),
    st.just(("month passes", 0, 0)),
    st.just(("again", 0, 0)),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(_STEP, min_size=2, max_size=9))
def test_r10_r11_closed_never_changes_and_over_all_is_paid_what_the_facts_are_worth(
    company: Company, steps: list[tuple[str, int, int]]
) -> None:
    company.clock.set(NOW)
    worker = Worker(company)
    closed: statements_pb2.Statement | None = None
    months = [FEBRUARY, MARCH]
    revenue, customers = 0, 0
    for what, money, number in steps:
        if what == "month passes":
            company.clock.advance(APRIL)
            # The newest month is where what comes late is paid.
            months.append((months[-1].replace(day=1) + APRIL).replace(day=12))
        elif what == "close":
            worker.close(FEBRUARY)
            closed = closed or worker.statement(FEBRUARY)
            if len(months) > 3:
                worker.close(months[-2])
        else:
            if what == "fact":
                revenue, customers = money * 100, number
            worker.has(FEBRUARY, revenue=revenue, new_customers=customers)
        if closed is not None:
            assert worker.statement(FEBRUARY) == closed
    found = [worker.statement(each) for each in months]
    over_all = sum(each.due.units * 100 + each.due.nanos // 10_000_000 for each in found)
    assert over_all == revenue * 4 // 100 + customers * 5_000

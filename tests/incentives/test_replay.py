"""Any statement as it was known at any time; what is stored is what the rules make of it."""

from datetime import date, datetime, timedelta

import grpc
import pytest
from foothold.incentives.v1 import recompute_pb2, statements_pb2
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from chassis.errors import from_rpc_error
from tests.incentives.company import NOW, TODAY, Company, on, request_id
from tests.incentives.plans import MONTH, in_yuan, per_unit, plan

_numbers = iter(range(10_000))


@pytest.fixture(autouse=True)
def now(company: Company) -> None:
    company.clock.set(NOW + timedelta(hours=next(_numbers)))


def newcomer(company: Company) -> str:
    name = company.newcomer(f"replayed-{next(_numbers)}", job_role=f"replayed-{next(_numbers)}")
    company.settle()
    return name


def role_of(company: Company, name: str) -> str:
    with company.database.read() as connection:
        query = text("SELECT job_role FROM directory_person WHERE id = :id")
        return str(connection.execute(query, {"id": name}).scalar_one())


def moment(at: datetime) -> Timestamp:
    message = Timestamp()
    message.FromDatetime(at)
    return message


def as_known(
    company: Company, name: str, at: datetime, day: date = TODAY
) -> statements_pb2.GetStatementResponse:
    asked = statements_pb2.GetStatementRequest(person_id=name, on=on(day), known_at=moment(at))
    return company.as_(name).statements.GetStatement(asked)


def told(company: Company, name: str, **figures: int) -> datetime:
    """A minute later goals tells figures; when that was."""
    company.clock.advance(timedelta(minutes=1))
    company.figures(name, **figures)
    company.settle()
    return company.clock.now()


def recompute(
    company: Company, node_id: str, *, apply: bool = False, by: str = "hr", **more: object
) -> recompute_pb2.RecomputePeriodResponse:
    asked = recompute_pb2.RecomputePeriodRequest(
        request_id=request_id(),
        node_id=node_id,
        period_kind=MONTH,
        on=on(TODAY),
        apply=apply,
        **more,  # type: ignore[arg-type]
    )
    return company.as_(by).recompute.RecomputePeriod(asked)


def test_a_statement_is_shown_as_it_was_known_and_with_what_is_known_now(company: Company) -> None:
    name = newcomer(company)
    hr = company.as_("hr")
    hr.create(plan(per_unit("new_customers", "50"), job_role=role_of(company, name), id=f"{name}-first"))
    company.settle()
    first = told(company, name, new_customers=2)
    second = told(company, name, new_customers=5)
    live = company.as_(name).statement()
    for at, total in ((first, "100.00"), (second, "250.00")):
        answer = as_known(company, name, at)
        assert in_yuan(answer.statement.total) == total
        assert answer.now == live
        assert not answer.next_amounts
    before = as_known(company, name, first - timedelta(seconds=30)).statement
    assert (in_yuan(before.total), before.HasField("as_of")) == ("0.00", False)
    explained = company.as_(name).statements.ExplainLine(
        statements_pb2.ExplainLineRequest(person_id=name, rule_id="unit", known_at=moment(first))
    )
    assert in_yuan(explained.line.amount) == "100.00"
    assert [each.value.numerator for each in explained.inputs] == [2]


def test_before_a_plan_was_known_it_paid_nothing(company: Company) -> None:
    name = newcomer(company)
    first = told(company, name, new_customers=2)
    company.clock.advance(timedelta(minutes=1))
    company.as_("hr").create(plan(per_unit("new_customers", "50"), job_role=role_of(company, name)))
    company.settle()
    answer = as_known(company, name, first)
    assert (answer.statement.plan_id, in_yuan(answer.now.total)) == ("", "100.00")


def test_a_moment_to_come_is_refused(company: Company) -> None:
    with pytest.raises(grpc.RpcError) as raised:
        as_known(company, "li", company.clock.now() + timedelta(seconds=1))
    assert "known_at" in from_rpc_error(raised.value).fields


def test_a_wrong_amount_is_found_line_by_line_and_put_right(company: Company) -> None:
    name = newcomer(company)
    company.as_("hr").create(plan(per_unit("new_customers", "50"), job_role=role_of(company, name)))
    told(company, name, new_customers=2)
    with company.database.begin() as connection:
        connection.execute(
            text("UPDATE statement SET amounts = '{1}', total = 1 WHERE person_id = :id AND period_kind = 2"),
            {"id": name},
        )
    company.clock.advance(timedelta(minutes=1))
    found = recompute(company, "shanghai-sales")
    (line,) = found.lines
    assert (line.person_id, line.rule_id) == (name, "unit")
    assert (in_yuan(line.stored), in_yuan(line.computed)) == ("0.01", "100.00")
    assert company.as_(name).statement().total.units == 0
    assert recompute(company, "shanghai-sales", apply=True).lines_changed == 1
    assert in_yuan(company.as_(name).statement().total) == "100.00"
    assert recompute(company, "shanghai-sales", apply=True).lines_changed == 0


def test_pages_cover_everybody_once(company: Company) -> None:
    token, done, statements = "", 0, 0
    while True:
        page = recompute(company, "hq", page_size=3, page_token=token)
        assert page.people_done > done
        done, token, statements = page.people_done, page.next_page_token, statements + page.statements
        if not token:
            break
    assert done == page.people
    assert statements == recompute(company, "hq", page_size=1000).statements


@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)
@given(st.lists(st.one_of(st.integers(0, 9), st.just("plan")), min_size=1, max_size=6))
def test_replay_of_now_is_the_live_statement_over_any_history(
    company: Company, history: list[object]
) -> None:
    name = newcomer(company)
    role = role_of(company, name)
    seen = []
    for number, each in enumerate(history):
        company.clock.advance(timedelta(minutes=1))
        if each == "plan":
            made = plan(per_unit("new_customers", str(number + 1)), job_role=role)
            made.effective_from.CopyFrom(on(date(2025, 1, 1) + timedelta(days=number)))
            company.as_("hr").create(made)
        else:
            company.figures(name, new_customers=int(str(each)))
        company.settle()
        seen.append((company.clock.now(), company.as_(name).statement()))
    for at, shown in seen:
        replayed = as_known(company, name, at).statement
        assert (replayed.lines, replayed.total, replayed.plan_id) == (
            shown.lines,
            shown.total,
            shown.plan_id,
        )
    replayed, live = as_known(company, name, company.clock.now()).statement, company.as_(name).statement()
    # The same figures told again make no version.
    assert replayed.goals_position <= live.goals_position
    replayed.goals_position = live.goals_position
    assert replayed == live
    before = company.fingerprint()
    assert recompute(company, name).lines_changed == 0
    assert company.fingerprint() == before
    stored = company.stored(positions=True)
    assert recompute(company, name, apply=True).lines_changed == 0
    assert company.stored(positions=True) == stored

"""A period that is over is paid and explained by what was in force in it, whatever moved or was agreed since."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from foothold.identity.v1 import directory_pb2
from foothold.incentives.v1 import statements_pb2
from google.protobuf.timestamp_pb2 import Timestamp

from tests.incentives.company import NOW, Company, on, person
from tests.incentives.plans import in_yuan, per_unit, plan

_JANUARY = datetime(2025, 1, 1, 1, tzinfo=UTC)
_FEBRUARY = datetime(2025, 2, 10, 4, tzinfo=UTC)
_MARCH = datetime(2025, 3, 5, 4, tzinfo=UTC)
_DAY = date(2025, 2, 12)
_ROLE = "wanderer"


def tell(company: Company, at: datetime, **bodies: Any) -> None:
    occurred_at = Timestamp()
    occurred_at.FromDatetime(at)
    company.tell(occurred_at=occurred_at, **bodies)


def unit(node_id: str, parent_id: str, kind: directory_pb2.NodeKind.ValueType) -> directory_pb2.Node:
    return directory_pb2.Node(id=node_id, parent_id=parent_id, kind=kind, name=node_id)


@pytest.fixture(scope="module", autouse=True)
def moved(company: Company) -> None:
    """In February three people work in Shanghai; in March each is in Beijing, and new plans are set back in time."""
    company.clock.set(_FEBRUARY)
    tell(company, _JANUARY, node_changed=unit("team", "shanghai", directory_pb2.NODE_KIND_DEPARTMENT))
    for name in ("paid", "idle", "late"):
        tell(company, _JANUARY, person_changed=person(name, "shanghai-sales", _ROLE))
    tell(company, _JANUARY, person_changed=person("of-team", "team", _ROLE))
    company.settle()
    hr = company.as_("hr")
    for node_id, amount in (("hq", "1"), ("shanghai", "2")):
        hr.create(plan(per_unit("new_customers", amount), node_id=node_id, job_role=_ROLE, id=node_id))
    for name in ("paid", "of-team"):
        company.figures(name, _DAY, new_customers=7)
    company.settle()
    company.clock.set(NOW)
    for name in ("paid", "idle", "late"):
        tell(company, _MARCH, person_changed=person(name, "beijing-sales", _ROLE))
    tell(company, _MARCH, node_changed=unit("team", "beijing", directory_pb2.NODE_KIND_DEPARTMENT))
    company.settle()
    later = date(2025, 2, 1)
    for node_id, amount in (("hq", "100"), ("shanghai", "200"), ("beijing", "300")):
        rule = per_unit("new_customers", amount)
        hr.create(plan(rule, node_id=node_id, effective=later, job_role=_ROLE, id=f"{node_id}-later"))
    for name in ("paid", "of-team"):
        company.figures(name, None, new_customers=7)
    company.settle()


def explained(company: Company, name: str, day: date) -> statements_pb2.ExplainLineResponse:
    return company.as_("hr").explain("unit", name, day)


@pytest.mark.parametrize(("name", "unit_id"), [("paid", "shanghai-sales"), ("of-team", "team")])
def test_r11_the_origin_of_a_closed_period_is_what_was_in_force_in_it(
    company: Company, name: str, unit_id: str
) -> None:
    answer = explained(company, name, _DAY)
    assert in_yuan(answer.line.amount) == "14.00"
    assert answer.plan_id == "shanghai"
    assert list(answer.plan_node_ids) == ["shanghai", "hq"]
    assert list(answer.person_node_ids) == [unit_id, "shanghai", "hq"]


@pytest.mark.parametrize(("name", "unit_id"), [("paid", "beijing-sales"), ("of-team", "team")])
def test_the_origin_of_the_period_that_runs_is_what_is_in_force_now(
    company: Company, name: str, unit_id: str
) -> None:
    answer = explained(company, name, NOW.date())
    assert in_yuan(answer.line.amount) == "2100.00"
    assert list(answer.plan_node_ids) == ["beijing", "hq"]
    assert list(answer.person_node_ids) == [unit_id, "beijing", "hq"]


def test_whoever_had_no_figures_is_shown_the_plan_that_was_promised(company: Company) -> None:
    hr = company.as_("hr")
    assert hr.statement("idle", _DAY).plan_id == "shanghai"
    request = statements_pb2.ListStatementsRequest(node_id="beijing", on=on(_DAY), page_size=1_000)
    listed = {each.person_id: each.plan_id for each in hr.statements.ListStatements(request).statements}
    assert (listed["idle"], listed["paid"]) == ("shanghai", "shanghai")
    assert hr.statement("idle").plan_id == "beijing-later"


def test_r11_a_late_fact_is_paid_by_the_plan_of_its_time(company: Company) -> None:
    company.figures("late", _DAY, new_customers=3)
    company.settle()
    statement = company.as_("hr").statement("late", _DAY)
    assert (statement.plan_id, in_yuan(statement.total)) == ("shanghai", "6.00")
    answer = explained(company, "late", _DAY)
    assert list(answer.plan_node_ids) == ["shanghai", "hq"]
    assert answer.person_node_ids[0] == "shanghai-sales"


def test_of_somebody_heard_of_later_the_first_place_known_holds(company: Company) -> None:
    tell(company, _MARCH, person_changed=person("new", "shanghai-sales", _ROLE))
    company.figures("new", _DAY, new_customers=1)
    company.settle()
    answer = explained(company, "new", _DAY)
    assert list(answer.person_node_ids) == ["shanghai-sales", "shanghai", "hq"]
    assert answer.plan_id == "shanghai"


def test_a_plan_agreed_later_for_a_time_without_one_says_so_in_its_origin(company: Company) -> None:
    role = "unplanned"
    tell(company, _JANUARY, person_changed=person("unplanned", "shanghai-sales", role))
    company.figures("unplanned", _DAY, new_customers=5)
    company.settle()
    tell(company, _MARCH, person_changed=person("unplanned", "beijing-sales", role))
    company.settle()
    hr = company.as_("hr")
    rule = per_unit("new_customers", "4")
    for node_id in ("shanghai", "beijing"):
        hr.create(plan(rule, node_id=node_id, effective=date(2025, 2, 1), job_role=role, id=f"for-{node_id}"))
    company.settle()
    company.clock.advance(timedelta(minutes=1))
    hr.create(plan(rule, node_id="hq", effective=date(2025, 2, 1), job_role=role))
    company.settle()
    answer = explained(company, "unplanned", _DAY)
    assert (answer.plan_id, in_yuan(answer.line.amount)) == ("for-shanghai", "20.00")
    # Headquarters' plan was recorded after the one that pays: it overrode nothing.
    assert list(answer.plan_node_ids) == ["shanghai"]
    assert answer.person_node_ids[0] == "shanghai-sales"

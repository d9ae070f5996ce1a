"""What changes while a page is computed ahead of the lock is not lost or written over, and nothing is told twice."""

from collections.abc import Callable
from typing import Final

import pytest
from foothold.identity.v1 import directory_pb2
from sqlalchemy import text

from services.incentives.ahead import Ahead
from services.incentives.catalogue import Catalogue
from services.incentives.domain.plans import Plan
from services.incentives.domain.statements import Statement
from services.incentives.store.catalogue import enqueue
from services.incentives.wire.statements import encode_statement
from tests.incentives.company import TODAY, Company
from tests.incentives.plans import in_yuan, per_unit, plan

_ROLE: Final = "ahead"
_PEOPLE: Final = 12
_MEANWHILE: Final = {
    "nothing": "SELECT 1",
    "a fact came in": "UPDATE statement SET figures = '{\"new_customers\": 9}', goals_position = goals_position + 1"
    " WHERE person_id = 'ahead-05'",
    "a plan was agreed": "UPDATE calculation SET plans_version = plans_version + 1",
    "somebody moved": "UPDATE directory_position SET position = position + 1",
    "another process was faster": "UPDATE recompute SET after_person = 'ahead-03'",
}


@pytest.fixture(scope="module")
def people(company: Company) -> list[str]:
    found = [company.newcomer(f"ahead-{number:02}", job_role=_ROLE) for number in range(_PEOPLE)]
    company.settle()
    for person_id in found:
        company.figures(person_id, TODAY, new_customers=2)
    company.settle()
    company.as_("hr").create(plan(per_unit("new_customers", "50"), job_role=_ROLE, id="ahead-plan"))
    company.settle()
    return found


@pytest.mark.parametrize("meanwhile", _MEANWHILE.values(), ids=list(_MEANWHILE))
def test_whatever_changes_meanwhile(company: Company, people: list[str], meanwhile: str) -> None:
    company.server.stop(grace=1)
    last = _unpaid(company, people)
    ahead = Ahead(company.database, Catalogue(), company.clock, _once(company, meanwhile))
    assert ahead.work_off(lambda: None, lambda: False)
    with company.database.begin() as connection:
        if "directory_position" in meanwhile:
            # Identity never told it.
            connection.execute(text("UPDATE directory_position SET position = position - 1"))
        queued = list(connection.execute(text("SELECT node_id FROM recompute")).scalars())
    assert queued == (["ahead-05"] if "ahead-05" in meanwhile else [])
    company.server = company.serve()
    company.settle()
    hr = company.as_("hr")
    expected = dict.fromkeys(people, "100.00")
    if "ahead-05" in meanwhile:
        expected["ahead-05"] = "450.00"
    elif "ahead-03" in meanwhile:
        expected |= {each: "0.00" for each in people if each <= "ahead-03"}
    assert {each: in_yuan(hr.statement(each, TODAY).total) for each in people} == expected
    with company.database.read() as connection:
        query = text(
            "SELECT subject FROM outbox_event WHERE batch_id > :last AND kind = 'statement_changed'"
            " AND subject = ANY(:people) ORDER BY subject"
        )
        told = list(connection.execute(query, {"last": last, "people": people}).scalars())
    assert told == [each for each in people if expected[each] != "0.00"]


def test_a_page_is_not_taken_for_the_last_where_somebody_in_it_is_not_known_yet(
    company: Company, people: list[str]
) -> None:
    company.server.stop(grace=1)
    _unpaid(company, people)
    with company.database.begin() as connection:
        connection.execute(
            text(
                'INSERT INTO directory_node SELECT (jsonb_populate_record(node, \'{"id": "ahead-035"}\')).*'
                " FROM directory_node AS node WHERE id = 'ahead-03'"
            )
        )
    ahead = Ahead(company.database, Catalogue(), company.clock, _once(company, "SELECT 1"))
    ahead._people = 5  # so that the unknown one is not on the last page
    assert ahead.work_off(lambda: None, lambda: False)
    with company.database.begin() as connection:
        connection.execute(text("DELETE FROM directory_node WHERE id = 'ahead-035'"))
        paid = connection.execute(
            text(
                "SELECT count(DISTINCT person_id) FROM statement WHERE plan_id <> '' AND person_id = ANY(:people)"
            ),
            {"people": people},
        ).scalar_one()
    company.server = company.serve()
    company.settle()
    assert paid == len(people)


def test_where_nothing_comes_out_otherwise_the_queue_is_emptied_and_nothing_told(
    company: Company, people: list[str]
) -> None:
    assert people
    nobody = directory_pb2.Node(
        id="ahead-nobody", parent_id="beijing", kind=directory_pb2.NODE_KIND_DEPARTMENT, name="空"
    )
    company.tell(node_changed=nobody)
    with company.database.begin() as connection:
        enqueue(connection, [("hq", None)])
    company.settle()
    last = company.told_head()
    company.server.stop(grace=1)
    with company.database.begin() as connection:
        enqueue(connection, [("hq", None), (nobody.id, None)])
    ahead = Ahead(company.database, Catalogue(), company.clock, _once(company, "SELECT 1"))
    assert ahead.work_off(lambda: None, lambda: False)
    with company.database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM recompute")).scalar_one() == 0
    company.server = company.serve()
    company.settle()
    assert company.told_head() == last


def _unpaid(company: Company, people: list[str]) -> int:
    """Their statements as before there was a plan, and everybody in the queue; the last batch of events."""
    with company.database.begin() as connection:
        connection.execute(
            text(
                "UPDATE statement SET plan_id = '', total = 0, amounts = '{}', figures = '{\"new_customers\": 2}'"
                " WHERE person_id = ANY(:people)"
            ),
            {"people": people},
        )
        last: int = connection.execute(text("SELECT max(id) FROM outbox_batch")).scalar_one()
        enqueue(connection, [("hq", None)])
    return last


def _once(company: Company, statement: str) -> Callable[[Statement, Plan | None], bytes]:
    """Makes statements their events, and does something else the first time: that is after they were read."""
    left = [statement]

    def encode(told: Statement, plan: Plan | None) -> bytes:
        if told.person_id.startswith("ahead-") and left:
            with company.database.begin() as connection:
                connection.exec_driver_sql(left.pop())
        return encode_statement(told, plan, "CNY")

    return encode

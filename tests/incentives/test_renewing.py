"""A new plan for more people than are computed at a time: all of them, in periods that run and that are over."""

from datetime import date
from typing import Final

from sqlalchemy import text

from services.incentives.store.catalogue import enqueue
from tests.incentives.company import TODAY, Company
from tests.incentives.plans import S07, TREE, draw, per_unit, percent, plan

_ROLE: Final = "paged"
_SINCE: Final = date(2025, 2, 1)
_FEBRUARY: Final = date(2025, 2, 12)
_PEOPLE: Final = 230
"""More than a page."""


def test_pages_computed_side_by_side_are_what_they_are_in_turn(company: Company) -> None:
    people = [company.newcomer(f"paged-{number:03}", job_role=_ROLE) for number in range(_PEOPLE)]
    company.settle()
    for number, person_id in enumerate(people):
        figures = {"new_customers": number % 7, "customers_followed": 20, "deals_won": number % 11}
        company.figures(person_id, TODAY, **figures, revenue=number * 1_234_567)
        if number % 3 == 0:
            company.figures(person_id, _FEBRUARY, **figures)
    company.settle()
    last = _last(company)
    company.as_("hr").create(plan(S07[1], TREE, job_role=_ROLE, effective=_SINCE, id="paged"))
    company.settle()
    side_by_side, told = company.stored(), _told_after(company, last)
    months = {key: row for key, row in side_by_side.items() if key[0] in people and key[1] == 2}
    assert {key[0] for key in months if key[2] == "2025-03-01"} == set(people)
    assert {row[1] for row in months.values()} == {"paged"}
    assert sorted(subject for subject, _ in told) == sorted(person_id for person_id, _, _ in months)

    # A draw reads the months before: from now on everything is read before anything is written.
    company.as_("hr").create(
        plan(draw("1", 3, percent(50), per_unit("new_customers", "1")), job_role="drawing")
    )
    company.settle()
    last = _last(company)
    with company.database.begin() as connection:
        forget = "UPDATE statement SET plan_id = '', total = 0, amounts = '{}' WHERE person_id = ANY(:people)"
        connection.execute(text(forget), {"people": people})
        enqueue(connection, [("hq", _SINCE)])
    company.settle()
    assert company.stored() == side_by_side
    assert sorted(_told_after(company, last)) == sorted(told)


def _last(company: Company) -> int:
    with company.database.read() as connection:
        return int(connection.execute(text("SELECT max(id) FROM outbox_batch")).scalar_one())


def _told_after(company: Company, last: int) -> list[tuple[str, bytes]]:
    with company.database.read() as connection:
        query = text(
            "SELECT subject, payload FROM outbox_event WHERE batch_id > :last AND kind = 'statement_changed'"
            " ORDER BY batch_id, ordinal"
        )
        return [(row.subject, bytes(row.payload)) for row in connection.execute(query, {"last": last})]

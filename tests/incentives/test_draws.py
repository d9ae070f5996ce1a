"""A recoverable draw: what is advanced in the first months is paid back from what is earned later, to the cent."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from fractions import Fraction
from itertools import count as numbers
from math import floor

import pytest
from foothold.identity.v1 import directory_pb2
from foothold.incentives.v1 import plans_pb2, simulation_pb2, statements_pb2, whatif_pb2
from google.type import date_pb2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.incentives.company import NOW, Client, Company, eventually, on, person, reason_of, request_id
from tests.incentives.plans import draw, in_yuan, per_unit, percent, plan

JANUARY, FEBRUARY, MARCH, APRIL, MAY = (date(2025, month, 12) for month in range(1, 6))
MONTHS = (JANUARY, FEBRUARY, MARCH, APRIL, MAY)
_names = numbers(1)


@pytest.fixture(scope="module", autouse=True)
def agreed(company: Company) -> None:
    """100 a customer, in the first three months at least 3,000 as an advance; half of what is above pays it back."""
    company.as_("hr").create(plan(_DRAW, job_role="drawer"))


@pytest.fixture(autouse=True)
def may(company: Company) -> Iterator[None]:
    company.clock.set(datetime.combine(MAY, NOW.timetz()))
    yield
    company.clock.set(NOW)


_DRAW = draw("3000", 3, percent(50), per_unit("new_customers", "100"))


class Newcomer:
    """Somebody hired in January, in a branch of their own."""

    def __init__(self, company: Company, hired: date | None = date(2025, 1, 1)) -> None:
        self.company = company
        self.name = f"drawer-{next(_names)}"
        branch = directory_pb2.Node(
            id=f"branch-{self.name}", parent_id="hq", kind=directory_pb2.NODE_KIND_BRANCH, name=self.name
        )
        company.tell(node_changed=branch)
        company.newcomer(self.name, branch.id, "drawer")
        told = person(self.name, branch.id, "drawer")
        if hired is not None:
            told.hire_date.CopyFrom(on(hired))
        company.tell(person_changed=told)
        company.settle()

    @property
    def client(self) -> Client:
        return self.company.as_(self.name)

    def sells(self, day: date, customers: int, *, settle: bool = True) -> None:
        self.company.figures(self.name, day, new_customers=customers)
        if settle:
            self.company.settle()

    def statement(self, day: date) -> statements_pb2.Statement:
        return self.client.statement(day=day)

    def draws(self, *days: date) -> list[str]:
        return [in_yuan(self.statement(day).lines[0].amount) for day in days or MONTHS]

    def due(self, day: date) -> int:
        money = self.statement(day).due
        return int(money.units * 100 + money.nanos // 10_000_000)

    def close(self, day: date) -> None:
        self.company.as_("hr").close(f"branch-{self.name}", day)


def test_what_is_advanced_comes_back_from_what_is_earned_above(company: Company) -> None:
    someone = Newcomer(company)
    for day, customers in zip(MONTHS, (10, 40, 30, 25, 50), strict=True):
        someone.sells(day, customers)
    # 2,000 are missing in January. In February 1,000 are above 3,000, in March nothing; from April on half of all.
    assert someone.draws() == ["2000.00", "-500.00", "0.00", "-1250.00", "-250.00"]
    assert sum(someone.due(day) for day in MONTHS) == 155 * 100_00
    owed = someone.client.explain("draw", day=APRIL)
    assert [(each.metric, each.value.numerator) for each in owed.inputs] == [
        ("tenure_month", 4),
        ("drawn:draw", 1_500_00),
    ]


def test_late_facts_move_every_later_month(company: Company) -> None:
    someone = Newcomer(company)
    for day, customers in zip(MONTHS, (10, 40, 30, 25, 50), strict=True):
        someone.sells(day, customers)
    someone.sells(JANUARY, 29)
    assert someone.draws() == ["100.00", "-100.00", "0.00", "0.00", "0.00"]
    someone.sells(JANUARY, 0)
    assert someone.draws() == ["3000.00", "-500.00", "0.00", "-1250.00", "-1250.00"]


def test_months_without_a_fact_are_advanced_and_owed_as_well(company: Company) -> None:
    someone = Newcomer(company)
    someone.sells(MARCH, 20)
    someone.sells(MAY, 200)
    assert someone.draws() == ["3000.00", "3000.00", "1000.00", "0.00", "-7000.00"]
    # What could be earned more is reckoned with what is owed.
    asked = whatif_pb2.TryChangesRequest(person_id=someone.name, changes=whatif_pb2.Changes(new_customers=1))
    assert in_yuan(someone.client.what_if.TryChanges(asked).after) == "13100.00"
    other = Newcomer(company)
    tried = whatif_pb2.TryChangesRequest(person_id=other.name, changes=whatif_pb2.Changes(new_customers=10))
    assert in_yuan(other.client.what_if.TryChanges(tried).after) == "500.00", "half of 1,000 pays 9,000 back"


def test_closed_months_are_adjusted_and_over_all_the_same_is_paid(company: Company) -> None:
    someone = Newcomer(company)
    for day, customers in zip(MONTHS[:3], (10, 40, 30), strict=True):
        someone.sells(day, customers)
    for day in MONTHS[:3]:
        someone.close(day)
    frozen = [someone.statement(day) for day in MONTHS[:3]]
    someone.sells(JANUARY, 29)
    assert [someone.statement(day) for day in MONTHS[:3]] == frozen
    adjusted = {
        (each.corrects.first_day.month, each.rule_id): in_yuan(each.amount)
        for each in someone.statement(MAY).adjustments
    }
    assert adjusted == {(1, "unit"): "1900.00", (1, "draw"): "-1900.00", (2, "draw"): "400.00"}
    someone.sells(APRIL, 5)
    assert sum(someone.due(day) for day in MONTHS) == (29 + 40 + 30 + 5) * 100_00


def test_without_a_day_of_hiring_nothing_is_advanced(company: Company) -> None:
    someone = Newcomer(company, hired=None)
    someone.sells(MAY, 3)
    assert someone.draws(MAY) == ["0.00"]


def test_a_plan_without_the_draw_forgives_what_is_left(company: Company) -> None:
    role = f"forgiven-{next(_names)}"
    company.as_("hr").create(plan(_DRAW, job_role=role))
    company.as_("hr").create(
        plan(per_unit("new_customers", "100"), job_role=role, effective=date(2025, 4, 1))
    )
    again = draw("1", 1, percent(100), per_unit("new_customers", "100"))
    company.as_("hr").create(plan(again, job_role=role, effective=date(2025, 5, 1)))
    someone = Newcomer(company)
    told = person(someone.name, f"branch-{someone.name}", role)
    told.hire_date.CopyFrom(on(date(2025, 1, 1)))
    company.tell(person_changed=told)
    company.settle()
    for day in MONTHS:
        someone.sells(day, 10)
    assert in_yuan(someone.statement(APRIL).total) == "1000.00"
    assert in_yuan(someone.statement(MAY).total) == "1000.00"


def test_a_simulation_of_the_plan_itself_pays_what_was_paid_and_another_carries_its_own(
    company: Company,
) -> None:
    someone = Newcomer(company)
    for day, customers in zip(MONTHS[:4], (10, 40, 30, 25), strict=True):
        someone.sells(day, customers)
    for begin, months in ((JANUARY, 4), (MARCH, 2)):
        (same, whole) = _simulated(
            someone, begin, months, _DRAW, draw("3000", 3, percent(100), _DRAW.draw.rules[0])
        )
        paid = [MONTHS[index] for index in range(MONTHS.index(begin), MONTHS.index(begin) + months)]
        assert same == sum(someone.due(day) for day in paid)
        # All of what is above pays back: 1,000 in February, the rest in April; what was owed in March is what was.
        assert whole == (105_00_00 if months == 4 else 55_00_00 - 1_500_00)


def _simulated(someone: Newcomer, first: date, months: int, *rules: plans_pb2.Rule) -> list[int]:
    """What each of two plans would have paid."""
    simulations = someone.company.as_("hr").simulations
    started = simulations.StartSimulation(
        simulation_pb2.StartSimulationRequest(
            request_id=request_id(),
            name="预支",
            node_id=f"branch-{someone.name}",
            first_month=date_pb2.Date(year=first.year, month=first.month, day=1),
            months=months,
            plans=[plan(rule, job_role="drawer") for rule in rules],
        )
    ).simulation
    asked = simulation_pb2.GetSimulationRequest(simulation_id=started.id)
    done = simulation_pb2.Simulation.STATE_DONE
    eventually(lambda: simulations.GetSimulation(asked).simulation.state == done)
    found = simulations.GetSimulation(asked)
    return [each.units * 100 + each.nanos // 10_000_000 for each in found.result.sums.simulated]


@pytest.mark.parametrize(
    ("spoilt", "reason", "field"),
    [
        (draw("0", 3, percent(50), per_unit("new_customers", "1")), "PLAN_INVALID", "draw.amount"),
        (draw("1", 0, percent(50), per_unit("new_customers", "1")), "PLAN_INVALID", "draw.months"),
        (
            draw("1", 3, percent(0), per_unit("new_customers", "1")),
            "VALUE_INVALID",
            "draw.recovery.numerator",
        ),
        (
            draw("1", 3, percent(101), per_unit("new_customers", "1")),
            "VALUE_INVALID",
            "draw.recovery.numerator",
        ),
        (draw("1", 3, percent(50)), "PLAN_INVALID", "draw.rules"),
    ],
)
def test_a_draw_that_makes_no_sense_is_refused(
    company: Company, spoilt: plans_pb2.Rule, reason: str, field: str
) -> None:
    checked = company.as_("hr").plans.CheckPlan(
        plans_pb2.CheckPlanRequest(plan=plan(spoilt, job_role="none"))
    )
    assert (reason, f"rules[0].{field}") in {(each.code, each.field) for each in checked.findings}
    assert reason_of(lambda: company.as_("hr").propose(plan(spoilt, job_role="none"))) == reason


_STEPS = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 60)) | st.tuples(st.just(-1), st.integers(0, 3)),
    min_size=3,
    max_size=7,
)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_STEPS)
def test_whatever_comes_when_and_is_closed_when_the_same_is_paid_over_all(
    company: Company, steps: list[tuple[int, int]]
) -> None:
    """Against a chain of months worked out by hand."""
    someone = Newcomer(company)
    sold = dict.fromkeys(MONTHS, 0)
    for month, number in steps:
        if month < 0:
            someone.close(MONTHS[number])
        else:
            sold[MONTHS[month]] = number
            someone.sells(MONTHS[month], number)
    owed, paid = Fraction(0), Fraction(0)
    for index, day in enumerate(MONTHS):
        earned, least = Fraction(sold[day] * 100_00), Fraction(3_000_00 if index < 3 else 0)
        back = min(owed, Fraction(floor(max(earned - least, Fraction(0)) / 2 + Fraction(1, 2))))
        advance = max(least - earned, Fraction(0))
        owed += advance - back
        paid += earned + advance - back
    assert sum(someone.due(day) for day in MONTHS) == paid


def test_a_month_later_nothing_has_to_be_told_for_what_is_owed_to_be_right(company: Company) -> None:
    someone = Newcomer(company)
    someone.sells(MAY, 100)
    company.clock.advance(timedelta(days=31))
    assert in_yuan(someone.statement(date(2025, 6, 12)).total) == "0.00"
    someone.sells(date(2025, 6, 12), 100)
    # 9,000 were advanced; half of 10,000 came back in May.
    assert someone.draws(date(2025, 6, 12)) == ["-4000.00"]

"""A plan tried on what happened: what it would have cost, and whom it would have paid more or less."""

from datetime import date, timedelta

import pytest
from foothold.identity.v1 import directory_pb2
from foothold.incentives.v1 import plans_pb2, simulation_pb2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.incentives.simulating import Simulator
from tests.incentives.company import NOW, Client, Company, eventually, on, refusal, request_id
from tests.incentives.plans import S25, in_yuan, per_unit, plan, ranking_prize

JANUARY, FEBRUARY, MARCH = date(2025, 1, 8), date(2025, 2, 12), date(2025, 3, 12)
_numbers = iter(range(10_000))
_STATES = simulation_pb2.Simulation
_MANY = 203
# What a database that goes away in the middle looks like to whoever counts: nothing beyond the first people is kept.
_FAIL = """
CREATE OR REPLACE FUNCTION cut_off() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the power went out';
END $$
"""
_FAILS = """
CREATE TRIGGER cut_off BEFORE UPDATE ON simulation FOR EACH ROW
WHEN (OLD.done > 0 AND NEW.done > OLD.done OR OLD.ranked > 0 AND NEW.ranked > OLD.ranked) EXECUTE FUNCTION cut_off()
"""


class Branch:
    """A branch of its own with a job role of its own."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.id = f"tried-{next(_numbers)}"
        self.role = self.id
        company.tell(
            node_changed=directory_pb2.Node(
                id=self.id, parent_id="hq", kind=directory_pb2.NODE_KIND_BRANCH, name=self.id
            )
        )
        self.hr = company.as_("hr")

    def person(self, name: str) -> str:
        return self.company.newcomer(f"{self.id}-{name}", self.id, self.role)

    def plan(self, *rules: plans_pb2.Rule, id: str = "") -> plans_pb2.Plan:
        return plan(*rules, job_role=self.role, id=id)

    def start(self, *plans: plans_pb2.Plan, months: int = 2, by: Client | None = None) -> str:
        asked = simulation_pb2.StartSimulationRequest(
            request_id=request_id(),
            name="试算",
            node_id=self.id,
            first_month=on(JANUARY),
            months=months,
            plans=plans,
        )
        return (by or self.hr).simulations.StartSimulation(asked).simulation.id

    def get(self, simulation_id: str) -> simulation_pb2.GetSimulationResponse:
        return self.hr.simulations.GetSimulation(
            simulation_pb2.GetSimulationRequest(simulation_id=simulation_id)
        )

    def tried(self, *plans: plans_pb2.Plan, months: int = 2) -> simulation_pb2.GetSimulationResponse:
        simulation_id = self.start(*plans, months=months)
        eventually(lambda: self.get(simulation_id).simulation.state == _STATES.STATE_DONE)
        return self.get(simulation_id)

    def people(
        self, simulation_id: str, order: int = 0, plan: int = 0, size: int = 0
    ) -> list[simulation_pb2.SimulatedPerson]:
        found: list[simulation_pb2.SimulatedPerson] = []
        token = ""
        while True:
            asked = simulation_pb2.ListSimulatedPeopleRequest(
                simulation_id=simulation_id,
                order=order,  # type: ignore[arg-type]
                plan=plan,
                page_size=size,
                page_token=token,
            )
            answer = self.hr.simulations.ListSimulatedPeople(asked)
            found += answer.people
            token = answer.next_page_token
            if not token:
                return found


@pytest.fixture
def branch(company: Company) -> Branch:
    company.clock.set(NOW + timedelta(hours=next(_numbers)))
    made = Branch(company)
    company.settle()
    return made


def two_people(branch: Branch) -> tuple[str, str]:
    """Li brings 2 new customers in January and 4 in February, Wang 6 in February; 50 each is paid."""
    li, wang = branch.person("li"), branch.person("wang")
    branch.company.settle()
    branch.hr.create(branch.plan(per_unit("new_customers", "50"), id=f"{branch.id}-plan"))
    branch.company.figures(li, JANUARY, new_customers=2)
    branch.company.figures(li, FEBRUARY, new_customers=4, deals_won=3, customers_followed=20)
    branch.company.figures(wang, FEBRUARY, new_customers=6, deals_won=1, customers_followed=20)
    branch.company.settle()
    return li, wang


def test_two_plans_side_by_side_against_what_was_paid(branch: Branch) -> None:
    li, wang = two_people(branch)
    answer = branch.tried(branch.plan(per_unit("new_customers", "60")), branch.plan(S25))
    sums = answer.result.sums
    assert (in_yuan(sums.paid), list(map(in_yuan, sums.simulated)), sums.people) == (
        "600.00",
        ["720.00", "2000.00"],
        2,
    )
    assert [(each.first_day.month, in_yuan(each.sums.paid)) for each in answer.result.months] == [
        (1, "100.00"),
        (2, "500.00"),
    ]
    assert [each.node_id for each in answer.result.branches] == [branch.id]
    more, tiers = answer.result.plans
    assert (more.winners, in_yuan(more.won), more.losers, more.same) == (2, "120.00", 0, 0)
    # 15 % ends in the third tier, 5 % in the first; January's close rate has no data.
    assert list(tiers.rules[0].tiers) == [1, 0, 1]
    assert [(each.person_id, each.gain.units) for each in branch.people(answer.simulation.id, 1, 1)] == [
        (li, 1700)
    ]
    assert [(each.person_id, each.gain.units) for each in branch.people(answer.simulation.id, 2, 1)] == [
        (wang, -300)
    ]
    assert [each.person_id for each in branch.people(answer.simulation.id, 1, 0, 1)] == [wang, li]
    assert len(answer.simulation.digest) == 64


@settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)
@given(st.lists(st.tuples(st.sampled_from([JANUARY, FEBRUARY]), st.integers(0, 30)), min_size=1, max_size=5))
def test_the_plan_in_force_simulated_over_closed_months_is_what_was_paid(
    company: Company, told: list[tuple[date, int]]
) -> None:
    branch = Branch(company)
    person, other = branch.person("any"), branch.person("other")
    company.settle()
    prize = ranking_prize("new_customers", "1000", "400")
    branch.hr.create(branch.plan(per_unit("new_customers", "50"), S25, prize, id=f"{branch.id}-plan"))
    company.figures(other, FEBRUARY, new_customers=9)
    for day, number in told:
        company.figures(person, day, new_customers=number, deals_won=number % 7, customers_followed=20)
    company.settle()
    for day in (JANUARY, FEBRUARY):
        branch.hr.close(branch.id, day)
    # What comes later is an adjustment, and no part of what these months paid.
    company.figures(person, JANUARY, new_customers=99)
    company.settle()
    paid = sum(branch.hr.period(branch.id, day).total.units for day in (JANUARY, FEBRUARY))
    sums = branch.tried(plans_pb2.Plan(id=f"{branch.id}-plan")).result.sums
    assert (sums.paid, sums.paid.units) == (sums.simulated[0], paid)


def test_it_says_when_the_data_has_moved_on(branch: Branch) -> None:
    li, _ = two_people(branch)
    answer = branch.tried(branch.plan(per_unit("new_customers", "60")))
    assert not answer.simulation.moved_on
    branch.company.clock.advance(timedelta(minutes=1))
    branch.company.figures(li, MARCH, new_customers=9)
    branch.company.settle()
    assert not branch.get(answer.simulation.id).simulation.moved_on
    branch.company.figures(li, FEBRUARY, new_customers=9)
    branch.company.settle()
    after = branch.get(answer.simulation.id)
    assert after.simulation.moved_on
    assert after.result == answer.result


def test_a_plan_pays_below_its_node_only(branch: Branch) -> None:
    two_people(branch)
    own = plan(per_unit("new_customers", "80"), node_id=branch.id, job_role=branch.role)
    own.reason = "本地"
    branch.company.clock.advance(timedelta(minutes=1))
    answer = branch.tried(own, branch.plan(per_unit("new_customers", "10")))
    assert list(map(in_yuan, answer.result.sums.simulated)) == ["960.00", "120.00"]
    elsewhere = plan(per_unit("new_customers", "80"), node_id="beijing", job_role=branch.role)
    assert branch.tried(elsewhere).result.sums.simulated[0].units == 600


@pytest.mark.parametrize("prizes", [(), ("900", "300", "100")], ids=["without ranks", "while ranking"])
def test_a_restart_goes_on_where_it_was_and_counts_nobody_twice(
    branch: Branch, prizes: tuple[str, ...]
) -> None:
    # More than are counted in one transaction; only those at the ends did anything.
    people = [branch.person(f"many-{number:03}") for number in range(_MANY)]
    for person in (people[0], people[-1]):
        branch.company.figures(person, FEBRUARY, new_customers=3)
    branch.company.settle()
    rules = [ranking_prize("new_customers", *prizes)] if prizes else []
    tried = branch.plan(per_unit("new_customers", "60"), *rules)
    whole = branch.tried(tried)
    # Both have three: they are level, and share the first two prizes.
    assert whole.result.sums.simulated[0].units == 360 + (1200 if prizes else 0)
    assert whole.simulation.people_ranked == whole.simulation.people_to_rank == (_MANY if prizes else 0)
    with branch.company.database.begin() as connection:
        connection.exec_driver_sql(_FAIL)
        connection.exec_driver_sql(_FAILS)
    simulation_id = branch.start(tried)
    eventually(lambda: _far(branch.get(simulation_id).simulation) > 0)
    assert 0 < _far(branch.get(simulation_id).simulation) < _MANY
    assert branch.get(simulation_id).simulation.state == _STATES.STATE_RUNNING
    branch.company.server.stop(grace=1)
    with branch.company.database.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER cut_off ON simulation")
    branch.company.server = branch.company.serve()
    branch.hr = branch.company.as_("hr")
    eventually(lambda: branch.get(simulation_id).simulation.state == _STATES.STATE_DONE)
    assert branch.get(simulation_id).result == whole.result
    assert branch.get(simulation_id).simulation.digest == whole.simulation.digest


def _far(simulation: simulation_pb2.Simulation) -> int:
    return simulation.people_ranked if simulation.people_to_rank else simulation.people_done


def test_prizes_go_to_whom_the_plan_would_have_paid(branch: Branch) -> None:
    li, wang = two_people(branch)
    prize = ranking_prize("new_customers", "1000", "500")
    dear = branch.plan(prize)
    # In February the contest is held; one that is still to come is tried in both months.
    held = branch.plan(
        ranking_prize("new_customers", "90", dates=(date(2025, 2, 1), date(2025, 3, 1)), id="held"),
        ranking_prize("new_customers", "7", dates=(date(2025, 7, 1), None), id="to-come"),
        ranking_prize("new_customers", "2", dates=(None, date(2025, 1, 1)), id="over"),
    )
    answer = branch.tried(dear, held)
    assert [list(map(in_yuan, each.sums.simulated)) for each in answer.result.months] == [
        ["1000.00", "9.00"],
        ["1500.00", "99.00"],
    ]
    both = {
        each.person_id: list(map(in_yuan, each.simulated)) for each in branch.people(answer.simulation.id)
    }
    assert both == {li: ["1500.00", "9.00"], wang: ["1000.00", "99.00"]}
    assert [(each.statements, in_yuan(each.amount)) for each in answer.result.plans[0].rules] == [
        (3, "2500.00")
    ]


def test_who_is_paid_by_a_nearer_plan_competes_for_nothing(branch: Branch) -> None:
    _, wang = two_people(branch)
    own = plan(per_unit("new_customers", "80"), node_id=branch.id, job_role=branch.role)
    own.reason = "本地"
    branch.hr.create(own)
    branch.company.figures(wang, MARCH, new_customers=8)
    branch.company.settle()
    above = branch.plan(ranking_prize("new_customers", "1000"))
    below = plan(
        ranking_prize("new_customers", "1000"), node_id=branch.id, job_role=branch.role, reason="本地"
    )
    sums = branch.tried(above, below, months=3).result.months[-1].sums
    assert list(map(in_yuan, sums.simulated)) == [in_yuan(sums.paid), "1000.00"]


def test_one_that_is_stopped_stays_stopped(branch: Branch) -> None:
    two_people(branch)
    tried = branch.plan(per_unit("new_customers", "60"))
    done = branch.tried(tried).simulation.id

    def cancel(simulation_id: str) -> simulation_pb2.Simulation:
        asked = simulation_pb2.CancelSimulationRequest(request_id=request_id(), simulation_id=simulation_id)
        return branch.hr.simulations.CancelSimulation(asked).simulation

    assert refusal(lambda: cancel(done)) == ("FAILED_PRECONDITION", "SIMULATION_ENDED")
    assert refusal(lambda: cancel("no-such")) == ("NOT_FOUND", "SIMULATION_UNKNOWN")
    (simulator,) = (each for each in branch.company.server._service.background if isinstance(each, Simulator))
    simulator.stop()
    waiting = branch.start(tried)
    assert cancel(waiting).state == _STATES.STATE_CANCELLED
    simulator.start()
    assert cancel(waiting).state == _STATES.STATE_CANCELLED
    later = branch.tried(tried)
    assert later.result.sums.people == 2
    assert branch.get(waiting).simulation.state == _STATES.STATE_CANCELLED


def test_a_branch_sees_its_own_only(branch: Branch) -> None:
    done = branch.tried(branch.plan(per_unit("new_customers", "60"))).simulation.id
    theirs = branch.company.as_("shanghai-hr").simulations
    asked = simulation_pb2.GetSimulationRequest(simulation_id=done)
    assert refusal(lambda: theirs.GetSimulation(asked)) == ("NOT_FOUND", "SIMULATION_UNKNOWN")
    listed = theirs.ListSimulations(simulation_pb2.ListSimulationsRequest(page_size=1000)).simulations
    assert done not in {each.id for each in listed}
    ours = branch.hr.simulations.ListSimulations(simulation_pb2.ListSimulationsRequest()).simulations
    assert done in {each.id for each in ours}


def test_months_to_come_and_plans_that_are_refused(branch: Branch) -> None:
    good = branch.plan(per_unit("new_customers", "60"))
    assert refusal(lambda: branch.start(good, months=4)) == ("INVALID_ARGUMENT", "FIELD_INVALID")
    assert refusal(branch.start) == ("INVALID_ARGUMENT", "FIELD_INVALID")
    assert refusal(lambda: branch.start(branch.plan())) == ("INVALID_ARGUMENT", "PLAN_INVALID")
    assert refusal(lambda: branch.start(plans_pb2.Plan(id="no-such"))) == ("NOT_FOUND", "PLAN_UNKNOWN")

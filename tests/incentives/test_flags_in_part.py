"""What rests on a flag's facts waits; the rest of the payout is paid, and the part once the flag lets go."""

from collections.abc import Iterator

import pytest
from foothold.incentives.v1 import closing_pb2, payouts_pb2

from tests.incentives import plans
from tests.incentives.company import NOW, Company, eventually
from tests.incentives.plans import per_unit, percent, plan, rate_of
from tests.incentives.test_fair_play import flag, states
from tests.incentives.test_held_deals import booked, deals, hold, parts, release
from tests.incentives.test_payouts import FEBRUARY, Branch


@pytest.fixture(scope="module", autouse=True)
def agreed(company: Company) -> None:
    """4 % of what is sold, 50 for every new customer, and 300 more from five deals on."""
    more = plans.bonus("deals_won", plans.count(5), "300", id="five")
    rules = (rate_of("revenue", percent(4)), per_unit("new_customers", "50"), more)
    company.as_("hr").create(plan(*rules, job_role="payee"))


@pytest.fixture(autouse=True)
def open_again(company: Company) -> Iterator[None]:
    yield
    company.peers.goals.open = True
    company.clock.set(NOW)


@pytest.fixture
def branch(company: Company) -> Branch:
    """February: five deals of 1,000, D-0 to D-4, and six new customers, of each of three people."""
    made = Branch(company)
    for each in made.people:
        deals(company, each, *[1_000] * 5)
        company.figures(each, FEBRUARY, revenue=500_000, deals_won=5, new_customers=6)
    company.settle()
    return made


def raised(branch: Branch, number: int = 0, state: str = "OPEN", flag_id: str = "", **figures: int) -> str:
    """A flag of February, and what its facts count for."""
    flag_id = flag_id or f"part-{branch.id}-{number}-{len(figures)}-{sum(figures.values())}"
    branch.company.peers.goals.flagged(branch.people[number], flag_id, **figures)
    return flag(branch, number, state, flag_id)


def payout(branch: Branch, number: int = 0) -> payouts_pb2.Payout:
    return branch.listed().payouts[number]


WHOLE = {"share": "200.00", "unit": "300.00", "five": "300.00"}


def test_the_rest_is_paid_and_what_the_flag_kept_once_it_is_dismissed(branch: Branch) -> None:
    branch.close()
    doubted = raised(branch, new_customers=2)
    kept = payout(branch)
    assert (states(branch)[0], kept.flag_id) == ("CLOSED", ""), "the payout itself is not held back"
    assert parts(kept.held_lines) == {"unit": "100.00"}
    assert [(each.flag_id, each.rule) for each in kept.held_flags] == [(doubted, "burst")]
    own = branch.as_(branch.people[0]).statement(day=FEBRUARY)
    assert [each.rule for each in own.frozen.held_flags] == ["burst"], "the person reads why"
    assert parts(own.frozen.held_lines) == {"unit": "100.00"}
    branch.approve()
    first = branch.batch()
    assert booked(branch, first) == {**WHOLE, "unit": "200.00"}

    raised(branch, state="DISMISSED", flag_id=doubted, new_customers=2)
    assert not payout(branch).held_flags
    assert not payout(branch).held_lines
    assert booked(branch, branch.batch()) == {"unit": "100.00"}


def test_told_before_the_period_is_closed_it_keeps_its_part_from_then_on(branch: Branch) -> None:
    raised(branch, new_customers=1)
    raised(branch, 1, deals_won=1, revenue=100_000)
    assert not branch.as_(branch.people[0]).statement(day=FEBRUARY).HasField("frozen")
    branch.close()
    branch.company.settle()
    assert [parts(each.held_lines) for each in branch.listed().payouts] == [
        {"unit": "50.00"},
        {"share": "40.00", "five": "300.00"},
        {},
    ]
    assert branch.approve().approved == 3


def test_a_flag_whose_facts_are_paid_nothing_for_keeps_nothing(branch: Branch) -> None:
    branch.close()
    raised(branch, calls_made=7)
    assert not payout(branch).held_lines
    assert payout(branch).held_flags, "it is told all the same"
    branch.approve()
    assert booked(branch, branch.batch()) == WHOLE


def test_flags_and_deals_keep_what_they_keep_together(branch: Branch) -> None:
    branch.close()
    doubted = raised(branch, new_customers=2)
    assert parts(hold(branch, 0).held_lines) == {"share": "40.00", "unit": "100.00", "five": "300.00"}
    other = raised(branch, deals_won=1)
    assert parts(payout(branch).held_lines) == {"share": "40.00", "unit": "100.00", "five": "300.00"}
    assert parts(release(branch, 0).held_lines) == {"unit": "100.00", "five": "300.00"}
    raised(branch, state="CORRECTED", flag_id=doubted, new_customers=2)
    assert parts(payout(branch).held_lines) == {"five": "300.00"}
    raised(branch, state="CONFIRMED", flag_id=other, deals_won=1)
    assert parts(payout(branch).held_lines) == {"five": "300.00"}, "confirmed it goes on"


def test_while_goals_does_not_answer_the_whole_payout_waits(branch: Branch) -> None:
    raised(branch, new_customers=1)
    branch.company.peers.goals.open = False
    branch.close()
    assert (states(branch)[0], payout(branch).flag_rule) == ("HELD", "burst")
    assert branch.approve().approved == 2
    branch.company.peers.goals.open = True
    eventually(lambda: states(branch)[0] == "CLOSED")
    assert parts(payout(branch).held_lines) == {"unit": "50.00"}


def test_where_goals_does_not_find_the_frozen_figures_the_whole_payout_waits(branch: Branch) -> None:
    branch.close()
    branch.company.figures(branch.people[0], FEBRUARY, revenue=500_000, deals_won=5, new_customers=9)
    branch.company.settle()
    raised(branch, new_customers=1)
    assert (states(branch)[0], payout(branch).flag_rule, parts(payout(branch).held_lines)) == (
        "HELD",
        "burst",
        {},
    )
    assert payout(branch).due.units == 800


def test_somebody_releases_what_flags_keep_also_once_the_rest_is_in_a_batch(branch: Branch) -> None:
    branch.close()
    doubted = raised(branch, new_customers=2)
    branch.approve()
    branch.batch()
    branch.release(0)
    branch.company.settle()
    assert not payout(branch).held_flags
    raised(branch, state="OPEN", flag_id=doubted, new_customers=2)
    assert not payout(branch).held_lines, "what a person released stays released"
    assert booked(branch, branch.batch()) == {"unit": "100.00"}


def test_a_restart_loses_no_look(branch: Branch) -> None:
    raised(branch, new_customers=3)
    branch.company.peers.goals.open = False
    branch.close()
    branch.company.server.stop(grace=1)
    branch.company.peers.goals.open = True
    branch.company.server = branch.company.serve()
    branch.company.settle()
    assert parts(payout(branch).held_lines) == {"unit": "150.00"}
    state = branch.as_(branch.people[0]).statement(day=FEBRUARY).state
    assert state == closing_pb2.STATEMENT_STATE_CLOSED

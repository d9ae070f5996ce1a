"""What goals flags is held back, by itself and with its rule; answering the flag lets it go, or a person does."""

from collections.abc import Iterator
from datetime import date
from itertools import count

import pytest
from foothold.goals.v1 import fairness_pb2
from foothold.goals.v1 import feed_pb2 as goals_pb2
from foothold.incentives.v1 import closing_pb2, payouts_pb2
from hypothesis import given
from hypothesis import strategies as st

from services.incentives.domain.flags import FlagTold
from services.incentives.domain.periods import PeriodKind
from tests.incentives.company import NOW, Company, on, reason_of, request_id
from tests.incentives.plans import MONTH, percent, plan, rate_of
from tests.incentives.test_payouts import FEBRUARY, Branch

_flags = count(1)


@pytest.fixture(scope="module", autouse=True)
def agreed(company: Company) -> None:
    company.as_("hr").create(plan(rate_of("revenue", percent(4)), job_role="payee"))


@pytest.fixture
def branch(company: Company) -> Iterator[Branch]:
    """February is closed and approved: everybody sold for 1,000."""
    made = Branch(company)
    for number in range(3):
        made.sold(number, 1_000)
    yield made
    company.clock.set(NOW)


def flag(
    branch: Branch, number: int, state: str, flag_id: str = "", days: tuple[date, date] | None = None
) -> str:
    """Goals tells of a flag of somebody's."""
    first, last = days or (FEBRUARY, FEBRUARY)
    told = fairness_pb2.FlagChanged(
        flag_id=flag_id or f"flag-{next(_flags)}",
        person_id=branch.people[number],
        kind=fairness_pb2.FAIRNESS_KIND_BURST,
        first_day=on(first),
        last_day=on(last),
        state=fairness_pb2.FlagState.Value(f"FLAG_STATE_{state}"),
    )
    event = goals_pb2.Event(flag_changed=told)
    event.occurred_at.FromDatetime(NOW)
    branch.company.peers.goals.tell(event)
    branch.company.settle()
    return told.flag_id


def states(branch: Branch) -> list[str]:
    return [payouts_pb2.Payout.State.Name(each.state)[6:] for each in branch.listed().payouts]


def test_an_open_flag_holds_back_what_is_due_with_its_rule_and_is_in_no_batch(branch: Branch) -> None:
    raised = flag(branch, 0, "OPEN")
    branch.close()
    held = branch.listed().payouts[0]
    assert (held.flag_id, held.flag_rule, held.hold_reason) == (raised, "burst", "")
    assert states(branch) == ["HELD", "CLOSED", "CLOSED"]
    assert branch.approve().approved == 2
    flag(branch, 1, "OPEN")
    assert states(branch) == ["HELD", "HELD", "APPROVED"], "approved already, and held back all the same"
    listed = branch.listed()
    assert (listed.held, listed.waiting, listed.approved) == (2, 0, 1)
    batch = branch.batch()
    assert (batch.people, batch.total.units) == (1, 40)
    own = branch.as_(branch.people[1]).statement(day=FEBRUARY)
    assert (own.frozen.flag_rule, own.state) == ("burst", closing_pb2.STATEMENT_STATE_CLOSED)


def test_a_dismissed_or_corrected_flag_lets_go_by_itself_a_confirmed_one_does_not(branch: Branch) -> None:
    branch.close()
    flags = [flag(branch, number, "OPEN") for number in range(3)]
    assert states(branch) == ["HELD"] * 3
    for number, state in enumerate(("DISMISSED", "CORRECTED", "CONFIRMED")):
        flag(branch, number, state, flags[number])
    assert states(branch) == ["CLOSED", "CLOSED", "HELD"]
    branch.release(2)
    assert states(branch) == ["CLOSED"] * 3
    flag(branch, 2, "CONFIRMED", flags[2])
    assert states(branch) == ["CLOSED"] * 3, "what a person released stays released"
    branch.approve()
    assert branch.batch().people == 3


def test_a_persons_hold_goes_before_a_flag_and_one_release_is_of_both(branch: Branch) -> None:
    branch.close()
    flag(branch, 0, "OPEN")
    flag(branch, 0, "OPEN")
    assert branch.hold(0).hold_reason == "客户重复"
    assert branch.listed().payouts[0].flag_id == ""
    assert branch.listed().held == 1
    released = branch.release(0)
    assert payouts_pb2.Payout.State.Name(released.state) == "STATE_CLOSED"
    assert reason_of(lambda: branch.release(0)) == "PAYOUT_HOLD"


def test_a_flag_of_other_days_or_what_is_in_a_batch_is_not_held(branch: Branch) -> None:
    branch.close()
    branch.approve()
    flag(branch, 0, "OPEN", days=(date(2025, 3, 1), date(2025, 3, 2)))
    flag(branch, 1, "OPEN", days=(date(2025, 1, 30), date(2025, 1, 31)))
    assert states(branch) == ["APPROVED"] * 3
    branch.batch()
    flag(branch, 2, "OPEN")
    assert states(branch) == ["IN_BATCH"] * 3


def test_nobody_releases_what_is_held_back_of_their_own(branch: Branch) -> None:
    branch.close()
    flag(branch, 0, "OPEN")
    asked = payouts_pb2.ReleasePayoutRequest(
        request_id=request_id(), person_id=branch.people[0], period_kind=MONTH, on=on(FEBRUARY), reason="mine"
    )
    own = branch.as_(branch.people[0]).payouts
    assert reason_of(lambda: own.ReleasePayout(asked)) == "PERMISSION_MISSING"


@given(st.dates(date(2024, 1, 1), date(2026, 1, 1)), st.integers(0, 30))
def test_a_flag_touches_every_week_and_month_that_holds_one_of_its_days(first: date, more: int) -> None:
    last = date.fromordinal(first.toordinal() + more)
    touched = set(FlagTold("f", "li", "burst", first, last, holds=True).periods())
    days = [date.fromordinal(first.toordinal() + each) for each in range(more + 1)]
    for kind in PeriodKind:
        mine = [period for period in touched if period.kind is kind]
        assert all(any(period.holds(day) for period in mine) for day in days)
        assert all(any(period.holds(day) for day in days) for period in mine)
    assert not list(FlagTold("f", "li", "burst", first, last, holds=False).periods())

"""A deal is held back by itself: what hangs on it is kept of the lines, and is in a later batch once it is released."""

import threading
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from typing import Any

import grpc
import pytest
from foothold.identity.v1 import access_pb2
from foothold.incentives.v1 import payouts_pb2
from sqlalchemy import text

from chassis.errors import from_rpc_error
from tests.incentives import plans
from tests.incentives.company import NOW, Company, on, reason_of, request_id
from tests.incentives.plans import MONTH, in_yuan, per_unit, percent, plan, rate_of
from tests.incentives.test_payouts import FEBRUARY, MARCH, Branch

State = payouts_pb2.Payout.State
_numbers = count(1)


@pytest.fixture(scope="module", autouse=True)
def agreed(company: Company) -> None:
    """4 % of what is sold, 50 for every deal, 300 more from five deals on, within a cap of 200 for customers."""
    more = plans.bonus("deals_won", plans.count(5), "300", id="five")
    capped = plans.cap("200", per_unit("new_customers", "50", id="customers"))
    rules = (rate_of("revenue", percent(4)), per_unit("deals_won", "50"), more, capped)
    company.as_("hr").create(plan(*rules, job_role="payee"))


@pytest.fixture(autouse=True)
def open_again(company: Company) -> Iterator[None]:
    yield
    company.peers.goals.open = True
    company.clock.set(NOW)


@pytest.fixture
def branch(company: Company) -> Branch:
    """February is closed: six deals of 1,000 each, D-0 to D-5, and five customers, of each of three people."""
    made = Branch(company)
    for each in made.people:
        deals(company, each, *[1_000] * 6)
        company.figures(each, FEBRUARY, revenue=600_000, deals_won=6, new_customers=5)
    company.settle()
    made.close()
    return made


def deals(company: Company, person_id: str, *yuan: int) -> None:
    for number, amount in enumerate(yuan):
        company.peers.goals.counted(person_id, f"D-{number}", revenue=100 * amount, deals_won=1)


def named(number: int | str) -> payouts_pb2.PayoutDeal:
    external_id = f"D-{number}" if isinstance(number, int) else number
    return payouts_pb2.PayoutDeal(source="crm", external_id=external_id)


def change(
    branch: Branch,
    number: int,
    deal: int | str | None,
    *,
    release: bool = False,
    who: str = "own hr",
    person: int = 0,
    **more: Any,
) -> payouts_pb2.Payout:
    values: dict[str, Any] = {
        "request_id": request_id(),
        "person_id": branch.people[person],
        "period_kind": MONTH,
        "on": on(FEBRUARY),
        "reason": f"原因 {number}",
        "deal": None if deal is None else named(deal),
        **more,
    }
    stub = branch.as_(who).payouts
    if release:
        return stub.ReleasePayout(payouts_pb2.ReleasePayoutRequest(**values)).payout
    return stub.HoldPayout(payouts_pb2.HoldPayoutRequest(**values)).payout


def hold(branch: Branch, deal: int | str, **more: Any) -> payouts_pb2.Payout:
    return change(branch, next(_numbers), deal, **more)


def release(branch: Branch, deal: int | str, **more: Any) -> payouts_pb2.Payout:
    return change(branch, next(_numbers), deal, release=True, **more)


def looked_at(
    branch: Branch, deal: int | str | None = None, who: str = "own hr", **more: Any
) -> payouts_pb2.ListPayoutDealsResponse:
    asked = payouts_pb2.ListPayoutDealsRequest(
        person_id=branch.people[0],
        period_kind=MONTH,
        on=on(FEBRUARY),
        looked_at=None if deal is None else named(deal),
        **more,
    )
    return branch.as_(who).payouts.ListPayoutDeals(asked)


def parts(held: Any) -> dict[str, str]:
    """What is kept of each line."""
    return {each.rule_id: in_yuan(each.amount) for each in held if each.in_part}


def booked(branch: Branch, batch: payouts_pb2.Batch, number: int = 0) -> dict[str, str]:
    found = [each for each in branch.lines(batch) if each.person_id == branch.people[number]]
    assert len(found) == len({(each.rule_id, str(each.corrects)) for each in found})
    return {each.rule_id: in_yuan(each.amount) for each in found}


WHOLE = {"share": "240.00", "unit": "300.00", "five": "300.00", "customers": "250.00", "cap": "-50.00"}


def test_the_rest_is_paid_now_and_what_hangs_on_the_deal_once_it_is_released(branch: Branch) -> None:
    held = hold(branch, 0, reason="合同待核实")
    assert State.Name(held.state) == "STATE_CLOSED", "the payout itself is not held back"
    assert parts(held.held_lines) == {"share": "40.00", "unit": "50.00"}, "five deals are left for the 300"
    assert [(each.external_id, each.reason, each.held_by) for each in held.held_deals] == [
        ("D-0", "合同待核实", branch.hr)
    ]
    assert held.held_deals[0].held_at.ToDatetime() == NOW.replace(tzinfo=None)
    own = branch.as_(branch.people[0]).statement(day=FEBRUARY).frozen
    assert [each.reason for each in own.held_deals] == ["合同待核实"], "the person reads why"
    assert parts(own.held_lines) == parts(held.held_lines)
    branch.approve()
    listed = branch.listed()
    assert (listed.approved, in_yuan(listed.approved_total), listed.held_lines) == (3, "3030.00", 2)

    first = branch.batch()
    assert (first.people, first.lines, in_yuan(first.total)) == (3, 15, "3030.00")
    assert booked(branch, first) == {**WHOLE, "share": "200.00", "unit": "250.00"}
    assert booked(branch, first, 1) == WHOLE
    assert reason_of(branch.batch) == "NOTHING_TO_PAY"
    listed = branch.listed()
    assert (listed.approved, listed.batched, listed.held_lines) == (0, 3, 2)

    freed = release(branch, 0)
    assert not freed.held_lines
    assert not freed.held_deals
    listed = branch.listed()
    assert (listed.approved, in_yuan(listed.approved_total), listed.held_lines) == (1, "90.00", 0)
    second = branch.batch()
    assert (second.people, second.lines, in_yuan(second.total)) == (1, 2, "90.00")
    assert booked(branch, second) == {"share": "40.00", "unit": "50.00"}
    assert second.digest != first.digest
    assert reason_of(branch.batch) == "NOTHING_TO_PAY"
    assert (branch.listed().approved, in_yuan(branch.listed().approved_total)) == (0, "0.00")
    assert branch.lines(first) == branch.lines(first)


def test_a_deal_released_in_time_is_in_the_first_batch(branch: Branch) -> None:
    hold(branch, 0)
    assert reason_of(lambda: hold(branch, 0)) == "PAYOUT_HOLD"
    release(branch, 0)
    assert reason_of(lambda: release(branch, 0)) == "PAYOUT_HOLD"
    branch.approve()
    assert booked(branch, branch.batch()) == WHOLE
    assert reason_of(lambda: hold(branch, 0)) == "PAYOUT_IN_BATCH"
    assert reason_of(lambda: release(branch, 0)) == "PAYOUT_HOLD"


def test_deals_held_together_keep_what_hangs_on_all_of_them(branch: Branch) -> None:
    assert parts(hold(branch, 0).held_lines) == {"share": "40.00", "unit": "50.00"}
    foreseen = looked_at(branch, 1)
    assert parts(foreseen.kept) == {"share": "80.00", "unit": "100.00", "five": "300.00"}
    assert [each.name.external_id for each in foreseen.deals if each.held] == ["D-0"]
    assert parts(looked_at(branch).kept) == {"share": "40.00", "unit": "50.00"}
    # Without both there are four: the 300 hang on the two together.
    assert parts(hold(branch, 1).held_lines) == parts(foreseen.kept)
    branch.approve()
    first = branch.batch()
    assert booked(branch, first) == {
        "share": "160.00",
        "unit": "200.00",
        "customers": "250.00",
        "cap": "-50.00",
    }
    left = release(branch, 0)
    assert parts(left.held_lines) == {"share": "40.00", "unit": "50.00"}
    assert in_yuan(branch.listed().approved_total) == "390.00"
    assert booked(branch, branch.batch()) == {"share": "40.00", "unit": "50.00", "five": "300.00"}
    release(branch, 1)
    assert booked(branch, branch.batch()) == {"share": "40.00", "unit": "50.00"}
    assert reason_of(branch.batch) == "NOTHING_TO_PAY"


def test_a_line_held_is_held_whole_and_what_hangs_on_the_deal_after_it(branch: Branch) -> None:
    change(branch, 1, None, rule_id="share")
    held = hold(branch, 0)
    assert [(each.rule_id, in_yuan(each.amount), each.in_part) for each in held.held_lines] == [
        ("share", "240.00", False),
        ("unit", "50.00", True),
    ]
    branch.hold(0)
    branch.approve()
    assert branch.batch().people == 2
    branch.release(0)
    branch.approve()
    assert in_yuan(branch.listed().approved_total) == "750.00"
    assert booked(branch, branch.batch()) == {
        "unit": "250.00",
        "five": "300.00",
        "customers": "250.00",
        "cap": "-50.00",
    }
    released = change(branch, 2, None, release=True, rule_id="share")
    assert parts(released.held_lines) == {"share": "40.00", "unit": "50.00"}, "the deal is held as before"
    assert booked(branch, branch.batch()) == {"share": "200.00"}
    release(branch, 0)
    assert booked(branch, branch.batch()) == {"share": "40.00", "unit": "50.00"}
    assert reason_of(branch.batch) == "NOTHING_TO_PAY"


def test_a_deal_released_first_is_paid_with_the_line_that_was_held_whole(branch: Branch) -> None:
    hold(branch, 0)
    change(branch, 1, None, rule_id="share")
    branch.approve()
    branch.batch()
    release(branch, 0)
    assert booked(branch, branch.batch()) == {"unit": "50.00"}
    change(branch, 2, None, release=True, rule_id="share")
    assert booked(branch, branch.batch()) == {"share": "240.00"}
    assert reason_of(branch.batch) == "NOTHING_TO_PAY"


def test_adjustments_are_paid_at_once_and_no_more_is_kept_than_their_line_comes_to(company: Company) -> None:
    branch = Branch(company)
    january = FEBRUARY.replace(month=1)
    person = branch.people[0]
    deals(company, person, 1_000)
    company.figures(person, january, revenue=100_000)
    company.settle()
    company.clock.set(NOW.replace(month=2, day=20))
    branch.close(january)
    # Late facts take back 25.00 of January's 40.00 in February.
    company.figures(person, january, revenue=37_500)
    company.settle()
    company.figures(person, FEBRUARY, revenue=100_000, deals_won=1)
    company.settle()
    company.clock.set(NOW)
    branch.close()
    assert parts(hold(branch, 0).held_lines) == {"share": "15.00", "unit": "50.00"}
    branch.approve()
    first = branch.lines(branch.batch())
    assert [(each.rule_id, in_yuan(each.amount), each.HasField("corrects")) for each in first] == [
        ("share", "25.00", False),
        ("share", "-25.00", True),
    ]
    release(branch, 0)
    assert booked(branch, branch.batch()) == {"share": "15.00", "unit": "50.00"}


def test_what_hangs_on_no_deal_alone_is_refused_with_why(branch: Branch, company: Company) -> None:
    company.peers.goals.counted(branch.people[0], "capped", new_customers=1)
    before = company.fingerprint()
    assert refused(branch, "capped") == ("DEAL_INSEPARABLE", "nothing"), "the cap makes up for it"
    assert not looked_at(branch, "capped").kept
    assert refused(branch, "none") == ("DEAL_UNKNOWN", "")
    assert reason_of(lambda: looked_at(branch, "none")) == "DEAL_UNKNOWN"
    assert reason_of(lambda: hold(branch, 0, person_id="nobody-known")) == "PERSON_UNKNOWN"
    assert reason_of(lambda: hold(branch, 0, on=on(MARCH))) == "PAYOUT_UNKNOWN"
    assert reason_of(lambda: hold(branch, 0, rule_id="share")) == "FIELD_INVALID"
    assert reason_of(lambda: hold(branch, 0, reason=" ")) == "FIELD_INVALID"
    assert reason_of(lambda: hold(branch, "x" * 121)) == "FIELD_INVALID"
    assert reason_of(lambda: hold(branch, "")) == "FIELD_INVALID"
    assert reason_of(lambda: looked_at(branch, "")) == "FIELD_INVALID"
    assert company.fingerprint() == before
    # Goals does not know any more what it told; here it forgets at once what was frozen.
    company.figures(branch.people[0], FEBRUARY, revenue=500_000, deals_won=5, new_customers=5)
    company.settle()
    assert refused(branch, 0) == ("DEAL_INSEPARABLE", "figures")
    assert not branch.listed().payouts[0].held_lines


def refused(branch: Branch, deal: int | str) -> tuple[str, str]:
    with pytest.raises(grpc.RpcError) as refusal:
        hold(branch, deal)
    failure = from_rpc_error(refusal.value)
    return failure.reason, failure.metadata.get("why", "")


def test_while_goals_cannot_be_reached_nothing_is_changed_and_what_is_known_is_released(
    branch: Branch, company: Company
) -> None:
    hold(branch, 0)
    hold(branch, 1)
    answered = {"request_id": request_id()}
    third = hold(branch, 2, **answered, reason="再看")
    before = company.fingerprint()
    company.peers.goals.open = False
    calls: list[Callable[[], object]] = [
        lambda: hold(branch, 3),
        lambda: release(branch, 0),
    ]
    for call in calls:
        with pytest.raises(grpc.RpcError) as refusal:
            call()
        failure = from_rpc_error(refusal.value)
        assert (failure.code.name, failure.reason) == ("UNAVAILABLE", "GOALS_UNREACHABLE")
        assert "hold the line or the whole payout" in failure.message
    assert company.fingerprint() == before
    assert hold(branch, 2, **answered, reason="再看") == third, "what was answered is answered again"
    company.peers.goals.open = True
    release(branch, 0)
    release(branch, 1)
    company.peers.goals.open = False
    assert not release(branch, 2).held_lines, "of the last deal nothing has to be asked"


def test_who_held_and_released_what_and_when_is_kept(branch: Branch, company: Company) -> None:
    hold(branch, 0, reason="一")
    release(branch, 0, who="hr", reason="二")
    hold(branch, 0, reason="三")
    with company.database.read() as connection:
        rows = connection.execute(
            text(
                "SELECT source, external_id, reason, held_by, held_at, release_reason, released_by, released_at"
                " FROM deal_hold WHERE person_id = :person ORDER BY id"
            ),
            {"person": branch.people[0]},
        ).all()
    assert [tuple(each) for each in rows] == [
        ("crm", "D-0", "一", branch.hr, NOW, "二", "hr", NOW),
        ("crm", "D-0", "三", branch.hr, NOW, "", "", None),
    ]


def test_nobody_else_holds_and_nobody_releases_their_own(branch: Branch, company: Company) -> None:
    for who in ("administrator", "manager", branch.people[0]):
        assert reason_of(partial(hold, branch, 0, who=who)) == "PERMISSION_MISSING"
        assert reason_of(partial(looked_at, branch, who=who)) == "PERMISSION_MISSING"
    assert reason_of(lambda: hold(branch, 0, who="shanghai-hr")) == "PERSON_UNKNOWN"
    assert reason_of(lambda: looked_at(branch, who="shanghai-hr")) == "PERSON_UNKNOWN"
    own = access_pb2.Binding(
        id=f"b-own-{branch.id}", role_id="branch_hr", subject_id=branch.people[0], node_id=branch.id
    )
    company.tell(binding_added=own)
    company.settle()
    hold(branch, 0, who=branch.people[0])
    assert reason_of(lambda: release(branch, 0, who=branch.people[0])) == "SECOND_PERSON_NEEDED"
    assert not release(branch, 0).held_deals


def test_of_deals_held_at_once_all_are_counted_together(branch: Branch) -> None:
    failed: list[str] = []

    def work(number: int) -> None:
        try:
            hold(branch, number)
        except grpc.RpcError as error:
            failed.append(from_rpc_error(error).reason)

    threads = [threading.Thread(target=work, args=(number % 4,)) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert failed == ["PAYOUT_HOLD"] * 4
    assert parts(looked_at(branch).kept) == {"share": "160.00", "unit": "200.00", "five": "300.00"}
    assert parts(branch.listed().payouts[0].held_lines) == parts(looked_at(branch).kept)


def test_a_batch_and_a_hold_at_once_lose_nothing(branch: Branch) -> None:
    branch.approve()
    outcome: list[str] = []

    def work() -> None:
        try:
            hold(branch, 0)
            outcome.append("held")
        except grpc.RpcError as error:
            outcome.append(from_rpc_error(error).reason)

    thread = threading.Thread(target=work)
    thread.start()
    first = branch.batch()
    thread.join()
    assert outcome in (["held"], ["PAYOUT_IN_BATCH"])
    if outcome == ["held"]:
        release(branch, 0)
        assert in_yuan(branch.batch().total) == "90.00"
        assert in_yuan(first.total) == "3030.00"
    else:
        assert in_yuan(first.total) == "3120.00"
    assert reason_of(branch.batch) == "NOTHING_TO_PAY"

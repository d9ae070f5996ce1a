"""From a closed period to payroll: a second person approves, holds are seen, each amount is in one batch ever."""

import hashlib
import json
import threading
from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction
from itertools import count
from typing import Any

import grpc
import pytest
from foothold.identity.v1 import access_pb2, directory_pb2
from foothold.incentives.v1 import payouts_pb2
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import from_rpc_error
from services.incentives.domain.payouts import Notice, Payout, notices
from services.incentives.domain.periods import Period, PeriodKind
from tests.incentives.company import NOW, Client, Company, on, person, reason_of, request_id
from tests.incentives.plans import MONTH, in_yuan, per_unit, percent, plan, rate_of, yuan

JANUARY, FEBRUARY, MARCH = date(2025, 1, 10), date(2025, 2, 12), date(2025, 3, 12)
State = payouts_pb2.Payout.State
_numbers = count(1)


@pytest.fixture(scope="module", autouse=True)
def agreed(company: Company) -> None:
    """4 % of what is sold, and 50 for every new customer."""
    company.as_("hr").create(
        plan(rate_of("revenue", percent(4)), per_unit("new_customers", "50"), job_role="payee")
    )


@pytest.fixture(autouse=True)
def march(company: Company) -> Iterator[None]:
    yield
    company.clock.set(NOW)


class Branch:
    """A branch with HR of its own and three people who are paid."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.id = f"payouts-{next(_numbers)}"
        self.people = [f"{self.id}-{number}" for number in range(3)]
        self.hr = f"{self.id}-hr"
        company.tell(
            node_changed=directory_pb2.Node(
                id=self.id, parent_id="hq", kind=directory_pb2.NODE_KIND_BRANCH, name=self.id
            )
        )
        for each in self.people:
            company.newcomer(each, self.id, "payee")
        company.tell(person_changed=person(self.hr, self.id, "hr"))
        company.tell(
            binding_added=access_pb2.Binding(
                id=f"b-{self.hr}", role_id="branch_hr", subject_id=self.hr, node_id=self.id
            )
        )
        company.settle()

    def sold(self, number: int, revenue: int, day: date = FEBRUARY, customers: int = 0) -> None:
        """So many yuan, and so many new customers."""
        self.company.figures(self.people[number], day, revenue=100 * revenue, new_customers=customers)
        self.company.settle()

    def as_(self, who: str) -> Client:
        return self.company.as_(self.hr if who == "own hr" else who)

    def close(self, day: date = FEBRUARY) -> None:
        self.as_("own hr").close(self.id, day)

    def listed(
        self, day: date = FEBRUARY, who: str = "own hr", **more: object
    ) -> payouts_pb2.ListPayoutsResponse:
        asked = payouts_pb2.ListPayoutsRequest(node_id=self.id, period_kind=MONTH, on=on(day), **more)  # type: ignore[arg-type]
        return self.as_(who).payouts.ListPayouts(asked)

    def told(self, day: date = FEBRUARY) -> list[tuple[str, str]]:
        return [(State.Name(each.state)[6:], in_yuan(each.due)) for each in self.listed(day).payouts]

    def approve(
        self, who: str = "hr", day: date = FEBRUARY, **looked_at: Any
    ) -> payouts_pb2.ApprovePayoutsResponse:
        return self.as_(who).payouts.ApprovePayouts(
            payouts_pb2.ApprovePayoutsRequest(
                request_id=request_id(), node_id=self.id, period_kind=MONTH, on=on(day), **looked_at
            )
        )

    def batch(self, id: str = "", day: date = FEBRUARY, who: str = "own hr") -> payouts_pb2.Batch:
        asked = payouts_pb2.CreateBatchRequest(
            request_id=id or f"batch-{next(_numbers)}", node_id=self.id, period_kind=MONTH, on=on(day)
        )
        return self.as_(who).payouts.CreateBatch(asked).batch

    def hold(self, number: int, reason: str = "客户重复", who: str = "own hr") -> payouts_pb2.Payout:
        asked = payouts_pb2.HoldPayoutRequest(
            request_id=request_id(),
            person_id=self.people[number],
            period_kind=MONTH,
            on=on(FEBRUARY),
            reason=reason,
        )
        return self.as_(who).payouts.HoldPayout(asked).payout

    def release(self, number: int, who: str = "own hr") -> payouts_pb2.Payout:
        asked = payouts_pb2.ReleasePayoutRequest(
            request_id=request_id(),
            person_id=self.people[number],
            period_kind=MONTH,
            on=on(FEBRUARY),
            reason="查清了",
        )
        return self.as_(who).payouts.ReleasePayout(asked).payout

    def lines(self, batch: payouts_pb2.Batch, size: int = 1000) -> list[payouts_pb2.BatchLine]:
        found, token = list[payouts_pb2.BatchLine](), ""
        while True:
            asked = payouts_pb2.ListBatchLinesRequest(batch_id=batch.id, page_size=size, page_token=token)
            page = self.as_("own hr").payouts.ListBatchLines(asked)
            found += page.lines
            token = page.next_page_token
            if not token:
                return found


@pytest.fixture
def branch(company: Company) -> Branch:
    return Branch(company)


def test_approved_by_a_second_person_batched_and_paid(branch: Branch) -> None:
    branch.sold(0, 10_000, customers=2)
    branch.sold(1, 5_000)
    assert reason_of(branch.approve) == "PERIOD_NOT_CLOSED"
    branch.close()
    assert branch.told() == [("CLOSED", "500.00"), ("CLOSED", "200.00"), ("CLOSED", "0.00")]
    assert reason_of(branch.batch) == "NOTHING_TO_PAY"
    approved = branch.approve()
    assert (approved.approved, in_yuan(approved.total)) == (3, "700.00")
    assert branch.approve().approved == 0
    assert [state for state, _ in branch.told()] == ["APPROVED"] * 3
    assert (branch.listed().approved, in_yuan(branch.listed().approved_total)) == (2, "700.00")
    batch = branch.batch("february")
    assert (batch.id, batch.people, batch.lines, in_yuan(batch.total)) == ("february", 2, 3, "700.00")
    assert branch.batch("february") == batch
    assert reason_of(branch.batch) == "NOTHING_TO_PAY"
    lines = branch.lines(batch)
    assert lines == branch.lines(batch, size=1)
    assert [(each.person_id[-1], each.rule_id, in_yuan(each.amount)) for each in lines] == [
        ("0", "share", "400.00"),
        ("0", "unit", "100.00"),
        ("1", "share", "200.00"),
    ]
    form = [[each.person_id, each.rule_id, None, each.amount.units * 100] for each in lines]
    assert batch.digest == hashlib.sha256(json.dumps(form, separators=(",", ":")).encode()).hexdigest()
    assert [state for state, _ in branch.told()] == ["IN_BATCH"] * 3
    pay = payouts_pb2.MarkBatchPaidRequest(
        request_id=request_id(), batch_id=batch.id, paid_on=on(date(2025, 3, 10)), reference="工资 2025-03"
    )
    paid = branch.as_("own hr").payouts.MarkBatchPaid(pay).batch
    assert (paid.paid_on.day, paid.reference, paid.paid_by) == (10, "工资 2025-03", branch.hr)
    assert [state for state, _ in branch.told()] == ["PAID"] * 3
    pay.request_id = request_id()
    assert reason_of(lambda: branch.as_("own hr").payouts.MarkBatchPaid(pay)) == "BATCH_PAID"


def test_whoever_closed_the_period_does_not_approve_it(branch: Branch) -> None:
    branch.sold(0, 1_000)
    branch.as_("hr").close(branch.id, FEBRUARY)
    assert reason_of(lambda: branch.approve("hr")) == "SECOND_PERSON_NEEDED"
    assert branch.approve("administrator").approved == 3


def test_what_is_held_is_seen_not_paid_and_paid_once_released(branch: Branch) -> None:
    branch.sold(0, 1_000)
    branch.sold(1, 2_000)
    branch.close()
    held = branch.hold(0)
    assert (held.state, held.hold_reason, held.held_by) == (State.STATE_HELD, "客户重复", branch.hr)
    assert reason_of(lambda: branch.hold(0)) == "PAYOUT_HOLD"
    assert branch.approve().approved == 2
    first = branch.batch()
    assert (first.people, in_yuan(first.total)) == (1, "80.00")
    assert branch.told()[0] == ("HELD", "40.00")
    assert branch.listed().held == 1
    released = branch.release(0)
    assert (released.state, released.hold_reason) == (State.STATE_CLOSED, "")
    assert reason_of(lambda: branch.release(0)) == "PAYOUT_HOLD"
    assert branch.approve().approved == 1
    assert in_yuan(branch.batch().total) == "40.00"
    assert reason_of(lambda: branch.hold(0)) == "PAYOUT_IN_BATCH"


def test_approved_and_then_held_waits_without_losing_its_approval(branch: Branch) -> None:
    branch.sold(0, 1_000)
    branch.close()
    branch.approve()
    branch.hold(0)
    assert reason_of(branch.batch) == "NOTHING_TO_PAY"
    assert branch.release(0).state == State.STATE_APPROVED
    assert in_yuan(branch.batch().total) == "40.00"


def test_a_refund_takes_back_in_the_next_batch_exactly_what_was_paid_for_it(branch: Branch) -> None:
    """R11, and the published example: 200 refunded of 1,000 at 4 %."""
    branch.sold(0, 1_000)
    branch.close()
    branch.approve()
    assert in_yuan(branch.batch().total) == "40.00"
    branch.sold(0, 800)
    branch.company.clock.set(NOW + timedelta(days=31))
    branch.close(MARCH)
    branch.approve(day=MARCH)
    batch = branch.batch(day=MARCH)
    (line,) = branch.lines(batch)
    assert (in_yuan(line.amount), line.corrects.first_day.month, line.rule_id) == ("-8.00", 2, "share")
    assert in_yuan(batch.total) == "-8.00"
    assert [in_yuan(each.last) for each in branch.listed(MARCH).payouts] == ["40.00", "0.00", "0.00"]


def test_what_sums_to_nothing_is_booked_line_by_line(branch: Branch) -> None:
    branch.sold(0, 1_000)
    branch.close()
    branch.approve()
    branch.batch()
    branch.sold(0, 800)
    branch.sold(0, 200, MARCH)
    branch.company.clock.set(NOW + timedelta(days=31))
    branch.close(MARCH)
    branch.approve(day=MARCH)
    assert (branch.listed(MARCH).approved, branch.told(MARCH)[0]) == (1, ("APPROVED", "0.00"))
    batch = branch.batch(day=MARCH)
    assert [in_yuan(each.amount) for each in branch.lines(batch)] == ["8.00", "-8.00"]
    assert (batch.people, batch.lines, in_yuan(batch.total)) == (1, 2, "0.00")
    assert branch.told(MARCH)[0][0] == "IN_BATCH"


def test_a_batch_keeps_whom_it_pays_by_the_name_they_had(branch: Branch) -> None:
    branch.sold(0, 1_000)
    branch.close()
    branch.approve()
    batch = branch.batch()
    before = branch.lines(batch)
    renamed = person(branch.people[0], branch.id, "payee")
    renamed.name, renamed.employee_number = "改了名", "E-改"
    branch.company.tell(person_changed=renamed)
    branch.company.settle()
    assert branch.lines(batch) == before
    assert (before[0].name, before[0].employee_number) == (
        f"{branch.people[0]} 同学",
        f"E-{branch.people[0]}",
    )


def test_what_was_looked_at_is_approved_and_nothing_else(branch: Branch) -> None:
    branch.sold(0, 1_000)
    branch.sold(1, 2_000)
    branch.close()
    branch.hold(1)
    seen = branch.listed()
    assert (seen.waiting, in_yuan(seen.waiting_total)) == (2, "40.00")
    looked_at = {"waiting": seen.waiting, "waiting_total": seen.waiting_total}
    branch.release(1)
    assert reason_of(lambda: branch.approve(**looked_at)) == "PAYOUTS_CHANGED"
    assert branch.listed().waiting == 3
    branch.hold(1)
    assert branch.approve(**looked_at).approved == 2
    wrong = {"waiting": 0, "waiting_total": yuan("1", "USD")}
    assert reason_of(lambda: branch.approve(**wrong)) == "FIELD_INVALID"


def test_nobody_releases_a_payout_of_their_own(branch: Branch) -> None:
    branch.company.tell(
        binding_added=access_pb2.Binding(
            id=f"b-own-{branch.id}", role_id="branch_hr", subject_id=branch.people[0], node_id=branch.id
        )
    )
    branch.company.settle()
    branch.sold(0, 1_000)
    branch.close()
    branch.hold(0)
    assert reason_of(lambda: branch.release(0, branch.people[0])) == "SECOND_PERSON_NEEDED"
    assert branch.release(0).hold_reason == ""


def test_paid_is_not_said_of_a_day_to_come(branch: Branch) -> None:
    branch.sold(0, 1_000)
    branch.close()
    branch.approve()
    batch = branch.batch()

    def pay(day: date) -> payouts_pb2.MarkBatchPaidResponse:
        asked = payouts_pb2.MarkBatchPaidRequest(request_id=request_id(), batch_id=batch.id, paid_on=on(day))
        return branch.as_("own hr").payouts.MarkBatchPaid(asked)

    assert reason_of(lambda: pay(MARCH + timedelta(days=2))) == "FIELD_INVALID"
    assert pay(MARCH).batch.HasField("paid_on")


def test_what_deserves_a_look_comes_first_the_largest_change_at_the_top(branch: Branch) -> None:
    for number, (january, february) in enumerate(((1_000, 1_400), (1_000, 300), (100, 2_000))):
        branch.sold(number, january, JANUARY)
        branch.sold(number, february)
    branch.close(JANUARY)
    branch.close()
    noteworthy = payouts_pb2.ListPayoutsRequest.ORDER_NOTEWORTHY
    found = branch.listed(order=noteworthy).payouts
    notice = payouts_pb2.Payout.Notice
    assert [(each.person_id, [notice.Name(told)[7:] for told in each.notices]) for each in found] == [
        (branch.people[2], ["MUCH_MORE"]),
        (branch.people[1], ["MUCH_LESS"]),
        (branch.people[0], []),
    ]
    first = branch.listed(order=noteworthy, page_size=2)
    rest = branch.listed(order=noteworthy, page_size=2, page_token=first.next_page_token)
    assert [*first.payouts, *rest.payouts] == list(found)
    some = branch.listed(person_ids=[branch.people[1], "li"]).payouts
    assert [each.person_id for each in some] == [branch.people[1]]
    assert reason_of(lambda: branch.listed(person_ids=["li"], order=noteworthy)) == "FIELD_INVALID"


@given(due=st.integers(-200, 200), last=st.none() | st.integers(-200, 200), compared=st.booleans())
def test_a_notice_is_more_than_half_either_way(due: int, last: int | None, compared: bool) -> None:
    told = notices(Payout("p", Period(PeriodKind.MONTH, FEBRUARY), due, last), compared=compared)
    assert (Notice.TAKEN_BACK in told) == (due < 0)
    assert (Notice.NEW in told) == (last is None and compared and due != 0)
    if last is not None and last > 0 and due >= 0:
        assert (Notice.MUCH_MORE in told) == (Fraction(due, last) > Fraction(3, 2))
        assert (Notice.MUCH_LESS in told) == (Fraction(due, last) < Fraction(1, 2))


def test_of_two_batches_made_at_once_each_amount_is_in_one(branch: Branch) -> None:
    for number in range(3):
        branch.sold(number, 1_000)
    branch.close()
    branch.approve()
    made: list[str] = []

    def make(client: Client, id: str) -> None:
        asked = payouts_pb2.CreateBatchRequest(
            request_id=id, node_id=branch.id, period_kind=MONTH, on=on(FEBRUARY)
        )
        try:
            made.append(in_yuan(client.payouts.CreateBatch(asked).batch.total))
        except grpc.RpcError as error:
            made.append(from_rpc_error(error).reason)

    threads = [
        threading.Thread(target=make, args=[branch.as_("own hr"), f"race-{next(_numbers)}"]) for _ in range(4)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(made) == ["120.00", *["NOTHING_TO_PAY"] * 3]


def test_one_branch_s_batches_are_not_another_s(branch: Branch, company: Company) -> None:
    second = Branch(company)
    second.sold(0, 1_000)
    second.close()
    second.approve()
    second.batch()
    branch.sold(0, 1_000)
    branch.close()
    branch.approve()
    batch = branch.batch()
    other = branch.as_("shanghai-hr")
    for call in (
        lambda: other.payouts.GetBatch(payouts_pb2.GetBatchRequest(batch_id=batch.id)),
        lambda: other.payouts.ListBatchLines(payouts_pb2.ListBatchLinesRequest(batch_id=batch.id)),
        lambda: other.payouts.MarkBatchPaid(
            payouts_pb2.MarkBatchPaidRequest(request_id=request_id(), batch_id=batch.id, paid_on=on(FEBRUARY))
        ),
    ):
        assert reason_of(call) == "BATCH_UNKNOWN"
    assert batch.id not in {
        each.id for each in other.payouts.ListBatches(payouts_pb2.ListBatchesRequest()).batches
    }
    own = branch.as_("own hr").payouts.ListBatches(payouts_pb2.ListBatchesRequest()).batches
    assert [each.id for each in own] == [batch.id]
    everywhere = branch.as_("hr").payouts
    page = everywhere.ListBatches(payouts_pb2.ListBatchesRequest(page_size=1))
    rest = everywhere.ListBatches(
        payouts_pb2.ListBatchesRequest(page_size=1000, page_token=page.next_page_token)
    )
    whole = everywhere.ListBatches(payouts_pb2.ListBatchesRequest(page_size=1000))
    assert [*page.batches, *rest.batches] == list(whole.batches)
    assert reason_of(lambda: other.payouts.HoldPayout(_hold_in(branch))) == "PERSON_UNKNOWN"


def _hold_in(branch: Branch) -> payouts_pb2.HoldPayoutRequest:
    return payouts_pb2.HoldPayoutRequest(
        request_id=request_id(), person_id=branch.people[1], period_kind=MONTH, on=on(FEBRUARY), reason="x"
    )


def test_a_batch_is_found_by_every_id_that_a_request_may_have(branch: Branch) -> None:
    branch.sold(0, 1_000)
    branch.close()
    branch.approve()
    batch = branch.batch(f"Payroll_{branch.id}")
    own = branch.as_("own hr").payouts
    assert own.GetBatch(payouts_pb2.GetBatchRequest(batch_id=batch.id)).batch == batch
    assert len(branch.lines(batch)) == batch.lines
    pay = payouts_pb2.MarkBatchPaidRequest(request_id=request_id(), batch_id=batch.id, paid_on=on(MARCH))
    assert own.MarkBatchPaid(pay).batch.HasField("paid_on")


def test_pages_of_payouts_hold_everybody_once(branch: Branch) -> None:
    branch.sold(0, 1_000)
    branch.close()
    first = branch.listed(page_size=2)
    rest = branch.listed(page_size=2, page_token=first.next_page_token)
    assert [each.person_id for each in (*first.payouts, *rest.payouts)] == branch.people
    assert (rest.next_page_token, first.waiting) == ("", 3)

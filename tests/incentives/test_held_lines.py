"""A line is held back by itself: the others are paid, and it is in one later batch once it is released."""

import threading
from decimal import Decimal
from typing import Any

import grpc
import pytest
from foothold.incentives.v1 import payouts_pb2, statements_pb2

from tests.incentives.company import Company, on, reason_of, request_id
from tests.incentives.plans import MONTH, in_yuan, per_unit, percent, plan, rate_of
from tests.incentives.test_payouts import FEBRUARY, MARCH, Branch

State = payouts_pb2.Payout.State


@pytest.fixture(scope="module", autouse=True)
def agreed(company: Company) -> None:
    """4 % of what is sold, and 50 for every new customer."""
    company.as_("hr").create(
        plan(rate_of("revenue", percent(4)), per_unit("new_customers", "50"), job_role="payee")
    )


@pytest.fixture
def branch(company: Company) -> Branch:
    """February is closed: 40 of what was sold and 150 for three customers, each of three people."""
    made = Branch(company)
    for number in range(3):
        made.sold(number, 1_000, customers=3)
    made.close()
    return made


def lines_of(statement: statements_pb2.Statement) -> dict[str, str]:
    return {each.rule_id: in_yuan(each.amount) for each in statement.lines}


def of(branch: Branch, metric: str) -> str:
    """The rule that pays for a metric."""
    amount = {"revenue": "40.00", "new_customers": "150.00"}[metric]
    found = lines_of(branch.as_("own hr").statement(branch.people[0], FEBRUARY))
    return next(rule for rule, told in found.items() if told == amount)


def change(
    branch: Branch, number: int, rule_id: str, *, release: bool = False, who: str = "own hr", **more: Any
) -> Any:
    values: dict[str, Any] = {
        "request_id": request_id(),
        "person_id": branch.people[number],
        "period_kind": MONTH,
        "on": on(FEBRUARY),
        "reason": "客户重复",
        "rule_id": rule_id,
        **more,
    }
    stub = branch.as_(who).payouts
    if release:
        return stub.ReleasePayout(payouts_pb2.ReleasePayoutRequest(**values)).payout
    return stub.HoldPayout(payouts_pb2.HoldPayoutRequest(**values)).payout


def booked(branch: Branch, batch: payouts_pb2.Batch) -> list[tuple[str, str, str]]:
    asked = payouts_pb2.ListBatchLinesRequest(batch_id=batch.id)
    found = branch.as_("own hr").payouts.ListBatchLines(asked).lines
    return [(each.person_id[-1], each.rule_id, in_yuan(each.amount)) for each in found]


def test_the_others_are_paid_and_the_line_in_a_later_batch_once_released(branch: Branch) -> None:
    customers, sold = of(branch, "new_customers"), of(branch, "revenue")
    held = change(branch, 0, customers)
    assert State.Name(held.state) == "STATE_CLOSED", "the payout itself is not held back"
    assert [(each.rule_id, in_yuan(each.amount), each.reason) for each in held.held_lines] == [
        (customers, "150.00", "客户重复")
    ]
    own = branch.as_(branch.people[0]).statement(day=FEBRUARY)
    assert [each.reason for each in own.frozen.held_lines] == ["客户重复"]
    branch.approve()
    listed = branch.listed()
    assert (listed.approved, in_yuan(listed.approved_total), listed.held_lines) == (3, "420.00", 1)

    first = branch.batch()
    assert (first.people, first.lines, in_yuan(first.total)) == (3, 5, "420.00")
    assert ("0", customers, "150.00") not in booked(branch, first)
    assert ("0", sold, "40.00") in booked(branch, first)
    listed = branch.listed()
    assert (listed.approved, listed.batched, listed.held_lines) == (0, 3, 1)
    assert reason_of(branch.batch) == "NOTHING_TO_PAY", "it is still held back"

    assert not change(branch, 0, customers, release=True).held_lines
    listed = branch.listed()
    assert (listed.approved, in_yuan(listed.approved_total), listed.held_lines) == (1, "150.00", 0)
    second = branch.batch()
    assert (second.people, second.lines, in_yuan(second.total)) == (1, 1, "150.00")
    assert booked(branch, second) == [("0", customers, "150.00")]
    assert reason_of(branch.batch) == "NOTHING_TO_PAY"
    assert (branch.listed().approved, in_yuan(branch.listed().approved_total)) == (0, "0.00")
    everything = booked(branch, first) + booked(branch, second)
    assert len(everything) == len({each[:2] for each in everything}) == 6
    assert sum(Decimal(each[2]) for each in everything) == 570, "what was due, and not a cent more"


def test_a_line_released_in_time_is_in_the_first_batch(branch: Branch) -> None:
    rule = of(branch, "revenue")
    change(branch, 1, rule)
    assert reason_of(lambda: change(branch, 1, rule)) == "PAYOUT_HOLD"
    change(branch, 1, rule, release=True)
    assert reason_of(lambda: change(branch, 1, rule, release=True)) == "PAYOUT_HOLD"
    branch.approve()
    assert in_yuan(branch.batch().total) == "570.00"


def test_the_whole_payout_and_a_line_of_it_are_held_apart(branch: Branch) -> None:
    rule = of(branch, "revenue")
    change(branch, 0, rule)
    branch.hold(0)
    branch.approve()
    assert branch.batch().people == 2
    released = branch.release(0)
    assert [each.rule_id for each in released.held_lines] == [rule], "the line stays held"
    branch.approve()
    assert in_yuan(branch.batch().total) == "150.00"
    change(branch, 0, rule, release=True)
    assert in_yuan(branch.batch().total) == "40.00"


def test_what_is_no_line_or_in_a_batch_cannot_be_held_back(branch: Branch) -> None:
    rule = of(branch, "revenue")
    assert reason_of(lambda: change(branch, 0, "none")) == "LINE_UNKNOWN"
    assert reason_of(lambda: change(branch, 0, "x" * 41)) == "FIELD_INVALID"
    assert reason_of(lambda: change(branch, 0, rule, who="administrator")) == "PERMISSION_MISSING"
    branch.approve()
    branch.batch()
    assert reason_of(lambda: change(branch, 0, rule)) == "PAYOUT_IN_BATCH"
    assert reason_of(lambda: change(branch, 0, rule, release=True)) == "PAYOUT_HOLD"


def test_of_two_batches_made_at_once_a_released_line_is_in_one(branch: Branch) -> None:
    rule = of(branch, "new_customers")
    change(branch, 2, rule)
    branch.approve()
    branch.batch()
    change(branch, 2, rule, release=True)
    made: list[payouts_pb2.Batch] = []
    refused: list[grpc.RpcError] = []

    def pay() -> None:
        try:
            made.append(branch.batch())
        except grpc.RpcError as error:
            refused.append(error)

    threads = [threading.Thread(target=pay) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert [in_yuan(each.total) for each in made] == ["150.00"]
    assert len(refused) == 3


def test_a_refund_of_a_held_line_is_an_adjustment_like_any_other(branch: Branch) -> None:
    rule = of(branch, "revenue")
    change(branch, 0, rule)
    branch.sold(0, 500, customers=3)
    assert [
        in_yuan(each.amount) for each in branch.as_("own hr").statement(branch.people[0], MARCH).adjustments
    ] == ["-20.00"]
    change(branch, 0, rule, release=True)
    branch.approve()
    assert in_yuan(branch.batch().total) == "570.00"

"""A line is looked at again: the trace as it was, a day to answer by, and an adjustment or an answer in the end."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from itertools import count

import grpc
import pytest
from foothold.identity.v1 import directory_pb2
from foothold.incentives.v1 import disputes_pb2

from chassis.errors import from_rpc_error
from tests.incentives.company import NOW, Client, Company, on, reason_of, request_id
from tests.incentives.plans import in_yuan, per_unit, percent, plan, rate_of, yuan

FEBRUARY, MARCH = date(2025, 2, 12), date(2025, 3, 12)
State = disputes_pb2.Dispute
_numbers = count(1)


@pytest.fixture(scope="module", autouse=True)
def agreed(company: Company) -> None:
    """4 % of what is sold, and 50 for every new customer."""
    company.as_("hr").create(
        plan(rate_of("revenue", percent(4)), per_unit("new_customers", "50"), job_role="disputer")
    )


@pytest.fixture(autouse=True)
def march(company: Company) -> Iterator[None]:
    yield
    company.clock.set(NOW)


class Somebody:
    """Somebody who is paid, in a branch of their own."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.name = f"disputer-{next(_numbers)}"
        self.branch = f"branch-of-{self.name}"
        branch = directory_pb2.Node(
            id=self.branch, parent_id="hq", kind=directory_pb2.NODE_KIND_BRANCH, name=self.branch
        )
        company.tell(node_changed=branch)
        company.newcomer(self.name, self.branch, "disputer")
        company.settle()

    def has(self, day: date, **figures: int) -> None:
        self.company.figures(self.name, day, **figures)
        self.company.settle()

    def disputes(
        self, rule_id: str = "share", day: date = MARCH, who: str = "", words: str = "少算一单"
    ) -> State:
        asked = disputes_pb2.OpenDisputeRequest(
            request_id=request_id(), rule_id=rule_id, on=on(day), words=words
        )
        return self.company.as_(who or self.name).disputes.OpenDispute(asked).dispute

    def answered(self, dispute: State, answer: str = "查过了", who: str = "hr", amount: str = "") -> State:
        asked = disputes_pb2.AnswerDisputeRequest(
            request_id=request_id(),
            dispute_id=dispute.id,
            answer=answer,
            adjustment=yuan(amount) if amount else None,
        )
        return self.company.as_(who).disputes.AnswerDispute(asked).dispute

    def withdraw(self, dispute: State, who: str = "") -> State:
        asked = disputes_pb2.WithdrawDisputeRequest(request_id=request_id(), dispute_id=dispute.id)
        return self.company.as_(who or self.name).disputes.WithdrawDispute(asked).dispute

    def listed(self, who: str = "hr", node: str = "") -> disputes_pb2.ListDisputesResponse:
        asked = disputes_pb2.ListDisputesRequest(node_id=node or self.branch)
        return self.company.as_(who).disputes.ListDisputes(asked)

    def read(self, dispute: State, who: str = "hr") -> State:
        asked = disputes_pb2.GetDisputeRequest(dispute_id=dispute.id)
        return self.company.as_(who).disputes.GetDispute(asked).dispute


@pytest.fixture
def somebody(company: Company) -> Somebody:
    return Somebody(company)


def test_it_keeps_the_trace_as_it_was_and_has_a_day_to_be_answered_by(somebody: Somebody) -> None:
    somebody.has(MARCH, revenue=1_000_00, new_customers=2)
    then = somebody.company.as_(somebody.name).explain("share")
    dispute = somebody.disputes()
    assert (dispute.state, in_yuan(dispute.amount), dispute.words) == (State.STATE_OPEN, "40.00", "少算一单")
    assert (dispute.due_day.month, dispute.due_day.day, dispute.late) == (3, 22, False)
    somebody.has(MARCH, revenue=5_000_00, new_customers=2)
    kept = somebody.read(dispute)
    assert kept.trace == then
    assert in_yuan(kept.amount) == "40.00"
    assert reason_of(somebody.disputes) == "DISPUTE_OPEN"
    assert somebody.disputes("unit").label != dispute.label


def test_it_ends_in_an_answer(somebody: Somebody) -> None:
    somebody.has(MARCH, revenue=1_000_00)
    dispute = somebody.disputes()
    told = somebody.answered(dispute, "那一单上月已算")
    assert (told.state, told.answer, told.answered_by) == (State.STATE_ANSWERED, "那一单上月已算", "hr")
    assert not told.HasField("adjustment")
    assert reason_of(lambda: somebody.answered(dispute)) == "DISPUTE_ENDED"
    assert reason_of(lambda: somebody.withdraw(dispute)) == "DISPUTE_ENDED"
    assert somebody.disputes().state == State.STATE_OPEN


@pytest.mark.parametrize(("amount", "due"), [("12.50", "12.50"), ("-3", "-3.00")])
def test_an_adjustment_is_paid_in_the_period_that_runs_and_stays_when_late_facts_come(
    somebody: Somebody, amount: str, due: str
) -> None:
    somebody.has(FEBRUARY, revenue=1_000_00)
    somebody.company.as_("hr").close(somebody.branch, FEBRUARY)
    dispute = somebody.disputes(day=FEBRUARY)
    told = somebody.answered(dispute, amount=amount)
    assert (told.state, told.paid_in.first_day.month) == (State.STATE_ADJUSTED, 3)

    def paid() -> list[tuple[str, str, str]]:
        found = somebody.company.as_(somebody.name).statement(day=MARCH)
        return [(each.rule_id, each.dispute_id, in_yuan(each.amount)) for each in found.adjustments]

    assert paid() == [("share", dispute.id, due)]
    # A refund of the same line adjusts beside it, by what the facts make of it alone.
    somebody.has(FEBRUARY, revenue=800_00)
    assert paid() == [("share", "", "-8.00"), ("share", dispute.id, due)]
    somebody.has(FEBRUARY, revenue=1_000_00)
    assert paid() == [("share", dispute.id, due)]


def test_late_ones_come_first_and_are_counted(somebody: Somebody) -> None:
    somebody.has(MARCH, revenue=1_000_00, new_customers=1)
    ended = somebody.disputes("unit")
    somebody.answered(ended)
    open_ = somebody.disputes()
    somebody.company.clock.set(NOW + timedelta(days=10))
    assert (somebody.listed().open, somebody.listed().late) == (1, 0)
    somebody.company.clock.set(NOW + timedelta(days=11))
    found = somebody.listed()
    assert [each.id for each in found.disputes] == [open_.id, ended.id]
    assert (found.open, found.late, found.disputes[0].late) == (1, 1, True)
    assert not found.disputes[0].HasField("trace")
    assert [each.id for each in somebody.listed(somebody.name, somebody.name).disputes] == [
        open_.id,
        ended.id,
    ]


def test_only_one_s_own_line_and_only_one_s_own_dispute(somebody: Somebody, company: Company) -> None:
    somebody.has(MARCH, revenue=1_000_00)
    dispute = somebody.disputes()
    other = Somebody(company)
    assert reason_of(lambda: other.withdraw(dispute)) == "DISPUTE_UNKNOWN"
    assert reason_of(lambda: other.read(dispute, other.name)) == "DISPUTE_UNKNOWN"
    assert reason_of(lambda: somebody.answered(dispute, who="shanghai-hr")) == "DISPUTE_UNKNOWN"
    assert reason_of(lambda: somebody.disputes(who="hr")) == "PERMISSION_MISSING"
    assert reason_of(lambda: somebody.disputes("no-such-line")) == "LINE_UNKNOWN"
    assert somebody.withdraw(dispute).state == State.STATE_WITHDRAWN


def test_what_is_no_amount_is_refused_by_its_field(somebody: Somebody) -> None:
    somebody.has(MARCH, revenue=1_000_00)
    dispute = somebody.disputes()
    asked = disputes_pb2.AnswerDisputeRequest(request_id=request_id(), dispute_id=dispute.id, answer="x")
    asked.adjustment.currency_code = "USD"
    with pytest.raises(grpc.RpcError) as refused:
        somebody.company.as_("hr").disputes.AnswerDispute(asked)
    assert "adjustment.currency_code" in from_rpc_error(refused.value).fields


def test_many_at_once_need_no_more_connections_than_there_are(somebody: Somebody) -> None:
    """Each keeps to the one it has: whoever waited for a second while holding one would wait for everybody."""
    somebody.has(MARCH, revenue=1_000_00)
    client = somebody.company.as_(somebody.name)
    asked = [
        disputes_pb2.OpenDisputeRequest(request_id=request_id(), rule_id="share", on=on(MARCH), words="少")
        for _ in range(24)
    ]
    with ThreadPoolExecutor(len(asked)) as pool:
        came = list(pool.map(lambda each: _reason(client, each), asked))
    assert sorted(came) == ["", *["DISPUTE_OPEN"] * 23]


def _reason(client: Client, asked: disputes_pb2.OpenDisputeRequest) -> str:
    try:
        # One try: what is answered after another is not heard here.
        client.disputes.OpenDispute(asked, timeout=4)
    except grpc.RpcError as error:
        return from_rpc_error(error).reason
    return ""

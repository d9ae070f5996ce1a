"""Holds, releases and batches in any order: paid and kept is what was due, and each part is paid once."""

from collections import Counter
from collections.abc import Callable
from functools import partial

import grpc
import pytest
from foothold.incentives.v1 import closing_pb2
from google.type.money_pb2 import Money
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from chassis.errors import from_rpc_error
from tests.incentives import plans
from tests.incentives.company import Company
from tests.incentives.plans import per_unit, percent, plan, rate_of
from tests.incentives.test_held_deals import change, deals, hold, release
from tests.incentives.test_payouts import FEBRUARY, Branch


@pytest.fixture(scope="module")
def wild(company: Company) -> str:
    """A plan with every way in which a deal less may pay more, less, or the same elsewhere."""
    gated = plans.gate(
        plans.at_least("deals_won", plans.count(3)),
        per_unit("deals_won", "70", id="gated-unit"),
        plans.bonus("revenue", plans.money("2000"), "90", id="gated-bonus"),
    )
    capped = plans.cap("150", rate_of("revenue", percent(6), id="capped-share"))
    floored = plans.floor("80", per_unit("deals_won", "30", id="floored-unit"))
    average = plans.bonus("average_order_value", plans.money("500"), "110", id="average")
    stepped = plans.tiers(
        "deals_won",
        (plans.count(0), plans.count(2), "0"),
        (plans.count(2), plans.count(4), "100"),
        (plans.count(4), None, "260"),
    )
    role = "wild"
    rules = (rate_of("revenue", percent(3)), stepped, gated, capped, floored, average)
    company.as_("hr").create(plan(*rules, job_role=role))
    return role


def steps(*whats: str, most: int) -> st.SearchStrategy[list[tuple[str, int]]]:
    return st.lists(st.tuples(st.sampled_from(whats), st.integers(0, 4)), max_size=most)


# Held and released at will, then the payout's own batch, then what that left out in any number of others.
STEPS = st.tuples(
    steps("hold", "hold", "line", "release", "free line", most=6),
    st.just([("batch", 0)]),
    steps("release", "free line", "batch", "batch", "hold", "line", most=7),
).map(lambda told: [*told[0], *told[1], *told[2]])
_SOMETIMES = {"", "PAYOUT_HOLD", "PAYOUT_IN_BATCH", "DEAL_INSEPARABLE", "NOTHING_TO_PAY", "LINE_UNKNOWN"}


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(amounts=st.lists(st.integers(0, 1_500), min_size=5, max_size=5), steps=STEPS)
@example(
    amounts=[1_000, 7, 300, 0, 1_500],
    steps=[
        ("hold", 0),
        ("line", 1),
        ("batch", 0),
        ("free line", 1),
        ("batch", 0),
        ("release", 0),
        ("batch", 0),
    ],
)
def test_paid_and_kept_is_what_was_due_and_each_part_is_paid_once(
    company: Company, wild: str, amounts: list[int], steps: list[tuple[str, int]]
) -> None:
    branch = Branch(company)
    person = company.newcomer(f"{branch.id}-wild", branch.id, wild)
    branch.people = [person]
    deals(company, person, *amounts)
    company.settle()
    company.figures(person, FEBRUARY, revenue=100 * sum(amounts), deals_won=len(amounts))
    company.settle()
    branch.close()
    branch.approve()
    statement = branch.as_("own hr").statement(person, FEBRUARY)
    due = Counter({each.rule_id: fen(each.amount) for each in statement.lines if fen(each.amount)})
    # Lines that hang on every deal.
    lines = ["gated-unit", "share"]
    paid: Counter[str] = Counter()

    def attempt(what: str, number: int) -> None:
        if what == "hold":
            hold(branch, number)
        elif what == "release":
            release(branch, number)
        elif what == "batch":
            for each in branch.lines(branch.batch()):
                assert fen(each.amount) * due[each.rule_id] > 0
                paid[each.rule_id] += fen(each.amount)
        else:
            rule_id = lines[number % len(lines)]
            change(branch, 0, None, release=what == "free line", rule_id=rule_id)

    for what, number in steps:
        refused = reason_or_none(partial(attempt, what, number))
        assert refused in _SOMETIMES
        payout = branch.listed(person_ids=[person]).payouts[0]
        within(due, paid, {each.rule_id: each for each in payout.held_lines})
        owed = fen(branch.listed().approved_total)
        kept = sum(fen(each.amount) for each in payout.held_lines)
        assert sum(paid.values()) + owed + kept == sum(due.values())
    payout = branch.listed(person_ids=[person]).payouts[0]
    for deal in payout.held_deals:
        release(branch, deal.external_id)
    for line in payout.held_lines:
        if not line.in_part:
            change(branch, 0, None, release=True, rule_id=line.rule_id)
    assert reason_or_none(lambda: attempt("batch", 0)) in {"", "NOTHING_TO_PAY"}
    assert paid == due, "all of it, and not a fen more"


def reason_or_none(call: Callable[[], object]) -> str:
    """With which reason a call is refused; empty where it is not."""
    try:
        call()
    except grpc.RpcError as error:
        return from_rpc_error(error).reason
    return ""


def within(due: Counter[str], paid: Counter[str], kept: dict[str, closing_pb2.HeldLine]) -> None:
    """Nothing is paid or kept beyond what a line pays."""
    for rule_id, amount in due.items():
        assert 0 <= paid[rule_id] * (1 if amount > 0 else -1) <= abs(amount)
    for rule_id, each in kept.items():
        if each.in_part:
            assert 0 < fen(each.amount) <= due[rule_id] - paid[rule_id]


def fen(money: Money) -> int:
    return int(money.units * 100 + money.nanos // 10_000_000)

"""What hangs on a deal of the real goals is held back by the real incentives, as it was when the period was closed."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import grpc
import pytest
from foothold.goals.v1 import facts_pb2
from foothold.goals.v1 import values_pb2 as goals_values_pb2
from foothold.incentives.v1 import payouts_pb2

from chassis.errors import from_rpc_error
from tests.conftest import ServiceDatabase
from tests.contract.test_goals_to_incentives import (
    DEAL_WON,
    FOLLOW_UP,
    REVERSED,
    Joint,
    fact,
    goals_heard,
    record,
)
from tests.incentives.company import NOW, eventually, on, reason_of, request_id
from tests.incentives.plans import MONTH, bonus, count, in_yuan, per_unit, percent, plan, rate_of, yuan

FEBRUARY = NOW - timedelta(days=20)
_DAY = FEBRUARY.date()


@pytest.fixture(scope="module")
def joint(database_for: Callable[[str], ServiceDatabase]) -> Iterator[Joint]:
    made = Joint(database_for("incentives"), database_for("goals"))
    agree(made)
    yield made
    made.close()


def agree(made: Joint) -> None:
    """4 % of revenue and 2 % of overlay, 50 for a deal, 300 more from three on."""
    rules = (
        rate_of("revenue", percent(4), id="own"),
        rate_of("overlay_revenue", percent(2), id="on-top"),
        per_unit("deals_won", "50", id="each"),
        bonus("deals_won", count(3), "300", id="three"),
        per_unit("new_customers", "10", id="customers"),
    )
    made.as_("hr").create(plan(*rules))


def won(person_id: str, name: str, amount: str, **more: Any) -> facts_pb2.Fact:
    return fact(DEAL_WON, person_id, name, FEBRUARY, amount=yuan(amount), **more)


def held(joint: Joint, person_id: str, deal: str, **more: Any) -> payouts_pb2.Payout:
    asked = payouts_pb2.HoldPayoutRequest(
        request_id=request_id(),
        person_id=person_id,
        period_kind=MONTH,
        on=on(_DAY),
        reason="合同待核实",
        deal=payouts_pb2.PayoutDeal(source="crm", external_id=deal),
        **more,
    )
    return joint.as_("hr").payouts.HoldPayout(asked).payout


def looked_at(joint: Joint, person_id: str) -> payouts_pb2.ListPayoutDealsResponse:
    asked = payouts_pb2.ListPayoutDealsRequest(person_id=person_id, period_kind=MONTH, on=on(_DAY))
    return joint.as_("hr").payouts.ListPayoutDeals(asked)


def parts(payout: payouts_pb2.Payout) -> dict[str, str]:
    return {each.rule_id: in_yuan(each.amount) for each in payout.held_lines}


def newcomers(joint: Joint, *people: str) -> None:
    for each in people:
        joint.newcomer(each)
    joint.settle()
    for each in people:
        goals_heard(joint, each)


def closed(joint: Joint, node_id: str) -> None:
    joint.settle()
    joint.as_("hr").close(node_id, _DAY)


def credit(person_id: str, part: int, *, overlay: bool = False) -> facts_pb2.Credit:
    share = goals_values_pb2.Value(unit=goals_values_pb2.UNIT_RATE, numerator=part, denominator=100)
    return facts_pb2.Credit(person_id=person_id, share=share, overlay=overlay)


def test_each_is_kept_their_share_and_later_facts_are_adjustments_that_change_nothing_of_it(
    joint: Joint,
) -> None:
    newcomers(joint, "owner", "part", "presale")
    shared = [credit("owner", 60), credit("part", 40), credit("presale", 50, overlay=True)]
    record(
        joint,
        won("owner", "a", "9999.99", credits=shared, customer="c1"),
        won("owner", "b", "1000", customer="c1"),
        won("owner", "c", "1000", customer="c2"),
        fact(FOLLOW_UP, "owner", "f", FEBRUARY, customer="c1"),
    )
    closed(joint, "shanghai")
    listed = looked_at(joint, "owner").deals
    assert {
        each.name.external_id: (in_yuan(each.amount), each.HasField("deal_amount")) for each in listed
    } == {
        "owner-a": ("5999.99", True),
        "owner-b": ("1000.00", False),
        "owner-c": ("1000.00", False),
    }
    assert {in_yuan(each.deal_amount) for each in listed if each.HasField("deal_amount")} == {"9999.99"}
    # Before anything is held goals learns better: one deal is worth half, one never was, one comes too late.
    record(
        joint,
        won("owner", "b", "500", customer="c1", version=1),
        fact(REVERSED, "owner", "back", NOW, reverses="owner-c"),
        won("owner", "late", "700"),
    )
    joint.settle()
    adjusted = list(joint.as_("owner").statement().adjustments)
    assert [(each.rule_id, in_yuan(each.amount)) for each in adjusted] == [("own", "-32.00")]
    # 12,000 of three deals were frozen, 7,999.99 of them the owner's, and that is what is held of.
    assert parts(held(joint, "owner", "owner-b")) == {"own": "40.00", "each": "50.00", "three": "300.00"}
    assert parts(held(joint, "owner", "owner-c")) == {"own": "80.00", "each": "100.00", "three": "300.00"}
    assert parts(held(joint, "owner", "owner-a")) == {"own": "320.00", "each": "150.00", "three": "300.00"}
    assert parts(held(joint, "part", "owner-a")) == {"own": "160.00"}
    assert parts(held(joint, "presale", "owner-a")) == {"on-top": "100.00"}
    for person_id, deal in (
        ("owner", "owner-late"),
        ("owner", "none"),
        ("part", "owner-b"),
        ("part", "owner-a/part"),
    ):
        assert reason_of(lambda who=person_id, name=deal: held(joint, who, name)) == "DEAL_UNKNOWN"  # type: ignore[misc]
    own = joint.as_("owner").statement(day=_DAY)
    assert [each.external_id for each in own.frozen.held_deals] == ["owner-b", "owner-c", "owner-a"]
    assert parts_sum(own) == "770.00"


def parts_sum(statement: Any) -> str:
    total = sum(
        each.amount.units * 100 + each.amount.nanos // 10_000_000 for each in statement.frozen.held_lines
    )
    return f"{total // 100}.{total % 100:02}"


def test_a_metric_that_measures_something_else_by_now_is_asked_for_as_it_was(joint: Joint) -> None:
    joint.defines("live_revenue", "SUM_AMOUNT", "UNIT_MONEY", channels=["douyin"])
    rule = rate_of("live_revenue", percent(10), id="live")
    made = eventually(lambda: not reason(lambda: joint.as_("hr").create(plan(rule, job_role="streamer"))))
    assert made
    joint.newcomer("streams", "beijing-sales", "streamer")
    joint.settle()
    goals_heard(joint, "streams")
    record(
        joint,
        won("streams", "live", "1000", channel="douyin"),
        won("streams", "more", "500", channel="douyin"),
        won("streams", "phone", "300", channel="phone"),
    )
    closed(joint, "beijing")
    joint.defines("live_revenue", "SUM_AMOUNT", "UNIT_MONEY", channels=["phone"], replaces=1)
    eventually(lambda: list(joint.as_("streams").statement().adjustments))
    assert parts(held(joint, "streams", "streams-live")) == {"live": "100.00"}
    assert reason(lambda: held(joint, "streams", "streams-phone")) == "DEAL_INSEPARABLE", (
        "it paid nothing then"
    )


def reason(call: Callable[[], object]) -> str:
    try:
        call()
    except grpc.RpcError as error:
        return from_rpc_error(error).reason
    return ""

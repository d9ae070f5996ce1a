"""Without goals nobody can say what hangs on a deal; the whole payout is held all the same."""

from collections.abc import Callable, Iterator

import grpc
import pytest
from foothold.incentives.v1 import payouts_pb2

from chassis.errors import from_rpc_error
from tests.conftest import ServiceDatabase
from tests.contract.test_goals_to_incentives import Joint, record
from tests.contract.test_held_deals import FEBRUARY, agree, closed, held, newcomers, won
from tests.incentives.company import on, request_id
from tests.incentives.plans import MONTH


@pytest.fixture
def joint(database_for: Callable[[str], ServiceDatabase]) -> Iterator[Joint]:
    made = Joint(database_for("incentives"), database_for("goals"))
    agree(made)
    yield made
    made.close()


def test_goals_that_is_down_is_told_with_what_to_do_and_nothing_is_changed(joint: Joint) -> None:
    newcomers(joint, "waiting")
    record(joint, won("waiting", "a", "1000"))
    closed(joint, "hq")
    before = joint.fingerprint()
    assert joint._goals is not None
    joint._goals.stop(grace=1)
    with pytest.raises(grpc.RpcError) as refusal:
        held(joint, "waiting", "waiting-a")
    failure = from_rpc_error(refusal.value)
    assert (failure.code.name, failure.reason) == ("UNAVAILABLE", "GOALS_UNREACHABLE")
    assert joint.fingerprint() == before
    whole = payouts_pb2.HoldPayoutRequest(
        request_id=request_id(),
        person_id="waiting",
        period_kind=MONTH,
        on=on(FEBRUARY.date()),
        reason="先整笔扣住",
    )
    held_whole = joint.as_("hr").payouts.HoldPayout(whole).payout
    assert held_whole.hold_reason == "先整笔扣住", "that needs no goals"

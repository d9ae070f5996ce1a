"""Reaching for periods."""

from collections.abc import Callable, Mapping
from itertools import count
from typing import Final

from foothold.incentives.v1 import disputes_pb2, payouts_pb2, periods_pb2, values_pb2
from google.type.date_pb2 import Date

from chassis.ids import new_id
from tests.permissions.probes import Probe, Reach, Request

_numbers = count()
_PERIODS: Final = "/foothold.incentives.v1.PeriodsService/"
_ABOUT: Final = "/foothold.incentives.v1.DisputesService/"
_PAYOUTS: Final = "/foothold.incentives.v1.PayoutsService/"


def _close(reach: Reach) -> Request:
    # Each a month of its own, long before everything else.
    number = next(_numbers)
    on = Date(year=2001 + number // 12 % 15, month=number % 12 + 1, day=1)
    kind = values_pb2.PERIOD_KIND_MONTH
    return periods_pb2.ClosePeriodRequest(request_id=new_id(), node_id=reach.target, period_kind=kind, on=on)


def _get(reach: Reach) -> Request:
    return periods_pb2.GetPeriodRequest(node_id=reach.target, period_kind=values_pb2.PERIOD_KIND_MONTH)


def _about(reach: Reach, kind: Callable[..., Request], **more: str) -> Request:
    on = Date(year=2019, month=1, day=1)
    return kind(period_kind=values_pb2.PERIOD_KIND_MONTH, on=on, **more)


def _of_node(kind: Callable[..., Request], **more: str) -> Callable[[Reach], Request]:
    return lambda reach: _about(reach, kind, node_id=reach.target, **more)


def _command_of_node(kind: Callable[..., Request]) -> Callable[[Reach], Request]:
    return lambda reach: _about(reach, kind, node_id=reach.target, request_id=new_id())


def _command_of_person(kind: Callable[..., Request]) -> Callable[[Reach], Request]:
    return lambda reach: _about(
        reach, kind, person_id=reach.target, request_id=new_id(), reason="Looked at again"
    )


def _pay(_reach: Reach) -> Request:
    on = Date(year=2019, month=2, day=5)
    return payouts_pb2.MarkBatchPaidRequest(request_id=new_id(), batch_id="no-such-batch", paid_on=on)


_NO_BATCH: Final = frozenset({"BATCH_UNKNOWN"})
_NONE_CLOSED: Final = frozenset({"PAYOUT_UNKNOWN"})
# Of whose batches one reads tells tests/incentives/test_payouts.py: here no period is closed that anybody was paid for.
_BATCHES: Final[Mapping[str, Probe]] = {
    _PAYOUTS + "ListPayouts": Probe("nodes", _of_node(payouts_pb2.ListPayoutsRequest)),
    _PAYOUTS + "ApprovePayouts": Probe(
        "nodes",
        _command_of_node(payouts_pb2.ApprovePayoutsRequest),
        through=frozenset({"PERIOD_NOT_CLOSED"}),
    ),
    _PAYOUTS + "HoldPayout": Probe(
        "people", _command_of_person(payouts_pb2.HoldPayoutRequest), through=_NONE_CLOSED
    ),
    _PAYOUTS + "ReleasePayout": Probe(
        "people", _command_of_person(payouts_pb2.ReleasePayoutRequest), through=_NONE_CLOSED
    ),
    _PAYOUTS + "ListPayoutDeals": Probe(
        "people",
        lambda reach: _about(reach, payouts_pb2.ListPayoutDealsRequest, person_id=reach.target),
        through=_NONE_CLOSED,
    ),
    _PAYOUTS + "CreateBatch": Probe(
        "nodes", _command_of_node(payouts_pb2.CreateBatchRequest), through=frozenset({"NOTHING_TO_PAY"})
    ),
    _PAYOUTS + "MarkBatchPaid": Probe("nothing", _pay, through=_NO_BATCH),
    _PAYOUTS + "GetBatch": Probe(
        "nothing", lambda _: payouts_pb2.GetBatchRequest(batch_id="no-such-batch"), through=_NO_BATCH
    ),
    _PAYOUTS + "ListBatches": Probe("nothing", lambda _: payouts_pb2.ListBatchesRequest()),
    _PAYOUTS + "ListBatchLines": Probe(
        "nothing", lambda _: payouts_pb2.ListBatchLinesRequest(batch_id="no-such-batch"), through=_NO_BATCH
    ),
}
_NO_DISPUTE: Final = frozenset({"DISPUTE_UNKNOWN"})
_DISPUTES: Final[Mapping[str, Probe]] = {
    _ABOUT + "OpenDispute": Probe(
        "nothing",
        lambda _: disputes_pb2.OpenDisputeRequest(request_id=new_id(), rule_id="none", words="Too little"),
        through=frozenset({"LINE_UNKNOWN"}),
    ),
    _ABOUT + "WithdrawDispute": Probe(
        "nothing",
        lambda _: disputes_pb2.WithdrawDisputeRequest(request_id=new_id(), dispute_id="none"),
        through=_NO_DISPUTE,
    ),
    _ABOUT + "AnswerDispute": Probe(
        "nothing",
        lambda _: disputes_pb2.AnswerDisputeRequest(request_id=new_id(), dispute_id="none", answer="No"),
        through=_NO_DISPUTE,
    ),
    _ABOUT + "GetDispute": Probe(
        "nothing", lambda _: disputes_pb2.GetDisputeRequest(dispute_id="none"), through=_NO_DISPUTE
    ),
    _ABOUT + "ListDisputes": Probe(
        "nodes", lambda reach: disputes_pb2.ListDisputesRequest(node_id=reach.target)
    ),
}
PROBES: Final[Mapping[str, Probe]] = {
    # Departments are closed with their branch: who may close one is told so by a field.
    _PERIODS + "ClosePeriod": Probe("nodes", _close, through=frozenset({"FIELD_INVALID"})),
    _PERIODS + "GetPeriod": Probe("nodes", _get),
    **_BATCHES,
    **_DISPUTES,
}

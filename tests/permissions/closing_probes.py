"""Reaching for periods."""

from collections.abc import Mapping
from itertools import count
from typing import Final

from foothold.incentives.v1 import periods_pb2, values_pb2
from google.type.date_pb2 import Date

from chassis.ids import new_id
from tests.permissions.probes import Probe, Reach, Request

_numbers = count()
_PERIODS: Final = "/foothold.incentives.v1.PeriodsService/"


def _close(reach: Reach) -> Request:
    # Each a month of its own, long before everything else.
    number = next(_numbers)
    on = Date(year=2001 + number // 12 % 15, month=number % 12 + 1, day=1)
    kind = values_pb2.PERIOD_KIND_MONTH
    return periods_pb2.ClosePeriodRequest(request_id=new_id(), node_id=reach.target, period_kind=kind, on=on)


def _get(reach: Reach) -> Request:
    return periods_pb2.GetPeriodRequest(node_id=reach.target, period_kind=values_pb2.PERIOD_KIND_MONTH)


PROBES: Final[Mapping[str, Probe]] = {
    # Departments are closed with their branch: who may close one is told so by a field.
    _PERIODS + "ClosePeriod": Probe("nodes", _close, through=frozenset({"FIELD_INVALID"})),
    _PERIODS + "GetPeriod": Probe("nodes", _get),
}

"""Reaching for numbers that nodes set for plans."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from foothold.incentives.v1 import parameters_pb2
from google.type.date_pb2 import Date

from chassis.ids import new_id
from tests.permissions.content import WITH_NUMBERS, setting_for
from tests.permissions.probes import Probe, Reach, Request, shown_if

_PARAMETERS: Final = "/foothold.incentives.v1.ParametersService/"
# The enterprise's plan is its own: whoever is let through is told to propose another.
_OWN: Final = frozenset({"PARAMETER_UNKNOWN"})


def _resolve(reach: Reach) -> Request:
    return parameters_pb2.ResolveParametersRequest(node_id=reach.target, job_role="sales")


def _check(reach: Reach) -> Request:
    return parameters_pb2.CheckParameterRequest(setting=setting_for(reach.target, date(2001, 1, 1)))


def _set(reach: Reach) -> Request:
    # Before there was a plan.
    setting = setting_for(reach.target, date(2001, 1, 1))
    return parameters_pb2.SetParameterRequest(request_id=new_id(), setting=setting)


def _approve(reach: Reach) -> Request:
    id = reach.enterprise.content.setting_at(reach.target)
    return parameters_pb2.ApproveParameterRequest(request_id=new_id(), setting_id=id)


def _refuse(reach: Reach) -> Request:
    id = reach.enterprise.content.setting_at(reach.target)
    return parameters_pb2.RefuseParameterRequest(request_id=new_id(), setting_id=id, reason="not now")


def _end(reach: Reach) -> Request:
    return parameters_pb2.EndParameterRequest(
        request_id=new_id(),
        setting_id=reach.enterprise.content.setting_at(reach.target),
        effective_to=Date(year=2025, month=1, day=1),
        reason="not now",
    )


def _list(reach: Reach) -> Request:
    reach.enterprise.content.setting_at(reach.target)
    return parameters_pb2.ListParameterSettingsRequest(
        job_role=WITH_NUMBERS, states=[parameters_pb2.ParameterSetting.STATE_PENDING], page_size=1000
    )


def _listed(answer: Any, reach: Reach) -> bool:
    # Nothing is set at the top: a branch elsewhere stands for everywhere.
    wanted = "beijing" if reach.target == "hq" else reach.target
    return wanted in {each.node_id for each in answer.settings}


PROBES: Final[Mapping[str, Probe]] = {
    _PARAMETERS + "ResolveParameters": Probe("nodes", _resolve),
    _PARAMETERS + "CheckParameter": Probe("nodes", _check, through=_OWN),
    _PARAMETERS + "SetParameter": Probe("nodes", _set, through=_OWN),
    _PARAMETERS + "ApproveParameter": Probe("nodes", _approve),
    _PARAMETERS + "RefuseParameter": Probe("nodes", _refuse),
    _PARAMETERS + "EndParameter": Probe("nodes", _end),
    _PARAMETERS + "ListParameterSettings": Probe("nodes", _list, meaning=shown_if(_listed)),
}

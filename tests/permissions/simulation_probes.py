"""Reaching for simulations, and for periods to compute anew."""

from collections.abc import Mapping
from typing import Any, Final

from foothold.incentives.v1 import recompute_pb2, simulation_pb2, values_pb2
from google.type.date_pb2 import Date

from chassis.ids import new_id
from tests.permissions.content import simulation
from tests.permissions.probes import Probe, Reach, Request, shown_if

_SIMULATIONS: Final = "/foothold.incentives.v1.SimulationsService/"
_RECOMPUTE: Final = "/foothold.incentives.v1.RecomputeService/RecomputePeriod"


def _recompute(reach: Reach) -> Request:
    # Long before everything else: there is nothing to look at.
    return recompute_pb2.RecomputePeriodRequest(
        request_id=new_id(),
        node_id=reach.target,
        period_kind=values_pb2.PERIOD_KIND_MONTH,
        on=Date(year=2001, month=1, day=1),
    )


def _start(reach: Reach) -> Request:
    return simulation(reach.target)


def _get(reach: Reach) -> Request:
    return simulation_pb2.GetSimulationRequest(
        simulation_id=reach.enterprise.content.simulation_of(reach.target)
    )


def _people(reach: Reach) -> Request:
    return simulation_pb2.ListSimulatedPeopleRequest(
        simulation_id=reach.enterprise.content.simulation_of(reach.target)
    )


def _cancel(reach: Reach) -> Request:
    return simulation_pb2.CancelSimulationRequest(
        request_id=new_id(), simulation_id=reach.enterprise.content.simulation_of(reach.target)
    )


def _listed(answer: Any, reach: Reach) -> bool:
    return reach.target in {each.node_id for each in answer.simulations}


def _list(reach: Reach) -> Request:
    reach.enterprise.content.simulation_of(reach.target)
    return simulation_pb2.ListSimulationsRequest(page_size=1000)


PROBES: Final[Mapping[str, Probe]] = {
    _RECOMPUTE: Probe("nodes", _recompute),
    _SIMULATIONS + "StartSimulation": Probe("nodes", _start),
    _SIMULATIONS + "GetSimulation": Probe("nodes", _get),
    _SIMULATIONS + "ListSimulations": Probe("nodes", _list, meaning=shown_if(_listed)),
    _SIMULATIONS + "ListSimulatedPeople": Probe("nodes", _people),
    # It may be done by then: whoever may stop it is told so.
    _SIMULATIONS + "CancelSimulation": Probe("nodes", _cancel, through=frozenset({"SIMULATION_ENDED"})),
}

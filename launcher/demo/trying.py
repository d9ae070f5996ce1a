"""Headquarters wonders what Shenzhen's plan would have cost everywhere: a simulation to look at."""

from datetime import date
from typing import Final

from foothold.incentives.v1 import plans_pb2, plans_pb2_grpc, simulation_pb2, simulation_pb2_grpc
from google.type.date_pb2 import Date

from launcher.demo.acting import acting
from launcher.demo.enterprise import enterprise
from launcher.reaching import Reached

_HR: Final = "gu.wenjing"
_PILOT: Final = "newcomer-sales-shenzhen"
_MONTHS: Final = 3


def try_the_pilot_everywhere(reached: Reached, anchor: date) -> None:
    """Over the last whole months; to be called when incentives has heard of everything."""
    with acting(reached, _HR) as own:
        channel = own.channel("incentives")
        asked = plans_pb2.GetPlanRequest(plan_id=_PILOT)
        plan = plans_pb2_grpc.PlansServiceStub(channel).GetPlan(asked).plan
        plan.id, plan.node_id, plan.name = "", enterprise().id, "全国改用深圳试点方案"
        count = anchor.year * 12 + anchor.month - 1 - _MONTHS
        simulation_pb2_grpc.SimulationsServiceStub(channel).StartSimulation(
            simulation_pb2.StartSimulationRequest(
                request_id="demo-try-the-pilot",
                name="深圳试点推广到全国，要花多少",
                node_id=enterprise().id,
                first_month=Date(year=count // 12, month=count % 12 + 1, day=1),
                months=_MONTHS,
                plans=[plan],
            )
        )

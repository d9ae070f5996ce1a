"""Which permission each RPC needs. A method without a row is closed to everybody, and `build` refuses to start."""

from collections.abc import Mapping
from typing import Final

_PACKAGE: Final = "/foothold.incentives.v1"

PERMISSIONS: Final[Mapping[str, str]] = {
    f"{_PACKAGE}.PlansService/CheckPlan": "incentives.plans.read",
    f"{_PACKAGE}.PlansService/CreatePlan": "incentives.plans.write",
    f"{_PACKAGE}.PlanLifeService/ApprovePlan": "incentives.plans.approve",
    f"{_PACKAGE}.PlanLifeService/RejectPlan": "incentives.plans.write",
    f"{_PACKAGE}.PlanLifeService/GetPersonPlans": "incentives.plans.read",
    f"{_PACKAGE}.PlanLifeService/AcknowledgePlan": "incentives.plans.acknowledge",
    f"{_PACKAGE}.PlanLifeService/ListAcknowledgements": "incentives.plans.read",
    f"{_PACKAGE}.PlansService/GetPlan": "incentives.plans.read",
    f"{_PACKAGE}.PlansService/ListPlans": "incentives.plans.read",
    f"{_PACKAGE}.StatementsService/GetStatement": "incentives.statements.read",
    f"{_PACKAGE}.StatementsService/ListStatements": "incentives.statements.read",
    f"{_PACKAGE}.StatementsService/ExplainLine": "incentives.statements.read",
    f"{_PACKAGE}.WhatIfService/TryChanges": "incentives.statements.read",
    f"{_PACKAGE}.WhatIfService/ReachTotal": "incentives.statements.read",
    f"{_PACKAGE}.PeriodsService/ClosePeriod": "incentives.periods.close",
    f"{_PACKAGE}.PeriodsService/GetPeriod": "incentives.statements.read",
    f"{_PACKAGE}.RecomputeService/RecomputePeriod": "incentives.periods.close",
    f"{_PACKAGE}.SimulationsService/StartSimulation": "incentives.plans.simulate",
    f"{_PACKAGE}.SimulationsService/GetSimulation": "incentives.plans.simulate",
    f"{_PACKAGE}.SimulationsService/ListSimulations": "incentives.plans.simulate",
    f"{_PACKAGE}.SimulationsService/ListSimulatedPeople": "incentives.plans.simulate",
    f"{_PACKAGE}.SimulationsService/CancelSimulation": "incentives.plans.simulate",
    f"{_PACKAGE}.PayoutsService/ListPayouts": "incentives.statements.read",
    f"{_PACKAGE}.PayoutsService/ApprovePayouts": "incentives.payouts.approve",
    f"{_PACKAGE}.PayoutsService/HoldPayout": "incentives.payouts.hold",
    f"{_PACKAGE}.PayoutsService/ReleasePayout": "incentives.payouts.hold",
    f"{_PACKAGE}.PayoutsService/CreateBatch": "incentives.payouts.pay",
    f"{_PACKAGE}.PayoutsService/MarkBatchPaid": "incentives.payouts.pay",
    f"{_PACKAGE}.PayoutsService/GetBatch": "incentives.payouts.pay",
    f"{_PACKAGE}.PayoutsService/ListBatches": "incentives.payouts.pay",
    f"{_PACKAGE}.PayoutsService/ListBatchLines": "incentives.payouts.pay",
    f"{_PACKAGE}.BoardsService/CreateBoard": "incentives.boards.write",
    f"{_PACKAGE}.BoardsService/ListBoards": "incentives.boards.read",
    f"{_PACKAGE}.BoardsService/GetBoard": "incentives.boards.read",
    f"{_PACKAGE}.FeedService/ListEvents": "incentives.feed.read",
    f"{_PACKAGE}.FeedService/GetFollowing": "incentives.feed.read",
}

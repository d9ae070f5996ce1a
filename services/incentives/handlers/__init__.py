"""The servicers: read the request, one transaction, ask the domain, answer."""

from services.incentives.handlers.boards import BoardsHandler
from services.incentives.handlers.disputes import DisputesHandler
from services.incentives.handlers.feed import FeedHandler
from services.incentives.handlers.honours import HonoursHandler
from services.incentives.handlers.parameters import ParametersHandler
from services.incentives.handlers.payouts import PayoutsHandler
from services.incentives.handlers.periods import PeriodsHandler
from services.incentives.handlers.plan_life import PlanLifeHandler
from services.incentives.handlers.plans import PlansHandler
from services.incentives.handlers.recompute import RecomputeHandler
from services.incentives.handlers.simulations import SimulationsHandler
from services.incentives.handlers.statements import StatementsHandler
from services.incentives.handlers.whatif import WhatIfHandler

__all__ = [
    "BoardsHandler",
    "DisputesHandler",
    "FeedHandler",
    "HonoursHandler",
    "ParametersHandler",
    "PayoutsHandler",
    "PeriodsHandler",
    "PlanLifeHandler",
    "PlansHandler",
    "RecomputeHandler",
    "SimulationsHandler",
    "StatementsHandler",
    "WhatIfHandler",
]

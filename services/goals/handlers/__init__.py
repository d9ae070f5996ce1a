"""The servicers of goals: translate, one transaction, call the domain."""

from services.goals.handlers.allocation import AllocationHandler
from services.goals.handlers.calendars import CalendarsHandler
from services.goals.handlers.cascade import CascadeHandler
from services.goals.handlers.coaching import CoachingHandler
from services.goals.handlers.coaching_rules import CoachingRulesHandler
from services.goals.handlers.effort import EffortHandler
from services.goals.handlers.evidence import EvidenceHandler
from services.goals.handlers.facts import FactsHandler
from services.goals.handlers.fairness import FairnessHandler
from services.goals.handlers.feed import FeedHandler
from services.goals.handlers.forecast import ForecastHandler
from services.goals.handlers.industries import IndustriesHandler
from services.goals.handlers.metric_library import MetricLibraryHandler
from services.goals.handlers.metrics import MetricsHandler
from services.goals.handlers.objectives import ObjectivesHandler
from services.goals.handlers.progress import ProgressHandler
from services.goals.handlers.standards import StandardsHandler
from services.goals.handlers.targets import TargetsHandler

__all__ = [
    "AllocationHandler",
    "CalendarsHandler",
    "CascadeHandler",
    "CoachingHandler",
    "CoachingRulesHandler",
    "EffortHandler",
    "EvidenceHandler",
    "FactsHandler",
    "FairnessHandler",
    "FeedHandler",
    "ForecastHandler",
    "IndustriesHandler",
    "MetricLibraryHandler",
    "MetricsHandler",
    "ObjectivesHandler",
    "ProgressHandler",
    "StandardsHandler",
    "TargetsHandler",
]

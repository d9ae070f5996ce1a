"""The servicers of goals: translate, one transaction, call the domain."""

from services.goals.handlers.facts import FactsHandler
from services.goals.handlers.feed import FeedHandler
from services.goals.handlers.metric_library import MetricLibraryHandler
from services.goals.handlers.metrics import MetricsHandler
from services.goals.handlers.progress import ProgressHandler
from services.goals.handlers.targets import TargetsHandler

__all__ = [
    "FactsHandler",
    "FeedHandler",
    "MetricLibraryHandler",
    "MetricsHandler",
    "ProgressHandler",
    "TargetsHandler",
]

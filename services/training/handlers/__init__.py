"""The servicers: a request translated, one transaction, the domain called, an answer translated."""

from services.training.handlers.courses import CoursesHandler
from services.training.handlers.feed import FeedHandler
from services.training.handlers.learning import LearningHandler

__all__ = ["CoursesHandler", "FeedHandler", "LearningHandler"]

"""Courses and learning in the database; every store is narrowed by a scope."""

from services.training.store.courses import CourseStore, StoredCourse
from services.training.store.learning import LearningStore

__all__ = ["CourseStore", "LearningStore", "StoredCourse"]

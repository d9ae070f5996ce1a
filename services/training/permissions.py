"""Who may call what: full method name -> the permission it needs."""

from collections.abc import Mapping
from typing import Final

READ_COURSES: Final = "training.courses.read"
WRITE_COURSES: Final = "training.courses.write"
READ_LEARNING: Final = "training.learning.read"
TAKE: Final = "training.learning.take"
READ_FEED: Final = "training.feed.read"

PERMISSIONS: Final[Mapping[str, str]] = {
    "/foothold.training.v1.CoursesService/CreateCourse": WRITE_COURSES,
    "/foothold.training.v1.CoursesService/UpdateCourse": WRITE_COURSES,
    "/foothold.training.v1.CoursesService/GetCourse": READ_COURSES,
    "/foothold.training.v1.CoursesService/ListCourses": READ_COURSES,
    "/foothold.training.v1.LearningService/GetLearning": READ_LEARNING,
    "/foothold.training.v1.LearningService/CompleteLesson": TAKE,
    "/foothold.training.v1.LearningService/SubmitAttempt": TAKE,
    "/foothold.training.v1.LearningService/ListAttempts": READ_LEARNING,
    "/foothold.training.v1.FeedService/ListEvents": READ_FEED,
    "/foothold.training.v1.FeedService/GetFollowing": READ_FEED,
}

"""Reaching for training. A node's course is the one that `content` made there."""

from collections.abc import Mapping
from itertools import count
from typing import Final

from foothold.training.v1 import courses_pb2, feed_pb2, learning_pb2

from chassis.ids import new_id
from tests.permissions.content import course, course_of
from tests.permissions.probes import Probe, Reach, Request, shown_if

_numbers = count(1)


def _create(reach: Reach) -> Request:
    made = course(f"course-{next(_numbers)}", reach.target)
    made.job_roles.append("nobody")
    return courses_pb2.CreateCourseRequest(request_id=new_id(), course=made)


def _update(reach: Reach) -> Request:
    changed = courses_pb2.Course(id=course_of(reach.target), summary=f"Change {next(_numbers)}")
    request = courses_pb2.UpdateCourseRequest(request_id=new_id(), course=changed)
    request.update_mask.paths.append("summary")
    return request


def _lesson(reach: Reach) -> Request:
    return learning_pb2.CompleteLessonRequest(
        request_id=new_id(), course_id=course_of(reach.target), lesson_id="l1"
    )


def _attempt(reach: Reach) -> Request:
    return learning_pb2.SubmitAttemptRequest(request_id=new_id(), course_id=course_of(reach.target))


_COURSES: Final = "/foothold.training.v1.CoursesService/"
_LEARNING: Final = "/foothold.training.v1.LearningService/"

PROBES: Final[Mapping[str, Probe]] = {
    _COURSES + "CreateCourse": Probe("nodes", _create),
    _COURSES + "UpdateCourse": Probe("nodes", _update),
    _COURSES + "GetCourse": Probe(
        "nodes", lambda r: courses_pb2.GetCourseRequest(course_id=course_of(r.target))
    ),
    _COURSES + "ListCourses": Probe(
        "nodes",
        lambda _: courses_pb2.ListCoursesRequest(page_size=1000),
        meaning=shown_if(lambda answer, r: course_of(r.target) in {each.id for each in answer.courses}),
    ),
    _LEARNING + "GetLearning": Probe("people", lambda r: learning_pb2.GetLearningRequest(person_id=r.target)),
    _LEARNING + "CompleteLesson": Probe("nodes", _lesson),
    _LEARNING + "SubmitAttempt": Probe(
        "nodes", _attempt, through=frozenset({"ALREADY_PASSED", "LESSONS_INCOMPLETE", "RETAKE_LOCKED"})
    ),
    _LEARNING + "ListAttempts": Probe(
        "people", lambda r: learning_pb2.ListAttemptsRequest(person_id=r.target)
    ),
    "/foothold.training.v1.FeedService/ListEvents": Probe(
        "nothing", lambda _: feed_pb2.ListEventsRequest(page_size=1)
    ),
    "/foothold.training.v1.FeedService/GetFollowing": Probe(
        "nothing", lambda _: feed_pb2.GetFollowingRequest()
    ),
}

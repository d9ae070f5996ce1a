"""Nothing a caller can send is answered with a fault of ours, and nothing malformed changes a row."""

import random

import grpc
import pytest
from foothold.training.v1 import courses_pb2, feed_pb2, learning_pb2

from chassis.errors import from_rpc_error
from tests.training.conftest import School
from tests.training.examples import course_message
from tests.training.malformed import malformed

_SEED = 20250303
_EACH = 300
_REFUSALS = {"INVALID_ARGUMENT", "NOT_FOUND", "PERMISSION_DENIED", "FAILED_PRECONDITION", "OUT_OF_RANGE"}
_METHODS = [
    method
    for file in (courses_pb2, learning_pb2, feed_pb2)
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
]
# Somebody who may do as much as can be done with the service.
_CALLERS = {"CoursesService": "trainer", "LearningService": "li", "FeedService": "administrator"}


def test_three_thousand_malformed_requests_are_refused_and_change_nothing(school: School) -> None:
    school.as_("trainer").create(course_message("local", "shanghai"))
    li = school.as_("li")
    li.lesson("local")
    before, told = school.fingerprint(), dict[str, int]()
    chance, leaks = random.Random(_SEED), list[str]()
    for method in _METHODS:
        channel = school.as_(_CALLERS[method.containing_service.name]).channel
        call = channel.unary_unary(
            f"/{method.containing_service.full_name}/{method.name}",
            request_serializer=lambda raw: raw,
            response_deserializer=lambda raw: raw,
        )
        for request in malformed(method, chance, _EACH):
            try:
                call(request, timeout=2)
                code = "OK"
            except grpc.RpcError as error:
                failure = from_rpc_error(error)
                code = failure.code.name
                leaks += [word for word in ("Traceback", "psycopg", "SELECT") if word in str(failure)]
            reads = method.name.startswith(("Get", "List"))
            assert code in (_REFUSALS | {"OK"} if reads else _REFUSALS), (method.name, request, code)
            told[code] = told.get(code, 0) + 1
    assert sum(told.values()) == _EACH * len(_METHODS) >= 2_000
    assert not leaks
    assert school.fingerprint() == before
    assert told["INVALID_ARGUMENT"] > 1_500


@pytest.mark.parametrize("page_size", [-1, -(2**31)])
def test_a_negative_page_size_is_named(school: School, page_size: int) -> None:
    with pytest.raises(grpc.RpcError, match="invalid fields"):
        school.as_("li").courses.ListCourses(courses_pb2.ListCoursesRequest(page_size=page_size))


def test_a_course_as_large_as_allowed_is_stored(school: School) -> None:
    lessons = [courses_pb2.Lesson(id=f"l{n}", title="长", text="课" * 50_000) for n in range(50)]
    trainer = school.as_("trainer")
    created = trainer.create(course_message("large", "beijing", lessons=lessons, job_roles=["none"]))
    assert len(created.lessons) == 50
    assert trainer.course("large") == created

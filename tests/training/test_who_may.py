"""Who may do what in training: oneself, a peer, a mentor, a manager, a trainer, another branch, nobody."""

import time
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from foothold.identity.v1 import directory_pb2
from foothold.training.v1 import courses_pb2, feed_pb2, learning_pb2

from chassis.errors import from_rpc_error
from tests.training.conftest import Client, School, request_id
from tests.training.examples import course_message

_OK, _DENIED, _HIDDEN, _SIGN_IN = "OK", "PERMISSION_DENIED", "NOT_FOUND", "UNAUTHENTICATED"


def _code(call: Callable[..., Any], *arguments: Any) -> str:
    try:
        call(*arguments)
    except grpc.RpcError as error:
        return from_rpc_error(error).code.name
    return _OK


@pytest.fixture(scope="module")
def course_id(school: School) -> str:
    """A Shanghai course without a quiz."""
    return school.as_("trainer").create(course_message("local", "shanghai", quiz=None)).id


@pytest.mark.parametrize(
    ("who", "code"),
    [
        ("li", _OK),
        ("wang", _HIDDEN),
        ("zhao", _HIDDEN),
        ("mentor", _OK),
        ("manager", _OK),
        ("trainer", _OK),
        ("shanghai-trainer", _OK),
        ("nobody", _DENIED),
    ],
)
def test_whose_learning_is_whose_business(school: School, course_id: str, who: str, code: str) -> None:
    client = school.as_(who)
    assert _code(client.path, "li") == code
    assert _code(client.attempts, "li") == code


def test_a_peer_cannot_tell_a_colleague_from_nobody_by_guessing(school: School, course_id: str) -> None:
    wang = school.as_("wang")
    for read in (wang.path, wang.attempts):
        told = []
        for person_id in ("li", "no-such-person", "shanghai-sales"):
            with pytest.raises(grpc.RpcError) as error:
                read(person_id)
            failure = from_rpc_error(error.value)
            told.append((failure.code, failure.reason, failure.message, failure.metadata))
        assert told == [told[0]] * 3


@pytest.mark.parametrize(
    ("who", "write", "read", "take"),
    [
        ("li", _DENIED, _OK, _OK),
        ("zhao", _DENIED, _HIDDEN, _HIDDEN),
        ("mentor", _DENIED, _OK, _DENIED),
        ("manager", _DENIED, _OK, _DENIED),
        ("trainer", _OK, _OK, _DENIED),
        ("shanghai-trainer", _OK, _OK, _DENIED),
        ("nobody", _DENIED, _DENIED, _DENIED),
    ],
)
def test_a_branch_course_by_role(
    school: School, course_id: str, who: str, write: str, read: str, take: str
) -> None:
    client = school.as_(who)
    change = courses_pb2.Course(id=course_id, summary=f"von {who}")
    assert _code(client.update, change, "summary") == write
    assert _code(client.course, course_id) == read
    assert _code(client.lesson, course_id) == take


def test_a_branch_trainer_writes_for_the_branch_only(school: School) -> None:
    shared = school.as_("trainer").create(course_message("shared-by-all", quiz=None)).id
    local = school.as_("shanghai-trainer")
    assert _code(local.create, course_message("mine", "shanghai", quiz=None)) == _OK
    assert _code(local.create, course_message("for-all", "hq", quiz=None)) == _HIDDEN
    assert _code(local.create, course_message("theirs", "beijing", quiz=None)) == _HIDDEN
    assert _code(local.course, shared) == _OK
    assert _code(local.update, courses_pb2.Course(id=shared, title="meins"), "title") == _DENIED


def test_nobody_learns_in_anothers_name(school: School, course_id: str) -> None:
    """There is no field to name another person with, and a service account has no path at all.

    The administrator may learn, but a branch's course is not on the path of somebody at headquarters.
    """
    for client, code in (
        (school.as_("trainer"), _DENIED),
        (school.as_service_account("crm"), _DENIED),
        (school.as_("administrator"), _HIDDEN),
    ):
        request = learning_pb2.CompleteLessonRequest(
            request_id=request_id(), course_id=course_id, lesson_id="l1"
        )
        assert _code(client.learning.CompleteLesson, request) == code


def test_the_feed_is_for_integrators_and_our_own_processes(school: School) -> None:
    for who, code in (("li", _DENIED), ("trainer", _DENIED), ("administrator", _OK)):
        client = school.as_(who)
        assert _code(client.feed.ListEvents, feed_pb2.ListEventsRequest()) == code
        assert _code(client.feed.GetFollowing, feed_pb2.GetFollowingRequest()) == code
    crm = school.as_service_account("crm")
    assert _code(crm.feed.ListEvents, feed_pb2.ListEventsRequest(page_size=3)) == _OK
    following = crm.feed.GetFollowing(feed_pb2.GetFollowingRequest())
    assert [each.feed for each in following.feeds] == ["identity"]


def _everything(client: Client) -> list[str]:
    course = course_message("never", quiz=None)
    update = courses_pb2.UpdateCourseRequest(request_id=request_id(), course=course)
    update.update_mask.paths.append("title")
    lesson = learning_pb2.CompleteLessonRequest(request_id=request_id(), course_id="local", lesson_id="l1")
    attempt = learning_pb2.SubmitAttemptRequest(request_id=request_id(), course_id="local")
    created = courses_pb2.CreateCourseRequest(request_id=request_id(), course=course)
    calls: list[tuple[Callable[..., Any], Any]] = [
        (client.courses.CreateCourse, created),
        (client.courses.UpdateCourse, update),
        (client.courses.GetCourse, courses_pb2.GetCourseRequest(course_id="local")),
        (client.courses.ListCourses, courses_pb2.ListCoursesRequest()),
        (client.learning.GetLearning, learning_pb2.GetLearningRequest(person_id=client.person_id)),
        (client.learning.CompleteLesson, lesson),
        (client.learning.SubmitAttempt, attempt),
        (client.learning.ListAttempts, learning_pb2.ListAttemptsRequest(person_id=client.person_id)),
        (client.feed.ListEvents, feed_pb2.ListEventsRequest()),
        (client.feed.GetFollowing, feed_pb2.GetFollowingRequest()),
    ]
    return [_code(call, request) for call, request in calls]


def test_without_a_token_every_door_is_shut(school: School) -> None:
    before = school.fingerprint()
    assert set(_everything(school.signed_out())) == {_SIGN_IN}
    assert set(_everything(Client(school.channel("not.a.token"), "li"))) == {_SIGN_IN}
    assert school.fingerprint() == before


def test_whoever_is_dismissed_is_out_within_seconds_and_what_was_learnt_remains(
    school: School, course_id: str
) -> None:
    left = school.as_("left")
    left.lesson(course_id)
    school.tell(person_changed=school.person("left", status=directory_pb2.PERSON_STATUS_DISMISSED))
    until = time.monotonic() + 5
    while _code(left.path) == _OK:
        assert time.monotonic() < until
        time.sleep(0.02)
    before = school.fingerprint()
    assert set(_everything(left)) == {_SIGN_IN}
    assert school.fingerprint() == before
    kept = {each.course.id: each.state for each in school.as_("manager").path("left").courses}
    assert kept[course_id] == learning_pb2.COURSE_STATE_PASSED

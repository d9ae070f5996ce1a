"""Making, changing and finding courses, through the public contract."""

import threading
from collections.abc import Callable
from itertools import count
from typing import Any

import grpc
import pytest
from foothold.training.v1 import courses_pb2, feed_pb2
from sqlalchemy.exc import DBAPIError

from chassis.errors import Failure, from_rpc_error
from tests.training.conftest import Client, School, request_id
from tests.training.examples import course_message, quiz_message

_numbers = count(1)


def _refused(call: Callable[..., Any], *arguments: Any) -> Failure:
    with pytest.raises(grpc.RpcError) as error:
        call(*arguments)
    return from_rpc_error(error.value)


def _id(stem: str) -> str:
    return f"{stem}-{next(_numbers)}"


def _seen(client: Client) -> set[str]:
    request = courses_pb2.ListCoursesRequest(page_size=1000)
    return {each.id for each in client.courses.ListCourses(request).courses}


def test_s31_shared_courses_are_the_same_and_local_ones_each_branchs_own(school: School) -> None:
    shared, local, remote = _id("shared"), _id("shanghai"), _id("beijing")
    trainer = school.as_("trainer")
    for id, node_id in ((shared, "hq"), (local, "shanghai"), (remote, "beijing")):
        trainer.create(course_message(id, node_id, quiz=None, order=1))
    li, zhao = school.as_("li"), school.as_("zhao")
    assert {shared, local} <= _seen(li)
    assert {shared, remote} <= _seen(zhao)
    assert remote not in _seen(li)
    assert local not in _seen(zhao)
    assert li.course(shared) == zhao.course(shared)
    on_path = {each.course.id for each in li.path().courses}
    assert {shared, local} <= on_path
    assert remote not in on_path
    for hidden in (
        _refused(li.course, remote),
        _refused(li.lesson, remote),
        _refused(li.hand_in, remote, 1),
        _refused(li.course, "no-such-course"),
        _refused(school.as_("shanghai-trainer").course, remote),
        _refused(school.as_("shanghai-trainer").update, courses_pb2.Course(id=remote, title="x"), "title"),
    ):
        assert (hidden.code, hidden.reason) == (grpc.StatusCode.NOT_FOUND, "COURSE_UNKNOWN")
    only_here = courses_pb2.ListCoursesRequest(node_id="shanghai", page_size=1000)
    assert {each.node_id for each in li.courses.ListCourses(only_here).courses} == {"shanghai"}
    only_there = courses_pb2.ListCoursesRequest(node_id="beijing", page_size=1000)
    assert not li.courses.ListCourses(only_there).courses


def test_right_answers_reach_nobody_but_those_who_write_the_course(school: School) -> None:
    id = _id("secret")
    trainer = school.as_("trainer")
    created = trainer.create(course_message(id))
    assert created == trainer.course(id)
    assert [each.right for each in created.quiz.questions[0].options] == [True, False, False]
    for person_id in ("li", "mentor", "manager", "shanghai-trainer"):
        seen = school.as_(person_id).course(id)
        assert len(seen.quiz.questions) == 10
        assert not any(option.right for each in seen.quiz.questions for option in each.options)
        assert not any(each.explanation for each in seen.quiz.questions)
        assert seen.lessons == created.lessons
    listed = courses_pb2.ListCoursesRequest(page_size=1000)
    for each in trainer.courses.ListCourses(listed).courses:
        assert not each.quiz.questions
        assert not any(lesson.text for lesson in each.lessons)
    administrator = school.as_("administrator")
    position = 0
    while events := administrator.feed.ListEvents(
        feed_pb2.ListEventsRequest(after_position=position, page_size=1000)
    ).events:
        position = events[-1].position
        for event in events:
            for question in event.course_changed.quiz.questions:
                assert not question.explanation
                assert not any(option.right for option in question.options)


def test_a_change_names_its_fields_and_leaves_the_others(school: School) -> None:
    trainer, id = school.as_("trainer"), _id("changing")
    before = trainer.create(course_message(id))
    after = trainer.update(
        courses_pb2.Course(id=id, title="新的", summary="x", minutes=5), "title", "minutes"
    )
    assert (after.title, after.summary, after.minutes) == ("新的", before.summary, 5)
    assert (after.lessons, after.quiz) == (before.lessons, before.quiz)
    assert after.etag != before.etag
    unchanged = trainer.update(courses_pb2.Course(id=id, title="新的"), "title")
    assert unchanged == after
    without_quiz = trainer.update(courses_pb2.Course(id=id), "quiz")
    assert not without_quiz.HasField("quiz")
    again = trainer.update(courses_pb2.Course(id=id, quiz=quiz_message(1)), "quiz")
    assert again.quiz.version == 2
    lessons = [courses_pb2.Lesson(id="l9", title="九"), courses_pb2.Lesson(id="l1", title="一", text="*一*")]
    assert list(trainer.update(courses_pb2.Course(id=id, lessons=lessons), "lessons").lessons) == lessons
    assert list(trainer.course(id).lessons) == lessons


def test_somebody_who_was_slower_is_told(school: School) -> None:
    trainer, id = school.as_("trainer"), _id("raced")
    first = trainer.create(course_message(id))
    trainer.update(courses_pb2.Course(id=id, title="先", etag=first.etag), "title")
    late = _refused(trainer.update, courses_pb2.Course(id=id, title="后", etag=first.etag), "title")
    assert (late.code, late.reason) == (grpc.StatusCode.ABORTED, "ETAG_MISMATCH")
    assert trainer.course(id).title == "先"


@pytest.mark.parametrize(
    ("mask", "why"), [([], "update_mask"), (["node_id"], "update_mask"), (["quiz.pass_mark"], "update_mask")]
)
def test_a_mask_names_what_can_change(school: School, mask: list[str], why: str) -> None:
    trainer, id = school.as_("trainer"), _id("masked")
    trainer.create(course_message(id))
    refused = _refused(trainer.update, courses_pb2.Course(id=id, node_id="beijing"), *mask)
    assert (refused.reason, list(refused.fields)) == ("FIELD_INVALID", [why])


def test_circles_are_refused_even_when_closed_from_both_ends_at_once(school: School) -> None:
    trainer = school.as_("trainer")
    for _ in range(5):
        one, two = _id("circle"), _id("circle")
        trainer.create(course_message(one))
        trainer.create(course_message(two))
        outcomes: list[str] = []

        def link(course_id: str, requires: str, outcomes: list[str] = outcomes) -> None:
            try:
                trainer.update(
                    courses_pb2.Course(id=course_id, requires_course_id=requires), "requires_course_id"
                )
            except grpc.RpcError as error:
                outcomes.append(from_rpc_error(error).reason)
            else:
                outcomes.append("linked")

        threads = [threading.Thread(target=link, args=pair) for pair in ((one, two), (two, one))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(outcomes) == ["COURSE_INVALID", "linked"]


def test_a_faulty_course_is_refused_with_every_fault_and_not_stored(school: School) -> None:
    trainer, id = school.as_("trainer"), _id("faulty")
    faulty = course_message(id, title="", minutes=0, requires_course_id="nowhere", lessons=[])
    refused = _refused(trainer.create, faulty)
    assert refused.reason == "COURSE_INVALID"
    assert set(refused.fields) == {"course.title", "course.minutes", "course.lessons"}
    unknown = _refused(trainer.create, course_message(id, requires_course_id="nowhere"))
    assert set(unknown.fields) == {"course.requires_course_id"}
    assert _refused(trainer.course, id).reason == "COURSE_UNKNOWN"


def test_a_course_is_made_once_however_often_it_is_sent(school: School) -> None:
    trainer, id = school.as_("trainer"), _id("once")
    request = courses_pb2.CreateCourseRequest(request_id=request_id(), course=course_message(id))
    assert trainer.courses.CreateCourse(request) == trainer.courses.CreateCourse(request)
    request.course.title = "anders"
    assert _refused(trainer.courses.CreateCourse, request).reason == "REQUEST_ID_REUSED"
    assert _refused(trainer.create, course_message(id)).reason == "ALREADY_EXISTS"
    chosen = trainer.create(course_message("", title="id by the server"))
    assert trainer.course(chosen.id).title == "id by the server"


def test_courses_are_paged_in_learning_order(school: School) -> None:
    trainer = school.as_("trainer")
    places = {_id("page"): place for place in (7, 3, 3, 9, 0)}
    for id, place in places.items():
        trainer.create(course_message(id, "beijing", order=place, quiz=None))
    request = courses_pb2.ListCoursesRequest(node_id="beijing", page_size=2)
    found: list[str] = []
    while True:
        page = trainer.courses.ListCourses(request)
        assert len(page.courses) <= 2
        found += [each.id for each in page.courses]
        request.page_token = page.next_page_token
        if not request.page_token:
            break
    ours = [id for id in found if id in places]
    assert ours == sorted(places, key=lambda id: (places[id], id))
    request.page_token = "made up"
    assert _refused(trainer.courses.ListCourses, request).reason == "PAGE_TOKEN_INVALID"


def test_stored_quizzes_and_attempts_cannot_be_rewritten(school: School) -> None:
    school.as_("trainer").create(course_message(_id("kept")))
    for statement in ("UPDATE quizzes SET pass_mark = 1", "DELETE FROM quizzes", "DELETE FROM attempts"):
        with (
            pytest.raises(DBAPIError, match="append-only"),
            school.database.begin() as connection,
        ):
            connection.exec_driver_sql(statement)

"""Learning sent twice, at once, in pages and as news."""

import threading
from datetime import timedelta

import grpc
import pytest
from foothold.training.v1 import courses_pb2, feed_pb2, learning_pb2

from chassis.errors import from_rpc_error
from tests.training.conftest import Client, School, number, reason
from tests.training.examples import NOW, course_message


def test_two_tries_at_once_are_one_after_the_other(li: Client, courses: tuple[str, str, str]) -> None:
    first, _, _ = courses
    li.lesson(first)
    outcomes: list[str] = []

    def submit() -> None:
        try:
            li.hand_in(first, 7, wait_for_ready=True)
        except grpc.RpcError as error:
            outcomes.append(from_rpc_error(error).reason)
        else:
            outcomes.append("marked")

    threads = [threading.Thread(target=submit) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["RETAKE_LOCKED"] * 5 + ["marked"]
    assert [each.number for each in li.attempts(course_id=first)] == [1]


def test_the_same_request_sent_again_and_at_once_is_one_attempt(
    li: Client, courses: tuple[str, str, str]
) -> None:
    first, _, _ = courses
    li.lesson(first)
    request = learning_pb2.SubmitAttemptRequest(request_id="one-try", course_id=first)
    answers: list[learning_pb2.SubmitAttemptResponse] = []
    threads = [
        threading.Thread(target=lambda: answers.append(li.learning.SubmitAttempt(request))) for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 5
    assert len({answer.SerializeToString(deterministic=True) for answer in answers}) == 1
    assert len(li.attempts(course_id=first)) == 1
    request.answers.add(question_id="q1", option_ids=["a"])
    with pytest.raises(grpc.RpcError) as reused:
        li.learning.SubmitAttempt(request)
    assert reason(reused) == "REQUEST_ID_REUSED"


def test_completing_a_lesson_again_changes_nothing(
    school: School, li: Client, courses: tuple[str, str, str]
) -> None:
    first, _, _ = courses
    li.lesson(first)
    with school.database.read() as connection:
        before = connection.exec_driver_sql("SELECT count(*) FROM outbox_event").scalar_one()
    school.clock.advance(timedelta(hours=1))
    assert li.lesson(first).completed_lesson_ids == ["l1"]
    with school.database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM outbox_event").scalar_one() == before
    school.clock.set(NOW)


def test_what_was_learnt_is_told_in_the_feed(
    school: School, li: Client, courses: tuple[str, str, str]
) -> None:
    first, _, _ = courses
    administrator = school.as_("administrator")
    head = administrator.feed.ListEvents(feed_pb2.ListEventsRequest(page_size=1)).head_position
    li.lesson(first)
    li.hand_in(first, 7)
    request = feed_pb2.ListEventsRequest(after_position=head)
    request.wait.FromTimedelta(timedelta(seconds=5))
    events: list[feed_pb2.Event] = []
    mine: list[feed_pb2.LearningChanged] = []
    while len(mine) < 2:
        events += administrator.feed.ListEvents(request).events
        request.after_position = events[-1].position
        mine = [e.learning_changed for e in events if e.learning_changed.person_id == li.person_id]
    lesson, attempt = mine
    assert (lesson.person_id, lesson.course_id, lesson.state) == (
        li.person_id,
        first,
        learning_pb2.COURSE_STATE_STARTED,
    )
    assert (attempt.state, attempt.attempt.points) == (learning_pb2.COURSE_STATE_REMEDIAL_DUE, 70)
    assert [each.position for each in events] == list(range(head + 1, head + 1 + len(events)))


def test_attempts_are_paged_oldest_first(school: School, li: Client) -> None:
    ids = [f"paged-{number()}" for _ in range(3)]
    trainer = school.as_("trainer")
    for id in ids:
        trainer.create(course_message(id))
        li.lesson(id)
        li.hand_in(id, 10)
    request = learning_pb2.ListAttemptsRequest(person_id=li.person_id, page_size=2)
    first = li.learning.ListAttempts(request)
    request.page_token = first.next_page_token
    second = li.learning.ListAttempts(request)
    assert [each.course_id for each in (*first.attempts, *second.attempts)] == ids
    assert second.next_page_token == ""
    request.person_id = "mentor"
    with pytest.raises(grpc.RpcError) as wrong:
        school.as_("manager").learning.ListAttempts(request)
    assert reason(wrong) == "PAGE_TOKEN_INVALID"
    for id in ids:
        trainer.update(courses_pb2.Course(id=id, job_roles=["nobody-here"]), "job_roles")

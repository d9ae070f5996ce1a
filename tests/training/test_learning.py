"""Taking courses, through the public contract."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from itertools import count

import grpc
import pytest
from foothold.identity.v1 import access_pb2, directory_pb2
from foothold.training.v1 import courses_pb2, feed_pb2, learning_pb2

from chassis.errors import Failure, from_rpc_error
from tests.training.conftest import Client, School
from tests.training.examples import NOW, course_message, quiz_message

_numbers = count(1)


def reason(error: "pytest.ExceptionInfo[grpc.RpcError]") -> str:
    return refusal(error).reason


def refusal(error: "pytest.ExceptionInfo[grpc.RpcError]") -> Failure:
    return from_rpc_error(error.value)


@pytest.fixture
def li(school: School) -> Client:
    """A newcomer of the Shanghai branch who has not learnt anything yet."""
    person_id = f"newcomer-{next(_numbers)}"
    person = school.person("li", id=person_id, employee_number=person_id)
    school.tell(person_changed=person)
    binding = access_pb2.Binding(
        id=f"of-{person_id}", role_id="salesperson", subject_id=person_id, node_id=person_id
    )
    school.tell(binding_added=binding)
    client = school.as_(person_id)
    _until_known(client)
    return client


def _until_known(client: Client) -> None:
    for _ in range(100):
        try:
            client.path()
        except grpc.RpcError as error:
            if from_rpc_error(error).reason not in {"NOT_READY", "PERMISSION_MISSING"}:
                raise
            threading.Event().wait(0.05)
        else:
            return
    raise AssertionError("the directory was not refreshed")


@pytest.fixture
def courses(school: School) -> Iterator[tuple[str, str, str]]:
    """A course with a quiz (pass mark 80), its remedial course, and the course it opens; ids."""
    n = next(_numbers)
    first, again, then = f"price-{n}", f"price-again-{n}", f"closing-{n}"
    trainer = school.as_("trainer")
    trainer.create(course_message(again, remedial=True, quiz=None))
    trainer.create(course_message(first, order=n, remedial_course_id=again))
    trainer.create(course_message(then, order=n, requires_course_id=first, quiz=None))
    yield first, again, then
    # Later tests have paths of their own.
    nobody = courses_pb2.Course(job_roles=["nobody-here"])
    for id in (then, first, again):
        nobody.id = id
        trainer.update(nobody, "job_roles")


def test_s14_seventy_then_the_remedial_then_ninety(li: Client, courses: tuple[str, str, str]) -> None:
    first, again, then = courses
    assert li.progress(then).state == learning_pb2.COURSE_STATE_LOCKED
    assert li.progress(then).blocked_by_course_id == first
    assert li.path().next_course_id == first
    with pytest.raises(grpc.RpcError) as locked:
        li.lesson(then)
    assert (reason(locked), refusal(locked).metadata) == ("COURSE_LOCKED", {"requires": first})
    with pytest.raises(grpc.RpcError) as unread:
        li.hand_in(first, 10)
    assert (reason(unread), refusal(unread).metadata) == ("LESSONS_INCOMPLETE", {"lesson": "l1"})

    li.lesson(first)
    failed = li.hand_in(first, 7)
    assert (failed.attempt.points, failed.attempt.possible, failed.attempt.passed) == (70, 100, False)
    assert failed.progress.state == learning_pb2.COURSE_STATE_REMEDIAL_DUE
    assert failed.progress.blocked_by_course_id == again
    assert failed.unlocked_course_id == ""
    assert [each.right for each in failed.results] == [True] * 7 + [False] * 3
    assert not any(each.explanation for each in failed.results)
    assert li.progress(then).state == learning_pb2.COURSE_STATE_LOCKED
    assert li.path().next_course_id == again

    with pytest.raises(grpc.RpcError) as too_soon:
        li.hand_in(first, 9)
    assert (reason(too_soon), refusal(too_soon).metadata) == ("RETAKE_LOCKED", {"remedial": again})
    li.lesson(again)
    assert li.progress(first).state == learning_pb2.COURSE_STATE_RETAKE_OPEN

    passed = li.hand_in(first, 9)
    assert (passed.attempt.points, passed.attempt.passed, passed.attempt.number) == (90, True, 2)
    assert passed.progress.state == learning_pb2.COURSE_STATE_PASSED
    assert passed.progress.passed_at.ToDatetime(NOW.tzinfo) == NOW
    assert passed.unlocked_course_id == then
    assert passed.results[9].explanation == "因为 10。"
    assert li.progress(then).state == learning_pb2.COURSE_STATE_OPEN
    assert [(each.points, each.passed) for each in li.attempts(course_id=first)] == [(70, False), (90, True)]
    assert [each.points for each in li.progress(first).attempts] == [70, 90]
    with pytest.raises(grpc.RpcError) as again_passed:
        li.hand_in(first, 10)
    assert reason(again_passed) == "ALREADY_PASSED"
    assert li.lesson(then).state == learning_pb2.COURSE_STATE_PASSED
    assert li.path().next_course_id == ""
    assert (li.path().passed_count, li.path().total_count) == (2, 2)


@pytest.mark.parametrize(
    ("points", "passes"),
    [
        ((80, 20), True),
        ((79, 21), False),
        ((159, 41), False),
        ((160, 40), True),
    ],
    ids=["80", "79", "79.5", "80 of 200"],
)
def test_s14_the_pass_mark_is_exact(
    school: School, li: Client, points: tuple[int, int], passes: bool
) -> None:
    id = f"exact-{next(_numbers)}"
    trainer = school.as_("trainer")
    trainer.create(course_message(id, quiz=quiz_message(*points)))
    li.lesson(id)
    attempt = li.hand_in(id, 1).attempt
    assert (attempt.passed, attempt.points, attempt.possible, attempt.pass_mark) == (
        passes,
        points[0],
        sum(points),
        80,
    )
    trainer.update(courses_pb2.Course(id=id, job_roles=["nobody-here"]), "job_roles")


def test_each_failure_needs_the_remedial_again(li: Client, courses: tuple[str, str, str]) -> None:
    first, again, _ = courses
    li.lesson(first)
    for _ in range(2):
        assert not li.hand_in(first, 1).attempt.passed
        assert li.progress(again).state == learning_pb2.COURSE_STATE_OPEN
        with pytest.raises(grpc.RpcError) as refused:
            li.hand_in(first, 10)
        assert reason(refused) == "RETAKE_LOCKED"
        assert li.lesson(again).state == learning_pb2.COURSE_STATE_PASSED
    assert li.hand_in(first, 8).attempt.passed
    assert [each.number for each in li.attempts(course_id=first)] == [1, 2, 3]


def test_a_quiz_changed_later_leaves_the_attempts_made_against_the_old_one(
    school: School, li: Client, courses: tuple[str, str, str]
) -> None:
    first, _, _ = courses
    trainer = school.as_("trainer")
    li.lesson(first)
    li.hand_in(first, 7)
    before = trainer.course(first)
    assert before.quiz.version == 1
    after = trainer.update(courses_pb2.Course(id=first, quiz=quiz_message(1, 1, pass_mark=50)), "quiz")
    assert (after.quiz.version, after.quiz.pass_mark) == (2, 50)
    (old,) = li.attempts(course_id=first)
    assert (old.points, old.possible, old.pass_mark, old.passed, old.quiz_version) == (70, 100, 80, False, 1)
    li.lesson(courses[1])
    stale = learning_pb2.SubmitAttemptRequest(request_id="stale", course_id=first, quiz_version=1)
    with pytest.raises(grpc.RpcError) as changed:
        li.learning.SubmitAttempt(stale)
    assert (reason(changed), refusal(changed).metadata) == ("QUIZ_CHANGED", {"version": "2"})
    assert li.hand_in(first, 1).attempt.quiz_version == 2
    again = trainer.update(courses_pb2.Course(id=first, title="同样的测验"), "title")
    assert again.quiz.version == 2


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
        before = connection.exec_driver_sql("SELECT count(*) FROM outbox").scalar_one()
    school.clock.advance(timedelta(hours=1))
    assert li.lesson(first).completed_lesson_ids == ["l1"]
    with school.database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM outbox").scalar_one() == before
    school.clock.set(NOW)


@pytest.mark.parametrize(
    ("answers", "field"),
    [
        ([("q99", ["a"])], "answers[0].question_id"),
        ([("q1", ["zz"])], "answers[0].option_ids"),
        ([("q1", ["a", "b"])], "answers[0].option_ids"),
        ([("q1", ["a"]), ("q1", ["a"])], "answers[1].question_id"),
    ],
)
def test_answers_that_do_not_fit_are_not_an_attempt(
    li: Client, courses: tuple[str, str, str], answers: list[tuple[str, list[str]]], field: str
) -> None:
    li.lesson(courses[0])
    request = learning_pb2.SubmitAttemptRequest(request_id="unfit", course_id=courses[0])
    for question_id, option_ids in answers:
        request.answers.add(question_id=question_id, option_ids=option_ids)
    with pytest.raises(grpc.RpcError) as refused:
        li.learning.SubmitAttempt(request)
    assert (reason(refused), list(refusal(refused).fields)) == ("ANSWERS_INVALID", [field])
    assert li.attempts() == []


def test_a_course_for_other_job_roles_is_not_on_the_path(school: School, li: Client) -> None:
    id = f"advanced-{next(_numbers)}"
    school.as_("trainer").create(course_message(id, job_roles=["graduate"], quiz=None))
    grad = school.as_("grad")
    assert id in {each.course.id for each in grad.path().courses}
    assert id not in {each.course.id for each in li.path().courses}
    with pytest.raises(grpc.RpcError) as refused:
        li.lesson(id)
    assert reason(refused) == "COURSE_NOT_FOR_ROLE"
    graduate: directory_pb2.Person = school.person("li", id=li.person_id, employee_number=li.person_id)
    graduate.job_role = "graduate"
    school.tell(person_changed=graduate)
    for _ in range(100):
        if id in {each.course.id for each in li.path().courses}:
            break
        threading.Event().wait(0.05)
    assert li.lesson(id).state == learning_pb2.COURSE_STATE_PASSED


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
    ids = [f"paged-{next(_numbers)}" for _ in range(3)]
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

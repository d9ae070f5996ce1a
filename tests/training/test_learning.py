"""Taking courses, through the public contract."""

import time

import grpc
import pytest
from foothold.identity.v1 import directory_pb2
from foothold.training.v1 import courses_pb2, learning_pb2

from tests.training.conftest import Client, School, number, reason, refusal
from tests.training.examples import NOW, course_message, quiz_message


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
    id = f"exact-{number()}"
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
    id = f"advanced-{number()}"
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
        time.sleep(0.05)
    assert li.lesson(id).state == learning_pb2.COURSE_STATE_PASSED

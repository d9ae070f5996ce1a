"""Learning never unlocks early and never takes back what was reached."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from services.training.domain.courses import Course, Lesson
from services.training.domain.learning import Done, Path, Record, Refusal, Refused, State
from services.training.domain.quizzes import Answer, mark
from tests.training.examples import NOW, course, quiz

_ONE = (Lesson("l1", "One"),)
_PATH = (
    course("basics", order=1, lessons=_ONE, quiz=quiz(1, 1, 1, 1, 1), remedy="again"),
    course("price", order=2, requires="basics", quiz=quiz(159, 41), remedy="again-tested"),
    course("free", order=3, requires="price"),
    course("freely-retaken", order=4, requires="basics", lessons=_ONE, quiz=quiz(1)),
    course("shares-the-remedy", order=5, lessons=_ONE, quiz=quiz(1), remedy="again"),
    course("again", order=9, remedial=True),
    course("again-tested", order=9, remedial=True, lessons=_ONE, quiz=quiz(1, 1)),
)


@dataclass
class Learner:
    """Somebody who tries things, and an account of what was let through."""

    path: Path
    step: int = 0

    def done(self) -> Done:
        self.step += 1
        return Done(self.step, NOW + timedelta(minutes=self.step))

    def lesson(self, course_id: str, lesson_id: str) -> bool:
        """Whether the lesson was let through and was news."""
        chosen = self._course(course_id)
        if self.path.refuses_lesson(chosen) or self.path.counts(chosen, lesson_id):
            return False
        self.path = self.path.complete_lesson(chosen, lesson_id, self.done())
        return True

    def lessons(self, course_id: str) -> None:
        for lesson in self._course(course_id).lessons:
            self.lesson(course_id, lesson.id)

    def hand_in(self, course_id: str, *right: int) -> bool | None:
        """Whether the attempt passed; None when it was refused."""
        chosen = self._course(course_id)
        if chosen.quiz is None or self.path.refuses_attempt(chosen):
            return None
        done, answers = self.done(), [Answer(f"q{n}", ("a",)) for n in right]
        marked = mark(chosen.quiz, answers)
        attempt = self.path.attempt(chosen, marked, id=str(done.step), person_id="li", done=done)
        self.path = self.path.hand_in(attempt)
        return attempt.passed

    def refused(self, course_id: str) -> Refused | None:
        return self.path.refuses_attempt(self._course(course_id))

    def state(self, course_id: str) -> State:
        return self.path.progress(self._course(course_id)).state

    def _course(self, course_id: str) -> Course:
        found = self.path.course(course_id)
        assert found is not None
        return found


def _learner() -> Learner:
    return Learner(Path(_PATH, Record()))


def test_s14_the_next_course_waits_for_the_pass_and_the_retake_for_the_remedial() -> None:
    li = _learner()
    assert (li.state("basics"), li.state("price")) == (State.OPEN, State.LOCKED)
    assert li.refused("basics") == Refused(Refusal.LESSONS_INCOMPLETE, "l1")
    li.lessons("basics")
    assert li.hand_in("basics", 1, 2, 3) is False
    assert (li.state("basics"), li.state("price"), li.state("again")) == (
        State.REMEDIAL_DUE,
        State.LOCKED,
        State.OPEN,
    )
    assert li.refused("basics") == Refused(Refusal.REMEDIAL_DUE, "again")
    assert li.path.next_course() == "again"
    li.lesson("again", "l1")
    assert li.refused("basics") == Refused(Refusal.REMEDIAL_DUE, "again")
    li.lesson("again", "l2")
    assert li.state("basics") is State.RETAKE_OPEN
    assert li.hand_in("basics", 1, 2, 3, 4) is True
    assert (li.state("basics"), li.state("price")) == (State.PASSED, State.OPEN)
    assert li.path.next_course() == "price"
    assert li.refused("basics") == Refused(Refusal.ALREADY_PASSED)


def test_each_failure_asks_for_the_remedial_anew() -> None:
    li = _learner()
    li.lessons("basics")
    assert li.hand_in("basics") is False
    li.lessons("again")
    assert li.hand_in("basics", 1) is False
    assert li.state("again") is State.OPEN
    assert li.refused("basics") == Refused(Refusal.REMEDIAL_DUE, "again")
    li.lessons("again")
    assert li.hand_in("basics", 1, 2, 3, 4, 5) is True
    assert [each.passed for each in li.path.record.attempts["basics"]] == [False, False, True]


def test_a_remedial_course_done_before_the_failure_does_not_count() -> None:
    li = _learner()
    for course_id in ("basics", "shares-the-remedy"):
        li.lessons(course_id)
    li.hand_in("shares-the-remedy")
    li.lessons("again")
    assert li.state("shares-the-remedy") is State.RETAKE_OPEN
    li.hand_in("basics")
    assert li.refused("basics") == Refused(Refusal.REMEDIAL_DUE, "again")
    assert li.state("shares-the-remedy") is State.RETAKE_OPEN


def test_a_remedial_course_with_a_quiz_is_done_when_that_is_passed() -> None:
    li = _learner()
    li.lessons("basics")
    li.hand_in("basics", 1, 2, 3, 4)
    li.lessons("price")
    assert li.hand_in("price", 1) is False, "79.5 does not reach 80"
    li.lessons("again-tested")
    assert li.state("price") is State.REMEDIAL_DUE
    assert li.hand_in("again-tested", 1) is False
    assert li.state("again-tested") is State.RETAKE_OPEN
    assert li.hand_in("again-tested", 1, 2) is True
    assert li.state("price") is State.RETAKE_OPEN
    assert li.hand_in("price") is False
    li.lessons("again-tested")
    assert li.state("price") is State.REMEDIAL_DUE, "its quiz is taken anew as well"
    assert li.hand_in("again-tested", 1, 2) is True
    assert li.hand_in("price", 1, 2) is True
    li.lessons("free")
    assert li.state("free") is State.PASSED, "a course without a quiz is passed with its last lesson"


def test_a_remedial_course_is_hidden_and_closed_until_it_is_due() -> None:
    li = _learner()
    assert li.refused("again") == Refused(Refusal.NOT_DUE)
    assert not li.lesson("again", "l1")
    assert "again" not in {each.course.id for each in li.path.shown()}
    li.lessons("basics")
    li.hand_in("basics")
    assert "again" in {each.course.id for each in li.path.shown()}


def test_what_was_passed_stays_passed_when_a_course_grows() -> None:
    li = _learner()
    li.lessons("basics")
    li.hand_in("basics", 1, 2, 3, 4)
    longer = course("basics", order=1, requires="late", quiz=quiz(1, 1), remedy="again")
    grown = Path([course("late"), longer, *_PATH[1:]], li.path.record)
    basics = grown.course("basics")
    assert basics is not None
    assert grown.progress(basics).state is State.PASSED
    assert grown.passed("basics")


# Completing a lesson, or handing in with these questions right: none, some, all.
_TRIES: tuple[str | frozenset[int], ...] = (
    "l1",
    "l2",
    frozenset(),
    frozenset({1, 2, 3}),
    frozenset(range(1, 6)),
)
_Moves = st.lists(
    st.sampled_from([(each.id, what) for each in _PATH for what in _TRIES]), min_size=70, max_size=140
)


class Account:
    """What was let through, told by other means than the path's own; refuses what came too early."""

    def __init__(self) -> None:
        self.known = {each.id: each for each in _PATH}
        self.passed: set[str] = set()
        # Course failed -> what of its remedial course was done since: lessons, and "quiz" once passed.
        self.failed: dict[str, set[str]] = {}

    def did(self, course_id: str, what: str) -> None:
        """Something of a course was done: a lesson, or `quiz` for a passed one."""
        course = self.known[course_id]
        assert not course.requires or course.requires in self.passed, "begun too early"
        demanding = [each for each in self.failed if self.known[each].remedy == course_id]
        assert demanding or not course.remedial, "a remedial course was begun before it was due"
        for each in demanding:
            self.failed[each].add(what)

    def marked(self, course_id: str, passed: bool) -> None:
        """A quiz was marked."""
        course = self.known[course_id]
        assert course_id not in self.passed, "handed in after the pass"
        if course_id in self.failed and course.remedy:
            remedy = self.known[course.remedy]
            needed = {lesson.id for lesson in remedy.lessons} | ({"quiz"} if remedy.quiz else set())
            assert self.failed[course_id] >= needed, "retaken before the remedial course was done"
        self.failed.pop(course_id, None)
        self.did(course_id, "quiz" if passed else "try")
        if not course.remedial and passed:
            self.passed.add(course_id)
        elif not course.remedial:
            self.failed[course_id] = set()


@settings(max_examples=300, deadline=None)
@given(_Moves)
def test_learning_never_unlocks_early_and_never_takes_a_pass_back(
    moves: Sequence[tuple[str, str | frozenset[int]]],
) -> None:
    li, account = _learner(), Account()
    without_quiz = {each.id for each in _PATH if each.quiz is None and not each.remedial}
    for course_id, what in moves:
        lessons = {lesson.id for lesson in account.known[course_id].lessons}
        if isinstance(what, frozenset):
            if (passed := li.hand_in(course_id, *what)) is not None:
                account.marked(course_id, passed)
        elif what in lessons and li.lesson(course_id, what):
            account.did(course_id, what)
            if course_id in without_quiz and li.state(course_id) is State.PASSED:
                account.passed.add(course_id)
        reached = {each.id for each in _PATH if not each.remedial and li.state(each.id) is State.PASSED}
        assert reached == account.passed

"""Marking is exact."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.training.domain.quizzes import Answer, answer_faults, mark, reaches
from tests.training.examples import question, quiz


@given(st.integers(0, 10_000), st.integers(1, 10_000), st.integers(1, 100))
def test_reaching_the_pass_mark_exactly_passes_and_nothing_is_rounded(
    points: int, possible: int, pass_mark: int
) -> None:
    assert reaches(points, possible, pass_mark) is (Fraction(points, possible) >= Fraction(pass_mark, 100))


@pytest.mark.parametrize(
    ("points", "possible", "passes"),
    [(80, 100, True), (79, 100, False), (159, 200, False), (160, 200, True), (4, 5, True)],
)
def test_s14_eighty_passes_and_seventy_nine_and_a_half_does_not(
    points: int, possible: int, passes: bool
) -> None:
    assert reaches(points, possible, 80) is passes


def test_all_right_options_and_no_other_must_be_chosen() -> None:
    several = quiz(1)
    several = type(several)(100, (question("q1", right="ab", multiple=True, points=3),), 1)
    chosen = {(): 0, ("a",): 0, ("a", "b"): 3, ("b", "a"): 3, ("a", "b", "c"): 0, ("c",): 0}
    for options, points in chosen.items():
        assert mark(several, [Answer("q1", options)]).points == points


def test_an_unanswered_question_is_wrong() -> None:
    marked = mark(quiz(3, 7), [Answer("q2", ("a",))])
    assert (marked.points, marked.possible, dict(marked.right)) == (7, 10, {"q1": False, "q2": True})


@pytest.mark.parametrize(
    ("answers", "field"),
    [
        ([Answer("q9", ("a",))], "answers[0].question_id"),
        ([Answer("q1", ("a",)), Answer("q1", ("b",))], "answers[1].question_id"),
        ([Answer("q1", ("z",))], "answers[0].option_ids"),
        ([Answer("q1", ("a", "b"))], "answers[0].option_ids"),
        ([Answer("q1", ("a", "a"))], "answers[0].option_ids"),
    ],
)
def test_answers_that_do_not_fit_the_quiz_are_named(answers: list[Answer], field: str) -> None:
    assert list(answer_faults(quiz(1, 1), answers)) == [field]

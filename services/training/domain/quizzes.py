"""Marking a quiz, in whole numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.training.domain.courses import Question, Quiz


@dataclass(frozen=True, slots=True)
class Answer:
    """The options chosen for a question, as they were sent."""

    question_id: str
    option_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """A marked quiz: the points earned of those possible, and for each question whether it was right."""

    points: int
    possible: int
    pass_mark: int
    right: Mapping[str, bool]

    @property
    def passed(self) -> bool:
        """Whether the score reaches the pass mark."""
        return reaches(self.points, self.possible, self.pass_mark)


def reaches(points: int, possible: int, pass_mark: int) -> bool:
    """Whether points / possible is at least `pass_mark` percent: exactly so much passes, nothing is rounded."""
    return points * 100 >= pass_mark * possible


def answer_faults(quiz: Quiz, answers: Sequence[Answer]) -> Mapping[str, str]:
    """Where the answers do not fit the quiz: field path in the contract's words -> why."""
    found: dict[str, str] = {}
    questions = {question.id: question for question in quiz.questions}
    seen: set[str] = set()
    for index, answer in enumerate(answers):
        at = f"answers[{index}]"
        question = questions.get(answer.question_id)
        if question is None:
            found[f"{at}.question_id"] = "is not a question of the quiz"
        elif answer.question_id in seen:
            found[f"{at}.question_id"] = "is answered twice"
        elif why := _misfit(question, answer.option_ids):
            found[f"{at}.option_ids"] = why
        seen.add(answer.question_id)
    return found


def _misfit(question: Question, chosen: Sequence[str]) -> str:
    if not {option.id for option in question.options}.issuperset(chosen):
        return "names an option the question does not have"
    if len(set(chosen)) != len(chosen):
        return "names an option twice"
    return "may name one option only" if len(chosen) > 1 and not question.multiple else ""


def mark(quiz: Quiz, answers: Sequence[Answer]) -> Mark:
    """Mark answers that fit the quiz. A question without an answer is wrong."""
    chosen = {answer.question_id: frozenset(answer.option_ids) for answer in answers}
    right = {question.id: chosen.get(question.id) == _key(question) for question in quiz.questions}
    return Mark(
        points=sum(question.points for question in quiz.questions if right[question.id]),
        possible=sum(question.points for question in quiz.questions),
        pass_mark=quiz.pass_mark,
        right=right,
    )


def _key(question: Question) -> frozenset[str]:
    return frozenset(option.id for option in question.options if option.right)

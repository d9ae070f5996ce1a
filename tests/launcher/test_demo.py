"""The demo enterprise: the same for the same day, growing day by day, with the stories it promises."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from foothold.goals.v1 import facts_pb2
from foothold.training.v1 import learning_pb2

from launcher.demo.accounts import ACCOUNTS
from launcher.demo.enterprise import DemoPerson, courses, enterprise
from launcher.demo.learning import _JOURNEYS, answers_for
from launcher.demo.stories import story_of

_ZONE = ZoneInfo("Asia/Shanghai")
# A Wednesday, the last and the first of a month, a Sunday on the first, and New Year's Day.
_DAYS = [date(2026, 11, 25), date(2026, 11, 30), date(2026, 12, 1), date(2026, 11, 1), date(2027, 1, 1)]


def _evening(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 23, 30, tzinfo=_ZONE)


def _story(person: DemoPerson, anchor: date, until: datetime | None = None) -> list[facts_pb2.Fact]:
    return story_of(person, anchor=anchor, until=until or _evening(anchor), zone=_ZONE)


def _somebody(story: str) -> DemoPerson:
    return next(person for person in enterprise().newcomers if person.story == story)


def _this_month(facts: list[facts_pb2.Fact], day: date) -> list[facts_pb2.Fact]:
    first = datetime(day.year, day.month, 1, tzinfo=_ZONE)
    return [fact for fact in facts if fact.occurred_at.ToDatetime(UTC) >= first]


def _close_rate(facts: list[facts_pb2.Fact]) -> tuple[int, int]:
    won = sum(fact.kind == facts_pb2.FACT_KIND_DEAL_WON for fact in facts)
    return won, len({fact.customer for fact in facts if fact.kind == facts_pb2.FACT_KIND_FOLLOW_UP})


def test_there_are_enough_people_of_each_kind() -> None:
    told = enterprise()
    assert len(told.people) >= 60
    assert len(told.newcomers) >= 30
    assert {unit.name for unit in told.units if unit.kind == "BRANCH"} == {
        f"{city}分公司" for city in ("北京", "上海", "广州", "杭州", "深圳")
    }
    for each in ("login", "number", "id"):
        assert len({getattr(person, each) for person in told.people}) == len(told.people)
    assert {account.login for account in ACCOUNTS} <= {person.login for person in told.people}
    assert {(account.login, account.name) for account in ACCOUNTS} <= {
        (person.login, person.name) for person in told.people
    }


@pytest.mark.parametrize("anchor", _DAYS)
def test_the_same_day_tells_the_same_story_and_the_next_days_only_add(anchor: date) -> None:
    for person in enterprise().newcomers:
        told = _story(person, anchor)
        assert told == _story(person, anchor)
        assert len({fact.external_id for fact in told}) == len(told)
        later = {
            fact.external_id: fact for fact in _story(person, anchor, _evening(anchor + timedelta(days=9)))
        }
        assert all(later[fact.external_id] == fact for fact in told)


@pytest.mark.parametrize("anchor", _DAYS)
def test_nothing_is_told_before_it_happened(anchor: date) -> None:
    morning = _evening(anchor) - timedelta(hours=13)
    for person in enterprise().newcomers:
        assert all(fact.occurred_at.ToDatetime(UTC) <= morning for fact in _story(person, anchor, morning))


@pytest.mark.parametrize("anchor", _DAYS)
def test_one_is_exactly_at_the_threshold_on_the_first_day(anchor: date) -> None:
    won, followed = _close_rate(_this_month(_story(_somebody("threshold"), anchor), anchor))
    assert Fraction(won, followed) == Fraction(1, 10)


def test_each_story_is_what_it_is_called() -> None:
    anchor = _DAYS[0]
    month = {story: _this_month(_story(_somebody(story), anchor), anchor) for story in _JOURNEYS}
    star, stuck = _close_rate(month["star"]), _close_rate(month["stuck"])
    assert Fraction(*star) > Fraction(15, 100)
    assert stuck[1] > 15
    assert Fraction(*stuck) < Fraction(5, 100)
    assert _story(_somebody("new"), anchor) == []
    stopped = _story(_somebody("stopped"), anchor)
    assert stopped
    last = max(fact.occurred_at.ToDatetime(UTC) for fact in stopped)
    assert last < _evening(anchor) - timedelta(days=15)
    kinds = Counter(fact.kind for fact in _story(_somebody("reversal"), anchor))
    assert kinds[facts_pb2.FACT_KIND_DEAL_REVERSED] == 1


def test_every_attempt_s_score_can_be_reached() -> None:
    told = {course["id"]: course for course in courses()}
    for journey in _JOURNEYS.values():
        for course_id, scores in journey.items():
            questions = told[course_id]["questions"]
            assert sum(question["points"] for question in questions) == 100
            for score in scores:
                assert _score(questions, answers_for(questions, score)) == score


def _score(questions: Sequence[Mapping[str, Any]], answers: Sequence[learning_pb2.Answer]) -> int:
    right = {
        question["id"]: {option["id"] for option in question["options"] if option.get("right")}
        for question in questions
    }
    points = {question["id"]: int(question["points"]) for question in questions}
    return sum(
        points[answer.question_id]
        for answer in answers
        if set(answer.option_ids) == right[answer.question_id]
    )

"""Honours: whoever was first, confirmed by another, shown as the honoured one likes, withdrawn by itself."""

from datetime import date, timedelta
from itertools import count

import pytest
from foothold.incentives.v1 import boards_pb2, honours_pb2, values_pb2
from hypothesis import given
from hypothesis import strategies as st

from services.incentives.domain.honours import Honour as Decided
from services.incentives.domain.honours import HonourState, still_first
from services.incentives.domain.metrics import METRICS, Figure
from services.incentives.domain.periods import Period, PeriodKind
from services.incentives.domain.ranking import Board
from tests.incentives.company import TODAY, Client, Company, on, reason_of, request_id

Honour = honours_pb2.Honour
LAST_MONTH = TODAY.replace(day=1) - timedelta(days=1)
_numbers = count(1)


class Race:
    """A board of its own that honours, with four people of one department on it last month."""

    def __init__(self, company: Company, *figures: int) -> None:
        self.company = company
        number = next(_numbers)
        self.board, role = f"star-{number}", f"runner{number}"
        board = boards_pb2.Board(
            id=self.board,
            name="跟进榜",
            metric="customers_followed",
            period_kind=values_pb2.PERIOD_KIND_MONTH,
            job_role=role,
            honour="每月之星",
        )
        company.as_("hr").boards.CreateBoard(
            boards_pb2.CreateBoardRequest(request_id=request_id(), board=board)
        )
        self.people = [company.newcomer(f"star-{number}-{n}", job_role=role) for n in range(len(figures))]
        for person, followed in zip(self.people, figures, strict=True):
            self.followed(person, followed, settle=False)
        company.settle()

    def followed(self, person: str, number: int, *, settle: bool = True) -> None:
        self.company.figures(person, LAST_MONTH, customers_followed=number)
        if settle:
            self.company.settle()

    def as_(self, who: str) -> Client:
        return self.company.as_(who)

    def listed(self, who: str = "shanghai-hr", **asked: str) -> list[honours_pb2.Honour]:
        asked = asked or {"node_id": "shanghai"}
        found = self.as_(who).honours.ListHonours(honours_pb2.ListHonoursRequest(**asked, page_size=1000))
        return [each for each in found.honours if each.board.id == self.board]

    def states(self, who: str = "shanghai-hr", **asked: str) -> list[tuple[str, str]]:
        return [(Honour.State.Name(each.state)[6:], each.person_id) for each in self.listed(who, **asked)]

    def confirm(self, person: str, who: str = "shanghai-hr", node: str = "shanghai") -> honours_pb2.Honour:
        asked = honours_pb2.ConfirmHonourRequest(
            request_id=request_id(),
            board_id=self.board,
            node_id=node,
            on=on(LAST_MONTH),
            person_id=person,
            reason="真棒",
        )
        return self.as_(who).honours.ConfirmHonour(asked).honour

    def passed(self, who: str = "shanghai-hr", day: date = LAST_MONTH) -> honours_pb2.Honour:
        asked = honours_pb2.PassHonourRequest(
            request_id=request_id(), board_id=self.board, node_id="shanghai", on=on(day), reason="本月不评"
        )
        return self.as_(who).honours.PassHonour(asked).honour

    def answer(self, who: str, honour: str, consent: str, story: str = "") -> honours_pb2.Honour:
        asked = honours_pb2.AnswerHonourRequest(
            request_id=request_id(),
            honour_id=honour,
            consent=Honour.Consent.Value(f"CONSENT_{consent}"),
            story=story,
        )
        return self.as_(who).honours.AnswerHonour(asked).honour


def test_whoever_was_first_is_proposed_and_shown_once_another_confirms_it(company: Company) -> None:
    race = Race(company, 30, 20, 10)
    first, second, _ = race.people
    assert race.states() == [("PROPOSED", first)]
    # What waits is for those who decide; before that nobody is told.
    assert race.states(first) == race.states(second) == []
    made = race.confirm(first)
    assert (made.state, made.name, made.value.numerator) == (Honour.STATE_CONFIRMED, f"{first} 同学", 30)
    assert (made.decided_by, made.board.honour, made.reason) == ("shanghai-hr", "每月之星", "真棒")
    assert (
        race.states() == race.states(second) == race.states(first, person_id=first) == [("CONFIRMED", first)]
    )
    assert race.listed(second)[0].decided_by == ""
    assert reason_of(lambda: race.confirm(first)) == "HONOUR_DECIDED"
    assert reason_of(lambda: race.confirm(second)) == "NOT_FIRST"
    assert reason_of(race.passed) == "HONOUR_DECIDED"
    # In the other branch and the department it is a race of its own.
    assert race.states("hr", node_id="beijing") == []
    assert race.states("shanghai-hr", node_id="shanghai-sales") == [("PROPOSED", first)]


def test_others_see_what_the_honoured_person_lets_them(company: Company) -> None:
    race = Race(company, 30, 20, 10)
    first, second, third = race.people
    honour = race.confirm(first).id
    assert [(each.name, each.story) for each in race.listed(second)] == [(f"{first} 同学", "")]
    told = race.answer(first, honour, "STORY", "多打一个电话")
    assert (told.consent, told.story) == (Honour.CONSENT_STORY, "多打一个电话")
    assert race.listed(second)[0].story == "多打一个电话"
    race.answer(first, honour, "NAME", "多打一个电话")
    assert race.listed(second)[0].story == race.listed()[0].story == ""
    assert race.listed(first)[0].story == "多打一个电话"
    race.answer(first, honour, "NOTHING")
    assert race.states(second) == race.states(third) == []
    assert race.states(first) == race.states() == [("CONFIRMED", first)]
    assert reason_of(lambda: race.answer(first, honour, "STORY")) == "FIELD_INVALID"
    assert reason_of(lambda: race.answer(second, honour, "NAME")) == "HONOUR_UNKNOWN"
    assert reason_of(lambda: race.listed(second, person_id=first)) == "PERSON_UNKNOWN"


def test_an_honour_that_corrected_figures_do_not_hold_is_withdrawn_by_itself(company: Company) -> None:
    race = Race(company, 30, 20, 10)
    first, second, _ = race.people
    race.confirm(first)
    race.followed(second, 99)
    assert race.states(second) == [("CONFIRMED", first)], "what is learned of others takes nothing away"
    race.followed(first, 19)
    assert race.states() == [("PROPOSED", second), ("WITHDRAWN", first)]
    assert race.states(first) == [("WITHDRAWN", first)]
    assert race.states(second) == []
    (gone,) = race.listed(first)
    assert gone.value.numerator == 30, "it says what it was for"
    race.followed(first, 20)
    assert race.states(second) == [("CONFIRMED", first)], "level with the next of then is first still"
    race.as_("hr").close("shanghai", LAST_MONTH)
    race.followed(first, 3)
    assert race.states(first) == [("WITHDRAWN", first)], "also where the board itself is final"


def test_those_who_are_level_are_proposed_each_and_a_period_may_be_passed_over(company: Company) -> None:
    race = Race(company, 30, 30, 10)
    assert race.states() == [("PROPOSED", race.people[0]), ("PROPOSED", race.people[1])]
    race.confirm(race.people[0])
    assert race.states() == [("PROPOSED", race.people[1]), ("CONFIRMED", race.people[0])]
    over = Race(company, 9, 8, 7)
    passed = over.passed()
    assert (passed.state, passed.person_id, passed.reason) == (Honour.STATE_PASSED, "", "本月不评")
    assert over.states() == [("PASSED", "")]
    assert over.states(over.people[0]) == []
    assert reason_of(lambda: over.confirm(over.people[0])) == "HONOUR_DECIDED"


@pytest.mark.parametrize("figures", [(30, 20), (9, 9, 9), (0, 0, 0, 0)])
def test_nobody_is_first_of_two_nor_where_all_are_level(company: Company, figures: tuple[int, ...]) -> None:
    race = Race(company, *figures)
    assert race.states() == []
    assert reason_of(lambda: race.confirm(race.people[0])) == "NOT_FIRST"


def test_only_a_period_that_is_over_is_decided_and_only_on_a_board_that_honours(company: Company) -> None:
    race = Race(company, 30, 20, 10)
    assert reason_of(lambda: race.passed(day=TODAY)) == "FIELD_INVALID"
    race.board = "follow-ups-month"
    assert reason_of(race.passed) == "BOARD_UNKNOWN"


@given(now=st.integers(0, 40), second=st.none() | st.integers(1, 30))
def test_it_stands_as_long_as_the_own_figures_reach_the_next_of_then(now: int, second: int | None) -> None:
    board = Board("b", "榜", METRICS["customers_followed"], PeriodKind.MONTH)
    period = Period(PeriodKind.MONTH, date(2025, 2, 1))
    of_then = None if second is None else Figure(second, 1)
    honour = Decided("h", "b", "n", period, "p", Figure(40, 1), of_then, HonourState.CONFIRMED)
    assert still_first(board, honour, {"customers_followed": now}, {}) == (now > 0 and now >= (second or 0))

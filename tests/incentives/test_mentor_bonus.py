"""A mentor is paid for what the people they mentor reach, as it is known and as they were mentored then."""

from datetime import date, datetime
from itertools import count as numbers

import pytest
from foothold.identity.v1 import directory_pb2
from foothold.incentives.v1 import plans_pb2
from google.protobuf.timestamp_pb2 import Timestamp

from tests.incentives.company import NOW, TODAY, Client, Company, person
from tests.incentives.plans import at_least, at_most, count, in_yuan, mentor_bonus, per_unit, percent, plan

FEBRUARY = date(2025, 2, 12)
_names = numbers(1)


class Pair:
    """A mentor of a job role of their own, and two people they mentor."""

    def __init__(self, company: Company, *rules: plans_pb2.Rule) -> None:
        self.company = company
        number = next(_names)
        self.role = f"guide{number}"
        self.mentor = company.newcomer(f"guide-{number}", job_role=self.role)
        self.mentees = [f"guided-{number}-{which}" for which in range(2)]
        for each in self.mentees:
            company.newcomer(each, job_role="guided")
            self.assign(each, self.mentor, settle=False)
        rules = rules or (
            mentor_bonus(at_least("deals_won", count(2)), "300"),
            per_unit("meetings_attended", "5"),
        )
        company.as_("hr").create(plan(*rules, job_role=self.role))
        company.settle()

    def assign(self, mentee: str, mentor: str, *, at: datetime | None = None, settle: bool = True) -> None:
        told: directory_pb2.Person = person(mentee, "shanghai-sales", "guided")
        told.mentor_id = mentor
        occurred_at = None if at is None else Timestamp(seconds=int(at.timestamp()))
        self.company.tell(person_changed=told, occurred_at=occurred_at)
        if settle:
            self.company.settle()

    def won(self, which: int, deals: int, day: date = TODAY, **more: int) -> None:
        self.company.figures(self.mentees[which], day, deals_won=deals, **more)
        self.company.settle()

    @property
    def client(self) -> Client:
        return self.company.as_(self.mentor)

    def total(self, day: date = TODAY) -> str:
        return in_yuan(self.client.statement(day=day).total)


def test_each_person_who_reaches_it_is_paid_for_once(company: Company) -> None:
    pair = Pair(company)
    assert pair.total() == "0.00"
    pair.won(0, 2)
    assert pair.total() == "300.00", "the mentor had no figures of their own"
    pair.won(1, 5)
    pair.won(0, 3)
    assert pair.total() == "600.00"
    company.figures(pair.mentor, TODAY, meetings_attended=2)
    company.settle()
    assert pair.total() == "610.00"
    pair.won(0, 1)
    assert pair.total() == "310.00", "a deal taken back is taken back here as well"
    line = pair.client.statement().lines[0]
    assert (line.metric, line.value.numerator) == ("mentees:mentees", 1)
    explained = pair.client.explain("mentees")
    assert [(each.metric, each.value.numerator) for each in explained.inputs] == [("mentees:mentees", 1)]
    assert explained.steps[-1].result.numerator == "30000"


def test_whoever_came_first_facts_or_mentor_the_same_is_paid(company: Company) -> None:
    pair = Pair(company)
    newcomer = company.newcomer(f"late-{pair.mentor}", job_role="guided")
    company.figures(newcomer, TODAY, deals_won=4)
    company.settle()
    pair.assign(newcomer, pair.mentor)
    assert pair.total() == "300.00"
    other = Pair(company)
    pair.assign(newcomer, other.mentor)
    assert (pair.total(), other.total()) == ("0.00", "300.00")
    pair.assign(newcomer, "")
    assert other.total() == "0.00"


def test_a_month_is_paid_to_who_mentored_at_its_end(company: Company) -> None:
    pair, other = Pair(company), Pair(company)
    # They had the first mentor from the beginning, and have the other since today.
    pair.assign(pair.mentees[0], other.mentor, at=NOW)
    pair.won(0, 2, FEBRUARY)
    pair.won(0, 2)
    assert (pair.total(FEBRUARY), other.total(FEBRUARY)) == ("300.00", "0.00")
    assert (pair.total(), other.total()) == ("0.00", "300.00")


def test_closed_months_are_adjusted(company: Company) -> None:
    pair = Pair(company)
    pair.won(0, 2, FEBRUARY)
    company.as_("hr").close("hq", FEBRUARY)
    pair.won(1, 2, FEBRUARY)
    assert pair.total(FEBRUARY) == "300.00"
    (adjustment,) = pair.client.statement().adjustments
    assert (adjustment.rule_id, in_yuan(adjustment.amount)) == ("mentees", "300.00")


def test_rates_and_upper_bounds_count_as_in_other_conditions(company: Company) -> None:
    pair = Pair(
        company,
        mentor_bonus(at_least("close_rate", percent(15)), "100", id="rate"),
        mentor_bonus(at_most("deals_lost", count(1)), "10", id="few"),
    )
    pair.won(0, 3, customers_followed=20, deals_lost=2)
    pair.won(1, 3, customers_followed=21)
    lines = {line.rule_id: in_yuan(line.amount) for line in pair.client.statement().lines}
    assert lines == {"rate": "100.00", "few": "10.00"}


@pytest.mark.parametrize(
    ("spoilt", "reason", "field"),
    [
        (mentor_bonus(at_least("deals_won", count(2)), "0"), "PLAN_INVALID", "mentor_bonus.amount"),
        (
            mentor_bonus(at_least("no_such", count(2)), "1"),
            "PLAN_INVALID",
            "mentor_bonus.condition.metric",
        ),
        (
            mentor_bonus(at_least("course:first-follow-up", count(1)), "1"),
            "PLAN_INVALID",
            "mentor_bonus.condition.metric",
        ),
        (
            plans_pb2.Rule(id="m", label="带教", mentor_bonus=plans_pb2.MentorBonus()),
            "PLAN_INVALID",
            "mentor_bonus.condition",
        ),
    ],
)
def test_a_bonus_that_makes_no_sense_is_refused(
    company: Company, spoilt: plans_pb2.Rule, reason: str, field: str
) -> None:
    asked = plans_pb2.CheckPlanRequest(plan=plan(spoilt, job_role="none"))
    found = {(each.code, each.field) for each in company.as_("hr").plans.CheckPlan(asked).findings}
    assert (reason, f"rules[0].{field}") in found


def test_it_is_read_back_and_recomputes_to_the_same(company: Company) -> None:
    pair = Pair(company)
    pair.won(0, 2)
    current = pair.client.plans_of().current.plan
    checked = company.as_("hr").plans.CheckPlan(plans_pb2.CheckPlanRequest(plan=current))
    assert "300.00 for each person mentored whose deals_won is at least 2." in checked.readings[0]
    assert current.rules[0].mentor_bonus.condition.metric == "deals_won"
    company.restart()
    assert pair.total() == "300.00"

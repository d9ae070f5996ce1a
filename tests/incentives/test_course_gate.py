"""A rule that asks for a course: paid from the pass on, in the period it was passed in, whatever came first."""

from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import count as numbers

import pytest
from foothold.incentives.v1 import plans_pb2, whatif_pb2

from tests.incentives.company import NOW, TODAY, Company, person, reason_of
from tests.incentives.plans import at_least, at_most, count, gate, in_yuan, per_unit, plan, yuan

COURSE = "first-follow-up"
_roles = numbers(1)


class School:
    """A plan that pays 50 a new customer once the course is passed, and somebody it is for."""

    def __init__(self, company: Company, unit: str = "shanghai-sales") -> None:
        self.company, self.course = company, COURSE
        self.role = f"pupil{next(_roles)}"
        self.pupil = company.newcomer(f"{self.role}-one", unit, job_role=self.role)
        company.passed("somebody-else", COURSE, NOW)
        company.settle()
        rule = gate(at_least(f"course:{COURSE}", count(1)), per_unit("new_customers", "50"))
        self.plan = company.as_("hr").create(plan(rule, job_role=self.role)).plan
        company.settle()

    def sold(self, number: int, day: date = TODAY) -> None:
        self.company.figures(self.pupil, day, customers_followed=number, new_customers=number)
        self.company.settle()

    def passes(self, at: datetime = NOW) -> None:
        self.company.passed(self.pupil, self.course, at)
        self.company.settle()

    def total(self, day: date = TODAY) -> str:
        return in_yuan(self.company.as_(self.pupil).statement(day=day).total)


@pytest.mark.parametrize("first", ["sales", "course"])
def test_it_is_paid_once_the_course_is_passed_whichever_comes_first(company: Company, first: str) -> None:
    school = School(company)
    if first == "course":
        school.passes()
        school.sold(4)
    else:
        school.sold(4)
        assert school.total() == "0.00"
        school.passes()
    assert school.total() == "200.00"
    # Told again, and of a later attempt, nothing changes.
    before = company.stored()
    school.passes(NOW + timedelta(days=1))
    assert (school.total(), company.stored()) == ("200.00", before)


def test_what_asks_for_it_says_so_and_what_would_open_it(company: Company) -> None:
    school = School(company)
    school.sold(4)
    pupil = company.as_(school.pupil)
    lines = {line.rule_id: line for line in pupil.statement().lines}
    assert (lines["gate"].metric, lines["gate"].value.numerator) == (f"course:{COURSE}", 0)
    assert in_yuan(lines["gate"].amount) == "-200.00"
    trace = pupil.explain("gate")
    assert [(each.metric, each.value.numerator) for each in trace.inputs] == [(f"course:{COURSE}", 0)]
    # Selling more moves nothing while it is shut: a what-if says so.
    asked = whatif_pb2.TryChangesRequest(person_id=school.pupil, changes=whatif_pb2.Changes(new_customers=2))
    assert in_yuan(pupil.what_if.TryChanges(asked).after) == "0.00"
    school.passes()
    lines = {line.rule_id: line for line in pupil.statement().lines}
    assert (lines["gate"].value.numerator, in_yuan(lines["gate"].amount)) == (1, "0.00")


def _next(company: Company, school: School) -> list[tuple[str, list[str], list[tuple[int, int]]]]:
    answers = company.as_(school.pupil).answer().next_amounts
    return [
        (
            in_yuan(each.total),
            list(each.course_ids),
            [(change.lever, change.count) for change in each.changes],
        )
        for each in answers
    ]


def test_what_is_missing_for_more_is_the_course(company: Company) -> None:
    school = School(company)
    # With nothing sold yet it takes both.
    assert _next(company, school) == [("50.00", [COURSE], [(1, 1)])]
    school.sold(4)
    assert _next(company, school) == [("200.00", [COURSE], [])]
    school.passes()
    assert _next(company, school) == [("250.00", [], [(1, 1)])]


def test_a_what_if_reckons_it_as_passed_where_asked_to(company: Company) -> None:
    school = School(company)
    school.sold(4)
    pupil = company.as_(school.pupil)
    more = whatif_pb2.Changes(new_customers=2)
    asked = whatif_pb2.TryChangesRequest(person_id=school.pupil, changes=more, passed=[COURSE])
    tried = pupil.what_if.TryChanges(asked)
    assert (in_yuan(tried.before), in_yuan(tried.after), list(tried.course_ids)) == (
        "0.00",
        "300.00",
        [COURSE],
    )
    value = next(each for each in tried.values if each.metric == f"course:{COURSE}")
    assert (value.before.numerator, value.after.numerator) == (0, 1)
    wished = whatif_pb2.ReachTotalRequest(person_id=school.pupil, total=yuan("300"))
    shut = pupil.what_if.ReachTotal(wished)
    assert (list(shut.ways), list(shut.course_ids)) == ([], [COURSE])
    wished.passed.append(COURSE)
    opened = pupil.what_if.ReachTotal(wished)
    assert [each.changes.new_customers for each in opened.ways] == [2]
    assert not opened.course_ids
    for wrong in (["no-such"], [COURSE, COURSE], [COURSE] * 21):
        spoilt = whatif_pb2.TryChangesRequest(person_id=school.pupil, passed=wrong)
        assert reason_of(partial(pupil.what_if.TryChanges, spoilt)) == "FIELD_INVALID"


def test_the_explanation_names_the_day_of_the_pass(company: Company) -> None:
    school = School(company)
    school.sold(4)
    assert not company.as_(school.pupil).explain("gate").HasField("passed_on")
    # Late on the 11th in UTC is the 12th where they work.
    school.passes(datetime(2025, 3, 11, 20, tzinfo=UTC))
    told = company.as_(school.pupil).explain("gate").passed_on
    assert (told.year, told.month, told.day) == (2025, 3, 12)
    assert not company.as_(school.pupil).explain("unit").HasField("passed_on")


def test_who_passed_and_sold_nothing_yet_lacks_nothing(company: Company) -> None:
    school = School(company)
    school.passes()
    assert _next(company, school) == [("50.00", [], [(1, 1)])]


def test_a_month_is_paid_for_a_pass_before_its_end_where_the_person_works(company: Company) -> None:
    school = School(company)
    february, march = date(2025, 2, 12), date(2025, 3, 3)
    school.sold(2, february)
    school.sold(3, march)
    # Half past midnight on 1 March in Shanghai: too late for February, in time for March.
    school.passes(datetime(2025, 2, 28, 16, 30, tzinfo=UTC))
    assert (school.total(february), school.total(march)) == ("0.00", "150.00")
    other = School(company)
    other.sold(2, february)
    other.passes(datetime(2025, 2, 28, 15, 30, tzinfo=UTC))
    assert other.total(february) == "100.00"


def test_a_pass_told_of_after_the_month_was_closed_is_paid_in_the_month_that_runs(company: Company) -> None:
    school = School(company, "beijing-sales")
    february = date(2025, 2, 12)
    school.sold(2, february)
    company.as_("hr").close("beijing", february)
    school.passes(datetime(2025, 2, 20, tzinfo=UTC))
    assert school.total(february) == "0.00", "what is closed stays"
    (paid,) = company.as_(school.pupil).statement().adjustments
    assert (paid.rule_id, in_yuan(paid.amount)) == ("gate", "100.00")


def test_another_course_and_another_person_open_nothing(company: Company) -> None:
    school = School(company)
    school.sold(1)
    company.passed(school.pupil, "another-course", NOW)
    company.passed(f"{school.role}-two", COURSE, NOW)
    company.settle()
    assert school.total() == "0.00"


def test_whoever_comes_into_the_role_later_brings_the_pass_along(company: Company) -> None:
    school = School(company)
    late = company.newcomer(f"{school.role}-late", job_role="trainee")
    company.passed(late, COURSE, NOW)
    company.figures(late, TODAY, customers_followed=3, new_customers=3)
    company.tell(person_changed=person(late, "shanghai-sales", school.role))
    company.settle()
    assert in_yuan(company.as_(late).statement().total) == "150.00"


def test_a_course_there_is_none_of_and_a_leaf_that_pays_by_one_are_refused(company: Company) -> None:
    hr = company.as_("hr")
    unknown = gate(at_least("course:no-such-course", count(1)), per_unit("new_customers", "50"))
    assert reason_of(lambda: hr.propose(plan(unknown, job_role="nobody"))) == "COURSE_UNKNOWN"
    checked = hr.plans.CheckPlan(plans_pb2.CheckPlanRequest(plan=plan(unknown, job_role="nobody")))
    assert [each.field for each in checked.findings] == ["rules[0].gate.condition.metric"]
    School(company)
    paying = per_unit(f"course:{COURSE}", "50")
    assert reason_of(lambda: hr.propose(plan(paying, job_role="nobody"))) == "PLAN_INVALID"
    for odd in (at_least(f"course:{COURSE}", count(2)), at_most(f"course:{COURSE}", count(1))):
        never = plan(gate(odd, per_unit("new_customers", "50")), job_role="nobody")
        assert reason_of(partial(hr.propose, never)) == "VALUE_INVALID"
    malformed = gate(at_least("course:No Such", count(1)), per_unit("new_customers", "50"))
    assert reason_of(lambda: hr.propose(plan(malformed, job_role="nobody"))) == "PLAN_INVALID"

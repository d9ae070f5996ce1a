"""Plans: refused with the tier named, never edited, nearest in force first, computed in the background."""

from datetime import UTC, date, datetime
from typing import Any

import grpc
import pytest
from foothold.incentives.v1 import plans_pb2, values_pb2
from google.type import date_pb2, money_pb2

from chassis.errors import Failure, from_rpc_error
from tests.incentives.company import NOW, TODAY, Company, eventually, person, request_id
from tests.incentives.peers import month_of, values_changed
from tests.incentives.plans import (
    S07,
    S25,
    WEEK,
    bonus,
    count,
    in_yuan,
    per_point,
    per_unit,
    plan,
    rate,
    tiers,
    yuan,
)

_ROLES = iter(f"plans-{number}" for number in range(1_000))


def refusal(company: Company, refused: plans_pb2.Plan) -> Failure:
    with pytest.raises(grpc.RpcError) as caught:
        company.as_("hr").create(refused)
    return from_rpc_error(caught.value)


def money_rule(threshold: values_pb2.Value) -> plans_pb2.Rule:
    return bonus("revenue", threshold, "1")


@pytest.mark.parametrize(
    ("rule", "reason", "field"),
    [
        (tiers("close_rate", (rate(1, 10), None, "5")), "TIER_GAP", "tiers[0].low"),
        (
            tiers("close_rate", (rate(0, 1), rate(1, 10), "1"), (rate(2, 10), None, "5")),
            "TIER_GAP",
            "tiers[1].low",
        ),
        (tiers("close_rate", (rate(0, 1), rate(1, 10), "1")), "TIER_GAP", "tiers[0].high"),
        (
            tiers("close_rate", (rate(0, 1), rate(2, 10), "1"), (rate(1, 10), None, "5")),
            "TIER_OVERLAP",
            "tiers[1].low",
        ),
        (
            tiers("close_rate", (rate(0, 1), None, "1"), (rate(1, 10), None, "5")),
            "TIER_OVERLAP",
            "tiers[1]",
        ),
        (
            tiers(
                "close_rate",
                (rate(0, 1), rate(1, 10), "1"),
                (rate(1, 10), rate(10, 100), "2"),
                (rate(1, 10), None, "5"),
            ),
            "TIER_UNREACHABLE",
            "tiers[1]",
        ),
        (
            tiers("win_rate", (rate(0, 1), rate(3, 2), "1"), (rate(3, 2), None, "5")),
            "TIER_UNREACHABLE",
            "tiers[1]",
        ),
        (bonus("win_rate", rate(101, 100), "5"), "VALUE_INVALID", "threshold_bonus.threshold"),
        (per_point("win_rate", rate(995, 1000), "5"), "VALUE_INVALID", "per_point.threshold"),
        (
            per_point("win_rate", rate(1, 1), "5", plans_pb2.PerPoint.MODE_PRO_RATA),
            "VALUE_INVALID",
            "per_point.threshold",
        ),
        (tiers("close_rate"), "PLAN_INVALID", "tiers"),
        (tiers("close_rate", (count(0), None, "5")), "VALUE_INVALID", "tiers[0].low.unit"),
        (per_unit("close_rate", "5"), "PLAN_INVALID", "per_unit.metric"),
        (per_unit("revenue", "5"), "PLAN_INVALID", "per_unit.metric"),
        (per_unit("pushups", "5"), "PLAN_INVALID", "per_unit.metric"),
        (per_unit("deals_won", "0"), "PLAN_INVALID", "per_unit.amount"),
        (per_unit("deals_won", "10000000000.01"), "PLAN_INVALID", "per_unit.amount"),
        (per_point("deals_won", count(1), "5"), "PLAN_INVALID", "per_point.metric"),
        (per_point("close_rate", rate(1, 0), "5"), "VALUE_INVALID", "per_point.threshold.denominator"),
        (per_point("close_rate", rate(-1, 10), "5"), "VALUE_INVALID", "per_point.threshold.numerator"),
        (
            per_point("close_rate", rate(1, 10), "5", plans_pb2.PerPoint.MODE_UNSPECIFIED),
            "PLAN_INVALID",
            "per_point.mode",
        ),
        (
            money_rule(values_pb2.Value(unit=values_pb2.UNIT_MONEY, numerator=5, denominator=1)),
            "CURRENCY_MISMATCH",
            "threshold_bonus.threshold.currency",
        ),
        (
            plans_pb2.Rule(
                id="r", label="r", per_unit=plans_pb2.PerUnit(metric="deals_won", amount=yuan("5", "USD"))
            ),
            "CURRENCY_MISMATCH",
            "per_unit.amount.currency_code",
        ),
        (
            plans_pb2.Rule(
                id="r",
                label="r",
                per_unit=plans_pb2.PerUnit(
                    metric="deals_won",
                    amount=money_pb2.Money(currency_code="CNY", units=1, nanos=-10_000_000),
                ),
            ),
            "PLAN_INVALID",
            "per_unit.amount",
        ),
        (plans_pb2.Rule(id="r", label="r"), "PLAN_INVALID", ""),
        (plans_pb2.Rule(id="R!", label="r", per_unit=S07[0].per_unit), "FIELD_INVALID", "id"),
        (plans_pb2.Rule(id="r", label=" ", per_unit=S07[0].per_unit), "FIELD_INVALID", "label"),
    ],
)
def test_r3_what_is_wrong_is_refused_by_name(
    company: Company, rule: plans_pb2.Rule, reason: str, field: str
) -> None:
    refused = refusal(company, plan(per_unit("deals_won", "1", id="sound"), rule, job_role="refused"))
    assert refused.code is grpc.StatusCode.INVALID_ARGUMENT
    assert refused.reason == reason
    assert f"plan.rules[1]{'.' if field else ''}{field}" in refused.fields
    listed = company.as_("hr").plans.ListPlans(plans_pb2.ListPlansRequest(job_role="refused"))
    assert not listed.plans


def test_r4_a_close_rate_passes_100_percent_and_is_paid_for_it(company: Company) -> None:
    """Deals won this month with customers followed last month: three deals, two customers followed."""
    role = next(_ROLES)
    steps = (rate(0, 1), rate(1, 1), "100"), (rate(1, 1), rate(3, 2), "200"), (rate(3, 2), None, "300")
    rules = (
        tiers("close_rate", *steps),
        bonus("close_rate", rate(11, 10), "7"),
        per_point("close_rate", rate(12, 10), "1"),
    )
    company.as_("hr").create(plan(*rules, job_role=role))
    for person_id, deals, paid in (
        ("above-1", 3, "337.00"),
        ("above-2", 2, "200.00"),
        ("above-3", 1, "100.00"),
    ):
        company.newcomer(person_id, job_role=role)
        company.figures(person_id, None, customers_followed=2, deals_won=deals)
        company.settle()
        assert in_yuan(company.as_(person_id).statement().total) == paid


@pytest.mark.parametrize(
    "rule",
    [
        tiers("win_rate", (rate(0, 1), rate(1, 1), "1"), (rate(1, 1), None, "5")),
        bonus("win_rate", rate(1, 1), "5"),
        per_point("win_rate", rate(99, 100), "5"),
        per_point("win_rate", rate(995, 1000), "5", plans_pb2.PerPoint.MODE_PRO_RATA),
    ],
)
def test_r3_what_a_share_of_a_whole_can_just_reach_is_accepted(
    company: Company, rule: plans_pb2.Rule
) -> None:
    assert company.as_("hr").create(plan(rule, job_role=next(_ROLES))).plan.id


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "长" * 101}, "name"),
        ({"job_role": "Sales!"}, "job_role"),
        ({"period_kind": values_pb2.PERIOD_KIND_UNSPECIFIED}, "period_kind"),
        ({"effective_from": date_pb2.Date(year=2025, month=13, day=1)}, "effective_from"),
        ({"node_id": "shanghai", "reason": ""}, "reason"),
        ({"id": "Not An Id"}, "id"),
    ],
)
def test_the_plan_itself_is_checked(company: Company, changes: dict[str, Any], field: str) -> None:
    refused = plan(*S07, job_role="refused")
    for name, value in changes.items():
        if name == "effective_from":
            refused.effective_from.CopyFrom(value)
        else:
            setattr(refused, name, value)
    assert f"plan.{field}" in refusal(company, refused).fields


def test_no_rules_and_too_many_rules_and_the_same_id_twice(company: Company) -> None:
    assert refusal(company, plan(job_role="refused")).reason == "PLAN_INVALID"
    many = [per_unit("deals_won", "1", id=f"r{n}") for n in range(51)]
    assert refusal(company, plan(*many, job_role="refused")).reason == "PLAN_INVALID"
    twice = refusal(company, plan(S07[0], S07[0], job_role="refused"))
    assert "plan.rules[1].id" in twice.fields


def test_a_plan_is_read_back_exactly_as_written(company: Company) -> None:
    role = next(_ROLES)
    written = plan(*S07, S25, bonus("revenue", _money(5_000_000), "200"), job_role=role)
    created = company.as_("hr").create(written).plan
    assert list(created.rules) == list(written.rules)
    assert created.author_id == "hr"
    assert created.recorded_at.ToDatetime(tzinfo=UTC) == NOW
    assert company.as_("hr").plans.GetPlan(plans_pb2.GetPlanRequest(plan_id=created.id)).plan == created


def _money(minor: int) -> values_pb2.Value:
    return values_pb2.Value(unit=values_pb2.UNIT_MONEY, numerator=minor, denominator=1, currency="CNY")


def test_a_checked_plan_is_read_back_in_words_and_stored_nowhere(company: Company) -> None:
    company.settle()
    before = company.fingerprint()
    answer = company.as_("hr").plans.CheckPlan(
        plans_pb2.CheckPlanRequest(plan=plan(*S07, S25, job_role="checked"))
    )
    assert [each.code for each in answer.findings[:3]] == ["COST_UNBOUNDED", "CLIFF", "CLIFF"]
    assert answer.readings[0] == "跟进奖: 50.00 for each of new_customers; 10 pay 500.00."
    assert "12.5 % pays 100.00" in answer.readings[1]
    assert "from 15 % 2,000.00" in answer.readings[2]
    broken = company.as_("hr").plans.CheckPlan(
        plans_pb2.CheckPlanRequest(
            plan=plan(tiers("close_rate", (rate(1, 10), None, "5")), node_id="nowhere")
        )
    )
    assert {each.code for each in broken.findings} == {"NODE_UNKNOWN", "TIER_GAP"}
    assert not broken.readings
    assert company.fingerprint() == before


def test_the_same_request_is_answered_again_and_another_payload_refused(company: Company) -> None:
    hr, role = company.as_("hr"), next(_ROLES)
    request = plans_pb2.CreatePlanRequest(request_id=request_id(), plan=plan(*S07, job_role=role))
    first = hr.plans.CreatePlan(request)
    assert hr.plans.CreatePlan(request) == first
    request.plan.name = "另一个"
    with pytest.raises(grpc.RpcError, match="another payload"):
        hr.plans.CreatePlan(request)
    drafts = plans_pb2.ListPlansRequest(job_role=role, state=plans_pb2.Plan.STATE_DRAFT)
    assert list(hr.plans.ListPlans(drafts).plans) == [first.plan]


def test_a_plan_ends_where_the_next_one_begins(company: Company) -> None:
    hr, role = company.as_("hr"), next(_ROLES)
    first = hr.create(plan(*S07, job_role=role, id=f"first-{role}")).plan
    assert not first.HasField("effective_to")
    third = hr.create(plan(S25, job_role=role, effective=date(2025, 9, 1))).plan
    second = hr.create(plan(S25, job_role=role, effective=date(2025, 6, 1))).plan
    assert second.effective_to == third.effective_from
    listed = hr.plans.ListPlans(plans_pb2.ListPlansRequest(job_role=role)).plans
    assert [each.effective_from.month for each in listed] == [1, 6, 9]
    assert [each.effective_to.month for each in listed] == [6, 9, 0]
    conflict = refusal(company, plan(*S07, job_role=role, effective=date(2025, 6, 1)))
    assert (conflict.code, conflict.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "PLAN_CONFLICT")
    taken = refusal(company, plan(*S07, job_role=role, effective=date(2025, 7, 1), id=f"first-{role}"))
    assert (taken.code, taken.reason) == (grpc.StatusCode.ALREADY_EXISTS, "ALREADY_EXISTS")


def test_pages_of_plans_are_complete_and_in_order(company: Company) -> None:
    hr, role = company.as_("hr"), next(_ROLES)
    for month in range(1, 8):
        hr.create(plan(*S07, job_role=role, effective=date(2025, month, 1)))
    seen: list[int] = []
    request = plans_pb2.ListPlansRequest(job_role=role, page_size=3)
    while True:
        page = hr.plans.ListPlans(request)
        seen += [each.effective_from.month for each in page.plans]
        assert len(page.plans) <= 3
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert seen == list(range(1, 8))
    request.job_role = "another"
    with pytest.raises(grpc.RpcError, match="page token"):
        hr.plans.ListPlans(request)


def test_the_nearest_plan_is_the_persons(company: Company) -> None:
    hr, role = company.as_("hr"), next(_ROLES)
    top = hr.create(plan(per_unit("deals_won", "10"), job_role=role)).plan
    here = hr.create(plan(per_unit("deals_won", "20"), job_role=role, node_id="shanghai")).plan
    near, far = (
        company.newcomer(f"{role}-near", job_role=role),
        company.newcomer(f"{role}-far", "beijing-sales", role),
    )
    company.figures(near, None, deals_won=3)
    company.figures(far, None, deals_won=3)
    company.settle()
    assert in_yuan(company.as_(near).statement().total) == "60.00"
    assert in_yuan(company.as_(far).statement().total) == "30.00"
    explained = company.as_(near).explain("unit")
    assert explained.plan_id == here.id
    assert list(explained.plan_node_ids) == ["shanghai", "hq"]
    visible = {each.id for each in company.as_(far).plans.ListPlans(plans_pb2.ListPlansRequest()).plans}
    assert top.id in visible
    assert here.id not in visible


def test_a_plan_holds_from_the_first_period_that_begins_after_it(company: Company) -> None:
    hr, role = company.as_("hr"), next(_ROLES)
    someone = company.newcomer(f"{role}-a", job_role=role)
    company.figures(someone, None, deals_won=1)
    company.settle()
    hr.create(plan(per_unit("deals_won", "10"), job_role=role, effective=date(2025, 3, 2)))
    company.settle()
    assert company.as_(someone).statement().plan_id == ""
    april = company.as_(someone).statement(day=date(2025, 4, 5))
    assert april.plan_id
    assert in_yuan(april.total) == "0.00"


def test_a_new_plan_is_computed_in_the_background_and_told(company: Company) -> None:
    hr, role = company.as_("hr"), next(_ROLES)
    people = [company.newcomer(f"{role}-{n}", job_role=role) for n in range(30)]
    for each in people:
        company.figures(each, None, deals_won=2)
    company.settle()
    assert company.as_(people[0]).statement().plan_id == ""
    hr.create(plan(per_unit("deals_won", "10"), job_role=role))
    company.settle()
    assert {in_yuan(company.as_(each).statement().total) for each in people} == {"20.00"}


def test_a_closed_period_keeps_the_plan_it_was_computed_with(company: Company) -> None:
    hr, role = company.as_("hr"), next(_ROLES)
    someone = company.newcomer(f"{role}-a", job_role=role)
    hr.create(plan(per_unit("deals_won", "10"), job_role=role))
    february = date(2025, 2, 3)
    company.figures(someone, february, deals_won=5)
    company.settle()
    hr.create(plan(per_unit("deals_won", "99"), job_role=role, effective=date(2025, 2, 1)))
    company.figures(someone, None, deals_won=1)
    company.settle()
    assert in_yuan(company.as_(someone).statement(day=february).total) == "50.00"
    assert in_yuan(company.as_(someone).statement().total) == "99.00"


def test_a_plan_meant_for_a_closed_period_without_one_pays_it(company: Company) -> None:
    hr, role = company.as_("hr"), next(_ROLES)
    someone = company.newcomer(f"{role}-a", job_role=role)
    february = date(2025, 2, 3)
    company.figures(someone, february, deals_won=5)
    company.settle()
    hr.create(plan(per_unit("deals_won", "10"), job_role=role))
    company.settle()
    assert in_yuan(company.as_(someone).statement(day=february).total) == "50.00"


def test_weeks_pay_by_the_week(company: Company) -> None:
    hr, role = company.as_("hr"), next(_ROLES)
    someone = company.newcomer(f"{role}-a", job_role=role)
    hr.create(plan(per_unit("deals_won", "10"), job_role=role, period_kind=WEEK))
    company.figures(someone, None, deals_won=2)
    company.settle()
    statement = company.as_(someone).statement()
    assert (statement.period.kind, statement.period.first_day.day) == (WEEK, 10)
    assert in_yuan(statement.total) == "20.00"


def test_moving_or_changing_role_changes_the_plan_of_the_current_period(company: Company) -> None:
    hr, role = company.as_("hr"), next(_ROLES)
    hr.create(plan(per_unit("deals_won", "10"), job_role=role))
    hr.create(plan(per_unit("deals_won", "20"), job_role=role, node_id="beijing"))
    someone = company.newcomer(f"{role}-a", job_role=role)
    company.figures(someone, None, deals_won=1)
    company.settle()
    assert in_yuan(company.as_(someone).statement().total) == "10.00"
    company.tell(person_changed=person(someone, "beijing-sales", role))
    company.settle()
    assert in_yuan(company.as_(someone).statement().total) == "20.00"
    company.tell(person_changed=person(someone, "beijing-sales", "retired"))
    company.settle()
    assert company.as_(someone).statement().plan_id == ""


def test_the_day_is_the_persons_own(company: Company) -> None:
    """R9: at 16:30 UTC on the 31st it is April in Shanghai."""
    someone = company.newcomer("midnight")
    company.settle()
    company.clock.set(datetime(2025, 3, 31, 16, 30, tzinfo=UTC))
    try:
        period = company.as_(someone).statement().period
        assert (period.first_day.month, period.end_day.month) == (4, 5)
    finally:
        company.clock.set(NOW)


def test_recomputing_goes_on_after_a_restart(company: Company) -> None:
    hr, role = company.as_("hr"), next(_ROLES)
    people = [company.newcomer(f"{role}-{n:03}", job_role=role) for n in range(250)]
    company.peers.goals.tell(
        *(values_changed(each, NOW, (month_of(TODAY), {"deals_won": 1})) for each in people)
    )
    company.settle()
    hr.create(plan(per_unit("deals_won", "10"), job_role=role))
    company.restart()
    eventually(lambda: in_yuan(company.as_(people[-1]).statement().total) == "10.00")
    company.settle()
    assert {row[2] for key, row in company.stored().items() if key[0] in people and key[1] == 2} == {1_000}

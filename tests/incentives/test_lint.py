"""What the author of a plan is told before it is stored: each with an example that can be worked out by hand."""

from datetime import date

import pytest
from foothold.incentives.v1 import plans_pb2

from tests.incentives.company import Company
from tests.incentives.plans import (
    PRO_RATA,
    S07,
    S25,
    accelerator,
    at_least,
    bonus,
    cap,
    count,
    gate,
    graduated,
    in_yuan,
    money,
    per_point,
    per_unit,
    percent,
    plan,
    rate,
    rate_of,
    tiers,
)


def findings(
    company: Company, *rules: plans_pb2.Rule, by: str = "hr", **more: object
) -> list[plans_pb2.PlanFinding]:
    checked = plan(*rules, **{"job_role": "lint", **more})  # type: ignore[arg-type]
    return list(company.as_(by).plans.CheckPlan(plans_pb2.CheckPlanRequest(plan=checked)).findings)


def of(code: str, found: list[plans_pb2.PlanFinding]) -> list[plans_pb2.PlanFinding]:
    assert {each.severity for each in found} <= {plans_pb2.PlanFinding.SEVERITY_WARNING}
    return [each for each in found if each.code == code]


def figures(told: object) -> dict[str, int]:
    return {each.metric: each.value.numerator for each in told}  # type: ignore[attr-defined]


def test_the_third_deal_brings_1000_at_once(company: Company) -> None:
    (cliff,) = of("CLIFF", findings(company, bonus("deals_won", count(3), "1000")))
    assert cliff.field == "rules[0].threshold_bonus.threshold"
    assert (in_yuan(cliff.step), cliff.example.at.metric, cliff.example.at.value.numerator) == (
        "1000.00",
        "deals_won",
        3,
    )
    assert [in_yuan(cliff.example.pays_before), in_yuan(cliff.example.pays_after)] == ["0.00", "1000.00"]


def test_every_step_of_tiers_is_a_cliff_also_inside_a_wrapper(company: Company) -> None:
    found = of("CLIFF", findings(company, cap("9000", S25)))
    assert [each.field for each in found] == ["rules[0].rules[0].tiers[1]", "rules[0].rules[0].tiers[2]"]
    assert [in_yuan(each.step) for each in found] == ["1000.00", "1000.00"]
    assert not of(
        "CLIFF", findings(company, graduated("revenue", (money("0"), percent(4)), (money("5"), percent(6))))
    )


def test_another_follow_up_that_lowers_pay_has_the_smallest_example(company: Company) -> None:
    found = of("MORE_PAYS_LESS", findings(company, bonus("close_rate", percent(50), "200")))
    (less,) = found
    # One deal of two is 50 %, of three is not.
    assert figures(less.example.before) == {"customers_followed": 2, "deals_won": 1}
    assert figures(less.example.after) == {"customers_followed": 3, "deals_won": 1}
    assert [in_yuan(less.example.pays_before), in_yuan(less.example.pays_after)] == ["200.00", "0.00"]
    assert less.field == "rules[0]"
    assert less.message.startswith("One more follow-up of a new customer lowers pay: customers_followed 2,")


def test_a_deal_that_lowers_pay_is_found(company: Company) -> None:
    falling = tiers("deals_won", (count(0), count(5), "100"), (count(5), None, "60"))
    (less,) = of("MORE_PAYS_LESS", findings(company, falling))
    assert (figures(less.example.before), figures(less.example.after)) == ({"deals_won": 4}, {"deals_won": 5})
    (small,) = of("MORE_PAYS_LESS", findings(company, bonus("average_order_value", money("1000"), "500")))
    assert figures(small.example.after)["deals_won"] == figures(small.example.before).get("deals_won", 0) + 1


def test_the_rule_that_loses_it_is_named(company: Company) -> None:
    rules = [
        cap("5000", per_unit("new_customers", "10"), per_point("close_rate", rate(10, 100), "50", PRO_RATA))
    ]
    less = of("MORE_PAYS_LESS", findings(company, *rules))
    assert [each.field for each in less] == ["rules[0].rules[1]"]


@pytest.mark.parametrize(
    "rule",
    [
        per_unit("deals_won", "10"),
        tiers("deals_won", (count(0), count(5), "100"), (count(5), None, "200")),
        gate(at_least("deals_won", count(2)), per_unit("new_customers", "5")),
        accelerator(at_least("deals_won", count(2)), rate(3, 2), rate_of("revenue", percent(1))),
    ],
)
def test_where_more_never_lowers_pay_nothing_is_said_of_it(company: Company, rule: plans_pb2.Rule) -> None:
    assert not of("MORE_PAYS_LESS", findings(company, rule))


def test_what_grows_without_a_cap_is_named_and_what_it_comes_to(company: Company) -> None:
    rules = [
        gate(at_least("deals_won", count(1)), per_unit("new_customers", "50")),
        cap("900", rate_of("revenue", percent(8), id="held")),
        graduated("revenue", (money("0"), percent(4)), (money("1000"), percent(0)), id="ends"),
        graduated("revenue", (money("0"), percent(4)), (money("150000"), percent(6)), id="grows"),
    ]
    found = of("COST_UNBOUNDED", findings(company, *rules))
    assert [each.field for each in found] == ["rules[0].rules[0]", "rules[3]"]
    assert figures(found[0].example.after) == {"new_customers": 1_000}
    assert in_yuan(found[0].example.pays_after) == "50000.00"
    assert (figures(found[1].example.after), in_yuan(found[1].example.pays_after)) == (
        {"revenue": 100_000_000},
        "57000.00",
    )


def test_another_branch_that_pays_otherwise_is_named_with_an_example(company: Company) -> None:
    company.as_("hr").create(plan(*S07, job_role="lint-far", node_id="beijing", id="lint-beijing"))
    more = {"job_role": "lint-far", "node_id": "shanghai"}
    dearer = (per_unit("new_customers", "60"), S07[1])
    (differs,) = of("PLANS_DIFFER", findings(company, *dearer, **more))
    assert differs.example.other_plan_id == "lint-beijing"
    assert differs.field == "node_id"
    assert figures(differs.example.after) == {"customers_followed": 1, "new_customers": 1}
    assert [in_yuan(differs.example.pays_before), in_yuan(differs.example.pays_after)] == ["50.00", "60.00"]
    assert not of("PLANS_DIFFER", findings(company, *S07, **more))
    # Begins before the other: nothing else is in force then.
    assert not of("PLANS_DIFFER", findings(company, *dearer, **more, effective=date(2024, 1, 1)))


def test_a_plan_that_one_may_not_read_is_not_told_of(company: Company) -> None:
    company.as_("hr").create(plan(*S07, job_role="lint-secret", node_id="beijing"))
    found = findings(
        company, per_unit("new_customers", "60"), by="shanghai-hr", job_role="lint-secret", node_id="shanghai"
    )
    assert not of("PLANS_DIFFER", found)


def test_a_plan_with_errors_is_told_its_errors_first_and_warnings_are_stored_with_it(
    company: Company,
) -> None:
    broken = findings(company, tiers("close_rate", (rate(1, 10), None, "5")), per_unit("deals_won", "1"))
    assert [each.code for each in broken] == ["TIER_GAP"]
    created = company.as_("hr").create(plan(per_unit("deals_won", "1"), job_role="lint-warned"))
    assert [each.code for each in created.warnings] == ["COST_UNBOUNDED"]

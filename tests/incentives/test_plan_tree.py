"""Plans as a tree: what wraps other rules, published examples to the last fen, and the month of tenure."""

from datetime import date
from fractions import Fraction

import grpc
import pytest
from foothold.incentives.v1 import plans_pb2, statements_pb2, values_pb2

from chassis.errors import from_rpc_error
from services.incentives.domain.tracing import Operation
from tests.incentives.company import NOW, Client, Company, on, person
from tests.incentives.peers import month_of, values_changed
from tests.incentives.plans import (
    accelerator,
    at_least,
    at_most,
    bonus,
    cap,
    count,
    floor,
    gate,
    graduated,
    group,
    guarantee,
    in_yuan,
    money,
    per_unit,
    percent,
    plan,
    ramp,
    rate,
    rate_of,
)
from tests.incentives.test_acceptance import pay
from tests.incentives.test_rules import AGAIN

THREE_BANDS = graduated(
    "revenue", (money("0"), percent(4)), (money("150000"), percent(6)), (money("250000"), percent(8))
)


def amounts(statement: statements_pb2.Statement) -> list[str]:
    return [in_yuan(line.amount) for line in statement.lines]


@pytest.mark.parametrize(
    ("rule", "revenue", "paid"),
    [
        (THREE_BANDS, 145_000, "5800.00"),
        # A deal of 20,000 more brings 1,100: 5,000 at 4 %, 15,000 at 6 %.
        (THREE_BANDS, 165_000, "6900.00"),
        (THREE_BANDS, 150_000, "6000.00"),
        (THREE_BANDS, 300_000, "16000.00"),
        (graduated("revenue", (money("0"), percent(4)), (money("200000"), percent(6))), 220_000, "9200.00"),
        (rate_of("revenue", percent(8)), 35_000, "2800.00"),
        (graduated("revenue", (money("0"), percent(5)), (money("30000"), percent(10))), 50_000, "3500.00"),
    ],
)
def test_published_examples_of_commission(
    company: Company, rule: plans_pb2.Rule, revenue: int, paid: str
) -> None:
    name = f"published-{revenue}-{rule.id}-{len(rule.graduated.bands)}"
    someone = pay(company, name, [rule], revenue=revenue * 100)
    assert in_yuan(someone.statement().total) == paid


def test_an_order_corrected_from_1000_to_800_leaves_32(company: Company) -> None:
    someone = pay(company, "refund", [rate_of("revenue", percent(4))], revenue=100_000)
    assert in_yuan(someone.statement().total) == "40.00"
    company.figures("refund", None, revenue=80_000)
    company.settle()
    assert in_yuan(someone.statement().total) == "32.00"


def test_100_percent_of_5_and_50_percent_of_10_count_10(company: Company) -> None:
    rule = per_unit("", "1", id="split")
    rule.credit.add(metric="deals_won", share=percent(100))
    rule.credit.add(metric="orders_placed", share=percent(50))
    someone = pay(company, "split", [rule], deals_won=5, orders_placed=10)
    (line,) = someone.statement().lines
    assert (in_yuan(line.amount), line.metric) == ("10.00", "")
    assert Fraction(line.value.numerator, line.value.denominator) == 10
    assert [each.metric for each in someone.explain("split").inputs] == ["deals_won", "orders_placed"]


def test_an_amount_each_by_bands_of_deals(company: Company) -> None:
    rule = graduated("deals_won", (count(0), "100"), (count(3), "150"), (count(5), "200"))
    someone = pay(company, "deals-by-band", [rule], deals_won=6)
    assert in_yuan(someone.statement().total) == "800.00"


def test_one_rounding_a_line_half_up(company: Company) -> None:
    """0.5 fen and 0.5 fen make one fen: parts are added before they are rounded."""
    rule = graduated("revenue", (money("0"), rate(1, 200)), (money("1"), rate(1, 200)))
    someone = pay(company, "half-up", [rule], revenue=200)
    assert in_yuan(someone.statement().total) == "0.01"
    assert (
        in_yuan(pay(company, "half-up-1", [rate_of("revenue", rate(1, 200))], revenue=100).statement().total)
        == "0.01"
    )
    assert (
        in_yuan(pay(company, "half-up-2", [rate_of("revenue", rate(1, 200))], revenue=99).statement().total)
        == "0.00"
    )


def unit(amount: str = "100") -> plans_pb2.Rule:
    return per_unit("new_customers", amount)


@pytest.mark.parametrize(
    ("name", "rule", "lines"),
    [
        ("group", group(unit(), bonus("deals_won", count(3), "50")), ["0.00", "1000.00", "50.00"]),
        ("cap", cap("700", unit()), ["-300.00", "1000.00"]),
        ("cap-out-of-reach", cap("1000", unit()), ["0.00", "1000.00"]),
        ("floor", floor("1200", unit()), ["200.00", "1000.00"]),
        ("gate-met", gate(at_least("close_rate", percent(12)), unit()), ["0.00", "1000.00"]),
        ("gate-not-met", gate(at_least("close_rate", rate(1201, 10_000)), unit()), ["-1000.00", "1000.00"]),
        ("gate-at-most", gate(at_most("deals_lost", count(1)), unit()), ["0.00", "1000.00"]),
        ("gate-over-most", gate(at_most("deals_won", count(2)), unit()), ["-1000.00", "1000.00"]),
        (
            "accelerated",
            accelerator(at_least("deals_won", count(3)), rate(3, 2), unit()),
            ["500.00", "1000.00"],
        ),
        (
            "not-accelerated",
            accelerator(at_least("deals_won", count(4)), rate(3, 2), unit()),
            ["0.00", "1000.00"],
        ),
        (
            "nested",
            cap(
                "1300",
                gate(
                    at_least("deals_won", count(1)),
                    accelerator(at_least("deals_won", count(3)), rate(3, 2), unit()),
                ),
            ),
            ["-200.00", "0.00", "500.00", "1000.00"],
        ),
    ],
)
def test_every_node_is_a_line_and_says_what_it_changes(
    company: Company, name: str, rule: plans_pb2.Rule, lines: list[str]
) -> None:
    someone = pay(company, f"tree-{name}", [rule], customers_followed=25, new_customers=10, deals_won=3)
    statement = someone.statement()
    assert amounts(statement) == lines
    minor = sum(line.amount.units * 100 + line.amount.nanos // 10_000_000 for line in statement.lines)
    assert minor == statement.total.units * 100 + statement.total.nanos // 10_000_000
    explained(someone, statement)


def explained(someone: Client, statement: statements_pb2.Statement) -> None:
    """Every trace leads to its line by itself, with the statement's other lines at hand (R12)."""
    for line in statement.lines:
        answer = someone.explain(line.rule_id)
        assert answer.line == line
        assert all(each in statement.lines for each in answer.inside)
        told = {each.rule_id: each.amount for each in answer.inside}
        result = Fraction(0)
        for step in answer.steps:
            operation = Operation(step.operation)
            result = Fraction(int(step.result.numerator), int(step.result.denominator))
            if operation is Operation.READ_LINE:
                amount = told[step.subject]
                assert result == amount.units * 100 + amount.nanos // 10_000_000
            elif operation is not Operation.READ:
                operands = [Fraction(int(each.numerator), int(each.denominator)) for each in step.operands]
                assert AGAIN[operation](*operands) == result
        assert result == line.amount.units * 100 + line.amount.nanos // 10_000_000


def test_a_line_says_what_it_is_and_where_it_stands(company: Company) -> None:
    rules = [cap("700", gate(at_least("deals_won", count(1)), unit())), bonus("deals_won", count(1), "5")]
    someone = pay(company, "places", rules, new_customers=10, deals_won=3)
    lines = someone.statement().lines
    assert [(line.rule_id, line.parent_rule_id, line.depth, line.kind) for line in lines] == [
        ("cap", "", 0, values_pb2.RULE_KIND_CAP),
        ("gate", "cap", 1, values_pb2.RULE_KIND_GATE),
        ("unit", "gate", 2, values_pb2.RULE_KIND_PER_UNIT),
        ("bonus", "", 0, values_pb2.RULE_KIND_THRESHOLD_BONUS),
    ]
    assert (lines[0].metric, lines[0].value.unit, lines[0].value.numerator) == (
        "",
        values_pb2.UNIT_MONEY,
        100_000,
    )
    assert (lines[1].metric, lines[1].value.numerator) == ("deals_won", 3)


def test_a_tree_is_read_back_exactly_as_written(company: Company) -> None:
    credited = per_unit("", "2", id="credited")
    credited.credit.add(metric="deals_won", share=rate(1, 3))
    written = plan(
        group(cap("9", THREE_BANDS), floor("1", credited)),
        gate(at_most("deals_lost", count(2)), guarantee("3000", 3, ramp([50, 80], unit()))),
        accelerator(at_least("close_rate", percent(15)), rate(3, 2), rate_of("revenue", rate(1, 30))),
        graduated(
            "followup_minutes",
            (values_pb2.Value(unit=values_pb2.UNIT_MINUTES, denominator=1), "1"),
            id="minutes",
        ),
        job_role="tree-read-back",
    )
    created = company.as_("hr").create(written).plan
    assert list(created.rules) == list(written.rules)
    found = company.as_("hr").plans.GetPlan(plans_pb2.GetPlanRequest(plan_id=created.id)).plan
    assert found == created
    checked = company.as_("hr").plans.CheckPlan(plans_pb2.CheckPlanRequest(plan=written))
    assert len(checked.readings) == 12
    assert "in the first 3 months these together pay at least 3,000.00" in "; ".join(checked.readings)


def hire(company: Company, name: str, role: str, hired: date | None) -> None:
    told = person(name, "shanghai-sales", role)
    if hired is not None:
        told.hire_date.CopyFrom(on(hired))
    company.tell(person_changed=told)


TENURED = (guarantee("3000", 3, unit("10")), ramp([50, 80], per_unit("deals_won", "100", id="deal")))


@pytest.mark.parametrize(
    ("hired", "lines"),
    [
        # March 2025. The first month, also for who comes within it.
        (date(2025, 3, 10), ["2900.00", "100.00", "-150.00", "300.00"]),
        (date(2025, 3, 1), ["2900.00", "100.00", "-150.00", "300.00"]),
        # The second, the third, the fourth.
        (date(2025, 2, 1), ["2900.00", "100.00", "-60.00", "300.00"]),
        (date(2025, 2, 2), ["2900.00", "100.00", "-150.00", "300.00"]),
        (date(2024, 12, 15), ["2900.00", "100.00", "0.00", "300.00"]),
        (date(2024, 12, 1), ["0.00", "100.00", "0.00", "300.00"]),
        (None, ["0.00", "100.00", "0.00", "300.00"]),
    ],
)
def test_the_first_months_of_tenure(company: Company, hired: date | None, lines: list[str]) -> None:
    name = f"tenure-{hired or 'unknown'}"
    someone = pay(company, name, list(TENURED))
    hire(company, name, f"role-{name}", hired)
    company.figures(name, None, new_customers=10, deals_won=3)
    company.settle()
    statement = someone.statement()
    assert amounts(statement) == lines
    explained(someone, statement)
    said = someone.explain("ramp")
    assert [each.metric for each in said.inputs] == ["tenure_month"]
    no_data = Operation.NO_DATA in [Operation(step.operation) for step in said.steps]
    assert no_data == (hired is None)


def test_a_corrected_day_of_hiring_is_right_now_and_leaves_closed_months_alone(company: Company) -> None:
    someone = pay(company, "corrected", list(TENURED))
    hire(company, "corrected", "role-corrected", date(2024, 12, 1))
    company.settle()
    january = date(2025, 1, 20)
    company.figures("corrected", january, deals_won=1)
    company.figures("corrected", None, deals_won=1)
    company.settle()
    assert amounts(someone.statement()) == ["0.00", "0.00", "0.00", "100.00"]
    assert amounts(someone.statement(day=january)) == ["3000.00", "0.00", "-20.00", "100.00"]
    hire(company, "corrected", "role-corrected", date(2025, 2, 15))
    company.settle()
    assert amounts(someone.statement()) == ["3000.00", "0.00", "-50.00", "100.00"]
    assert amounts(someone.statement(day=january)) == ["3000.00", "0.00", "-20.00", "100.00"]
    # News of the closed month reckons with the month of tenure it was computed with, the second.
    company.figures("corrected", january, deals_won=2)
    company.settle()
    assert amounts(someone.statement(day=january)) == ["3000.00", "0.00", "-40.00", "200.00"]
    hire(company, "corrected", "role-corrected", None)
    company.settle()
    assert amounts(someone.statement()) == ["0.00", "0.00", "0.00", "100.00"]


def test_who_has_done_nothing_yet_is_guaranteed_as_well(company: Company) -> None:
    someone = pay(company, "first-week", list(TENURED))
    hire(company, "first-week", "role-first-week", date(2025, 3, 10))
    company.settle()
    assert amounts(someone.statement()) == ["3000.00", "0.00", "0.00", "0.00"]


def test_told_again_or_in_another_order_a_tree_pays_the_same(company: Company) -> None:
    rules = [cap("700", gate(at_least("deals_won", count(1)), unit())), guarantee("900", 3, THREE_BANDS)]
    orders = ([0, 1, 2], [2, 0, 1, 2], [1, 2, 2, 0])
    told = [
        {"deals_won": 1},
        {"deals_won": 1, "new_customers": 9},
        {"deals_won": 2, "new_customers": 9, "revenue": 3_000_000},
    ]
    seen = []
    for number, order in enumerate(orders):
        name = f"order-{number}"
        someone = pay(company, name, rules)
        hire(company, name, f"role-{name}", date(2025, 3, 3))
        # Goals tells figures as they are when read, so whatever comes last is the whole truth.
        for which in [*order, 2]:
            company.peers.goals.tell(values_changed(name, NOW, (month_of(NOW.date()), told[which])))
        company.settle()
        seen.append(amounts(someone.statement()))
    assert seen == [["-200.00", "0.00", "900.00", "0.00", "1200.00"]] * 3


@pytest.mark.parametrize(
    ("rule", "reason", "field"),
    [
        (cap("1"), "PLAN_INVALID", "cap.rules"),
        (plans_pb2.Rule(id="c", label="c", cap=plans_pb2.Cap(rules=[unit()])), "PLAN_INVALID", "cap.amount"),
        (floor("0", unit()), "PLAN_INVALID", "floor.amount"),
        (guarantee("1", 0, unit()), "PLAN_INVALID", "guarantee.months"),
        (guarantee("1", 61, unit()), "PLAN_INVALID", "guarantee.months"),
        (ramp([], unit()), "PLAN_INVALID", "ramp.shares"),
        (ramp([101], unit()), "VALUE_INVALID", "ramp.shares[0].numerator"),
        (
            accelerator(at_least("deals_won", count(1)), rate(1, 1), unit()),
            "VALUE_INVALID",
            "accelerator.factor.numerator",
        ),
        (
            accelerator(at_least("deals_won", count(1)), rate(101, 10), unit()),
            "VALUE_INVALID",
            "accelerator.factor.numerator",
        ),
        (gate(plans_pb2.Condition(metric="deals_won"), unit()), "PLAN_INVALID", "gate.condition.at_least"),
        (gate(at_least("pushups", count(1)), unit()), "PLAN_INVALID", "gate.condition.metric"),
        (gate(at_least("close_rate", count(1)), unit()), "VALUE_INVALID", "gate.condition.at_least.unit"),
        (gate(at_least("win_rate", rate(101, 100)), unit()), "VALUE_INVALID", "gate.condition.at_least"),
        (group(cap("1", unit(), unit())), "PLAN_INVALID", "rules[0].rules[1].id"),
        (rate_of("deals_won", percent(1)), "PLAN_INVALID", "rate_of.metric"),
        (rate_of("revenue", percent(101)), "VALUE_INVALID", "rate_of.share.numerator"),
        (rate_of("revenue", percent(0)), "VALUE_INVALID", "rate_of.share.numerator"),
        (graduated("revenue", (money("1"), percent(1))), "TIER_GAP", "bands[0].low"),
        (graduated("revenue", (money("0"), "1")), "PLAN_INVALID", "bands[0].amount"),
        (graduated("deals_won", (count(0), percent(1))), "PLAN_INVALID", "bands[0].share"),
        (
            plans_pb2.Rule(
                id="g",
                label="g",
                graduated=plans_pb2.Graduated(
                    metric="revenue",
                    bands=[
                        plans_pb2.Band(low=money("0"), high=money("5"), share=percent(1)),
                        plans_pb2.Band(low=money("4"), share=percent(1)),
                    ],
                ),
            ),
            "TIER_OVERLAP",
            "bands[1].low",
        ),
    ],
)
def test_what_is_wrong_with_a_tree_is_refused_by_name(
    company: Company, rule: plans_pb2.Rule, reason: str, field: str
) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        company.as_("hr").create(plan(rule, job_role="tree-refused"))
    refused = from_rpc_error(caught.value)
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, reason)
    assert f"plan.rules[0].{field}" in refused.fields


def test_at_most_five_deep_and_fifty_in_all(company: Company) -> None:
    deep = unit()
    for number in range(4):
        deep = group(deep, id=f"g{number}")
    assert company.as_("hr").create(plan(deep, job_role="tree-deep")).plan.id
    for number in range(4, 44):
        deep = group(deep, id=f"g{number}")
    many = [
        group(*(per_unit("deals_won", "1", id=f"r{a}-{b}") for b in range(16)), id=f"g{a}") for a in range(3)
    ]
    for rules, field in (
        ([deep], "plan.rules[0].rules[0].rules[0].rules[0].rules[0].rules[0]"),
        (many, "plan.rules"),
    ):
        with pytest.raises(grpc.RpcError) as caught:
            company.as_("hr").create(plan(*rules, job_role="tree-refused"))
        assert field in from_rpc_error(caught.value).fields


def test_credit_is_of_one_unit_and_of_no_ratio(company: Company) -> None:
    for parts, field in (
        ([("deals_won", percent(50)), ("revenue", percent(50))], "credit"),
        ([("close_rate", percent(50))], "credit[0].metric"),
        ([("deals_won", percent(0))], "credit[0].share.numerator"),
        ([("deals_won", percent(50)), ("deals_won", percent(50))], "credit"),
        ([("revenue", percent(50))], "credit"),
    ):
        rule = per_unit("", "1")
        for metric, share in parts:
            rule.credit.add(metric=metric, share=share)
        with pytest.raises(grpc.RpcError) as caught:
            company.as_("hr").create(plan(rule, job_role="tree-refused"))
        assert f"plan.rules[0].{field}" in from_rpc_error(caught.value).fields


def test_what_is_missing_for_more_under_a_gate(company: Company) -> None:
    someone = pay(company, "next-gate", [gate(at_least("deals_won", count(2)), unit())], new_customers=4)
    answers = someone.answer().next_amounts
    found = {
        tuple((change.lever, change.count) for change in each.changes): in_yuan(each.total)
        for each in answers
    }
    assert found[((statements_pb2.LeverChange.LEVER_WIN_DEAL, 2),)] == "400.00"

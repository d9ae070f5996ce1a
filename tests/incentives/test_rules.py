"""The laws of evaluation and of its explanation, over thousands of plans and figures."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from fractions import Fraction
from math import floor
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from services.incentives.domain.evaluation import LINE_LIMIT, evaluate, pay, values
from services.incentives.domain.metrics import METRICS, Figure, Unit
from services.incentives.domain.parameters import numbers_of, with_numbers
from services.incentives.domain.periods import PeriodKind
from services.incentives.domain.plans import Plan
from services.incentives.domain.rules import (
    Condition,
    Draw,
    Floor,
    Gate,
    Guarantee,
    PerPoint,
    PerUnit,
    PointMode,
    Ramp,
    Rule,
    Tier,
    Tiers,
    Wrapper,
    nodes_of,
)
from services.incentives.domain.tracing import Operation, Step, trace
from tests.incentives import naive

_MANY = settings(max_examples=1_000, deadline=None)
_MOST = settings(max_examples=5_000, deadline=None)
_MORE = settings(max_examples=3_000, deadline=None)


def plan_of(rules: tuple[Rule, ...]) -> Plan:
    return Plan(
        "p",
        "hq",
        "sales",
        "计划",
        PeriodKind.MONTH,
        rules,
        date(2025, 1, 1),
        "",
        "hr",
        datetime(2025, 1, 1, tzinfo=UTC),
    )


def tier_again(value: Fraction, amount: Fraction, low: Fraction, *high: Fraction) -> Fraction:
    assert low <= value
    assert all(value < end for end in high)
    return amount


AGAIN: dict[Operation, Callable[..., Fraction]] = {
    Operation.NO_DATA: lambda: Fraction(0),
    Operation.DIVIDE: lambda a, b: a / b,
    Operation.SUBTRACT: lambda a, b: a - b,
    Operation.MULTIPLY: lambda a, b: a * b,
    Operation.ADD: lambda *terms: sum(terms, Fraction(0)),
    Operation.FLOOR: lambda a: Fraction(floor(a)),
    Operation.ROUND_HALF_UP: lambda a: Fraction(naive.half_up(a)),
    Operation.AT_LEAST: lambda a, b: Fraction(a >= b),
    Operation.MAX: max,
    Operation.MIN: min,
    Operation.TIER: tier_again,
}
"""Each operation done anew, from its operands alone."""


@_MOST
@given(naive.trees(), naive.histories())
def test_every_line_pays_what_the_naive_evaluator_says_and_lines_sum_to_the_total(
    rules: tuple[Rule, ...], figures: dict[str, int]
) -> None:
    evaluation = evaluate(plan_of(rules), figures)
    amounts = [line.amount for line in evaluation.lines]
    assert amounts == naive.lines(rules, figures)
    assert evaluation.total == sum(amounts) == naive.total(rules, figures) >= 0
    assert [line.value for line in evaluation.lines] == values(plan_of(rules), figures, amounts)
    for node, amount in zip(nodes_of(rules), amounts, strict=True):
        assert amount >= 0 or isinstance(node.rule.kind, Wrapper)


@_MORE
@given(naive.trees(), naive.histories())
def test_r12_re_evaluating_the_trace_gives_the_amount(
    rules: tuple[Rule, ...], figures: dict[str, int]
) -> None:
    plan = plan_of(rules)
    amounts = [line.amount for line in evaluate(plan, figures).lines]
    by_id = {node.rule.id: amount for node, amount in zip(plan.nodes, amounts, strict=True)}
    for index, amount in enumerate(amounts):
        steps = trace(plan, index, figures, amounts)
        for step in steps:
            if step.operation is Operation.READ:
                assert step.result == figures.get(step.subject, 0)
            elif step.operation is Operation.READ_LINE:
                assert step.result == by_id[step.subject]
            else:
                assert AGAIN[step.operation](*step.operands) == step.result
        assert steps[-1].result == amount


@_MANY
@given(naive.trees(), st.integers(0, 7))
def test_where_everything_is_void_only_floors_guarantees_and_draws_pay(
    rules: tuple[Rule, ...], month: int
) -> None:
    """Nothing done pays nothing of itself; a tier, a bonus or a band from 0 on is paid for 0 as well."""
    nothing = {"tenure_month": month} if month else {}
    lines = evaluate(plan_of(rules), nothing).lines
    assert [line.amount for line in lines] == [
        line.amount for line in evaluate(plan_of(rules), dict.fromkeys(naive.COUNTS, 0) | nothing).lines
    ]
    paid_for_nothing = any(
        isinstance(line.rule.kind, Floor | Guarantee | Draw)
        or (not isinstance(line.rule.kind, Wrapper) and line.amount)
        for line in lines
    )
    assert paid_for_nothing or sum(line.amount for line in lines) == 0


@_MANY
@given(naive.trees(), naive.histories(), st.randoms())
def test_the_order_in_which_figures_are_told_changes_nothing(
    rules: tuple[Rule, ...], figures: dict[str, int], random: Random
) -> None:
    shuffled = list(figures.items())
    random.shuffle(shuffled)
    assert evaluate(plan_of(rules), dict(shuffled)) == evaluate(plan_of(rules), figures)


@settings(max_examples=300, deadline=None)
@given(naive.trees(), naive.histories(), st.data())
def test_any_number_set_to_what_it_admits_is_that_number_alone_and_a_sound_rule(
    rules: tuple[Rule, ...], figures: dict[str, int], data: st.DataObject
) -> None:
    """So that no node below can make a plan that says nothing, whatever it sets."""
    before = {
        f"{node.rule.id}.{field}": number
        for node in nodes_of(rules)
        for field, number in numbers_of(node.rule).items()
    }
    if not before:
        return
    key = data.draw(st.sampled_from(sorted(before)))
    number = before[key]
    parts = data.draw(st.integers(1, 1000)) if number.unit is Unit.RATE else 1
    least, most = (floor(each * parts) for each in (number.least, min(number.most, Fraction(10**9))))
    chosen = Fraction(data.draw(st.integers(least + number.above, most)), parts)
    if not number.admits(chosen):
        return
    value = Figure(chosen.numerator, chosen.denominator)
    made = with_numbers(rules, {key: value})
    after = {
        f"{node.rule.id}.{field}": each.value
        for node in nodes_of(made)
        for field, each in numbers_of(node.rule).items()
    }
    assert after == {each: number.value for each, number in before.items()} | {key: value}
    assert with_numbers(made, {key: number.value}) == rules
    assert [line.amount for line in evaluate(plan_of(made), figures).lines] == naive.lines(made, figures)


@_MANY
@given(
    st.integers(0, 10**7),
    st.integers(1, 10**7),
    naive.rates(),
    naive.AMOUNTS,
    st.sampled_from(PointMode),
)
def test_points_are_exact_for_any_rate(
    won: int, followed: int, threshold: Figure, amount: int, mode: PointMode
) -> None:
    kind = PerPoint(METRICS["close_rate"], threshold, amount, mode)
    paid = naive.pays(Rule("r", "r", kind), Fraction(won, followed))
    assert pay(kind, Figure(won, followed)) == paid


def test_r1_what_a_float_gets_wrong() -> None:
    assert floor((0.12 - 0.10) * 100) == 1
    points = PerPoint(METRICS["close_rate"], Figure(10, 100), 5_000, PointMode.WHOLE)
    assert pay(points, Figure(12, 100)) == 10_000


def test_revenue_below_zero_counts_as_nothing_and_says_so() -> None:
    kind = Tiers(METRICS["revenue"], (Tier(Figure(0, 1), Figure(100, 1), 5), Tier(Figure(100, 1), None, 10)))
    assert pay(kind, Figure(-200, 1)) == 5
    steps = trace(plan_of((Rule("r", "r", kind),)), 0, {"revenue": -200}, [5])
    assert [step.operation for step in steps] == [Operation.READ, Operation.MAX, Operation.TIER]
    assert steps[-1].result == 5


def test_no_line_passes_the_limit_and_the_trace_says_so() -> None:
    kind = PerUnit(METRICS["deals_won"], 10**12)
    figures = {"deals_won": 10**6}
    assert pay(kind, Figure(10**6, 1)) == LINE_LIMIT
    assert trace(plan_of((Rule("r", "r", kind),)), 0, figures, [LINE_LIMIT])[-1] == Step(
        Operation.MIN, (Fraction(10**18), Fraction(LINE_LIMIT)), Fraction(LINE_LIMIT)
    )


def test_without_a_day_of_hiring_what_goes_by_tenure_does_nothing_and_says_so() -> None:
    inside = (Rule("unit", "u", PerUnit(METRICS["deals_won"], 100)),)
    kinds = (Guarantee(5_000, 3, inside), Draw(5_000, 3, Figure(1, 2), inside), Ramp((Figure(1, 2),), inside))
    for kind in kinds:
        plan = plan_of((Rule("w", "w", kind),))
        lines = evaluate(plan, {"deals_won": 4}).lines
        assert [line.amount for line in lines] == [0, 400]
        last = trace(plan, 0, {"deals_won": 4}, [0, 400])[-1]
        assert last == Step(Operation.NO_DATA, (), Fraction(0))


def test_a_gate_without_data_is_not_met_at_least_and_not_at_most() -> None:
    inside = (Rule("unit", "u", PerUnit(METRICS["new_customers"], 100)),)
    for at_most in (False, True):
        gate = Gate(Condition(METRICS["close_rate"], Figure(0, 1), at_most), inside)
        assert evaluate(plan_of((Rule("g", "g", gate),)), {"new_customers": 3}).total == 0

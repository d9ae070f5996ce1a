"""The laws of evaluation and of its explanation, over thousands of plans and figures."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from fractions import Fraction
from math import floor

from hypothesis import given, settings
from hypothesis import strategies as st

from services.incentives.domain.evaluation import LINE_LIMIT, evaluate, pay
from services.incentives.domain.metrics import Figure
from services.incentives.domain.periods import PeriodKind
from services.incentives.domain.plans import PerPoint, PerUnit, Plan, PointMode, Rule, Tier, Tiers
from services.incentives.domain.tracing import Operation, Step, trace
from tests.incentives import naive

_MANY = settings(max_examples=1_000, deadline=None)


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


@_MANY
@given(naive.rules(), naive.figures())
def test_every_line_pays_what_the_naive_evaluator_says_and_lines_sum_to_the_total(
    rules: tuple[Rule, ...], figures: dict[str, int]
) -> None:
    evaluation = evaluate(plan_of(rules), figures)
    for rule, line in zip(rules, evaluation.lines, strict=True):
        assert line.amount == naive.pays(rule, naive.value_of(rule.kind.metric, figures))
    assert evaluation.total == sum(line.amount for line in evaluation.lines) == naive.total(rules, figures)


@_MANY
@given(naive.rules(), naive.figures())
def test_r12_re_evaluating_the_trace_gives_the_amount(
    rules: tuple[Rule, ...], figures: dict[str, int]
) -> None:
    for index, line in enumerate(evaluate(plan_of(rules), figures).lines):
        steps = trace(line.rule.kind, figures, rule_index=index)
        for step in steps:
            if step.operation is Operation.READ:
                assert step.result == figures.get(step.subject, 0)
            else:
                assert AGAIN[step.operation](*step.operands) == step.result
        assert steps[-1].result == line.amount


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
    rule = Rule("r", "r", PerPoint("close_rate", threshold, amount, mode))
    paid = naive.pays(rule, Fraction(won, followed))
    assert pay(rule.kind, Figure(won, followed)) == paid


def test_r1_what_a_float_gets_wrong() -> None:
    assert floor((0.12 - 0.10) * 100) == 1
    points = PerPoint("close_rate", Figure(10, 100), 5_000, PointMode.WHOLE)
    assert pay(points, Figure(12, 100)) == 10_000


def test_revenue_below_zero_counts_as_nothing_and_says_so() -> None:
    kind = Tiers("revenue", (Tier(Figure(0, 1), Figure(100, 1), 5), Tier(Figure(100, 1), None, 10)))
    assert pay(kind, Figure(-200, 1)) == 5
    steps = trace(kind, {"revenue": -200}, rule_index=0)
    assert [step.operation for step in steps] == [Operation.READ, Operation.MAX, Operation.TIER]
    assert steps[-1].result == 5


def test_no_line_passes_the_limit_and_the_trace_says_so() -> None:
    kind = PerUnit("deals_won", 10**12)
    figures = {"deals_won": 10**6}
    assert pay(kind, Figure(10**6, 1)) == LINE_LIMIT
    assert trace(kind, figures, rule_index=0)[-1] == Step(
        Operation.MIN, (Fraction(10**18), Fraction(LINE_LIMIT)), Fraction(LINE_LIMIT)
    )

"""What is missing for more: each answer is enough, one less is not, and none is missed (brute force)."""

from collections.abc import Mapping
from fractions import Fraction

from hypothesis import given, settings

from services.incentives.domain import inverse
from services.incentives.domain.inverse import AnyLever, Lever, NextAmount, next_amounts
from services.incentives.domain.rules import Rule
from tests.incentives import naive
from tests.incentives.test_rules import plan_of


def as_tests_say(lever: AnyLever) -> int | str:
    """A lever by its number, a metric of the enterprise's own by its name."""
    return int(lever) if isinstance(lever, Lever) else lever


_MANY = settings(max_examples=400, deadline=None)


def total_after(
    rules: tuple[Rule, ...],
    figures: Mapping[str, int],
    answer: NextAmount,
    one_less: AnyLever | None = None,
) -> int:
    changes = {as_tests_say(lever): count - (lever == one_less) for lever, count in answer.changes}
    held = {name: naive.value_of(name, figures) for name in answer.held}
    return naive.total(rules, naive.after(figures, changes), held)


@_MANY
@given(naive.rules(), naive.figures())
def test_each_is_sufficient_and_one_less_is_not(rules: tuple[Rule, ...], figures: dict[str, int]) -> None:
    now = naive.total(rules, figures)
    answers = next_amounts(plan_of(rules), figures)
    assert len(answers) <= inverse.MOST_ANSWERS
    for answer in answers:
        assert answer.total == total_after(rules, figures, answer) == now + answer.gain
        assert answer.gain > 0
        for lever, _ in answer.changes:
            assert total_after(rules, figures, answer, lever) < answer.total
    efforts = [sum(count for _, count in answer.changes) for answer in answers]
    assert efforts == sorted(efforts)
    assert len(set(answers)) == len(answers)


@_MANY
@given(naive.rules(), naive.figures())
def test_the_least_of_each_lever_is_found(rules: tuple[Rule, ...], figures: dict[str, int]) -> None:
    search = inverse._Search(plan_of(rules), figures)
    for lever in (*Lever, *naive.OWN_COUNTS):
        expected = naive.least_alone(rules, figures, as_tests_say(lever), 150)
        found = search.least(lever)
        assert found == expected or (expected is None and found is not None and found > 150)


@settings(max_examples=150, deadline=None)
@given(naive.rules(most=3), naive.figures(most=12))
def test_pairs_are_those_where_nothing_smaller_brings_more(
    rules: tuple[Rule, ...], figures: dict[str, int]
) -> None:
    search = inverse._Search(plan_of(rules), figures)
    least: dict[AnyLever, int | None] = {lever: search.least(lever) for lever in Lever}
    found = {(changes[0][1], changes[1][1]) for changes in inverse._pairs(search, least)}
    within = {pair for pair in found if max(pair) <= 14}
    expected = naive.least_pairs(rules, figures, 14)
    assert within == expected


@_MANY
@given(naive.rules(), naive.figures())
def test_holding_a_rate_says_so_and_keeps_it(rules: tuple[Rule, ...], figures: dict[str, int]) -> None:
    for answer in next_amounts(plan_of(rules), figures):
        if answer.held:
            assert answer.held == ("close_rate",)
            assert [lever for lever, _ in answer.changes] == [Lever.FOLLOW_NEW_CUSTOMER]
            changes = {as_tests_say(lever): count for lever, count in answer.changes}
            free = naive.total(rules, naive.after(figures, changes))
            assert free != answer.total
            assert isinstance(naive.value_of("close_rate", figures), Fraction)


@settings(max_examples=150, deadline=None)
@given(naive.trees(), naive.histories())
def test_in_any_plan_the_enterprises_own_counts_are_levers_too(
    rules: tuple[Rule, ...], figures: dict[str, int]
) -> None:
    plan = plan_of(rules)
    search = inverse._search(plan, figures)
    for name in naive.OWN_COUNTS:
        expected = naive.least_alone(rules, figures, name, 60)
        found = search.least(name)
        assert found == expected or (expected is None and found is not None and found > 60)
    for answer in inverse._by_doing(plan, figures):
        if any(isinstance(lever, str) for lever, _ in answer.changes):
            assert total_after(rules, figures, answer) == answer.total

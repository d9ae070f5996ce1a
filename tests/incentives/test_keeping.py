"""What is kept of lines for deals: never beyond what they pay, and together what the rules would pay less."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from services.incentives.domain.keeping import kept
from services.incentives.domain.metrics import is_standing
from services.incentives.domain.payouts import PayoutLine
from services.incentives.domain.periods import Period, PeriodKind
from services.incentives.domain.rules import Rule
from services.incentives.domain.statements import Statement
from tests.incentives import naive
from tests.incentives.test_rules import plan_of

MARCH = Period(PeriodKind.MONTH, date(2025, 3, 1))
APRIL = Period(PeriodKind.MONTH, date(2025, 4, 1))


def payout(rules: tuple[Rule, ...], figures: dict[str, int]) -> tuple[Statement, list[PayoutLine]]:
    """A closed statement, and what its payout books where nothing is adjusted."""
    plan, amounts = plan_of(rules), naive.lines(rules, figures)
    statement = Statement("li", MARCH, figures, plan_id=plan.id, total=sum(amounts), amounts=tuple(amounts))
    booked = [
        PayoutLine("li", node.rule.id, node.rule.label, None, amount)
        for node, amount in zip(plan.nodes, amounts, strict=True)
        if amount
    ]
    return statement, booked


def without_deals(figures: dict[str, int], without: dict[str, int]) -> dict[str, int]:
    """What a person did is other; the month of tenure and the like are not."""
    return {name: (figures if is_standing(name) else without).get(name, 0) for name in {*figures, *without}}


@given(naive.trees(), naive.histories(), naive.histories())
def test_together_it_is_what_each_rule_would_pay_less(
    rules: tuple[Rule, ...], figures: dict[str, int], without: dict[str, int]
) -> None:
    statement, booked = payout(rules, figures)
    parts = kept(plan_of(rules), statement, without, booked)
    pays = {each.rule_id: each.amount for each in booked}
    assert all(0 < each.amount <= pays[each.rule_id] for each in parts)
    after = without_deals(figures, without)
    less = [naive.total([rule], figures) - naive.total([rule], after) for rule in rules]
    assert sum(each.amount for each in parts) == sum(max(0, each) for each in less)


@given(
    naive.trees(), naive.histories(), naive.histories(), st.lists(st.integers(-(10**7), 10**7), max_size=4)
)
def test_adjustments_leave_room_for_no_more_than_what_is_due(
    rules: tuple[Rule, ...], figures: dict[str, int], without: dict[str, int], adjusted: list[int]
) -> None:
    statement, booked = payout(rules, figures)
    nodes = plan_of(rules).nodes
    booked += [
        PayoutLine("li", nodes[number % len(nodes)].rule.id, "", APRIL, amount)
        for number, amount in enumerate(adjusted)
        if amount
    ]
    parts = kept(plan_of(rules), statement, without, booked)
    assert sum(each.amount for each in parts) <= max(0, sum(each.amount for each in booked))
    for each in parts:
        assert 0 < each.amount <= sum(line.amount for line in booked if line.rule_id == each.rule_id)


@given(naive.trees(), naive.histories())
def test_without_nothing_nothing_is_kept(rules: tuple[Rule, ...], figures: dict[str, int]) -> None:
    statement, booked = payout(rules, figures)
    assert kept(plan_of(rules), statement, figures, booked) == ()

"""What hangs on deals of a closed statement: what it pays less what it would pay without them (decision 0428).

A rule that stands by itself is looked at with all that is inside of it. What it would pay less is kept of its lines:
first of those that would pay less themselves, then, where a gate or a cap makes the difference, of the others in
order. So nothing is ever kept of a line beyond what it pays, no line is raised, and where a cap or a guarantee makes
up for the deal nothing is kept at all.
"""

from collections.abc import Iterable, Mapping, Sequence

from services.incentives.domain.closing import HeldLine
from services.incentives.domain.evaluation import evaluate
from services.incentives.domain.metrics import Figures, is_standing
from services.incentives.domain.payouts import PayoutLine
from services.incentives.domain.plans import Plan
from services.incentives.domain.statements import Statement


def told_figures(plan: Plan) -> list[str]:
    """The figures that a plan reads of what a person did: those goals tells."""
    return [name for name in plan.figures if not is_standing(name)]


def same(plan: Plan, statement: Statement, figures: Figures) -> bool:
    """Whether these are the figures the statement was computed from."""
    return all(figures.get(name, 0) == statement.figures.get(name, 0) for name in told_figures(plan))


def kept(
    plan: Plan, statement: Statement, without: Figures, lines: Sequence[PayoutLine]
) -> tuple[HeldLine, ...]:
    """What is kept of a closed statement's lines for deals, `without` which these would be the figures.

    `lines` is all that its payout books: no more is kept of a line than it comes to with its adjustments, and no more
    of all of them than the payout.
    """
    figures = {**statement.figures, **{name: without.get(name, 0) for name in told_figures(plan)}}
    after = [line.amount for line in evaluate(plan, figures).lines]
    booked = _booked(lines)
    room = [
        max(0, min(amount, booked.get(node.rule.id, 0)))
        for node, amount in zip(plan.nodes, statement.amounts, strict=True)
    ]
    parts: list[int] = []
    while len(parts) < len(plan.nodes):
        inside = slice(len(parts), plan.nodes[len(parts)].end)
        parts += _of_rule(statement.amounts[inside], after[inside], room[inside])
    parts = _within(parts, sum(each.amount for each in lines))
    return tuple(
        HeldLine(node.rule.id, node.rule.label, part, in_part=True)
        for node, part in zip(plan.nodes, parts, strict=True)
        if part
    )


def _of_rule(pays: Sequence[int], without: Sequence[int], room: Sequence[int]) -> list[int]:
    """What is kept of each line of a rule and of those inside it."""
    fewer = [max(0, amount - after) for amount, after in zip(pays, without, strict=True)]
    left = sum(pays) - sum(without)
    first = _within([min(each) for each in zip(fewer, room, strict=True)], left)
    rest = _within([free - part for free, part in zip(room, first, strict=True)], left - sum(first))
    return [one + other for one, other in zip(first, rest, strict=True)]


def _within(parts: Iterable[int], most: int) -> list[int]:
    """The parts in order until they come to the most there is."""
    found = []
    for each in parts:
        found.append(max(0, min(each, most)))
        most -= found[-1]
    return found


def _booked(lines: Iterable[PayoutLine]) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for each in lines:
        found[each.rule_id] = found.get(each.rule_id, 0) + each.amount
    return found

"""What the author of a sound plan should know before it is stored; each with a concrete example."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

from services.incentives.domain.drafts import DraftValue
from services.incentives.domain.evaluation import evaluate, pay
from services.incentives.domain.findings import Example, Finding, Severity, money, written
from services.incentives.domain.grids import Grid
from services.incentives.domain.metrics import Figure, Figures, Known, Unit, named
from services.incentives.domain.plans import Plan
from services.incentives.domain.rules import (
    Cap,
    Graduated,
    Node,
    PerUnit,
    RateOf,
    ThresholdBonus,
    Tiers,
    Wrapper,
    metrics_of,
)

MOST_OTHERS: Final = 8
"""No more plans of other branches are compared with one."""
_MANY: Final = {Unit.COUNT: 1_000, Unit.MINUTES: 100_000, Unit.MONEY: 100_000_000, Unit.RATE: 1}
_MORE: Final[Mapping[str, Figures]] = {
    "one more deal": {"deals_won": 1, "revenue": 100},
    "one more follow-up of a new customer": {"customers_followed": 1, "new_customers": 1},
    "one more follow-up of a known customer": {"customers_followed": 1},
    "one more e-mail": {"emails_sent": 1},
    "one more meeting": {"meetings_attended": 1},
}
"""What a person can do more of. A deal is worth something, if little: a small one can lower an average."""


def lint(plan: Plan, others: Sequence[Plan] = ()) -> tuple[Finding, ...]:
    """Warnings, by rule; `others` are plans in force for the same role elsewhere."""
    found = [finding for node in plan.nodes for finding in (*_cliffs(node), *_growing(plan, node))]
    return (*found, *_more_pays_less(plan), *_unequal(plan, others[:MOST_OTHERS]))


def _cliffs(node: Node) -> Iterator[Finding]:
    """Every value at which a rule pays a step at once."""
    kind = node.rule.kind
    if isinstance(kind, ThresholdBonus) and kind.threshold.numerator:
        yield _cliff(node, f"{node.place}.threshold_bonus.threshold", kind.threshold, 0, kind.amount)
    if isinstance(kind, Tiers):
        for index, (tier, following) in enumerate(pairwise(kind.tiers)):
            if following.amount != tier.amount:
                where = f"{node.place}.tiers[{index + 1}]"
                yield _cliff(node, where, following.low, tier.amount, following.amount)


def _cliff(node: Node, where: str, at: Figure, before: int, after: int) -> Finding:
    metric = metrics_of(node.rule)[0]
    value = written(DraftValue(metric.unit, *at))
    message = (
        f"Just under {value} pays {money(before)}, {value} pays {money(after)}: "
        f"a step of {money(after - before)} at once."
    )
    example = Example(pays_before=before, pays_after=after, metric=metric, at=at)
    return Finding(Severity.WARNING, "CLIFF", where, message, after - before, example)


def _growing(plan: Plan, node: Node) -> Iterator[Finding]:
    """A rule that pays without end, with no cap around it."""
    kind = node.rule.kind
    if not isinstance(kind, PerUnit | RateOf) and not (
        isinstance(kind, Graduated) and kind.bands[-1].each.numerator
    ):
        return
    parent = node.parent
    while parent >= 0:
        if isinstance(plan.nodes[parent].rule.kind, Cap):
            return
        parent = plan.nodes[parent].parent
    metric = metrics_of(node.rule)[0]
    many = _MANY[metric.unit]
    share = dict(node.rule.credit).get(metric, Figure(1, 1))
    pays = pay(kind, Figure(many * share.numerator, share.denominator))
    value = written(DraftValue(metric.unit, many, 1))
    message = f"No cap holds what this costs: {value} of {metric.name} pay {money(pays)}."
    example = Example(after={metric.name: many}, pays_after=pays, metric=metric, known=plan.known)
    yield Finding(Severity.WARNING, "COST_UNBOUNDED", node.place, message, example=example)


def _more_pays_less(plan: Plan) -> Iterator[Finding]:
    """The smallest example of each thing that lowers pay when somebody does one more of it."""
    grid = Grid([plan])
    known_too = True
    for what, more in _MORE.items():
        if what.endswith("known customer") and not known_too:
            continue
        raised = {name: number for name, number in more.items() if name in grid.metrics}
        if not raised:
            continue
        for figures in grid.points():
            before = grid.total(plan, figures)
            after = {**figures, **{name: figures.get(name, 0) + number for name, number in raised.items()}}
            if grid.total(plan, after) < before:
                # A known customer's follow-up lowers what a new one's does: said once.
                known_too = "new customer" not in what
                yield _less(plan, what, figures, after)
                break


def _less(plan: Plan, what: str, before: Figures, after: Figures) -> Finding:
    was, becomes = evaluate(plan, before), evaluate(plan, after)
    falls = [line.amount - then.amount for line, then in zip(becomes.lines, was.lines, strict=True)]
    # The rule that loses it, not a wrapper that only passes it on.
    worst = min(
        range(len(falls)), key=lambda index: (falls[index], isinstance(plan.nodes[index].rule.kind, Wrapper))
    )
    message = (
        f"{what[0].upper()}{what[1:]} lowers pay: {_told(plan.known, before)} pay {money(was.total)}, "
        f"{_told(plan.known, after)} pay {money(becomes.total)}."
    )
    example = Example(
        before=before, after=after, pays_before=was.total, pays_after=becomes.total, known=plan.known
    )
    return Finding(Severity.WARNING, "MORE_PAYS_LESS", plan.nodes[worst].place, message, example=example)


def _unequal(plan: Plan, others: Sequence[Plan]) -> Iterator[Finding]:
    """Other branches that pay the same role otherwise for the same figures, each with the smallest example."""
    for other in others:
        if [node.rule.kind for node in other.nodes] == [node.rule.kind for node in plan.nodes]:
            continue
        grid = Grid([plan, other])
        known = {**other.known, **plan.known}
        for figures in grid.points():
            mine, theirs = evaluate(plan, figures).total, evaluate(other, figures).total
            if mine == theirs:
                continue
            message = (
                f"For the same figures, {_told(known, figures)}, “{other.name}” pays {money(theirs)}, "
                f"this plan {money(mine)}."
            )
            example = Example(
                before=figures,
                after=figures,
                pays_before=theirs,
                pays_after=mine,
                other_plan_id=other.id,
                other_plan_name=other.name,
                other_node_id=other.node_id,
                known=known,
            )
            yield Finding(Severity.WARNING, "PLANS_DIFFER", "node_id", message, example=example)
            break


def _told(known: Known, figures: Figures) -> str:
    done = [
        f"{name} {written(DraftValue(named(known, name).unit, number, 1))}"
        for name, number in figures.items()
        if number
    ]
    return ", ".join(done) or "nothing done"

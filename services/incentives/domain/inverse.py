"""What is missing for more: the least a person has to do for a higher total.

The whole plan is re-evaluated for every count, with nothing held (R6): one more follow-up can lower a close
rate and cost more than it brings, so totals do not rise steadily and a bisection would miss answers. What is
found is minimal: nothing smaller in every respect reaches a higher total.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NamedTuple

from services.incentives.domain.evaluation import evaluate, pay, tier_of
from services.incentives.domain.metrics import COURSE, Figure, Figures, Unit, measure
from services.incentives.domain.plans import Plan
from services.incentives.domain.rules import Leaf, Rule, Tiers, Wrapper, metrics_of

MOST_OF_ONE: Final = 1000
MOST_OF_EACH: Final = 30
MOST_ANSWERS: Final = 6


class Lever(IntEnum):
    """What a person can do more of; the numbers of the contract's `LeverChange.Lever`."""

    FOLLOW_NEW_CUSTOMER = 1
    WIN_DEAL = 2
    SEND_EMAIL = 3
    HOLD_MEETING = 4


EFFECTS: Final[Mapping[Lever, frozenset[str]]] = {
    Lever.FOLLOW_NEW_CUSTOMER: frozenset({"customers_followed", "new_customers"}),
    Lever.WIN_DEAL: frozenset({"deals_won"}),
    Lever.SEND_EMAIL: frozenset({"emails_sent"}),
    Lever.HOLD_MEETING: frozenset({"meetings_attended"}),
}
"""The base figures that each lever raises by one."""

AnyLever = Lever | str
"""A lever that is built in, or by its name a metric of the enterprise's own that counts something."""
Changes = tuple[tuple[AnyLever, int], ...]


def effect_of(lever: AnyLever) -> frozenset[str]:
    """The base figures it raises by one; of the enterprise's own only itself."""
    return EFFECTS[lever] if isinstance(lever, Lever) else frozenset({lever})


def levers_of(plan: Plan) -> tuple[AnyLever, ...]:
    """What can be done more of under a plan."""
    return (*Lever, *(base.name for base in plan.own_bases if base.unit is Unit.COUNT))


class NextAmount(NamedTuple):
    """A higher total and what it takes; amounts in minor units.

    One less of any change does not reach `total`. `held` names the metrics that keep their value, `courses` the ids of
    courses to pass first.
    """

    total: int
    gain: int
    changes: Changes
    held: tuple[str, ...]
    rule_id: str
    courses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Moving:
    """A rule whose value moves with a lever: its value now, and what each lever adds to it."""

    index: int
    kind: Leaf
    value: Figure
    steps: Mapping[AnyLever, Figure]

    def at(self, changes: Changes) -> Figure:
        numerator, denominator = self.value
        for lever, count in changes:
            up, under = self.steps.get(lever, (0, 0))
            numerator += up * count
            denominator += under * count
        return Figure(numerator, denominator)


class _Search:
    def __init__(self, plan: Plan, figures: Figures, held: frozenset[str] = frozenset()) -> None:
        self._rules: tuple[Rule, ...] = plan.rules
        self._moving: list[_Moving] = []
        self.now = 0
        levers = levers_of(plan)
        for index, rule in enumerate(plan.rules):
            if isinstance(rule.kind, Wrapper):
                raise TypeError("plans with wrappers are searched as a whole")
            metric = rule.kind.metric
            value = measure(metric, figures)
            self.now += pay(rule.kind, value)
            steps: dict[AnyLever, Figure] = {}
            if metric.name not in held:
                for lever in levers:
                    raised = effect_of(lever)
                    step = Figure(
                        int(metric.numerator in raised),
                        sum(name in raised for name in metric.denominators),
                    )
                    if step != (0, 0):
                        steps[lever] = step
            if steps:
                self._moving.append(_Moving(index, rule.kind, value, steps))
        self.levers = frozenset(lever for moving in self._moving for lever in moving.steps)

    def gain(self, changes: Changes) -> int:
        """How much more than now."""
        return sum(pay(each.kind, each.at(changes)) - pay(each.kind, each.value) for each in self._moving)

    def least(self, lever: AnyLever) -> int | None:
        """The least count of one lever, nothing else changing, that brings more; None when none does."""
        if lever not in self.levers or self._ceiling(lever) <= 0:
            return None
        moving = [each for each in self._moving if lever in each.steps]
        now = sum(pay(each.kind, each.value) for each in moving)
        for count in range(1, MOST_OF_ONE + 1):
            changes = ((lever, count),)
            if sum(pay(each.kind, each.at(changes)) for each in moving) > now:
                return count
        return None

    def _ceiling(self, lever: AnyLever) -> int:
        """At least what the lever can bring. A ratio moves one way only, so its ends tell its range."""
        ceiling = 0
        for each in self._moving:
            if lever in each.steps:
                ends = [each.at(((lever, count),)) for count in (0, 1, MOST_OF_ONE)]
                ceiling += _most(each.kind, ends) - pay(each.kind, each.value)
        return ceiling

    def answer(self, changes: Changes, held: Sequence[str] = ()) -> NextAmount:
        gains = {
            each.index: pay(each.kind, each.at(changes)) - pay(each.kind, each.value) for each in self._moving
        }
        gain = sum(gains.values())
        most = max(gains, key=lambda index: (gains[index], -index))
        return NextAmount(self.now + gain, gain, changes, tuple(held), self._rules[most].id)


class _WholeSearch(_Search):
    """The same for any plan: every rule is worked out again for each count, and nothing is known of any kind."""

    def __init__(self, plan: Plan, figures: Figures, held: frozenset[str] = frozenset()) -> None:
        self._plan, self._figures = plan, figures
        self._held = {name: measure(plan.metrics[name], figures) for name in held}
        self._lines = evaluate(plan, figures, self._held).lines
        self._rules = tuple(line.rule for line in self._lines)
        self.now = sum(line.amount for line in self._lines)
        self.levers = frozenset(levers_of(plan))

    def _amounts(self, changes: Changes) -> list[int]:
        figures = dict(self._figures)
        for lever, count in changes:
            for name in effect_of(lever):
                figures[name] = figures.get(name, 0) + count
        return [line.amount for line in evaluate(self._plan, figures, self._held).lines]

    def gain(self, changes: Changes) -> int:
        return sum(self._amounts(changes)) - self.now

    def least(self, lever: AnyLever) -> int | None:
        if self.gain(((lever, 1),)) > 0:
            return 1
        read = {name for line in self._lines for name in _inputs(line.rule)}
        if not read & effect_of(lever):
            return None
        counts = range(2, MOST_OF_ONE + 1)
        return next((count for count in counts if self.gain(((lever, count),)) > 0), None)

    def answer(self, changes: Changes, held: Sequence[str] = ()) -> NextAmount:
        amounts = self._amounts(changes)
        gains = [after - line.amount for after, line in zip(amounts, self._lines, strict=True)]
        most = max(range(len(gains)), key=lambda index: (gains[index], -index))
        return NextAmount(sum(amounts), sum(gains), changes, tuple(held), self._rules[most].id)


def _inputs(rule: Rule) -> set[str]:
    """The base figures a rule reads."""
    return {name for metric in metrics_of(rule) for name in metric.inputs}


def _search(plan: Plan, figures: Figures, held: frozenset[str] = frozenset()) -> _Search:
    flat = not any(isinstance(rule.kind, Wrapper) or rule.credit for rule in plan.rules)
    return (_Search if flat else _WholeSearch)(plan, figures, held)


def _most(kind: Leaf, ends: Sequence[Figure]) -> int:
    if not isinstance(kind, Tiers):
        return max(pay(kind, end) for end in ends)
    reached = [
        tier_of(kind, Figure(max(0, end.numerator), end.denominator))[0] for end in ends if end.denominator
    ]
    if not reached:
        return 0
    return max(0, *(tier.amount for tier in kind.tiers[min(reached) : max(reached) + 1]))


def next_amounts(plan: Plan, figures: Figures) -> tuple[NextAmount, ...]:
    """The nearest higher totals, fewest actions first, at most 6; courses to be passed come before anything else."""
    found = _by_doing(plan, figures)
    found.sort(key=_effort)
    return (*_by_learning(plan, figures), *found)[:MOST_ANSWERS]


def _by_doing(plan: Plan, figures: Figures) -> list[NextAmount]:
    search = _search(plan, figures)
    counts = {lever: search.least(lever) for lever in levers_of(plan)}
    found = [search.answer(((lever, count),)) for lever, count in counts.items() if count is not None]
    found += [search.answer(changes) for changes in _pairs(search, counts)]
    return found + _with_rates_held(plan, figures, counts[Lever.FOLLOW_NEW_CUSTOMER], search)


def _by_learning(plan: Plan, figures: Figures) -> list[NextAmount]:
    """What passing the courses that conditions ask for brings: one, or all of them, or all and the least to do then."""
    missing = unpassed(plan, figures)
    for courses in (*([each] for each in missing), missing):
        passed = with_passed(figures, courses)
        before, after = evaluate(plan, figures).lines, evaluate(plan, passed).lines
        gains = [then.amount - now.amount for now, then in zip(before, after, strict=True)]
        if sum(gains) > 0:
            most = max(range(len(gains)), key=lambda index: (gains[index], -index))
            total = sum(line.amount for line in after)
            return [NextAmount(total, sum(gains), (), (), after[most].rule.id, tuple(courses))]
    if not missing:
        return []
    opened = with_passed(figures, missing)
    now = evaluate(plan, figures).total
    ways = [each for each in _by_doing(plan, opened) if not each.held and each.total > now]
    # What brings as much without the courses needs none of them.
    shut = {each.changes: each.total for each in _by_doing(plan, figures)}
    ways = [each for each in ways if each.total > shut.get(each.changes, now)]
    return [
        each._replace(gain=each.total - now, courses=tuple(missing)) for each in sorted(ways, key=_effort)[:1]
    ]


def unpassed(plan: Plan, figures: Figures) -> list[str]:
    """The ids of the courses that conditions ask for and that are not passed."""
    return [name.removeprefix(COURSE) for name in plan.courses if not figures.get(name)]


def with_passed(figures: Figures, course_ids: Iterable[str]) -> dict[str, int]:
    """The figures with these courses passed."""
    return {**figures, **{f"{COURSE}{course_id}": 1 for course_id in course_ids}}


def _effort(answer: NextAmount) -> tuple[int, int, int, list[tuple[bool, str, int]]]:
    """Fewest actions first; what is built in before what is the enterprise's own."""
    told = [(not isinstance(lever, Lever), str(lever), count) for lever, count in answer.changes]
    return _actions(answer.changes), len(answer.held), -answer.total, told


def _actions(changes: Changes) -> int:
    return sum(count for _, count in changes)


def _pairs(search: _Search, least: Mapping[AnyLever, int | None]) -> list[Changes]:
    """Follow-ups and deals together where it takes both: with nobody followed there is no close rate.

    What one lever reaches alone is not worth a pair, so only counts under both single answers are tried.
    """
    follow, win = Lever.FOLLOW_NEW_CUSTOMER, Lever.WIN_DEAL
    if not {follow, win} <= search.levers:
        return []
    found: list[Changes] = []
    fewest_deals = min(MOST_OF_EACH, (least[win] or MOST_OF_ONE + 1) - 1)
    for follow_ups in range(1, min(MOST_OF_EACH, (least[follow] or MOST_OF_ONE + 1) - 1) + 1):
        for deals in range(1, fewest_deals + 1):
            changes = ((follow, follow_ups), (win, deals))
            if search.gain(changes) > 0:
                found.append(changes)
                # More follow-ups are worth naming only where they take fewer deals.
                fewest_deals = deals - 1
                break
    return found


def _with_rates_held(plan: Plan, figures: Figures, free: int | None, search: _Search) -> list[NextAmount]:
    """What people expect, "two more new customers, at the same close rate", where it says something else.

    Told for the least count that brings more that way, and for the count that it takes with nothing held.
    """
    lever = Lever.FOLLOW_NEW_CUSTOMER
    held = []
    for name, metric in plan.metrics.items():
        moved = any(part in EFFECTS[lever] for part in metric.inputs)
        if metric.is_ratio and moved and measure(metric, figures).denominator > 0:
            held.append(name)
    if not held:
        return []
    holding = _search(plan, figures, frozenset(held))
    least = holding.least(lever)
    if least is None:
        return []
    found: list[NextAmount] = []
    for count in dict.fromkeys((least, free)):
        if count is None or count < least:
            continue
        changes = ((lever, count),)
        answer = holding.answer(changes, held)
        enough = count > 1 and holding.gain(((lever, count - 1),)) >= answer.gain
        if not enough and answer.gain != search.gain(changes):
            found.append(answer)
    return found

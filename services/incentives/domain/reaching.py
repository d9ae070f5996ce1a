"""What-ifs: what more of something would come to, and what it takes to reach a total (R6).

The whole plan is re-evaluated for every try and nothing is held constant unless asked to: a follow-up without a deal
lowers a close rate, so totals neither rise steadily nor add up. So answers are tried, not computed backwards.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations, product
from typing import Any, Final, NamedTuple

from services.incentives.domain.evaluation import Evaluation, evaluate
from services.incentives.domain.metrics import Figure, Figures, Metric, Unit, measure, named
from services.incentives.domain.plans import Plan


class Changes(NamedTuple):
    """How much more of each: whole numbers, the order value in whole units of the currency.

    A deal is won with a customer followed already and adds nothing to revenue: what it is worth is `order_value`.
    """

    new_customers: int = 0
    deals: int = 0
    order_value: int = 0
    emails: int = 0
    meetings: int = 0


Levers = tuple[str, ...]
RAISES: Final[Mapping[str, Mapping[str, int]]] = {
    "new_customers": {"customers_followed": 1, "new_customers": 1},
    "deals": {"deals_won": 1},
    "order_value": {"revenue": 100},
    "emails": {"emails_sent": 1},
    "meetings": {"meetings_attended": 1},
}
"""What one more of each adds to the base figures; money in minor units."""
_MONEY: Final = "order_value"

MOST_ALONE: Final = 1_000
"""How many of one thing alone are tried."""
MOST_TOGETHER: Final[Mapping[int, int]] = {2: 30, 3: 8, 4: 5}
"""How many of each are tried where so many different things are done together."""
MOST_BESIDE_MONEY: Final = 30
"""How many of one thing are tried together with order value."""
MOST_MONEY: Final = 100_000_000
"""How much order value is tried, in whole units of the currency."""
MOST_WAYS: Final = 20
MOST_OWN: Final[Mapping[Unit, int]] = {Unit.COUNT: MOST_ALONE, Unit.MINUTES: 10_000, Unit.MONEY: MOST_MONEY}
"""How much of an own base figure is tried at most; money in whole units of the currency."""
_MINOR: Final = 100


class Reach(NamedTuple):
    """The least ways to a total, the least effort first; none where the total is reached already or out of reach.

    `best` is the highest total that was met on the way, and what brings it; `left_out` counts the ways beyond the most
    that are told.
    """

    ways: tuple[Changes, ...]
    left_out: int
    best: int
    best_changes: Changes


def after(figures: Figures, changes: Changes) -> dict[str, int]:
    """The figures with so much more of each."""
    changed = dict(figures)
    for lever, count in zip(Changes._fields, changes, strict=True):
        if count:
            for name, each in RAISES[lever].items():
                changed[name] = changed.get(name, 0) + count * each
    return changed


def with_own(figures: Figures, own: Iterable[tuple[Metric, int]]) -> dict[str, int]:
    """The figures with so much more of base figures of the enterprise's own; money in whole units of the currency.

    Nothing else moves: which facts a metric counts, and what else counts them, only goals knows.
    """
    changed = dict(figures)
    for metric, more in own:
        each = _MINOR if metric.unit is Unit.MONEY else 1
        changed[metric.name] = changed.get(metric.name, 0) + more * each
    return changed


def keep(plan: Plan, figures: Figures, names: Iterable[str]) -> dict[str, Figure]:
    """The metrics of these names held at the values they have."""
    return {name: measure(named(plan.known, name), figures) for name in names}


def levers(plan: Plan, figures: Figures, held: Mapping[str, Figure]) -> Levers:
    """Of what there can be more of, that which the plan reads: nothing else can move what it pays."""
    read = _Reads(figures)
    evaluate(plan, read, held)
    return tuple(lever for lever, raised in RAISES.items() if raised.keys() & read.names)


def reach(plan: Plan, figures: Figures, held: Mapping[str, Figure], total: int) -> Reach:
    """Every least way to `total` minor units within the bounds above, at most `MOST_WAYS`.

    Each is sufficient, and with one less of anything the total is not reached.
    """
    search = _Search(plan, figures, held, total)
    if search.total(Changes()) < total:
        search.alone()
        search.together()
        search.with_money()
    ways = search.ways()
    return Reach(ways[:MOST_WAYS], max(len(ways) - MOST_WAYS, 0), search.best, search.best_changes)


class _Search:
    def __init__(self, plan: Plan, figures: Figures, held: Mapping[str, Figure], total: int) -> None:
        self._plan = plan
        self._figures = figures
        self._held = held
        self._goal = total
        self._found: list[Changes] = []
        self.best = 0
        self.best_changes = Changes()
        moved = levers(plan, figures, held)
        self._counted = tuple(lever for lever in moved if lever != _MONEY)
        self._money = _MONEY in moved

    def total(self, changes: Changes) -> int:
        total = evaluate(self._plan, after(self._figures, changes), self._held).total
        if total > self.best or changes == Changes():
            self.best, self.best_changes = total, changes
        return total

    def ways(self) -> tuple[Changes, ...]:
        return tuple(sorted(filter(self._is_least, self._found), key=_effort))

    def _is_least(self, way: Changes) -> bool:
        """Whether one less of anything is not enough.

        Where less order value can pay more, beside a condition of at most so much, halving in can miss the least.
        """
        less = (way._replace(**{lever: count - 1}) for lever, count in way._asdict().items() if count)
        return all(
            evaluate(self._plan, after(self._figures, each), self._held).total < self._goal for each in less
        )

    def alone(self) -> None:
        """The least of each thing alone."""
        for lever in self._counted:
            self._first(Changes(**{lever: count}) for count in range(1, MOST_ALONE + 1))

    def together(self) -> None:
        """What takes more than one kind of thing; nothing is tried that holds a way that is known."""
        for kinds, most in MOST_TOGETHER.items():
            for levers in combinations(self._counted, kinds):
                for changes in _by_sum(levers, most):
                    if not self._holds_a_way(changes) and self.total(changes) >= self._goal:
                        self._found.append(changes)

    def with_money(self) -> None:
        """The least order value, alone and beside so many of one other thing; less and less with more of the other."""
        if not self._money:
            return
        alone = self._least_money(Changes())
        for lever in self._counted:
            least = alone
            for count in range(1, MOST_BESIDE_MONEY + 1):
                beside = Changes(**{lever: count})
                if self._holds_a_way(beside):
                    break
                found = self._least_money(beside)
                if found is not None and (least is None or found < least):
                    self._found.append(beside._replace(order_value=found))
                    least = found
        if alone is not None:
            self._found.append(Changes(order_value=alone))

    def _first(self, tried: Iterator[Changes]) -> None:
        found = next((changes for changes in tried if self.total(changes) >= self._goal), None)
        if found is not None:
            self._found.append(found)

    def _least_money(self, beside: Changes) -> int | None:
        """Order value that is enough where one less is not: tried in doubling steps, then halved in."""
        short, enough = 0, 1
        while self.total(beside._replace(order_value=enough)) < self._goal:
            short, enough = enough, 2 * enough
            if enough > MOST_MONEY:
                return None
        while enough - short > 1:
            middle = (short + enough) // 2
            if self.total(beside._replace(order_value=middle)) >= self._goal:
                enough = middle
            else:
                short = middle
        return enough

    def _holds_a_way(self, changes: Changes) -> bool:
        return any(all(a <= b for a, b in zip(way, changes, strict=True)) for way in self._found)


class _Reads(dict[str, int]):
    """Figures that note which of them are asked for: only those can move what a plan pays."""

    def __init__(self, figures: Figures) -> None:
        super().__init__(figures)
        self.names: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        self.names.add(key)
        return super().get(key, default)


def _by_sum(levers: Levers, most: int) -> Iterator[Changes]:
    """Every choice of 1 to `most` of each, fewest first: what is less comes before what holds it."""
    for counts in sorted(product(range(1, most + 1), repeat=len(levers)), key=lambda each: (sum(each), each)):
        yield Changes(**dict(zip(levers, counts, strict=True)))


def _effort(changes: Changes) -> tuple[int, int, Changes]:
    """Fewest kinds of things first, then fewest of them; money counts as one."""
    counts = changes._replace(order_value=int(changes.order_value > 0))
    return sum(count > 0 for count in changes), sum(counts), changes


def what_if(plan: Plan, figures: Figures, held: Mapping[str, Figure], changes: Changes) -> Evaluation:
    """The whole plan re-evaluated with so much more of each."""
    return evaluate(plan, after(figures, changes), held)

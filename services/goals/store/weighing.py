"""What the children of a goal are weighed by."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final, NamedTuple

from sqlalchemy import Connection

from access import Directory
from chassis.errors import FailedPrecondition
from services.goals.domain.allocation import PERIODS, Step
from services.goals.domain.cascade import MONTHS, Goal, Method
from services.goals.domain.metrics import METRICS, evaluate
from services.goals.domain.periods import PeriodKind, months_after
from services.goals.store.figures import read_grouped

_YEAR: Final = 12


class Slot(NamedTuple):
    """What a share will be asked of, and when."""

    node_id: str
    period_kind: PeriodKind
    first_day: date
    periods: int

    @property
    def months(self) -> int:
        """How long it is."""
        return MONTHS[self.period_kind] * self.periods


class Weights:
    """What the children of one step are weighed by."""

    def __init__(
        self, connection: Connection, directory: Directory, goal: Goal, step: Step, level: int
    ) -> None:
        self._directory = directory
        self._step = step
        self._level = level
        self.basis: tuple[date, date] | None = None
        self._history: Mapping[str, int] = {}
        if step.reads_history and goal.is_sum:
            self.basis = step.history or (
                months_after(goal.first_day, -_YEAR),
                months_after(goal.end_day, -_YEAR),
            )
            self._history = self._read(connection, goal, self.basis)

    def _read(self, connection: Connection, goal: Goal, days: tuple[date, date]) -> Mapping[str, int]:
        """The metric's value over the days, by person, or by number of the month."""
        by_month = self._step.method is Method.MONTH_PROFILE
        under = (
            None if goal.node_id == self._directory.root_id else self._directory.people_under(goal.node_id)
        )
        grouped = read_grouped(
            connection,
            by="month" if by_month else "person",
            people=None if under is None else sorted(under),
            first=days[0],
            stop=days[1],
        )
        metric = METRICS[goal.metric]
        found: dict[str, int] = defaultdict(int)
        for key, figures in grouped.items():
            found[str(int(key[-2:])) if by_month else key] += evaluate(metric, figures).numerator
        return found

    def of(self, children: Sequence[Slot]) -> list[int]:
        """One weight per child. FailedPrecondition ALLOCATION_IMPOSSIBLE where one is missing."""
        if self._step.method is Method.EQUAL:
            return [1] * len(children)
        if self._step.into in PERIODS:
            given = self._step.weights or self._history
            return [
                sum(
                    given.get(str((child.first_day.month - 1 + month) % _YEAR + 1), 0)
                    for month in range(child.months)
                )
                for child in children
            ]
        if self._step.method is Method.HEADCOUNT:
            return [self._directory.headcount(child.node_id) for child in children]
        if self._step.method is Method.HISTORY:
            return [self._past(child.node_id) for child in children]
        missing = [child.node_id for child in children if child.node_id not in self._step.weights]
        if missing:
            raise impossible(self._level, "weights", f"no weight for {missing[0]}")
        return [self._step.weights[child.node_id] for child in children]

    def _past(self, node_id: str) -> int:
        if self._directory.person(node_id) is not None:
            return self._history.get(node_id, 0)
        return sum(self._history.get(each, 0) for each in self._directory.people_under(node_id))


def impossible(level: int, field: str, why: str) -> FailedPrecondition:
    """A step cannot be done."""
    return FailedPrecondition(
        "ALLOCATION_IMPOSSIBLE", f"This cannot be divided: {why}.", fields={f"steps[{level}].{field}": why}
    )

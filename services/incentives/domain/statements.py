"""The live statement: a person's figures in one period, and what the plan in force makes of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Final, NamedTuple

from services.incentives.domain.evaluation import Line, evaluate
from services.incentives.domain.metrics import METRICS, measure
from services.incentives.domain.periods import Period, PeriodKind, period_of
from services.incentives.domain.plans import Plan, PlanBook

_NOTHING: Final[Mapping[str, int]] = MappingProxyType({})


class Statement(NamedTuple):
    """Figures as goals told them last, and the amounts of `plan_id`'s rules in order, in minor units.

    `figures` holds no zeros. `plan_id` is empty where no plan applies. `as_of` is when the figures last
    changed; `goals_position` the last position of goals' feed that they include.
    """

    person_id: str
    period: Period
    figures: Mapping[str, int] = _NOTHING
    as_of: datetime | None = None
    goals_position: int = 0
    plan_id: str = ""
    total: int = 0
    amounts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """What goals told: all base figures of a person in a period, at a position of its feed."""

    person_id: str
    period: Period
    figures: Mapping[str, int]
    position: int
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a person works: `path` from the own leaf to the enterprise, the job role, and today's date there."""

    path: Sequence[str]
    job_role: str
    today: date


def take(known: Statement | None, told: Told, plan: Plan | None) -> Statement | None:
    """The statement after goals told its figures; None where there is nothing to keep."""
    figures = {name: number for name, number in told.figures.items() if number}
    if known is None and not figures:
        return None
    as_of: datetime | None = told.occurred_at
    position = told.position
    if known is not None:
        as_of = known.as_of if figures == known.figures else as_of
        position = max(known.goals_position, position)
    return Statement(told.person_id, told.period, figures, as_of, position, *_payment(figures, plan))


def renew(statement: Statement, plan: Plan | None) -> Statement:
    """The same figures under a plan."""
    person_id, period, figures, as_of, position, *_ = statement
    return Statement(person_id, period, figures, as_of, position, *_payment(figures, plan))


def _payment(figures: Mapping[str, int], plan: Plan | None) -> tuple[str, int, tuple[int, ...]]:
    if plan is None:
        return "", 0, ()
    found, total = evaluate(plan, figures)
    return plan.id, total, tuple([line.amount for line in found])


def differs(before: Statement | None, after: Statement) -> bool:
    """Whether a reader would see another statement; the position alone does not count."""
    return before is None or before[2:4] != after[2:4] or before[5:] != after[5:]


def plan_of(
    book: PlanBook, known: Statement | None, standing: Standing | None, period: Period
) -> Plan | None:
    """The plan a statement is to be computed with.

    A closed period keeps the plan it was computed with, whatever was agreed or moved since.
    """
    if standing is None:
        return book.get(known.plan_id) if known is not None else None
    if known is not None and known.plan_id and period.end_day <= standing.today:
        return book.get(known.plan_id)
    return book.plan_for(standing.path, standing.job_role, period)


def shown_on(
    book: PlanBook, stored: Mapping[PeriodKind, Statement], person_id: str, standing: Standing, day: date
) -> Statement:
    """The statement of the period that pays for a day: a stored one, or the one of a person without facts.

    Where a change of period kind lets two plans pay for the day, it is the newer plan's. Without a plan it
    is the month's, with its figures and no line.
    """
    found = []
    for kind in (PeriodKind.MONTH, PeriodKind.WEEK):
        period = period_of(kind, day)
        statement = stored.get(kind) or Statement(person_id, period)
        if kind in stored:
            plan = book.get(statement.plan_id)
        else:
            plan = book.plan_for(standing.path, standing.job_role, period)
            statement = renew(statement, plan)
        if plan is not None:
            found.append((plan, statement))
    if not found:
        return stored.get(PeriodKind.MONTH) or Statement(person_id, period_of(PeriodKind.MONTH, day))
    return max(found, key=lambda each: each[0].effective_from)[1]


def lines(statement: Statement, plan: Plan) -> tuple[Line, ...]:
    """The lines of a statement with the values they read."""
    return tuple(
        Line(rule, measure(METRICS[rule.kind.metric], statement.figures), amount)
        for rule, amount in zip(plan.rules, statement.amounts, strict=True)
    )

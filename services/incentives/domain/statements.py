"""The live statement: a person's figures in one period, and what the plan in force makes of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple

from services.incentives.domain.evaluation import Line, evaluate, is_met, pay, values
from services.incentives.domain.metrics import COURSE, DRAWN, TENURE, Figures, is_standing, measure
from services.incentives.domain.periods import Period, PeriodKind, period_of
from services.incentives.domain.plan_book import PlanBook
from services.incentives.domain.plans import Plan

# About 5 MB.
_KEPT_PAYMENTS: Final = 10_000
_NOTHING: Final[Mapping[str, int]] = MappingProxyType({})


class Statement(NamedTuple):
    """Figures as goals told them last, and the amounts of `plan_id`'s lines in order, in minor units.

    `figures` holds no zeros, and the month of tenure where the plan pays by it and it is known.

    `plan_id` is empty where no plan applies. `as_of` is when the figures last
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


NOTHING_PASSED: Final[Mapping[str, date]] = MappingProxyType({})
NOTHING_WON: Final[Mapping[tuple[str, str], int]] = MappingProxyType({})
NOTHING_DRAWN: Final[Mapping[str, int]] = MappingProxyType({})


class Standing(NamedTuple):
    """Where a person works: `path` from the own leaf to the enterprise, the job role, and today's date there.

    With `closed_at` it is where the person worked at the end of a period, which was then. `hired` is None where
    identity does not know the day. `passed` has the courses asked for, by id, with the day each was passed there.
    Of the period in question `mentees` are the figures of whom the person mentors, and `drawn` is what is owed when it
    begins, by the rule that advanced it, in minor units; `won` are the prizes, by plan and rule, in minor units.
    """

    path: Sequence[str]
    job_role: str
    today: date
    closed_at: datetime | None = None
    hired: date | None = None
    passed: Mapping[str, date] = NOTHING_PASSED
    drawn: Mapping[str, int] = NOTHING_DRAWN
    mentees: Sequence[Figures] = ()
    won: Mapping[tuple[str, str], int] = NOTHING_WON


def tenure_month(hired: date | None, period: Period) -> int:
    """Which month of tenure a period begins in, from 1 for the one that begins on the day of hiring; 0 for not known.

    A month ends the day before the same day of the next, or at that month's end where it has no such day. A period
    that began before the day of hiring is the first month.
    """
    if hired is None:
        return 0
    day = period.first_day
    months = (day.year - hired.year) * 12 + day.month - hired.month
    last = (day + timedelta(days=1)).day == 1
    if day.day < hired.day and not last:
        months -= 1
    return max(0, months) + 1


def _with_standing(
    figures: Mapping[str, int],
    plan: Plan | None,
    standing: Standing | None,
    known: Statement | None,
    period: Period,
) -> Mapping[str, int]:
    """The figures with the month of tenure and the courses passed where the plan pays by them.

    A closed period keeps the month it was computed with, whatever is corrected later, as it keeps its plan. A course is
    passed when its day lies before the period's end, whenever that is told: a pass is never taken back.
    """
    if any(map(is_standing, figures)):
        figures = {name: number for name, number in figures.items() if not is_standing(name)}
    if plan is None or not (plan.reads_tenure or plan.courses or plan.mentor_rules or plan.prize_rules):
        return figures
    more = {}
    if plan.reads_tenure:
        over = standing is None or period.end_day <= standing.today
        if known is not None and known.plan_id == plan.id and over:
            more[TENURE] = known.figures.get(TENURE, 0)
        else:
            more[TENURE] = tenure_month(standing.hired, period) if standing is not None else 0
    for name in plan.courses:
        passed = None if standing is None else standing.passed.get(name.removeprefix(COURSE))
        more[name] = int(passed is not None and passed < period.end_day)
    for kind in plan.mentor_rules if standing is not None else ():
        read = [measure(kind.condition.metric, each) for each in standing.mentees]  # type: ignore[union-attr]
        more[kind.metric.name] = sum(is_met(kind.condition, value) for value in read)
    for rule_id, prize in plan.prize_rules.items():
        more[prize.metric.name] = 0 if standing is None else standing.won.get((plan.written_id, rule_id), 0)
    for rule_id in plan.draws:
        more[f"{DRAWN}{rule_id}"] = 0 if standing is None else standing.drawn.get(rule_id, 0)
    return {**figures, **{name: number for name, number in more.items() if number}}


def take(
    known: Statement | None, told: Told, plan: Plan | None, standing: Standing | None = None
) -> Statement | None:
    """The statement after goals told its figures; None where there is nothing to keep."""
    figures: Mapping[str, int] = {name: number for name, number in told.figures.items() if number}
    if known is None and not figures:
        return None
    figures = _with_standing(figures, plan, standing, known, told.period)
    as_of: datetime | None = told.occurred_at
    position = told.position
    if known is not None:
        as_of = known.as_of if figures == known.figures else as_of
        position = max(known.goals_position, position)
    return Statement(told.person_id, told.period, figures, as_of, position, *_payment(figures, plan))


def renew(statement: Statement, plan: Plan | None, standing: Standing | None = None) -> Statement:
    """The same figures under a plan, for a person who stands, or stood, there."""
    person_id, period, figures, as_of, position, *_ = statement
    figures = _with_standing(figures, plan, standing, statement, period)
    return Statement(person_id, period, figures, as_of, position, *_payment(figures, plan))


def _payment(figures: Mapping[str, int], plan: Plan | None) -> tuple[str, int, tuple[int, ...]]:
    return _paid(plan, plan.read(figures)) if plan is not None else ("", 0, ())


@lru_cache(maxsize=_KEPT_PAYMENTS)
def _paid(plan: Plan, read: tuple[int, ...]) -> tuple[str, int, tuple[int, ...]]:
    """What a plan pays for what it reads: of many people some have read the same, and it is worked out once."""
    figures = dict(zip(plan.reads, read, strict=True))
    if plan.leaves:
        # Rules that only add up, as most plans are, need no tree.
        amounts = tuple([pay(kind, measure(metric, figures)) for kind, metric in plan.leaves])
        return plan.id, sum(amounts), amounts
    found, total = evaluate(plan, figures)
    return plan.id, total, tuple([line.amount for line in found])


def differs(before: Statement | None, after: Statement) -> bool:
    """Whether a reader would see another statement; the position alone does not count."""
    return before is None or before[2:4] != after[2:4] or before[5:] != after[5:]


def plan_of(
    book: PlanBook, known: Statement | None, standing: Standing | None, period: Period
) -> Plan | None:
    """The plan a statement is to be computed with, where somebody stands or, for a closed period, stood at its end.

    A closed period keeps the plan it was computed with, whatever was agreed or moved since. Where it has none, it
    takes the one that was promised while it ran, and only then one agreed later for that time.
    """
    if standing is None:
        return book.get(known.plan_id) if known is not None else None
    if known is not None and known.plan_id and period.end_day <= standing.today:
        return book.get(known.plan_id)
    return _agreed(book, standing, period)


def _agreed(book: PlanBook, standing: Standing, period: Period) -> Plan | None:
    path, job_role = standing.path, standing.job_role
    promised = None
    if standing.closed_at is not None:
        promised = book.plan_for(path, job_role, period, known_by=standing.closed_at)
    return promised or book.plan_for(path, job_role, period)


def origin(book: PlanBook, plan: Plan, standing: Standing, period: Period) -> list[str]:
    """Where the plan that pays for a period is set, and then the plans above that it overrode, as was known then.

    Where its unit is not on the way up that is known, it is told alone: that it paid is certain.
    """
    known_by = None
    if standing.closed_at is not None:
        known_by = max(standing.closed_at, plan.recorded_at)
    nodes = book.nodes_in_force(standing.path, standing.job_role, period.first_day, known_by=known_by)
    return nodes[nodes.index(plan.node_id) :] if plan.node_id in nodes else [plan.node_id]


def shown_on(
    book: PlanBook,
    stored: Mapping[PeriodKind, Statement],
    person_id: str,
    standings: Mapping[PeriodKind, Standing],
    day: date,
) -> Statement:
    """The statement of the period that pays for a day: a stored one, or the one of a person without facts.

    `standings`: where the person stands, or stood at the end of a closed period.

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
            plan = _agreed(book, standings[kind], period)
            statement = renew(statement, plan, standings[kind])
        if plan is not None:
            found.append((plan, statement))
    if not found:
        return stored.get(PeriodKind.MONTH) or Statement(person_id, period_of(PeriodKind.MONTH, day))
    return max(found, key=lambda each: each[0].effective_from)[1]


def lines(statement: Statement, plan: Plan) -> tuple[Line, ...]:
    """The lines of a statement with the values they read."""
    read = values(plan, statement.figures, statement.amounts)
    return tuple(
        Line(node.rule, value, amount)
        for node, value, amount in zip(plan.nodes, read, statement.amounts, strict=True)
    )

"""Plans tried on what happened: what they would have paid in the place of the plans that did."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import IntEnum
from typing import Final, NamedTuple

from services.incentives.domain.evaluation import tier_of, values
from services.incentives.domain.metrics import DRAWN, Figure
from services.incentives.domain.periods import Period
from services.incentives.domain.plan_book import PlanBook
from services.incentives.domain.plans import Plan
from services.incentives.domain.prizes import Leaders, holds
from services.incentives.domain.rules import Graduated, RankingPrize, RuleKind, Tiers
from services.incentives.domain.statements import Standing, Statement, renew


class State(IntEnum):
    """How far a simulation is; the numbers of the contract's `Simulation.State`."""

    WAITING = 1
    RUNNING = 2
    DONE = 3
    CANCELLED = 4
    FAILED = 5

    @property
    def is_open(self) -> bool:
        return self in (State.WAITING, State.RUNNING)


@dataclass(slots=True)
class Sums:
    """Minor units paid, what each plan would pay, and how many people that is for."""

    paid: int
    simulated: list[int]
    people: int = 0

    def add(self, paid: int, simulated: Sequence[int]) -> None:
        """One person more."""
        self.paid += paid
        self.people += 1
        for number, amount in enumerate(simulated):
            self.simulated[number] += amount


@dataclass(slots=True)
class RuleTally:
    """Of one rule: statements it pays in, the sum in minor units, and how many end in each tier or band."""

    statements: int = 0
    amount: int = 0
    tiers: list[int] = field(default_factory=list)


@dataclass(slots=True)
class PlanTally:
    """Of one plan: people who gain, who lose and for whom nothing changes; its rules in the order of lines."""

    rules: list[RuleTally]
    statements: int = 0
    winners: int = 0
    won: int = 0
    losers: int = 0
    lost: int = 0
    same: int = 0


@dataclass(slots=True)
class Tally:
    """The sums of a simulation so far; months by the ISO form of their first day, branches by id."""

    sums: Sums
    months: dict[str, Sums]
    branches: dict[str, Sums]
    plans: list[PlanTally]


@dataclass(frozen=True, slots=True)
class Simulation:
    """Plans tried on the months from `first_month` on, as everything was known at `created_at`.

    Where a plan tried gives prizes, everybody is ranked before anybody is worked out: `ranks` while that goes on,
    `ranked` people so far, up to `ranked_to`.
    """

    id: str
    name: str
    node_id: str
    author_id: str
    first_month: date
    months: int
    plans: tuple[Plan, ...]
    created_at: datetime
    goals_position: int
    state: State
    people: int
    done: int
    after_person: str
    digest: str
    finished_at: datetime | None = None
    ranks: bool = False
    ranked: int = 0
    ranked_to: str = ""

    @property
    def end(self) -> date:
        """The day after the last month."""
        return later(self.first_month, self.months)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One person over all months, in minor units."""

    person_id: str
    branch_id: str
    paid: int
    simulated: tuple[int, ...]


def later(month: date, months: int) -> date:
    """The first day of the month so many months later."""
    count = month.year * 12 + month.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


def nothing(plans: Sequence[Plan]) -> Tally:
    """The tally of nobody."""
    return Tally(
        _none(plans),
        {},
        {},
        [PlanTally([RuleTally(tiers=[0] * _steps(node.rule.kind)) for node in plan.nodes]) for plan in plans],
    )


def _none(plans: Sequence[object]) -> Sums:
    return Sums(0, [0] * len(plans))


def _steps(kind: RuleKind) -> int:
    match kind:
        case Tiers():
            return len(kind.tiers)
        case Graduated():
            return len(kind.bands)
    return 0


def pays_instead(plan: Plan, paying: Plan | None, standing: Standing) -> bool:
    """Whether the plan would have been the one for whoever stood there and was paid by `paying`."""
    if paying is not None and (plan.node_id, plan.job_role) == (paying.node_id, paying.job_role):
        return True
    path = list(standing.path)
    if plan.job_role != standing.job_role or plan.node_id not in path:
        return False
    if paying is None:
        return True
    # Whoever is paid by a plan of where they stood no more is paid by it still.
    return paying.node_id in path and path.index(plan.node_id) <= path.index(paying.node_id)


class Race(NamedTuple):
    """A rule of a plan tried, by the plan's place among them, and the period that the prizes are for."""

    plan: int
    rule_id: str
    period: Period


class Prizes:
    """What plans tried would give for ranks, among the people they are tried on.

    Where the plan itself paid, prizes are what it gave. Dates of a contest count where any of the months tried lies
    within them; one that is still to come is tried in every period, as a plan is whose first day is.
    """

    def __init__(self, simulation: Simulation, leaders: Mapping[Race, Leaders] | None = None) -> None:
        self._plans = simulation.plans
        self._from, self._end = simulation.first_month, simulation.end
        self.leaders: Final = dict(leaders or {})

    def rank(self, statement: Statement, book: PlanBook, standing: Standing) -> None:
        """Count somebody in, wherever a plan tried would pay instead."""
        for number, plan in enumerate(self._plans):
            if not (plan.prize_rules and _pays_for(plan, statement, book, standing)):
                continue
            paid_by = book.get(statement.plan_id)
            for rule_id, kind in plan.prize_rules.items():
                if self._gives(kind, statement.period):
                    leaders = self.leaders.setdefault(Race(number, rule_id, statement.period), Leaders(kind))
                    leaders.add(statement.figures)
                    leaders.settled |= paid_by is not None and paid_by.written_id == plan.id

    def won(self, number: int, statement: Statement, paid_by: Plan | None) -> dict[tuple[str, str], int]:
        """What somebody whom the plan would pay wins by it, by plan and rule, in minor units."""
        plan = self._plans[number]
        if paid_by is not None and paid_by.written_id == plan.id:
            return {
                (plan.id, rule_id): statement.figures.get(kind.metric.name, 0)
                for rule_id, kind in plan.prize_rules.items()
            }
        return {
            (plan.id, rule_id): leaders.amount(statement.figures)
            for rule_id in plan.prize_rules
            if (leaders := self.leaders.get(Race(number, rule_id, statement.period)))
        }

    def _gives(self, kind: RankingPrize, period: Period) -> bool:
        is_elsewhere = (kind.first is not None and kind.first >= self._end) or (
            kind.end is not None and kind.end <= self._from
        )
        return is_elsewhere or holds(kind, period)


def _pays_for(plan: Plan, statement: Statement, book: PlanBook, standing: Standing) -> bool:
    """Whether the plan would have paid for a statement, for periods such as the plan pays by."""
    if statement.period.kind is not plan.period_kind:
        return False
    return pays_instead(plan, _paying(statement, book, standing), standing)


def _paying(statement: Statement, book: PlanBook, standing: Standing) -> Plan | None:
    """The plan that pays for a statement, or would if it were computed now."""
    return book.get(statement.plan_id) or book.in_force(
        standing.path, standing.job_role, statement.period.first_day
    )


class _Advances:
    """What a plan that is tried advanced to one person by itself, month by month.

    What was owed when a statement began is a figure of it, where it was paid by a plan with such a draw; to that comes
    what the plan tried paid otherwise since.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._more = dict.fromkeys(plan.draws, 0)

    def at(self, statement: Statement) -> dict[str, int]:
        """What is owed when the statement's period begins."""
        was = statement.figures
        return {rule_id: was.get(f"{DRAWN}{rule_id}", 0) + more for rule_id, more in self._more.items()}

    def note(self, statement: Statement, paid_by: Plan | None, made: Statement) -> None:
        """What the plan tried made of a statement that another, or the same, paid."""
        for rule_id, at in self._plan.draws.items():
            was = None if paid_by is None else paid_by.draws.get(rule_id)
            self._more[rule_id] += made.amounts[at] - (0 if was is None else statement.amounts[was])


def _simulate(
    number: int,
    plan: Plan,
    statement: Statement,
    book: PlanBook,
    standing: Standing,
    advances: _Advances,
    prizes: Prizes,
) -> tuple[int, Statement | None]:
    """What somebody would get for the period, and the plan's statement where it is the one that pays."""
    if not pays_instead(plan, _paying(statement, book, standing), standing):
        return statement.total, None
    if statement.period.kind is not plan.period_kind:
        # What was paid per week is paid per month now, or the other way round.
        return 0, None
    paid_by = book.get(statement.plan_id)
    won = prizes.won(number, statement, paid_by)
    plan = book.varied(plan, standing.path, statement.period.first_day)
    made = renew(statement, plan, standing._replace(drawn=advances.at(statement), won=won))
    advances.note(statement, paid_by, made)
    return made.total, made


def count(
    tally: Tally,
    plans: Sequence[Plan],
    person_id: str,
    branch_id: str,
    found: Iterable[tuple[Statement, Standing]],
    book: PlanBook,
    prizes: Prizes,
) -> Outcome | None:
    """Add a person's statements to the tally; None where there are none that anything is paid for."""
    months: dict[str, tuple[int, list[int]]] = {}
    advances = [_Advances(plan) for plan in plans]
    for statement, standing in found:
        tried = [
            _simulate(number, plan, statement, book, standing, owed, prizes)
            for number, (plan, owed) in enumerate(zip(plans, advances, strict=True))
        ]
        if not statement.plan_id and all(made is None for _, made in tried):
            continue
        for number, (_, made) in enumerate(tried):
            if made is not None:
                _count_rules(tally.plans[number], plans[number], made)
        month = statement.period.first_day.replace(day=1).isoformat()
        paid, amounts = months.get(month, (0, [0] * len(plans)))
        months[month] = (
            paid + statement.total,
            [before + amount for before, (amount, _) in zip(amounts, tried, strict=True)],
        )
    if not months:
        return None
    for month, (paid, amounts) in months.items():
        tally.months.setdefault(month, _none(plans)).add(paid, amounts)
    paid = sum(each for each, _ in months.values())
    simulated = tuple(sum(each[number] for _, each in months.values()) for number in range(len(plans)))
    tally.sums.add(paid, simulated)
    tally.branches.setdefault(branch_id, _none(plans)).add(paid, simulated)
    for each, amount in zip(tally.plans, simulated, strict=True):
        _count_person(each, amount - paid)
    return Outcome(person_id, branch_id, paid, simulated)


def _count_person(tally: PlanTally, gain: int) -> None:
    if gain > 0:
        tally.winners += 1
        tally.won += gain
    elif gain < 0:
        tally.losers += 1
        tally.lost += gain
    else:
        tally.same += 1


def _count_rules(tally: PlanTally, plan: Plan, made: Statement) -> None:
    tally.statements += 1
    read = values(plan, made.figures, made.amounts)
    for each, node, amount, value in zip(tally.rules, plan.nodes, made.amounts, read, strict=True):
        if amount:
            each.statements += 1
            each.amount += amount
        if each.tiers and value.denominator > 0:
            each.tiers[_step(node.rule.kind, Figure(max(0, value.numerator), value.denominator))] += 1


def _step(kind: RuleKind, value: Figure) -> int:
    """The tier or band that the value ends in."""
    if isinstance(kind, Tiers):
        return tier_of(kind, value)[0]
    at = 0
    if isinstance(kind, Graduated):
        for index, band in enumerate(kind.bands):
            if value.numerator * band.low.denominator >= band.low.numerator * value.denominator:
                at = index
    return at


def branch_of(path: Sequence[str], branches: Collection[str]) -> str:
    """The nearest of the branches on the way up, else the enterprise."""
    return next((node_id for node_id in path if node_id in branches), path[-1] if path else "")

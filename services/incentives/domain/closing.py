"""Closed periods: what is frozen of a statement, and what later facts make of it in the open period (R11).

A frozen statement never changes. Goals goes on telling the figures of its period, and the statement they would make
is worked out as ever; what a line of it differs by, less what earlier periods adjusted already, is paid in the period
that runs. So the sum over all periods is what would have been paid had everything been known in time, whatever the
order of facts and closing.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from services.incentives.domain.periods import Period, PeriodKind, period_of
from services.incentives.domain.plan_book import PlanBook
from services.incentives.domain.plans import Plan
from services.incentives.domain.statements import Standing, Statement, lines


class Adjustment(NamedTuple):
    """What is paid in `period` for a line of the closed period `corrects`, in minor units; below zero: taken back.

    With a `dispute_id` somebody decided so; otherwise later facts did.
    """

    person_id: str
    period: Period
    corrects: Period
    rule_id: str
    label: str
    amount: int
    changed_at: datetime
    goals_position: int
    id: int = 0
    dispute_id: str = ""


class HeldLine(NamedTuple):
    """A line that is held back, with every adjustment of it, in minor units; or what hangs on deals of it."""

    rule_id: str
    label: str
    amount: int
    reason: str = ""
    held_by: str = ""
    in_part: bool = False


class DealName(NamedTuple):
    """A deal as its source names it."""

    source: str
    external_id: str


class Deal(NamedTuple):
    """What counts of a deal for somebody, in minor units, None where no amount was told.

    `whole` is what others share.
    """

    name: DealName
    occurred_at: datetime
    amount: int | None
    whole: int | None
    product: str


class HeldDeal(NamedTuple):
    """A deal that is held back."""

    name: DealName
    reason: str
    held_by: str
    held_at: datetime


class HeldFlag(NamedTuple):
    """A flag of goals' that holds back what rests on its facts, and the rule that noticed."""

    flag_id: str
    rule: str


@dataclass(frozen=True, slots=True)
class Frozen:
    """A statement as it was when its period was closed, and the sum of the adjustments paid in it.

    `approved`, `paid_on`, `hold_reason` and `flag_id` say how far it is on its way to payroll.
    """

    statement: Statement
    adjusted: int
    digest: str
    closing_id: str
    closed_at: datetime
    closed_by: str
    approved: bool = False
    paid_on: date | None = None
    hold_reason: str = ""
    flag_id: str = ""
    flag_rule: str = ""
    held_lines: tuple[HeldLine, ...] = ()
    held_deals: tuple[HeldDeal, ...] = ()
    held_flags: tuple[HeldFlag, ...] = ()


@dataclass(frozen=True, slots=True)
class Closing:
    """A period was closed for everybody at or below a node."""

    id: str
    node_id: str
    period: Period
    closed_by: str
    closed_at: datetime


@dataclass(frozen=True, slots=True)
class Sums:
    """What a period comes to for the people at or below a node; money in minor units."""

    period: Period
    people: int
    frozen: int
    total: int
    adjusted: int
    corrected_later: int


def digest(statement: Statement, plan: Plan | None, adjustments: Iterable[Adjustment]) -> str:
    """SHA-256 in hexadecimal over the canonical form of a statement and the adjustments paid in it (decision 0413)."""
    form = {
        "person": statement.person_id,
        "period": _period(statement.period),
        "plan": statement.plan_id,
        "figures": dict(statement.figures),
        "lines": [[name, amount] for name, (_, amount) in amounts(statement, plan).items()],
        "total": statement.total,
        "adjustments": sorted(
            [*_period(each.corrects), each.rule_id, each.amount] for each in adjustments if each.amount
        ),
    }
    text = json.dumps(form, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _period(period: Period) -> list[str]:
    return [period.kind.name, period.first_day.isoformat()]


def amounts(statement: Statement, plan: Plan | None) -> Mapping[str, tuple[str, int]]:
    """The label and amount of every line, by rule id in the plan's order."""
    if plan is None:
        return {}
    return {line.rule.id: (line.rule.label, line.amount) for line in lines(statement, plan)}


def corrections(
    frozen: Mapping[str, tuple[str, int]],
    recomputed: Mapping[str, tuple[str, int]],
    earlier: Mapping[str, int],
) -> dict[str, tuple[str, int]]:
    """What is still to be adjusted, by rule id: recomputed less frozen, less what `earlier` periods adjusted."""
    labels = {name: label for each in (frozen, recomputed) for name, (label, _) in each.items()}
    nothing = ("", 0)
    return {
        name: (
            labels.get(name, ""),
            recomputed.get(name, nothing)[1] - frozen.get(name, nothing)[1] - earlier.get(name, 0),
        )
        for name in dict.fromkeys((*labels, *earlier))
    }


def open_period(book: PlanBook, standing: Standing) -> Period:
    """The period that pays somebody today, as the plan in force says; without one the month."""
    paying = book.paying_on(standing.path, standing.job_role, standing.today)
    return paying[1] if paying is not None else period_of(PeriodKind.MONTH, standing.today)

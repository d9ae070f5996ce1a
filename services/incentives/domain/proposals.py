"""Plans that are proposed: they pay nothing until a second person approves them."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime, timedelta
from enum import IntEnum
from functools import lru_cache
from typing import Any, NamedTuple

from services.incentives.domain.metrics import Metric, named
from services.incentives.domain.periods import Period, period_of
from services.incentives.domain.plan_book import PlanBook
from services.incentives.domain.plans import Plan


class PlanState(IntEnum):
    """How far a plan is; the numbers of the contract's `Plan.State`."""

    DRAFT = 1
    APPROVED = 2
    REJECTED = 3


@dataclass(frozen=True, slots=True)
class Proposal:
    """A plan as somebody wrote it, and what became of it."""

    plan: Plan
    state: PlanState
    decided_by: str = ""
    decided_at: datetime | None = None
    decision_reason: str = ""


class Applying(NamedTuple):
    """A plan that applies to a person, and the first day it pays them for."""

    plan: Plan
    pays_from: date


@lru_cache(maxsize=1024)
def digest_of(plan: Plan) -> str:
    """SHA-256 of what a plan says, in hexadecimal: not of who wrote it, when and why."""
    content: list[Any] = [
        plan.node_id,
        plan.job_role,
        plan.name,
        plan.period_kind.name,
        plan.effective_from.isoformat(),
        [_canonical(rule) for rule in plan.rules],
    ]
    if plan.parameters:
        content.append([_canonical(each) for each in plan.parameters])
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def _canonical(value: Any) -> Any:
    if isinstance(value, Metric) and value == named({}, value.name):
        # What is built in never changes, and a course is one count: the name says it all.
        return value.name
    if isinstance(value, date):
        return value.isoformat()
    if is_dataclass(value):
        return [type(value).__name__, *(_canonical(getattr(value, field.name)) for field in fields(value))]
    return [_canonical(each) for each in value] if isinstance(value, tuple) else value


def applying_on(book: PlanBook, path: Sequence[str], job_role: str, day: date) -> Applying | None:
    """What pays somebody for a day; `path` is from their leaf upwards."""
    found = book.paying_on(path, job_role, day)
    if found is None:
        return None
    plan, period = found
    since = plan.effective_from
    # A branch's number may hold for a part of the plan's time only.
    for each in reversed([each for each in book.days(job_role) if since < each <= period.first_day]):
        if book.in_force(path, job_role, each - timedelta(days=1)) is not plan:
            since = each
            break
    return Applying(plan, first_period(plan, since).first_day)


def next_after(book: PlanBook, path: Sequence[str], job_role: str, day: date) -> Applying | None:
    """The first plan to come that will pay them, for a period that has not begun on this day."""
    paying = book.paying_on(path, job_role, day)
    for since in book.days(job_role):
        plan = book.in_force(path, job_role, since)
        if plan is None:
            continue
        first = first_period(plan, since)
        if first.first_day <= day:
            continue
        coming = book.plan_for(path, job_role, first)
        if coming is not None and (paying is None or coming is not paying[0]):
            return Applying(coming, first.first_day)
    return None


def first_period(plan: Plan, since: date | None = None) -> Period:
    """The first period that begins on or after a day, the plan's first one where none is told."""
    since = since or plan.effective_from
    period = period_of(plan.period_kind, since)
    return period if period.first_day == since else period_of(plan.period_kind, period.end_day)

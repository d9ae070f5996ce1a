"""Which plan pays for stored statements, with what it reads, and which of them come out otherwise by it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from sqlalchemy import Connection

from services.incentives.carrying import reading_others
from services.incentives.correcting import Change
from services.incentives.domain.periods import Period
from services.incentives.domain.plan_book import PlanBook
from services.incentives.domain.plans import Plan
from services.incentives.domain.statements import Standing, Statement, plan_of, renew
from services.incentives.store.placements import then


class Placed(NamedTuple):
    """A statement as it is stored, the plan that pays for it, and where the person stands, or stood, in its period."""

    before: Statement
    plan: Plan | None
    stands: Standing


def placed(
    connection: Connection,
    book: PlanBook,
    found: Sequence[Statement],
    standings: Mapping[str, Standing],
) -> list[Placed]:
    """Statements, of people whose standing is known, with all that they are computed from."""
    keys = [(before.person_id, before.period) for before in found]
    stood = then(connection, keys, standings)
    stands = {key: stood.get(key, standings[key[0]]) for key in keys}
    plans = {
        key: plan_of(book, before, stands[key], before.period)
        for key, before in zip(keys, found, strict=True)
    }
    stands |= reading_others(connection, book, stands, plans, standings)
    return [Placed(before, plans[key], stands[key]) for key, before in zip(keys, found, strict=True)]


def renewed(placed: Iterable[Placed]) -> list[Change]:
    """Those of the statements that come out otherwise than they are stored."""
    changed = []
    for before, plan, stands in placed:
        if plan is None and not before.plan_id:
            continue
        after = renew(before, plan, stands)
        if after != before:
            changed.append(Change(before, after, plan, stands))
    return changed


def of_mentors(
    connection: Connection,
    book: PlanBook,
    people: Collection[str],
    period: Period,
    standings: Mapping[str, Standing],
) -> list[Change]:
    """The statements of mentors who did nothing themselves in a period, and are paid for what others did."""
    empty = [Statement(person_id, period) for person_id in sorted(people) if person_id in standings]
    stood = then(connection, [(each.person_id, period) for each in empty], standings)
    paid = [
        each
        for each in empty
        if (
            plan := plan_of(
                book, None, stood.get((each.person_id, period), standings[each.person_id]), period
            )
        )
        and plan.mentor_rules
    ]
    return [each._replace(before=None) for each in renewed(placed(connection, book, paid, standings))]


def is_open(statement: Statement, standing: Standing, since: date | None) -> bool:
    """A closed period takes a new plan only where it had none, and the plan is meant for that time."""
    period: Period = statement.period
    if period.end_day > standing.today:
        return True
    return not statement.plan_id and since is not None and period.first_day >= since

"""What a statement reads beside figures: what draws advanced (0419), what mentees reached (0429), prizes (0427)."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime

from sqlalchemy import Connection

from services.incentives.domain.periods import Period, PeriodKind, period_of
from services.incentives.domain.plan_book import PlanBook
from services.incentives.domain.plans import Plan
from services.incentives.domain.statements import NOTHING_PASSED, Standing, Statement, plan_of, renew
from services.incentives.store.courses import passed_of
from services.incentives.store.ledger import Key, earlier
from services.incentives.store.mentoring import mentees_of
from services.incentives.store.placements import then
from services.incentives.store.prizes import won_of


def reading_others(
    connection: Connection,
    book: PlanBook,
    stands: Mapping[Key, Standing | None],
    plans: Mapping[Key, Plan | None],
    standings: Mapping[str, Standing],
) -> dict[Key, Standing]:
    """Those whose plan reads other statements as well, with what it reads of them."""
    if not (book.draws or book.pays_mentors or book.gives_prizes):
        return {}
    paid = {
        key: (standing, plan)
        for key, standing in stands.items()
        if standing is not None and key[0] in standings and (plan := plans[key]) is not None
    }
    drawing = {key: standing for key, (standing, plan) in paid.items() if plan.draws}
    found = with_drawn(connection, book, drawing, standings) if drawing else {}
    mentors = {key: found.get(key, standing) for key, (standing, plan) in paid.items() if plan.mentor_rules}
    found |= with_mentees(connection, mentors) if mentors else {}
    ranked = {key: found.get(key, standing) for key, (standing, plan) in paid.items() if plan.prize_rules}
    return found | (with_prizes(connection, ranked) if ranked else {})


def with_drawn(
    connection: Connection, book: PlanBook, asked: Mapping[Key, Standing], now: Mapping[str, Standing]
) -> dict[Key, Standing]:
    """The same standings with what is owed when each period begins.

    `now` has where people stand today. What was paid in a period is its statement as computed; one without any fact is
    computed here, with the plan that was in force. Nothing is owed where the day of hiring is not known.
    """
    known = {key: standing for key, standing in asked.items() if now[key[0]].hired is not None}
    before: dict[Key, Statement] = {}
    last: dict[tuple[str, PeriodKind], date] = {}
    for person_id, period in known:
        key = (person_id, period.kind)
        last[key] = max(last.get(key, date.min), period.first_day)
    for each in earlier(connection, last):
        before[each.person_id, each.period] = each
    first: dict[tuple[str, PeriodKind], date] = {}
    for person_id, period in before:
        key = (person_id, period.kind)
        first[key] = min(first.get(key, date.max), period.first_day)
    spans = {
        key: list(_span(key[1], min(first.get(key, end), now[key[0]].hired or end), end))
        for key, end in last.items()
    }
    wanted: dict[tuple[str, PeriodKind], dict[Period, Key]] = {}
    for person_id, period in known:
        wanted.setdefault((person_id, period.kind), {})[period] = (person_id, period)
    without = [
        (person_id, period)
        for (person_id, _kind), periods in spans.items()
        for period in periods
        if (person_id, period) not in before
    ]
    stood = then(connection, without, now)
    found = dict(asked)
    for (person_id, kind), periods in spans.items():
        owed: Mapping[str, int] = {}
        asked_of = wanted[person_id, kind]
        for period in (*periods, *sorted(asked_of)[-1:]):
            if period in asked_of:
                found[asked_of[period]] = found[asked_of[period]]._replace(drawn=owed)
            statement = before.get((person_id, period))
            if statement is None:
                stands = stood.get((person_id, period), now[person_id])._replace(drawn=owed)
                plan = plan_of(book, None, stands, period)
                statement = renew(Statement(person_id, period), plan, stands)
            owed = after(book, statement, owed)
    return found


def with_mentees(connection: Connection, asked: Mapping[Key, Standing]) -> dict[Key, Standing]:
    """The same standings with the figures of whom each person mentors in each period."""
    found = mentees_of(connection, asked)
    return {key: standing._replace(mentees=found[key]) for key, standing in asked.items()}


def with_prizes(connection: Connection, asked: Mapping[Key, Standing]) -> dict[Key, Standing]:
    """The same standings with what each person won in each period."""
    found = won_of(connection, asked)
    return {
        key: standing._replace(won={of: won.amount for of, won in found.get(key, {}).items()})
        for key, standing in asked.items()
    }


def of_nothing_stored(
    connection: Connection, book: PlanBook, person_id: str, stands: Mapping[Period, Standing], now: datetime
) -> dict[PeriodKind, Standing]:
    """All that statements of these periods read of a person, where they are computed only to be shown."""
    found: dict[Key, Standing] = {(person_id, period): each for period, each in stands.items()}
    if not found:
        return {}
    if book.courses:
        passed = passed_of(connection, [person_id], book.courses, now).get(person_id, NOTHING_PASSED)
        found = {key: each._replace(passed=passed) for key, each in found.items()}
    if book.draws:
        today = max(found.values(), key=lambda each: each.today)
        found = with_drawn(connection, book, found, {person_id: today})
    if book.pays_mentors:
        found = with_mentees(connection, found)
    return {period.kind: each for (_, period), each in found.items()}


def after(book: PlanBook, statement: Statement, owed: Mapping[str, int]) -> Mapping[str, int]:
    """What is owed when a period is over; a plan without the rule that advanced it forgives it."""
    plan = book.get(statement.plan_id)
    if plan is None:
        return owed
    return {rule_id: owed.get(rule_id, 0) + statement.amounts[at] for rule_id, at in plan.draws.items()}


def _span(kind: PeriodKind, first: date, end: date) -> Iterator[Period]:
    """The periods from the one that holds a day, before the one that begins on `end`."""
    period = period_of(kind, first)
    while period.first_day < end:
        yield period
        period = period_of(kind, period.end_day)

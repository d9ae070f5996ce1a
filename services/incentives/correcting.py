"""What late figures do to closed periods: nothing; they adjust the period that runs (R11)."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection

from chassis.feed import NewEvent, publish
from services.incentives.domain.closing import (
    Adjustment,
    Closing,
    Frozen,
    amounts,
    corrections,
    digest,
    open_period,
)
from services.incentives.domain.periods import Period, period_of
from services.incentives.domain.plan_book import PlanBook
from services.incentives.domain.plans import Plan
from services.incentives.domain.statements import Standing, Statement, renew
from services.incentives.store import closing as store
from services.incentives.store.flag_holds import look_at

ADJUSTMENT_CHANGED: Final = "adjustment_changed"

EncodeAdjustment = Callable[[Adjustment], bytes]


class Change(NamedTuple):
    """A statement was computed anew, and with which plan; `stands` is where the person stood at the period's end."""

    before: Statement | None
    after: Statement
    plan: Plan | None
    stands: Standing | None


class Corrector:
    """Keeps what is closed apart from what is computed, in a transaction that holds `calculation`."""

    def __init__(self, encode: EncodeAdjustment) -> None:
        self._encode = encode

    def correct(
        self,
        connection: Connection,
        book: PlanBook,
        changes: Sequence[Change],
        standings: Mapping[str, Standing],
        now: datetime,
    ) -> list[Change]:
        """Adjust open periods by what changed in closed ones; the changes of periods that are not closed."""
        over = {
            (each.after.person_id, each.after.period): each
            for each in changes
            if (standing := standings.get(each.after.person_id)) is not None
            and each.after.period.end_day <= standing.today
        }
        if not over:
            return list(changes)
        frozen = store.frozen_of(connection, over)
        left = {key: each for key, each in over.items() if key not in frozen}
        if left:
            frozen |= self._stragglers(connection, book, left, standings)
        late = {key: each for key, each in over.items() if key in frozen}
        if late:
            self._adjust(connection, book, late, frozen, standings, now)
        return [each for each in changes if (each.after.person_id, each.after.period) not in late]

    def _stragglers(
        self,
        connection: Connection,
        book: PlanBook,
        left: Mapping[store.Key, Change],
        standings: Mapping[str, Standing],
    ) -> dict[store.Key, Frozen]:
        """Freeze what was known of people who came to a closed node after it was closed."""
        closings = store.closings_of(connection, {period for _, period in left})
        if not closings:
            return {}
        found = []
        for key, each in left.items():
            path = standings[key[0]].path
            covering = next((c for c in closings if c.period == key[1] and c.node_id in path), None)
            if covering is not None:
                empty = Statement(*key)
                before = each.before or (renew(empty, each.plan, each.stands) if each.plan else empty)
                found.append((before, covering))
        return freeze(connection, book, found)

    def _adjust(
        self,
        connection: Connection,
        book: PlanBook,
        late: Mapping[store.Key, Change],
        frozen: Mapping[store.Key, Frozen],
        standings: Mapping[str, Standing],
        now: datetime,
    ) -> None:
        paying = {person_id: open_period(book, standings[person_id]) for person_id, _ in late}
        while shut := store.frozen_of(connection, paying.items()):
            # A move to an earlier zone may bring a closed day back.
            paying |= {who: period_of(period.kind, period.end_day) for who, period in shut}
        known: dict[store.Key, list[Adjustment]] = {}
        for each in store.correcting(connection, late):
            known.setdefault((each.person_id, each.corrects), []).append(each)
        told = []
        for key, change in late.items():
            person_id, corrects = key
            period = paying[person_id]
            earlier: dict[str, int] = {}
            current: dict[str, int] = {}
            for each in known.get(key, ()):
                if each.period == period:
                    current[each.rule_id] = each.amount
                else:
                    earlier[each.rule_id] = earlier.get(each.rule_id, 0) + each.amount
            closed = frozen[key].statement
            due = corrections(
                amounts(closed, book.get(closed.plan_id)), amounts(change.after, change.plan), earlier
            )
            for rule_id, (label, amount) in due.items():
                if amount == current.get(rule_id, 0):
                    continue
                position = change.after.goals_position
                made = Adjustment(person_id, period, corrects, rule_id, label, amount, now, position)
                told.append(store.adjust(connection, made))
        publish(
            connection, [NewEvent(ADJUSTMENT_CHANGED, each.person_id, self._encode(each)) for each in told]
        )


def freeze(
    connection: Connection, book: PlanBook, found: Sequence[tuple[Statement, Closing]]
) -> dict[store.Key, Frozen]:
    """Freeze statements as they are, with the adjustments paid in them."""
    keys: list[tuple[str, Period]] = [(each.person_id, each.period) for each, _ in found]
    paid = store.paid_in(connection, keys)
    made = {}
    for key, (statement, closing) in zip(keys, found, strict=True):
        adjustments = paid.get(key, [])
        made[key] = Frozen(
            statement,
            sum(each.amount for each in adjustments),
            digest(statement, book.get(statement.plan_id), adjustments),
            closing.id,
            closing.closed_at,
            closing.closed_by,
        )
    store.freeze(connection, list(made.values()))
    look_at(connection, keys)
    return made

"""Payouts, and what holds them back; every query is narrowed by the scope."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, text

from access import Scope
from services.incentives.domain.closing import Adjustment, Frozen, HeldLine
from services.incentives.domain.payouts import Payout, PayoutLine, Tally
from services.incentives.domain.periods import Period, PeriodKind, period_of
from services.incentives.store import closing
from services.incentives.store.closing import HELD_DEALS, HELD_FLAGS, held_deals, held_flags
from services.incentives.store.flag_holds import look_at

_PAYOUTS: Final = f"""
SELECT frozen.person_id, frozen.period_kind, frozen.first_day, frozen.total + frozen.adjusted AS due,
       before.total + before.adjusted AS last, coalesce(held.reason, ''), coalesce(held_by, ''),
       coalesce(held.flag_id, ''), coalesce(held.rule, ''),
       coalesce(approved_by, ''), approved_at, coalesce(batch_id, ''), paid_on,
       EXISTS (SELECT FROM unnest(frozen.amounts) AS line (amount) WHERE amount <> 0) OR EXISTS (
           SELECT FROM adjustment AS paid WHERE (paid.period_kind, paid.first_day, paid.person_id)
               = (frozen.period_kind, frozen.first_day, frozen.person_id) AND amount <> 0) AS has_lines,
       held.person_id IS NULL AS free, held_lines, held_amount, owes, owed_amount, {HELD_DEALS} AS held_deals,
       {HELD_FLAGS} AS held_flags
FROM frozen
LEFT JOIN frozen AS before ON (before.period_kind, before.first_day, before.person_id)
    = (frozen.period_kind, CAST(:before AS date), frozen.person_id)
LEFT JOIN held ON (held.period_kind, held.first_day, held.person_id)
    = (frozen.period_kind, frozen.first_day, frozen.person_id)
CROSS JOIN LATERAL (
    SELECT coalesce(json_agg(json_build_array(rule_id, label, amount, reason, held_by, in_part) ORDER BY id, rule_id)
                    FILTER (WHERE NOT owes), '[]') AS held_lines,
           coalesce(sum(amount) FILTER (WHERE NOT owes), 0) AS held_amount,
           coalesce(bool_or(owes), false) AS owes, coalesce(sum(amount) FILTER (WHERE owes), 0) AS owed_amount
    FROM (
        SELECT id, rule_id, label, amount, reason, held_by, in_part, false AS owes FROM held_line
        WHERE (held_line.period_kind, held_line.first_day, held_line.person_id)
            = (frozen.period_kind, frozen.first_day, frozen.person_id)
        UNION ALL
        SELECT 0, rule_id, '', amount, '', '', false, true FROM owed
        WHERE (owed.period_kind, owed.first_day, owed.person_id)
            = (frozen.period_kind, frozen.first_day, frozen.person_id)
    ) AS line
) AS lines
LEFT JOIN approval ON (approval.period_kind, approval.first_day, approval.person_id)
    = (frozen.period_kind, frozen.first_day, frozen.person_id)
LEFT JOIN batch_item AS item ON (item.period_kind, item.first_day, item.person_id)
    = (frozen.period_kind, frozen.first_day, frozen.person_id)
LEFT JOIN batch ON batch.id = batch_id
WHERE (frozen.period_kind, frozen.first_day) = (:kind, :day)
"""  # noqa: S608  the text is ours
# Whom no plan pays and nothing is adjusted for has no payout.
_IS_ONE: Final = "AND (frozen.plan_id <> '' OR frozen.adjusted <> 0)"
BELOW: Final = f"""
  {_IS_ONE}
  AND frozen.person_id IN (
      SELECT id FROM directory_node WHERE kind = 4 AND ancestors @> ARRAY[CAST(:node_id AS text)])
"""  # noqa: S608  the text is ours
_PAGE: Final = text(f"{_PAYOUTS}{BELOW} AND frozen.person_id > :after ORDER BY frozen.person_id LIMIT :size")
_EVERY: Final = text(f"{_PAYOUTS}{BELOW} ORDER BY frozen.person_id")
_OF_PEOPLE: Final = text(f"{_PAYOUTS}{BELOW} AND frozen.person_id = ANY (:people) ORDER BY frozen.person_id")
_ONE: Final = text(f"{_PAYOUTS} {_IS_ONE} AND frozen.person_id = :person_id")
# What sums to nothing of several amounts is booked all the same; what is nothing throughout is not handed over alone.
_TALLY: Final = text(f"""
SELECT count(*) FILTER (WHERE approved_at IS NULL AND free),
       coalesce(sum(due) FILTER (WHERE approved_at IS NULL AND free), 0)::bigint,
       count(*) FILTER (WHERE NOT free AND batch_id = ''),
       count(*) FILTER (WHERE approved_at IS NOT NULL AND free AND (owes OR batch_id = '' AND has_lines)),
       count(*) FILTER (WHERE batch_id <> ''),
       coalesce(sum(CASE WHEN batch_id = '' THEN due - held_amount ELSE owed_amount END)
                FILTER (WHERE approved_at IS NOT NULL AND free), 0)::bigint,
       coalesce(sum(json_array_length(held_lines)), 0)::integer
FROM ({_PAYOUTS}{BELOW}) AS payout
    (person_id, period_kind, first_day, due, last, reason, held_by, flag_id, rule, approved_by, approved_at, batch_id,
     paid_on, has_lines, free, held_lines, held_amount, owes, owed_amount, held_deals, held_flags)
""")  # noqa: S608  the text is ours
FREE: Final = """
  AND NOT EXISTS (
      SELECT FROM held WHERE (held.period_kind, held.first_day, held.person_id)
          = (frozen.period_kind, frozen.first_day, frozen.person_id))
"""
_APPROVE: Final = text(f"""
INSERT INTO approval (period_kind, first_day, person_id, approved_by, approved_at)
SELECT period_kind, first_day, person_id, :who, :now FROM frozen
WHERE (period_kind, first_day) = (:kind, :day) {BELOW} {FREE}
ON CONFLICT DO NOTHING
RETURNING person_id
""")  # noqa: S608  the text is ours
_DUE: Final = text("""
SELECT coalesce(sum(total + adjusted), 0)::bigint FROM frozen
WHERE (period_kind, first_day) = (:kind, :day) AND person_id = ANY (:people)
""")
_CLOSERS: Final = text(f"""
SELECT DISTINCT closed_by FROM frozen JOIN closing ON closing.id = closing_id
WHERE (frozen.period_kind, frozen.first_day) = (:kind, :day) {BELOW}
""")  # noqa: S608  the text is ours
_HOLD: Final = text("""
INSERT INTO hold (period_kind, first_day, person_id, reason, held_by, held_at, rule_id, label, amount)
VALUES (:kind, :day, :person_id, :reason, :who, :now, :rule_id, :label, :amount)
ON CONFLICT DO NOTHING
RETURNING id
""")
_RELEASE: Final = text("""
UPDATE hold SET release_reason = :reason, released_by = :who, released_at = :now
WHERE (period_kind, first_day, person_id, rule_id) = (:kind, :day, :person_id, :rule_id) AND released_at IS NULL
RETURNING id
""")
# A person's release is of what flags hold back as well; they hold that payout back no more.
_RELEASE_FLAGS: Final = text("""
UPDATE flag_hold SET release_reason = :reason, released_by = :who, released_at = :now
WHERE (period_kind, first_day, person_id) = (:kind, :day, :person_id) AND holds AND released_at IS NULL
RETURNING flag_id
""")
# Holding and batching the same payout wait for each other here.
_LOCK: Final = text("""
SELECT FROM frozen WHERE (period_kind, first_day) = (:kind, :day) AND person_id = ANY (:people)
ORDER BY person_id FOR UPDATE
""")
LOCK_BELOW: Final = text(f"""
SELECT FROM frozen WHERE (period_kind, first_day) = (:kind, :day) {BELOW} ORDER BY person_id FOR UPDATE
""")


class PayoutStore:
    """Payouts of the nodes that the scope's permission covers."""

    def __init__(self, connection: Connection, scope: Scope) -> None:
        self._connection = connection
        self._scope = scope

    def listed(self, node_id: str, period: Period, after: str, size: int) -> list[Payout]:
        """A page of a node's payouts, by person id."""
        self._scope.require(node_id)
        values = {**asked(node_id, period), "before": _before(period), "after": after, "size": size}
        return [_payout(row) for row in self._connection.execute(_PAGE, values)]

    def of_people(self, node_id: str, period: Period, people: Sequence[str]) -> list[Payout]:
        """Those of a node's payouts that are these people's."""
        self._scope.require(node_id)
        values = {**asked(node_id, period), "before": _before(period), "people": list(people)}
        return [_payout(row) for row in self._connection.execute(_OF_PEOPLE, values)]

    def every(self, node_id: str, period: Period) -> list[Payout]:
        """All of a node's payouts."""
        self._scope.require(node_id)
        values = {**asked(node_id, period), "before": _before(period)}
        return [_payout(row) for row in self._connection.execute(_EVERY, values)]

    def tally(self, node_id: str, period: Period) -> Tally:
        """How far a node's payouts are."""
        self._scope.require(node_id)
        values = {**asked(node_id, period), "before": _before(period)}
        return Tally(*self._connection.execute(_TALLY, values).one())

    def of_person(self, person_id: str, period: Period) -> Payout | None:
        """A person's payout, which nobody else changes until the transaction ends; None where nothing is closed."""
        self._scope.require_person(person_id)
        lock_payout(self._connection, person_id, period)
        return self.seen_of(person_id, period)

    def seen_of(self, person_id: str, period: Period) -> Payout | None:
        """The same, which others may change meanwhile."""
        self._scope.require_person(person_id)
        values = {"kind": int(period.kind), "day": period.first_day}
        row = self._connection.execute(
            _ONE, {**values, "person_id": person_id, "before": _before(period)}
        ).first()
        return None if row is None else _payout(row)

    def closers(self, node_id: str, period: Period) -> set[str]:
        """Who closed the period for somebody at or below a node."""
        self._scope.require(node_id)
        return set(self._connection.execute(_CLOSERS, asked(node_id, period)).scalars())

    def approve(self, node_id: str, period: Period, now: datetime) -> tuple[int, int]:
        """Approve what is neither held nor approved; how many payouts that were, and what they come to."""
        self._scope.require(node_id)
        values = asked(node_id, period)
        self._connection.execute(LOCK_BELOW, values)
        who = {"who": self._scope.caller.id, "now": now}
        people = list(self._connection.execute(_APPROVE, {**values, **who}).scalars())
        total = self._connection.execute(_DUE, {**values, "people": people}).scalar_one()
        return len(people), total

    def hold(
        self, person_id: str, period: Period, reason: str, now: datetime, line: PayoutLine | None
    ) -> bool:
        """Hold back a payout that `of_person` found, or a line of it; False where it is held already."""
        return self._change_hold(_HOLD, person_id, period, reason, now, line)

    def release(
        self, person_id: str, period: Period, reason: str, now: datetime, line: PayoutLine | None
    ) -> bool:
        """Release a payout that `of_person` found, or a line of it; False where it is not held."""
        released = self._change_hold(_RELEASE, person_id, period, reason, now, line)
        if line is None:
            of_flags = self._change_hold(_RELEASE_FLAGS, person_id, period, reason, now, None)
            if of_flags:
                look_at(self._connection, [(person_id, period)])
            released |= of_flags
        return released

    def contents(self, people: Sequence[str], period: Period) -> list[tuple[Frozen, Sequence[Adjustment]]]:
        """The frozen statements of people in a batch, with the adjustments paid in them, in order."""
        keys = [(person_id, period) for person_id in people]
        frozen = closing.frozen_of(self._connection, keys)
        paid = closing.paid_in(self._connection, keys)
        return [(frozen[key], paid.get(key, ())) for key in keys]

    def _change_hold(
        self,
        change: Any,
        person_id: str,
        period: Period,
        reason: str,
        now: datetime,
        line: PayoutLine | None,
    ) -> bool:
        values = {
            "kind": int(period.kind),
            "day": period.first_day,
            "person_id": person_id,
            "reason": reason,
            "who": self._scope.caller.id,
            "now": now,
            "rule_id": "" if line is None else line.rule_id,
            "label": "" if line is None else line.label,
            "amount": 0 if line is None else line.amount,
        }
        return self._connection.execute(change, values).first() is not None


def lock_payout(connection: Connection, person_id: str, period: Period) -> None:
    """Nobody else changes a payout until the transaction ends."""
    values = {"kind": int(period.kind), "day": period.first_day, "people": [person_id]}
    connection.execute(_LOCK, values)


def asked(node_id: str, period: Period) -> dict[str, Any]:
    """Parameters of a query for a node's payouts."""
    return {"node_id": node_id, "kind": int(period.kind), "day": period.first_day}


def _before(period: Period) -> date:
    return period_of(period.kind, date.fromordinal(period.first_day.toordinal() - 1)).first_day


def _payout(row: Row[Any]) -> Payout:
    person_id, kind, first_day, *rest = row[:13]
    found = Payout(person_id, Period(PeriodKind(kind), first_day), *rest)
    lines = tuple(HeldLine(*each) for each in row.held_lines)
    return replace(
        found,
        held_lines=lines,
        held_deals=held_deals(row.held_deals),
        held_flags=held_flags(row.held_flags),
    )

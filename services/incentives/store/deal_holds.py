"""Deals that are held back, and what they keep of a payout's lines; who asks answers for the permission."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, text

from services.incentives.domain.closing import DealName, HeldLine
from services.incentives.domain.periods import Period

# Goals is asked between reading what is held and writing it: meanwhile nobody else holds a deal of the same payout.
_ALONE: Final = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")
_HELD: Final = text("""
SELECT source, external_id FROM deal_hold
WHERE (period_kind, first_day, person_id) = (:kind, :day, :person_id) AND released_at IS NULL ORDER BY id
""")
_HOLD: Final = text("""
INSERT INTO deal_hold (period_kind, first_day, person_id, source, external_id, reason, held_by, held_at)
VALUES (:kind, :day, :person_id, :source, :external_id, :reason, :who, :now)
""")
_RELEASE: Final = text("""
UPDATE deal_hold SET release_reason = :reason, released_by = :who, released_at = :now
WHERE (period_kind, first_day, person_id, source, external_id) = (:kind, :day, :person_id, :source, :external_id)
  AND released_at IS NULL
""")
_FORGET: Final = text("""
DELETE FROM kept_part WHERE (period_kind, first_day, person_id) = (:kind, :day, :person_id)
""")
# Of a payout in a batch no more is kept than what that left out and none has paid since.
_KEEP: Final = text("""
INSERT INTO kept_part (period_kind, first_day, person_id, rule_id, label, amount)
SELECT CAST(:kind AS smallint), CAST(:day AS date), :person_id, part.rule_id, part.label,
       least(part.amount, left_line.amount - left_line.paid)
FROM unnest(CAST(:rules AS text[]), CAST(:labels AS text[]), CAST(:amounts AS bigint[]))
     AS part (rule_id, label, amount)
LEFT JOIN batch_item AS item ON (item.period_kind, item.first_day, item.person_id) = (:kind, :day, :person_id)
LEFT JOIN left_line ON (left_line.period_kind, left_line.first_day, left_line.person_id, left_line.rule_id)
    = (:kind, :day, :person_id, part.rule_id)
WHERE item.person_id IS NULL OR left_line.amount > left_line.paid
""")


class DealHolds:
    """The deals of one person's closed period that are held.

    From when it is made nobody else holds or releases deals of that payout until the transaction ends.
    """

    def __init__(self, connection: Connection, person_id: str, period: Period) -> None:
        self._connection = connection
        self._of: dict[str, Any] = {
            "kind": int(period.kind),
            "day": period.first_day,
            "person_id": person_id,
        }
        connection.execute(_ALONE, {"key": "/".join(["deal_hold", *map(str, self._of.values())])})

    @staticmethod
    def seen(connection: Connection, person_id: str, period: Period) -> list[DealName]:
        """Which are held, the first held first; others may hold and release some meanwhile."""
        of = {"kind": int(period.kind), "day": period.first_day, "person_id": person_id}
        return [DealName(*row) for row in connection.execute(_HELD, of)]

    def held(self) -> list[DealName]:
        """Which, the first held first."""
        return [DealName(*row) for row in self._connection.execute(_HELD, self._of)]

    def hold(self, deal: DealName, reason: str, who: str, now: datetime) -> None:
        """Note that a deal, which is not held, is."""
        self._change(_HOLD, deal, reason, who, now)

    def release(self, deal: DealName, reason: str, who: str, now: datetime) -> None:
        """Note that a deal, which is held, is not any more."""
        self._change(_RELEASE, deal, reason, who, now)

    def keep(self, parts: Iterable[HeldLine]) -> None:
        """What deals and flags keep of the lines, all of them together, in place of what they did."""
        told = list(parts)
        self._connection.execute(_FORGET, self._of)
        lists = {
            "rules": [each.rule_id for each in told],
            "labels": [each.label for each in told],
            "amounts": [each.amount for each in told],
        }
        self._connection.execute(_KEEP, {**self._of, **lists})

    def _change(self, change: Any, deal: DealName, reason: str, who: str, now: datetime) -> None:
        values = {**deal._asdict(), "reason": reason, "who": who, "now": now}
        self._connection.execute(change, {**self._of, **values})

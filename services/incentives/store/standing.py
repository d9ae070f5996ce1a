"""Closed periods for the eyes of a caller: every query narrowed by the scope."""

from collections.abc import Iterable
from typing import Final

from sqlalchemy import Connection, text

from access import Scope
from services.incentives.domain.closing import Adjustment, Frozen, Sums
from services.incentives.domain.periods import Period
from services.incentives.store import closing

# A frozen statement stands for the one that is computed on.
_SUMS: Final = text("""
WITH below AS (
    SELECT id FROM directory_node WHERE kind = 4 AND ancestors @> ARRAY[CAST(:node_id AS text)]
), found AS (
    SELECT coalesce(frozen.total, statement.total) AS total, frozen.person_id IS NOT NULL AS closed
    FROM below
    LEFT JOIN statement ON (statement.period_kind, statement.first_day, statement.person_id) = (:kind, :day, below.id)
    LEFT JOIN frozen ON (frozen.period_kind, frozen.first_day, frozen.person_id) = (:kind, :day, below.id)
    WHERE coalesce(frozen.plan_id, statement.plan_id, '') <> ''
)
SELECT count(*), count(*) FILTER (WHERE closed), coalesce(sum(total), 0)::bigint,
       (SELECT coalesce(sum(amount), 0)::bigint FROM adjustment JOIN below ON below.id = person_id
        WHERE (period_kind, first_day) = (:kind, :day)),
       (SELECT coalesce(sum(amount), 0)::bigint FROM adjustment JOIN below ON below.id = person_id
        WHERE (of_kind, of_first_day) = (:kind, :day))
FROM found
""")


class StandingStore:
    """Reads what is closed and adjusted of people the scope covers."""

    def __init__(self, connection: Connection, scope: Scope) -> None:
        self._connection = connection
        self._scope = scope

    def frozen(self, keys: Iterable[closing.Key]) -> dict[closing.Key, Frozen]:
        """The frozen statements among those asked for."""
        return closing.frozen_of(self._connection, self._visible(keys))

    def paid_in(self, keys: Iterable[closing.Key]) -> dict[closing.Key, list[Adjustment]]:
        """The adjustments paid in people's periods."""
        return closing.paid_in(self._connection, self._visible(keys))

    def sums(self, node_id: str, period: Period) -> Sums:
        """What a period comes to at or below a node. NotFound where the scope does not cover it."""
        self._scope.require(node_id)
        values = {"node_id": node_id, "kind": int(period.kind), "day": period.first_day}
        people, frozen, total, adjusted, later = self._connection.execute(_SUMS, values).one()
        return Sums(period, people, frozen, total, adjusted, later)

    def _visible(self, keys: Iterable[closing.Key]) -> list[closing.Key]:
        return [key for key in keys if self._scope.covers(key[0])]

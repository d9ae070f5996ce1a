"""Disputes of the people a scope covers."""

from typing import Any, Final

from sqlalchemy import Connection, Row, text

from access import Scope
from services.incentives.domain.disputes import Dispute, DisputeState
from services.incentives.domain.periods import Period, PeriodKind

_COLUMNS: Final = (
    "id, person_id, period_kind, first_day, rule_id, label, amount, words, trace, opened_at, due_day, state, answer,"
    " answered_by, ended_at, adjustment, paid_kind, paid_first_day"
)
_OPEN: Final = text("""
INSERT INTO dispute (id, person_id, period_kind, first_day, rule_id, label, amount, words, trace, opened_at, due_day,
                     state)
VALUES (:id, :person_id, :kind, :day, :rule_id, :label, :amount, :words, :trace, :opened_at, :due_day, 1)
ON CONFLICT DO NOTHING RETURNING id
""")
_ONE: Final = f"SELECT {_COLUMNS} FROM dispute WHERE id = :id"  # noqa: S608  the text is ours
_FOUND: Final = text(_ONE)
_LOCKED: Final = text(f"{_ONE} FOR UPDATE")
_LISTED: Final = text(f"""
SELECT {_COLUMNS} FROM dispute WHERE person_id IN (
    SELECT id FROM directory_node WHERE kind = 4 AND ancestors @> ARRAY[CAST(:node_id AS text)])
ORDER BY state <> 1, CASE WHEN state = 1 THEN due_day END, opened_at DESC, id
""")  # noqa: S608  the text is ours
_END: Final = text("""
UPDATE dispute SET state = :state, answer = :answer, answered_by = :answered_by, ended_at = :ended_at,
                   adjustment = :adjustment, paid_kind = :paid_kind, paid_first_day = :paid_first_day
WHERE id = :id
""")


class DisputeStore:
    """Opens, ends and reads disputes."""

    def __init__(self, connection: Connection, scope: Scope) -> None:
        self._connection = connection
        self._scope = scope

    def open(self, dispute: Dispute) -> bool:
        """Store a dispute; False where one about that line is open."""
        self._scope.require_person(dispute.person_id)
        values = {
            "id": dispute.id,
            "person_id": dispute.person_id,
            "kind": int(dispute.period.kind),
            "day": dispute.period.first_day,
            "rule_id": dispute.rule_id,
            "label": dispute.label,
            "amount": dispute.amount,
            "words": dispute.words,
            "trace": dispute.trace,
            "opened_at": dispute.opened_at,
            "due_day": dispute.due_day,
        }
        return self._connection.execute(_OPEN, values).first() is not None

    def get(self, dispute_id: str, *, locked: bool = False) -> Dispute | None:
        """A dispute, or None where there is none to be seen; `locked`: nobody else ends it meanwhile."""
        row = self._connection.execute(_LOCKED if locked else _FOUND, {"id": dispute_id}).first()
        return _dispute(row) if row is not None and self._scope.covers(row.person_id) else None

    def listed(self, node_id: str) -> list[Dispute]:
        """Those of people at or below a node: open ones first, then ended ones."""
        self._scope.require(node_id)
        return [_dispute(row) for row in self._connection.execute(_LISTED, {"node_id": node_id})]

    def end(self, dispute: Dispute) -> None:
        """Store how a dispute that `get` found has ended."""
        paid_in = dispute.paid_in
        self._connection.execute(
            _END,
            {
                "id": dispute.id,
                "state": int(dispute.state),
                "answer": dispute.answer,
                "answered_by": dispute.answered_by,
                "ended_at": dispute.ended_at,
                "adjustment": dispute.adjustment,
                "paid_kind": None if paid_in is None else int(paid_in.kind),
                "paid_first_day": None if paid_in is None else paid_in.first_day,
            },
        )


def _dispute(row: Row[Any]) -> Dispute:
    paid_in = None if row.paid_kind is None else Period(PeriodKind(row.paid_kind), row.paid_first_day)
    return Dispute(
        row.id,
        row.person_id,
        Period(PeriodKind(row.period_kind), row.first_day),
        row.rule_id,
        row.label,
        row.amount,
        row.words,
        bytes(row.trace),
        row.opened_at,
        row.due_day,
        DisputeState(row.state),
        row.answer,
        row.answered_by,
        row.ended_at,
        row.adjustment,
        paid_in,
    )

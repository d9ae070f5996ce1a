"""Batches for payroll; every query is narrowed by the scope."""

from datetime import date
from typing import Any, Final

from sqlalchemy import Connection, Row, text

from access import Scope
from services.incentives.domain.payouts import Batch, LatePart, Payee
from services.incentives.domain.periods import Period, PeriodKind
from services.incentives.store.payouts import BELOW, FREE, LOCK_BELOW, asked

_TAKE: Final = text(f"""
INSERT INTO batch_item (period_kind, first_day, person_id, batch_id, name, employee_number)
SELECT frozen.period_kind, frozen.first_day, frozen.person_id, :batch_id, coalesce(name, ''),
       coalesce(employee_number, '')
FROM frozen JOIN approval USING (period_kind, first_day, person_id)
LEFT JOIN directory_person AS person ON person.id = frozen.person_id
WHERE (frozen.period_kind, frozen.first_day) = (:kind, :day) {BELOW} {FREE}
ON CONFLICT DO NOTHING
RETURNING person_id
""")  # noqa: S608  the text is ours
# What is held back of the payouts just taken into a batch waits for batches of its own.
_LEAVE: Final = text("""
INSERT INTO left_line (period_kind, first_day, person_id, rule_id, left_by, amount, whole)
SELECT period_kind, first_day, person_id, rule_id, batch_id, amount, NOT in_part
FROM held_line JOIN batch_item USING (period_kind, first_day, person_id) WHERE batch_id = :batch_id
""")
_TAKE_LEFT: Final = text(f"""
WITH taken AS (
    SELECT owed.*, coalesce(person.name, '') AS name, coalesce(person.employee_number, '') AS employee_number
    FROM frozen JOIN owed USING (period_kind, first_day, person_id)
    LEFT JOIN directory_person AS person ON person.id = frozen.person_id
    WHERE (frozen.period_kind, frozen.first_day) = (:kind, :day) {BELOW} {FREE}
), settled AS (
    UPDATE left_line SET paid = paid + taken.amount, batch_id = CASE WHEN taken.last THEN :batch_id END
    FROM taken WHERE (left_line.period_kind, left_line.first_day, left_line.person_id, left_line.rule_id)
        = (taken.period_kind, taken.first_day, taken.person_id, taken.rule_id)
)
INSERT INTO late_line (period_kind, first_day, person_id, rule_id, batch_id, amount, whole, name, employee_number)
SELECT period_kind, first_day, person_id, rule_id, :batch_id, amount, whole, name, employee_number FROM taken
""")  # noqa: S608  the text is ours
_LEFT: Final = text("""
SELECT person_id, rule_id, CASE WHEN NOT whole THEN amount END FROM left_line WHERE left_by = :id
""")
_LATE: Final = text("""
SELECT person_id, rule_id, late.amount, CASE WHEN late.whole THEN left_line.amount - late.amount END
FROM late_line AS late JOIN left_line USING (period_kind, first_day, person_id, rule_id) WHERE late.batch_id = :id
""")
_COLUMNS: Final = (
    "id, node_id, period_kind, first_day, created_by, created_at, people, lines, total, digest, paid_on, reference,"
    " paid_by"
)
_ADD: Final = text("""
INSERT INTO batch (id, node_id, period_kind, first_day, created_by, created_at, people, lines, total, digest)
VALUES (:id, :node_id, :kind, :day, :created_by, :created_at, 0, 0, 0, '')
ON CONFLICT DO NOTHING RETURNING id
""")
_TOTALS: Final = text(
    "UPDATE batch SET people = :people, lines = :lines, total = :total, digest = :digest WHERE id = :id"
)
_BATCH: Final = text(f"SELECT {_COLUMNS} FROM batch WHERE id = :id")  # noqa: S608  the text is ours
_BATCHES: Final = text(f"SELECT {_COLUMNS} FROM batch ORDER BY created_at DESC, id")  # noqa: S608  likewise
_PAY: Final = text("""
UPDATE batch SET paid_on = :paid_on, reference = :reference, paid_by = :who WHERE id = :id AND paid_on IS NULL
RETURNING id
""")
_ITEMS: Final = text("""
SELECT person_id, name, employee_number FROM batch_item WHERE batch_id = :id
UNION
SELECT person_id, name, employee_number FROM late_line WHERE batch_id = :id ORDER BY person_id
""")


class BatchStore:
    """Batches of the nodes that the scope's permission covers."""

    def __init__(self, connection: Connection, scope: Scope) -> None:
        self._connection = connection
        self._scope = scope

    def begin_batch(self, batch: Batch) -> bool:
        """Take what is approved and free into a new batch; False where the id is taken."""
        self._scope.require(batch.node_id)
        values = asked(batch.node_id, batch.period)
        added = self._connection.execute(
            _ADD,
            {
                **values,
                "id": batch.id,
                "created_by": batch.created_by,
                "created_at": batch.created_at,
            },
        ).first()
        if added is None:
            return False
        self._connection.execute(LOCK_BELOW, values)
        taken = {**values, "batch_id": batch.id}
        self._connection.execute(_TAKE_LEFT, taken)
        self._connection.execute(_TAKE, taken)
        self._connection.execute(_LEAVE, {"batch_id": batch.id})
        return True

    def end_batch(self, batch: Batch) -> None:
        """Write the control totals of a batch just begun."""
        self._connection.execute(
            _TOTALS,
            {
                "id": batch.id,
                "people": batch.people,
                "lines": batch.lines,
                "total": batch.total,
                "digest": batch.digest,
            },
        )

    def batch(self, batch_id: str) -> Batch | None:
        """A batch, or None where there is none to be seen."""
        row = self._connection.execute(_BATCH, {"id": batch_id}).first()
        return _batch(row) if row is not None and self._scope.covers(row.node_id) else None

    def batches(self) -> list[Batch]:
        """Every batch that may be seen, newest first."""
        return [_batch(row) for row in self._connection.execute(_BATCHES) if self._scope.covers(row.node_id)]

    def pay(self, batch_id: str, paid_on: date, reference: str) -> bool:
        """Say that a batch is paid; False where that was said already."""
        values = {
            "id": batch_id,
            "paid_on": paid_on,
            "reference": reference,
            "who": self._scope.caller.id,
        }
        return self._connection.execute(_PAY, values).first() is not None

    def items(self, batch_id: str) -> list[Payee]:
        """Whose payouts a batch holds, by person id, as they were called when it was made."""
        return [Payee(*row) for row in self._connection.execute(_ITEMS, {"id": batch_id})]

    def left(self, batch_id: str) -> dict[str, dict[str, int | None]]:
        """What a batch left out, by person and line: a part of the line in minor units, or None for all of it."""
        found: dict[str, dict[str, int | None]] = {}
        for person_id, rule_id, part in self._connection.execute(_LEFT, {"id": batch_id}):
            found.setdefault(person_id, {})[rule_id] = part
        return found

    def late(self, batch_id: str) -> dict[str, dict[str, LatePart]]:
        """What a batch pays that an earlier one left out, by person and line."""
        found: dict[str, dict[str, LatePart]] = {}
        for person_id, rule_id, *part in self._connection.execute(_LATE, {"id": batch_id}):
            found.setdefault(person_id, {})[rule_id] = LatePart(*part)
        return found


def _batch(row: Row[Any]) -> Batch:
    id, node_id, kind, first_day, *rest = row
    return Batch(id, node_id, Period(PeriodKind(kind), first_day), *rest)

"""Plans and boards: few, read by every process as a whole, changed rarely."""

from dataclasses import replace
from datetime import date
from typing import Any, Final

from sqlalchemy import Connection, Row, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from access import Scope
from services.incentives.domain.metrics import Figure
from services.incentives.domain.periods import PeriodKind
from services.incentives.domain.plan_book import PlanBook, Variant
from services.incentives.domain.plans import Plan
from services.incentives.domain.ranking import Board, Measure
from services.incentives.store import parameters, rules
from services.incentives.store.metrics import decode_metric, encode_metric
from services.incentives.tables import board, plan, variant
from standards import Standards

_VERSIONS: Final = text("SELECT plans_version, boards_version FROM calculation")
_BEGIN: Final = text("SELECT plans_version FROM calculation FOR UPDATE")
# Whoever waits for a row keeps its place with a lock on the row, from before it waits until it has it.
WAITED_FOR: Final = (
    "EXISTS (SELECT FROM pg_locks WHERE locktype = 'tuple' AND relation = 'calculation'::regclass)"
)
_WAITED_FOR: Final = text(f"SELECT {WAITED_FOR}")
_NEW_PLAN: Final = text("UPDATE calculation SET plans_version = plans_version + 1")
_NEW_BOARD: Final = text(
    "UPDATE calculation SET boards_version = boards_version + 1 RETURNING boards_version"
)
_ENQUEUE: Final = text("INSERT INTO recompute (node_id, since) VALUES (:node_id, :since)")


def versions(connection: Connection) -> tuple[int, int]:
    """The versions of the plans and of the boards."""
    plans_version, boards_version = connection.execute(_VERSIONS).one()
    return plans_version, boards_version


def begin_calculation(connection: Connection) -> int:
    """Be the only one, until the transaction ends, who computes statements or adds a plan; the plans' version.

    Every later statement of the transaction sees what the one before committed.
    """
    return int(connection.execute(_BEGIN).scalar_one())


def is_waited_for(connection: Connection) -> bool:
    """Whether somebody waits for `calculation`, or has been let go and is not awake yet."""
    return bool(connection.execute(_WAITED_FOR).scalar_one())


def read_plans(connection: Connection, version: int = 0) -> PlanBook:
    """Every plan, with what nodes have set for their parameters."""
    rows = connection.execute(select(plan))
    return PlanBook(
        (replace(as_plan(row), approved_by=row.approved_by) for row in rows),
        version,
        parameters.Settings(Standards(connection).ever()),
        [
            Variant(row.plan_id, tuple((key, Figure(*value)) for key, *value in row.numbers))
            for row in connection.execute(select(variant))
        ],
    )


def keep_variants(connection: Connection, book: PlanBook) -> None:
    """Store the variants that came up, so that whoever reads what they paid finds them."""
    unkept = book.unkept
    if not unkept:
        return
    rows = [
        {"id": each.id, "plan_id": each.base_id, "numbers": [[key, *value] for key, value in each.numbers]}
        for each in unkept
    ]
    adding = upsert(variant).on_conflict_do_nothing().returning(variant.c.id)
    if connection.execute(adding.values(rows)).first() is not None:
        connection.execute(_NEW_PLAN)


def renew_plans(connection: Connection) -> None:
    """What nodes set has changed: every copy of the plans is old."""
    connection.execute(_NEW_PLAN)


def as_plan(row: Row[Any]) -> Plan:
    """A plan from a row of plans or of proposals."""
    return Plan(
        id=row.id,
        node_id=row.node_id,
        job_role=row.job_role,
        name=row.name,
        period_kind=PeriodKind(row.period_kind),
        rules=rules.decode(row.rules),
        effective_from=row.effective_from,
        reason=row.reason,
        author_id=row.author_id,
        recorded_at=row.recorded_at,
        parameters=parameters.decode(row.parameters),
    )


def values_of(plan: Plan) -> dict[str, Any]:
    """A plan as columns of plans and of proposals alike."""
    return {
        "id": plan.id,
        "node_id": plan.node_id,
        "job_role": plan.job_role,
        "name": plan.name,
        "period_kind": int(plan.period_kind),
        "rules": rules.encode(plan.rules),
        "effective_from": plan.effective_from,
        "reason": plan.reason,
        "author_id": plan.author_id,
        "recorded_at": plan.recorded_at,
        "parameters": parameters.encode(plan.parameters),
    }


def read_boards(connection: Connection) -> dict[str, Board]:
    """Every board, by id."""
    return {
        row.id: Board(
            row.id,
            row.name,
            decode_metric(row.metric),
            PeriodKind(row.period_kind),
            row.minimum_denominator,
            row.job_role,
            Measure(row.measure),
            row.tenure_from,
            row.tenure_to,
            row.ended,
            row.honour,
        )
        for row in connection.execute(select(board).order_by(board.c.id))
    }


class CatalogueStore:
    """Adds plans and boards where the scope's permission covers them."""

    def __init__(self, connection: Connection, scope: Scope) -> None:
        self._connection = connection
        self._scope = scope

    def add_plan(self, added: Plan) -> bool:
        """Store a plan and queue whom it concerns; False where its id or its place is taken."""
        self._scope.require(added.node_id)
        begin_calculation(self._connection)
        values = {**values_of(added), "approved_by": added.approved_by}
        adding = upsert(plan).values(values).on_conflict_do_nothing().returning(plan.c.id)
        if self._connection.execute(adding).first() is None:
            return False
        self._connection.execute(_NEW_PLAN)
        enqueue(self._connection, [(added.node_id, added.effective_from)])
        return True

    def add_board(self, added: Board) -> bool:
        """Store a board; False where its id is taken."""
        self._scope.require_everywhere()
        # The row lock makes whoever comes second see the first one's board.
        self._connection.execute(_NEW_BOARD)
        if self._connection.execute(select(board.c.id).where(board.c.id == added.id)).first():
            return False
        values = {
            "id": added.id,
            "name": added.name,
            "metric": encode_metric(added.metric),
            "period_kind": int(added.period_kind),
            "minimum_denominator": added.minimum_denominator,
            "job_role": added.job_role,
            "measure": int(added.measure),
            "tenure_from": added.tenure_from,
            "tenure_to": added.tenure_to,
            "ended": False,
            "honour": added.honour,
        }
        self._connection.execute(insert(board).values(values))
        return True

    def end_board(self, board_id: str, *, ended: bool) -> bool:
        """End a board, or go on with it; False where there is none."""
        self._scope.require_everywhere()
        self._connection.execute(_NEW_BOARD)
        changed = update(board).where(board.c.id == board_id).values(ended=ended).returning(board.c.id)
        return self._connection.execute(changed).first() is not None

    def count_boards(self) -> int:
        """How many there are, but for those that have ended."""
        counted = select(func.count()).select_from(board).where(~board.c.ended)
        return self._connection.execute(counted).scalar_one()


def enqueue(connection: Connection, nodes: list[tuple[str, date | None]]) -> None:
    """Have the statements of everybody at or below the nodes computed anew.

    With a day, also those of closed periods from that day on that had no plan; else only current periods.
    """
    if nodes:
        connection.execute(_ENQUEUE, [{"node_id": node_id, "since": since} for node_id, since in nodes])

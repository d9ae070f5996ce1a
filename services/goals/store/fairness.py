"""Flags in the database, and the facts that rules of fair play look at."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    Connection,
    Date,
    Row,
    Text,
    and_,
    case,
    column,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
    values,
)
from sqlalchemy.dialects.postgresql import insert

from access import Scope
from chassis.errors import NotFound
from services.goals.domain.facts import FactKind, Key
from services.goals.domain.fairness import (
    FairnessKind,
    FairnessRule,
    Finding,
    Flag,
    FlagState,
    Numbers,
    RuleKey,
    Seen,
)
from services.goals.domain.periods import months_after
from services.goals.tables import fact
from services.goals.tables import flag as table

Place = tuple[int, int, str]
"""Where a page ends: the state's rank, microseconds since 1970 counted backwards, the id."""
Month = tuple[str, date]
"""A person and the first day of a month."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO: Final = timedelta(microseconds=1)
_KINDS: Final = [int(kind) for kind in (FactKind.FOLLOW_UP, FactKind.DEAL_WON, FactKind.ORDER)]
_RANK: Final = case(
    (table.c.state == int(FlagState.OPEN), 0), (table.c.state == int(FlagState.CONFIRMED), 1), else_=2
)
_KEPT: Final = ("id", "person_id", "month", "kind", "anchor", "turn")


class Flags:
    """The flags of people the scope covers."""

    def __init__(self, connection: Connection, scope: Scope) -> None:
        self._connection = connection
        self._scope = scope

    def get(self, flag_id: str, *, change: bool = False) -> Flag:
        """NotFound FLAG_UNKNOWN where there is none of somebody covered. `change`: locks it for the change to come."""
        query = select(table).where(table.c.id == flag_id)
        row = self._connection.execute(query.with_for_update() if change else query).first()
        if row is None or not self._scope.covers(row.person_id):
            raise NotFound("FLAG_UNKNOWN", "There is no such flag.")
        return _flag(row)

    def page(
        self,
        *,
        people: Collection[str] | None,
        kinds: Collection[FairnessKind],
        states: Collection[FlagState],
        after: Place | None,
        limit: int,
    ) -> tuple[list[Flag], int]:
        """Of these people (None for all covered), those that wait first, then the newest; and their number."""
        asked = self._scope.clause(table.c.person_id)
        asked &= table.c.person_id.in_(sorted(people)) if people is not None else true()
        asked &= table.c.kind.in_(sorted(map(int, kinds))) if kinds else true()
        asked &= table.c.state.in_(sorted(map(int, states))) if states else true()
        total = self._connection.execute(select(func.count()).select_from(table).where(asked)).scalar_one()
        if after is not None:
            rank, micros, flag_id = after
            raised = _EPOCH - micros * _MICRO
            ahead = literal(rank) < _RANK
            same = table.c.raised_at == raised
            older = or_(table.c.raised_at < raised, and_(same, table.c.id > flag_id))
            asked &= or_(ahead, and_(literal(rank) == _RANK, older))
        order = (_RANK, table.c.raised_at.desc(), table.c.id)
        rows = self._connection.execute(select(table).where(asked).order_by(*order).limit(limit))
        return [_flag(row) for row in rows], total


def place_of(flag: Flag) -> Place:
    """Where a page that ends with it ends."""
    rank = {FlagState.OPEN: 0, FlagState.CONFIRMED: 1}.get(flag.state, 2)
    return rank, -((flag.raised_at - _EPOCH) // _MICRO), flag.id


def save(connection: Connection, flags: Iterable[Flag]) -> None:
    """Store flags, new or changed."""
    rows = [_row(flag) for flag in flags]
    if rows:
        statement = insert(table)
        changed = {name: statement.excluded[name] for name in rows[0] if name not in _KEPT}
        connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=changed), rows)


def flags_of(connection: Connection, months: Collection[Month]) -> Mapping[Month, list[Flag]]:
    """The flags of people's months, which nobody else changes until the transaction ends."""
    query = (
        select(table)
        .where(tuple_(table.c.person_id, table.c.month).in_(sorted(months)))
        .order_by(table.c.id)
        .with_for_update()
    )
    found: dict[Month, list[Flag]] = defaultdict(list)
    for row in connection.execute(query):
        found[row.person_id, row.month].append(_flag(row))
    return found


def facts_of(connection: Connection, months: Collection[Month]) -> Mapping[Month, list[Seen]]:
    """What rules look at in people's months: facts that stand, and won deals that were taken back."""
    spans = [(person, month, months_after(month, 1)) for person, month in sorted(months)]
    asked = values(column("person_id", Text), column("first", Date), column("stop", Date), name="asked").data(
        spans
    )
    reversal = fact.alias("reversal")
    taken_back = (
        select(func.min(reversal.c.day))
        .where(
            reversal.c.source == fact.c.source,
            reversal.c.reverses == fact.c.external_id,
            reversal.c.kind == int(FactKind.DEAL_REVERSED),
            reversal.c.current,
            ~reversal.c.voided,
        )
        .scalar_subquery()
    )
    margin = timedelta(days=1)
    query = select(
        asked.c.first,
        fact.c.person_id,
        fact.c.source,
        fact.c.external_id,
        fact.c.kind,
        fact.c.occurred_at,
        fact.c.day,
        fact.c.customer,
        fact.c.attributes,
        case((fact.c.kind == int(FactKind.FOLLOW_UP), None), else_=taken_back).label("taken_back"),
    ).where(
        fact.c.person_id == asked.c.person_id,
        # By index; no zone is further from UTC than a day.
        fact.c.occurred_at >= asked.c.first - margin,
        fact.c.occurred_at < asked.c.stop + margin,
        fact.c.day >= asked.c.first,
        fact.c.day < asked.c.stop,
        fact.c.kind.in_(_KINDS),
        fact.c.current,
        ~fact.c.voided,
    )
    found: dict[Month, list[Seen]] = defaultdict(list)
    if spans:
        for first, person, source, external_id, kind, at, day, customer, told, back in connection.execute(
            query
        ):
            seen = Seen(Key(source, external_id), FactKind(kind), at, day, customer, told or {}, back)
            found[person, first].append(seen)
    return found


def _row(flag: Flag) -> dict[str, Any]:
    found, rule = flag.found, flag.found.rule
    return {
        "id": flag.id,
        "person_id": flag.person_id,
        "month": flag.month,
        "kind": int(rule.key.kind),
        "anchor": found.anchor,
        "turn": flag.turn,
        "rule": {
            "node_id": rule.key.node_id,
            "numbers": list(rule.numbers),
            "reason": rule.reason,
            "author_id": rule.author_id,
            "recorded_at": rule.recorded_at.isoformat() if rule.recorded_at else "",
        },
        "fact_keys": [list(key) for key in found.facts],
        "first_day": found.first_day,
        "last_day": found.last_day,
        "counted": found.counted,
        "out_of": found.out_of,
        "state": int(flag.state),
        "raised_at": flag.raised_at,
        "reply": flag.reply,
        "answer": flag.answer,
        "answered_by": flag.answered_by,
        "answered_at": flag.answered_at,
    }


def _flag(row: Row[Any]) -> Flag:
    told = row.rule
    rule = FairnessRule(
        RuleKey(told["node_id"], FairnessKind(row.kind)),
        active=True,
        numbers=Numbers(*told["numbers"]),
        reason=told["reason"],
        author_id=told["author_id"],
        recorded_at=datetime.fromisoformat(told["recorded_at"]) if told["recorded_at"] else None,
    )
    facts = tuple(Key(*pair) for pair in row.fact_keys)
    return Flag(
        row.id,
        row.person_id,
        row.month,
        row.turn,
        Finding(rule, row.anchor, facts, row.first_day, row.last_day, row.counted, row.out_of),
        FlagState(row.state),
        row.raised_at,
        row.reply,
        row.answer,
        row.answered_by,
        row.answered_at,
    )

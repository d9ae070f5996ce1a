"""Rules of fair play in the database, with what was known of them."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, func, select, text, true, tuple_, update

from access import Scope
from services.goals.domain.fairness import BUILT_IN_RULES, FairnessKind, FairnessRule, Numbers, RuleKey
from services.goals.tables import fairness_rule as table

_TURN: Final = text("LOCK TABLE fairness_rule IN SHARE ROW EXCLUSIVE MODE")
_KEY: Final = (table.c.node_id, table.c.kind)
_KNOWN: Final = table.c.superseded_at.is_(None)


class FairnessRules:
    """The rules at nodes in the scope's reach."""

    def __init__(self, connection: Connection, scope: Scope) -> None:
        self._connection = connection
        self._scope = scope

    def page(self, *, node_id: str, after: tuple[str, int] | None, limit: int) -> list[FairnessRule]:
        """Rules at nodes at, above or below those the scope covers."""
        narrowed = self._scope.member_clause(table.c.node_id)
        narrowed &= table.c.node_id == node_id if node_id else true()
        narrowed &= tuple_(*_KEY) > after if after is not None else true()
        query = select(table).where(narrowed, _KNOWN).order_by(*_KEY).limit(limit)
        return [_rule(row) for row in self._connection.execute(query)]

    def set(self, rule: FairnessRule) -> None:
        """Store a rule in place of the one of its key. The scope must cover its node."""
        self._scope.require(rule.key.node_id)
        self._connection.execute(_TURN)
        self._connection.execute(
            update(table).where(tuple_(*_KEY) == rule.key, _KNOWN).values(superseded_at=rule.recorded_at)
        )
        self._connection.execute(
            table.insert().values(
                node_id=rule.key.node_id,
                kind=int(rule.key.kind),
                active=rule.active,
                **rule.numbers._asdict(),
                reason=rule.reason,
                author_id=rule.author_id,
                recorded_at=rule.recorded_at,
            )
        )


def fairness_rules_of(connection: Connection, nodes: Sequence[str]) -> dict[RuleKey, FairnessRule]:
    """The rules at these nodes and the built-in ones, by key: what `rules_for` looks through."""
    query = select(table).where(table.c.node_id == func.any(list(nodes)), _KNOWN)
    found = [*BUILT_IN_RULES, *(_rule(row) for row in connection.execute(query))]
    return {rule.key: rule for rule in found}


def _rule(row: Row[Any]) -> FairnessRule:
    return FairnessRule(
        RuleKey(row.node_id, FairnessKind(row.kind)),
        row.active,
        Numbers(row.most, row.minutes, row.seconds, row.days, row.percent),
        row.reason,
        row.author_id,
        row.recorded_at,
    )

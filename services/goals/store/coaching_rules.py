"""Coaching rules in the database, with what was known of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, func, select, text, true, tuple_, update

from access import Scope
from services.goals.domain.coaching import Rule, RuleKey, Situation, by_key
from services.goals.store.goal_rows import known
from services.goals.tables import coaching_rule

_TURN: Final = text("LOCK TABLE coaching_rule IN SHARE ROW EXCLUSIVE MODE")
_KEY: Final = (coaching_rule.c.node_id, coaching_rule.c.situation, coaching_rule.c.metric)


class Rules:
    """The rules at nodes in the scope's reach."""

    def __init__(self, connection: Connection, scope: Scope) -> None:
        self._connection = connection
        self._scope = scope

    def page(
        self, *, node_id: str, known_at: datetime | None, after: RuleKey | None, limit: int
    ) -> list[Rule]:
        """Rules at nodes at, above or below those the scope covers."""
        narrowed = self._scope.member_clause(coaching_rule.c.node_id)
        narrowed &= coaching_rule.c.node_id == node_id if node_id else true()
        narrowed &= tuple_(*_KEY) > after if after is not None else true()
        query = (
            select(coaching_rule).where(narrowed, known(coaching_rule, known_at)).order_by(*_KEY).limit(limit)
        )
        return [_rule(row) for row in self._connection.execute(query)]

    def set(self, rule: Rule) -> None:
        """Store a rule in place of the one of its key. The scope must cover its node."""
        self._scope.require(rule.key.node_id)
        self._connection.execute(_TURN)
        self._supersede(rule)
        self._insert(rule, withdrawn=False)

    def withdraw(self, key: RuleKey, *, reason: str, author_id: str, at: datetime) -> None:
        """Take a rule away, if there is one. The scope must cover its node."""
        self._scope.require(key.node_id)
        self._connection.execute(_TURN)
        query = select(coaching_rule).where(tuple_(*_KEY) == key, known(coaching_rule, None))
        row = self._connection.execute(query).first()
        if row is not None:
            was = _rule(row)
            told = Rule(
                key, was.step_zh, was.step_en, was.days, was.course_id, was.active, reason, author_id, at
            )
            self._supersede(told)
            self._insert(told, withdrawn=True)

    def _supersede(self, by: Rule) -> None:
        self._connection.execute(
            update(coaching_rule)
            .where(tuple_(*_KEY) == by.key, coaching_rule.c.superseded_at.is_(None))
            .values(superseded_at=by.recorded_at)
        )

    def _insert(self, rule: Rule, *, withdrawn: bool) -> None:
        self._connection.execute(
            coaching_rule.insert().values(
                **rule.key._asdict() | {"situation": int(rule.key.situation)},
                step_zh=rule.step_zh,
                step_en=rule.step_en,
                days=rule.days,
                course_id=rule.course_id,
                active=rule.active,
                reason=rule.reason,
                author_id=rule.author_id,
                recorded_at=rule.recorded_at,
                withdrawn=withdrawn,
            )
        )


def rules_of(connection: Connection, nodes: Sequence[str], built_in: Sequence[Rule]) -> dict[RuleKey, Rule]:
    """The rules at these nodes and the built-in ones, by key: what `rule_for` looks through."""
    query = select(coaching_rule).where(
        coaching_rule.c.node_id == func.any(list(nodes)), known(coaching_rule, None)
    )
    return by_key([*built_in, *(_rule(row) for row in connection.execute(query))])


def _rule(row: Row[Any]) -> Rule:
    return Rule(
        RuleKey(row.node_id, Situation(row.situation), row.metric),
        row.step_zh,
        row.step_en,
        row.days,
        row.course_id,
        row.active,
        row.reason,
        row.author_id,
        row.recorded_at,
    )

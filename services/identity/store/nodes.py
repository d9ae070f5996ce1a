"""Nodes of the org tree."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Row, and_, func, literal, or_, select, text, tuple_

from access import Scope
from services.identity.domain.org import Node, NodeKind
from services.identity.tables import directory_node as table
from services.identity.tables import directory_service_account

_DEPTH = func.cardinality(table.c.ancestors)
_NAME = table.c.name.collate("C")


class NodeStore:
    """The nodes a scope lets its caller see: what it covers, and what stands above that."""

    def __init__(self, connection: Connection, scope: Scope) -> None:
        self._connection = connection
        self._visible = scope.member_rows()

    def get(self, node_id: str) -> Node | None:
        row = self._connection.execute(
            select(table).where(table.c.id == node_id, self._visible)
        ).one_or_none()
        return _node(row) if row else None

    def above(self, node: Node) -> list[Node]:
        """The node's ancestors, root first, without itself."""
        rows = self._connection.execute(select(table).where(table.c.id.in_(node.ancestors[:-1])))
        return sorted((_node(row) for row in rows), key=lambda each: len(each.ancestors))

    @staticmethod
    def above_person(connection: Connection, person_id: str) -> list[Node]:
        """Where a person stands, root first, without the leaf. A caller may always know this of oneself."""
        leaf = select(func.unnest(table.c.ancestors)).where(table.c.id == person_id)
        rows = connection.execute(select(table).where(table.c.id.in_(leaf), table.c.id != person_id))
        return sorted((_node(row) for row in rows), key=lambda each: len(each.ancestors))

    def page(
        self,
        *,
        under: str,
        kinds: Collection[NodeKind],
        after: tuple[int, str, str] | None,
        limit: int,
    ) -> list[Node]:
        """Nodes of these kinds below `under` (or all), parents first, then by name."""
        query = select(table).where(self._visible, table.c.kind.in_([int(kind) for kind in kinds]))
        if NodeKind.PERSON not in kinds:
            # In the words of the index that holds just these.
            query = query.where(text("kind < 4"))
        if under:
            query = query.where(table.c.ancestors.contains([under]), table.c.id != under)
        if after:
            depth, name, node_id = after
            later = tuple_(_NAME, table.c.id.collate("C")) > tuple_(
                literal(name).collate("C"), literal(node_id).collate("C")
            )
            query = query.where(or_(depth < _DEPTH, and_(literal(depth) == _DEPTH, later)))
        rows = self._connection.execute(query.order_by(_DEPTH, _NAME, table.c.id.collate("C")).limit(limit))
        return [_node(row) for row in rows]

    def levels(self, node: Node) -> int:
        """How many levels the node and everything below it have."""
        deepest = select(func.max(_DEPTH)).where(table.c.ancestors.contains([node.id]))
        return int(self._connection.execute(deepest).scalar_one()) - len(node.ancestors) + 1

    def taken(self, ids: Sequence[str]) -> set[str]:
        """Which of the ids any node, person or service account has, visible or not."""
        nodes = select(table.c.id).where(table.c.id.in_(ids))
        accounts = select(directory_service_account.c.id).where(directory_service_account.c.id.in_(ids))
        return set(self._connection.execute(nodes.union_all(accounts)).scalars())

    def has_enterprise(self) -> bool:
        found = select(table.c.id).where(table.c.kind == int(NodeKind.ENTERPRISE))
        return self._connection.execute(found).first() is not None


def _node(row: Row[Any]) -> Node:
    return Node(
        id=row.id,
        parent_id=row.parent_id,
        kind=NodeKind(row.kind),
        name=row.name,
        zone=row.zone,
        effective_zone=row.effective_zone,
        ancestors=tuple(row.ancestors),
        revision=row.position,
    )

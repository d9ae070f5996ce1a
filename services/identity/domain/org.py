"""The org tree: what may stand where."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final

from services.identity.domain.refusals import Refused

DEEPEST: Final = 16
"""Levels from the enterprise to a person."""


class NodeKind(IntEnum):
    """What a node is; the numbers of the contract's NodeKind."""

    ENTERPRISE = 1
    BRANCH = 2
    DEPARTMENT = 3
    PERSON = 4


@dataclass(frozen=True, slots=True)
class Node:
    """A node. `zone` is empty where inherited; `ancestors` are root first, itself last; `revision` is its etag."""

    id: str
    parent_id: str
    kind: NodeKind
    name: str
    zone: str = ""
    effective_zone: str = ""
    ancestors: tuple[str, ...] = ()
    revision: int = 0


_PARENTS: Final[Mapping[NodeKind, frozenset[NodeKind]]] = {
    NodeKind.ENTERPRISE: frozenset(),
    NodeKind.BRANCH: frozenset({NodeKind.ENTERPRISE, NodeKind.BRANCH}),
    NodeKind.DEPARTMENT: frozenset({NodeKind.ENTERPRISE, NodeKind.BRANCH, NodeKind.DEPARTMENT}),
    NodeKind.PERSON: frozenset({NodeKind.ENTERPRISE, NodeKind.BRANCH, NodeKind.DEPARTMENT}),
}


def require_place(kind: NodeKind, parent: Node) -> None:
    """Refuse (TREE_INVALID) a node of this kind under this parent."""
    if parent.kind not in _PARENTS[kind]:
        raise Refused(
            "TREE_INVALID",
            f"a {kind.name.lower()} cannot stand below a {parent.kind.name.lower()}",
            field="parent_id",
        )
    if len(parent.ancestors) >= DEEPEST:
        raise Refused("TREE_INVALID", f"the tree is at most {DEEPEST} levels deep", field="parent_id")


def changed(
    node: Node, new: Node, paths: Collection[str], *, parent: Node | None, deepest_below: int
) -> Node:
    """The node with the named fields taken from `new`.

    `parent` is the new parent where parent_id changes, `deepest_below` how many levels the node's subtree
    has. TREE_INVALID for moving the enterprise, under itself, or too deep.
    """
    if node.kind is NodeKind.PERSON:
        raise Refused("TREE_INVALID", "people are changed with UpdatePerson", field="id")
    if "parent_id" in paths and new.parent_id != node.parent_id:
        if node.kind is NodeKind.ENTERPRISE or parent is None:
            raise Refused("TREE_INVALID", "the enterprise stays the root", field="parent_id")
        require_place(node.kind, parent)
        if node.id in parent.ancestors:
            raise Refused("TREE_INVALID", "a node cannot be moved below itself", field="parent_id")
        if len(parent.ancestors) + deepest_below > DEEPEST:
            raise Refused("TREE_INVALID", f"the tree is at most {DEEPEST} levels deep", field="parent_id")
        node = replace(node, parent_id=new.parent_id)
    if "name" in paths:
        node = replace(node, name=new.name)
    if "time_zone" in paths:
        node = replace(node, zone=new.zone)
    return node


def root_first(nodes: Sequence[Node]) -> list[Node]:
    """Parents before children, then by name."""
    return sorted(nodes, key=lambda node: (len(node.ancestors), node.name, node.id))

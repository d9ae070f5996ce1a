"""The signed-in person, as the directory knows them."""

from dataclasses import dataclass
from typing import cast

from flask import g

from access.directory import Directory
from access.records import Kind, Person


@dataclass(frozen=True, slots=True)
class Me:
    """Who asks, and what they hold. What is shown follows from this; the services decide again on every call."""

    person: Person
    session_id: str
    directory: Directory

    @property
    def id(self) -> str:
        return self.person.id

    @property
    def zone(self) -> str:
        """The IANA zone the person works in."""
        return self.directory.zone_of(self.id)

    def nodes(self, permission: str) -> frozenset[str]:
        """Where the permission is granted."""
        return self.directory.granted_at(self.id, permission)

    def holds(self, permission: str) -> bool:
        return bool(self.nodes(permission))

    def own(self, permission: str) -> bool:
        """Whether it is granted on the person's own leaf itself: this is their own work, not somebody else's."""
        return self.id in self.nodes(permission)

    def covers(self, permission: str, node_id: str) -> bool:
        return self.directory.covers(self.nodes(permission), node_id)

    def is_member(self, permission: str, node_id: str) -> bool:
        """Whether the node is covered or lies above a granted one: what belongs to it is there for this person."""
        nodes = self.nodes(permission)
        ancestors = self.directory.ancestors
        return self.directory.covers(nodes, node_id) or any(node_id in ancestors(node) for node in nodes)

    def mentees(self, permission: str = "goals.progress.read") -> list[str]:
        """People it is granted on one by one, without oneself."""
        return sorted(
            node
            for node in self.nodes(permission)
            if node != self.id and (found := self.directory.person(node)) and found.active
        )

    def groups(self, permission: str) -> list[str]:
        """The enterprise, branches and departments it is granted on, widest first."""
        found = [
            node.id
            for node_id in self.nodes(permission)
            if (node := self.directory.node(node_id)) and node.kind is not Kind.PERSON
        ]
        return sorted(found, key=lambda node_id: (len(self.directory.ancestors(node_id)), node_id))


def me() -> Me:
    """The signed-in person of this request."""
    return cast("Me", g.me)


def signed_in() -> bool:
    return getattr(g, "me", None) is not None

"""The org tree, its people and what they may do, in memory.

One thread updates, any number read, and readers take no lock. That rests on three things:

* records are immutable and replaced whole, so a reader sees an old or a new one, never a half;
* a collection that readers iterate is replaced by a changed copy (a subject's bindings, the roles) or read
  by one C call that CPython's interpreter lock makes indivisible (`tuple(dict)` over string keys);
* what is derived (a subject's grants, the people under a node) is kept beside the very objects it was
  derived from and used only while they are still the current ones.

An update takes rights away before it gives any, so that a reader in between never sees more than
one of the two states allows.
"""

import threading
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from access.records import DEFAULT_ZONE, Binding, Changes, Kind, Node, Person, Role, ServiceAccount

_NO_BINDINGS: Final[tuple[Binding, ...]] = ()
_NO_NODES: Final[frozenset[str]] = frozenset()
_NO_GRANTS: Final[Mapping[str, frozenset[str]]] = MappingProxyType({})
_KEPT_SUBTREES: Final = 512
_KEPT_GRANTS: Final = 20_000
_ENDED_BEFORE_PRUNING: Final = 4096

_Grants = tuple[tuple[Binding, ...], Mapping[str, Role], Mapping[str, frozenset[str]]]


PLATFORM: Final = ""
"""The node of the operator's own binding: above the enterprise, and there before it is."""


class Directory:
    """Who there is and what they may do, as of feed position `version`."""

    def __init__(self) -> None:
        self.version = 0
        self._writing = threading.Lock()
        self._nodes: dict[str, Node] = {}
        self._parent: dict[str, str] = {}
        self._children: dict[str, dict[str, None]] = {}
        self._people: dict[str, Person] = {}
        self._by_number: dict[str, str] = {}
        self._roles: Mapping[str, Role] = {}
        self._bindings: dict[str, Binding] = {}
        self._by_subject: dict[str, tuple[Binding, ...]] = {}
        self._accounts: dict[str, ServiceAccount] = {}
        self._ended: dict[str, datetime] = {}
        self._root = ""
        self._heads: dict[str, int] = {}
        self._grants: dict[str, _Grants] = {}
        self._under: dict[str, frozenset[str]] = {}

    # The tree.

    @property
    def root_id(self) -> str:
        """The enterprise's id; empty while nothing is known yet."""
        return self._root

    def node(self, node_id: str) -> Node | None:
        return self._nodes.get(node_id)

    def nodes(self) -> tuple[Node, ...]:
        """Every node, people's leaves included, in no order."""
        return tuple(self._nodes.values())

    def ancestors(self, node_id: str) -> tuple[str, ...]:
        """The node itself, its parent, and so on up to the enterprise; empty when unknown."""
        if node_id not in self._nodes:
            return ()
        path = []
        current = node_id
        while current:
            path.append(current)
            current = self._parent.get(current, "")
        return tuple(path)

    def children(self, node_id: str) -> tuple[str, ...]:
        """Ids directly below, people included, in no order."""
        return tuple(self._children.get(node_id, ()))

    def covers(self, granted: frozenset[str], node_id: str) -> bool:
        """Whether a known node lies at or below one of `granted`; below PLATFORM lies every known node."""
        parent = self._parent
        current: str | None = node_id
        if node_id not in parent:
            return False
        while current:
            if current in granted:
                return True
            current = parent.get(current)
        return PLATFORM in granted

    def zone_of(self, node_id: str) -> str:
        """The IANA zone in force: the nearest one set at or above the node."""
        nodes = self._nodes
        node = nodes.get(node_id)
        while node is not None:
            if node.zone:
                return node.zone
            node = nodes.get(node.parent_id)
        return DEFAULT_ZONE

    def branch_of(self, node_id: str) -> str | None:
        """The nearest branch at or above; None for what belongs to the enterprise directly."""
        return self._nearest(node_id, Kind.BRANCH)

    def department_of(self, node_id: str) -> str | None:
        """The nearest department at or above."""
        return self._nearest(node_id, Kind.DEPARTMENT)

    def _nearest(self, node_id: str, kind: Kind) -> str | None:
        node = self._nodes.get(node_id)
        while node is not None:
            if node.kind is kind:
                return node.id
            node = self._nodes.get(node.parent_id)
        return None

    # People.

    def person(self, person_id: str) -> Person | None:
        return self._people.get(person_id)

    def person_by_employee_number(self, number: str) -> Person | None:
        return self._people.get(self._by_number.get(number, ""))

    def people(self) -> tuple[Person, ...]:
        """Everybody, dismissed people included, in no order."""
        return tuple(self._people.values())

    def people_under(self, node_id: str) -> frozenset[str]:
        """Ids of the people at or below the node, dismissed people included."""
        kept = self._under
        found = kept.get(node_id)
        if found is None:
            people = self._people
            found = frozenset(each for each in self.at_or_below(node_id) if each in people)
            if len(kept) >= _KEPT_SUBTREES:
                kept.clear()
            kept[node_id] = found
        return found

    def active_under(self, node_id: str) -> frozenset[str]:
        """Ids of the people at or below the node who work here."""
        people = self._people
        return frozenset(each for each in self.people_under(node_id) if people[each].active)

    def headcount(self, node_id: str) -> int:
        """How many people who work here stand at or below the node; counted as people come and go."""
        return self._heads.get(node_id, 0)

    def at_or_below(self, node_id: str) -> Iterator[str]:
        """The node and everything below it, parents first."""
        if node_id not in self._nodes:
            return
        waiting = [node_id]
        while waiting:
            current = waiting.pop()
            yield current
            waiting.extend(self.children(current))

    # Rights.

    def role(self, role_id: str) -> Role | None:
        return self._roles.get(role_id)

    def binding(self, binding_id: str) -> Binding | None:
        return self._bindings.get(binding_id)

    def bindings_of(self, subject_id: str) -> tuple[Binding, ...]:
        return self._by_subject.get(subject_id, _NO_BINDINGS)

    def grants(self, subject_id: str) -> Mapping[str, frozenset[str]]:
        """Permission -> the nodes where the subject's bindings grant it. Nothing for those who have left."""
        bindings = self._by_subject.get(subject_id)
        if not bindings:
            return _NO_GRANTS
        roles = self._roles
        kept = self._grants.get(subject_id)
        if kept is not None and kept[0] is bindings and kept[1] is roles:
            return kept[2]
        found: dict[str, set[str]] = {}
        for binding in bindings:
            role = roles.get(binding.role_id)
            if role is not None:
                for permission in role.permissions:
                    found.setdefault(permission, set()).add(binding.node_id)
        shared: dict[frozenset[str], frozenset[str]] = {}
        grants = {
            name: shared.setdefault(frozenset(nodes), frozenset(nodes)) for name, nodes in found.items()
        }
        if len(self._grants) >= _KEPT_GRANTS:
            self._grants = {}
        self._grants[subject_id] = (bindings, roles, grants)
        return grants

    def granted_at(self, subject_id: str, permission: str) -> frozenset[str]:
        """The nodes where the subject holds the permission."""
        return self.grants(subject_id).get(permission, _NO_NODES)

    def may(self, subject_id: str, permission: str, node_id: str) -> bool:
        """Whether the subject holds the permission on the node."""
        return self.covers(self.granted_at(subject_id, permission), node_id)

    def service_account(self, account_id: str) -> ServiceAccount | None:
        return self._accounts.get(account_id)

    def session_ended(self, session_id: str) -> bool:
        return session_id in self._ended

    # Updating.

    def update(self, changes: Changes) -> None:
        """Take in what changed. Applying the same changes again changes nothing."""
        with self._writing:
            self._take_away(changes)
            shape = self._update_nodes(changes.nodes)
            shape |= self._update_people(changes.people)
            if shape:
                # After the change: a reader who began before keeps its result in the dropped dict.
                self._under = {}
            if changes.roles:
                self._roles = {**self._roles, **{role.id: role for role in changes.roles}}
                self._grants = {}
            self._add_bindings(changes.bindings)
            for account in changes.service_accounts:
                self._accounts[account.id] = account
            self.version = max(self.version, changes.position)

    def _take_away(self, changes: Changes) -> None:
        for ended in changes.sessions_ended:
            self._ended[ended.session_id] = ended.expires_at
        if len(self._ended) > _ENDED_BEFORE_PRUNING:
            now = datetime.now(UTC)
            self._ended = {sid: until for sid, until in self._ended.items() if until > now}
        for person in changes.people:
            before = self._people.get(person.id)
            if before is not None and before.active and not person.active:
                self._people[person.id] = person
                self._count(person.id, -1)
        for account in changes.service_accounts:
            if account.disabled:
                self._accounts[account.id] = account
        for binding_id in changes.bindings_removed:
            binding = self._bindings.pop(binding_id, None)
            if binding is not None:
                rest = tuple(b for b in self.bindings_of(binding.subject_id) if b.id != binding_id)
                if rest:
                    self._by_subject[binding.subject_id] = rest
                else:
                    del self._by_subject[binding.subject_id]
                    self._grants.pop(binding.subject_id, None)

    def _update_nodes(self, nodes: Iterable[Node]) -> bool:
        changed = False
        for node in nodes:
            before = self._nodes.get(node.id)
            self._nodes[node.id] = node
            if before is None or before.parent_id != node.parent_id:
                changed = True
                heads = self._heads.get(node.id, 0) if before is not None else 0
                if before is not None:
                    self._count(before.parent_id, -heads)
                # First under the new parent, then off the old: a reader may meet it twice, never miss it.
                if node.parent_id:
                    self._children.setdefault(node.parent_id, {})[node.id] = None
                self._parent[node.id] = node.parent_id
                if before is not None:
                    self._children.get(before.parent_id, {}).pop(node.id, None)
                self._count(node.parent_id, heads)
            if node.kind is Kind.ENTERPRISE:
                self._root = node.id
        return changed

    def _update_people(self, people: Iterable[Person]) -> bool:
        changed = False
        for person in people:
            before = self._people.get(person.id)
            changed |= before is None
            if before is not None and before.active:
                self._count(person.id, -1)
            self._people[person.id] = person
            self._by_number[person.employee_number] = person.id
            left = before.employee_number if before is not None else person.employee_number
            if left != person.employee_number and self._by_number.get(left) == person.id:
                del self._by_number[left]
            changed |= self._update_nodes([Node(person.id, person.parent_id, Kind.PERSON, person.name)])
            if person.active:
                self._count(person.id, 1)
        return changed

    def _count(self, node_id: str, by: int) -> None:
        current = node_id
        while by and current:
            self._heads[current] = self._heads.get(current, 0) + by
            current = self._parent.get(current, "")

    def _add_bindings(self, bindings: Iterable[Binding]) -> None:
        added: dict[str, list[Binding]] = {}
        for binding in bindings:
            if binding.id not in self._bindings:
                self._bindings[binding.id] = binding
                added.setdefault(binding.subject_id, []).append(binding)
        for subject_id, new in added.items():
            self._by_subject[subject_id] = (*self.bindings_of(subject_id), *new)

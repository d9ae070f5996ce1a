"""Taking people in: one by one, or a file of them where a bad row does not stop the rest."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import IntEnum
from typing import Final

from services.identity.domain.org import Node, NodeKind, require_place
from services.identity.domain.people import CHANGEABLE, Person, changed, require_sound
from services.identity.domain.refusals import Refused
from services.identity.domain.rights import MENTOR, Binding, Role, require_may_grant

Key = tuple[str, str, str]
"""Subject, role, node of a binding."""
_WRITE: Final = "identity.people.write"
_READ: Final = "identity.people.read"


class Outcome(IntEnum):
    """What became of a row; the numbers of the contract's PersonResult.Outcome."""

    CREATED = 1
    UPDATED = 2
    UNCHANGED = 3
    REFUSED = 4


@dataclass(frozen=True, slots=True)
class Row:
    """A person to take in. Mentor and manager may be named by employee number instead of id."""

    person: Person
    mentor_number: str = ""
    manager_number: str = ""
    own_roles: tuple[str, ...] = ()
    parent_roles: tuple[str, ...] = ()
    with_password: bool = False


@dataclass(slots=True)
class Register:
    """What is known of whatever the rows name, read once for all of them."""

    nodes: dict[str, Node] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    by_number: dict[str, str] = field(default_factory=dict)
    by_login: dict[str, str] = field(default_factory=dict)
    taken_ids: set[str] = field(default_factory=set)
    roles: dict[str, Role] = field(default_factory=dict)
    bindings: dict[Key, Binding] = field(default_factory=dict)

    def enter(self, person: Person) -> None:
        """Take the person in, in place of the record before."""
        before = self.people.get(person.id)
        if before is not None:
            self.by_number.pop(before.employee_number, None)
            self.by_login.pop(before.login, None)
        self.people[person.id] = person
        self.taken_ids.add(person.id)
        self.by_number[person.employee_number] = person.id
        if person.login:
            self.by_login[person.login] = person.id


class Intake:
    """Decides about rows, in order, and gathers what they change. A refused row changes nothing.

    `holds(permission, node_id)` and `sees(node_id)` are about the caller; `new_id()` makes an id.
    """

    def __init__(
        self,
        register: Register,
        *,
        holds: Callable[[str, str], bool],
        sees: Callable[[str], bool],
        new_id: Callable[[], str],
        actor: str,
        now: datetime,
    ) -> None:
        self._register = register
        self._holds = holds
        self._sees = sees
        self._new_id = new_id
        self._actor = actor
        self._now = now
        self._hired: set[str] = set()
        self.people: dict[str, Person] = {}
        self.added: list[Binding] = []
        self.removed: list[Binding] = []

    def admit(self, row: Row) -> tuple[Outcome, str]:
        """Add or update the person with the row's employee number; what became of it, and the person's id.

        An update leaves alone what the row leaves empty.
        """
        known = self._register.by_number.get(row.person.employee_number)
        if known is None:
            return Outcome.CREATED, self.hire(row)
        person = self._register.people[known]
        if not (person.id in self._hired or self._holds(_WRITE, person.id)):
            raise Refused("ALREADY_EXISTS", "the employee number is taken", field="employee_number")
        if row.person.id not in {"", person.id}:
            raise Refused("ALREADY_EXISTS", "the employee number belongs to another id", field="id")
        new = self._with_numbers(row)
        given = [name for name in CHANGEABLE if getattr(new, name)]
        return self._change(person, new, given, row)

    def hire(self, row: Row) -> str:
        """Add the person; the id. ALREADY_EXISTS where id, employee number or sign-in name is taken."""
        person = self._with_numbers(row)
        if person.employee_number in self._register.by_number:
            raise Refused("ALREADY_EXISTS", "the employee number is taken", field="employee_number")
        if person.id in self._register.taken_ids:
            raise Refused("ALREADY_EXISTS", "the id is taken", field="id")
        if row.with_password and not person.login:
            raise Refused("FIELD_INVALID", "a password needs a sign-in name", field="login")
        person = replace(person, id=person.id or self._new_id())
        self._require_parent(person.parent_id)
        self._require_free_login(person)
        require_sound(person)
        self._require_colleague(person.mentor_id, "mentor_id")
        self._require_colleague(person.manager_id, "manager_id")
        bindings = self._role_bindings(person, row)
        self._enter(person, None, bindings)
        self._hired.add(person.id)
        return person.id

    def update(self, person_id: str, new: Person, paths: Collection[str]) -> Outcome:
        """Change the named fields of a known person the caller may write."""
        return self._change(self._register.people[person_id], new, paths, None)[0]

    def _change(
        self, person: Person, new: Person, paths: Collection[str], row: Row | None
    ) -> tuple[Outcome, str]:
        result = changed(person, new, paths)
        if result.parent_id != person.parent_id:
            self._require_parent(result.parent_id)
        if result.employee_number != person.employee_number:
            taken = self._register.by_number.get(result.employee_number)
            if taken is not None:
                raise Refused("ALREADY_EXISTS", "the employee number is taken", field="employee_number")
        if result.login != person.login:
            self._require_free_login(result)
        if result.mentor_id != person.mentor_id:
            self._require_colleague(result.mentor_id, "mentor_id")
        if result.manager_id != person.manager_id:
            self._require_colleague(result.manager_id, "manager_id")
        bindings = self._role_bindings(result, row) if row else []
        if result == person and not bindings:
            return Outcome.UNCHANGED, person.id
        self._enter(result, person, bindings)
        return Outcome.UPDATED, person.id

    def _with_numbers(self, row: Row) -> Person:
        """The row's person with mentor and manager by id."""
        person = row.person
        if row.mentor_number:
            person = replace(person, mentor_id=self._numbered(row.mentor_number, "mentor_employee_number"))
        if row.manager_number:
            person = replace(person, manager_id=self._numbered(row.manager_number, "manager_employee_number"))
        return person

    def _numbered(self, number: str, name: str) -> str:
        found = self._register.by_number.get(number)
        if found is None:
            raise Refused("PERSON_UNKNOWN", "nobody has that employee number", field=name)
        return found

    def _require_parent(self, node_id: str) -> None:
        node = self._register.nodes.get(node_id)
        if node is None or not (self._holds(_WRITE, node_id) or self._sees(node_id)):
            raise Refused("NODE_UNKNOWN", "there is no such node", field="parent_id")
        if not self._holds(_WRITE, node_id):
            raise Refused("PERMISSION_MISSING", "you may not put people there", field="parent_id")
        require_place(NodeKind.PERSON, node)

    def _require_free_login(self, person: Person) -> None:
        if person.login and self._register.by_login.get(person.login, person.id) != person.id:
            raise Refused("ALREADY_EXISTS", "the sign-in name is taken", field="login")

    def _require_colleague(self, person_id: str, name: str) -> None:
        if not person_id:
            return
        person = self._register.people.get(person_id)
        if person is None or not (person_id in self._hired or self._holds(_READ, person_id)):
            raise Refused("PERSON_UNKNOWN", "there is no such person", field=name)
        if not person.active:
            raise Refused("ALREADY_DISMISSED", "has left the enterprise", field=name)

    def _role_bindings(self, person: Person, row: Row) -> list[Binding]:
        """The bindings the row asks for that are not there yet."""
        wanted = [(role_id, person.id) for role_id in row.own_roles]
        wanted += [(role_id, person.parent_id) for role_id in row.parent_roles]
        bindings = []
        for role_id, node_id in dict.fromkeys(wanted):
            role = self._register.roles.get(role_id)
            if role is None:
                raise Refused("ROLE_UNKNOWN", f"there is no role {role_id}", field="own_roles")
            if (person.id, role_id, node_id) in self._register.bindings:
                continue
            own_leaf = node_id == person.id
            # A new leaf is not in the tree yet; what holds on its parent holds on it.
            in_tree = person.id in self._register.people and person.id not in self._hired
            place = person.parent_id if own_leaf and not in_tree else node_id
            require_may_grant(
                role,
                lambda permission, place=place: self._holds(permission, place),  # type: ignore[misc]  # default
                hiring_on_own_leaf=own_leaf,
            )
            bindings.append(self._binding(role_id, person.id, node_id))
        return bindings

    def _enter(self, person: Person, before: Person | None, bindings: Iterable[Binding]) -> None:
        old = before.mentor_id if before else ""
        if old != person.mentor_id:
            gone = self._register.bindings.pop((old, MENTOR, person.id), None)
            if gone is not None:
                self.removed.append(gone)
            if person.mentor_id:
                bindings = [*bindings, self._binding(MENTOR, person.mentor_id, person.id)]
        for binding in bindings:
            key = (binding.subject_id, binding.role_id, binding.node_id)
            if key not in self._register.bindings:
                self._register.bindings[key] = binding
                self.added.append(binding)
        self._register.enter(person)
        self.people[person.id] = person

    def _binding(self, role_id: str, subject_id: str, node_id: str) -> Binding:
        return Binding(self._new_id(), role_id, subject_id, node_id, self._actor, self._now)

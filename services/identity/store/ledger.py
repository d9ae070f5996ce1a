"""Changes of the directory, one transaction at a time.

The directory is read everywhere and changed rarely, so its writers queue on one row. What they gain: a tree
nobody else is changing, revisions without gaps, and events in the order of the changes.
"""

from typing import Final

from sqlalchemy import Connection, select, text

from access import records
from access.records import Changes
from access.writing import write
from services.identity.domain.events import BindingRemoved, Event, SessionEnded
from services.identity.domain.org import Node
from services.identity.domain.people import Person
from services.identity.domain.rights import Binding, Role, ServiceAccount
from services.identity.tables import directory_position

# Positions not given yet go to the events that wait, in the order of the ledger.
_FEED_POSITION: Final = text(
    "SELECT position + (SELECT coalesce(sum(size), 0) FROM outbox_batch WHERE first_position IS NULL) FROM outbox_head"
)


class Ledger:
    """The right to change the directory until the transaction ends. `revision` is that of its changes."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        held = select(directory_position.c.position).with_for_update()
        self.revision: int = connection.execute(held).scalar_one() + 1
        self.told: list[Event] = []

    def tell(self, *events: Event) -> None:
        """Note changes, in the order others shall hear of them."""
        self.told.extend(events)

    def write(self) -> None:
        """Write what was told into the directory's tables."""
        if self.told:
            write(self._connection, _changes(self.told, self.revision))


def feed_position(connection: Connection) -> int:
    """A position at or before which everything committed until now stands in the feed."""
    return int(connection.execute(_FEED_POSITION).scalar_one())


def _changes(told: list[Event], revision: int) -> Changes:
    nodes: dict[str, records.Node] = {}
    people: dict[str, records.Person] = {}
    changes = Changes(revision)
    for event in told:
        match event:
            case Node():
                kind = records.Kind(event.kind)
                nodes[event.id] = records.Node(event.id, event.parent_id, kind, event.name, event.zone)
            case Person():
                people[event.id] = _person(event)
            case Role():
                changes.roles.append(records.Role(event.id, event.name, event.permissions, event.built_in))
            case Binding():
                changes.bindings.append(
                    records.Binding(
                        event.id,
                        event.role_id,
                        event.subject_id,
                        event.node_id,
                        event.granted_by,
                        event.created_at,
                    )
                )
            case BindingRemoved():
                changes.bindings_removed.append(event.binding.id)
            case SessionEnded():
                changes.sessions_ended.append(
                    records.SessionEnded(event.session_id, event.person_id, event.expires_at)
                )
            case ServiceAccount():
                changes.service_accounts.append(
                    records.ServiceAccount(event.id, event.name, event.disabled, event.created_at)
                )
    changes.nodes.extend(nodes.values())
    changes.people.extend(people.values())
    return changes


def _person(person: Person) -> records.Person:
    return records.Person(
        id=person.id,
        parent_id=person.parent_id,
        name=person.name,
        employee_number=person.employee_number,
        job_role=person.job_role,
        hire_date=person.hire_date,
        probation_start=person.probation_start,
        probation_end=person.probation_end,
        mentor_id=person.mentor_id,
        manager_id=person.manager_id,
        status=records.Status(person.status),
        language=person.language,
        dismissed_at=person.dismissed_at,
    )

"""Identity's messages as directory records, and back."""

from collections.abc import Iterable
from datetime import UTC, date, datetime

from foothold.identity.v1 import access_pb2, directory_pb2, feed_pb2
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date

from access.records import (
    Binding,
    Changes,
    Kind,
    Node,
    Person,
    Role,
    ServiceAccount,
    SessionEnded,
    Status,
)


def changes_of(events: Iterable[feed_pb2.Event]) -> Changes:
    """What a run of events amounts to: of everything the last state told, in the order first told."""
    nodes: dict[str, Node] = {}
    people: dict[str, Person] = {}
    roles: dict[str, Role] = {}
    bindings: dict[str, Binding] = {}
    removed: dict[str, None] = {}
    ended: dict[str, SessionEnded] = {}
    accounts: dict[str, ServiceAccount] = {}
    position = 0
    for event in events:
        position = max(position, event.position)
        match event.WhichOneof("body"):
            case "node_changed":
                nodes[event.node_changed.id] = to_node(event.node_changed)
            case "person_changed":
                people[event.person_changed.id] = to_person(event.person_changed)
            case "role_changed":
                roles[event.role_changed.id] = to_role(event.role_changed)
            case "binding_added":
                bindings[event.binding_added.id] = to_binding(event.binding_added)
                removed.pop(event.binding_added.id, None)
            case "binding_removed":
                bindings.pop(event.binding_removed.id, None)
                removed[event.binding_removed.id] = None
            case "session_ended":
                ended[event.session_ended.session_id] = to_session_ended(event.session_ended)
            case "service_account_changed":
                account = to_service_account(event.service_account_changed)
                accounts[account.id] = account
            case _:
                # A body a newer identity tells of: nothing that this version knows changed.
                continue
    return Changes(
        position,
        list(nodes.values()),
        list(people.values()),
        list(roles.values()),
        list(bindings.values()),
        list(removed),
        list(ended.values()),
        list(accounts.values()),
    )


def to_node(message: directory_pb2.Node) -> Node:
    return Node(message.id, message.parent_id, Kind(message.kind), message.name, message.time_zone)


def to_person(message: directory_pb2.Person) -> Person:
    return Person(
        id=message.id,
        parent_id=message.parent_id,
        name=message.name,
        employee_number=message.employee_number,
        job_role=message.job_role,
        hire_date=to_date(message.hire_date),
        probation_start=to_date(message.probation_start),
        probation_end=to_date(message.probation_end),
        mentor_id=message.mentor_id,
        manager_id=message.manager_id,
        status=Status(message.status),
        language=message.language,
        dismissed_at=to_instant(message.dismissed_at) if message.HasField("dismissed_at") else None,
    )


def to_role(message: access_pb2.Role) -> Role:
    return Role(message.id, message.name, frozenset(message.permissions), message.built_in)


def to_binding(message: access_pb2.Binding) -> Binding:
    return Binding(
        message.id,
        message.role_id,
        message.subject_id,
        message.node_id,
        message.granted_by,
        to_instant(message.created_at),
    )


def to_service_account(message: access_pb2.ServiceAccount) -> ServiceAccount:
    return ServiceAccount(message.id, message.name, message.disabled, to_instant(message.created_at))


def to_session_ended(message: feed_pb2.SessionEnded) -> SessionEnded:
    return SessionEnded(message.session_id, message.person_id, to_instant(message.expires_at))


def to_date(message: Date) -> date | None:
    """A whole date, or None where it is unset."""
    return date(message.year, message.month, message.day) if message.year else None


def to_instant(message: Timestamp) -> datetime:
    return message.ToDatetime(UTC)

"""Identity's contract and its domain, both directions."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Final

from foothold.identity.v1 import access_pb2, directory_pb2, feed_pb2, sessions_pb2
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date

from chassis.feed import NewEvent, StoredEvent
from chassis.validation import Fields
from services.identity.domain.events import BindingRemoved, Event, SessionEnded
from services.identity.domain.intake import Outcome, Row
from services.identity.domain.org import Node, NodeKind
from services.identity.domain.people import Person
from services.identity.domain.refusals import Refused
from services.identity.domain.rights import Binding, Role, ServiceAccount

LONGEST_NAME: Final = 100
LONGEST_NUMBER: Final = 64
LONGEST_LOGIN: Final = 64
_SHORTEST_LOGIN: Final = 3
_LONGEST_WORD: Final = 40
_MOST_ROLES: Final = 20
_MOST_PERMISSIONS: Final = 200
_WORD: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_-")
_LANGUAGES: Final = frozenset({"", "zh-CN", "en"})


# Requests.


def to_node(fields: Fields, message: directory_pb2.Node) -> Node:
    """A node as asked for; parent and kind may be missing where they are not asked about."""
    known = {int(kind) for kind in NodeKind} | {0}
    kind = fields.one_of("kind", message.kind, known)
    return Node(
        id=fields.identifier("id", message.id, required=False),
        parent_id=fields.identifier("parent_id", message.parent_id, required=False),
        kind=NodeKind(kind) if kind else NodeKind.DEPARTMENT,
        name=fields.text("name", message.name, max_length=LONGEST_NAME, required=False),
        zone=fields.zone("time_zone", message.time_zone, required=False),
    )


def to_person(fields: Fields, message: directory_pb2.Person, *, required: Iterable[str]) -> Person:
    """A person as asked for; `required` names the fields that must be there."""
    needed = frozenset(required)
    for name in needed:
        if not getattr(message, name):
            fields.refuse(name, "must not be empty")
    login = message.login.strip().lower()
    if login and len(login) < _SHORTEST_LOGIN:
        fields.refuse("login", f"must be at least {_SHORTEST_LOGIN} characters")
    if message.language not in _LANGUAGES:
        fields.refuse("language", "must be zh-CN or en")
    return Person(
        id=fields.identifier("id", message.id, required=False),
        parent_id=fields.identifier("parent_id", message.parent_id, required=False),
        name=fields.text("name", message.name, max_length=LONGEST_NAME, required=False),
        employee_number=fields.text(
            "employee_number", message.employee_number, max_length=LONGEST_NUMBER, required=False
        ),
        job_role=_word(fields, "job_role", message.job_role),
        login=fields.text("login", login, max_length=LONGEST_LOGIN, required=False),
        hire_date=_date(fields, "hire_date", message.hire_date),
        probation_start=_date(fields, "probation_start", message.probation_start),
        probation_end=_date(fields, "probation_end", message.probation_end),
        mentor_id=fields.identifier("mentor_id", message.mentor_id, required=False),
        manager_id=fields.identifier("manager_id", message.manager_id, required=False),
        language=message.language,
    )


def to_row(fields: Fields, message: directory_pb2.PersonRow | directory_pb2.CreatePersonRequest) -> Row:
    """A person to take in."""
    person = to_person(
        fields.within("person"),
        message.person,
        required=("parent_id", "name", "employee_number", "job_role"),
    )
    own_roles = to_role_ids(fields, "own_roles", message.own_roles)
    if isinstance(message, directory_pb2.CreatePersonRequest):
        return Row(person, own_roles=own_roles, with_password=bool(message.password))
    return Row(
        person,
        mentor_number=_number(fields, "mentor_employee_number", message.mentor_employee_number),
        manager_number=_number(fields, "manager_employee_number", message.manager_employee_number),
        own_roles=own_roles,
        parent_roles=to_role_ids(fields, "parent_roles", message.parent_roles),
        with_password=bool(message.password),
    )


def to_role_ids(fields: Fields, name: str, ids: Sequence[str]) -> tuple[str, ...]:
    fields.count(name, len(ids), minimum=0, maximum=_MOST_ROLES)
    return tuple(_word(fields, name, each) for each in ids[:_MOST_ROLES])


def to_role(fields: Fields, message: access_pb2.Role) -> Role:
    fields.count("permissions", len(message.permissions), maximum=_MOST_PERMISSIONS)
    role_id = _word(fields, "id", message.id)
    if not role_id or "-" in role_id:
        fields.refuse("id", "must be 1 to 40 characters of a-z 0-9 _")
    name = fields.text("name", message.name, max_length=LONGEST_NAME)
    return Role(role_id, name, frozenset(message.permissions))


def to_mask(fields: Fields, paths: Iterable[str], allowed: Sequence[str]) -> frozenset[str]:
    """An update mask: at least one of the allowed paths, and nothing else."""
    named = frozenset(paths)
    if not named or not named <= set(allowed):
        fields.refuse("update_mask", f"must name one or more of {', '.join(allowed)}")
    return named


def to_kinds(fields: Fields, kinds: Iterable[int]) -> frozenset[NodeKind]:
    """The kinds asked for; all but people when none are named."""
    named = frozenset(kinds)
    if not named <= {int(kind) for kind in NodeKind}:
        fields.refuse("kinds", "must be documented kinds")
        named = frozenset()
    return frozenset(map(NodeKind, named)) or frozenset(NodeKind) - {NodeKind.PERSON}


def _word(fields: Fields, name: str, value: str) -> str:
    if len(value) <= _LONGEST_WORD and _WORD.issuperset(value):
        return value
    fields.refuse(name, f"must be 1 to {_LONGEST_WORD} characters of a-z 0-9 _ -")
    return ""


def _number(fields: Fields, name: str, value: str) -> str:
    return fields.text(name, value, max_length=LONGEST_NUMBER, required=False)


def _date(fields: Fields, name: str, message: Date) -> date | None:
    if not (message.year or message.month or message.day):
        return None
    return fields.date(name, message)


# Answers.


def from_node(node: Node, headcount: int) -> directory_pb2.Node:
    return directory_pb2.Node(
        id=node.id,
        parent_id=node.parent_id,
        kind=directory_pb2.NodeKind.ValueType(node.kind),
        name=node.name,
        time_zone=node.zone,
        effective_time_zone=node.effective_zone,
        etag=str(node.revision),
        headcount=headcount,
    )


def from_person(person: Person) -> directory_pb2.Person:
    return directory_pb2.Person(
        id=person.id,
        parent_id=person.parent_id,
        name=person.name,
        employee_number=person.employee_number,
        login=person.login,
        job_role=person.job_role,
        hire_date=_from_date(person.hire_date),
        probation_start=_from_date(person.probation_start),
        probation_end=_from_date(person.probation_end),
        mentor_id=person.mentor_id,
        manager_id=person.manager_id,
        status=directory_pb2.PersonStatus.ValueType(person.status),
        language=person.language,
        etag=str(person.revision),
        dismissed_at=from_instant(person.dismissed_at) if person.dismissed_at else None,
    )


def from_role(role: Role) -> access_pb2.Role:
    return access_pb2.Role(
        id=role.id, name=role.name, permissions=sorted(role.permissions), built_in=role.built_in
    )


def from_binding(binding: Binding) -> access_pb2.Binding:
    return access_pb2.Binding(
        id=binding.id,
        role_id=binding.role_id,
        subject_id=binding.subject_id,
        node_id=binding.node_id,
        granted_by=binding.granted_by,
        created_at=from_instant(binding.created_at),
    )


def from_service_account(account: ServiceAccount) -> access_pb2.ServiceAccount:
    return access_pb2.ServiceAccount(
        id=account.id,
        name=account.name,
        disabled=account.disabled,
        created_at=from_instant(account.created_at),
    )


def from_outcome(outcome: Outcome, person_id: str) -> directory_pb2.PersonResult:
    return directory_pb2.PersonResult(
        outcome=directory_pb2.PersonResult.Outcome.ValueType(outcome), person_id=person_id
    )


def from_refused(refused: Refused) -> directory_pb2.PersonResult:
    """A row that was not taken, and why."""
    return directory_pb2.PersonResult(
        outcome=directory_pb2.PersonResult.OUTCOME_REFUSED,
        field=refused.field,
        reason=refused.reason,
        message=refused.message,
    )


def from_tokens(access: tuple[str, datetime], refresh: tuple[str, datetime]) -> sessions_pb2.Tokens:
    return sessions_pb2.Tokens(
        access_token=access[0],
        access_expires_at=from_instant(access[1]),
        refresh_token=refresh[0],
        refresh_expires_at=from_instant(refresh[1]),
    )


def from_instant(instant: datetime) -> Timestamp:
    message = Timestamp()
    message.FromDatetime(instant.astimezone(UTC))
    return message


def _from_date(value: date | None) -> Date | None:
    return Date(year=value.year, month=value.month, day=value.day) if value else None


# Events.


def to_new_event(event: Event) -> NewEvent:
    """An event as it is published: without position, which the feed gives."""
    message = feed_pb2.Event()
    subject = ""
    match event:
        case Node():
            message.node_changed.CopyFrom(from_node(event, 0))
            subject = event.id
        case Person():
            message.person_changed.CopyFrom(from_person(event))
            # Only for identity itself: what opens a door does not travel.
            message.person_changed.ClearField("login")
            subject = event.id
        case Role():
            message.role_changed.CopyFrom(from_role(event))
            subject = event.id
        case Binding():
            message.binding_added.CopyFrom(from_binding(event))
            subject = event.id
        case BindingRemoved():
            message.binding_removed.CopyFrom(from_binding(event.binding))
            subject = event.binding.id
        case SessionEnded():
            message.session_ended.CopyFrom(
                feed_pb2.SessionEnded(
                    session_id=event.session_id,
                    person_id=event.person_id,
                    expires_at=from_instant(event.expires_at),
                )
            )
            subject = event.session_id
        case ServiceAccount():
            message.service_account_changed.CopyFrom(from_service_account(event))
            subject = event.id
    return NewEvent(message.WhichOneof("body") or "", subject, message.SerializeToString())


def from_stored_event(event: StoredEvent) -> feed_pb2.Event:
    message = feed_pb2.Event.FromString(event.payload)
    message.position = event.position
    message.occurred_at.CopyFrom(from_instant(event.occurred_at))
    return message


def states_of(event: StoredEvent) -> Sequence[str] | None:
    """The end of a session tells nobody anything once its tokens have run out, within the hour.

    Everything else stays: who stood where when is what closed periods are explained by.
    """
    return () if event.kind == "session_ended" else None

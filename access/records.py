"""What the directory holds: immutable records, replaced whole when they change."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import IntEnum
from typing import Final


class Kind(IntEnum):
    """What a node of the org tree is; the numbers of `foothold.identity.v1.NodeKind`."""

    ENTERPRISE = 1
    BRANCH = 2
    DEPARTMENT = 3
    PERSON = 4


class Status(IntEnum):
    """Whether a person works here; the numbers of `foothold.identity.v1.PersonStatus`."""

    ACTIVE = 1
    DISMISSED = 2


DEFAULT_ZONE: Final = "Asia/Shanghai"
"""In force where no node at or above sets a zone."""


@dataclass(frozen=True, slots=True)
class Node:
    """An enterprise, branch, department or person leaf. `zone` is empty where it is inherited."""

    id: str
    parent_id: str
    kind: Kind
    name: str
    zone: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """A person; `id` is also the id of the person's leaf node, `parent_id` that leaf's parent.

    `probation_end` is inclusive. Empty strings stand for "none".
    """

    id: str
    parent_id: str
    name: str
    employee_number: str
    job_role: str
    hire_date: date | None = None
    probation_start: date | None = None
    probation_end: date | None = None
    mentor_id: str = ""
    manager_id: str = ""
    status: Status = Status.ACTIVE
    language: str = ""
    dismissed_at: datetime | None = None

    @property
    def active(self) -> bool:
        """Whether the person works here."""
        return self.status is Status.ACTIVE

    def on_probation(self, today: date) -> bool:
        """Whether probation holds on `today`, a date in the person's own zone."""
        return bool(
            self.probation_start
            and self.probation_start <= today
            and (self.probation_end is None or today <= self.probation_end)
        )


@dataclass(frozen=True, slots=True)
class Role:
    """A named set of permissions."""

    id: str
    name: str
    permissions: frozenset[str]
    built_in: bool = False


@dataclass(frozen=True, slots=True)
class Binding:
    """A role granted to a subject (a person or a service account) on a node and all below it."""

    id: str
    role_id: str
    subject_id: str
    node_id: str
    granted_by: str = ""
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """An integrator's account."""

    id: str
    name: str
    disabled: bool = False
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """A session that ended before its access tokens expire (`expires_at`)."""

    session_id: str
    person_id: str
    expires_at: datetime


@dataclass(slots=True)
class Changes:
    """What changed up to a position: of everything its new state, parents of new nodes first."""

    position: int
    nodes: list[Node] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)
    roles: list[Role] = field(default_factory=list)
    bindings: list[Binding] = field(default_factory=list)
    bindings_removed: list[str] = field(default_factory=list)
    sessions_ended: list[SessionEnded] = field(default_factory=list)
    service_accounts: list[ServiceAccount] = field(default_factory=list)

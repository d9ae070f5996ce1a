"""What identity tells the others."""

from dataclasses import dataclass
from datetime import datetime

from services.identity.domain.org import Node
from services.identity.domain.people import Person
from services.identity.domain.rights import Binding, Role, ServiceAccount


@dataclass(frozen=True, slots=True)
class BindingRemoved:
    """A role was taken away."""

    binding: Binding


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """A session ended; its access tokens would have worked until `expires_at`."""

    session_id: str
    person_id: str
    expires_at: datetime


Event = Node | Person | Role | Binding | BindingRemoved | SessionEnded | ServiceAccount
"""A record stands for its own new state."""

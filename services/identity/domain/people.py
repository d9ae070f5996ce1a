"""People: what a record may say, and what changes it."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import IntEnum
from typing import Final

from services.identity.domain.refusals import Refused


class PersonStatus(IntEnum):
    """Whether a person works here; the numbers of the contract's PersonStatus."""

    ACTIVE = 1
    DISMISSED = 2


@dataclass(frozen=True, slots=True)
class Person:
    """A person; `id` is also the leaf node's. Empty texts stand for "none"; `revision` is the etag."""

    id: str
    parent_id: str
    name: str
    employee_number: str
    job_role: str
    login: str = ""
    hire_date: date | None = None
    probation_start: date | None = None
    probation_end: date | None = None
    mentor_id: str = ""
    manager_id: str = ""
    status: PersonStatus = PersonStatus.ACTIVE
    language: str = ""
    dismissed_at: datetime | None = None
    revision: int = 0

    @property
    def active(self) -> bool:
        """Whether the person works here."""
        return self.status is PersonStatus.ACTIVE


CHANGEABLE: Final = (
    "parent_id",
    "name",
    "employee_number",
    "login",
    "job_role",
    "hire_date",
    "probation_start",
    "probation_end",
    "mentor_id",
    "manager_id",
    "language",
)
"""What UpdatePerson's mask may name."""


def require_sound(person: Person) -> None:
    """Refuse (FIELD_INVALID) a record that contradicts itself."""
    if person.probation_end and not person.probation_start:
        raise Refused("FIELD_INVALID", "needs a probation_start", field="probation_end")
    if person.probation_start and person.probation_end and person.probation_end < person.probation_start:
        raise Refused("FIELD_INVALID", "must not be before probation_start", field="probation_end")
    if person.mentor_id and person.mentor_id == person.id:
        raise Refused("FIELD_INVALID", "nobody mentors themselves", field="mentor_id")
    if person.manager_id and person.manager_id == person.id:
        raise Refused("FIELD_INVALID", "nobody manages themselves", field="manager_id")


def changed(person: Person, new: Person, paths: Collection[str]) -> Person:
    """The person with the named fields taken from `new`. ALREADY_DISMISSED for those who have left."""
    if not person.active:
        raise Refused("ALREADY_DISMISSED", "the person has left; the record stays as it was")
    values = {name: getattr(new, name) for name in CHANGEABLE if name in paths}
    result = replace(person, **values)
    require_sound(result)
    return result


def dismissed(person: Person, at: datetime) -> Person:
    """The person as one who has left. ALREADY_DISMISSED the second time."""
    if not person.active:
        raise Refused("ALREADY_DISMISSED", "the person has been dismissed already")
    return replace(person, status=PersonStatus.DISMISSED, dismissed_at=at)

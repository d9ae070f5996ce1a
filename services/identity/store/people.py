"""People and their sign-in names."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from access import Scope
from services.identity.domain.intake import Register
from services.identity.domain.intake import Row as IntakeRow
from services.identity.domain.org import Node, NodeKind
from services.identity.domain.people import Person, PersonStatus
from services.identity.domain.rights import MENTOR
from services.identity.store.rights import binding_of, role_of
from services.identity.tables import (
    account,
    directory_binding,
    directory_node,
    directory_role,
    directory_service_account,
    dismissal,
)
from services.identity.tables import directory_person as table

_NUMBER = table.c.employee_number.collate("C")
_SOURCE = table.outerjoin(account, account.c.person_id == table.c.id)


@dataclass(frozen=True, slots=True)
class PeopleFilter:
    """Which people; empty texts and False leave open."""

    under: str = ""
    query: str = ""
    job_role: str = ""
    on_probation: bool = False
    mentor_id: str = ""
    include_dismissed: bool = False


class PeopleStore:
    """The people a scope covers."""

    def __init__(self, connection: Connection, scope: Scope) -> None:
        self._connection = connection
        self._covered = scope.clause(table.c.id)

    def get(self, person_id: str) -> Person | None:
        row = self._connection.execute(
            people_query().where(table.c.id == person_id, self._covered)
        ).one_or_none()
        return person_of(row) if row else None

    def page(self, wanted: PeopleFilter, *, after: str | None, limit: int, now: datetime) -> list[Person]:
        """People by employee number, those after `after`."""
        query = people_query().where(*self._where(wanted, now))
        if after is not None:
            query = query.where(after < _NUMBER)
        return [person_of(row) for row in self._connection.execute(query.order_by(_NUMBER).limit(limit))]

    def count(self, wanted: PeopleFilter, *, now: datetime) -> int:
        query = select(func.count()).select_from(_SOURCE).where(*self._where(wanted, now))
        return int(self._connection.execute(query).scalar_one())

    def _where(self, wanted: PeopleFilter, now: datetime) -> list[ColumnElement[bool]]:
        clauses = [self._covered]
        if wanted.under:
            below = select(directory_node.c.id).where(directory_node.c.ancestors.contains([wanted.under]))
            clauses.append(table.c.id.in_(below))
        if wanted.query:
            part = f"%{wanted.query.translate(_LITERALLY)}%"
            columns = (table.c.name, table.c.employee_number, account.c.login)
            clauses.append(or_(*(column.ilike(part, escape="\\") for column in columns)))
        if wanted.job_role:
            clauses.append(table.c.job_role == wanted.job_role)
        if wanted.mentor_id:
            clauses.append(table.c.mentor_id == wanted.mentor_id)
        if not wanted.include_dismissed:
            clauses.append(table.c.status == int(PersonStatus.ACTIVE))
        if wanted.on_probation:
            today = func.date(func.timezone(_zone_of_person(), bindparam("now", now)))
            clauses.append(table.c.probation_start <= today)
            clauses.append(or_(table.c.probation_end.is_(None), table.c.probation_end >= today))
        return clauses

    def register(self, rows: Sequence[IntakeRow], *, ids: Collection[str] = ()) -> Register:
        """Everything known of what the rows name; who may know it is the intake's to judge."""
        numbers, people_ids = set[str](), set(ids)
        for row in rows:
            numbers |= {row.person.employee_number, row.mentor_number, row.manager_number}
            people_ids |= {row.person.id, row.person.mentor_id, row.person.manager_id}
        register = Register()
        logins = [row.person.login for row in rows if row.person.login]
        found = or_(
            table.c.employee_number.in_(numbers - {""}),
            table.c.id.in_(people_ids - {""}),
            account.c.login.in_(logins),
        )
        for found_row in self._connection.execute(people_query().where(found)):
            register.enter(person_of(found_row))
        self._register_nodes(register, {row.person.parent_id for row in rows} | people_ids)
        for role_row in self._connection.execute(select(directory_role)):
            register.roles[role_row.id] = role_of(role_row)
        binding = directory_binding.c
        known = list(register.people)
        concerned = or_(
            binding.subject_id.in_(known), (binding.role_id == MENTOR) & binding.node_id.in_(known)
        )
        in_force = select(directory_binding).where(concerned, ~binding.removed)
        for each in map(binding_of, self._connection.execute(in_force)):
            register.bindings[each.subject_id, each.role_id, each.node_id] = each
        return register

    def _register_nodes(self, register: Register, ids: set[str]) -> None:
        nodes = select(
            directory_node.c.id, directory_node.c.kind, directory_node.c.name, directory_node.c.ancestors
        )
        for row in self._connection.execute(nodes.where(directory_node.c.id.in_(ids))):
            register.taken_ids.add(row.id)
            register.nodes[row.id] = Node(
                row.id, "", NodeKind(row.kind), row.name, ancestors=tuple(row.ancestors)
            )
        accounts = select(directory_service_account.c.id)
        register.taken_ids.update(
            self._connection.execute(accounts.where(directory_service_account.c.id.in_(ids))).scalars()
        )

    def known_numbers(self, numbers: Iterable[str]) -> set[str]:
        """Which of the employee numbers anybody has."""
        query = select(table.c.employee_number).where(table.c.employee_number.in_(list(numbers)))
        return set(self._connection.execute(query).scalars())

    def mentored_by(self, person_id: str) -> list[Person]:
        """Everybody who has this mentor, in or out of scope: the mentor's leaving concerns them all."""
        query = people_query().where(table.c.mentor_id == person_id)
        return [person_of(row) for row in self._connection.execute(query)]

    def save_accounts(self, people: Iterable[Person], hashes: Mapping[str, str], now: datetime) -> None:
        """Keep sign-in names, and passwords' hashes where `hashes` (by person id) has one."""
        rows = [
            {
                "person_id": person.id,
                "login": person.login or None,
                "password_hash": hashes.get(person.id),
                "password_changed_at": now if person.id in hashes else None,
            }
            for person in people
        ]
        if rows:
            statement = insert(account)
            self._connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["person_id"],
                    set_={
                        "login": statement.excluded.login,
                        "password_hash": func.coalesce(
                            statement.excluded.password_hash, account.c.password_hash
                        ),
                        "password_changed_at": func.coalesce(
                            statement.excluded.password_changed_at, account.c.password_changed_at
                        ),
                    },
                ),
                rows,
            )

    def record_dismissal(self, person: Person, *, actor_id: str, reason: str) -> None:
        """Keep who ended the person's access and why, and forget the password."""
        self._connection.execute(
            dismissal.insert(),
            {"person_id": person.id, "actor_id": actor_id, "reason": reason, "at": person.dismissed_at},
        )
        self._connection.execute(
            account.update().where(account.c.person_id == person.id).values(password_hash=None)
        )


_LITERALLY: Final = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})


def _zone_of_person() -> ColumnElement[str]:
    return (
        select(directory_node.c.effective_zone)
        .where(directory_node.c.id == table.c.id)
        .correlate(table)
        .scalar_subquery()
    )


def people_query() -> Select[Any]:
    return select(table, account.c.login).select_from(_SOURCE)


def person_of(row: Row[Any]) -> Person:
    return Person(
        id=row.id,
        parent_id=row.parent_id,
        name=row.name,
        employee_number=row.employee_number,
        job_role=row.job_role,
        login=row.login or "",
        hire_date=row.hire_date,
        probation_start=row.probation_start,
        probation_end=row.probation_end,
        mentor_id=row.mentor_id,
        manager_id=row.manager_id,
        status=PersonStatus(row.status),
        language=row.language,
        dismissed_at=row.dismissed_at,
        revision=row.position,
    )

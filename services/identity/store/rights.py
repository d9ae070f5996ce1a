"""Roles, bindings, service accounts."""

from typing import Any

from sqlalchemy import Connection, Row, func, select

from access import Scope
from services.identity.domain.people import PersonStatus
from services.identity.domain.rights import ADMINISTRATOR, Binding, Role, ServiceAccount
from services.identity.tables import (
    directory_binding,
    directory_node,
    directory_person,
    directory_role,
    directory_service_account,
    foundation,
)


class RightsStore:
    """Who may do what. Bindings are narrowed to the nodes the scope covers; roles are everybody's words."""

    def __init__(self, connection: Connection, scope: Scope | None) -> None:
        """Without a scope only for laying the foundation and for ending somebody's access."""
        self._connection = connection
        self._scope = scope

    def roles(self) -> dict[str, Role]:
        """All roles by id."""
        return {row.id: role_of(row) for row in self._connection.execute(select(directory_role))}

    def binding(self, binding_id: str) -> Binding | None:
        """A binding in scope that is in force."""
        query = select(directory_binding).where(
            directory_binding.c.id == binding_id, ~directory_binding.c.removed
        )
        row = self._connection.execute(query).one_or_none()
        if row is None or (self._scope is not None and not self._scope.covers(row.node_id)):
            return None
        return binding_of(row)

    def same_binding(self, binding: Binding) -> Binding | None:
        """The binding in force with the same subject, role and node."""
        columns = directory_binding.c
        query = select(directory_binding).where(
            columns.subject_id == binding.subject_id,
            columns.role_id == binding.role_id,
            columns.node_id == binding.node_id,
            ~columns.removed,
        )
        row = self._connection.execute(query).one_or_none()
        return binding_of(row) if row else None

    def bindings_of(self, subject_id: str) -> list[Binding]:
        """Everything in force that the subject has, anywhere."""
        columns = directory_binding.c
        query = select(directory_binding).where(columns.subject_id == subject_id, ~columns.removed)
        return [binding_of(row) for row in self._connection.execute(query.order_by(columns.id))]

    def page(
        self, scope: Scope, *, node_id: str, subject_id: str, after: str | None, limit: int
    ) -> list[Binding]:
        """Bindings in force on nodes in scope, by id."""
        columns = directory_binding.c
        query = select(directory_binding).where(~columns.removed, scope.clause(columns.node_id))
        if node_id:
            query = query.where(columns.node_id == node_id)
        if subject_id:
            query = query.where(columns.subject_id == subject_id)
        if after is not None:
            query = query.where(columns.id.collate("C") > after)
        rows = self._connection.execute(query.order_by(columns.id.collate("C")).limit(limit))
        return [binding_of(row) for row in rows]

    def administrators(self) -> set[str]:
        """People who work here and administer the enterprise."""
        binding, node, person = directory_binding.c, directory_node.c, directory_person.c
        query = (
            select(binding.subject_id)
            .join_from(directory_binding, directory_node, node.id == binding.node_id)
            .join(directory_person, person.id == binding.subject_id)
            .where(
                binding.role_id == ADMINISTRATOR,
                ~binding.removed,
                node.parent_id == "",
                person.status == int(PersonStatus.ACTIVE),
            )
        )
        return set(self._connection.execute(query).scalars())

    def service_account(self, account_id: str) -> ServiceAccount | None:
        query = select(directory_service_account).where(directory_service_account.c.id == account_id)
        row = self._connection.execute(query).one_or_none()
        return _service_account(row) if row else None

    def service_accounts(self, *, after: str | None, limit: int) -> list[ServiceAccount]:
        """Service accounts by id."""
        column = directory_service_account.c.id.collate("C")
        query = select(directory_service_account).order_by(column).limit(limit)
        if after is not None:
            query = query.where(column > after)
        return [_service_account(row) for row in self._connection.execute(query)]

    def foundation_version(self) -> int:
        """Which version of the built-in roles was written; 0 before the first."""
        query = select(func.max(foundation.c.version))
        return self._connection.execute(query).scalar_one() or 0

    def set_foundation_version(self, version: int) -> None:
        self._connection.execute(foundation.delete())
        self._connection.execute(foundation.insert(), {"laid": True, "version": version})


def role_of(row: Row[Any]) -> Role:
    return Role(row.id, row.name, frozenset(row.permissions), row.built_in)


def binding_of(row: Row[Any]) -> Binding:
    return Binding(row.id, row.role_id, row.subject_id, row.node_id, row.granted_by, row.created_at)


def _service_account(row: Row[Any]) -> ServiceAccount:
    return ServiceAccount(row.id, row.name, row.created_at, row.disabled)

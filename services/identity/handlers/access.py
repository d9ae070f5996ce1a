"""AccessService: roles, bindings, service accounts."""

from dataclasses import replace
from typing import Final

import grpc
from foothold.identity.v1 import access_pb2, access_pb2_grpc
from sqlalchemy import Connection

from access import Caller, caller
from chassis.errors import AlreadyExists, FailedPrecondition, NotFound
from chassis.ids import new_id
from chassis.paging import decode_token, encode_token
from chassis.validation import Fields
from services.identity import wire
from services.identity.domain.events import BindingRemoved
from services.identity.domain.refusals import Refused
from services.identity.domain.rights import (
    ADMINISTRATOR,
    Binding,
    ServiceAccount,
    require_may_grant,
    require_new_role,
)
from services.identity.domain.roles import PERMISSIONS
from services.identity.handlers.desk import Desk
from services.identity.secrecy import Secrecy
from services.identity.store import Ledger, NodeStore, RightsStore

_BIND: Final = "identity.bindings.write"
_ACCOUNTS: Final = "identity.service_accounts.write"
_MOST_DAYS: Final = 366


class AccessService(access_pb2_grpc.AccessServiceServicer):
    """What callers may do."""

    def __init__(self, desk: Desk, secrecy: Secrecy) -> None:
        self._desk = desk
        self._secrecy = secrecy

    def ListRoles(
        self, request: access_pb2.ListRolesRequest, context: grpc.ServicerContext
    ) -> access_pb2.ListRolesResponse:
        scope = caller(context).scope("identity.roles.read")
        with self._desk.database.read() as connection:
            roles = RightsStore(connection, scope).roles().values()
        ordered = sorted(roles, key=lambda role: (not role.built_in, role.id))
        return access_pb2.ListRolesResponse(
            roles=[wire.from_role(role) for role in ordered], known_permissions=sorted(PERMISSIONS)
        )

    def CreateRole(
        self, request: access_pb2.CreateRoleRequest, context: grpc.ServicerContext
    ) -> access_pb2.CreateRoleResponse:
        fields = Fields()
        role = wire.to_role(fields.within("role"), request.role)
        fields.require_valid()

        def work(connection: Connection, ledger: Ledger, who: Caller) -> access_pb2.CreateRoleResponse:
            scope = who.scope("identity.roles.write")
            scope.require_everywhere()
            require_new_role(role, RightsStore(connection, scope).roles())
            ledger.tell(role)
            return access_pb2.CreateRoleResponse(role=wire.from_role(role))

        return self._desk.answer(context, request, access_pb2.CreateRoleResponse, work)

    def CreateBinding(
        self, request: access_pb2.CreateBindingRequest, context: grpc.ServicerContext
    ) -> access_pb2.CreateBindingResponse:
        fields = Fields()
        below = fields.within("binding")
        below.identifier("subject_id", request.binding.subject_id)
        below.identifier("node_id", request.binding.node_id)
        if not request.binding.role_id:
            below.refuse("role_id", "must not be empty")
        wire.to_role_ids(below, "role_id", [request.binding.role_id])
        if request.binding.id:
            below.refuse("id", "is chosen by the server")
        fields.require_valid()

        def work(connection: Connection, ledger: Ledger, who: Caller) -> access_pb2.CreateBindingResponse:
            asked = request.binding
            scope = who.scope(_BIND)
            scope.require(asked.node_id)
            rights = RightsStore(connection, scope)
            role = rights.roles().get(asked.role_id)
            if role is None:
                raise Refused("ROLE_UNKNOWN", "there is no such role", field="binding.role_id")
            self._require_subject(who, asked.subject_id)
            require_may_grant(role, lambda permission: who.may(permission, asked.node_id))
            binding = Binding(
                new_id(), role.id, asked.subject_id, asked.node_id, who.id, self._desk.clock.now()
            )
            known = rights.same_binding(binding)
            if known is None:
                ledger.tell(binding)
            return access_pb2.CreateBindingResponse(binding=wire.from_binding(known or binding))

        return self._desk.answer(context, request, access_pb2.CreateBindingResponse, work)

    def _require_subject(self, who: Caller, subject_id: str) -> None:
        """A person the caller sees and who works here, or a service account that is not disabled."""
        directory = self._desk.directory
        person, account = directory.person(subject_id), directory.service_account(subject_id)
        visible = who.may("identity.people.read", subject_id) if person else account is not None
        if not visible:
            raise Refused("PERSON_UNKNOWN", "there is no such subject", field="binding.subject_id")
        if (person and not person.active) or (account and account.disabled):
            raise Refused("ALREADY_DISMISSED", "the subject has left", field="binding.subject_id")

    def DeleteBinding(
        self, request: access_pb2.DeleteBindingRequest, context: grpc.ServicerContext
    ) -> access_pb2.DeleteBindingResponse:
        fields = Fields()
        fields.identifier("binding_id", request.binding_id)
        fields.require_valid()

        def work(connection: Connection, ledger: Ledger, who: Caller) -> access_pb2.DeleteBindingResponse:
            rights = RightsStore(connection, who.scope(_BIND))
            binding = rights.binding(request.binding_id)
            if binding is None:
                raise Refused("BINDING_UNKNOWN", "there is no such binding", field="binding_id")
            root = binding.node_id == self._desk.directory.root_id
            if root and binding.role_id == ADMINISTRATOR and rights.administrators() <= {binding.subject_id}:
                raise Refused("LAST_ADMINISTRATOR", "nobody else administers the enterprise")
            ledger.tell(BindingRemoved(binding))
            return access_pb2.DeleteBindingResponse()

        return self._desk.answer(context, request, access_pb2.DeleteBindingResponse, work)

    def ListBindings(
        self, request: access_pb2.ListBindingsRequest, context: grpc.ServicerContext
    ) -> access_pb2.ListBindingsResponse:
        fields = Fields()
        node_id = fields.identifier("node_id", request.node_id, required=False)
        subject_id = fields.identifier("subject_id", request.subject_id, required=False)
        size = fields.page_size(request.page_size)
        fields.require_valid()
        cursor = decode_token(request.page_token, query=request, shape=(str,))
        scope = caller(context).scope("identity.bindings.read")
        if node_id:
            scope.require(node_id)
        with self._desk.database.read() as connection:
            found = RightsStore(connection, scope).page(
                scope,
                node_id=node_id,
                subject_id=subject_id,
                after=str(cursor[0]) if cursor else None,
                limit=size + 1,
            )
        answer = access_pb2.ListBindingsResponse(bindings=[wire.from_binding(each) for each in found[:size]])
        if len(found) > size:
            answer.next_page_token = encode_token((found[size - 1].id,), query=request)
        return answer

    def CreateServiceAccount(
        self, request: access_pb2.CreateServiceAccountRequest, context: grpc.ServicerContext
    ) -> access_pb2.CreateServiceAccountResponse:
        fields = Fields()
        below = fields.within("service_account")
        asked_id = below.identifier("id", request.service_account.id, required=False)
        name = below.text("name", request.service_account.name, max_length=wire.LONGEST_NAME)
        fields.require_valid()

        def work(
            connection: Connection, ledger: Ledger, who: Caller
        ) -> access_pb2.CreateServiceAccountResponse:
            scope = who.scope(_ACCOUNTS)
            scope.require_everywhere()
            account = ServiceAccount(asked_id or new_id(), name, self._desk.clock.now())
            if NodeStore(connection, scope).taken([account.id]):
                raise AlreadyExists("ALREADY_EXISTS", "The id is taken.")
            ledger.tell(account)
            return access_pb2.CreateServiceAccountResponse(service_account=wire.from_service_account(account))

        return self._desk.answer(context, request, access_pb2.CreateServiceAccountResponse, work)

    def IssueServiceAccountToken(
        self, request: access_pb2.IssueServiceAccountTokenRequest, context: grpc.ServicerContext
    ) -> access_pb2.IssueServiceAccountTokenResponse:
        fields = Fields()
        account_id = fields.identifier("service_account_id", request.service_account_id)
        days = fields.integer("days", request.days, minimum=1, maximum=_MOST_DAYS)
        fields.require_valid()
        scope = caller(context).scope(_ACCOUNTS)
        scope.require_everywhere()
        with self._desk.database.read() as connection:
            account = _found(RightsStore(connection, scope).service_account(account_id))
        if account.disabled:
            raise FailedPrecondition("SERVICE_ACCOUNT_UNKNOWN", "The service account has been disabled.")
        token, expires_at = self._secrecy.service_account_token(account.id, days)
        return access_pb2.IssueServiceAccountTokenResponse(
            token=token, expires_at=wire.from_instant(expires_at)
        )

    def DisableServiceAccount(
        self, request: access_pb2.DisableServiceAccountRequest, context: grpc.ServicerContext
    ) -> access_pb2.DisableServiceAccountResponse:
        fields = Fields()
        account_id = fields.identifier("service_account_id", request.service_account_id)
        fields.require_valid()

        def work(
            connection: Connection, ledger: Ledger, who: Caller
        ) -> access_pb2.DisableServiceAccountResponse:
            scope = who.scope(_ACCOUNTS)
            scope.require_everywhere()
            rights = RightsStore(connection, scope)
            disabled = replace(_found(rights.service_account(account_id)), disabled=True)
            ledger.tell(*(BindingRemoved(each) for each in rights.bindings_of(account_id)), disabled)
            return access_pb2.DisableServiceAccountResponse(
                service_account=wire.from_service_account(disabled)
            )

        return self._desk.answer(context, request, access_pb2.DisableServiceAccountResponse, work)

    def ListServiceAccounts(
        self, request: access_pb2.ListServiceAccountsRequest, context: grpc.ServicerContext
    ) -> access_pb2.ListServiceAccountsResponse:
        fields = Fields()
        size = fields.page_size(request.page_size)
        fields.require_valid()
        cursor = decode_token(request.page_token, query=request, shape=(str,))
        scope = caller(context).scope("identity.service_accounts.read")
        scope.require_everywhere()
        with self._desk.database.read() as connection:
            found = RightsStore(connection, scope).service_accounts(
                after=str(cursor[0]) if cursor else None, limit=size + 1
            )
        answer = access_pb2.ListServiceAccountsResponse(
            service_accounts=[wire.from_service_account(each) for each in found[:size]]
        )
        if len(found) > size:
            answer.next_page_token = encode_token((found[size - 1].id,), query=request)
        return answer


def _found(account: ServiceAccount | None) -> ServiceAccount:
    if account is None:
        raise NotFound("SERVICE_ACCOUNT_UNKNOWN", "There is no such service account.")
    return account

"""Roles, bindings, service accounts: nobody gives more than they may, and nothing grants but a binding."""

import pytest
from foothold.identity.v1 import access_pb2, access_pb2_grpc, directory_pb2, directory_pb2_grpc

from chassis.errors import (
    AlreadyExists,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    Unauthenticated,
)
from services.identity import permissions
from services.identity.domain.roles import BUILT_IN, PERMISSIONS
from services.identity.service import _CONTRACTS  # the contracts as served
from tests.fixtures_identity import Enterprise, enterprise, refused, request_id

__all__ = ["enterprise"]

# Reviewed: who may see customers, and who may change who may do what.
SEES_CUSTOMERS = {"salesperson", "department_manager"}
WRITES_RIGHTS = {"administrator", "operator"}


def bind(enterprise: Enterprise, who: str, role_id: str, subject_id: str, node_id: str) -> access_pb2.Binding:
    binding = access_pb2.Binding(role_id=role_id, subject_id=subject_id, node_id=node_id)
    request = access_pb2.CreateBindingRequest(request_id=request_id(), binding=binding)
    return enterprise.access(who).CreateBinding(request).binding


def unbind(enterprise: Enterprise, who: str, binding_id: str) -> None:
    request = access_pb2.DeleteBindingRequest(request_id=request_id(), binding_id=binding_id)
    enterprise.access(who).DeleteBinding(request)


def create_role(enterprise: Enterprise, who: str, role_id: str, *permissions: str) -> access_pb2.Role:
    role = access_pb2.Role(id=role_id, name=f"Name of {role_id}", permissions=permissions)
    return (
        enterprise.access(who)
        .CreateRole(access_pb2.CreateRoleRequest(request_id=request_id(), role=role))
        .role
    )


def sees(enterprise: Enterprise, who: str, person_id: str) -> bool:
    try:
        with refused("PERSON_UNKNOWN", NotFound):
            enterprise.directory(who).GetPerson(directory_pb2.GetPersonRequest(person_id=person_id))
    except AssertionError:
        return True
    return False


def test_the_built_in_roles_are_there_and_customers_stay_with_sales(enterprise: Enterprise) -> None:
    answer = enterprise.access("admin").ListRoles(access_pb2.ListRolesRequest())
    roles = {role.id: role for role in answer.roles}
    assert set(roles) >= set(BUILT_IN)
    assert all(roles[each].built_in for each in BUILT_IN)
    assert list(answer.known_permissions) == sorted(PERMISSIONS)
    assert {each for each in BUILT_IN if "goals.customers.read" in roles[each].permissions} == SEES_CUSTOMERS
    assert {
        each for each in BUILT_IN if "identity.bindings.write" in roles[each].permissions
    } == WRITES_RIGHTS
    for name, permitted in BUILT_IN.values():
        assert name
        assert permitted <= set(PERMISSIONS)


def test_every_method_has_a_row_and_every_row_a_known_permission() -> None:
    methods = {
        f"/{file.package}.{service}/{method.name}"
        for service, file in _CONTRACTS.items()
        for method in file.services_by_name[service].methods
    }
    assert methods == set(permissions.PERMISSIONS)
    assert set(permissions.PERMISSIONS.values()) <= {*PERMISSIONS, "PUBLIC", "SIGNED_IN"}


def test_a_binding_grants_and_its_removal_takes_away_at_once(enterprise: Enterprise) -> None:
    enterprise.hire("grantee", "branch-sh")
    assert not sees(enterprise, "grantee", "new-bj-1")
    binding = bind(enterprise, "admin", "mentor", "grantee", "dept-bj-1")
    assert sees(enterprise, "grantee", "new-bj-1")
    assert not sees(enterprise, "grantee", "new-bj-3")
    assert bind(enterprise, "admin", "mentor", "grantee", "dept-bj-1") == binding  # twice is once
    unbind(enterprise, "admin", binding.id)
    assert not sees(enterprise, "grantee", "new-bj-1")
    with refused("BINDING_UNKNOWN", NotFound):
        unbind(enterprise, "admin", binding.id)


def test_an_administrator_appoints_those_who_see_what_administrators_do_not(enterprise: Enterprise) -> None:
    enterprise.hire("appointed")
    assert "goals.customers.read" not in BUILT_IN["administrator"][1]
    assert bind(enterprise, "admin", "department_manager", "appointed", "dept-bj-1").granted_by == "admin"


def test_who_only_binds_gives_at_most_what_they_hold_there(enterprise: Enterprise) -> None:
    create_role(
        enterprise,
        "admin",
        "branch_binder",
        "identity.bindings.write",
        "identity.people.read",
        "identity.nodes.read",
        "training.courses.read",
    )
    create_role(enterprise, "admin", "course_reader", "training.courses.read")
    create_role(enterprise, "admin", "course_writer", "training.courses.write")
    enterprise.hire("binder", "branch-bj")
    bind(enterprise, "admin", "branch_binder", "binder", "branch-bj")
    bind(enterprise, "binder", "course_reader", "new-bj-1", "dept-bj-1")
    for role_id in ("course_writer", "department_manager", "administrator"):
        with refused("GRANT_EXCEEDS_CALLER", PermissionDenied):
            bind(enterprise, "binder", role_id, "new-bj-1", "dept-bj-1")
    with refused("NODE_UNKNOWN", NotFound):
        bind(enterprise, "binder", "course_reader", "new-bj-1", "branch-sh")
    with refused("PERMISSION_MISSING", PermissionDenied):
        create_role(enterprise, "binder", "mine", "training.courses.read")
    with refused("PERSON_UNKNOWN", NotFound):
        bind(enterprise, "binder", "course_reader", "new-sh-1", "dept-bj-1")


@pytest.mark.parametrize(
    "who", ["new-bj-1", "mentor-bj-1", "manager-bj-1", "hr-bj", "hr-hq", "trainer-hq", "crm"]
)
def test_everybody_else_binds_nothing(enterprise: Enterprise, who: str) -> None:
    with refused("PERMISSION_MISSING", PermissionDenied):
        bind(enterprise, who, "salesperson", "new-bj-1", "new-bj-1")
    with refused("PERMISSION_MISSING", PermissionDenied):
        create_role(enterprise, who, "mine", "training.courses.read")


def test_a_binding_names_what_there_is(enterprise: Enterprise) -> None:
    with refused("ROLE_UNKNOWN", NotFound):
        bind(enterprise, "admin", "no_such_role", "new-bj-1", "dept-bj-1")
    with refused("NODE_UNKNOWN", NotFound):
        bind(enterprise, "admin", "mentor", "new-bj-1", "no-such-node")
    with refused("PERSON_UNKNOWN", NotFound):
        bind(enterprise, "admin", "mentor", "nobody", "dept-bj-1")
    for broken in (
        access_pb2.Binding(role_id="", subject_id="new-bj-1", node_id="hq"),
        access_pb2.Binding(role_id="mentor", subject_id="", node_id="hq"),
        access_pb2.Binding(role_id="mentor", subject_id="new-bj-1", node_id=""),
        access_pb2.Binding(role_id="MENTOR", subject_id="new-bj-1", node_id="hq"),
        access_pb2.Binding(role_id="mentor", subject_id="new-bj-1", node_id="hq", id="mine"),
    ):
        with refused("FIELD_INVALID", InvalidArgument):
            enterprise.access("admin").CreateBinding(
                access_pb2.CreateBindingRequest(request_id=request_id(), binding=broken)
            )


def test_roles_of_ones_own_name_known_permissions(enterprise: Enterprise) -> None:
    made = create_role(enterprise, "admin", "auditor", "goals.ledger.check", "goals.metrics.read")
    assert not made.built_in
    with refused("ALREADY_EXISTS", AlreadyExists):
        create_role(enterprise, "admin", "auditor", "goals.ledger.check")
    with refused("ROLE_BUILT_IN", FailedPrecondition):
        create_role(enterprise, "admin", "salesperson", "goals.ledger.check")
    with refused("PERMISSION_UNKNOWN", InvalidArgument):
        create_role(enterprise, "admin", "dreamer", "goals.facts.invent")
    for role_id, named in (
        ("", ("goals.ledger.check",)),
        ("with-dash", ("goals.ledger.check",)),
        ("none", ()),
    ):
        with refused("FIELD_INVALID", InvalidArgument):
            create_role(enterprise, "admin", role_id, *named)


def test_the_last_administrator_stays(enterprise: Enterprise) -> None:
    listed = access_pb2.ListBindingsRequest(node_id="hq", subject_id="admin")
    (binding,) = enterprise.access("admin").ListBindings(listed).bindings
    with refused("LAST_ADMINISTRATOR", FailedPrecondition):
        unbind(enterprise, "admin", binding.id)
    enterprise.hire("second-admin", "hq")
    second = bind(enterprise, "admin", "administrator", "second-admin", "hq")
    unbind(enterprise, "second-admin", binding.id)
    with refused("PERMISSION_MISSING", PermissionDenied):
        enterprise.access("admin").ListRoles(access_pb2.ListRolesRequest())
    bind(enterprise, "second-admin", "administrator", "admin", "hq")
    unbind(enterprise, "admin", second.id)


def test_bindings_are_listed_where_the_caller_may_read_them(enterprise: Enterprise) -> None:
    def listed(who: str, **query: str) -> list[access_pb2.Binding]:
        request = access_pb2.ListBindingsRequest(page_size=3, **query)
        found: list[access_pb2.Binding] = []
        while True:
            answer = enterprise.access(who).ListBindings(request)
            found.extend(answer.bindings)
            if not answer.next_page_token:
                return found
            request.page_token = answer.next_page_token

    everything = listed("admin")
    assert [each.id for each in everything] == sorted(each.id for each in everything)
    in_beijing = listed("hr-bj")
    assert {each.subject_id for each in in_beijing} >= {"new-bj-1", "manager-bj-1", "hr-bj"}
    assert not any(each.node_id in {"hq", "branch-sh", "new-sh-1", ""} for each in in_beijing)
    assert {(each.role_id, each.node_id) for each in listed("admin", subject_id="manager-bj-2")} == {
        ("department_manager", "dept-bj-2"),
        ("salesperson", "manager-bj-2"),
    }
    with refused("NODE_UNKNOWN", NotFound):
        listed("hr-bj", node_id="dept-sh-1")


def test_a_service_account_works_while_it_is_bound_and_enabled(enterprise: Enterprise) -> None:
    access = enterprise.access("admin")
    account = access_pb2.ServiceAccount(id="warehouse", name="Data warehouse")
    create = access_pb2.CreateServiceAccountRequest(request_id=request_id(), service_account=account)
    assert access.CreateServiceAccount(create) == access.CreateServiceAccount(create)
    issue = access_pb2.IssueServiceAccountTokenRequest(service_account_id="warehouse", days=30)
    channel = enterprise.channel(access.IssueServiceAccountToken(issue).token)
    directory = directory_pb2_grpc.DirectoryServiceStub(channel)
    with refused("PERMISSION_MISSING", PermissionDenied):
        directory.ListPeople(directory_pb2.ListPeopleRequest())
    bind(enterprise, "admin", "integrator", "warehouse", "branch-sh")
    people = directory.ListPeople(directory_pb2.ListPeopleRequest()).people
    assert {"hr-sh", "new-sh-1"} <= {person.id for person in people}
    assert "new-bj-1" not in {person.id for person in people}
    access.DisableServiceAccount(
        access_pb2.DisableServiceAccountRequest(request_id=request_id(), service_account_id="warehouse")
    )
    with refused("TOKEN_INVALID", Unauthenticated):
        directory.ListPeople(directory_pb2.ListPeopleRequest())
    with refused("SERVICE_ACCOUNT_UNKNOWN", FailedPrecondition):
        access.IssueServiceAccountToken(issue)
    with refused("ALREADY_DISMISSED", FailedPrecondition):
        bind(enterprise, "admin", "integrator", "warehouse", "branch-sh")
    listed = access.ListServiceAccounts(access_pb2.ListServiceAccountsRequest()).service_accounts
    assert {(each.id, each.disabled) for each in listed} >= {("crm", False), ("warehouse", True)}


def test_service_accounts_are_the_enterprises_business(enterprise: Enterprise) -> None:
    for days in (0, 367, -1):
        with refused("FIELD_INVALID", InvalidArgument):
            request = access_pb2.IssueServiceAccountTokenRequest(service_account_id="crm", days=days)
            enterprise.access("admin").IssueServiceAccountToken(request)
    with refused("SERVICE_ACCOUNT_UNKNOWN", NotFound):
        request = access_pb2.IssueServiceAccountTokenRequest(service_account_id="unknown", days=1)
        enterprise.access("admin").IssueServiceAccountToken(request)
    for taken in ("crm", "new-bj-1", "hq"):
        account = access_pb2.ServiceAccount(id=taken, name="x")
        with refused("ALREADY_EXISTS", AlreadyExists):
            enterprise.access("admin").CreateServiceAccount(
                access_pb2.CreateServiceAccountRequest(request_id=request_id(), service_account=account)
            )
    # Held in a branch only, it does not reach what belongs to the enterprise.
    enterprise.hire("branch-admin", "branch-bj")
    bind(enterprise, "admin", "administrator", "branch-admin", "branch-bj")
    stub = access_pb2_grpc.AccessServiceStub(enterprise.connect("branch-admin"))
    with refused("PERMISSION_MISSING", PermissionDenied):
        stub.ListServiceAccounts(access_pb2.ListServiceAccountsRequest())
    with refused("PERMISSION_MISSING", PermissionDenied):
        create_role(enterprise, "branch-admin", "branch_role", "goals.ledger.check")

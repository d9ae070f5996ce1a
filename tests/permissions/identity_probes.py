"""Reaching for identity."""

from collections.abc import Mapping
from itertools import count
from typing import Any, Final

from foothold.identity.v1 import access_pb2, directory_pb2, feed_pb2, sessions_pb2

from chassis.ids import new_id
from tests.permissions.enterprise import NODES, PASSWORD
from tests.permissions.probes import Probe, Reach, Request, row_of, shown_if

_numbers = count(1)


def _fresh(stem: str) -> str:
    return f"{stem}-{next(_numbers)}"


def _department(reach: Reach) -> Request:
    node = directory_pb2.Node(
        parent_id=reach.target, kind=directory_pb2.NODE_KIND_DEPARTMENT, name=_fresh("department")
    )
    return directory_pb2.CreateNodeRequest(request_id=new_id(), node=node)


def _renamed_node(reach: Reach) -> Request:
    node = directory_pb2.Node(id=reach.target, name=reach.target)
    request = directory_pb2.UpdateNodeRequest(request_id=new_id(), node=node)
    request.update_mask.paths.append("name")
    return request


def _somebody_new(reach: Reach) -> directory_pb2.Person:
    name = _fresh("hired")
    return directory_pb2.Person(parent_id=reach.target, name=name, employee_number=name, job_role="sales")


def _hire(reach: Reach) -> Request:
    return directory_pb2.CreatePersonRequest(request_id=new_id(), person=_somebody_new(reach))


def _import(reach: Reach) -> Request:
    rows = [directory_pb2.PersonRow(person=_somebody_new(reach))]
    return directory_pb2.ImportPeopleRequest(request_id=new_id(), rows=rows, dry_run=True)


def _renamed_person(reach: Reach) -> Request:
    person = directory_pb2.Person(id=reach.target, name=reach.target)
    request = directory_pb2.UpdatePersonRequest(request_id=new_id(), person=person)
    request.update_mask.paths.append("name")
    return request


def _dismiss(reach: Reach) -> Request:
    """Somebody who stands where the target does, and nobody whom the matrix still needs."""
    enterprise, id = reach.enterprise, _fresh("twin")
    if reach.relation == "own" and reach.token and not reach.caller_id.startswith("ex-"):
        enterprise.twin(reach.role, id)
        reach = reach.as_(id, id)
    elif reach.token:
        mentor_id = "mentor" if reach.relation == "mentee" else ""
        home = "office" if reach.target.startswith("ex-") else enterprise.home(reach.target)
        enterprise.add_person(id, home, sells=True, mentor_id=mentor_id)
    else:
        id = reach.target
    return reach, directory_pb2.DismissPersonRequest(request_id=new_id(), person_id=id, reason="leaves")


def _bind(reach: Reach) -> Request:
    binding = access_pb2.Binding(role_id="trainer", subject_id="dummy", node_id=reach.target)
    return access_pb2.CreateBindingRequest(request_id=new_id(), binding=binding)


def _bindings(reach: Reach) -> Request:
    # So that there is one to see, whatever was tried before.
    if reach.target in NODES.values():
        reach.enterprise.bind("mentor", "dummy", reach.target)
    return access_pb2.ListBindingsRequest(node_id=reach.target)


def _unbind(reach: Reach) -> Request:
    bound = reach.enterprise.bind("mentor", "dummy", reach.target).binding
    return access_pb2.DeleteBindingRequest(request_id=new_id(), binding_id=bound.id)


def _role(_reach: Reach) -> Request:
    name = _fresh("role").replace("-", "_")
    role = access_pb2.Role(id=name, name=name, permissions=["training.courses.read"])
    return access_pb2.CreateRoleRequest(request_id=new_id(), role=role)


def _account(_reach: Reach) -> Request:
    account = access_pb2.ServiceAccount(id=_fresh("account"), name="An account")
    return access_pb2.CreateServiceAccountRequest(request_id=new_id(), service_account=account)


def _disable(reach: Reach) -> Request:
    id = _fresh("account")
    reach.enterprise.add_account(id)
    return access_pb2.DisableServiceAccountRequest(request_id=new_id(), service_account_id=id)


def _sign_out(reach: Reach) -> Request:
    """With a token of its own: the session ends."""
    mine = reach.as_(reach.caller_id, "") if reach.token else reach
    return mine, sessions_pb2.SignOutRequest()


def _reset(reach: Reach) -> Request:
    return sessions_pb2.ResetPasswordRequest(
        request_id=new_id(), person_id=reach.target, new_password=PASSWORD
    )


def _is_listed(answer: Any, reach: Reach) -> bool:
    return reach.target in {person.id for person in answer.people}


_DIRECTORY: Final = "/foothold.identity.v1.DirectoryService/"
_ACCESS: Final = "/foothold.identity.v1.AccessService/"
_SESSIONS: Final = "/foothold.identity.v1.SessionService/"
_THROUGH_PASSWORD: Final = frozenset({"CREDENTIALS_WRONG", "SIGN_IN_THROTTLED"})

PROBES: Final[Mapping[str, Probe]] = {
    _DIRECTORY + "CreateNode": Probe("nodes", _department),
    _DIRECTORY + "UpdateNode": Probe("nodes", _renamed_node),
    _DIRECTORY + "GetNode": Probe("nodes", lambda r: directory_pb2.GetNodeRequest(node_id=r.target)),
    _DIRECTORY + "ListNodes": Probe(
        "nodes",
        lambda _: directory_pb2.ListNodesRequest(page_size=1000),
        meaning=shown_if(lambda answer, r: r.target in {node.id for node in answer.nodes}),
    ),
    _DIRECTORY + "CreatePerson": Probe("nodes", _hire),
    _DIRECTORY + "ImportPeople": Probe("nodes", _import, meaning=lambda answer, _: row_of(answer.results)),
    _DIRECTORY + "UpdatePerson": Probe("people", _renamed_person),
    _DIRECTORY + "DismissPerson": Probe("people", _dismiss),
    _DIRECTORY + "GetPerson": Probe("people", lambda r: directory_pb2.GetPersonRequest(person_id=r.target)),
    _DIRECTORY + "ListPeople": Probe(
        "people",
        lambda r: directory_pb2.ListPeopleRequest(query=r.target, page_size=1000),
        meaning=shown_if(_is_listed),
    ),
    _ACCESS + "ListRoles": Probe("nothing", lambda _: access_pb2.ListRolesRequest()),
    _ACCESS + "CreateRole": Probe("nothing", _role),
    _ACCESS + "CreateBinding": Probe("nodes", _bind),
    _ACCESS + "DeleteBinding": Probe("nodes", _unbind),
    _ACCESS + "ListBindings": Probe(
        "nodes",
        _bindings,
        meaning=shown_if(lambda answer, _: bool(answer.bindings)),
    ),
    _ACCESS + "CreateServiceAccount": Probe("nothing", _account),
    _ACCESS + "IssueServiceAccountToken": Probe(
        "nothing",
        lambda _: access_pb2.IssueServiceAccountTokenRequest(service_account_id="crm", days=1),
    ),
    _ACCESS + "DisableServiceAccount": Probe("nothing", _disable),
    _ACCESS + "ListServiceAccounts": Probe("nothing", lambda _: access_pb2.ListServiceAccountsRequest()),
    _SESSIONS + "SignIn": Probe(
        "nothing", lambda _: sessions_pb2.SignInRequest(login="dummy", password=PASSWORD)
    ),
    _SESSIONS + "RefreshSession": Probe(
        "nothing",
        lambda _: sessions_pb2.RefreshSessionRequest(refresh_token="made-up"),
        through=frozenset({"REFRESH_TOKEN_INVALID"}),
    ),
    _SESSIONS + "SignOut": Probe("nothing", _sign_out),
    _SESSIONS + "GetCaller": Probe("nothing", lambda _: sessions_pb2.GetCallerRequest()),
    _SESSIONS + "ChangePassword": Probe(
        "nothing",
        lambda _: sessions_pb2.ChangePasswordRequest(current_password="wrong", new_password=PASSWORD),
        through=_THROUGH_PASSWORD,
    ),
    _SESSIONS + "ResetPassword": Probe("people", _reset),
    "/foothold.identity.v1.FeedService/ListEvents": Probe(
        "nothing", lambda _: feed_pb2.ListEventsRequest(page_size=1)
    ),
}

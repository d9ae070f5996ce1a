"""A running identity with a small enterprise, for every test that needs callers.

    from tests.fixtures_identity import Enterprise, enterprise     # the name makes the fixture known here

    def test_something(enterprise: Enterprise) -> None:
        channel = enterprise.connect("manager-bj-1")               # a channel to identity, signed in
        token = enterprise.token_for("new-bj-1")                   # for your own service's channel
        settings = Settings(identity_address=enterprise.address, verifying_keys=enterprise.verifying_keys,
                            component_token=enterprise.component_token("goals"), ...)

One enterprise per test module; what a test changes stays changed. The tree, and who is bound where:

    hq                        admin (administrator), hr-hq (headquarters_hr), trainer-hq (trainer): all on hq
      branch-bj               hr-bj (branch_hr on branch-bj)                    Asia/Shanghai
        dept-bj-1             manager-bj-1 (department_manager on dept-bj-1), mentor-bj-1, new-bj-1, new-bj-2
        dept-bj-2             manager-bj-2 (department_manager on dept-bj-2), new-bj-3
      branch-sh               hr-sh (branch_hr on branch-sh)                    Asia/Tokyo, to have two zones
        dept-sh-1             manager-sh-1 (department_manager on dept-sh-1), new-sh-1

Everybody in a department is a salesperson on their own leaf; mentor-bj-1 mentors new-bj-1. Service account
`crm` is integrator on hq. Employee numbers are the ids in capitals; sign-in names are the ids.
"""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import grpc
import pytest
from foothold.identity.v1 import (
    access_pb2,
    access_pb2_grpc,
    directory_pb2,
    directory_pb2_grpc,
    sessions_pb2,
    sessions_pb2_grpc,
)
from google.type.date_pb2 import Date

from access import TokenIssuer, load_private
from access.tokens import generate_keys
from chassis.channel import connect
from chassis.clock import Clock
from chassis.errors import Failure, from_rpc_error
from chassis.server import Server
from services.identity.service import Settings, build

PASSWORD: Final = "correct-horse-7"
NODES: Final = (
    ("branch-bj", "hq", directory_pb2.NODE_KIND_BRANCH, ""),
    ("branch-sh", "hq", directory_pb2.NODE_KIND_BRANCH, "Asia/Tokyo"),
    ("dept-bj-1", "branch-bj", directory_pb2.NODE_KIND_DEPARTMENT, ""),
    ("dept-bj-2", "branch-bj", directory_pb2.NODE_KIND_DEPARTMENT, ""),
    ("dept-sh-1", "branch-sh", directory_pb2.NODE_KIND_DEPARTMENT, ""),
)
# id, parent, roles on the own leaf, roles on the parent, mentor
PEOPLE: Final = (
    ("admin", "hq", (), ("administrator",), ""),
    ("hr-hq", "hq", (), ("headquarters_hr",), ""),
    ("trainer-hq", "hq", (), ("trainer",), ""),
    ("hr-bj", "branch-bj", (), ("branch_hr",), ""),
    ("hr-sh", "branch-sh", (), ("branch_hr",), ""),
    ("manager-bj-1", "dept-bj-1", ("salesperson",), ("department_manager",), ""),
    ("manager-bj-2", "dept-bj-2", ("salesperson",), ("department_manager",), ""),
    ("manager-sh-1", "dept-sh-1", ("salesperson",), ("department_manager",), ""),
    ("mentor-bj-1", "dept-bj-1", ("salesperson",), (), ""),
    ("new-bj-1", "dept-bj-1", ("salesperson",), (), "mentor-bj-1"),
    ("new-bj-2", "dept-bj-1", ("salesperson",), (), ""),
    ("new-bj-3", "dept-bj-2", ("salesperson",), (), ""),
    ("new-sh-1", "dept-sh-1", ("salesperson",), (), ""),
)


@contextmanager
def refused(reason: str, kind: type[Failure] | None = None) -> Iterator[Failure]:
    """Expects a call inside to be refused with this reason (and gRPC code); the failure is there afterwards."""
    failure = Failure("NOT_REFUSED", "")
    try:
        yield failure
    except grpc.RpcError as error:
        found = from_rpc_error(error)
        assert found.reason == reason, found
        assert kind is None or type(found) is kind, found
        failure.__dict__.update(found.__dict__)
    else:
        raise AssertionError(f"not refused with {reason}")


def request_id() -> str:
    """A new one for a new intent."""
    return uuid.uuid4().hex


@dataclass
class Enterprise:
    """The enterprise, and how to call identity as anybody in it."""

    address: str
    signing_key: str
    verifying_keys: str
    server: Server
    _tokens: dict[str, str] = field(default_factory=dict)
    _channels: list[grpc.Channel] = field(default_factory=list)

    def token_for(self, person_id: str) -> str:
        """An access token of a session of this person; of the service account `crm` and of `operator` too."""
        if person_id not in self._tokens:
            if person_id in {"crm", "operator"}:
                self._tokens[person_id] = self.issuer.service_account(person_id, lifetime=timedelta(hours=1))[
                    0
                ]
            else:
                self._tokens[person_id] = self.sign_in(person_id).tokens.access_token
        return self._tokens[person_id]

    def sign_in(self, login: str, password: str = PASSWORD) -> sessions_pb2.SignInResponse:
        """A new session."""
        request = sessions_pb2.SignInRequest(login=login, password=password)
        return sessions_pb2_grpc.SessionServiceStub(self.anonymous()).SignIn(request)

    def component_token(self, name: str) -> str:
        """The token one of the platform's own processes reads feeds with."""
        return self.issuer.component(name, lifetime=timedelta(hours=1))

    @property
    def issuer(self) -> TokenIssuer:
        """Makes any token; whoever has the signing key can."""
        return TokenIssuer(load_private(self.signing_key))

    def connect(self, person_id: str) -> grpc.Channel:
        """A channel to identity, signed in as this person (or `crm`, or `operator`)."""
        return self.channel(self.token_for(person_id))

    def channel(self, token: str) -> grpc.Channel:
        """A channel to identity with this token."""
        return self._kept(connect(self.address, token=lambda: token, timeout=20))

    def anonymous(self) -> grpc.Channel:
        """A channel to identity without a token."""
        return self._kept(connect(self.address, timeout=20))

    def directory(self, person_id: str) -> directory_pb2_grpc.DirectoryServiceStub:
        return directory_pb2_grpc.DirectoryServiceStub(self.connect(person_id))

    def access(self, person_id: str) -> access_pb2_grpc.AccessServiceStub:
        return access_pb2_grpc.AccessServiceStub(self.connect(person_id))

    def sessions(self, person_id: str) -> sessions_pb2_grpc.SessionServiceStub:
        return sessions_pb2_grpc.SessionServiceStub(self.connect(person_id))

    def hire(self, person_id: str, parent_id: str = "dept-bj-1", **more: Any) -> directory_pb2.Person:
        """A new salesperson with a password."""
        person = directory_pb2.Person(
            id=person_id,
            parent_id=parent_id,
            name=f"Name of {person_id}",
            employee_number=person_id.upper(),
            login=person_id,
            job_role="sales",
            **more,
        )
        request = directory_pb2.CreatePersonRequest(
            request_id=request_id(), person=person, password=PASSWORD, own_roles=["salesperson"]
        )
        return self.directory("admin").CreatePerson(request).person

    def close(self) -> None:
        for channel in self._channels:
            channel.close()
        self.server.stop(0.5)

    def _kept(self, channel: grpc.Channel) -> grpc.Channel:
        self._channels.append(channel)
        return channel


def start_identity(database_url: str, *, clock: Clock | None = None, **settings: Any) -> Enterprise:
    """Identity on a migrated schema, nobody in it but the operator."""
    private, public = generate_keys()
    server = Server(
        build(
            Settings.model_validate(
                {"database_url": database_url, "signing_key": private, "demo_passwords": True, **settings}
            ),
            clock=clock,
        )
    )
    port = server.start()
    return Enterprise(f"127.0.0.1:{port}", private, public, server)


def found_enterprise(enterprise: Enterprise) -> None:
    """Make the tree and the people of this module's docstring, through the public contract."""
    directory = enterprise.directory("operator")
    hq = directory_pb2.Node(
        id="hq", kind=directory_pb2.NODE_KIND_ENTERPRISE, name="总部", time_zone="Asia/Shanghai"
    )
    directory.CreateNode(directory_pb2.CreateNodeRequest(request_id=request_id(), node=hq))
    for node_id, parent_id, kind, zone in NODES:
        node = directory_pb2.Node(id=node_id, parent_id=parent_id, kind=kind, name=node_id, time_zone=zone)
        directory.CreateNode(directory_pb2.CreateNodeRequest(request_id=request_id(), node=node))
    rows = [
        directory_pb2.PersonRow(
            person=directory_pb2.Person(
                id=person_id,
                parent_id=parent_id,
                name=f"Name of {person_id}",
                employee_number=person_id.upper(),
                login=person_id,
                job_role="sales" if own_roles else "staff",
                hire_date=Date(year=2026, month=1, day=5),
                mentor_id=mentor,
            ),
            own_roles=own_roles,
            parent_roles=parent_roles,
            password=PASSWORD,
        )
        for person_id, parent_id, own_roles, parent_roles, mentor in PEOPLE
    ]
    imported = directory.ImportPeople(directory_pb2.ImportPeopleRequest(request_id=request_id(), rows=rows))
    refused = [result for result in imported.results if result.reason]
    assert not refused, refused
    access = enterprise.access("operator")
    account = access_pb2.ServiceAccount(id="crm", name="CRM")
    access.CreateServiceAccount(
        access_pb2.CreateServiceAccountRequest(request_id=request_id(), service_account=account)
    )
    binding = access_pb2.Binding(role_id="integrator", subject_id="crm", node_id="hq")
    access.CreateBinding(access_pb2.CreateBindingRequest(request_id=request_id(), binding=binding))


@pytest.fixture(scope="module")
def enterprise(database_for: Callable[[str], Any]) -> Iterator[Enterprise]:
    """Identity with the small enterprise, one per test module."""
    running = start_identity(database_for("identity").url)
    found_enterprise(running)
    yield running
    running.close()

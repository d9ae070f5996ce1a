"""The enterprise of the matrix: somebody in each role in Shanghai, and the people and nodes they reach for.

headquarters (hq)
├── office: director
├── shanghai: trainer, branch-hr
│   └── shanghai-sales: seller, mentor, manager, newcomer (the mentor's), colleague
└── beijing
└── beijing-sales: stranger
"""

from collections.abc import Mapping
from typing import Any, Final

import grpc
from foothold.identity.v1 import access_pb2, access_pb2_grpc, directory_pb2, directory_pb2_grpc

from chassis.ids import new_id
from tests.permissions.content import Content
from tests.permissions.platform import Platform

PASSWORD: Final = "a long and quiet evening"

CALLERS: Final[Mapping[str, str]] = {
    "salesperson": "seller",
    "mentor": "mentor",
    "department_manager": "manager",
    "trainer": "trainer",
    "branch_hr": "branch-hr",
    "headquarters_hr": "headquarters-hr",
    "administrator": "administrator",
    "integrator": "crm",
}
"""Role -> who has it, and nothing else."""

_HOMES: Final = {
    "director": "office",
    "headquarters-hr": "office",
    "administrator": "office",
    "dummy": "office",
    "trainer": "shanghai",
    "branch-hr": "shanghai",
    "seller": "shanghai-sales",
    "mentor": "shanghai-sales",
    "manager": "shanghai-sales",
    "newcomer": "shanghai-sales",
    "colleague": "shanghai-sales",
    "stranger": "beijing-sales",
}
_SELLS: Final = ("seller", "newcomer", "colleague", "stranger", "director")
_BOUND: Final = {
    "department_manager": ("manager", "shanghai-sales"),
    "trainer": ("trainer", "shanghai"),
    "branch_hr": ("branch-hr", "shanghai"),
    "headquarters_hr": ("headquarters-hr", "hq"),
    "administrator": ("administrator", "hq"),
    "integrator": ("crm", "hq"),
}

PEOPLE: Final[Mapping[str, str]] = {
    "mentee": "newcomer",
    "colleague": "colleague",
    "other branch": "stranger",
    "headquarters": "director",
}
"""Whom a caller reaches for, besides `own`."""

NODES: Final[Mapping[str, str]] = {
    "own department": "shanghai-sales",
    "own branch": "shanghai",
    "other branch": "beijing",
    "enterprise": "hq",
}
"""What a caller reaches for."""


class Enterprise:
    """The people and nodes above, told to a running platform by its operator."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        channel = platform.channel("identity", platform.operator)
        self.directory = directory_pb2_grpc.DirectoryServiceStub(channel)
        self.access = access_pb2_grpc.AccessServiceStub(channel)
        kinds = directory_pb2.NodeKind
        for id, parent_id, kind in (
            ("hq", "", kinds.NODE_KIND_ENTERPRISE),
            ("office", "hq", kinds.NODE_KIND_DEPARTMENT),
            ("shanghai", "hq", kinds.NODE_KIND_BRANCH),
            ("beijing", "hq", kinds.NODE_KIND_BRANCH),
            ("shanghai-sales", "shanghai", kinds.NODE_KIND_DEPARTMENT),
            ("beijing-sales", "beijing", kinds.NODE_KIND_DEPARTMENT),
        ):
            self.add_node(id, parent_id, kind)
        for id, home in _HOMES.items():
            self.add_person(id, home, sells=id in _SELLS, mentor_id="mentor" if id == "newcomer" else "")
        self._accounts: set[str] = set()
        self.add_account("crm")
        for role, (subject_id, node_id) in _BOUND.items():
            self.bind(role, subject_id, node_id)
        self.settle()
        self.content = Content(platform, tuple(_HOMES))

    def home(self, person_id: str) -> str:
        return _HOMES[person_id]

    def token(self, role: str) -> str:
        """A token of whoever has the role."""
        return self.token_of(CALLERS[role])

    def token_of(self, subject_id: str) -> str:
        if subject_id in self._accounts:
            return self.platform.account_token(subject_id)
        return self.platform.token(subject_id)

    def add_node(self, id: str, parent_id: str, kind: Any) -> None:
        node = directory_pb2.Node(id=id, parent_id=parent_id, kind=kind, name=id, time_zone="Asia/Shanghai")
        self._retry(
            self.directory.CreateNode, directory_pb2.CreateNodeRequest(request_id=new_id(), node=node)
        )

    def add_person(self, id: str, home: str, *, sells: bool = False, mentor_id: str = "") -> int:
        """A person with a password; the feed position this is known at."""
        person = directory_pb2.Person(
            id=id,
            parent_id=home,
            name=id,
            employee_number=id,
            login=id,
            job_role="sales",
            mentor_id=mentor_id,
        )
        request = directory_pb2.CreatePersonRequest(
            request_id=new_id(),
            person=person,
            password=PASSWORD,
            own_roles=["salesperson"] if sells else [],
        )
        return int(self.directory.CreatePerson(request).feed_position)

    def add_account(self, id: str) -> None:
        account = access_pb2.ServiceAccount(id=id, name=id)
        self.access.CreateServiceAccount(
            access_pb2.CreateServiceAccountRequest(request_id=new_id(), service_account=account)
        )
        self._accounts.add(id)

    def bind(self, role: str, subject_id: str, node_id: str) -> access_pb2.CreateBindingResponse:
        binding = access_pb2.Binding(role_id=role, subject_id=subject_id, node_id=node_id)
        request = access_pb2.CreateBindingRequest(request_id=new_id(), binding=binding)
        return self.access.CreateBinding(request)

    def twin(self, role: str, id: str) -> int:
        """Somebody else with the role in the same place; the feed position this is known at."""
        if role == "integrator":
            self.add_account(id)
            return int(self.bind(role, id, "hq").feed_position)
        position = self.add_person(id, _HOMES[CALLERS[role]], sells=role == "salesperson")
        if role == "mentor":
            return int(self.bind(role, id, "newcomer").feed_position)
        if role in _BOUND:
            return int(self.bind(role, id, _BOUND[role][1]).feed_position)
        return position

    def dismiss(self, role: str, id: str) -> int:
        """The twin leaves; the feed position this is known at."""
        if role == "integrator":
            request = access_pb2.DisableServiceAccountRequest(request_id=new_id(), service_account_id=id)
            return int(self.access.DisableServiceAccount(request).feed_position)
        return int(
            self.directory.DismissPerson(
                directory_pb2.DismissPersonRequest(request_id=new_id(), person_id=id, reason="leaves"),
                metadata=self.as_administrator,
            ).feed_position
        )

    @property
    def as_administrator(self) -> tuple[tuple[str, str]]:
        """Some things only a human may do (R13)."""
        return (("authorization", f"Bearer {self.token('administrator')}"),)

    def settle(self) -> None:
        """Return once every service knows everything told so far."""
        position = self.bind("trainer", "dummy", "office").feed_position
        self.platform.settle(int(position))

    def _retry(self, call: Any, request: Any) -> None:
        """Identity lays its foundation while it starts; the operator is part of it."""
        for _ in range(100):
            try:
                call(request)
            except grpc.RpcError as error:
                if error.code() is not grpc.StatusCode.UNAVAILABLE:
                    raise
            else:
                return
        raise AssertionError("identity did not become ready")

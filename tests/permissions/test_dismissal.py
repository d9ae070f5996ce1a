"""Who leaves, or loses a role, is out of every service within five seconds."""

import time
from collections.abc import Callable
from typing import Any, Final

import grpc
from foothold.goals.v1 import progress_pb2, progress_pb2_grpc
from foothold.identity.v1 import access_pb2, directory_pb2, directory_pb2_grpc
from foothold.incentives.v1 import statements_pb2, statements_pb2_grpc
from foothold.training.v1 import learning_pb2, learning_pb2_grpc

from chassis.errors import from_rpc_error
from chassis.ids import new_id
from tests.permissions.enterprise import Enterprise

_LONGEST_SECONDS: Final = 5


def _doors(enterprise: Enterprise, token: str, whose: str) -> dict[str, Callable[[], Any]]:
    """One method of each service, about somebody."""
    channel = enterprise.platform.channel
    directory = directory_pb2_grpc.DirectoryServiceStub(channel("identity", token))
    progress = progress_pb2_grpc.ProgressServiceStub(channel("goals", token))
    statements = statements_pb2_grpc.StatementsServiceStub(channel("incentives", token))
    learning = learning_pb2_grpc.LearningServiceStub(channel("training", token))
    return {
        "identity": lambda: directory.GetPerson(directory_pb2.GetPersonRequest(person_id=whose)),
        "goals": lambda: progress.GetProgress(progress_pb2.GetProgressRequest(person_id=whose)),
        "incentives": lambda: statements.GetStatement(statements_pb2.GetStatementRequest(person_id=whose)),
        "training": lambda: learning.GetLearning(learning_pb2.GetLearningRequest(person_id=whose)),
    }


def _reason(call: Callable[[], Any]) -> str:
    try:
        call()
    except grpc.RpcError as error:
        return from_rpc_error(error).reason
    return ""


def _wait_until_all(doors: dict[str, Callable[[], Any]], reason: str) -> None:
    began = time.monotonic()
    for name, call in doors.items():
        while (found := _reason(call)) != reason:
            assert time.monotonic() - began < _LONGEST_SECONDS, (name, found)
            time.sleep(0.01)


def test_a_dismissal_ends_access_in_every_service(enterprise: Enterprise) -> None:
    enterprise.twin("salesperson", "twin-leaving")
    enterprise.settle()
    doors = _doors(enterprise, enterprise.token_of("twin-leaving"), "twin-leaving")
    _wait_until_all(doors, "")
    enterprise.dismiss("salesperson", "twin-leaving")
    _wait_until_all(doors, "PERSON_DISMISSED")


def test_a_role_taken_away_closes_its_doors_in_every_service(enterprise: Enterprise) -> None:
    enterprise.twin("administrator", "twin-acting")
    bound = enterprise.bind("department_manager", "twin-acting", "beijing-sales").binding
    enterprise.settle()
    doors = _doors(enterprise, enterprise.token_of("twin-acting"), "stranger")
    _wait_until_all(doors, "")
    request = access_pb2.ListBindingsRequest(subject_id="twin-acting", page_size=10)
    for each in enterprise.access.ListBindings(request).bindings:
        enterprise.access.DeleteBinding(
            access_pb2.DeleteBindingRequest(request_id=new_id(), binding_id=each.id)
        )
    assert bound.id
    _wait_until_all(doors, "PERMISSION_MISSING")


def test_a_service_account_that_is_disabled_is_out_everywhere(enterprise: Enterprise) -> None:
    enterprise.twin("integrator", "twin-crm")
    enterprise.bind("headquarters_hr", "twin-crm", "hq")
    enterprise.settle()
    doors = _doors(enterprise, enterprise.token_of("twin-crm"), "newcomer")
    _wait_until_all(doors, "")
    enterprise.dismiss("integrator", "twin-crm")
    _wait_until_all(doors, "TOKEN_INVALID")

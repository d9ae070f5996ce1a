"""What an import needs to know about people that are there already: who, and in which zone."""

from collections.abc import Iterator

import grpc
from foothold.identity.v1 import directory_pb2, directory_pb2_grpc

from chassis.errors import PermissionDenied, from_rpc_error
from launcher.reaching import Reached

_PAGE = 1_000


def nodes(stub: directory_pb2_grpc.DirectoryServiceStub) -> Iterator[directory_pb2.Node]:
    """Enterprise, branches and departments that the caller may see."""
    token = ""
    while True:
        page = stub.ListNodes(directory_pb2.ListNodesRequest(page_size=_PAGE, page_token=token))
        yield from page.nodes
        token = page.next_page_token
        if not token:
            return


def people(
    stub: directory_pb2_grpc.DirectoryServiceStub, *, query: str = ""
) -> Iterator[directory_pb2.Person]:
    """Whom the caller may see, by part of a name, number or login; who left too: their history is still theirs."""
    token = ""
    while True:
        page = stub.ListPeople(
            directory_pb2.ListPeopleRequest(
                page_size=_PAGE, page_token=token, include_dismissed=True, query=query
            )
        )
        yield from page.people
        token = page.next_page_token
        if not token:
            return


def zones_of_people(reached: Reached) -> dict[str, str] | None:
    """Employee number -> IANA zone; None when the token does not allow reading people."""
    stub = directory_pb2_grpc.DirectoryServiceStub(reached.channel("identity"))
    try:
        zones = {node.id: node.effective_time_zone for node in nodes(stub)}
        return {person.employee_number: zones.get(person.parent_id, "") for person in people(stub)}
    except grpc.RpcError as error:
        failure = from_rpc_error(error)
        if isinstance(failure, PermissionDenied):
            return None
        raise failure from error

"""DirectoryService: who does what of it."""

import grpc
from foothold.identity.v1 import directory_pb2, directory_pb2_grpc

from services.identity.handlers.desk import Desk
from services.identity.handlers.nodes import Nodes
from services.identity.handlers.people import People
from services.identity.secrecy import Secrecy


class DirectoryService(directory_pb2_grpc.DirectoryServiceServicer):
    """The org tree and its people."""

    def __init__(self, desk: Desk, secrecy: Secrecy) -> None:
        self._nodes = Nodes(desk)
        self._people = People(desk, secrecy, self._nodes)

    def CreateNode(
        self, request: directory_pb2.CreateNodeRequest, context: grpc.ServicerContext
    ) -> directory_pb2.CreateNodeResponse:
        return self._nodes.create(request, context)

    def UpdateNode(
        self, request: directory_pb2.UpdateNodeRequest, context: grpc.ServicerContext
    ) -> directory_pb2.UpdateNodeResponse:
        return self._nodes.update(request, context)

    def GetNode(
        self, request: directory_pb2.GetNodeRequest, context: grpc.ServicerContext
    ) -> directory_pb2.GetNodeResponse:
        return self._nodes.get(request, context)

    def ListNodes(
        self, request: directory_pb2.ListNodesRequest, context: grpc.ServicerContext
    ) -> directory_pb2.ListNodesResponse:
        return self._nodes.find(request, context)

    def CreatePerson(
        self, request: directory_pb2.CreatePersonRequest, context: grpc.ServicerContext
    ) -> directory_pb2.CreatePersonResponse:
        return self._people.create(request, context)

    def ImportPeople(
        self, request: directory_pb2.ImportPeopleRequest, context: grpc.ServicerContext
    ) -> directory_pb2.ImportPeopleResponse:
        return self._people.import_people(request, context)

    def UpdatePerson(
        self, request: directory_pb2.UpdatePersonRequest, context: grpc.ServicerContext
    ) -> directory_pb2.UpdatePersonResponse:
        return self._people.update(request, context)

    def DismissPerson(
        self, request: directory_pb2.DismissPersonRequest, context: grpc.ServicerContext
    ) -> directory_pb2.DismissPersonResponse:
        return self._people.dismiss(request, context)

    def GetPerson(
        self, request: directory_pb2.GetPersonRequest, context: grpc.ServicerContext
    ) -> directory_pb2.GetPersonResponse:
        return self._people.get(request, context)

    def ListPeople(
        self, request: directory_pb2.ListPeopleRequest, context: grpc.ServicerContext
    ) -> directory_pb2.ListPeopleResponse:
        return self._people.find(request, context)

"""A service of another trade: `bakery.v1.Bakery`, built without generated code."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from chassis.server import Servicer

_FIELD = descriptor_pb2.FieldDescriptorProto
NAME = "bakery.v1.Bakery"


def _messages() -> tuple[Any, Any]:
    file = descriptor_pb2.FileDescriptorProto(
        name="bakery/v1/bakery.proto", package="bakery.v1", syntax="proto3"
    )
    request = file.message_type.add(name="BakeRequest")
    for number, (name, kind) in enumerate(
        {
            "request_id": _FIELD.TYPE_STRING,
            "name": _FIELD.TYPE_STRING,
            "count": _FIELD.TYPE_INT64,
            "page_size": _FIELD.TYPE_INT32,
            "page_token": _FIELD.TYPE_STRING,
        }.items(),
        start=1,
    ):
        request.field.add(name=name, number=number, type=kind, label=_FIELD.LABEL_OPTIONAL)
    response = file.message_type.add(name="BakeResponse")
    response.field.add(name="loaf", number=1, type=_FIELD.TYPE_STRING, label=_FIELD.LABEL_OPTIONAL)
    service = file.service.add(name="Bakery")
    for method, client, server in (
        ("Bake", False, False),
        ("GetLoaf", False, False),
        ("BakeAll", True, False),
        ("Watch", False, True),
        ("Trade", True, True),
    ):
        service.method.add(
            name=method,
            input_type=".bakery.v1.BakeRequest",
            output_type=".bakery.v1.BakeResponse",
            client_streaming=client,
            server_streaming=server,
        )
    pool = descriptor_pool.Default()
    pool.AddSerializedFile(file.SerializeToString())
    find = pool.FindMessageTypeByName
    return (
        message_factory.GetMessageClass(find("bakery.v1.BakeRequest")),
        message_factory.GetMessageClass(find("bakery.v1.BakeResponse")),
    )


BakeRequest, BakeResponse = _messages()


class Baker:
    """Does what a test tells it to: `bake(request, context)` answers the loaf's name or raises."""

    def __init__(self, bake: Callable[[Any, grpc.ServicerContext], str]) -> None:
        self.bake = bake

    def single(self, request: Any, context: grpc.ServicerContext) -> Any:
        return BakeResponse(loaf=self.bake(request, context))

    def gathered(self, requests: Iterable[Any], context: grpc.ServicerContext) -> Any:
        return BakeResponse(loaf=",".join(self.bake(request, context) for request in requests))

    def told(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        for number in range(request.count):
            yield BakeResponse(loaf=str(number))
        yield BakeResponse(loaf=self.bake(request, context))

    def traded(self, requests: Iterable[Any], context: grpc.ServicerContext) -> Iterator[Any]:
        for request in requests:
            yield BakeResponse(loaf=self.bake(request, context))


def add_to_server(baker: Baker, server: grpc.Server) -> None:
    read, write = BakeRequest.FromString, BakeResponse.SerializeToString
    handlers = {
        "Bake": grpc.unary_unary_rpc_method_handler(baker.single, read, write),
        "GetLoaf": grpc.unary_unary_rpc_method_handler(baker.single, read, write),
        "BakeAll": grpc.stream_unary_rpc_method_handler(baker.gathered, read, write),
        "Watch": grpc.unary_stream_rpc_method_handler(baker.told, read, write),
        "Trade": grpc.stream_stream_rpc_method_handler(baker.traded, read, write),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(NAME, handlers),))


def servicer(bake: Callable[[Any, grpc.ServicerContext], str]) -> Servicer:
    return Servicer(NAME, add_to_server, Baker(bake))


class BakeryStub:
    """What a generated stub would be."""

    def __init__(self, channel: grpc.Channel) -> None:
        write, read = BakeRequest.SerializeToString, BakeResponse.FromString
        self.Bake: Any = channel.unary_unary(f"/{NAME}/Bake", write, read)
        self.GetLoaf: Any = channel.unary_unary(f"/{NAME}/GetLoaf", write, read)
        self.BakeAll: Any = channel.stream_unary(f"/{NAME}/BakeAll", write, read)
        self.Watch: Any = channel.unary_stream(f"/{NAME}/Watch", write, read)
        self.Trade: Any = channel.stream_stream(f"/{NAME}/Trade", write, read)
        self.Raw: Any = channel.unary_unary(f"/{NAME}/Bake", None, read)
        self.Nothing: Any = channel.unary_unary(f"/{NAME}/Nothing", write, read)

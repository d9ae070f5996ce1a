"""What the gateway really sends: a wire between it and each service that passes every call on and writes it down."""

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, NamedTuple

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from chassis.channel import LARGEST_MESSAGE, connect

_PASSED_ON: Final = ("authorization", "traceparent")
_READS: Final = ("Get", "List", "Explain", "Preview", "CheckPlan")
_SIZES: Final = [
    ("grpc.max_receive_message_length", LARGEST_MESSAGE),
    ("grpc.max_send_message_length", LARGEST_MESSAGE),
]


class Command(NamedTuple):
    """A call that means to change something: to whom, which method, what was sent, and how it ended."""

    service: str
    method: str
    sent: bytes
    code: grpc.StatusCode

    def message(self) -> Message:
        """What was sent."""
        name = self.method.strip("/").replace("/", ".")
        found = descriptor_pool.Default().FindMethodByName(name)
        return GetMessageClass(found.input_type).FromString(self.sent)


class Taps:
    """A wire per service; `addresses` is what the gateway is told instead of theirs."""

    def __init__(self, addresses: Mapping[str, str]) -> None:
        self._lock = threading.Lock()
        self._commands: list[Command] = []
        self._wires = {name: _Wire(name, address, self) for name, address in addresses.items()}
        self.addresses = {name: wire.address for name, wire in self._wires.items()}

    def note(self, command: Command) -> None:
        with self._lock:
            self._commands.append(command)

    def take(self) -> list[Command]:
        """The commands since the last time."""
        with self._lock:
            found, self._commands = self._commands, []
        return found

    def close(self) -> None:
        for wire in self._wires.values():
            wire.close()


class _Wire(grpc.GenericRpcHandler):
    def __init__(self, name: str, address: str, taps: Taps) -> None:
        self._name = name
        self._taps = taps
        self._channel = grpc.insecure_channel(address, _SIZES)
        self._server = grpc.server(ThreadPoolExecutor(32, thread_name_prefix=f"wire-{name}"), options=_SIZES)
        self._server.add_generic_rpc_handlers((self,))
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        method: str = handler_call_details.method
        # Bytes in, bytes out: every call of the gateway's has one request and one answer.
        return grpc.unary_unary_rpc_method_handler(lambda raw, context: self._pass(method, raw, context))

    def _pass(self, method: str, raw: bytes, context: grpc.ServicerContext) -> bytes:
        told = context.invocation_metadata() or ()
        metadata = tuple((key, value) for key, value in told if key in _PASSED_ON)
        call: Any = self._channel.unary_unary(method)
        code = grpc.StatusCode.OK
        try:
            answer: bytes = call(raw, timeout=context.time_remaining(), metadata=metadata)
        except grpc.RpcError as error:
            failed: Any = error
            code = failed.code()
            context.set_trailing_metadata(failed.trailing_metadata() or ())
            context.abort(code, failed.details() or "")
        else:
            return answer
        finally:
            name = method.rpartition("/")[2]
            if method.startswith("/foothold.") and not name.startswith(_READS):
                self._taps.note(Command(self._name, method, raw, code))
        raise AssertionError("abort raises")

    def close(self) -> None:
        self._server.stop(0)
        self._channel.close()


def send_as(address: str, token: str | None, command: Command, message: Message) -> grpc.StatusCode:
    """Send it past the gateway, as somebody else; how it ended."""
    with connect(address, token=(lambda: token) if token else None, timeout=15) as channel:
        call: Any = channel.unary_unary(command.method)
        try:
            call(message.SerializeToString())
        except grpc.RpcError as error:
            failed: Any = error
            return grpc.StatusCode(failed.code())
    return grpc.StatusCode.OK

"""The same real server with the door in front and without: what authentication and authorization add to a call."""

import statistics
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Final

import grpc
import psutil

from access import (
    Access,
    Binding,
    Directory,
    Kind,
    Node,
    Person,
    Role,
    TokenIssuer,
    TokenVerifier,
    caller,
    load_private,
    load_public,
)
from access.records import Changes
from access.tokens import generate_keys
from benchmarks.baselines import ECHO, echo
from benchmarks.figures import Figure
from chassis import logs
from chassis.server import Server, Service, Servicer

_CALLS: Final = 500
_ROUNDS: Final = 6
_PERMISSION: Final = "goals.progress.read"


def measure() -> Iterator[Figure]:
    """CPU of the server process alone, the three in turn; the client's is not counted."""
    private, public = generate_keys()
    token, _ = TokenIssuer(load_private(private)).person("p1", session_id="s", lifetime=timedelta(hours=1))
    with ExitStack() as stack:
        say = stack.enter_context(echo())
        sides: list[tuple[Callable[[], object], psutil.Process]] = [
            (lambda: say(b"x" * 64), psutil.Process().children()[-1])
        ]
        sides += [stack.enter_context(_served(kind, public, token)) for kind in ("open", "guarded")]
        rounds = [[_cpu(work, process) for work, process in sides] for _ in range(_ROUNDS + 1)][1:]
    bare, unguarded, guarded = (statistics.median(each[side] for each in rounds) for side in range(3))
    added = statistics.median(each[2] - each[1] for each in rounds)
    yield Figure(
        "access",
        "what authentication and authorization add to a served call (server CPU), against a bare echo's",
        added / bare,
        f"{added * 1e6:.0f} µs against {bare * 1e6:.0f} µs; a call of our server costs {guarded * 1e6:.0f} µs"
        f" with, {unguarded * 1e6:.0f} µs without",
        at_most=0.1,
        bound_by="the door around every call in Python; the check itself is the next row. A process's time is told to"
        " 20 µs a call here",
    )


def _cpu(work: Callable[[], object], process: psutil.Process) -> float:
    """CPU seconds of the process for one call."""
    before = process.cpu_times()
    for _ in range(_CALLS):
        work()
    after = process.cpu_times()
    return float(after.user + after.system - before.user - before.system) / _CALLS


@contextmanager
def _served(kind: str, public: str, token: str) -> Iterator[tuple[Callable[[], object], psutil.Process]]:
    """A call of a server of ours in a process of its own, and the process."""
    command = [sys.executable, "-m", "benchmarks.access_authorization", kind]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(public.encode())
        server.stdin.close()
        port = int(server.stdout.readline())
        metadata = (("authorization", f"Bearer {token}"),)
        try:
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(ECHO)
                yield lambda: call(b"x" * 64, metadata=metadata, timeout=5), psutil.Process(server.pid)
        finally:
            server.terminate()


def _serve(kind: str) -> None:
    logs.configure("echo", level="ERROR")
    directory = Directory()
    directory.update(
        Changes(
            1,
            nodes=[Node("hq", "", Kind.ENTERPRISE, "HQ", "Asia/Shanghai")],
            people=[Person("p1", "hq", "Person", "E1", "sales")],
            roles=[Role("salesperson", "Salesperson", frozenset({_PERMISSION}))],
            bindings=[Binding("b1", "salesperson", "p1", "p1")],
        )
    )
    verifier = TokenVerifier(load_public(sys.stdin.read()))
    guarded = kind == "guarded"

    def say(request: bytes, context: grpc.ServicerContext) -> bytes:
        if guarded:
            caller(context).scope(_PERMISSION).require_person("p1")
        return request

    def add(_implementation: object, server: grpc.Server) -> None:
        handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(say)
        generic = grpc.method_handlers_generic_handler("benchmark.Echo", {"Say": handler})
        server.add_generic_rpc_handlers((generic,))

    door = Access({ECHO: _PERMISSION}, verifier=verifier, directory=directory)
    service = Service("echo", [Servicer("benchmark.Echo", add, None)], interceptors=[door] if guarded else [])
    server = Server(service)  # one that nobody holds ends
    print(server.start(), flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    _serve(sys.argv[1])

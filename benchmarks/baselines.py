"""The bare things our figures are held against: a gRPC echo, and a PostgreSQL of one's own."""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import grpc

from chassis.embedded import EmbeddedPostgres

ECHO: Final = "/benchmark.Echo/Say"


@contextmanager
def postgres() -> Iterator[str]:
    """The admin URL of a fresh embedded PostgreSQL with its own defaults (fsync on)."""
    with tempfile.TemporaryDirectory(prefix="foothold-bench-") as folder:
        server = EmbeddedPostgres(Path(folder))
        try:
            yield server.start()
        finally:
            server.stop()


@contextmanager
def echo() -> Iterator[Callable[[bytes], bytes]]:
    """A bare gRPC server in a process of its own, as a call that returns what it was given."""
    with subprocess.Popen([sys.executable, "-m", "benchmarks.baselines"], stdout=subprocess.PIPE) as server:
        try:
            assert server.stdout is not None
            port = int(server.stdout.readline())
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                say: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(ECHO)
                yield say
        finally:
            server.terminate()


def _serve() -> None:
    server = grpc.server(ThreadPoolExecutor(16))

    def say(request: bytes, _context: grpc.ServicerContext) -> bytes:
        return request

    handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(say)
    generic = grpc.method_handlers_generic_handler("benchmark.Echo", {"Say": handler})
    server.add_generic_rpc_handlers((generic,))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    _serve()

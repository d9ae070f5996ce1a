"""A service on a port: its servicers, health, reflection, background threads, and an orderly end."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, Protocol, runtime_checkable

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from chassis.channel import LARGEST_MESSAGE
from chassis.health import Health
from chassis.logs import logger
from chassis.pipeline import Pipeline

# Calls that wait for a thread beyond these are refused at once with RESOURCE_EXHAUSTED.
_LONGEST_QUEUE: Final = 1_000


class Background(Protocol):
    """A thread of its own beside the calls, such as a Sequencer or a Follower."""

    def start(self) -> None: ...

    def stop(self) -> None: ...


@runtime_checkable
class Releasing(Protocol):
    """A background that callers wait for, and that can send them home before it stops."""

    def release(self) -> None: ...


@dataclass(frozen=True)
class Servicer:
    """One gRPC service: its full proto name, the generated `add_..._to_server`, and who implements it."""

    name: str
    add: Callable[[Any, grpc.Server], None]
    implementation: object


@dataclass(frozen=True)
class Service:
    """Everything that runs on one port. `name` is the error domain's first part: `goals` → goals.foothold.

    `interceptors` come after telemetry, errors and deadline. `background` starts in order and stops in
    reverse. `checks` answer None or what is wrong. `waiters` threads are kept for calls that only wait.
    `closing` is called last, in order: databases and channels.
    """

    name: str
    servicers: Sequence[Servicer]
    interceptors: Sequence[grpc.ServerInterceptor] = ()
    background: Sequence[Background] = ()
    checks: Sequence[Callable[[], str | None]] = ()
    waiters: int = 16
    closing: Sequence[Callable[[], None]] = ()


class Server:
    """Serves one `Service` at `address` (`host:port`, port 0 for any free one) with `workers` threads."""

    def __init__(
        self,
        service: Service,
        *,
        address: str = "127.0.0.1:0",
        workers: int = 16,
        max_message_bytes: int = LARGEST_MESSAGE,
        reuse_port: bool = False,
        credentials: grpc.ServerCredentials | None = None,
    ) -> None:
        self._service = service
        self._address = address
        self._credentials = credentials
        self._pool = ThreadPoolExecutor(workers + service.waiters, thread_name_prefix=f"{service.name}-call")
        self._stopped = threading.Event()
        names = [servicer.name for servicer in service.servicers]
        self._health = Health(names, service.checks)
        self._server = grpc.server(
            self._pool,
            interceptors=[Pipeline(service.name, service.interceptors)],
            maximum_concurrent_rpcs=workers + service.waiters + _LONGEST_QUEUE,
            options=[
                ("grpc.max_receive_message_length", max_message_bytes),
                ("grpc.max_send_message_length", max_message_bytes),
                # Off unless asked for: gRPC's default lets a second process take half of the calls unnoticed.
                ("grpc.so_reuseport", int(reuse_port)),
                ("grpc.http2.min_recv_ping_interval_without_data_ms", 5_000),
                ("grpc.keepalive_permit_without_calls", 1),
            ],
        )
        for servicer in service.servicers:
            servicer.add(servicer.implementation, self._server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health.servicer, self._server)
        reflection.enable_server_reflection(
            (*names, health_pb2.DESCRIPTOR.services_by_name["Health"].full_name, reflection.SERVICE_NAME),
            self._server,
        )
        self.port = 0

    @property
    def problems(self) -> Sequence[str]:
        """What keeps the server from serving just now."""
        return self._health.problems

    def start(self) -> int:
        """Listen, start the background and answer the port. RuntimeError where the port is taken."""
        if self._credentials is None:
            self.port = self._server.add_insecure_port(self._address)
        else:
            self.port = self._server.add_secure_port(self._address, self._credentials)
        self._server.start()
        for background in self._service.background:
            background.start()
        self._health.start()
        logger(__name__).info("server_started", service=self._service.name, port=self.port)
        return self.port

    def stop(self, grace: float = 10.0, *, notice: float = 0.0) -> None:
        """Tell health, keep serving for `notice` seconds, let calls end for `grace`, then end everything.

        `notice` is for a load balancer that needs a moment to look elsewhere. Harmless the second time.
        """
        if self._stopped.is_set():
            return
        self._stopped.set()
        self._health.stop()
        time.sleep(notice)
        ended = self._server.stop(grace)
        for background in self._service.background:
            if isinstance(background, Releasing):
                background.release()
        ended.wait()
        for background in reversed(self._service.background):
            background.stop()
        self._pool.shutdown(wait=False, cancel_futures=True)
        for close in self._service.closing:
            close()
        logger(__name__).info("server_stopped", service=self._service.name)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until somebody calls `stop`; whether that happened within `timeout` seconds."""
        return self._stopped.wait(timeout)

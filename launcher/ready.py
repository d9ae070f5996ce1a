"""Waiting until a platform truly serves: health says so, not a sleep."""

import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from typing import Final

import grpc
from grpc_health.v1 import health_pb2

from chassis.errors import from_rpc_error
from launcher.exits import Exit, Stop

_CHECK: Final = "/grpc.health.v1.Health/Check"
_PAUSE: Final = 0.05
_ASK_SECONDS: Final = 2.0
_HEALTHY_STATUS: Final = 200
READY_PATH: Final = "/readyz"


def grpc_problem(address: str) -> str | None:
    """None when the process at the address says SERVING, else what it says instead."""
    with grpc.insecure_channel(address) as channel:
        try:
            check = channel.unary_unary(
                _CHECK,
                request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
                response_deserializer=health_pb2.HealthCheckResponse.FromString,
            )
            answer = check(health_pb2.HealthCheckRequest(), timeout=_ASK_SECONDS)
        except grpc.RpcError as error:
            return from_rpc_error(error).code.name
    if answer.status == health_pb2.HealthCheckResponse.SERVING:
        return None
    return health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)


def web_problem(url: str) -> str | None:
    """None when the gateway says that it is well, else what it says instead."""
    try:
        with urllib.request.urlopen(url + READY_PATH, timeout=_ASK_SECONDS) as answer:  # noqa: S310  our own http URL
            return None if answer.status == _HEALTHY_STATUS else f"HTTP {answer.status}"
    except urllib.error.HTTPError as error:
        with error:
            return f"HTTP {error.code}"
    except (OSError, ValueError) as error:
        return type(error).__name__


def wait_ready(
    addresses: Mapping[str, str],
    *,
    web: str | None,
    seconds: float,
    given_up: Callable[[], str | None],
    log: str,
) -> None:
    """Return once every service and the web answer that they are well; Stop after `seconds`, naming who does not."""
    deadline = time.monotonic() + seconds
    waiting = dict(addresses)
    while True:
        problems = {name: problem for name, at in waiting.items() if (problem := grpc_problem(at))}
        if not problems and web and (problem := web_problem(web)):
            problems["gateway"] = problem
        if not problems:
            return
        waiting = {name: addresses[name] for name in problems if name in addresses}
        dead = given_up()
        if dead:
            raise Stop(f"{dead} ends again and again at its start; see {log}", Exit.FAILED)
        if time.monotonic() > deadline:
            told = ", ".join(f"{name} ({problem})" for name, problem in problems.items())
            raise Stop(f"not ready after {seconds:.0f} s: {told}; see {log}", Exit.UNREACHABLE)
        time.sleep(_PAUSE)

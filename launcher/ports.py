"""Free ports for the services' inner addresses and for the web."""

import secrets
import socket
from typing import Final

from launcher.exits import Exit, Stop

# Below the range from which systems take the near end of outgoing connections (Linux 32768, macOS 49152): a service
# that is started again must find its port free.
_LOWEST: Final = 20_000
_HIGHEST: Final = 32_000
_TRIES: Final = 400
_WEB_TRIES: Final = 50
_LARGEST_PORT: Final = 65_535


def free(host: str, port: int) -> bool:
    """Whether the port can be listened on just now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def inner(count: int) -> list[int]:
    """Different free ports on the loopback address."""
    found: list[int] = []
    for _ in range(_TRIES):
        port = _LOWEST + secrets.randbelow(_HIGHEST - _LOWEST)
        if port not in found and free("127.0.0.1", port):
            found.append(port)
        if len(found) == count:
            return found
    raise Stop("there are no free ports on 127.0.0.1", Exit.FAILED)


def web(host: str, wanted: int, *, explicit: bool) -> int:
    """The port for the web: the wanted one, or when nobody insisted on it, the next free one; 0 is any."""
    if wanted == 0:
        return inner(1)[0]
    if free(host, wanted):
        return wanted
    if explicit:
        raise Stop(
            f"port {wanted} on {host} is in use; choose another with --port, or leave --port out", Exit.USAGE
        )
    for port in range(wanted + 1, min(wanted + _WEB_TRIES, _LARGEST_PORT)):
        if free(host, port):
            return port
    raise Stop(f"no free port from {wanted} to {wanted + _WEB_TRIES} on {host}", Exit.FAILED)

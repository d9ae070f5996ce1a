"""Finding the platform a command acts on: named, running on the data folder, or started for the command."""

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import grpc

from chassis.channel import connect
from launcher.exits import Exit, Stop
from launcher.folder import DataFolder, default_folder
from launcher.targets import SERVICES

_TIMEOUT: Final = 60.0


class Reached:
    """Channels to the services, made when first used, with one token."""

    def __init__(self, addresses: Mapping[str, str], token: str | Callable[[], str]) -> None:
        self.addresses = dict(addresses)
        self._token = token
        self._channels: dict[str, grpc.Channel] = {}

    def channel(self, service: str) -> grpc.Channel:
        """A channel to the service that carries the token. Stop when nobody said where the service is."""
        if service not in self.addresses:
            raise Stop(
                f"where {service} listens is not known: give --address {service}=HOST:PORT "
                f"or FOOTHOLD_{service.upper()}_ADDRESS",
                Exit.USAGE,
            )
        if service not in self._channels:
            self._channels[service] = connect(self.addresses[service], token=self.token, timeout=_TIMEOUT)
        return self._channels[service]

    def token(self) -> str:
        """The token that calls carry."""
        return self._token if isinstance(self._token, str) else self._token()

    def close(self) -> None:
        while self._channels:
            self._channels.popitem()[1].close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@contextlib.contextmanager
def reached(
    addresses: Sequence[str],
    token: str | None,
    data: Path | None,
    *,
    say: Callable[[str], None] | None = None,
) -> Iterator[Reached]:
    """The platform to act on. One that is started for the command ends with it."""
    given = named(addresses, os.environ)
    if given:
        if not token:
            raise Stop("an address needs a token: set FOOTHOLD_TOKEN or give --token", Exit.NOT_PERMITTED)
        with Reached(given, token) as platform:
            yield platform
        return
    folder = DataFolder(data or default_folder())
    running = folder.running()
    if running:
        with Reached(running.addresses, token or folder.operator_token) as platform:
            yield platform
        return
    with _started(folder, say) as started, Reached(started, token or folder.operator_token) as platform:
        yield platform


@contextlib.contextmanager
def _started(folder: DataFolder, say: Callable[[str], None] | None) -> Iterator[dict[str, str]]:
    from chassis import logs
    from launcher.local import LocalPlatform

    folder.prepare()
    with folder.log.open("a", encoding="utf-8") as log:
        logs.configure("foothold", stream=log)
        if say:
            say(f"No platform runs on {folder.path}; starting it for this command.")
        platform = LocalPlatform(folder)
        platform.start()
        try:
            yield platform.addresses
        finally:
            platform.stop()


def named(addresses: Sequence[str], environ: Mapping[str, str]) -> dict[str, str]:
    """The addresses given, by service: from the environment, over them the options. Stop when one is malformed."""
    found = {name: at for name in SERVICES if (at := environ.get(f"FOOTHOLD_{name.upper()}_ADDRESS"))}
    for given in addresses:
        name, equals, at = given.partition("=")
        if not equals or name not in SERVICES or not at:
            raise Stop(
                f"--address {given}: write SERVICE=HOST:PORT, SERVICE one of {', '.join(SERVICES)}",
                Exit.USAGE,
            )
        found[name] = at
    return found

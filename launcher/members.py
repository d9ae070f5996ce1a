"""Targets running in this process, each with its own port, threads and database connections."""

from collections.abc import Callable
from typing import Any, Final

from launcher.exits import Stop
from launcher.targets import module_of, settings_of

_GATEWAY: Final = "gateway"


class Member:
    """One target in this process."""

    def __init__(self, target: str, *, environment: dict[str, str]) -> None:
        self.target = target
        self.settings: Any = settings_of(target, environment=environment)
        self._running: Any = None

    def observe(self, service: str) -> None:
        """Switch this process's traces and metrics on, where an endpoint is set; before `start`."""
        from chassis import telemetry

        telemetry.configure(
            service,
            endpoint=self.settings.telemetry_endpoint or None,
            sampling=float(self.settings.telemetry_sampling),
        )

    def start(self) -> int:
        """Build the target and listen; the port it listens on."""
        built = module_of(self.target).build(self.settings)
        if self.target == _GATEWAY:
            self._running = built
        else:
            from chassis.server import Server

            self._running = Server(built, address=self.settings.listen)
        port: int = self._running.start()
        return port

    def stop(self, grace: float) -> None:
        """Finish what is being answered, at most `grace` seconds, then end; harmless when not started."""
        running, self._running = self._running, None
        if running is not None:
            running.stop(grace)


class Together:
    """All targets in one process. Started in order, stopped in reverse."""

    shape: Final = "all"

    def __init__(self, on_settings: Callable[[Any], None] | None = None) -> None:
        self._members: list[Member] = []
        self._on_settings = on_settings

    def start(self, target: str, environment: dict[str, str]) -> None:
        member = Member(target, environment=environment)
        if not self._members:
            # One process has one telemetry; [common] and the environment say the same to every target.
            member.observe("foothold")
        self._members.append(member)
        if self._on_settings:
            # Before anything is built: servers and channels are made with the process's instruments.
            self._on_settings(member.settings)
            self._on_settings = None
        try:
            member.start()
        except (RuntimeError, ValueError, OSError) as error:
            raise Stop(f"{target} cannot start: {error}") from error

    def died(self) -> str | None:
        """What went wrong with a target for good, if anything; in one process that ends the process itself."""
        return None

    def pids(self) -> dict[str, int]:
        return {}

    def stop(self, grace: float) -> None:
        while self._members:
            self._members.pop().stop(grace)

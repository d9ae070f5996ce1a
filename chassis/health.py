"""Health that tells the truth: SERVING only while every check passes.

Under the name of each of its services, and under "", a server tells whether it can serve (readiness). Under
`live` it tells only that the process answers: an unreachable database must not get it restarted.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Final

from grpc_health.v1 import health
from grpc_health.v1.health_pb2 import HealthCheckResponse

from chassis.database import Database, pending
from chassis.logs import logger

LIVE: Final = "live"
_EVERY_SECONDS: Final = 0.5
_SERVING: Final = HealthCheckResponse.SERVING
_NOT_SERVING: Final = HealthCheckResponse.NOT_SERVING

Check = Callable[[], str | None]


class Health:
    """Runs the checks twice a second and keeps the gRPC health service's statuses up to date."""

    def __init__(self, names: Sequence[str], checks: Sequence[Check]) -> None:
        self.servicer = health.HealthServicer()
        self._names = ("", *names)
        self._checks = tuple(checks)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.problems: list[str] = ["starting"]
        self.servicer.set(LIVE, _SERVING)
        self._tell(_NOT_SERVING)

    def start(self) -> None:
        self._look()
        self._thread = threading.Thread(target=self._run, name="health", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """NOT_SERVING from here on, whatever the checks say."""
        self._stopping.set()
        if self._thread:
            self._thread.join()
        self._tell(_NOT_SERVING)

    def _run(self) -> None:
        while not self._stopping.wait(_EVERY_SECONDS):
            self._look()

    def _look(self) -> None:
        problems = [problem for check in self._checks if (problem := _ask(check))]
        if problems != self.problems:
            self.problems = problems
            logger(__name__).info("health_changed", problems=problems)
            self._tell(_NOT_SERVING if problems else _SERVING)

    def _tell(self, status: int) -> None:
        for name in self._names:
            self.servicer.set(name, status)


def migrated(database: Database, url: str, package: str) -> Check:
    """A check that the schema is at the newest revision. Once it was, it is not asked again."""
    done = threading.Event()

    def check() -> str | None:
        if not done.is_set():
            if pending(url, schema=database.schema, package=package):
                return f"migrations of {database.schema} are pending"
            done.set()
        return None

    return check


def _ask(check: Check) -> str | None:
    try:
        return check()
    except Exception as error:  # noqa: BLE001  a check that cannot be made has not passed
        return f"a check failed ({type(error).__name__})"

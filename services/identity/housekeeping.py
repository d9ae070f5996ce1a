"""Removing what has had its day, once an hour, a piece at a time."""

import threading
from datetime import timedelta
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from chassis.clock import Clock
from chassis.database import Database
from chassis.idempotency import forget_requests
from chassis.logs import logger
from services.identity.store import AccountStore

_EVERY_SECONDS: Final = 3600.0
_SESSIONS_KEPT: Final = timedelta(days=7)
_ATTEMPTS_KEPT: Final = timedelta(days=1)
_REQUESTS_KEPT: Final = timedelta(days=30)
_PIECE: Final = 10_000


class Housekeeping:
    """Forgets sessions a week after they expired and answered requests after 30 days."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="housekeeping", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def tidy(self) -> None:
        """One round."""
        now = self._clock.now()
        with self._database.begin() as connection:
            AccountStore(connection).forget_sessions(now - _SESSIONS_KEPT, _PIECE)
        with self._database.begin() as connection:
            AccountStore(connection).forget_attempts(now - _ATTEMPTS_KEPT)
        with self._database.begin() as connection:
            forget_requests(connection, before=now - _REQUESTS_KEPT)

    def _run(self) -> None:
        while not self._stopping.wait(_EVERY_SECONDS):
            try:
                self.tidy()
            except SQLAlchemyError as error:
                logger(__name__).warning("housekeeping_failed", error=type(error).__name__)

"""Removes what has had its day, an hour apart and a piece at a time, so that nobody waits for it."""

import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from chassis.database import Database
from chassis.errors import Unavailable
from chassis.logs import logger

Work = Callable[[Connection], int]
"""Removes at most a piece, in a transaction of its own, and says how much; asked again until that is 0."""

EVERY: Final = timedelta(hours=1)
# A service that is started anew again and again would otherwise never come to it.
_FIRST_AFTER: Final = timedelta(minutes=2)
# Between two pieces others get their turn at the disk.
_BREATH_SECONDS: Final = 0.05


class Housekeeping:
    """A thread that does each `work` soon after the start and then `every` so often.

    Replicas may do it at the same time: a work skips rows that another holds. A failure, e.g. of the
    database, is logged and waits for the next round; it makes nobody unhealthy.
    """

    def __init__(
        self,
        database: Database,
        work: Sequence[Work],
        *,
        every: timedelta = EVERY,
        first_after: timedelta = _FIRST_AFTER,
    ) -> None:
        self._database = database
        self._work = tuple(work)
        self._every = every.total_seconds()
        self._first_after = first_after.total_seconds()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._stopping.clear()
        name = f"housekeeping-{self._database.schema}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish the piece at hand."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def tidy(self) -> None:
        """One round."""
        for work in self._work:
            while not self._stopping.is_set():
                with self._database.begin() as connection:
                    removed = work(connection)
                if not removed:
                    break
                self._stopping.wait(_BREATH_SECONDS)

    def _run(self) -> None:
        pause = self._first_after
        while not self._stopping.wait(pause):
            pause = self._every
            try:
                self.tidy()
            except (SQLAlchemyError, Unavailable) as error:
                logger(__name__).warning(
                    "housekeeping_failed", schema=self._database.schema, error=type(error).__name__
                )

"""Works out what flags of fair play keep of closed payouts, so that the rest of them is paid (decision 0434)."""

import threading
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from chassis.database import Database
from chassis.errors import Unavailable
from chassis.logs import logger
from services.incentives.holding import DealHolder
from services.incentives.store.flag_holds import next_look, put_off

_BREATH_SECONDS: Final = 0.01
_POLL_SECONDS: Final = 1.0


class FlagKeeper:
    """A thread that looks at payouts whose flags changed. Where several processes look at one, the first one's stands.

    Until it has looked a flag holds back the whole payout, and so it does while goals does not answer.
    """

    def __init__(self, database: Database, holder: DealHolder) -> None:
        self._database = database
        self._holder = holder
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="flag-keeping", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def wake(self) -> None:
        """Flags may have changed; look now."""
        self._wake.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                while not self._stopping.is_set() and self._step():
                    self._stopping.wait(_BREATH_SECONDS)
            except (SQLAlchemyError, Unavailable) as error:
                logger(__name__).warning("flag_look_failed", error=type(error).__name__, exc_info=error)
            self._wake.wait(_POLL_SECONDS)

    def _step(self) -> bool:
        """Look at the next payout; whether there was one. Goals is asked before anything is locked."""
        with self._database.read() as connection:
            look = next_look(connection)
            if look is None:
                return False
        try:
            with self._database.read() as connection:
                found = self._holder.foresee(connection, look.person_id, look.period)
        except Unavailable:
            with self._database.begin() as connection:
                put_off(connection, look)
            raise
        with self._database.begin() as connection:
            self._holder.keep(connection, look, found)
        return True

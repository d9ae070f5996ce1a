"""What must be there before anybody can do anything: the built-in roles, and the operator."""

import threading
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from access.directory import PLATFORM
from chassis.clock import Clock
from chassis.database import Database
from chassis.feed import publish
from chassis.logs import logger
from services.identity import wire
from services.identity.domain.rights import Binding, ServiceAccount, built_in_roles
from services.identity.store import Ledger, RightsStore

OPERATOR: Final = "operator"
VERSION: Final = 6
"""Of the built-in roles. Raise it with every change of domain/roles.py, or nobody hears of the change."""

_AGAIN_SECONDS: Final = 0.5


def lay_foundation(database: Database, clock: Clock) -> bool:
    """Write the built-in roles, and at the very first start the operator; whether there was anything to write.

    The operator is a service account whose tokens only the holder of the signing key can make. It is bound
    above the enterprise, so that it can create one. An older version never overwrites a newer one's roles.
    """
    with database.begin() as connection:
        ledger = Ledger(connection)
        rights = RightsStore(connection, None)
        laid = rights.foundation_version()
        if laid >= VERSION:
            return False
        known = rights.roles()
        ledger.tell(*(role for role in built_in_roles() if known.get(role.id) != role))
        if laid == 0:
            now = clock.now()
            ledger.tell(ServiceAccount(OPERATOR, "Operator", now))
            ledger.tell(Binding(OPERATOR, OPERATOR, OPERATOR, PLATFORM, OPERATOR, now))
        rights.set_foundation_version(VERSION)
        ledger.write()
        publish(connection, [wire.to_new_event(event) for event in ledger.told])
    return True


class Foundation:
    """Lays the foundation when the service starts, as soon as its database answers."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._laid = False
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._stopping.clear()
        if not self._try():
            self._thread = threading.Thread(target=self._run, name="foundation", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def check(self) -> str | None:
        """For health."""
        return None if self._laid else "the built-in roles are not written yet"

    def _run(self) -> None:
        while not self._stopping.wait(_AGAIN_SECONDS) and not self._try():
            pass

    def _try(self) -> bool:
        try:
            lay_foundation(self._database, self._clock)
        except SQLAlchemyError as error:
            logger(__name__).warning("foundation_failed", error=type(error).__name__)
            return False
        self._laid = True
        return True

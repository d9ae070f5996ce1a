"""How far the values of new metric versions are computed, and who computes them."""

from typing import Any, Final, NamedTuple

import psycopg
from sqlalchemy import Connection, exc, func, select, text, update

from services.goals.domain.definitions import State, Taking, Version
from services.goals.store.library import Versions, read_version
from services.goals.tables import metric_version, uncounted

# Shuts out itself, and nobody who defines.
_TURN: Final = text("LOCK TABLE uncounted IN SHARE UPDATE EXCLUSIVE MODE NOWAIT")


class Waiting(NamedTuple):
    """A version whose values are to be computed, and whether the facts from before it began are counted."""

    version: Version
    counted: bool


class Computations:
    """The versions that are being computed, in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def take_turn(self) -> bool:
        """Whether nobody else computes; from now on nobody does until the transaction ends.

        It reads nothing: a transaction that will go on with one snapshot has none yet.
        """
        try:
            self._connection.execute(_TURN)
        except exc.OperationalError as error:
            if isinstance(error.orig, psycopg.errors.LockNotAvailable):
                return False
            raise
        return True

    def waiting(self) -> Waiting | None:
        """What was begun ends first; then the version that waits longest."""
        query = (
            select(metric_version, uncounted.c.counter.label("uncounted"))
            .outerjoin(uncounted, metric_version.c.counter == uncounted.c.counter)
            .where(metric_version.c.state == int(State.COMPUTING))
            .order_by(metric_version.c.taking.desc(), metric_version.c.recorded_at, metric_version.c.metric)
            .limit(1)
        )
        row = self._connection.execute(query).one_or_none()
        return None if row is None else Waiting(read_version(row), row.uncounted is None)

    def take(self, version: Version, taking: Taking) -> None:
        """From now on whoever passes the gate does this with new facts. For whoever holds it alone."""
        self._update(version, taking=int(taking))
        Versions(self._connection).changed()

    def counted(self, version: Version) -> None:
        """Note that the facts from before it began are counted."""
        self._connection.execute(uncounted.delete().where(uncounted.c.counter == version.counter_id))

    def reached(self, version: Version, done: int) -> None:
        """Note how far it is, in people."""
        self._update(version, people_done=done)

    def serve(self, version: Version) -> None:
        """Let a version serve, and tell whoever follows."""
        self._update(version, state=int(State.SERVING), served_at=func.now(), people_done=version.total)
        versions = Versions(self._connection)
        versions.changed()
        versions.tell(version)

    def _update(self, version: Version, **values: Any) -> None:
        self._connection.execute(
            update(metric_version)
            .where(
                metric_version.c.metric == version.definition.name,
                metric_version.c.version == version.version,
            )
            .values(**values)
        )

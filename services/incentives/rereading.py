"""Reads figures anew when the enterprise's own metrics measure something else: in the background, resumably (0418)."""

import threading
from collections.abc import Iterator
from typing import Final

import grpc
from foothold.goals.v1 import feed_pb2 as goals_pb2
from foothold.goals.v1 import feed_pb2_grpc as goals_pb2_grpc
from sqlalchemy.exc import SQLAlchemyError

from chassis.clock import Clock
from chassis.database import Database
from chassis.errors import Unavailable
from chassis.logs import logger
from services.incentives.calculating import Calculator
from services.incentives.domain.statements import Told
from services.incentives.following import GOALS_KINDS, told_of
from services.incentives.store.metrics import Rereading, next_reread, reread_until
from services.incentives.wire.values import from_date

_PEOPLE: Final = 200
_ANSWER_SECONDS: Final = 10.0
# Events are followed and questions answered meanwhile, on the same processors.
_BREATH_SECONDS: Final = 0.01
_POLL_SECONDS: Final = 1.0


class Rereader:
    """A thread that asks goals for what `reread` names. Several processes do the same work twice, with the same end."""

    def __init__(
        self, database: Database, calculator: Calculator, clock: Clock, channel: grpc.Channel
    ) -> None:
        self._database = database
        self._calculator = calculator
        self._clock = clock
        self._stub = goals_pb2_grpc.FeedServiceStub(channel)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="rereading", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                while not self._stopping.is_set() and self._step():
                    self._stopping.wait(_BREATH_SECONDS)
            except (grpc.RpcError, SQLAlchemyError, Unavailable) as error:
                logger(__name__).warning("reread_failed", error=type(error).__name__, exc_info=error)
            self._stopping.wait(_POLL_SECONDS)

    def _step(self) -> bool:
        """Read the next people anew; whether there were any."""
        with self._database.read() as connection:
            found = next_reread(connection, _PEOPLE)
        if found is None:
            return False
        told = list(self._told(found)) if found.people else []
        with self._database.begin() as connection:
            self._calculator.take(connection, told, newest_only=True)
            reread_until(connection, found)
        return True

    def _told(self, found: Rereading) -> Iterator[Told]:
        """What goals tells of these people now."""
        asked = goals_pb2.GetValuesRequest(
            period_kind=GOALS_KINDS[found.period.kind],
            on=from_date(found.period.first_day),
            person_ids=found.people,
        )
        answer = self._stub.GetValues(asked, timeout=_ANSWER_SECONDS)
        now = self._clock.now()
        for changed in answer.values:
            yield from told_of(changed, answer.position, now)

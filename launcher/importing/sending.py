"""Sending facts as a stream of batches: answered in order, sent again when the platform was away for a moment."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Final

import grpc
from foothold.goals.v1 import facts_pb2, facts_pb2_grpc

from chassis.errors import Unavailable, from_rpc_error
from launcher.importing.crm import Told
from launcher.importing.reading import Fault
from launcher.importing.report import Report

_BATCH: Final = 1_000
_IN_FLIGHT: Final = 4
_PAUSE: Final = 0.2


class Sender:
    """Streams facts and counts what became of each. Memory holds at most a few batches.

    A batch whose answer was lost is sent again: the ledger knows what it has, and nothing is recorded twice.
    The platform may be away for `patience` seconds at a time.
    """

    def __init__(
        self,
        stub: facts_pb2_grpc.FactsServiceStub,
        report: Report,
        *,
        patience: float = 60.0,
        waiting: Callable[[], None] | None = None,
    ) -> None:
        self._stub = stub
        self._report = report
        self._patience = patience
        self._waiting = waiting or (lambda: None)
        self._lock = threading.Lock()
        self._pending: deque[list[Told]] = deque()
        self._failure: BaseException | None = None
        self._exhausted = False

    def send(self, facts: Iterable[Told]) -> None:
        """Return once every fact has been answered. Failures as chassis.errors say."""
        source = iter(facts)
        progress = time.monotonic()
        while True:
            stream = _Stream()
            answered = len(self._pending)
            try:
                for answer in self._stub.StreamFacts(self._requests(stream, source)):
                    self._take(self._pending.popleft(), answer)
                    stream.room.release()
                    progress = time.monotonic()
            except grpc.RpcError as error:
                if self._failure is not None:
                    raise self._failure from None
                failure = from_rpc_error(error)
                if not isinstance(failure, Unavailable) or time.monotonic() - progress > self._patience:
                    raise failure from error
            finally:
                with self._lock:
                    stream.over = True
            if self._exhausted and not self._pending:
                return
            if len(self._pending) >= answered:
                self._waiting()
                time.sleep(_PAUSE)

    def _requests(self, stream: "_Stream", source: Iterator[Told]) -> Iterator[facts_pb2.StreamFactsRequest]:
        """Runs in gRPC's thread: what was not answered on the stream before, then the rest of the source."""
        again = list(self._pending)
        while True:
            while not stream.room.acquire(timeout=_PAUSE):
                if stream.over:
                    return
            with self._lock:
                if stream.over:
                    return
                batch = again.pop(0) if again else self._next(source)
            if not batch:
                return
            yield facts_pb2.StreamFactsRequest(
                facts=[told.fact for told in batch], dry_run=self._report.dry_run
            )

    def _next(self, source: Iterator[Told]) -> list[Told]:
        try:
            batch = list(islice(source, _BATCH))
        except BaseException as error:
            self._failure = error
            raise
        if batch:
            self._pending.append(batch)
        else:
            self._exhausted = True
        return batch

    def _take(self, batch: list[Told], answer: facts_pb2.StreamFactsResponse) -> None:
        for told, result in zip(batch, answer.results, strict=True):
            if result.outcome == facts_pb2.FACT_OUTCOME_RECORDED:
                self._report.recorded += 1
            elif result.outcome == facts_pb2.FACT_OUTCOME_ALREADY_KNOWN:
                self._report.known += 1
            else:
                self._report.refuse(Fault(told.line, result.field, result.reason, result.message, told.key))


class _Stream:
    """One attempt at streaming."""

    def __init__(self) -> None:
        self.room = threading.Semaphore(_IN_FLIGHT)
        self.over = False

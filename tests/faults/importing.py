"""A CRM that keeps telling its history to a platform that keeps dying."""

import random
import threading
import time
from collections.abc import Iterator, Sequence

import grpc
from foothold.goals.v1 import facts_pb2, facts_pb2_grpc

from chassis.errors import from_rpc_error
from tests.platform import Platform

_PATIENCE_SECONDS = 120
_PAUSE_SECONDS = 0.05
_AWAY = {"UNAVAILABLE", "CANCELLED", "DEADLINE_EXCEEDED", "ABORTED", "RESOURCE_EXHAUSTED"}

Version = tuple[str, int]


class Import:
    """Sends batches in order, each again until it is answered; half by StreamFacts, half by RecordFacts."""

    def __init__(self, platform: Platform, batches: Sequence[Sequence[facts_pb2.Fact]]) -> None:
        self._platform = platform
        self._batches = batches
        self._chance = random.Random(len(batches))
        self._thread = threading.Thread(target=self._run, name="import", daemon=True)
        self.acknowledged: set[Version] = set()
        self.answered = 0
        self.interrupted = 0
        self.failure: str | None = None

    def start(self) -> None:
        self._thread.start()

    def finish(self, seconds: float) -> None:
        self._thread.join(seconds)
        assert not self._thread.is_alive(), "the import did not end"
        assert self.failure is None, self.failure

    def alive(self) -> bool:
        return self._thread.is_alive()

    def _run(self) -> None:
        try:
            waiting = list(self._batches)
            while waiting:
                # A stream of a few batches, as an import sends them.
                answered = self._send(waiting[: self._chance.randrange(1, 6)])
                del waiting[:answered]
        except BaseException as error:  # noqa: BLE001  told by the test's own thread
            self.failure = repr(error)

    def _send(self, batches: Sequence[Sequence[facts_pb2.Fact]]) -> int:
        """Send until something is answered; how many batches were."""
        until = time.monotonic() + _PATIENCE_SECONDS
        while True:
            # A channel of its own: the platform's are shared and closed with it.
            stub = facts_pb2_grpc.FactsServiceStub(self._platform.channel("goals", timeout=10))
            answered = 0
            try:
                for batch, results in zip(batches, self._answers(stub, batches), strict=False):
                    self._note(batch, results)
                    answered += 1
            except grpc.RpcError as error:
                failure = from_rpc_error(error)
                # A refusal by the service names its domain; what the transport makes of a killed peer does not.
                if failure.domain and failure.code.name not in _AWAY:
                    raise
                self.interrupted += 1
                if not answered:
                    assert time.monotonic() < until, f"nobody answers: {failure}"
                    time.sleep(_PAUSE_SECONDS)
            if answered:
                self.answered += answered
                return answered

    def _answers(
        self, stub: facts_pb2_grpc.FactsServiceStub, batches: Sequence[Sequence[facts_pb2.Fact]]
    ) -> "list[Sequence[facts_pb2.FactResult]] | _Results":
        if self._chance.random() < 0.5:
            request = facts_pb2.RecordFactsRequest(facts=batches[0])
            return [stub.RecordFacts(request).results]
        requests = iter([facts_pb2.StreamFactsRequest(facts=batch) for batch in batches])
        return _Results(stub.StreamFacts(requests, timeout=20))

    def _note(self, batch: Sequence[facts_pb2.Fact], results: Sequence[facts_pb2.FactResult]) -> None:
        for fact, result in zip(batch, results, strict=True):
            assert result.outcome != facts_pb2.FACT_OUTCOME_REFUSED, (fact, result)
            self.acknowledged.add((fact.external_id, fact.version))


class _Results:
    """The results of each answer of a stream, as they come."""

    def __init__(self, answers: Iterator[facts_pb2.StreamFactsResponse]) -> None:
        self._answers = answers

    def __iter__(self) -> "_Results":
        return self

    def __next__(self) -> Sequence[facts_pb2.FactResult]:
        return next(self._answers).results


def outcomes_of_sending_again(
    platform: Platform, facts: Sequence[facts_pb2.Fact]
) -> dict[Version, "facts_pb2.FactOutcome.ValueType"]:
    """What becomes of each fact when all are sent once more."""
    stub = facts_pb2_grpc.FactsServiceStub(platform.channel("goals"))
    found: dict[Version, facts_pb2.FactOutcome.ValueType] = {}
    for begin in range(0, len(facts), 500):
        batch = facts[begin : begin + 500]
        results = stub.RecordFacts(facts_pb2.RecordFactsRequest(facts=batch)).results
        for fact, result in zip(batch, results, strict=True):
            found[fact.external_id, fact.version] = result.outcome
    return found

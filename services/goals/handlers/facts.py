"""FactsService."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import grpc
from foothold.goals.v1 import facts_pb2, facts_pb2_grpc

from access import Scope, caller
from chassis.clock import Clock
from chassis.database import Database
from chassis.errors import Failure, InvalidArgument, NotFound, PermissionDenied
from chassis.paging import decode_token, encode_token
from chassis.validation import Fields
from services.goals.domain.facts import BY_HAND, Fact, FactKind, Refusal, parse_fact_id
from services.goals.domain.recorded import Recorded, Result
from services.goals.permissions import CUSTOMERS_READ, FACTS_READ, FACTS_RECORD, LEDGER_CHECK
from services.goals.store.checking import check_ledger
from services.goals.store.listing import Facts
from services.goals.store.recording import Recorder, Told
from services.goals.wire.credits import Owner
from services.goals.wire.facts import FactReader, add_results, from_recorded, from_result

_MOST_FACTS: Final = 5_000
_LONGEST_ID: Final = 64
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_PLACE: Final = (int, str, str, int)
# What a lone fact is refused with; whatever is not named here is wrong whoever sends it.
_KINDS: Final[Mapping[str, type[Failure]]] = {
    "PERSON_UNKNOWN": NotFound,
    "PERMISSION_MISSING": PermissionDenied,
}


class FactsHandler(facts_pb2_grpc.FactsServiceServicer):
    """Tells facts to the ledger and lists what stands there."""

    def __init__(
        self,
        database: Database,
        recorder: Recorder,
        reader: FactReader,
        clock: Clock,
        record_one: Callable[[Told], Result],
    ) -> None:
        self._database = database
        self._recorder = recorder
        self._reader = reader
        self._clock = clock
        self._record_one = record_one

    def RecordFact(
        self, request: facts_pb2.RecordFactRequest, context: grpc.ServicerContext
    ) -> facts_pb2.RecordFactResponse:
        scope = caller(context).scope(FACTS_RECORD)
        position = self._recorder.position
        fact = by_its_teller(
            self._reader.read(request.fact, owner_within(scope), self._recorder.day_number, self._now()),
            scope,
        )
        refusal = fact if isinstance(fact, Refusal) else None
        if not isinstance(fact, Refusal):
            result = self._record_one(Told(fact, scope, position))
            refusal = result.refusal
            if refusal is None:
                return facts_pb2.RecordFactResponse(result=from_result(result, fact))
        assert refusal is not None  # noqa: S101  one of the two was
        kind = _KINDS.get(refusal.reason, InvalidArgument)
        raise kind(refusal.reason, refusal.message, fields={f"fact.{refusal.field}": refusal.message})

    def RecordFacts(
        self, request: facts_pb2.RecordFactsRequest, context: grpc.ServicerContext
    ) -> facts_pb2.RecordFactsResponse:
        scope = caller(context).scope(FACTS_RECORD)
        response = facts_pb2.RecordFactsResponse()
        self._record(request, scope, response)
        return response

    def StreamFacts(
        self, request_iterator: Iterable[facts_pb2.StreamFactsRequest], context: grpc.ServicerContext
    ) -> Iterator[facts_pb2.StreamFactsResponse]:
        who = caller(context)
        for request in request_iterator:
            # Asked again for each batch: a stream may outlive the right to it.
            scope = who.scope(FACTS_RECORD)
            response = facts_pb2.StreamFactsResponse()
            self._record(request, scope, response)
            yield response

    def ListFacts(
        self, request: facts_pb2.ListFactsRequest, context: grpc.ServicerContext
    ) -> facts_pb2.ListFactsResponse:
        who = caller(context)
        scope = who.scope(FACTS_READ)
        fields = Fields()
        first = fields.optional_instant("from", getattr(request, "from"), present=request.HasField("from"))
        stop = fields.optional_instant("to", request.to, present=request.HasField("to"))
        kinds = {fields.one_of("kinds", int(kind), set(FactKind)) for kind in request.kinds}
        size = fields.page_size(request.page_size)
        fields.text("person_id", request.person_id, max_length=_LONGEST_ID, required=False)
        fields.require_valid()
        if request.person_id:
            scope.require_person(request.person_id)
        after = decode_token(request.page_token, query=request, shape=_PLACE)
        with self._database.read() as connection:
            found = Facts(connection, scope).page(
                person_id=request.person_id,
                first=first,
                stop=stop,
                kinds=kinds,
                uncounted=request.include_uncounted,
                after=after,  # type: ignore[arg-type]  # its shape was checked
                limit=size + 1,
            )
        token = encode_token(found[size - 1].place, query=request) if len(found) > size else ""
        return facts_pb2.ListFactsResponse(
            facts=[self._told(each, scope) for each in found[:size]], next_page_token=token
        )

    def GetFactHistory(
        self, request: facts_pb2.GetFactHistoryRequest, context: grpc.ServicerContext
    ) -> facts_pb2.GetFactHistoryResponse:
        scope = caller(context).scope(FACTS_READ)
        unknown = NotFound("FACT_UNKNOWN", "There is no such fact.")
        named = parse_fact_id(request.fact_id)
        if named is None:
            raise unknown
        key, version = named
        with self._database.read() as connection:
            found = Facts(connection, scope).history(key)
        if not any(each.version == version and each.id == request.fact_id for each in found):
            raise unknown
        return facts_pb2.GetFactHistoryResponse(versions=[self._told(each, scope) for each in found])

    def CheckLedger(
        self, request: facts_pb2.CheckLedgerRequest, context: grpc.ServicerContext
    ) -> facts_pb2.CheckLedgerResponse:
        caller(context).scope(LEDGER_CHECK).require_everywhere()
        with self._database.read() as connection:
            check = check_ledger(connection)
        return facts_pb2.CheckLedgerResponse(
            state_hash=check.state_hash,
            fact_versions=check.versions,
            facts_counting=check.counting,
            values_checked=check.checked,
            values_differing=check.differing,
        )

    def _record(
        self,
        request: facts_pb2.RecordFactsRequest | facts_pb2.StreamFactsRequest,
        scope: Scope,
        response: facts_pb2.RecordFactsResponse | facts_pb2.StreamFactsResponse,
    ) -> None:
        if not 1 <= len(request.facts) <= _MOST_FACTS:
            raise InvalidArgument(
                "FIELD_INVALID",
                f"a batch has 1 to {_MOST_FACTS} facts",
                fields={"facts": f"must hold 1 to {_MOST_FACTS} items"},
            )
        position = self._recorder.position
        owner, day, now = owner_within(scope), self._recorder.day_number, self._now()
        read = self._reader.read
        rows = [read(fact, owner, day, now) for fact in request.facts]
        if scope.caller.person_id:
            rows = [by_its_teller(row, scope) for row in rows]
        told = [row for row in rows if isinstance(row, Fact)]
        recorded = iter(
            self._recorder.record(told, [scope] * len(told), position=position, dry_run=request.dry_run)
        )
        add_results(response.results, rows, recorded)

    def _now(self) -> int:
        return (self._clock.now() - _EPOCH) // timedelta(microseconds=1)

    def _told(self, recorded: Recorded, scope: Scope) -> facts_pb2.RecordedFact:
        return told(recorded, scope, self._reader)


def told(recorded: Recorded, scope: Scope, reader: FactReader) -> facts_pb2.RecordedFact:
    """A recorded fact, with its customer for those who may know customers."""
    customers = scope.caller.may(CUSTOMERS_READ, recorded.person_id)
    return from_recorded(recorded, reader, customers=customers)


def by_its_teller(fact: Fact | Refusal, scope: Scope) -> Fact | Refusal:
    """The fact, or its refusal where a person tells it under a system's key.

    Whoever could do that could take a key before the system does, with a version so high that the system's own
    facts never count.
    """
    if isinstance(fact, Fact) and scope.caller.person_id and fact.source != BY_HAND:
        return Refusal(
            "source",
            "PERMISSION_MISSING",
            f"people record under the source {BY_HAND}; other sources are told by service accounts",
        )
    return fact


def owner_within(scope: Scope) -> Owner:
    """Finds whose a fact is, once for each person in a batch."""
    directory = scope.caller.directory
    known: dict[tuple[str, str], tuple[str, str] | Refusal] = {}

    def find(person_id: str, employee_number: str) -> tuple[str, str] | Refusal:
        asked = (person_id, employee_number)
        found = known.get(asked)
        if found is None:
            found = known[asked] = look(person_id, employee_number)
        return found

    def look(person_id: str, employee_number: str) -> tuple[str, str] | Refusal:
        field = "employee_number" if employee_number else "person_id"
        if not person_id and not employee_number:
            return Refusal(field, "FIELD_INVALID", "whose it is must be told")
        if employee_number:
            person = directory.person_by_employee_number(employee_number)
        else:
            person = directory.person(person_id)
        found = person.id if person is not None else ""
        try:
            scope.require_person(found)
        except Failure as failure:
            return Refusal(field, failure.reason, failure.message)
        return found, directory.zone_of(found)

    return find

"""Lines are looked at again when those they pay ask for it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Final, TypeVar

import grpc
from foothold.incentives.v1 import disputes_pb2, disputes_pb2_grpc, statements_pb2
from google.protobuf.message import Message
from sqlalchemy import Connection

from access import Directory, Scope, caller
from chassis.clock import Clock
from chassis.database import Database
from chassis.errors import FailedPrecondition, NotFound
from chassis.feed import NewEvent, publish
from chassis.ids import new_id
from chassis.paging import decode_token, encode_token
from chassis.validation import Fields
from services.incentives.catalogue import Catalogue
from services.incentives.domain.closing import Adjustment, open_period
from services.incentives.domain.disputes import DAYS_TO_ANSWER, Dispute, DisputeState
from services.incentives.domain.periods import Period, PeriodKind, period_of, today
from services.incentives.domain.plan_book import PlanBook
from services.incentives.domain.statements import Standing
from services.incentives.handlers.commands import once, require_second
from services.incentives.handlers.statements import Asked, StatementsHandler
from services.incentives.store import closing
from services.incentives.store.catalogue import begin_calculation
from services.incentives.store.disputes import DisputeStore
from services.incentives.wire.closing import from_adjustment
from services.incentives.wire.disputes import from_dispute
from services.incentives.wire.feed import ADJUSTMENT_CHANGED
from services.incentives.wire.values import to_date, to_money

R = TypeVar("R", bound=Message)

_OPEN: Final = "incentives.disputes.open"
_ANSWER: Final = "incentives.disputes.answer"
_READ: Final = "incentives.statements.read"
_LARGEST: Final = 10**12


class DisputesHandler(disputes_pb2_grpc.DisputesServiceServicer):
    """`statements` explains the line as it is when a dispute is opened."""

    def __init__(
        self,
        database: Database,
        catalogue: Catalogue,
        statements: StatementsHandler,
        clock: Clock,
        currency: str,
    ) -> None:
        self._database = database
        self._catalogue = catalogue
        self._statements = statements
        self._clock = clock
        self._currency = currency

    def OpenDispute(
        self, request: disputes_pb2.OpenDisputeRequest, context: grpc.ServicerContext
    ) -> disputes_pb2.OpenDisputeResponse:
        scope = caller(context).scope(_OPEN)
        person_id = scope.caller.person_id
        fields = Fields()
        fields.request_id(request.request_id)
        rule_id = fields.text("rule_id", request.rule_id, max_length=40)
        words = fields.text("words", request.words, max_length=1000)
        on = fields.date("on", request.on) if request.HasField("on") else None
        fields.require_valid()
        scope.require_person(person_id)

        def produce(connection: Connection) -> disputes_pb2.OpenDisputeResponse:
            trace = self._statements.explain(connection, scope, Asked(person_id, on), rule_id)
            opened = self._opened(scope.caller.directory, person_id, trace, words)
            if not DisputeStore(connection, scope).open(opened):
                raise FailedPrecondition("DISPUTE_OPEN", "A dispute about that line is open already.")
            return disputes_pb2.OpenDisputeResponse(dispute=self._told(scope, opened))

        return self._once(scope, "OpenDispute", request, disputes_pb2.OpenDisputeResponse, produce)

    def WithdrawDispute(
        self, request: disputes_pb2.WithdrawDisputeRequest, context: grpc.ServicerContext
    ) -> disputes_pb2.WithdrawDisputeResponse:
        scope = caller(context).scope(_OPEN)
        fields = Fields()
        fields.request_id(request.request_id)
        dispute_id = fields.identifier("dispute_id", request.dispute_id)
        fields.require_valid()

        def produce(connection: Connection) -> disputes_pb2.WithdrawDisputeResponse:
            store = DisputeStore(connection, scope)
            found = _open(store, dispute_id)
            if found.person_id != scope.caller.person_id:
                raise _unknown()
            ended = replace(found, state=DisputeState.WITHDRAWN, ended_at=self._clock.now())
            store.end(ended)
            return disputes_pb2.WithdrawDisputeResponse(dispute=self._told(scope, ended))

        return self._once(scope, "WithdrawDispute", request, disputes_pb2.WithdrawDisputeResponse, produce)

    def AnswerDispute(
        self, request: disputes_pb2.AnswerDisputeRequest, context: grpc.ServicerContext
    ) -> disputes_pb2.AnswerDisputeResponse:
        scope = caller(context).scope(_ANSWER)
        fields = Fields()
        fields.request_id(request.request_id)
        dispute_id = fields.identifier("dispute_id", request.dispute_id)
        answer = fields.text("answer", request.answer, max_length=1000)
        amount = self._amount(fields, request)
        fields.require_valid()

        def produce(connection: Connection) -> disputes_pb2.AnswerDisputeResponse:
            # First, as everywhere: whoever computes holds this before anything else.
            version = begin_calculation(connection)
            store = DisputeStore(connection, scope)
            found = _open(store, dispute_id)
            require_second(scope, [found.person_id], "Nobody answers a dispute of their own.")
            ended = replace(
                found,
                state=DisputeState.ADJUSTED if amount else DisputeState.ANSWERED,
                answer=answer,
                answered_by=scope.caller.id,
                ended_at=self._clock.now(),
                adjustment=amount,
            )
            if amount:
                book = self._catalogue.plans(connection, version)
                ended = replace(ended, paid_in=self._adjust(connection, book, scope, ended))
            store.end(ended)
            return disputes_pb2.AnswerDisputeResponse(dispute=self._told(scope, ended))

        return self._once(scope, "AnswerDispute", request, disputes_pb2.AnswerDisputeResponse, produce)

    def GetDispute(
        self, request: disputes_pb2.GetDisputeRequest, context: grpc.ServicerContext
    ) -> disputes_pb2.GetDisputeResponse:
        scope = caller(context).scope(_READ)
        fields = Fields()
        dispute_id = fields.identifier("dispute_id", request.dispute_id)
        fields.require_valid()
        with self._database.read() as connection:
            found = DisputeStore(connection, scope).get(dispute_id)
        if found is None:
            raise _unknown()
        return disputes_pb2.GetDisputeResponse(dispute=self._told(scope, found))

    def ListDisputes(
        self, request: disputes_pb2.ListDisputesRequest, context: grpc.ServicerContext
    ) -> disputes_pb2.ListDisputesResponse:
        scope = caller(context).scope(_READ)
        fields = Fields()
        node_id = fields.identifier("node_id", request.node_id)
        size = fields.page_size(request.page_size)
        fields.require_valid()
        after = decode_token(request.page_token, query=request, shape=(int,))
        first = int(after[0] or 0) if after else 0
        with self._database.read() as connection:
            found = DisputeStore(connection, scope).listed(node_id)
        days = {each.person_id: self._today(scope.caller.directory, each.person_id) for each in found}
        page = found[first : first + size]
        return disputes_pb2.ListDisputesResponse(
            disputes=[
                from_dispute(each, self._currency, days[each.person_id], traced=False) for each in page
            ],
            next_page_token=encode_token((first + size,), query=request) if len(found) > first + size else "",
            open=sum(each.state is DisputeState.OPEN for each in found),
            late=sum(each.late(days[each.person_id]) for each in found),
        )

    def _opened(
        self, directory: Directory, person_id: str, trace: statements_pb2.ExplainLineResponse, words: str
    ) -> Dispute:
        first_day = to_date(trace.period.first_day)
        if first_day is None:
            raise ValueError("a statement's line without a period")
        return Dispute(
            id=new_id(),
            person_id=person_id,
            period=Period(PeriodKind(trace.period.kind), first_day),
            rule_id=trace.line.rule_id,
            label=trace.line.label,
            amount=to_money(trace.line.amount).minor or 0,
            words=words,
            trace=trace.SerializeToString(),
            opened_at=self._clock.now(),
            due_day=self._today(directory, person_id) + DAYS_TO_ANSWER,
        )

    def _adjust(self, connection: Connection, book: PlanBook, scope: Scope, ended: Dispute) -> Period:
        """Write the adjustment; the period it is paid in."""
        directory, person_id = scope.caller.directory, ended.person_id
        person = directory.person(person_id)
        role = person.job_role if person is not None else ""
        standing = Standing(directory.ancestors(person_id), role, self._today(directory, person_id))
        period = open_period(book, standing)
        while closing.frozen_of(connection, [(person_id, period)]):
            period = period_of(period.kind, period.end_day)
        made = closing.adjust(
            connection,
            Adjustment(
                person_id,
                period,
                ended.period,
                ended.rule_id,
                ended.label,
                ended.adjustment,
                self._clock.now(),
                goals_position=0,
                dispute_id=ended.id,
            ),
        )
        told = from_adjustment(made, self._currency).SerializeToString()
        publish(connection, [NewEvent(ADJUSTMENT_CHANGED, person_id, told)])
        return period

    def _amount(self, fields: Fields, request: disputes_pb2.AnswerDisputeRequest) -> int:
        if not request.HasField("adjustment"):
            return 0
        asked = to_money(request.adjustment)
        if asked.currency != self._currency:
            fields.refuse("adjustment.currency_code", f"must be {self._currency}, the enterprise's currency")
        if asked.minor is None or abs(asked.minor) > _LARGEST:
            fields.refuse("adjustment", f"must be whole hundredths, at most {_LARGEST} of them either way")
        return asked.minor or 0

    def _told(self, scope: Scope, dispute: Dispute) -> disputes_pb2.Dispute:
        day = self._today(scope.caller.directory, dispute.person_id)
        return from_dispute(dispute, self._currency, day, traced=True)

    def _today(self, directory: Directory, person_id: str) -> date:
        return today(self._clock.now(), directory.zone_of(person_id))

    def _once(
        self, scope: Scope, rpc: str, request: Message, response: type[R], produce: Callable[[Connection], R]
    ) -> R:
        return once(self._database, scope, f"DisputesService/{rpc}", request, response, produce)


def _open(store: DisputeStore, dispute_id: str) -> Dispute:
    found = store.get(dispute_id, locked=True)
    if found is None:
        raise _unknown()
    if found.state is not DisputeState.OPEN:
        state = found.state.name.lower()
        raise FailedPrecondition("DISPUTE_ENDED", f"The dispute is {state}.", metadata={"state": state})
    return found


def _unknown() -> NotFound:
    return NotFound("DISPUTE_UNKNOWN", "There is no such dispute.")

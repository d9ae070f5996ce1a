"""FairnessService."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final, TypeVar

import grpc
from foothold.goals.v1 import fairness_pb2, fairness_pb2_grpc
from google.protobuf.message import Message
from sqlalchemy import Connection

from access import Scope, caller
from access.callers import missing
from chassis.clock import Clock
from chassis.database import Database
from chassis.errors import FailedPrecondition
from chassis.idempotency import answer_once
from chassis.paging import decode_token, encode_token
from chassis.validation import Fields
from services.goals.domain.fairness import (
    ANSWERS,
    BOUNDS,
    BUILT_IN_RULES,
    LOOKED_BACK,
    FairnessKind,
    FairnessRule,
    Flag,
    FlagState,
    Numbers,
    RuleKey,
    months_of,
)
from services.goals.domain.periods import local_day
from services.goals.handlers.cascade import LONGEST_ID, LONGEST_REASON
from services.goals.handlers.facts import told
from services.goals.handlers.metrics import people_at
from services.goals.permissions import (
    FAIRNESS_ANSWER,
    FAIRNESS_READ,
    FAIRNESS_REPLY,
    FAIRNESS_RULES_WRITE,
)
from services.goals.store.fairness import Flags, place_of
from services.goals.store.fairness_rules import FairnessRules
from services.goals.store.listing import Facts
from services.goals.watching import look, tell
from services.goals.wire.facts import FactReader
from services.goals.wire.fairness import from_flag, from_rule

_LARGEST_PAGE: Final = 500
_LONGEST_REPLY: Final = 1_000
_FACTS_SHOWN: Final = 200
_MOST_LOOKED_AT: Final = 2_000
_SERVICE: Final = "/foothold.goals.v1.FairnessService/"
_PLACE: Final = (int, int, str)
_RULE_PLACE: Final = (str, int)

R = TypeVar("R", bound=Message)


class FairnessHandler(fairness_pb2_grpc.FairnessServiceServicer):
    """Tells flags, takes answers and replies, and sets rules."""

    def __init__(self, database: Database, reader: FactReader, clock: Clock) -> None:
        self._database = database
        self._reader = reader
        self._clock = clock

    def ListFlags(
        self, request: fairness_pb2.ListFlagsRequest, context: grpc.ServicerContext
    ) -> fairness_pb2.ListFlagsResponse:
        scope = caller(context).scope(FAIRNESS_READ)
        fields = Fields()
        person_id = fields.text("person_id", request.person_id, max_length=LONGEST_ID, required=False)
        node_id = fields.text("node_id", request.node_id, max_length=LONGEST_ID, required=False)
        kinds = {fields.one_of("kinds", int(kind), set(FairnessKind)) for kind in request.kinds}
        states = {fields.one_of("states", int(state), set(FlagState)) for state in request.states}
        size = fields.page_size(request.page_size, maximum=_LARGEST_PAGE)
        fields.require_valid()
        after = decode_token(request.page_token, query=request, shape=_PLACE)
        people = people_at(scope, node_id) if node_id else None
        if person_id:
            scope.require_person(person_id)
            people = frozenset({person_id}) if people is None else people & {person_id}
        with self._database.read() as connection:
            found, total = Flags(connection, scope).page(
                people=people,
                kinds=[FairnessKind(kind) for kind in kinds],
                states=[FlagState(state) for state in states],
                after=after,  # type: ignore[arg-type]  # its shape was checked
                limit=size + 1,
            )
        token = encode_token(place_of(found[size - 1]), query=request) if len(found) > size else ""
        return fairness_pb2.ListFlagsResponse(
            flags=[from_flag(each) for each in found[:size]], next_page_token=token, total_size=total
        )

    def GetFlag(
        self, request: fairness_pb2.GetFlagRequest, context: grpc.ServicerContext
    ) -> fairness_pb2.GetFlagResponse:
        scope = caller(context).scope(FAIRNESS_READ)
        fields = Fields()
        flag_id = fields.identifier("flag_id", request.flag_id)
        fields.require_valid()
        with self._database.read() as connection:
            flag = Flags(connection, scope).get(flag_id)
            facts = Facts(connection, scope).standing(flag.found.facts[:_FACTS_SHOWN])
        return fairness_pb2.GetFlagResponse(
            flag=from_flag(flag), facts=[told(each, scope, self._reader) for each in facts]
        )

    def AnswerFlag(
        self, request: fairness_pb2.AnswerFlagRequest, context: grpc.ServicerContext
    ) -> fairness_pb2.AnswerFlagResponse:
        scope = caller(context).scope(FAIRNESS_ANSWER)
        fields = Fields()
        fields.request_id(request.request_id)
        flag_id = fields.identifier("flag_id", request.flag_id)
        outcome = fields.one_of("outcome", int(request.outcome), ANSWERS)
        reason = fields.text("reason", request.reason, max_length=LONGEST_REASON)
        fields.require_valid()

        def store(connection: Connection) -> fairness_pb2.AnswerFlagResponse:
            flag = Flags(connection, scope).get(flag_id, change=True)
            if flag.person_id == scope.caller.person_id:
                raise FailedPrecondition("SECOND_PERSON_NEEDED", "Nobody answers a flag of their own.")
            if flag.state is not FlagState.OPEN and (flag.state, outcome) != (
                FlagState.CONFIRMED,
                FlagState.DISMISSED,
            ):
                raise _answered(flag)
            answered = flag.answered(
                FlagState(outcome), reason=reason, by=scope.caller.id, at=self._clock.now()
            )
            tell(connection, [answered])
            return fairness_pb2.AnswerFlagResponse(flag=from_flag(answered))

        return self._once(scope, "AnswerFlag", request, fairness_pb2.AnswerFlagResponse, store)

    def ReplyToFlag(
        self, request: fairness_pb2.ReplyToFlagRequest, context: grpc.ServicerContext
    ) -> fairness_pb2.ReplyToFlagResponse:
        scope = caller(context).scope(FAIRNESS_REPLY)
        fields = Fields()
        fields.request_id(request.request_id)
        flag_id = fields.identifier("flag_id", request.flag_id)
        reply = fields.text("reply", request.reply, max_length=_LONGEST_REPLY)
        fields.require_valid()

        def store(connection: Connection) -> fairness_pb2.ReplyToFlagResponse:
            flag = Flags(connection, scope).get(flag_id, change=True)
            if flag.person_id != scope.caller.person_id:
                # Nobody speaks for somebody else, whatever node the permission is granted on.
                raise missing(FAIRNESS_REPLY)
            if flag.state is not FlagState.OPEN:
                raise _answered(flag)
            replied = replace(flag, reply=reply)
            tell(connection, [replied])
            return fairness_pb2.ReplyToFlagResponse(flag=from_flag(replied))

        return self._once(scope, "ReplyToFlag", request, fairness_pb2.ReplyToFlagResponse, store)

    def SetFairnessRule(
        self, request: fairness_pb2.SetFairnessRuleRequest, context: grpc.ServicerContext
    ) -> fairness_pb2.SetFairnessRuleResponse:
        scope = caller(context).scope(FAIRNESS_RULES_WRITE)
        fields = Fields()
        fields.request_id(request.request_id)
        rule = self._read(fields, request.rule, scope, reasoned=True)

        def store(connection: Connection) -> fairness_pb2.SetFairnessRuleResponse:
            FairnessRules(connection, scope).set(rule)
            return fairness_pb2.SetFairnessRuleResponse(rule=from_rule(rule))

        return self._once(scope, "SetFairnessRule", request, fairness_pb2.SetFairnessRuleResponse, store)

    def ListFairnessRules(
        self, request: fairness_pb2.ListFairnessRulesRequest, context: grpc.ServicerContext
    ) -> fairness_pb2.ListFairnessRulesResponse:
        scope = caller(context).scope(FAIRNESS_READ)
        fields = Fields()
        node_id = fields.text("node_id", request.node_id, max_length=LONGEST_ID, required=False)
        size = fields.page_size(request.page_size, maximum=_LARGEST_PAGE)
        fields.require_valid()
        after = decode_token(request.page_token, query=request, shape=_RULE_PLACE)
        with self._database.read() as connection:
            found = FairnessRules(connection, scope).page(
                node_id=node_id,
                after=after,  # type: ignore[arg-type]  # its shape was checked
                limit=size + 1,
            )
        last = (found[size - 1].key.node_id, int(found[size - 1].key.kind)) if len(found) > size else None
        return fairness_pb2.ListFairnessRulesResponse(
            rules=[from_rule(each) for each in found[:size]],
            next_page_token=encode_token(last, query=request) if last else "",
            built_in=[from_rule(each) for each in BUILT_IN_RULES],
        )

    def PreviewFairnessRule(
        self, request: fairness_pb2.PreviewFairnessRuleRequest, context: grpc.ServicerContext
    ) -> fairness_pb2.PreviewFairnessRuleResponse:
        scope = caller(context).scope(FAIRNESS_RULES_WRITE)
        rule = self._read(Fields(), request.rule, scope, reasoned=False)
        directory = scope.caller.directory
        people = sorted(directory.active_under(rule.key.node_id))[:_MOST_LOOKED_AT]
        now = self._clock.now()
        months = set()
        for person_id in people:
            today = local_day(now, directory.zone_of(person_id))
            days = [today - LOOKED_BACK * part / 3 for part in range(4)]
            months |= {(person_id, month) for month in months_of(days, today)}
        with self._database.read() as connection:
            would = look(connection, directory, months, instead=rule) if rule.active else {}
            now_found = look(connection, directory, months)
        return fairness_pb2.PreviewFairnessRuleResponse(
            flags=sum(map(len, would.values())),
            people=len({person_id for (person_id, _), found in would.items() if found}),
            looked_at=len(people),
            now=sum(each.rule.key.kind is rule.key.kind for found in now_found.values() for each in found),
        )

    def _read(
        self, fields: Fields, said: fairness_pb2.FairnessRule, scope: Scope, *, reasoned: bool
    ) -> FairnessRule:
        within = fields.within("rule")
        node_id = within.identifier("node_id", said.node_id)
        known = within.one_of("kind", int(said.kind), set(FairnessKind))
        bounds = BOUNDS[FairnessKind(known)] if known else {}
        numbers = {}
        for name in Numbers._fields:
            least, largest = bounds.get(name, (0, 0))
            numbers[name] = within.integer(name, getattr(said, name), minimum=least, maximum=largest)
        reason = within.text("reason", said.reason, max_length=LONGEST_REASON, required=reasoned)
        fields.require_valid()
        scope.require(node_id)
        return FairnessRule(
            RuleKey(node_id, FairnessKind(known)),
            said.active,
            Numbers(**numbers),
            reason,
            scope.caller.id,
            self._clock.now(),
        )

    def _once(
        self,
        scope: Scope,
        rpc: str,
        request: Message,
        response: type[R],
        store: Callable[[Connection], R],
    ) -> R:
        with self._database.begin() as connection:
            return answer_once(
                connection,
                caller=scope.caller.id,
                method=_SERVICE + rpc,
                request=request,
                response=response,
                produce=lambda: store(connection),
            )


def _answered(flag: Flag) -> FailedPrecondition:
    state = flag.state.name.lower()
    return FailedPrecondition(
        "FLAG_ANSWERED", f"The flag is {state}; there is nothing to say to it.", metadata={"state": state}
    )

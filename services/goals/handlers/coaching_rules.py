"""CoachingRulesService."""

from collections.abc import Sequence
from datetime import date
from typing import Final

import grpc
from foothold.goals.v1 import coaching_rules_pb2, coaching_rules_pb2_grpc

from access import Scope, caller
from chassis.clock import Clock
from chassis.database import Database
from chassis.idempotency import answer_once
from chassis.paging import decode_token, encode_token
from chassis.validation import Fields
from services.goals.domain.coaching import Rule, RuleKey, Situation
from services.goals.handlers.cascade import LONGEST_ID, LONGEST_REASON
from services.goals.handlers.metrics import find_metric
from services.goals.permissions import COACHING_READ, COACHING_RULES_WRITE
from services.goals.store.coaching_rules import Rules
from services.goals.store.library import LibraryCache
from services.goals.wire.coaching import from_rule

LONGEST_STEP: Final = 300
_MOST_DAYS: Final = 30
_LARGEST_PAGE: Final = 500
_SET: Final = "/foothold.goals.v1.CoachingRulesService/SetRule"
_WITHDRAW: Final = "/foothold.goals.v1.CoachingRulesService/WithdrawRule"
_PLACE: Final = (str, int, str)


class CoachingRulesHandler(coaching_rules_pb2_grpc.CoachingRulesServiceServicer):
    """Sets, takes away and tells coaching rules."""

    def __init__(
        self, database: Database, library: LibraryCache, clock: Clock, built_in: Sequence[Rule]
    ) -> None:
        self._database = database
        self._library = library
        self._clock = clock
        self._built_in = built_in

    def SetRule(
        self, request: coaching_rules_pb2.SetRuleRequest, context: grpc.ServicerContext
    ) -> coaching_rules_pb2.SetRuleResponse:
        scope = caller(context).scope(COACHING_RULES_WRITE)
        rule = self._read(request, scope)
        scope.require(rule.key.node_id)
        with self._database.begin() as connection:

            def produce() -> coaching_rules_pb2.SetRuleResponse:
                Rules(connection, scope).set(rule)
                return coaching_rules_pb2.SetRuleResponse(rule=from_rule(rule))

            return answer_once(
                connection,
                caller=scope.caller.id,
                method=_SET,
                request=request,
                response=coaching_rules_pb2.SetRuleResponse,
                produce=produce,
            )

    def WithdrawRule(
        self, request: coaching_rules_pb2.WithdrawRuleRequest, context: grpc.ServicerContext
    ) -> coaching_rules_pb2.WithdrawRuleResponse:
        scope = caller(context).scope(COACHING_RULES_WRITE)
        fields = Fields()
        fields.request_id(request.request_id)
        node_id = fields.identifier("node_id", request.node_id)
        situation = read_situation(fields, int(request.situation))
        metric = fields.text("metric", request.metric, max_length=LONGEST_ID, required=False)
        reason = fields.text("reason", request.reason, max_length=LONGEST_REASON)
        fields.require_valid()
        with self._database.begin() as connection:

            def produce() -> coaching_rules_pb2.WithdrawRuleResponse:
                Rules(connection, scope).withdraw(
                    RuleKey(node_id, situation, metric),
                    reason=reason,
                    author_id=scope.caller.id,
                    at=self._clock.now(),
                )
                return coaching_rules_pb2.WithdrawRuleResponse()

            return answer_once(
                connection,
                caller=scope.caller.id,
                method=_WITHDRAW,
                request=request,
                response=coaching_rules_pb2.WithdrawRuleResponse,
                produce=produce,
            )

    def ListRules(
        self, request: coaching_rules_pb2.ListRulesRequest, context: grpc.ServicerContext
    ) -> coaching_rules_pb2.ListRulesResponse:
        scope = caller(context).scope(COACHING_READ)
        fields = Fields()
        node_id = fields.text("node_id", request.node_id, max_length=LONGEST_ID, required=False)
        known_at = fields.optional_instant("known_at", request.known_at, present=request.HasField("known_at"))
        size = fields.page_size(request.page_size, maximum=_LARGEST_PAGE)
        fields.require_valid()
        after = decode_token(request.page_token, query=request, shape=_PLACE)
        with self._database.read() as connection:
            found = Rules(connection, scope).page(
                node_id=node_id,
                known_at=known_at,
                after=after,  # type: ignore[arg-type]  # its shape was checked
                limit=size + 1,
            )
        token = encode_token(found[size - 1].key, query=request) if len(found) > size else ""
        return coaching_rules_pb2.ListRulesResponse(
            rules=[from_rule(each) for each in found[:size]],
            next_page_token=token,
            built_in=[from_rule(each) for each in self._built_in],
        )

    def _read(self, request: coaching_rules_pb2.SetRuleRequest, scope: Scope) -> Rule:
        told = request.rule
        fields = Fields()
        fields.request_id(request.request_id)
        within = fields.within("rule")
        node_id = within.identifier("node_id", told.node_id)
        situation = read_situation(within, int(told.situation))
        metric = read_metric(within, situation, told.metric)
        rule = Rule(
            RuleKey(node_id, situation, metric),
            within.text("step_zh", told.step_zh, max_length=LONGEST_STEP),
            within.text("step_en", told.step_en, max_length=LONGEST_STEP),
            within.integer("days", told.days, minimum=1, maximum=_MOST_DAYS),
            within.identifier("course_id", told.course_id, required=False),
            told.active,
            within.text("reason", told.reason, max_length=LONGEST_REASON),
            scope.caller.id,
            self._clock.now(),
        )
        fields.require_valid()
        require_metric(self._library, metric)
        return rule


def read_situation(fields: Fields, told: int) -> Situation:
    """A situation that this version knows."""
    known = fields.one_of("situation", told, set(Situation))
    return Situation(known) if known else Situation.BEHIND


def read_metric(fields: Fields, situation: Situation, told: str) -> str:
    """The metric a situation is about; none for no follow-up, which is about no target."""
    metric = fields.text("metric", told, max_length=LONGEST_ID, required=False)
    if metric and situation is Situation.NO_FOLLOW_UP:
        fields.refuse("metric", "must be empty for that situation")
    return metric


def require_metric(library: LibraryCache, metric: str) -> None:
    """NotFound METRIC_UNKNOWN where a metric is named and none of that name is in use."""
    if metric:
        find_metric(library.metrics(date.max, retired=False), metric)

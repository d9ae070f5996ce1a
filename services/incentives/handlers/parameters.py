"""ParametersService: numbers of plans that nodes set for themselves."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Final, TypeVar

import grpc
from foothold.incentives.v1 import parameters_pb2, parameters_pb2_grpc
from google.protobuf.message import Message
from sqlalchemy import Connection

from access import Kind, Scope, caller
from chassis.clock import Clock
from chassis.database import Database
from chassis.errors import InvalidArgument, NotFound
from chassis.ids import new_id
from chassis.paging import decode_token, encode_token
from chassis.validation import Fields
from services.incentives.catalogue import Catalogue
from services.incentives.domain.findings import Finding
from services.incentives.domain.lint import lint
from services.incentives.domain.metrics import Figure
from services.incentives.domain.parameter_checks import refused
from services.incentives.domain.parameters import with_numbers
from services.incentives.domain.periods import today
from services.incentives.domain.plan_book import PlanBook
from services.incentives.domain.plans import Plan
from services.incentives.domain.reading import read_back
from services.incentives.domain.settings import Proposed, SettingState
from services.incentives.handlers.commands import once, require_second
from services.incentives.store.catalogue import begin_calculation
from services.incentives.store.settings import SettingStore
from services.incentives.wire.parameters import from_parameters_at, from_setting
from services.incentives.wire.plans import from_finding, from_plan
from services.incentives.wire.values import to_value

_READ: Final = "incentives.plans.read"
_WRITE: Final = "incentives.parameters.write"
_APPROVE: Final = "incentives.plans.approve"
_PLACE: Final = (str, str, str, str, str)
_LONGEST_ROLE: Final = 40
_LONGEST_FIELD: Final = 20
_LONGEST_REASON: Final = 500
_SECOND: Final = "Whoever proposed a number may not decide about it; a second person has to."

R = TypeVar("R", bound=Message)


class ParametersHandler(parameters_pb2_grpc.ParametersServiceServicer):
    """`queued` is told when people whom an approved or ended setting concerns wait to be computed anew."""

    def __init__(
        self,
        database: Database,
        catalogue: Catalogue,
        clock: Clock,
        currency: str,
        queued: Callable[[], None],
    ) -> None:
        self._database = database
        self._catalogue = catalogue
        self._clock = clock
        self._currency = currency
        self._queued = queued

    def ResolveParameters(
        self, request: parameters_pb2.ResolveParametersRequest, context: grpc.ServicerContext
    ) -> parameters_pb2.ResolveParametersResponse:
        scope = caller(context).scope(_READ)
        fields = Fields()
        node_id = fields.identifier("node_id", request.node_id)
        role = fields.text("job_role", request.job_role, max_length=_LONGEST_ROLE)
        day = fields.date("on", request.on) if request.HasField("on") else self._today(scope, node_id)
        known_at = fields.optional_instant("known_at", request.known_at, present=request.HasField("known_at"))
        fields.require_valid()
        if not scope.is_member(node_id):
            raise NotFound("NODE_UNKNOWN", "There is no such node.")
        path = scope.caller.directory.ancestors(node_id)
        with self._database.read() as connection:
            book = self._catalogue.plans(connection)
            if known_at is not None:
                book = book.known_by(known_at)
            plan = book.written(path, role, day)
            if plan is None:
                raise NotFound("PLAN_UNKNOWN", "No plan holds there for that role.")
            store = SettingStore(connection, scope, book, day)
            chains = store.chains(plan, path, known_at)
            told = from_plan(book.varied(plan, path, day), book.effective_to(plan), self._currency)
        return parameters_pb2.ResolveParametersResponse(
            plan=told, parameters=from_parameters_at(plan, chains, self._currency)
        )

    def CheckParameter(
        self, request: parameters_pb2.CheckParameterRequest, context: grpc.ServicerContext
    ) -> parameters_pb2.CheckParameterResponse:
        scope = caller(context).scope(_WRITE)
        with self._database.read() as connection:
            book = self._catalogue.plans(connection)
            proposed, before = self._proposed(scope, book, request.setting)
            self._store(connection, scope, book).check(proposed, self._clock.now())
        after = _with(before, proposed)
        rule_id = proposed.key.partition(".")[0]
        was, becomes = (
            next(node.rule for node in plan.nodes if node.rule.id == rule_id) for plan in (before, after)
        )
        return parameters_pb2.CheckParameterResponse(
            findings=[from_finding(each, self._currency) for each in _news(before, after)],
            reading_before=read_back(was),
            reading_after=read_back(becomes),
        )

    def SetParameter(
        self, request: parameters_pb2.SetParameterRequest, context: grpc.ServicerContext
    ) -> parameters_pb2.SetParameterResponse:
        scope = caller(context).scope(_WRITE)
        fields = Fields()
        fields.request_id(request.request_id)
        fields.require_valid()

        def produce(connection: Connection) -> parameters_pb2.SetParameterResponse:
            # The linter searches for a while; nobody is to wait for `calculation` meanwhile.
            proposed, before = self._proposed(scope, self._catalogue.plans(connection), request.setting)
            warnings = [from_finding(each, self._currency) for each in _news(before, _with(before, proposed))]
            book = self._catalogue.plans(connection, begin_calculation(connection))
            proposed, _before = self._proposed(scope, book, request.setting)
            made = self._store(connection, scope, book).propose(new_id(), proposed, self._clock.now())
            return parameters_pb2.SetParameterResponse(
                setting=from_setting(made, self._currency), warnings=warnings
            )

        return self._once(scope, "SetParameter", request, parameters_pb2.SetParameterResponse, produce)

    def ApproveParameter(
        self, request: parameters_pb2.ApproveParameterRequest, context: grpc.ServicerContext
    ) -> parameters_pb2.ApproveParameterResponse:
        scope = caller(context).scope(_APPROVE)
        fields = Fields()
        fields.request_id(request.request_id)
        setting_id = fields.identifier("setting_id", request.setting_id)
        reason = fields.text("reason", request.reason, max_length=_LONGEST_REASON, required=False)
        fields.require_valid()

        def produce(connection: Connection) -> parameters_pb2.ApproveParameterResponse:
            store = self._changing(connection, scope)
            require_second(scope, [store.to_decide(setting_id).author_id], _SECOND)
            made = store.approve(setting_id, reason=reason, at=self._clock.now())
            return parameters_pb2.ApproveParameterResponse(setting=from_setting(made, self._currency))

        answer = self._once(
            scope, "ApproveParameter", request, parameters_pb2.ApproveParameterResponse, produce
        )
        self._queued()
        return answer

    def RefuseParameter(
        self, request: parameters_pb2.RefuseParameterRequest, context: grpc.ServicerContext
    ) -> parameters_pb2.RefuseParameterResponse:
        scope = caller(context).scope(_APPROVE)
        fields = Fields()
        fields.request_id(request.request_id)
        setting_id = fields.identifier("setting_id", request.setting_id)
        reason = fields.text("reason", request.reason, max_length=_LONGEST_REASON)
        fields.require_valid()

        def produce(connection: Connection) -> parameters_pb2.RefuseParameterResponse:
            store = self._changing(connection, scope)
            require_second(scope, [store.to_decide(setting_id).author_id], _SECOND)
            made = store.refuse(setting_id, reason=reason, at=self._clock.now())
            return parameters_pb2.RefuseParameterResponse(setting=from_setting(made, self._currency))

        return self._once(scope, "RefuseParameter", request, parameters_pb2.RefuseParameterResponse, produce)

    def EndParameter(
        self, request: parameters_pb2.EndParameterRequest, context: grpc.ServicerContext
    ) -> parameters_pb2.EndParameterResponse:
        scope = caller(context).scope(_WRITE)
        fields = Fields()
        fields.request_id(request.request_id)
        setting_id = fields.identifier("setting_id", request.setting_id)
        day = fields.date("effective_to", request.effective_to)
        reason = fields.text("reason", request.reason, max_length=_LONGEST_REASON)
        fields.require_valid()

        def produce(connection: Connection) -> parameters_pb2.EndParameterResponse:
            store = self._changing(connection, scope)
            made = store.end(setting_id, day=day, reason=reason, at=self._clock.now())
            return parameters_pb2.EndParameterResponse(setting=from_setting(made, self._currency))

        answer = self._once(scope, "EndParameter", request, parameters_pb2.EndParameterResponse, produce)
        self._queued()
        return answer

    def ListParameterSettings(
        self, request: parameters_pb2.ListParameterSettingsRequest, context: grpc.ServicerContext
    ) -> parameters_pb2.ListParameterSettingsResponse:
        scope = caller(context).scope(_READ)
        fields = Fields()
        node_id = fields.identifier("node_id", request.node_id, required=False)
        role = fields.text("job_role", request.job_role, max_length=_LONGEST_ROLE, required=False)
        plan_node_id = fields.identifier("plan_node_id", request.plan_node_id, required=False)
        states = {fields.one_of("states", int(state), set(SettingState)) for state in request.states}
        size = fields.page_size(request.page_size)
        fields.require_valid()
        after = decode_token(request.page_token, query=request, shape=_PLACE)
        with self._database.read() as connection:
            found = self._store(connection, scope, self._catalogue.plans(connection)).page(
                node_id=node_id,
                job_role=role,
                plan_node_id=plan_node_id,
                states=[SettingState(state) for state in states or {SettingState.IN_FORCE}],
                after=after,  # type: ignore[arg-type]  # its shape was checked
                limit=size + 1,
            )
        token = encode_token(found[size - 1][1], query=request) if len(found) > size else ""
        return parameters_pb2.ListParameterSettingsResponse(
            settings=[from_setting(setting, self._currency) for setting, _ in found[:size]],
            next_page_token=token,
        )

    def _proposed(
        self, scope: Scope, book: PlanBook, told: parameters_pb2.ParameterSetting
    ) -> tuple[Proposed, Plan]:
        """What somebody would like to set, and the plan as it would pay there without it."""
        fields = Fields()
        inside = fields.within("setting")
        node_id = inside.identifier("node_id", told.node_id)
        role = inside.text("job_role", told.job_role, max_length=_LONGEST_ROLE)
        rule_id = inside.text("rule_id", told.rule_id, max_length=_LONGEST_ROLE)
        field = inside.text("field", told.field, max_length=_LONGEST_FIELD)
        start = inside.date("effective_from", told.effective_from)
        end: date | None = None
        if told.HasField("effective_to"):
            end = inside.date("effective_to", told.effective_to)
            if end <= start:
                inside.refuse("effective_to", "must be after the first day")
        reason = inside.text("reason", told.reason, max_length=_LONGEST_REASON)
        if not told.HasField("value"):
            inside.refuse("value", "must be told")
        fields.require_valid()
        scope.require(node_id)
        plan = self._plan(scope, book, node_id, role, start)
        number = plan.parameter_numbers.get(f"{rule_id}.{field}")
        if number is None:
            may = ", ".join(f"{each.rule_id} {each.field}" for each in plan.parameters) or "none"
            raise InvalidArgument(
                "PARAMETER_UNKNOWN",
                f"The plan lets nobody set that number; it lets: {may}.",
                fields={"setting.field": f"one of: {may}"},
            )
        value = to_value(told.value)
        why = refused(value, number, self._currency)
        if why:
            raise InvalidArgument("VALUE_INVALID", why, fields={"setting.value": why})
        proposed = Proposed(
            node_id=node_id,
            job_role=role,
            plan_node_id=plan.node_id,
            key=f"{rule_id}.{field}",
            value=Figure(value.numerator, value.denominator),
            number=number,
            effective_from=start,
            effective_to=end,
            reason=reason,
            author_id=scope.caller.id,
        )
        return proposed, book.varied(plan, scope.caller.directory.ancestors(node_id), start)

    def _plan(self, scope: Scope, book: PlanBook, node_id: str, role: str, day: date) -> Plan:
        """The plan above a branch or department that pays there on a day."""
        directory = scope.caller.directory
        node = directory.node(node_id)
        if node is None or node.kind is Kind.PERSON:
            message = "must be a branch or department: what one person is paid is no plan"
            raise InvalidArgument("FIELD_INVALID", message, fields={"setting.node_id": message})
        plan = book.written(directory.ancestors(node_id), role, day)
        if plan is None:
            message = "No plan holds there for that role on that day."
        elif plan.node_id == node_id:
            message = "The plan that holds there is its own: propose another plan with other numbers."
        else:
            return plan
        raise InvalidArgument("PARAMETER_UNKNOWN", message, fields={"setting.node_id": message})

    def _changing(self, connection: Connection, scope: Scope) -> SettingStore:
        """The store, alone until the transaction ends."""
        return self._store(
            connection, scope, self._catalogue.plans(connection, begin_calculation(connection))
        )

    def _store(self, connection: Connection, scope: Scope, book: PlanBook) -> SettingStore:
        directory = scope.caller.directory
        return SettingStore(connection, scope, book, self._today(scope, directory.root_id))

    def _today(self, scope: Scope, node_id: str) -> date:
        return today(self._clock.now(), scope.caller.directory.zone_of(node_id))

    def _once(
        self,
        scope: Scope,
        rpc: str,
        request: Message,
        response: type[R],
        produce: Callable[[Connection], R],
    ) -> R:
        return once(self._database, scope, f"ParametersService/{rpc}", request, response, produce)


def _with(plan: Plan, proposed: Proposed) -> Plan:
    exact = Fraction(*proposed.value)
    numbers = {proposed.key: Figure(exact.numerator, exact.denominator)}
    return replace(plan, rules=with_numbers(plan.rules, numbers))


def _news(before: Plan, after: Plan) -> list[Finding]:
    """What the linter says of a plan and not of the one before."""
    known = {(each.code, each.field) for each in lint(before)}
    return [each for each in lint(after) if (each.code, each.field) not in known]

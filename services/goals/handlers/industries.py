"""IndustriesService."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import grpc
from foothold.goals.v1 import industries_pb2, industries_pb2_grpc

from access import Scope, caller
from chassis.clock import Clock
from chassis.database import Database
from chassis.idempotency import answer_once
from chassis.paging import decode_token, encode_token
from chassis.validation import Fields
from services.goals.domain.targets import TargetState
from services.goals.handlers.adopting import Wanted
from services.goals.handlers.exporting import exported
from services.goals.handlers.targets import publish_target
from services.goals.handlers.templates import brief, found, next_version, parsed, told_industry, turned
from services.goals.industry_files import shipped
from services.goals.permissions import METRICS_READ, METRICS_WRITE, TARGETS_WRITE
from services.goals.store.adopting import Adopter, Adoption
from services.goals.store.industries import Template, Templates
from services.goals.store.library import Versions
from services.goals.store.targets import TargetsCache
from services.goals.wire.industries import from_adoption, from_content, from_industry
from services.goals.wire.industry_writing import write_document

_SERVICE: Final = "/foothold.goals.v1.IndustriesService/"
_LONGEST_QUERY: Final = 100
_OUTCOME: Final = industries_pb2.AdoptionResult


class IndustriesHandler(industries_pb2_grpc.IndustriesServiceServicer):
    """Lists, adopts, exports and imports. `wake` is called when values are to be computed."""

    def __init__(
        self, database: Database, cache: TargetsCache, clock: Clock, currency: str, wake: Callable[[], None]
    ) -> None:
        self._database = database
        self._cache = cache
        self._clock = clock
        self._currency = currency
        self._wake = wake

    def ListIndustries(
        self, request: industries_pb2.ListIndustriesRequest, context: grpc.ServicerContext
    ) -> industries_pb2.ListIndustriesResponse:
        caller(context).scope(METRICS_READ)
        fields = Fields()
        query = fields.text("query", request.query, max_length=_LONGEST_QUERY, required=False).strip()
        size = fields.page_size(request.page_size)
        fields.require_valid()
        after = decode_token(request.page_token, query=request, shape=(int,))
        start = after[0] if after and isinstance(after[0], int) else 0
        with self._database.read() as connection:
            own = [(parsed(each.document), brief(each)) for each in Templates(connection).all()]
        built_in = [] if request.own_only else [(each, from_industry(each)) for each in shipped().values()]
        wanted = [told for industry, told in (*own, *built_in) if not query or industry.speaks_of(query)]
        token = encode_token([start + size], query=request) if len(wanted) > start + size else ""
        return industries_pb2.ListIndustriesResponse(
            industries=wanted[start : start + size], next_page_token=token, total_size=len(wanted)
        )

    def GetIndustry(
        self, request: industries_pb2.GetIndustryRequest, context: grpc.ServicerContext
    ) -> industries_pb2.GetIndustryResponse:
        caller(context).scope(METRICS_READ)
        industry_id = _industry_id(request.industry_id)
        with self._database.read() as connection:
            industry, told = found(Templates(connection), industry_id)
            library = Versions(connection).load()
        return from_content(industry, told, library)

    def AdoptIndustry(
        self, request: industries_pb2.AdoptIndustryRequest, context: grpc.ServicerContext
    ) -> industries_pb2.AdoptIndustryResponse:
        caller(context).scope(METRICS_WRITE).require_everywhere()
        scope = caller(context).scope(TARGETS_WRITE)
        wanted = Wanted(request)
        scope.require(wanted.node_id)
        with self._database.begin() as connection:
            adopter = Adopter(connection, scope, self._cache)

            def adopt() -> list[Adoption]:
                industry, _ = found(Templates(connection), wanted.industry_id)
                targets = wanted.targets(industry, scope, self._clock, self._currency)
                return adopter.adopt(industry, targets, keep=not request.validate_only)

            def produce() -> industries_pb2.AdoptIndustryResponse:
                adopted = adopt()
                for each in adopted:
                    if each.target is not None and not each.unchanged:
                        publish_target(connection, each.target, self._currency)
                return self._adopted(adopted)

            if request.validate_only:
                return self._adopted(adopt())
            answer = answer_once(
                connection,
                caller=scope.caller.id,
                method=f"{_SERVICE}AdoptIndustry",
                request=request,
                response=industries_pb2.AdoptIndustryResponse,
                produce=produce,
            )
        self._cache.library.refresh()
        self._wake()
        return answer

    def ExportTemplate(
        self, request: industries_pb2.ExportTemplateRequest, context: grpc.ServicerContext
    ) -> industries_pb2.ExportTemplateResponse:
        caller(context).scope(METRICS_READ)
        with self._database.read() as connection:
            if request.industry_id:
                industry, _ = found(Templates(connection), _industry_id(request.industry_id))
            else:
                industry = exported(request, context, connection, self._cache, self._clock, self._currency)
        return industries_pb2.ExportTemplateResponse(
            document=write_document(industry), file_name=f"{industry.id}.toml"
        )

    def ImportTemplate(
        self, request: industries_pb2.ImportTemplateRequest, context: grpc.ServicerContext
    ) -> industries_pb2.ImportTemplateResponse:
        scope = caller(context).scope(METRICS_WRITE)
        scope.require_everywhere()
        fields = Fields()
        if not request.validate_only:
            fields.request_id(request.request_id)
        fields.require_valid()
        industry = told_industry(request.document)
        new = Template(industry.id, 1, request.document, scope.caller.id, self._clock.now())
        with self._database.begin() as connection:
            templates = Templates(connection)

            def produce() -> industries_pb2.ImportTemplateResponse:
                templates.take_turn()
                stored = replace(new, version=next_version(templates, industry.id, request.replaces_version))
                if not request.validate_only:
                    templates.add(stored)
                return industries_pb2.ImportTemplateResponse(industry=brief(stored))

            if request.validate_only:
                return produce()
            return answer_once(
                connection,
                caller=scope.caller.id,
                method=f"{_SERVICE}ImportTemplate",
                request=request,
                response=industries_pb2.ImportTemplateResponse,
                produce=produce,
            )

    def RemoveTemplate(
        self, request: industries_pb2.RemoveTemplateRequest, context: grpc.ServicerContext
    ) -> industries_pb2.RemoveTemplateResponse:
        scope, template_id = _command(request, context)
        with self._database.begin() as connection:

            def produce() -> industries_pb2.RemoveTemplateResponse:
                stored = turned(
                    Templates(connection), template_id, by=scope.caller.id, at=self._clock.now(), removed=True
                )
                return industries_pb2.RemoveTemplateResponse(industry=brief(stored))

            return answer_once(
                connection,
                caller=scope.caller.id,
                method=f"{_SERVICE}RemoveTemplate",
                request=request,
                response=industries_pb2.RemoveTemplateResponse,
                produce=produce,
            )

    def RestoreTemplate(
        self, request: industries_pb2.RestoreTemplateRequest, context: grpc.ServicerContext
    ) -> industries_pb2.RestoreTemplateResponse:
        scope, template_id = _command(request, context)
        with self._database.begin() as connection:

            def produce() -> industries_pb2.RestoreTemplateResponse:
                stored = turned(
                    Templates(connection),
                    template_id,
                    by=scope.caller.id,
                    at=self._clock.now(),
                    removed=False,
                )
                return industries_pb2.RestoreTemplateResponse(industry=brief(stored))

            return answer_once(
                connection,
                caller=scope.caller.id,
                method=f"{_SERVICE}RestoreTemplate",
                request=request,
                response=industries_pb2.RestoreTemplateResponse,
                produce=produce,
            )

    def _turned(self, connection: object, scope: Scope, template_id: str, *, removed: bool) -> Template:
        templates = Templates(connection)  # type: ignore[arg-type]  # handlers do not name SQLAlchemy's types
        return turned(templates, template_id, by=scope.caller.id, at=self._clock.now(), removed=removed)

    def _adopted(self, adopted: list[Adoption]) -> industries_pb2.AdoptIndustryResponse:
        response = industries_pb2.AdoptIndustryResponse()
        for each in adopted:
            refusal = each.refusal
            response.results.append(
                from_adoption(
                    each.measure,
                    _outcome(each),
                    self._currency,
                    target=each.target,
                    before=each.before,
                    defined=each.defined,
                    reason=refusal.reason if refusal else "",
                    message=refusal.message if refusal else "",
                    metadata=refusal.metadata if refusal else None,
                )
            )
        return response


def _outcome(adoption: Adoption) -> industries_pb2.AdoptionResult.Outcome.ValueType:
    if adoption.target is None:
        return _OUTCOME.OUTCOME_REFUSED
    if adoption.unchanged:
        return _OUTCOME.OUTCOME_UNCHANGED
    pending = adoption.target.state is TargetState.PENDING
    return _OUTCOME.OUTCOME_PROPOSED if pending else _OUTCOME.OUTCOME_SET


def _industry_id(told: str) -> str:
    fields = Fields()
    found = fields.identifier("industry_id", told)
    fields.require_valid()
    return found


def _command(
    request: industries_pb2.RemoveTemplateRequest | industries_pb2.RestoreTemplateRequest,
    context: grpc.ServicerContext,
) -> tuple[Scope, str]:
    scope = caller(context).scope(METRICS_WRITE)
    scope.require_everywhere()
    fields = Fields()
    fields.request_id(request.request_id)
    template_id = fields.identifier("industry_id", request.industry_id)
    fields.require_valid()
    return scope, template_id

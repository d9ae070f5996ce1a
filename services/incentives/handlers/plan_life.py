"""What becomes of proposed plans, and who has read the ones in force."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import grpc
from foothold.incentives.v1 import plan_life_pb2, plan_life_pb2_grpc
from sqlalchemy import Connection

from access import Directory, Scope, caller
from chassis.clock import Clock
from chassis.database import Database
from chassis.errors import FailedPrecondition, NotFound
from chassis.feed import NewEvent, publish
from chassis.paging import decode_token, encode_token
from chassis.validation import Fields
from services.incentives.catalogue import Catalogue
from services.incentives.domain.periods import today
from services.incentives.domain.plan_book import PlanBook
from services.incentives.domain.plans import Plan
from services.incentives.domain.proposals import (
    Applying,
    PlanState,
    Proposal,
    applying_on,
    digest_of,
    first_period,
    next_after,
)
from services.incentives.handlers.commands import once, require_second
from services.incentives.handlers.plans import is_visible, taken
from services.incentives.store.catalogue import CatalogueStore, keep_variants, read_plans
from services.incentives.store.proposals import AcknowledgementStore, ProposalStore
from services.incentives.wire.feed import PLAN_CREATED
from services.incentives.wire.plans import from_plan, from_proposal
from services.incentives.wire.values import from_date, from_instant

_APPROVE: Final = "incentives.plans.approve"
_WRITE: Final = "incentives.plans.write"
_READ: Final = "incentives.plans.read"
_ACKNOWLEDGE: Final = "incentives.plans.acknowledge"


class PlanLifeHandler(plan_life_pb2_grpc.PlanLifeServiceServicer):
    """`queued` is told when an approved plan's people wait to be computed anew."""

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

    def ApprovePlan(
        self, request: plan_life_pb2.ApprovePlanRequest, context: grpc.ServicerContext
    ) -> plan_life_pb2.ApprovePlanResponse:
        scope = caller(context).scope(_APPROVE)
        fields = Fields()
        fields.request_id(request.request_id)
        plan_id = fields.identifier("plan_id", request.plan_id)
        fields.require_valid()

        def produce(connection: Connection) -> plan_life_pb2.ApprovePlanResponse:
            proposed = _draft(connection, scope, plan_id)
            require_second(
                scope,
                [proposed.plan.author_id],
                "Whoever wrote a plan may not approve it; a second person has to read it.",
            )
            now = self._clock.now()
            plan = replace(proposed.plan, recorded_at=now, approved_by=scope.caller.id)
            if not CatalogueStore(connection, scope).add_plan(plan):
                raise taken(read_plans(connection), plan)
            decided = replace(proposed, state=PlanState.APPROVED, decided_by=scope.caller.id, decided_at=now)
            ProposalStore(connection, scope).decide(decided)
            # Not the catalogue's: nothing uncommitted may be remembered.
            message = from_plan(plan, read_plans(connection).effective_to(plan), self._currency)
            publish(connection, [NewEvent(PLAN_CREATED, plan.id, message.SerializeToString())])
            return plan_life_pb2.ApprovePlanResponse(plan=message)

        response = once(
            self._database,
            scope,
            "PlanLifeService/ApprovePlan",
            request,
            plan_life_pb2.ApprovePlanResponse,
            produce,
        )
        self._queued()
        return response

    def RejectPlan(
        self, request: plan_life_pb2.RejectPlanRequest, context: grpc.ServicerContext
    ) -> plan_life_pb2.RejectPlanResponse:
        scope = caller(context).scope(_WRITE)
        fields = Fields()
        fields.request_id(request.request_id)
        plan_id = fields.identifier("plan_id", request.plan_id)
        reason = fields.text("reason", request.reason, max_length=500)
        fields.require_valid()

        def produce(connection: Connection) -> plan_life_pb2.RejectPlanResponse:
            decided = replace(
                _draft(connection, scope, plan_id),
                state=PlanState.REJECTED,
                decided_by=scope.caller.id,
                decided_at=self._clock.now(),
                decision_reason=reason,
            )
            ProposalStore(connection, scope).decide(decided)
            return plan_life_pb2.RejectPlanResponse(plan=from_proposal(decided, self._currency))

        return once(
            self._database,
            scope,
            "PlanLifeService/RejectPlan",
            request,
            plan_life_pb2.RejectPlanResponse,
            produce,
        )

    def GetPersonPlans(
        self, request: plan_life_pb2.GetPersonPlansRequest, context: grpc.ServicerContext
    ) -> plan_life_pb2.GetPersonPlansResponse:
        scope = caller(context).scope(_READ)
        fields = Fields()
        person_id = fields.identifier("person_id", request.person_id)
        fields.require_valid()
        scope.require_person(person_id)
        with self._database.read() as connection:
            book = self._catalogue.plans(connection)
            current, coming = self._of(book, scope.caller.directory, person_id)
            plans = [each.plan.id for each in (current, coming) if each]
            read = AcknowledgementStore(connection, scope).when(plans, [person_id])

        path = scope.caller.directory.ancestors(person_id)

        def told(found: Applying | None) -> plan_life_pb2.PersonPlan | None:
            if found is None:
                return None
            plan = found.plan
            message = from_plan(plan, book.effective_to(plan), self._currency)
            nodes = book.setting_nodes(plan, path, found.pays_from)
            for number in message.numbers:
                number.node_id = nodes.get(f"{number.rule_id}.{number.field}", "")
            return plan_life_pb2.PersonPlan(
                plan=message,
                pays_from=from_date(found.pays_from),
                acknowledged_at=from_instant(read.get((plan.id, person_id))),
            )

        return plan_life_pb2.GetPersonPlansResponse(current=told(current), next=told(coming))

    def AcknowledgePlan(
        self, request: plan_life_pb2.AcknowledgePlanRequest, context: grpc.ServicerContext
    ) -> plan_life_pb2.AcknowledgePlanResponse:
        scope = caller(context).scope(_ACKNOWLEDGE)
        fields = Fields()
        fields.request_id(request.request_id)
        plan_id = fields.identifier("plan_id", request.plan_id)
        digest = fields.text("digest", request.digest, max_length=64)
        fields.require_valid()
        # Nobody has read something for somebody else, whatever they may do besides.
        person_id = scope.caller.person_id
        scope.require_person(person_id)

        def produce(connection: Connection) -> plan_life_pb2.AcknowledgePlanResponse:
            book = self._catalogue.plans(connection)
            applying = self._of(book, scope.caller.directory, person_id)
            plan = next((each.plan for each in applying if each and each.plan.id == plan_id), None)
            if plan is None:
                raise NotFound("PLAN_UNKNOWN", "No such plan applies to you, nor will.")
            if digest_of(plan) != digest:
                raise FailedPrecondition("PLAN_CHANGED", "What was read is not what the plan says.")
            # What was read can be read again, also where it has paid nothing yet.
            keep_variants(connection, book)
            store = AcknowledgementStore(connection, scope)
            when = store.add(plan_id, person_id, digest, self._clock.now())
            return plan_life_pb2.AcknowledgePlanResponse(acknowledged_at=from_instant(when))

        return once(
            self._database,
            scope,
            "PlanLifeService/AcknowledgePlan",
            request,
            plan_life_pb2.AcknowledgePlanResponse,
            produce,
        )

    def ListAcknowledgements(
        self, request: plan_life_pb2.ListAcknowledgementsRequest, context: grpc.ServicerContext
    ) -> plan_life_pb2.ListAcknowledgementsResponse:
        scope = caller(context).scope(_READ)
        fields = Fields()
        plan_id = fields.identifier("plan_id", request.plan_id)
        size = fields.page_size(request.page_size)
        fields.require_valid()
        after = decode_token(request.page_token, query=request, shape=(str,))
        with self._database.read() as connection:
            book = self._catalogue.plans(connection)
            plan = book.get(plan_id)
            if plan is None or not is_visible(scope, plan):
                raise NotFound("PLAN_UNKNOWN", "There is no such plan.")
            paid_by = self._people(book, plan, scope)
            store = AcknowledgementStore(connection, scope)
            when = store.when(sorted({each.id for each in paid_by.values()}), list(paid_by))
        read = {who: when[each.id, who] for who, each in paid_by.items() if (each.id, who) in when}
        page = [each for each in paid_by if after is None or each > str(after[0])]
        return plan_life_pb2.ListAcknowledgementsResponse(
            acknowledgements=[
                plan_life_pb2.Acknowledgement(person_id=each, acknowledged_at=from_instant(read.get(each)))
                for each in page[:size]
            ],
            next_page_token=encode_token((page[size - 1],), query=request) if len(page) > size else "",
            people=len(paid_by),
            acknowledged=len(read),
        )

    def _of(
        self, book: PlanBook, directory: Directory, person_id: str
    ) -> tuple[Applying | None, Applying | None]:
        """What pays somebody today, and what comes next."""
        person = directory.person(person_id)
        role = person.job_role if person is not None else ""
        day, path = today(self._clock.now(), directory.zone_of(person_id)), directory.ancestors(person_id)
        return applying_on(book, path, role, day), next_after(book, path, role, day)

    def _people(self, book: PlanBook, plan: Plan, scope: Scope) -> dict[str, Plan]:
        """Active people whom a plan pays today or will, of those the caller may see, with the variant that does."""
        directory, now = scope.caller.directory, self._clock.now()
        first = first_period(plan)
        found = {}
        for person_id in sorted(directory.people_under(plan.node_id)):
            person = directory.person(person_id)
            if person is None or not person.active or person.job_role != plan.job_role:
                continue
            if not scope.covers(person_id):
                continue
            path, day = directory.ancestors(person_id), today(now, directory.zone_of(person_id))
            paying = book.paying_on(path, plan.job_role, day)
            coming = book.plan_for(path, plan.job_role, first) if first.first_day > day else None
            for each in (paying[0] if paying else None, coming):
                if each is not None and plan.id in (each.id, each.written_id):
                    found[person_id] = each
                    break
        return found


def _draft(connection: Connection, scope: Scope, plan_id: str) -> Proposal:
    """A draft that nobody else decides about meanwhile."""
    found = ProposalStore(connection, scope).get(plan_id, locked=True)
    if found is None:
        raise NotFound("PLAN_UNKNOWN", "There is no such plan.")
    if found.state is not PlanState.DRAFT:
        state = found.state.name.lower()
        raise FailedPrecondition("PLAN_DECIDED", f"The plan is {state} already.", metadata={"state": state})
    return found

"""What is paid for what."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final

import grpc
from foothold.incentives.v1 import plans_pb2, plans_pb2_grpc

from access import Scope, caller
from chassis.clock import Clock
from chassis.database import Database
from chassis.errors import AlreadyExists, FailedPrecondition, InvalidArgument, NotFound
from chassis.idempotency import answer_once
from chassis.ids import new_id
from chassis.paging import decode_token, encode_token
from chassis.validation import Fields
from services.incentives.catalogue import Catalogue
from services.incentives.domain.checks import check, errors
from services.incentives.domain.drafts import DraftPlan, accept
from services.incentives.domain.findings import Finding, error
from services.incentives.domain.lint import lint
from services.incentives.domain.metrics import COURSE, Known, is_course
from services.incentives.domain.plan_book import PlanBook
from services.incentives.domain.plans import Plan
from services.incentives.domain.proposals import PlanState, Proposal
from services.incentives.domain.reading import read_back
from services.incentives.domain.rules import Accelerator, Gate, metrics_of, nodes_of
from services.incentives.store.catalogue import read_plans
from services.incentives.store.courses import unknown_courses
from services.incentives.store.metrics import known_metrics
from services.incentives.store.proposals import ProposalStore
from services.incentives.wire.plans import from_finding, from_plan, from_proposal, to_draft

_READ: Final = "incentives.plans.read"
_WRITE: Final = "incentives.plans.write"
_STATES: Final = frozenset(map(int, PlanState))
_CONDITIONED: Final = {Gate: "gate", Accelerator: "accelerator"}
_CREATE: Final = "/foothold.incentives.v1.PlansService/CreatePlan"


class PlansHandler(plans_pb2_grpc.PlansServiceServicer):
    """Proposes, checks and reads plans; what becomes of proposed ones is `plan_life`'s."""

    def __init__(self, database: Database, catalogue: Catalogue, clock: Clock, currency: str) -> None:
        self._database = database
        self._catalogue = catalogue
        self._clock = clock
        self._currency = currency

    def CheckPlan(
        self, request: plans_pb2.CheckPlanRequest, context: grpc.ServicerContext
    ) -> plans_pb2.CheckPlanResponse:
        scope = caller(context).scope(_READ)
        draft = to_draft(request.plan)
        known = self._known()
        findings = self._check(draft, known, scope)
        if draft.node_id and not scope.is_member(draft.node_id):
            findings = (error("NODE_UNKNOWN", "node_id", "There is no such node."), *findings)
        response = plans_pb2.CheckPlanResponse(findings=self._from_findings(findings))
        if not errors(findings):
            response.readings.extend(read_back(node.rule) for node in nodes_of(accept(draft, known).rules))
        return response

    def CreatePlan(
        self, request: plans_pb2.CreatePlanRequest, context: grpc.ServicerContext
    ) -> plans_pb2.CreatePlanResponse:
        scope = caller(context).scope(_WRITE)
        fields = Fields()
        fields.request_id(request.request_id)
        fields.within("plan").identifier("node_id", request.plan.node_id)
        fields.require_valid()
        scope.require(request.plan.node_id)
        draft = to_draft(request.plan)
        known = self._known()
        findings = self._check(draft, known, scope)
        refused = errors(findings)
        if refused:
            raise InvalidArgument(
                refused[0].code,
                f"The plan is refused: {refused[0].message}",
                fields={f"plan.{each.field}": each.message for each in reversed(refused)},
            )
        plan = self._accepted(draft, known, scope.caller.id)
        with self._database.begin() as connection:

            def produce() -> plans_pb2.CreatePlanResponse:
                # Not the catalogue's: nothing uncommitted may be remembered.
                book = read_plans(connection)
                if conflict(book, plan) or not ProposalStore(connection, scope).add(plan):
                    raise taken(book, plan)
                return plans_pb2.CreatePlanResponse(
                    plan=from_proposal(Proposal(plan, PlanState.DRAFT), self._currency),
                    warnings=self._from_findings(findings),
                )

            return answer_once(
                connection,
                caller=scope.caller.id,
                method=_CREATE,
                request=request,
                response=plans_pb2.CreatePlanResponse,
                produce=produce,
            )

    def GetPlan(
        self, request: plans_pb2.GetPlanRequest, context: grpc.ServicerContext
    ) -> plans_pb2.GetPlanResponse:
        scope = caller(context).scope(_READ)
        fields = Fields()
        plan_id = fields.identifier("plan_id", request.plan_id)
        fields.require_valid()
        book = self._book()
        plan = book.get(plan_id)
        if plan is None:
            with self._database.read() as connection:
                proposed = ProposalStore(connection, scope).get(plan_id)
            if proposed is None:
                raise NotFound("PLAN_UNKNOWN", "There is no such plan.")
            return plans_pb2.GetPlanResponse(plan=from_proposal(proposed, self._currency))
        if not is_visible(scope, plan):
            raise NotFound("PLAN_UNKNOWN", "There is no such plan.")
        return plans_pb2.GetPlanResponse(plan=from_plan(plan, book.effective_to(plan), self._currency))

    def ListPlans(
        self, request: plans_pb2.ListPlansRequest, context: grpc.ServicerContext
    ) -> plans_pb2.ListPlansResponse:
        scope = caller(context).scope(_READ)
        fields = Fields()
        node_id = fields.identifier("node_id", request.node_id, required=False)
        job_role = fields.text("job_role", request.job_role, max_length=40, required=False)
        size = fields.page_size(request.page_size)
        state = PlanState(request.state) if request.state in _STATES else PlanState.APPROVED
        if request.state and request.state not in _STATES:
            fields.refuse("state", "is no state of a plan")
        fields.require_valid()
        after = decode_token(request.page_token, query=request, shape=(str, str, str, str))
        response = plans_pb2.ListPlansResponse()
        last: Plan | None = None
        for plan, message in self._listed(scope, state):
            if after is not None and _key(plan) <= after:
                continue
            if node_id not in ("", plan.node_id) or job_role not in ("", plan.job_role):
                continue
            if last is not None and len(response.plans) == size:
                response.next_page_token = encode_token(_key(last), query=request)
                break
            response.plans.append(message())
            last = plan
        return response

    def _listed(self, scope: Scope, state: PlanState) -> Iterator[tuple[Plan, Callable[[], plans_pb2.Plan]]]:
        """The plans of a state that the caller may see, in order, each with how to tell it."""
        if state is not PlanState.APPROVED:
            with self._database.read() as connection:
                found = ProposalStore(connection, scope).listed(state)
            for each in found:
                yield each.plan, partial(from_proposal, each, self._currency)
            return
        book = self._book()
        for plan in book.listed:
            if is_visible(scope, plan):
                yield plan, partial(from_plan, plan, book.effective_to(plan), self._currency)

    def _book(self) -> PlanBook:
        with self._database.read() as connection:
            return self._catalogue.plans(connection)

    def _check(self, draft: DraftPlan, known: Known, scope: Scope) -> tuple[Finding, ...]:
        directory = scope.caller.directory
        needs_reason = draft.node_id != directory.root_id
        findings = check(draft, currency=self._currency, known=known, needs_reason=needs_reason)
        if findings:
            return findings
        plan = self._accepted(draft, known, scope.caller.id)
        return self._unknown_courses(plan) or lint(plan, self._elsewhere(plan, scope))

    def _known(self) -> Known:
        """What a new plan may read."""
        with self._database.read() as connection:
            return known_metrics(connection)

    def _unknown_courses(self, plan: Plan) -> tuple[Finding, ...]:
        """Conditions that ask for a course there is none of: they would never hold."""
        if not plan.courses:
            return ()
        with self._database.read() as connection:
            unknown = unknown_courses(connection, [name.removeprefix(COURSE) for name in plan.courses])
        return tuple(
            error("COURSE_UNKNOWN", f"{node.place}.{kind}.condition.metric", f"No such course: {name}.")
            for node in plan.nodes
            if (kind := _CONDITIONED.get(type(node.rule.kind)))
            for name in (metric.name for metric in metrics_of(node.rule))
            if name.removeprefix(COURSE) in unknown and is_course(name)
        )

    def _elsewhere(self, plan: Plan, scope: Scope) -> list[Plan]:
        """Plans in force for the role elsewhere when this one begins; of those that the caller may read."""
        book = self._book()
        day = plan.effective_from
        return [
            other
            for other in book.listed
            if (other.job_role, other.period_kind) == (plan.job_role, plan.period_kind)
            and other.node_id != plan.node_id
            and book.written([other.node_id], other.job_role, day) is other
            and is_visible(scope, other)
        ]

    def _accepted(self, draft: DraftPlan, known: Known, author_id: str) -> Plan:
        accepted = accept(draft, known)
        return Plan(
            id=draft.id or new_id(),
            node_id=draft.node_id,
            job_role=draft.job_role,
            name=draft.name,
            period_kind=accepted.period_kind,
            rules=accepted.rules,
            effective_from=accepted.effective_from,
            reason=draft.reason,
            author_id=author_id,
            recorded_at=self._clock.now(),
            parameters=accepted.parameters,
        )

    def _from_findings(self, findings: Sequence[Finding]) -> list[plans_pb2.PlanFinding]:
        return [from_finding(finding, self._currency) for finding in findings]


def conflict(book: PlanBook, plan: Plan) -> bool:
    """Whether an approved plan has the id or the place of this one."""
    return book.get(plan.id) is not None or any(
        (each.node_id, each.job_role, each.effective_from)
        == (plan.node_id, plan.job_role, plan.effective_from)
        for each in book.listed
    )


def taken(book: PlanBook, plan: Plan) -> AlreadyExists | FailedPrecondition:
    """Why a plan cannot be added."""
    if any(
        (each.node_id, each.job_role, each.effective_from)
        == (plan.node_id, plan.job_role, plan.effective_from)
        and each.id != plan.id
        for each in book.listed
    ):
        return FailedPrecondition(
            "PLAN_CONFLICT",
            "Another plan for that role is in force at that node from the same day.",
            fields={"plan.effective_from": "choose another day"},
        )
    return AlreadyExists("ALREADY_EXISTS", "A plan with that id exists.", fields={"plan.id": "is taken"})


def _key(plan: Plan) -> tuple[str, str, str, str]:
    return plan.node_id, plan.job_role, plan.effective_from.isoformat(), plan.id


def is_visible(scope: Scope, plan: Plan) -> bool:
    """On the plan's node, or on a person it is for."""
    if scope.covers(plan.node_id):
        return True
    if not scope.is_member(plan.node_id):
        return False
    directory = scope.caller.directory
    return any(
        (person := directory.person(person_id)) is not None
        and person.job_role == plan.job_role
        and plan.node_id in directory.ancestors(person_id)
        for person_id in scope.people() or ()
    )

"""Trying plans on past months."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Final

import grpc
from foothold.incentives.v1 import plans_pb2, simulation_pb2, simulation_pb2_grpc

from access import Scope, caller
from chassis.clock import Clock
from chassis.database import Database
from chassis.errors import FailedPrecondition, InvalidArgument, NotFound
from chassis.idempotency import answer_once
from chassis.ids import new_id
from chassis.paging import decode_token, encode_token
from chassis.validation import Fields
from services.incentives.catalogue import Catalogue
from services.incentives.domain.checks import check, errors
from services.incentives.domain.drafts import accept
from services.incentives.domain.metrics import Known
from services.incentives.domain.periods import today
from services.incentives.domain.plan_book import PlanBook
from services.incentives.domain.plans import Plan
from services.incentives.domain.simulation import Simulation, State, later, nothing
from services.incentives.store import simulations
from services.incentives.store.board_rows import goals_position
from services.incentives.store.catalogue import begin_calculation
from services.incentives.store.metrics import known_metrics
from services.incentives.store.simulations import SimulationStore
from services.incentives.wire.plans import to_draft
from services.incentives.wire.simulation import from_outcome, from_simulation, from_tally

_PERMISSION: Final = "incentives.plans.simulate"
_START: Final = "/foothold.incentives.v1.SimulationsService/StartSimulation"
_CANCEL: Final = "/foothold.incentives.v1.SimulationsService/CancelSimulation"
_MOST_MONTHS: Final = 24
_MOST_PLANS: Final = 2
_NEWEST: Final = datetime(9999, 1, 1, tzinfo=UTC)
_ORDERS: Final = frozenset(simulation_pb2.ListSimulatedPeopleRequest.Order.values())


class SimulationsHandler(simulation_pb2_grpc.SimulationsServiceServicer):
    """`started` is told when there is one to compute."""

    def __init__(
        self,
        database: Database,
        catalogue: Catalogue,
        clock: Clock,
        currency: str,
        started: Callable[[], None],
    ) -> None:
        self._database = database
        self._catalogue = catalogue
        self._clock = clock
        self._currency = currency
        self._started = started

    def StartSimulation(
        self, request: simulation_pb2.StartSimulationRequest, context: grpc.ServicerContext
    ) -> simulation_pb2.StartSimulationResponse:
        scope = caller(context).scope(_PERMISSION)
        directory = scope.caller.directory
        fields = Fields()
        fields.request_id(request.request_id)
        name = fields.text("name", request.name, max_length=100)
        node_id = fields.identifier("node_id", request.node_id)
        day = fields.date("first_month", request.first_month)
        months = fields.integer("months", request.months, minimum=1, maximum=_MOST_MONTHS)
        fields.count("plans", len(request.plans), maximum=_MOST_PLANS)
        fields.require_valid()
        scope.require(node_id)
        first = day.replace(day=1)
        if later(first, months - 1) > today(self._clock.now(), directory.zone_of(node_id)):
            fields.refuse("months", "must not reach into the future")
        fields.require_valid()
        with self._database.begin() as connection:

            def produce() -> simulation_pb2.StartSimulationResponse:
                # Whoever computes is done by then: what it sees is all that was known at its instant.
                book = self._catalogue.plans(connection, begin_calculation(connection))
                now = self._clock.now()
                known = known_metrics(connection)
                plans = tuple(
                    self._plan(scope, book, known, f"plans[{number}]", each, first, now)
                    for number, each in enumerate(request.plans)
                )
                simulation = Simulation(
                    id=new_id(),
                    name=name,
                    node_id=node_id,
                    author_id=scope.caller.id,
                    first_month=first,
                    months=months,
                    plans=plans,
                    created_at=now,
                    goals_position=goals_position(connection),
                    state=State.WAITING,
                    people=len(directory.people_under(node_id)),
                    done=0,
                    after_person="",
                    digest="",
                    ranks=any(plan.prize_rules for plan in plans),
                )
                SimulationStore(connection, scope).add(simulation, nothing(plans))
                message = from_simulation(simulation, self._currency)
                return simulation_pb2.StartSimulationResponse(simulation=message)

            response = answer_once(
                connection,
                caller=scope.caller.id,
                method=_START,
                request=request,
                response=simulation_pb2.StartSimulationResponse,
                produce=produce,
            )
        self._started()
        return response

    def GetSimulation(
        self, request: simulation_pb2.GetSimulationRequest, context: grpc.ServicerContext
    ) -> simulation_pb2.GetSimulationResponse:
        scope = caller(context).scope(_PERMISSION)
        with self._database.read() as connection:
            store = SimulationStore(connection, scope)
            simulation = self._asked(store, request.simulation_id)
            response = simulation_pb2.GetSimulationResponse(
                simulation=from_simulation(simulation, self._currency)
            )
            response.simulation.moved_on = store.moved_on(simulation)
            if simulation.state is State.DONE:
                tally = store.tally(simulation)
                response.result.CopyFrom(from_tally(tally, simulation.plans, self._currency))
        return response

    def ListSimulations(
        self, request: simulation_pb2.ListSimulationsRequest, context: grpc.ServicerContext
    ) -> simulation_pb2.ListSimulationsResponse:
        scope = caller(context).scope(_PERMISSION)
        fields = Fields()
        size = fields.page_size(request.page_size)
        fields.require_valid()
        cursor = decode_token(request.page_token, query=request, shape=(str, str))
        after = (datetime.fromisoformat(str(cursor[0])), str(cursor[1])) if cursor else (_NEWEST, "")
        with self._database.read() as connection:
            found = SimulationStore(connection, scope).listed(after, size + 1)
        response = simulation_pb2.ListSimulationsResponse()
        if len(found) > size:
            found.pop()
            last = [found[-1].created_at.isoformat(), found[-1].id]
            response.next_page_token = encode_token(last, query=request)
        response.simulations.extend(from_simulation(each, self._currency) for each in found)
        return response

    def ListSimulatedPeople(
        self, request: simulation_pb2.ListSimulatedPeopleRequest, context: grpc.ServicerContext
    ) -> simulation_pb2.ListSimulatedPeopleResponse:
        scope = caller(context).scope(_PERMISSION)
        fields = Fields()
        order = fields.one_of("order", request.order, _ORDERS)
        size = fields.page_size(request.page_size)
        fields.require_valid()
        cursor = decode_token(request.page_token, query=request, shape=(int, str))
        after = (int(cursor[0] or 0), str(cursor[1])) if cursor else None
        response = simulation_pb2.ListSimulatedPeopleResponse()
        with self._database.read() as connection:
            store = SimulationStore(connection, scope)
            simulation = self._asked(store, request.simulation_id)
            if not 0 <= request.plan < len(simulation.plans):
                fields.refuse("plan", "must be a plan of the simulation, from 0")
            fields.require_valid()
            found = store.people(simulation, order, request.plan, after, size + 1)
        if len(found) > size:
            found.pop()
            outcome, gain = found[-1]
            response.next_page_token = encode_token([gain, outcome.person_id], query=request)
        response.people.extend(from_outcome(outcome, gain, self._currency) for outcome, gain in found)
        return response

    def CancelSimulation(
        self, request: simulation_pb2.CancelSimulationRequest, context: grpc.ServicerContext
    ) -> simulation_pb2.CancelSimulationResponse:
        scope = caller(context).scope(_PERMISSION)
        with self._database.begin() as connection:

            def produce() -> simulation_pb2.CancelSimulationResponse:
                store = SimulationStore(connection, scope)
                self._asked(store, request.simulation_id)
                simulations.end(connection, request.simulation_id, State.CANCELLED, self._clock.now())
                simulation = store.get(request.simulation_id)
                if simulation.state is not State.CANCELLED:
                    raise FailedPrecondition("SIMULATION_ENDED", "The simulation has ended already.")
                message = from_simulation(simulation, self._currency)
                return simulation_pb2.CancelSimulationResponse(simulation=message)

            return answer_once(
                connection,
                caller=scope.caller.id,
                method=_CANCEL,
                request=request,
                response=simulation_pb2.CancelSimulationResponse,
                produce=produce,
            )

    def _asked(self, store: SimulationStore, simulation_id: str) -> Simulation:
        fields = Fields()
        fields.identifier("simulation_id", simulation_id)
        fields.require_valid()
        return store.get(simulation_id)

    def _plan(
        self,
        scope: Scope,
        book: PlanBook,
        known: Known,
        at: str,
        message: plans_pb2.Plan,
        first: date,
        now: datetime,
    ) -> Plan:
        """A stored plan where only an id is told, else the one that is told."""
        if message.id and not message.rules:
            stored = book.get(message.id)
            if stored is None or not scope.is_member(stored.node_id):
                raise NotFound("PLAN_UNKNOWN", "There is no such plan.")
            # What was set below it is applied to everybody it is tried on.
            return stored.base or stored
        draft = replace(to_draft(message), id="", effective_from=first, reason="")
        refused = errors(check(draft, currency=self._currency, known=known, needs_reason=False))
        if refused:
            raise InvalidArgument(
                refused[0].code,
                f"The plan is refused: {refused[0].message}",
                fields={f"{at}.{each.field}": each.message for each in reversed(refused)},
            )
        if not scope.is_member(draft.node_id):
            raise InvalidArgument(
                "NODE_UNKNOWN", "There is no such node.", fields={f"{at}.node_id": "There is no such node."}
            )
        accepted = accept(draft, known)
        return Plan(
            id="",
            node_id=draft.node_id,
            job_role=draft.job_role,
            name=draft.name,
            period_kind=accepted.period_kind,
            rules=accepted.rules,
            effective_from=accepted.effective_from,
            reason="",
            author_id=scope.caller.id,
            recorded_at=now,
            parameters=accepted.parameters,
        )

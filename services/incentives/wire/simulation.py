"""Simulations, what came of them, and lines computed anew."""

from collections.abc import Iterable
from datetime import date

from foothold.incentives.v1 import recompute_pb2, simulation_pb2
from google.type import money_pb2

from services.incentives.domain.plans import Plan
from services.incentives.domain.rechecking import Difference
from services.incentives.domain.simulation import Outcome, PlanTally, Simulation, State, Sums, Tally
from services.incentives.wire.plans import from_plan
from services.incentives.wire.values import from_date, from_money


def from_simulation(simulation: Simulation, currency: str) -> simulation_pb2.Simulation:
    message = simulation_pb2.Simulation(
        id=simulation.id,
        name=simulation.name,
        node_id=simulation.node_id,
        author_id=simulation.author_id,
        first_month=from_date(simulation.first_month),
        months=simulation.months,
        plans=[from_plan(plan, None, currency) for plan in simulation.plans],
        state=simulation_pb2.Simulation.State.ValueType(simulation.state),
        people=simulation.people,
        people_done=simulation.done,
        people_to_rank=simulation.people if any(plan.prize_rules for plan in simulation.plans) else 0,
        people_ranked=simulation.ranked,
        goals_position=simulation.goals_position,
        digest=simulation.digest if simulation.state is State.DONE else "",
    )
    message.created_at.FromDatetime(simulation.created_at)
    if simulation.finished_at is not None:
        message.finished_at.FromDatetime(simulation.finished_at)
    return message


def from_tally(tally: Tally, plans: Iterable[Plan], currency: str) -> simulation_pb2.SimulationResult:
    return simulation_pb2.SimulationResult(
        sums=_sums(tally.sums, currency),
        months=[
            simulation_pb2.SimulatedMonth(
                first_day=from_date(date.fromisoformat(month)), sums=_sums(each, currency)
            )
            for month, each in sorted(tally.months.items())
        ],
        branches=[
            simulation_pb2.SimulatedBranch(node_id=node_id, sums=_sums(each, currency))
            for node_id, each in sorted(tally.branches.items())
        ],
        plans=[_plan(each, plan, currency) for each, plan in zip(tally.plans, plans, strict=True)],
    )


def _sums(sums: Sums, currency: str) -> simulation_pb2.SimulatedSums:
    return simulation_pb2.SimulatedSums(
        paid=from_money(sums.paid, currency),
        simulated=_moneys(sums.simulated, currency),
        people=sums.people,
    )


def _moneys(amounts: Iterable[int], currency: str) -> list[money_pb2.Money]:
    return [from_money(amount, currency) for amount in amounts]


def _plan(tally: PlanTally, plan: Plan, currency: str) -> simulation_pb2.SimulatedPlan:
    return simulation_pb2.SimulatedPlan(
        winners=tally.winners,
        won=from_money(tally.won, currency),
        losers=tally.losers,
        lost=from_money(tally.lost, currency),
        same=tally.same,
        statements=tally.statements,
        rules=[
            simulation_pb2.SimulatedRule(
                rule_id=node.rule.id,
                label=node.rule.label,
                statements=each.statements,
                amount=from_money(each.amount, currency),
                tiers=each.tiers,
            )
            for each, node in zip(tally.rules, plan.nodes, strict=True)
        ],
    )


def from_outcome(outcome: Outcome, gain: int, currency: str) -> simulation_pb2.SimulatedPerson:
    return simulation_pb2.SimulatedPerson(
        person_id=outcome.person_id,
        paid=from_money(outcome.paid, currency),
        simulated=_moneys(outcome.simulated, currency),
        gain=from_money(gain, currency),
    )


def from_difference(each: Difference, currency: str) -> recompute_pb2.RecomputedLine:
    return recompute_pb2.RecomputedLine(
        person_id=each.person_id,
        rule_id=each.rule_id,
        label=each.label,
        stored=from_money(each.stored, currency),
        computed=from_money(each.computed, currency),
        stored_plan_id=each.stored_plan_id,
        computed_plan_id=each.computed_plan_id,
    )

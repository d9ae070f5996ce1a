"""What there is to reach for: a fact of everybody, and a target, a plan and a course at every node."""

import time
from datetime import UTC, date, datetime, timedelta
from typing import Final

import grpc
from foothold.goals.v1 import (
    cascade_pb2,
    cascade_pb2_grpc,
    coaching_pb2,
    coaching_pb2_grpc,
    coaching_rules_pb2,
    coaching_rules_pb2_grpc,
    facts_pb2,
    facts_pb2_grpc,
    fairness_pb2,
    fairness_pb2_grpc,
    industries_pb2,
    industries_pb2_grpc,
    metric_library_pb2,
    metric_library_pb2_grpc,
    metrics_pb2,
    objectives_pb2,
    objectives_pb2_grpc,
    targets_pb2,
    targets_pb2_grpc,
    values_pb2,
)
from foothold.incentives.v1 import (
    parameters_pb2,
    parameters_pb2_grpc,
    plan_life_pb2,
    plan_life_pb2_grpc,
    plans_pb2,
    plans_pb2_grpc,
    simulation_pb2,
    simulation_pb2_grpc,
    statements_pb2,
    statements_pb2_grpc,
)
from foothold.incentives.v1 import values_pb2 as incentives_values
from foothold.training.v1 import courses_pb2, courses_pb2_grpc
from google.type.date_pb2 import Date
from google.type.money_pb2 import Money

from chassis.errors import from_rpc_error
from chassis.ids import new_id
from tests.permissions.documents import document
from tests.permissions.platform import Platform

_DONE: Final = simulation_pb2.Simulation.STATE_DONE
_NODES: Final = ("hq", "shanghai", "beijing", "shanghai-sales")
WITH_NUMBERS: Final = "with-numbers"
"""A job role whose plan lets nodes set a number."""
_ASKED: Final = {"shanghai": 30, "beijing": 25, "shanghai-sales": 35}
# The one source that people and systems alike may tell.
_SOURCE: Final = "foothold"


def fact(person_id: str, external_id: str) -> facts_pb2.Fact:
    """A follow-up just now."""
    made = facts_pb2.Fact(
        source=_SOURCE,
        external_id=external_id,
        kind=facts_pb2.FACT_KIND_FOLLOW_UP,
        person_id=person_id,
        customer=f"customer of {person_id}",
    )
    made.occurred_at.FromDatetime(datetime.now(UTC) - timedelta(minutes=1))
    return made


def target(node_id: str, job_role: str) -> targets_pb2.Target:
    """Twenty customers a month, more in a branch and its departments."""
    return targets_pb2.Target(
        node_id=node_id,
        job_role=job_role,
        metric="customers_followed",
        period_kind=values_pb2.PERIOD_KIND_MONTH,
        value=values_pb2.Value(unit=values_pb2.UNIT_COUNT, numerator=_ASKED.get(node_id, 20), denominator=1),
        effective_from=Date(year=2025, month=1, day=1),
        reason="as everywhere",
    )


def metric(name: str) -> metrics_pb2.MetricDefinition:
    """Follow-ups, under a name of one's own."""
    return metrics_pb2.MetricDefinition(
        name=name,
        unit=values_pb2.UNIT_COUNT,
        aggregation=metrics_pb2.MetricDefinition.AGGREGATION_COUNT,
        fact_kinds=[facts_pb2.FACT_KIND_FOLLOW_UP],
        direction=metrics_pb2.MetricDefinition.DIRECTION_AT_LEAST,
        description="Follow-ups in the period.",
        titles={"zh-CN": "跟进次数", "en": "Follow-ups"},
    )


def plan(node_id: str, job_role: str) -> plans_pb2.Plan:
    """Fifty for each new customer; nodes below may set another amount."""
    amount = Money(currency_code="CNY", units=50)
    return plans_pb2.Plan(
        node_id=node_id,
        job_role=job_role,
        name="Each new customer",
        period_kind=incentives_values.PERIOD_KIND_MONTH,
        rules=[
            plans_pb2.Rule(
                id="each",
                label="New customers",
                per_unit=plans_pb2.PerUnit(metric="new_customers", amount=amount),
            )
        ],
        effective_from=Date(year=2025, month=1, day=1),
        reason="as everywhere",
        parameters=[plans_pb2.PlanParameter(rule_id="each", field="amount")],
    )


def setting_for(node_id: str, day: date) -> parameters_pb2.ParameterSetting:
    """Sixty there, for one day."""
    following = day + timedelta(days=1)
    return parameters_pb2.ParameterSetting(
        node_id=node_id,
        job_role=WITH_NUMBERS,
        rule_id="each",
        field="amount",
        value=incentives_values.Value(
            unit=incentives_values.UNIT_MONEY, numerator=6000, denominator=1, currency="CNY"
        ),
        effective_from=Date(year=day.year, month=day.month, day=day.day),
        effective_to=Date(year=following.year, month=following.month, day=following.day),
        reason="as elsewhere",
    )


def simulation(node_id: str) -> simulation_pb2.StartSimulationRequest:
    """A plan of the enterprise tried on this month at a node."""
    today = datetime.now(UTC).date()
    return simulation_pb2.StartSimulationRequest(
        request_id=new_id(),
        name="Tried",
        node_id=node_id,
        first_month=Date(year=today.year, month=today.month, day=1),
        months=1,
        plans=[plan("hq", "sales")],
    )


def task(person_id: str) -> coaching_pb2.CoachingTask:
    """A call together, within the week."""
    due = datetime.now(UTC).date() + timedelta(days=7)
    return coaching_pb2.CoachingTask(
        person_id=person_id,
        situation=coaching_rules_pb2.COACHING_SITUATION_NO_FOLLOW_UP,
        text="Make the first call together",
        due_day=Date(year=due.year, month=due.month, day=due.day),
    )


def rule(node_id: str) -> coaching_rules_pb2.CoachingRule:
    """A step for whoever is behind."""
    return coaching_rules_pb2.CoachingRule(
        node_id=node_id,
        situation=coaching_rules_pb2.COACHING_SITUATION_BEHIND,
        step_zh="旁听两通电话",
        step_en="Listen in on two calls",
        days=3,
        active=True,
        reason="as everywhere",
    )


def course(id: str, node_id: str) -> courses_pb2.Course:
    """One lesson and one question."""
    options = [courses_pb2.Option(id="a", text="Yes", right=True), courses_pb2.Option(id="b", text="No")]
    question = courses_pb2.Question(id="q1", text="Yes?", options=options, points=1)
    return courses_pb2.Course(
        id=id,
        node_id=node_id,
        title=id,
        lessons=[courses_pb2.Lesson(id="l1", title="One")],
        quiz=courses_pb2.Quiz(pass_mark=80, questions=[question]),
        minutes=5,
    )


def fairness_rule(node_id: str) -> fairness_pb2.FairnessRule:
    """One customer of a colleague's is already too many."""
    return fairness_pb2.FairnessRule(
        node_id=node_id, kind=fairness_pb2.FAIRNESS_KIND_SELF_ORDER, active=True, reason="as everywhere"
    )


def course_of(node_id: str) -> str:
    return f"course-of-{node_id}"


class Content:
    """Made by the operator."""

    def __init__(self, platform: Platform, people: tuple[str, ...]) -> None:
        goals = platform.channel("goals", platform.operator)
        self._targets = targets_pb2_grpc.TargetsServiceStub(goals)
        self._cascade = cascade_pb2_grpc.CascadeServiceStub(goals)
        self._objectives = objectives_pb2_grpc.ObjectivesServiceStub(goals)
        self._industries = industries_pb2_grpc.IndustriesServiceStub(goals)
        self._coaching = coaching_pb2_grpc.CoachingServiceStub(goals)
        self._rules = coaching_rules_pb2_grpc.CoachingRulesServiceStub(goals)
        self._fairness = fairness_pb2_grpc.FairnessServiceStub(goals)
        self._flags: dict[str, str] = {}
        self._library = metric_library_pb2_grpc.MetricLibraryServiceStub(goals)
        incentives = platform.channel("incentives", platform.operator)
        self._proposing = plans_pb2_grpc.PlansServiceStub(incentives)
        self._parameters = parameters_pb2_grpc.ParametersServiceStub(incentives)
        self._days = 0
        self._life = plan_life_pb2_grpc.PlanLifeServiceStub(incentives)
        courses = courses_pb2_grpc.CoursesServiceStub(platform.channel("training", platform.operator))
        self._plans: dict[str, plans_pb2.Plan] = {}
        self._simulations = simulation_pb2_grpc.SimulationsServiceStub(incentives)
        self._simulated: dict[str, str] = {}
        self.last_revision = 0
        for node_id in _NODES:
            self.add_target(node_id, "sales")
            draft = self._propose(node_id, "sales")
            approved = plan_life_pb2.ApprovePlanRequest(request_id=new_id(), plan_id=draft.id)
            self._plans[node_id] = self._life.ApprovePlan(approved).plan
            courses.CreateCourse(
                courses_pb2.CreateCourseRequest(
                    request_id=new_id(), course=course(course_of(node_id), node_id)
                )
            )
        self._recording = facts_pb2_grpc.FactsServiceStub(goals)
        recorded = self._recording.RecordFacts(
            facts_pb2.RecordFactsRequest(facts=[fact(each, f"first-of-{each}") for each in people])
        )
        assert all(result.fact_id for result in recorded.results), recorded
        self._facts = {each: result.fact_id for each, result in zip(people, recorded.results, strict=True)}
        self._wait_for_statements(platform, people)

    def _wait_for_statements(self, platform: Platform, people: tuple[str, ...]) -> None:
        stub = statements_pb2_grpc.StatementsServiceStub(platform.channel("incentives", platform.operator))
        until = time.monotonic() + 20
        for person_id in people:
            while True:
                try:
                    found = stub.GetStatement(statements_pb2.GetStatementRequest(person_id=person_id))
                    if found.statement.lines:
                        break
                except grpc.RpcError:
                    if time.monotonic() > until:
                        raise
                assert time.monotonic() < until, f"no statement of {person_id}"
                time.sleep(0.05)

    def add_target(self, node_id: str, job_role: str) -> str:
        return str(self.target_at(node_id, job_role).id)

    def target_at(self, node_id: str, job_role: str) -> targets_pb2.Target:
        request = targets_pb2.SetTargetRequest(request_id=new_id(), target=target(node_id, job_role))
        made = self._targets.SetTarget(request).target
        self.last_revision = made.revision
        return made

    def add_proposal(self, node_id: str, job_role: str) -> str:
        """The id of an override that headquarters has to approve; at headquarters one that needs none."""
        national = target("hq", job_role)
        national.rule.approval_required = True
        request = targets_pb2.SetTargetRequest(request_id=new_id(), target=national)
        made = self._targets.SetTarget(request).target
        return str(made.id) if node_id == "hq" else self.add_target(node_id, job_role)

    def add_goal(self, goal: cascade_pb2.Goal) -> str:
        request = cascade_pb2.SetGoalRequest(request_id=new_id(), goal=goal)
        return str(self._cascade.SetGoal(request).goal.id)

    def add_objective(self, objective: objectives_pb2.Objective) -> str:
        request = objectives_pb2.SetObjectiveRequest(request_id=new_id(), objective=objective)
        return str(self._objectives.SetObjective(request).objective.id)

    def add_task(self, task: coaching_pb2.CoachingTask) -> str:
        request = coaching_pb2.OpenTaskRequest(request_id=new_id(), task=task)
        return str(self._coaching.OpenTask(request).task.id)

    def task_of(self, person_id: str) -> str:
        """The id of an open task of the person; of none for somebody unknown or gone."""
        try:
            return self.add_task(task(person_id))
        except grpc.RpcError as error:
            return from_rpc_error(error).metadata.get("task_id") or new_id()

    def add_rule(self, rule: coaching_rules_pb2.CoachingRule) -> None:
        self._rules.SetRule(coaching_rules_pb2.SetRuleRequest(request_id=new_id(), rule=rule))

    def add_fairness_rule(self, rule: fairness_pb2.FairnessRule) -> None:
        self._fairness.SetFairnessRule(fairness_pb2.SetFairnessRuleRequest(request_id=new_id(), rule=rule))

    def flag_of(self, person_id: str) -> str:
        """The id of a flag of the person, whom others may have answered; of none for somebody unknown or gone."""
        if person_id not in self._flags:
            self._flags[person_id] = self.new_flag_of(person_id)
        return self._flags[person_id]

    def new_flag_of(self, person_id: str) -> str:
        """The id of an open flag of the person, who has sold to a colleague once more."""
        sold = fact(person_id, new_id())
        sold.kind = facts_pb2.FACT_KIND_DEAL_WON
        sold.attributes["buyer_employee_number"] = "colleague"
        asked = fairness_pb2.ListFlagsRequest(person_id=person_id)
        until = time.monotonic() + 20
        try:
            before = self._fairness.ListFlags(asked).total_size
            self._recording.RecordFact(facts_pb2.RecordFactRequest(fact=sold))
            while (found := self._fairness.ListFlags(asked)).total_size == before:
                assert time.monotonic() < until, f"no flag of {person_id}"
                time.sleep(0.05)
        except grpc.RpcError:
            return new_id()
        return str(found.flags[0].id)

    def add_metric(self, name: str) -> str:
        request = metric_library_pb2.DefineMetricRequest(
            request_id=new_id(),
            definition=metric(name),
            effective_from=Date(year=2025, month=1, day=1),
            reason="a metric of our own",
        )
        return str(self._library.DefineMetric(request).version.definition.name)

    def add_template(self, template_id: str) -> str:
        """The id of a template of the company's own."""
        request = industries_pb2.ImportTemplateRequest(request_id=new_id(), document=document(template_id))
        return str(self._industries.ImportTemplate(request).industry.id)

    def fact_of(self, person_id: str) -> str:
        """The id of a fact of the person; of nobody's for somebody unknown."""
        return self._facts.get(person_id) or self._facts["colleague"].replace("colleague", person_id)

    def plan_of(self, node_id: str) -> plans_pb2.Plan:
        """The plan in force at a node; one that nobody knows for an unknown node."""
        return self._plans.get(node_id) or plans_pb2.Plan(id=new_id())

    def draft_at(self, node_id: str, job_role: str) -> plans_pb2.Plan:
        """A new draft that waits for somebody to decide about it; one that nobody knows for an unknown node."""
        return self._propose(node_id, job_role) if node_id in self._plans else plans_pb2.Plan(id=new_id())

    def setting_at(self, node_id: str) -> str:
        """The id of a number that waits for approval; of none at the enterprise, whose plan it is, or nowhere."""
        if node_id == "hq" or node_id not in self._plans:
            return new_id()
        if not self._days:
            asked = plans_pb2.CreatePlanRequest(request_id=new_id(), plan=plan("hq", WITH_NUMBERS))
            made = self._proposing.CreatePlan(asked).plan
            self._life.ApprovePlan(plan_life_pb2.ApprovePlanRequest(request_id=new_id(), plan_id=made.id))
        # Each for a day of its own: no other is in its way.
        self._days += 1
        setting = setting_for(node_id, date(2025, 2, 1) + timedelta(days=self._days))
        asked_for = parameters_pb2.SetParameterRequest(request_id=new_id(), setting=setting)
        return str(self._parameters.SetParameter(asked_for).setting.id)

    def _propose(self, node_id: str, job_role: str) -> plans_pb2.Plan:
        asked = plans_pb2.CreatePlanRequest(request_id=new_id(), plan=plan(node_id, job_role))
        return self._proposing.CreatePlan(asked).plan

    def simulation_of(self, node_id: str) -> str:
        """The id of a simulation of the node, which is done; of none for an unknown node."""
        if node_id not in self._simulated:
            try:
                made = self._simulations.StartSimulation(simulation(node_id)).simulation.id
            except grpc.RpcError:
                return new_id()
            asked = simulation_pb2.GetSimulationRequest(simulation_id=made)
            until = time.monotonic() + 20
            while self._simulations.GetSimulation(asked).simulation.state != _DONE:
                assert time.monotonic() < until, "the simulation is not done in time"
                time.sleep(0.05)
            self._simulated[node_id] = str(made)
        return self._simulated[node_id]

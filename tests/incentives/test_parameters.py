"""Branches set numbers of a plan for themselves: within bounds, by two people, with where each comes from (0430)."""

from datetime import date, timedelta
from itertools import count as numbers

import grpc
import pytest
from foothold.incentives.v1 import parameters_pb2, plan_life_pb2, plans_pb2, simulation_pb2, values_pb2

from chassis.errors import from_rpc_error
from tests.incentives.company import (
    TODAY,
    Client,
    Company,
    eventually,
    on,
    person,
    reason_of,
    refusal,
    request_id,
)
from tests.incentives.plans import (
    at_least,
    bonus,
    count,
    gate,
    in_yuan,
    may_set,
    money,
    per_unit,
    percent,
    plan,
    rate_of,
    tiers,
    yuan,
)

APRIL = date(2025, 4, 1)
_roles = numbers(1)
State = parameters_pb2.ParameterSetting


class Firm:
    """A plan of headquarters' for a role of its own, with somebody in each of two branches."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.role = f"local{next(_roles)}"
        self.shanghai = company.newcomer(f"{self.role}-sh", job_role=self.role)
        self.beijing = company.newcomer(f"{self.role}-bj", "beijing-sales", job_role=self.role)
        company.settle()
        self.plan = self.hr.create(
            plan(
                per_unit("deals_won", "50"),
                bonus("close_rate", percent(12), "600"),
                job_role=self.role,
                parameters=[
                    may_set("unit", "amount", money("30"), money("80")),
                    may_set("bonus", "threshold", maximum=percent(20)),
                ],
            )
        ).plan
        for who in (self.shanghai, self.beijing):
            company.figures(who, TODAY, deals_won=3, customers_followed=20)
        company.settle()

    @property
    def hr(self) -> Client:
        return self.company.as_("hr")

    def total(self, who: str, day: date | None = None) -> str:
        return in_yuan(self.hr.statement(who, day).total)

    def put(self, node_id: str, rule_id: str, field: str, value: values_pb2.Value, **more: object) -> State:
        """Set a number, and have the administrator approve it."""
        made = self.hr.set_number(node_id, self.role, rule_id, field, value, **more)
        made = self.company.as_("administrator").approve_number(made.id)
        self.company.settle()
        return made

    def resolve(self, node_id: str, **more: object) -> parameters_pb2.ResolveParametersResponse:
        asked = parameters_pb2.ResolveParametersRequest(node_id=node_id, job_role=self.role, **more)  # type: ignore[arg-type]
        return self.hr.parameters.ResolveParameters(asked)

    def end(self, setting: State, day: date) -> State:
        asked = parameters_pb2.EndParameterRequest(
            request_id=request_id(), setting_id=setting.id, effective_to=on(day), reason="到此为止"
        )
        ended = self.hr.parameters.EndParameter(asked).setting
        self.company.settle()
        return ended

    def listed(self, who: str = "hr", **more: object) -> list[State]:
        asked = parameters_pb2.ListParameterSettingsRequest(job_role=self.role, **more)  # type: ignore[arg-type]
        return list(self.company.as_(who).parameters.ListParameterSettings(asked).settings)


@pytest.fixture
def firm(company: Company) -> Firm:
    return Firm(company)


def test_a_branch_pays_by_its_own_number_once_a_second_person_approved_it(firm: Firm) -> None:
    assert (firm.total(firm.shanghai), firm.total(firm.beijing)) == ("750.00", "750.00")
    waiting = firm.hr.set_number("shanghai", firm.role, "unit", "amount", money("70"))
    firm.company.settle()
    assert (waiting.state, waiting.plan_node_id, waiting.author_id) == (State.STATE_PENDING, "hq", "hr")
    assert (waiting.plan_value.numerator, waiting.value.numerator) == (50_00, 70_00)
    assert firm.total(firm.shanghai) == "750.00"
    assert refusal(lambda: firm.hr.approve_number(waiting.id)) == (
        "FAILED_PRECONDITION",
        "SECOND_PERSON_NEEDED",
    )
    made = firm.company.as_("administrator").approve_number(waiting.id)
    firm.company.settle()
    assert (made.state, made.decided_by) == (State.STATE_IN_FORCE, "administrator")
    assert (firm.total(firm.shanghai), firm.total(firm.beijing)) == ("810.00", "750.00")
    assert [each.id for each in firm.listed()] == [made.id]


def test_s19_to_s21_each_number_is_the_nearest_one_with_where_it_comes_from(firm: Firm) -> None:
    """As with targets: a branch sets one number and inherits the other."""
    firm.put("shanghai", "unit", "amount", money("60"))
    firm.put("beijing", "bonus", "threshold", percent(15))
    firm.put("shanghai-sales", "unit", "amount", money("55"))
    at = {
        f"{each.parameter.rule_id}.{each.parameter.field}": (
            each.value.numerator,
            [(setting.node_id, setting.value.numerator) for setting in each.chain],
        )
        for each in firm.resolve("shanghai-sales").parameters
    }
    assert at == {
        "unit.amount": (55_00, [("shanghai-sales", 55_00), ("shanghai", 60_00)]),
        "bonus.threshold": (12, []),
    }
    assert firm.total(firm.shanghai) == "765.00", "the department's, and the plan's own threshold"
    assert firm.total(firm.beijing) == "750.00", "3 of 20 is 15 %: reached exactly"
    explained = firm.hr.explain("unit", firm.shanghai)
    (number,) = explained.numbers
    assert (number.node_id, number.field) == ("shanghai-sales", "amount")
    assert (number.value.numerator, number.plan_value.numerator) == (55_00, 50_00)
    assert explained.steps[-1].result.numerator == "16500"
    assert not firm.hr.explain("bonus", firm.shanghai).numbers
    (number,) = firm.hr.explain("bonus", firm.beijing).numbers
    assert (number.node_id, number.value.numerator, number.value.denominator) == ("beijing", 3, 20)


def test_what_the_plan_does_not_let_be_set_is_refused_and_what_it_does_is_told(firm: Firm) -> None:
    def failing(*asked: object, **more: object) -> tuple[str, str]:
        with pytest.raises(grpc.RpcError) as caught:
            firm.hr.set_number(*asked, **more)  # type: ignore[arg-type]
        failure = from_rpc_error(caught.value)
        return failure.reason, str({**failure.fields, **failure.metadata})

    reason, told = failing("shanghai", firm.role, "bonus", "amount", money("700"))
    assert reason == "PARAMETER_UNKNOWN"
    assert "unit amount, bonus threshold" in told
    reason, told = failing("shanghai", firm.role, "unit", "amount", money("81"))
    assert reason == "OVERRIDE_OUT_OF_BOUNDS"
    assert "8000" in told
    assert failing("shanghai", firm.role, "bonus", "threshold", percent(21))[0] == "OVERRIDE_OUT_OF_BOUNDS"
    assert failing("shanghai", firm.role, "unit", "amount", percent(50))[0] == "VALUE_INVALID"
    half = values_pb2.Value(unit=values_pb2.UNIT_MONEY, numerator=7001, denominator=2, currency="CNY")
    assert failing("shanghai", firm.role, "unit", "amount", half)[0] == "VALUE_INVALID"
    assert failing("hq", firm.role, "unit", "amount", money("60"))[0] == "PARAMETER_UNKNOWN"
    assert failing(firm.shanghai, firm.role, "unit", "amount", money("60"))[0] == "FIELD_INVALID"
    assert failing("shanghai", "no-such-role", "unit", "amount", money("60"))[0] == "PARAMETER_UNKNOWN"
    early = TODAY.replace(year=2024)
    assert (
        failing("shanghai", firm.role, "unit", "amount", money("60"), since=early)[0] == "PARAMETER_UNKNOWN"
    )
    waiting = firm.hr.set_number("shanghai", firm.role, "unit", "amount", money("60"))
    assert failing("shanghai", firm.role, "unit", "amount", money("61"))[0] == "OVERRIDE_OVERLAPS"
    asked = parameters_pb2.RefuseParameterRequest(
        request_id=request_id(), setting_id=waiting.id, reason="太高"
    )
    told_back = firm.company.as_("administrator").parameters.RefuseParameter(asked).setting
    assert (told_back.state, told_back.decision_reason) == (State.STATE_REFUSED, "太高")
    assert (
        reason_of(lambda: firm.company.as_("administrator").approve_number(waiting.id))
        == "TARGET_NOT_PENDING"
    )


def test_a_check_says_what_the_plan_will_say_and_stores_nothing(firm: Firm) -> None:
    setting = parameters_pb2.ParameterSetting(
        node_id="shanghai",
        job_role=firm.role,
        rule_id="unit",
        field="amount",
        value=money("70"),
        effective_from=on(TODAY),
        reason="试试",
    )
    checked = firm.hr.parameters.CheckParameter(parameters_pb2.CheckParameterRequest(setting=setting))
    assert "50.00" in checked.reading_before
    assert "70.00" in checked.reading_after
    assert not checked.findings
    setting.value.CopyFrom(money("90"))
    asked = parameters_pb2.CheckParameterRequest(setting=setting)
    assert reason_of(lambda: firm.hr.parameters.CheckParameter(asked)) == "OVERRIDE_OUT_OF_BOUNDS"
    assert firm.listed(states=[State.STATE_PENDING]) == []


def test_it_holds_from_the_next_period_that_begins_and_until_it_ends(firm: Firm) -> None:
    """As a plan does: a period is never paid by two (0414)."""
    middle = firm.put("shanghai", "unit", "amount", money("60"), since=TODAY)
    assert firm.total(firm.shanghai) == "750.00", "March began before"
    april = firm.company.as_(firm.shanghai).plans_of()
    assert (april.current.plan.id, april.next.plan.base_plan_id) == (firm.plan.id, firm.plan.id)
    (number,) = april.next.plan.numbers
    assert (number.value.numerator, number.node_id) == (60_00, "shanghai")
    pays_from = april.next.pays_from
    assert date(pays_from.year, pays_from.month, pays_from.day) == APRIL
    assert firm.resolve("shanghai", on=on(APRIL)).parameters[0].value.numerator == 60_00
    ended = firm.end(middle, APRIL)
    assert ended.effective_to == on(APRIL)
    assert not firm.company.as_(firm.shanghai).plans_of().HasField("next")


def test_each_acknowledges_the_plan_with_the_numbers_it_pays_them_by(firm: Firm) -> None:
    own = firm.company.as_(firm.shanghai)
    own.acknowledge(own.plans_of().current.plan)
    firm.put("shanghai", "unit", "amount", money("60"))
    told = own.plans_of().current
    assert not told.HasField("acknowledged_at"), "it says something else now"
    assert told.plan.id != firm.plan.id
    assert told.plan.base_plan_id == firm.plan.id
    assert told.plan.digest != firm.plan.digest
    assert told.plan.rules[0].per_unit.amount.units == 60
    own.acknowledge(told.plan)
    assert own.plans.GetPlan(plans_pb2.GetPlanRequest(plan_id=told.plan.id)).plan.digest == told.plan.digest
    asked = plan_life_pb2.ListAcknowledgementsRequest(plan_id=firm.plan.id)
    listed = firm.hr.life.ListAcknowledgements(asked)
    assert (listed.people, listed.acknowledged) == (2, 1)


def test_a_new_version_of_the_plan_keeps_what_branches_have_set(firm: Firm) -> None:
    firm.put("shanghai", "unit", "amount", money("60"))
    following = firm.hr.create(
        plan(
            per_unit("deals_won", "45"),
            job_role=firm.role,
            effective=APRIL,
            parameters=[may_set("unit", "amount", money("40"), money("58"))],
        )
    ).plan
    held = firm.resolve("shanghai", on=on(APRIL))
    assert held.plan.base_plan_id == following.id
    assert held.parameters[0].value.numerator == 60_00, "what was promised stays (0310)"
    firm.company.clock.set(firm.company.clock.now() + timedelta(days=30))
    try:
        (setting,) = firm.listed()
        assert setting.out_of_bounds
        assert setting.plan_value.numerator == 45_00
    finally:
        firm.company.clock.set(firm.company.clock.now() - timedelta(days=30))


def test_closed_months_stay_and_the_past_is_told_as_it_was(firm: Firm) -> None:
    january = TODAY.replace(month=1)
    firm.company.figures(firm.shanghai, january, deals_won=2)
    firm.company.settle()
    firm.hr.close("hq", january)
    before = firm.hr.statement(firm.shanghai, january)
    known_at = firm.company.clock.now()
    firm.company.clock.set(known_at + timedelta(minutes=5))
    firm.put("shanghai", "unit", "amount", money("60"), since=january.replace(day=1))
    assert firm.hr.statement(firm.shanghai, january) == before
    assert not firm.hr.statement(firm.shanghai).adjustments
    assert firm.total(firm.shanghai) == "780.00"
    then = firm.resolve("shanghai", known_at=known_at)
    assert not then.plan.base_plan_id
    assert [each.chain for each in then.parameters] == [[], []]
    assert firm.resolve("shanghai").plan.base_plan_id == firm.plan.id


def test_whoever_moves_is_paid_by_the_numbers_of_where_they_are(firm: Firm) -> None:
    firm.put("beijing", "unit", "amount", money("70"))
    assert firm.total(firm.shanghai) == "750.00"
    firm.company.tell(person_changed=person(firm.shanghai, "beijing-sales", firm.role))
    firm.company.settle()
    assert firm.total(firm.shanghai) == "810.00"


def test_a_branch_with_a_plan_of_its_own_has_its_own_numbers(firm: Firm) -> None:
    firm.put("shanghai", "unit", "amount", money("60"))
    firm.hr.create(
        plan(per_unit("deals_won", "10"), job_role=firm.role, node_id="shanghai", reason="自己的方案")
    )
    firm.company.settle()
    assert firm.total(firm.shanghai) == "30.00", "the plan's, not what was set for another"
    assert firm.total(firm.beijing) == "750.00"


def test_prizes_are_for_all_whom_the_plan_pays_whatever_their_numbers(company: Company) -> None:
    role = f"local{next(_roles)}"
    prize = plans_pb2.Rule(
        id="prize",
        label="冠军奖",
        ranking_prize=plans_pb2.RankingPrize(metric="deals_won", prizes=[yuan("300"), yuan("100")]),
    )
    hr = company.as_("hr")
    rules = (per_unit("deals_won", "50"), prize)
    hr.create(plan(*rules, job_role=role, parameters=[may_set("unit", "amount")]))
    february = TODAY.replace(month=2)
    people = [
        company.newcomer(f"{role}-{where}", f"{where}-sales", job_role=role)
        for where in ("shanghai", "beijing")
    ]
    company.settle()
    made = hr.set_number("beijing", role, "unit", "amount", money("70"), since=date(2025, 1, 1))
    company.as_("administrator").approve_number(made.id)
    for who, deals in zip(people, (2, 3), strict=True):
        company.figures(who, february, deals_won=deals)
    company.settle()
    hr.close("hq", february)
    assert [in_yuan(hr.statement(who, february).total) for who in people] == ["200.00", "510.00"]
    assert hr.explain("prize", people[1], february).placing.rank == 1


def test_a_plan_that_is_tried_is_tried_with_what_branches_set(firm: Firm) -> None:
    firm.put("shanghai", "unit", "amount", money("60"))
    tried = plan(
        per_unit("deals_won", "40"), job_role=firm.role, parameters=[may_set("unit", "amount", money("30"))]
    )
    started = firm.hr.simulations.StartSimulation(
        simulation_pb2.StartSimulationRequest(
            request_id=request_id(),
            name="试算",
            node_id="hq",
            first_month=on(TODAY.replace(day=1)),
            months=1,
            plans=[tried],
        )
    ).simulation
    asked = simulation_pb2.GetSimulationRequest(simulation_id=started.id)
    done = simulation_pb2.Simulation.STATE_DONE
    eventually(lambda: firm.hr.simulations.GetSimulation(asked).simulation.state == done)
    people = {
        each.person_id: in_yuan(each.simulated[0])
        for each in firm.hr.simulations.ListSimulatedPeople(
            simulation_pb2.ListSimulatedPeopleRequest(simulation_id=started.id)
        ).people
    }
    assert (people[firm.shanghai], people[firm.beijing]) == ("180.00", "120.00")


def test_every_kind_of_number_can_be_set(company: Company) -> None:
    role = f"local{next(_roles)}"
    who = company.newcomer(f"{role}-one", job_role=role)
    company.settle()
    hr = company.as_("hr")
    hr.create(
        plan(
            gate(at_least("customers_followed", count(10)), per_unit("deals_won", "50"), id="gate"),
            rate_of("revenue", percent(5)),
            tiers("orders_placed", (count(0), count(5), "0"), (count(5), None, "200")),
            job_role=role,
            parameters=[
                may_set("gate", "condition"),
                may_set("share", "share", percent(3), percent(8)),
                may_set("tiers", "tiers[1]"),
            ],
        )
    )
    company.figures(who, TODAY, customers_followed=8, deals_won=2, revenue=1_000_00, orders_placed=5)
    company.settle()
    assert in_yuan(hr.statement(who).total) == "250.00"
    for rule_id, field, value in (
        ("gate", "condition", count(8)),
        ("share", "share", percent(6)),
        ("tiers", "tiers[1]", money("300")),
    ):
        made = hr.set_number("shanghai-sales", role, rule_id, field, value)
        company.as_("administrator").approve_number(made.id)
    company.settle()
    assert {line.rule_id: in_yuan(line.amount) for line in hr.statement(who).lines} == {
        "gate": "0.00",
        "unit": "100.00",
        "share": "60.00",
        "tiers": "300.00",
    }


@pytest.mark.parametrize(
    ("parameter", "field"),
    [
        (may_set("nothing", "amount"), "plan.parameters[0].rule_id"),
        (may_set("unit", "threshold"), "plan.parameters[0].field"),
        (may_set("unit", "amount", money("51")), "plan.parameters[0].minimum"),
        (may_set("unit", "amount", maximum=money("49")), "plan.parameters[0].maximum"),
        (may_set("unit", "amount", percent(5)), "plan.parameters[0].minimum"),
    ],
)
def test_a_plan_that_lets_be_set_what_it_has_not_is_refused(
    company: Company, parameter: plans_pb2.PlanParameter, field: str
) -> None:
    asked = plan(per_unit("deals_won", "50"), job_role=f"local{next(_roles)}", parameters=[parameter])
    with pytest.raises(grpc.RpcError) as caught:
        company.as_("hr").propose(asked)
    assert field in from_rpc_error(caught.value).fields


def test_who_may_see_and_decide(firm: Firm) -> None:
    own = firm.company.as_("shanghai-hr")
    waiting = own.set_number("shanghai", firm.role, "unit", "amount", money("60"))
    number = ("unit", "amount", money("60"))
    assert refusal(lambda: own.set_number("beijing", firm.role, *number)) == ("NOT_FOUND", "NODE_UNKNOWN")
    for who in ("manager", firm.shanghai):
        asking = firm.company.as_(who)
        assert refusal(lambda: asking.set_number("shanghai", firm.role, *number))[0] == "PERMISSION_DENIED"  # noqa: B023
    for who, told in (
        ("shanghai-hr", [waiting.id]),
        (firm.shanghai, []),
        ("manager", []),
        ("hr", [waiting.id]),
    ):
        assert [each.id for each in firm.listed(who, states=[State.STATE_PENDING])] == told
    assert refusal(lambda: own.approve_number(waiting.id))[0] == "PERMISSION_DENIED"
    firm.company.as_("administrator").approve_number(waiting.id)
    assert [each.id for each in firm.listed(firm.shanghai)] == [waiting.id]
    assert firm.listed(firm.beijing) == [], "another branch's is not told"

"""The demo's incentive plans: proposed, approved by somebody else, read by some; one waits for approval."""

from datetime import date, timedelta
from typing import Final

import grpc
from foothold.incentives.v1 import (
    parameters_pb2,
    parameters_pb2_grpc,
    plan_life_pb2,
    plan_life_pb2_grpc,
    plans_pb2,
    plans_pb2_grpc,
)
from foothold.incentives.v1 import values_pb2 as incentives
from google.type.date_pb2 import Date
from google.type.money_pb2 import Money

from chassis.errors import NotFound, from_rpc_error
from launcher.demo.acting import acting
from launcher.demo.enterprise import enterprise
from launcher.demo.standards import first_of_month
from launcher.reaching import Reached

_JOB: Final = "sales"
_LAST: Final = "newcomer-sales-shenzhen"
_AUTHOR: Final = "gu.wenjing"
_SECOND: Final = "admin"
_BRANCH_HR: Final = "pan.li"
_HAVE_READ: Final = ("zhou.yutong", "sun.haoran")


def planned(reached: Reached) -> bool:
    """Whether the last plan is in force: plans are the last thing the enterprise is made of."""
    stub = plans_pb2_grpc.PlansServiceStub(reached.channel("incentives"))
    try:
        found = stub.GetPlan(plans_pb2.GetPlanRequest(plan_id=_LAST)).plan
    except grpc.RpcError as error:
        failure = from_rpc_error(error)
        if isinstance(failure, NotFound):
            return False
        raise failure from error
    return found.state == plans_pb2.Plan.STATE_APPROVED


def set_plans(reached: Reached, anchor: date) -> None:
    """Headquarters' HR proposes plans from before the story begins, the administrator approves them.

    Beijing pays by a number of its own. Two newcomers have read theirs. A plan for Guangzhou, from next month on, waits
    to be approved.
    """
    since = first_of_month(anchor - timedelta(days=120))
    waiting = _guangzhou(first_of_month(anchor.replace(day=1) + timedelta(days=31)))
    with acting(reached, _AUTHOR) as own:
        plans = plans_pb2_grpc.PlansServiceStub(own.channel("incentives"))
        for plan in (*_plans(since), waiting):
            plans.CreatePlan(plans_pb2.CreatePlanRequest(request_id=f"demo-{plan.id}", plan=plan))
    with acting(reached, _SECOND) as own:
        life = plan_life_pb2_grpc.PlanLifeServiceStub(own.channel("incentives"))
        for plan in _plans(since):
            life.ApprovePlan(
                plan_life_pb2.ApprovePlanRequest(request_id=f"demo-{plan.id}-approve", plan_id=plan.id)
            )
    _set_numbers(reached, since, waiting.effective_from)
    for login in _HAVE_READ:
        with acting(reached, login) as own:
            _read(plan_life_pb2_grpc.PlanLifeServiceStub(own.channel("incentives")), login.replace(".", "-"))


def _set_numbers(reached: Reached, since: Date, coming: Date) -> None:
    """Beijing has set a number of the national plan; Shanghai would like to, from next month on."""
    settings = {
        _AUTHOR: parameters_pb2.ParameterSetting(
            node_id="beijing",
            job_role=_JOB,
            rule_id="close-rate-bonus",
            field="amount",
            value=_money(260_00),
            effective_from=since,
            reason="北京成单周期长，达标更难得",
        ),
        _BRANCH_HR: parameters_pb2.ParameterSetting(
            node_id="shanghai",
            job_role=_JOB,
            rule_id="new-customers",
            field="amount",
            value=_money(55_00),
            effective_from=coming,
            reason="上海获客成本高",
        ),
    }
    made = []
    for login, setting in settings.items():
        with acting(reached, login) as own:
            stub = parameters_pb2_grpc.ParametersServiceStub(own.channel("incentives"))
            asked = parameters_pb2.SetParameterRequest(
                request_id=f"demo-number-{setting.node_id}", setting=setting
            )
            made.append(stub.SetParameter(asked).setting.id)
    with acting(reached, _SECOND) as own:
        parameters_pb2_grpc.ParametersServiceStub(own.channel("incentives")).ApproveParameter(
            parameters_pb2.ApproveParameterRequest(request_id="demo-number-approve", setting_id=made[0])
        )


def _read(life: plan_life_pb2_grpc.PlanLifeServiceStub, person_id: str) -> None:
    told = life.GetPersonPlans(plan_life_pb2.GetPersonPlansRequest(person_id=person_id)).current.plan
    life.AcknowledgePlan(
        plan_life_pb2.AcknowledgePlanRequest(request_id="demo-read-plan", plan_id=told.id, digest=told.digest)
    )


def _guangzhou(first: Date) -> plans_pb2.Plan:
    """Dearer than the national plan, with a cap and prizes: something to think about before approving it."""
    each = plans_pb2.Rule(
        id="new-customers",
        label="跟进新客户",
        per_unit=plans_pb2.PerUnit(metric="new_customers", amount=_yuan(60)),
    )
    bonus = plans_pb2.Rule(
        id="close-rate-bonus",
        label="成单率达到 12 %",
        threshold_bonus=plans_pb2.ThresholdBonus(
            metric="close_rate", threshold=_share(12), amount=_yuan(400)
        ),
    )
    cap = plans_pb2.Cap(amount=_yuan(4_000), rules=[each, bonus])
    sprint = plans_pb2.RankingPrize(metric="close_rate", prizes=[_yuan(500), _yuan(300), _yuan(200)])
    return plans_pb2.Plan(
        id="newcomer-sales-guangzhou",
        node_id="guangzhou",
        job_role=_JOB,
        name="广州：冲刺新客户",
        period_kind=incentives.PERIOD_KIND_MONTH,
        effective_from=first,
        reason="广州新店开业，需要多跟进新客户；总额封顶",
        rules=[
            plans_pb2.Rule(id="cap", label="每月封顶", cap=cap),
            plans_pb2.Rule(id="sprint", label="成单率前三名", ranking_prize=sprint),
        ],
    )


def _plans(since: Date) -> list[plans_pb2.Plan]:
    root = enterprise().id
    national = plans_pb2.Plan(
        id="newcomer-sales",
        node_id=root,
        job_role=_JOB,
        name="新人跟进与成单奖励",
        period_kind=incentives.PERIOD_KIND_MONTH,
        effective_from=since,
        rules=[
            plans_pb2.Rule(
                id="new-customers",
                label="跟进新客户",
                per_unit=plans_pb2.PerUnit(metric="new_customers", amount=_yuan(50)),
            ),
            plans_pb2.Rule(
                id="close-rate-points",
                label="成单率超过 10 % 的部分",
                per_point=plans_pb2.PerPoint(
                    metric="close_rate",
                    threshold=_share(10),
                    amount=_yuan(50),
                    mode=plans_pb2.PerPoint.MODE_WHOLE_POINTS,
                ),
            ),
            plans_pb2.Rule(
                id="close-rate-bonus",
                label="成单率达到 15 %",
                threshold_bonus=plans_pb2.ThresholdBonus(
                    metric="close_rate", threshold=_share(15), amount=_yuan(200)
                ),
            ),
        ],
        parameters=[
            plans_pb2.PlanParameter(
                rule_id="new-customers", field="amount", minimum=_money(40_00), maximum=_money(60_00)
            ),
            plans_pb2.PlanParameter(
                rule_id="close-rate-bonus", field="amount", minimum=_money(100_00), maximum=_money(300_00)
            ),
        ],
    )
    pilot = plans_pb2.Plan(
        id=_LAST,
        node_id="shenzhen",
        job_role=_JOB,
        name="深圳试点：按比例计奖",
        period_kind=incentives.PERIOD_KIND_MONTH,
        effective_from=since,
        reason="试点：成单率按比例计奖，签约额分三档",
        rules=[
            plans_pb2.Rule(
                id="new-customers",
                label="跟进新客户",
                per_unit=plans_pb2.PerUnit(metric="new_customers", amount=_yuan(40)),
            ),
            plans_pb2.Rule(
                id="close-rate-points",
                label="成单率超过 10 % 的部分（按比例）",
                per_point=plans_pb2.PerPoint(
                    metric="close_rate",
                    threshold=_share(10),
                    amount=_yuan(60),
                    mode=plans_pb2.PerPoint.MODE_PRO_RATA,
                ),
            ),
            plans_pb2.Rule(
                id="closing-learned",
                label="先学会处理异议",
                gate=plans_pb2.Gate(
                    condition=plans_pb2.Condition(
                        metric="course:objections-and-closing",
                        at_least=incentives.Value(unit=incentives.UNIT_COUNT, numerator=1, denominator=1),
                    ),
                    rules=[plans_pb2.Rule(id="revenue-tier", label="签约额阶梯", tiers=_tiers())],
                ),
            ),
        ],
    )
    return [national, _mentors(since), pilot]


def _mentors(since: Date) -> plans_pb2.Plan:
    """What the people they mentor reach is worth something to mentors, and so is their part in deals of others."""
    reached = plans_pb2.Condition(metric="close_rate", at_least=_share(10))
    return plans_pb2.Plan(
        id="mentors",
        node_id=enterprise().id,
        job_role="senior-sales",
        name="师傅带教与协作奖励",
        period_kind=incentives.PERIOD_KIND_MONTH,
        effective_from=since,
        rules=[
            plans_pb2.Rule(
                id="mentees",
                label="徒弟成单率达标",
                mentor_bonus=plans_pb2.MentorBonus(condition=reached, amount=_yuan(200)),
            ),
            plans_pb2.Rule(
                id="revenue-share",
                label="分成订单提成",
                rate_of=plans_pb2.RateOf(metric="revenue", share=_share(2)),
            ),
            plans_pb2.Rule(
                id="overlay-share",
                label="协作单提成",
                rate_of=plans_pb2.RateOf(metric="overlay_revenue", share=_share(1)),
            ),
        ],
    )


def _tiers() -> plans_pb2.Tiers:
    steps = ((0, 15_000_00, 0), (15_000_00, 30_000_00, 200), (30_000_00, None, 500))
    tiers = []
    for low, high, amount in steps:
        tier = plans_pb2.Tier(low=_money(low), amount=_yuan(amount))
        if high is not None:
            tier.high.CopyFrom(_money(high))
        tiers.append(tier)
    return plans_pb2.Tiers(metric="revenue", tiers=tiers)


def _share(percent: int) -> incentives.Value:
    return incentives.Value(unit=incentives.UNIT_RATE, numerator=percent, denominator=100)


def _money(minor: int) -> incentives.Value:
    return incentives.Value(unit=incentives.UNIT_MONEY, numerator=minor, denominator=1, currency="CNY")


def _yuan(units: int) -> Money:
    return Money(currency_code="CNY", units=units)

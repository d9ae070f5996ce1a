"""Who may do what: every RPC, for one's own, a peer's, another branch's, signed out and dismissed."""

from collections.abc import Callable
from datetime import date

import grpc
import pytest
from foothold.incentives.v1 import (
    boards_pb2,
    disputes_pb2,
    feed_pb2,
    honours_pb2,
    parameters_pb2,
    payouts_pb2,
    plan_life_pb2,
    plans_pb2,
    recompute_pb2,
    simulation_pb2,
    statements_pb2,
    whatif_pb2,
)

from chassis.errors import from_rpc_error
from services.incentives.permissions import PERMISSIONS
from tests.incentives.company import Client, Company, eventually, on, person, request_id
from tests.incentives.plans import MONTH, S07, money, plan, yuan

OK, HIDDEN, DENIED, OUT = "OK", "NOT_FOUND", "PERMISSION_DENIED", "UNAUTHENTICATED"
_FEBRUARY = on(date(2025, 2, 1))
_NUMBER = parameters_pb2.ParameterSetting(
    node_id="shanghai",
    job_role="sales",
    rule_id="unit",
    field="amount",
    value=money("60"),
    effective_from=_FEBRUARY,
    reason="本地",
)
_CALLERS = (
    "li",
    "wang",
    "zhao",
    "mentor",
    "manager",
    "trainer",
    "shanghai-hr",
    "hr",
    "nobody",
    "administrator",
)

_started: list[str] = []


def _try(node_id: str) -> simulation_pb2.StartSimulationRequest:
    return simulation_pb2.StartSimulationRequest(
        request_id=request_id(),
        name="试算",
        node_id=node_id,
        first_month=on(date(2025, 2, 1)),
        months=1,
        plans=[plan(*S07)],
    )


_CALLS: dict[str, Callable[[Client], object]] = {
    "GetStatement": lambda c: c.statement("li"),
    "GetStatement of nobody": lambda c: c.statement("no-such-person"),
    "GetStatement of a node": lambda c: c.statement("shanghai"),
    "ExplainLine": lambda c: c.explain("unit", "li"),
    "TryChanges": lambda c: c.what_if.TryChanges(whatif_pb2.TryChangesRequest(person_id="li")),
    "ReachTotal": lambda c: c.what_if.ReachTotal(
        whatif_pb2.ReachTotalRequest(person_id="li", total=yuan("700"))
    ),
    "ListStatements": lambda c: c.statements.ListStatements(
        statements_pb2.ListStatementsRequest(node_id="shanghai-sales")
    ),
    "CheckPlan": lambda c: c.plans.CheckPlan(plans_pb2.CheckPlanRequest(plan=plan(*S07))),
    "CreatePlan": lambda c: c.plans.CreatePlan(
        plans_pb2.CreatePlanRequest(request_id="same", plan=plan(*S07, job_role="who", id="who"))
    ),
    "ApprovePlan": lambda c: c.approve("who"),
    "RejectPlan": lambda c: c.life.RejectPlan(
        plan_life_pb2.RejectPlanRequest(request_id=request_id(), plan_id="who", reason="不")
    ),
    "GetPersonPlans": lambda c: c.plans_of("li"),
    "AcknowledgePlan": lambda c: c.acknowledge(c.plans_of("li").current.plan),
    "ListAcknowledgements": lambda c: c.life.ListAcknowledgements(
        plan_life_pb2.ListAcknowledgementsRequest(plan_id="for-shanghai")
    ),
    "GetPlan": lambda c: c.plans.GetPlan(plans_pb2.GetPlanRequest(plan_id="for-shanghai")),
    "ListPlans": lambda c: c.plans.ListPlans(plans_pb2.ListPlansRequest()),
    "ResolveParameters": lambda c: c.parameters.ResolveParameters(
        parameters_pb2.ResolveParametersRequest(node_id="shanghai", job_role="sales")
    ),
    # Nobody has a plan that lets them: whoever may is told so.
    "CheckParameter": lambda c: c.parameters.CheckParameter(
        parameters_pb2.CheckParameterRequest(setting=_NUMBER)
    ),
    "SetParameter": lambda c: c.set_number("shanghai", "sales", "unit", "amount", money("60")),
    "ApproveParameter": lambda c: c.approve_number("who"),
    "RefuseParameter": lambda c: c.parameters.RefuseParameter(
        parameters_pb2.RefuseParameterRequest(request_id=request_id(), setting_id="who", reason="不")
    ),
    "EndParameter": lambda c: c.parameters.EndParameter(
        parameters_pb2.EndParameterRequest(
            request_id=request_id(), setting_id="who", effective_to=_FEBRUARY, reason="不"
        )
    ),
    "ListParameterSettings": lambda c: c.parameters.ListParameterSettings(
        parameters_pb2.ListParameterSettingsRequest()
    ),
    "ClosePeriod": lambda c: c.close("shanghai", date(2025, 2, 1)),
    "ClosePeriod of the enterprise": lambda c: c.close("hq", date(2025, 1, 1)),
    "GetPeriod": lambda c: c.period("shanghai", date(2025, 2, 1)),
    "RecomputePeriod": lambda c: c.recompute.RecomputePeriod(
        recompute_pb2.RecomputePeriodRequest(
            request_id=request_id(), node_id="shanghai", period_kind=MONTH, on=on(date(2025, 2, 1))
        )
    ),
    "StartSimulation": lambda c: c.simulations.StartSimulation(_try("shanghai")),
    "StartSimulation of the enterprise": lambda c: c.simulations.StartSimulation(_try("hq")),
    "GetSimulation": lambda c: c.simulations.GetSimulation(
        simulation_pb2.GetSimulationRequest(simulation_id=_started[0])
    ),
    "ListSimulatedPeople": lambda c: c.simulations.ListSimulatedPeople(
        simulation_pb2.ListSimulatedPeopleRequest(simulation_id=_started[0])
    ),
    "CancelSimulation": lambda c: c.simulations.CancelSimulation(
        simulation_pb2.CancelSimulationRequest(request_id=request_id(), simulation_id=_started[0])
    ),
    "ListSimulations": lambda c: c.simulations.ListSimulations(simulation_pb2.ListSimulationsRequest()),
    "ListPayouts": lambda c: c.payouts.ListPayouts(
        payouts_pb2.ListPayoutsRequest(node_id="shanghai", period_kind=MONTH, on=_FEBRUARY)
    ),
    "ApprovePayouts": lambda c: c.payouts.ApprovePayouts(
        payouts_pb2.ApprovePayoutsRequest(
            request_id=request_id(), node_id="shanghai", period_kind=MONTH, on=_FEBRUARY
        )
    ),
    "HoldPayout": lambda c: c.payouts.HoldPayout(
        payouts_pb2.HoldPayoutRequest(
            request_id=request_id(), person_id="li", period_kind=MONTH, on=_FEBRUARY, reason="查"
        )
    ),
    "ReleasePayout": lambda c: c.payouts.ReleasePayout(
        payouts_pb2.ReleasePayoutRequest(
            request_id=request_id(), person_id="li", period_kind=MONTH, on=_FEBRUARY, reason="清"
        )
    ),
    "ListPayoutDeals": lambda c: c.payouts.ListPayoutDeals(
        payouts_pb2.ListPayoutDealsRequest(person_id="li", period_kind=MONTH, on=_FEBRUARY)
    ),
    "CreateBatch": lambda c: c.payouts.CreateBatch(
        payouts_pb2.CreateBatchRequest(
            request_id=request_id(), node_id="shanghai", period_kind=MONTH, on=_FEBRUARY
        )
    ),
    "GetBatch": lambda c: c.payouts.GetBatch(payouts_pb2.GetBatchRequest(batch_id="none")),
    "ListBatches": lambda c: c.payouts.ListBatches(payouts_pb2.ListBatchesRequest()),
    "ListBatchLines": lambda c: c.payouts.ListBatchLines(payouts_pb2.ListBatchLinesRequest(batch_id="none")),
    "MarkBatchPaid": lambda c: c.payouts.MarkBatchPaid(
        payouts_pb2.MarkBatchPaidRequest(request_id=request_id(), batch_id="none", paid_on=_FEBRUARY)
    ),
    "OpenDispute": lambda c: c.disputes.OpenDispute(
        disputes_pb2.OpenDisputeRequest(request_id=request_id(), rule_id="unit", words="少算了")
    ),
    "WithdrawDispute": lambda c: c.disputes.WithdrawDispute(
        disputes_pb2.WithdrawDisputeRequest(request_id=request_id(), dispute_id="none")
    ),
    "AnswerDispute": lambda c: c.disputes.AnswerDispute(
        disputes_pb2.AnswerDisputeRequest(request_id=request_id(), dispute_id="none", answer="查过了")
    ),
    "GetDispute": lambda c: c.disputes.GetDispute(disputes_pb2.GetDisputeRequest(dispute_id="none")),
    "ListDisputes": lambda c: c.disputes.ListDisputes(
        disputes_pb2.ListDisputesRequest(node_id="shanghai-sales")
    ),
    "CreateBoard": lambda c: c.boards.CreateBoard(
        boards_pb2.CreateBoardRequest(
            request_id=request_id(),
            board=boards_pb2.Board(name="榜", metric="deals_won", period_kind=1),  # type: ignore[arg-type]  # its number
        )
    ),
    "PreviewBoard": lambda c: c.boards.PreviewBoard(
        boards_pb2.PreviewBoardRequest(
            board=boards_pb2.Board(name="榜", metric="deals_won", period_kind=1),  # type: ignore[arg-type]  # its number
            node_id="hq",
        )
    ),
    "EndBoard": lambda c: c.boards.EndBoard(
        boards_pb2.EndBoardRequest(request_id=request_id(), board_id="follow-ups-month")
    ),
    "ResumeBoard": lambda c: c.boards.ResumeBoard(
        boards_pb2.ResumeBoardRequest(request_id=request_id(), board_id="follow-ups-month")
    ),
    "ListBoards": lambda c: c.boards.ListBoards(boards_pb2.ListBoardsRequest()),
    "GetBoard": lambda c: c.board("close-rate-week", "shanghai"),
    "GetBoard of the enterprise": lambda c: c.board("close-rate-week", "hq"),
    "ListHonours": lambda c: c.honours.ListHonours(honours_pb2.ListHonoursRequest(node_id="shanghai")),
    "ConfirmHonour": lambda c: c.honours.ConfirmHonour(
        honours_pb2.ConfirmHonourRequest(
            request_id=request_id(),
            board_id="follow-ups-month",
            node_id="shanghai",
            on=on(date(2020, 1, 1)),
            person_id="li",
        )
    ),
    "PassHonour": lambda c: c.honours.PassHonour(
        honours_pb2.PassHonourRequest(
            request_id=request_id(),
            board_id="follow-ups-month",
            node_id="shanghai",
            on=on(date(2020, 1, 1)),
            reason="没有人",
        )
    ),
    "AnswerHonour": lambda c: c.honours.AnswerHonour(
        honours_pb2.AnswerHonourRequest(
            request_id=request_id(), honour_id="none", consent=honours_pb2.Honour.CONSENT_NOTHING
        )
    ),
    "GetHonourPhoto": lambda c: c.honours.GetHonourPhoto(honours_pb2.GetHonourPhotoRequest(honour_id="none")),
    "ListEvents": lambda c: c.feed.ListEvents(feed_pb2.ListEventsRequest()),
    "GetFollowing": lambda c: c.feed.GetFollowing(feed_pb2.GetFollowingRequest()),
}
_NO_PAYING = (DENIED,) * 6
# Reviewed: what each caller of _CALLERS gets, in that order.
_EXPECTED = {
    #                               li      wang    zhao    mentor  manager trainer sh-hr   hr      nobody  admin
    "GetStatement": (OK, HIDDEN, HIDDEN, DENIED, OK, DENIED, OK, OK, DENIED, OK),
    "GetStatement of nobody": (
        HIDDEN,
        HIDDEN,
        HIDDEN,
        DENIED,
        HIDDEN,
        DENIED,
        HIDDEN,
        HIDDEN,
        DENIED,
        HIDDEN,
    ),
    "GetStatement of a node": (
        HIDDEN,
        HIDDEN,
        HIDDEN,
        DENIED,
        HIDDEN,
        DENIED,
        HIDDEN,
        HIDDEN,
        DENIED,
        HIDDEN,
    ),
    "ExplainLine": (OK, HIDDEN, HIDDEN, DENIED, OK, DENIED, OK, OK, DENIED, OK),
    "TryChanges": (OK, HIDDEN, HIDDEN, DENIED, OK, DENIED, OK, OK, DENIED, OK),
    "ReachTotal": (OK, HIDDEN, HIDDEN, DENIED, OK, DENIED, OK, OK, DENIED, OK),
    "ListStatements": (HIDDEN, HIDDEN, HIDDEN, DENIED, OK, DENIED, OK, OK, DENIED, OK),
    "CheckPlan": (OK, OK, OK, DENIED, OK, DENIED, OK, OK, DENIED, OK),
    "CreatePlan": (DENIED, DENIED, DENIED, DENIED, DENIED, DENIED, DENIED, OK, DENIED, "ALREADY_EXISTS"),
    # Proposed by hr, so that the administrator may approve it; then nobody can reject it any more.
    "ApprovePlan": (
        *(DENIED, DENIED, DENIED, DENIED, DENIED, DENIED, DENIED),
        *("FAILED_PRECONDITION", DENIED, OK),
    ),
    "RejectPlan": (
        *(DENIED, DENIED, DENIED, DENIED, DENIED, DENIED, DENIED),
        *("FAILED_PRECONDITION", DENIED, "FAILED_PRECONDITION"),
    ),
    "GetPersonPlans": (OK, HIDDEN, HIDDEN, DENIED, OK, DENIED, OK, OK, DENIED, OK),
    "AcknowledgePlan": (OK, HIDDEN, HIDDEN, DENIED, DENIED, DENIED, DENIED, DENIED, DENIED, DENIED),
    "ListAcknowledgements": (OK, OK, HIDDEN, DENIED, OK, DENIED, OK, OK, DENIED, OK),
    "GetPlan": (OK, OK, HIDDEN, DENIED, OK, DENIED, OK, OK, DENIED, OK),
    "ListPlans": (OK, OK, OK, DENIED, OK, DENIED, OK, OK, DENIED, OK),
    "ResolveParameters": (OK, OK, HIDDEN, DENIED, OK, DENIED, OK, OK, DENIED, OK),
    "CheckParameter": (*_NO_PAYING, "INVALID_ARGUMENT", "INVALID_ARGUMENT", DENIED, "INVALID_ARGUMENT"),
    "SetParameter": (*_NO_PAYING, "INVALID_ARGUMENT", "INVALID_ARGUMENT", DENIED, "INVALID_ARGUMENT"),
    "ApproveParameter": (*_NO_PAYING, DENIED, HIDDEN, DENIED, HIDDEN),
    "RefuseParameter": (*_NO_PAYING, DENIED, HIDDEN, DENIED, HIDDEN),
    "EndParameter": (*_NO_PAYING, HIDDEN, HIDDEN, DENIED, HIDDEN),
    "ListParameterSettings": (OK, OK, OK, DENIED, OK, DENIED, OK, OK, DENIED, OK),
    "ClosePeriod": (DENIED, DENIED, DENIED, DENIED, DENIED, DENIED, OK, OK, DENIED, DENIED),
    "ClosePeriod of the enterprise": (
        DENIED,
        DENIED,
        DENIED,
        DENIED,
        DENIED,
        DENIED,
        HIDDEN,
        OK,
        DENIED,
        DENIED,
    ),
    "GetPeriod": (HIDDEN, HIDDEN, HIDDEN, DENIED, HIDDEN, DENIED, OK, OK, DENIED, OK),
    "RecomputePeriod": (DENIED, DENIED, DENIED, DENIED, DENIED, DENIED, OK, OK, DENIED, DENIED),
    "StartSimulation": (DENIED, DENIED, DENIED, DENIED, DENIED, DENIED, OK, OK, DENIED, DENIED),
    "StartSimulation of the enterprise": (
        DENIED,
        DENIED,
        DENIED,
        DENIED,
        DENIED,
        DENIED,
        HIDDEN,
        OK,
        DENIED,
        DENIED,
    ),
    "GetSimulation": (DENIED, DENIED, DENIED, DENIED, DENIED, DENIED, OK, OK, DENIED, DENIED),
    "ListSimulatedPeople": (DENIED, DENIED, DENIED, DENIED, DENIED, DENIED, OK, OK, DENIED, DENIED),
    "CancelSimulation": (
        DENIED,
        DENIED,
        DENIED,
        DENIED,
        DENIED,
        DENIED,
        "FAILED_PRECONDITION",
        "FAILED_PRECONDITION",
        DENIED,
        DENIED,
    ),
    "ListSimulations": (DENIED, DENIED, DENIED, DENIED, DENIED, DENIED, OK, OK, DENIED, DENIED),
    "ListPayouts": (HIDDEN, HIDDEN, HIDDEN, DENIED, HIDDEN, DENIED, OK, OK, DENIED, OK),
    # February is closed by HR of the branch: headquarters and the administrator are others.
    "ApprovePayouts": (DENIED, DENIED, DENIED, DENIED, DENIED, DENIED, DENIED, OK, DENIED, OK),
    # Whoever comes second finds it held, and released. Nobody is due anything for February.
    "HoldPayout": (*_NO_PAYING, OK, "FAILED_PRECONDITION", DENIED, DENIED),
    "ReleasePayout": (*_NO_PAYING, OK, "FAILED_PRECONDITION", DENIED, DENIED),
    "ListPayoutDeals": (*_NO_PAYING, OK, OK, DENIED, DENIED),
    "CreateBatch": (*_NO_PAYING, "FAILED_PRECONDITION", "FAILED_PRECONDITION", DENIED, DENIED),
    "GetBatch": (*_NO_PAYING, HIDDEN, HIDDEN, DENIED, DENIED),
    "ListBatches": (*_NO_PAYING, OK, OK, DENIED, DENIED),
    "ListBatchLines": (*_NO_PAYING, HIDDEN, HIDDEN, DENIED, DENIED),
    "MarkBatchPaid": (*_NO_PAYING, HIDDEN, HIDDEN, DENIED, DENIED),
    # Everybody about a line of their own: wang and zhao have the same plan.
    "OpenDispute": (OK, OK, OK, *(DENIED,) * 7),
    "WithdrawDispute": (HIDDEN, HIDDEN, HIDDEN, *(DENIED,) * 7),
    "AnswerDispute": (*_NO_PAYING, HIDDEN, HIDDEN, DENIED, DENIED),
    "GetDispute": (HIDDEN, HIDDEN, HIDDEN, DENIED, HIDDEN, DENIED, HIDDEN, HIDDEN, DENIED, HIDDEN),
    "ListDisputes": (HIDDEN, HIDDEN, HIDDEN, DENIED, OK, DENIED, OK, OK, DENIED, OK),
    "CreateBoard": (DENIED, DENIED, DENIED, DENIED, DENIED, DENIED, DENIED, OK, DENIED, OK),
    "PreviewBoard": (DENIED, DENIED, DENIED, DENIED, DENIED, DENIED, DENIED, OK, DENIED, OK),
    "EndBoard": (DENIED, DENIED, DENIED, DENIED, DENIED, DENIED, DENIED, OK, DENIED, OK),
    "ResumeBoard": (DENIED, DENIED, DENIED, DENIED, DENIED, DENIED, DENIED, OK, DENIED, OK),
    "ListBoards": (OK, OK, OK, OK, OK, OK, OK, OK, DENIED, OK),
    "GetBoard": (OK, OK, HIDDEN, OK, OK, OK, OK, OK, DENIED, OK),
    "GetBoard of the enterprise": (OK, OK, OK, OK, OK, OK, OK, OK, DENIED, OK),
    "ListHonours": (OK, OK, HIDDEN, OK, OK, OK, OK, OK, DENIED, OK),
    # No board of the company honours anybody.
    "ConfirmHonour": (*_NO_PAYING, HIDDEN, HIDDEN, DENIED, HIDDEN),
    "PassHonour": (*_NO_PAYING, HIDDEN, HIDDEN, DENIED, HIDDEN),
    "AnswerHonour": (HIDDEN, HIDDEN, HIDDEN, *(DENIED,) * 7),
    "GetHonourPhoto": (*(HIDDEN,) * 8, DENIED, HIDDEN),
    "ListEvents": (DENIED, DENIED, DENIED, DENIED, DENIED, DENIED, DENIED, DENIED, DENIED, OK),
    "GetFollowing": (DENIED, DENIED, DENIED, DENIED, DENIED, DENIED, DENIED, DENIED, DENIED, OK),
}


@pytest.fixture(scope="module", autouse=True)
def agreed(company: Company) -> None:
    hr = company.as_("hr")
    hr.create(plan(*S07))
    hr.create(plan(*S07, node_id="shanghai", id="for-shanghai"))
    company.figures("li", None, customers_followed=5, new_customers=5, deals_won=1)
    company.settle()
    _started[:] = [hr.simulations.StartSimulation(_try("shanghai")).simulation.id]
    asked = simulation_pb2.GetSimulationRequest(simulation_id=_started[0])
    done = simulation_pb2.Simulation.STATE_DONE
    eventually(lambda: hr.simulations.GetSimulation(asked).simulation.state == done)


def outcome(call: Callable[[Client], object], client: Client) -> str:
    try:
        call(client)
    except grpc.RpcError as error:
        return from_rpc_error(error).code.name
    return OK


def test_every_rpc_has_a_row() -> None:
    assert {method.rpartition("/")[2] for method in PERMISSIONS} == {name.split()[0] for name in _CALLS}
    assert set(_CALLS) == set(_EXPECTED)


def test_everybody_gets_what_was_agreed(company: Company) -> None:
    found = {
        name: tuple(outcome(call, company.as_(who)) for who in _CALLERS) for name, call in _CALLS.items()
    }
    assert found == _EXPECTED


@pytest.mark.parametrize("name", _CALLS)
def test_signed_out_nothing_opens(company: Company, name: str) -> None:
    assert outcome(_CALLS[name], company.signed_out()) == OUT


def test_a_component_reads_feeds_and_nothing_else(company: Company) -> None:
    gateway = company.as_component("gateway")
    found = {name: outcome(call, gateway) for name, call in _CALLS.items()}
    assert {name for name, code in found.items() if code == OK} == {"ListEvents", "GetFollowing"}
    assert set(found.values()) == {OK, DENIED}


def test_a_dismissal_closes_everything_within_seconds(company: Company) -> None:
    company.newcomer("leaving")
    company.settle()
    leaving = company.as_("leaving")
    assert leaving.statement().person_id == "leaving"
    company.tell(person_changed=person("leaving", "shanghai-sales", dismissed=True))
    company.settle()
    assert {outcome(call, leaving) for call in _CALLS.values()} == {OUT}


def test_a_list_holds_those_one_may_see_and_no_one_else(company: Company) -> None:
    def listed(client: Client, node_id: str = "", size: int = 3) -> list[str]:
        found, token = list[str](), ""
        while True:
            request = statements_pb2.ListStatementsRequest(node_id=node_id, page_size=size, page_token=token)
            page = client.statements.ListStatements(request)
            found += [statement.person_id for statement in page.statements]
            token = page.next_page_token
            if not token:
                return found

    assert listed(company.as_("li")) == ["li"]
    own = listed(company.as_("manager"))
    assert own == sorted(own)
    assert {"li", "wang", "manager"} <= set(own)
    assert "zhao" not in own
    assert {"li", "zhao"} <= set(listed(company.as_("hr")))
    assert "li" not in listed(company.as_("hr"), "beijing")
    same = company.as_("manager").statements.ListStatements(
        statements_pb2.ListStatementsRequest(node_id="li")
    )
    assert same.statements[0] == company.as_("li").statement()

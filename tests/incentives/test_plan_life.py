"""The life of a plan: proposed, approved by a second person, acknowledged by whom it pays."""

import threading
from datetime import date, timedelta
from itertools import count

import grpc
from foothold.incentives.v1 import plan_life_pb2, plans_pb2

from chassis.errors import from_rpc_error
from tests.incentives.company import TODAY, Client, Company, refusal, request_id
from tests.incentives.plans import S07, S25, TREE, plan

DRAFT, APPROVED, REJECTED = (
    plans_pb2.Plan.STATE_DRAFT,
    plans_pb2.Plan.STATE_APPROVED,
    plans_pb2.Plan.STATE_REJECTED,
)
_numbers = count(1)


def fresh(company: Company) -> tuple[str, str]:
    """A job role of its own and somebody who has it."""
    role = f"life-{next(_numbers)}"
    person = company.newcomer(role, job_role=role)
    company.settle()
    return role, person


def listed(client: Client, role: str, state: plans_pb2.Plan.State.ValueType) -> list[str]:
    asked = plans_pb2.ListPlansRequest(job_role=role, state=state)
    return [each.id for each in client.plans.ListPlans(asked).plans]


def reject(client: Client, plan_id: str, reason: str = "太贵") -> plans_pb2.Plan:
    asked = plan_life_pb2.RejectPlanRequest(request_id=request_id(), plan_id=plan_id, reason=reason)
    return client.life.RejectPlan(asked).plan


def test_a_draft_pays_nothing_until_a_second_person_approves_it(company: Company) -> None:
    role, person = fresh(company)
    hr, administrator = company.as_("hr"), company.as_("administrator")
    company.figures(person, None, customers_followed=10, new_customers=10, deals_won=1)
    draft = hr.propose(plan(*S07, job_role=role)).plan
    company.settle()
    assert (draft.state, draft.author_id, draft.decided_by, len(draft.digest)) == (DRAFT, "hr", "", 64)
    assert hr.answer(person).statement.plan_id == ""
    assert (listed(hr, role, DRAFT), listed(hr, role, APPROVED)) == ([draft.id], [])
    assert refusal(lambda: hr.approve(draft.id)) == ("FAILED_PRECONDITION", "SECOND_PERSON_NEEDED")
    approved = administrator.approve(draft.id)
    company.settle()
    assert (approved.state, approved.decided_by, approved.author_id) == (APPROVED, "administrator", "hr")
    assert approved.digest == draft.digest
    assert approved.decided_at == approved.recorded_at
    assert hr.statement(person).total.units == 500
    assert (listed(hr, role, DRAFT), listed(hr, role, APPROVED)) == ([], [draft.id])
    assert hr.plans.GetPlan(plans_pb2.GetPlanRequest(plan_id=draft.id)).plan == approved
    assert refusal(lambda: administrator.approve(draft.id)) == ("FAILED_PRECONDITION", "PLAN_DECIDED")
    assert refusal(lambda: reject(hr, draft.id)) == ("FAILED_PRECONDITION", "PLAN_DECIDED")


def test_a_rejected_draft_stays_to_be_read_with_the_reason(company: Company) -> None:
    role, _ = fresh(company)
    hr, administrator = company.as_("hr"), company.as_("administrator")
    draft = hr.propose(plan(*S07, job_role=role)).plan
    told = reject(administrator, draft.id, "门槛太高")
    assert (told.state, told.decided_by, told.decision_reason) == (REJECTED, "administrator", "门槛太高")
    assert listed(hr, role, REJECTED) == [draft.id]
    assert hr.plans.GetPlan(plans_pb2.GetPlanRequest(plan_id=draft.id)).plan == told
    assert refusal(lambda: administrator.approve(draft.id)) == ("FAILED_PRECONDITION", "PLAN_DECIDED")
    own = hr.propose(plan(S25, job_role=role)).plan
    assert reject(hr, own.id, "写错了").decided_by == "hr"


def test_drafts_are_for_those_who_look_after_plans(company: Company) -> None:
    role, person = fresh(company)
    draft = company.as_("hr").propose(plan(*S07, job_role=role)).plan
    asked = plans_pb2.GetPlanRequest(plan_id=draft.id)
    for who in (person, "manager", "shanghai-hr"):
        client = company.as_(who)
        assert refusal(lambda: client.plans.GetPlan(asked)) == ("NOT_FOUND", "PLAN_UNKNOWN")  # noqa: B023
        assert listed(client, role, DRAFT) == []
    assert refusal(lambda: company.as_("administrator").approve("no-such-plan"))[1] == "PLAN_UNKNOWN"


def test_of_two_drafts_for_the_same_day_one_can_be_approved(company: Company) -> None:
    role, _ = fresh(company)
    hr, administrator = company.as_("hr"), company.as_("administrator")
    first, second = (hr.propose(plan(*rules, job_role=role)).plan for rules in (S07, [S25]))
    administrator.approve(first.id)
    assert refusal(lambda: administrator.approve(second.id))[1] == "PLAN_CONFLICT"
    assert listed(hr, role, DRAFT) == [second.id]


def test_approving_at_once_is_approving_once(company: Company) -> None:
    role, _ = fresh(company)
    draft = company.as_("hr").propose(plan(*S07, job_role=role)).plan
    clients = [company.as_("administrator") for _ in range(4)]
    came: list[str] = []

    def approve(client: Client) -> None:
        try:
            client.approve(draft.id)
            came.append("approved")
        except grpc.RpcError as error:
            came.append(from_rpc_error(error).reason)

    threads = [threading.Thread(target=approve, args=[client]) for client in clients]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(came) == ["PLAN_DECIDED"] * 3 + ["approved"]


def test_each_person_acknowledges_the_version_that_applies_to_them_once(company: Company) -> None:
    role, person = fresh(company)
    hr, own = company.as_("hr"), company.as_(person)
    assert not own.plans_of().HasField("current")
    first = hr.create(plan(*S07, job_role=role)).plan
    told = own.plans_of().current
    assert (told.plan.id, told.HasField("acknowledged_at")) == (first.id, False)
    changed = plans_pb2.Plan(id=first.id, digest="0" * 64)
    assert refusal(lambda: own.acknowledge(changed)) == ("FAILED_PRECONDITION", "PLAN_CHANGED")
    when = own.acknowledge(first).acknowledged_at
    assert own.acknowledge(first).acknowledged_at == when
    assert own.plans_of().current.acknowledged_at == when
    # The next version asks again, as soon as it is agreed.
    begins = TODAY.replace(day=1) + timedelta(days=31)
    following = hr.create(plan(S25, job_role=role, effective=begins)).plan
    told = own.plans_of().next
    assert (told.plan.id, told.HasField("acknowledged_at")) == (following.id, False)
    assert date(told.pays_from.year, told.pays_from.month, told.pays_from.day) == date(2025, 4, 1) == begins
    own.acknowledge(following)
    assert own.plans_of().next.HasField("acknowledged_at")
    assert own.plans_of().current.acknowledged_at == when


def test_what_does_not_apply_cannot_be_acknowledged_and_not_for_somebody_else(company: Company) -> None:
    role, _ = fresh(company)
    made = company.as_("hr").create(plan(*S07, job_role=role)).plan
    assert refusal(lambda: company.as_("li").acknowledge(made)) == ("NOT_FOUND", "PLAN_UNKNOWN")
    assert refusal(lambda: company.as_("hr").acknowledge(made))[0] == "PERMISSION_DENIED"


def test_managers_see_who_has_and_who_has_not(company: Company) -> None:
    role, person = fresh(company)
    others = [company.newcomer(f"{role}-{number}", job_role=role) for number in range(3)]
    far = company.newcomer(f"{role}-far", "beijing-sales", job_role=role)
    company.settle()
    made = company.as_("hr").create(plan(*S07, job_role=role)).plan
    company.as_(others[1]).acknowledge(made)

    def told(who: str, **more: object) -> plan_life_pb2.ListAcknowledgementsResponse:
        asked = plan_life_pb2.ListAcknowledgementsRequest(plan_id=made.id, **more)  # type: ignore[arg-type]
        return company.as_(who).life.ListAcknowledgements(asked)

    found = told("hr")
    assert (found.people, found.acknowledged) == (5, 1)
    assert [each.person_id for each in found.acknowledgements] == sorted([person, *others, far])
    assert [each.person_id for each in found.acknowledgements if each.HasField("acknowledged_at")] == [
        others[1]
    ]
    assert (told("manager").people, told(person).people) == (4, 1)
    page = told("hr", page_size=3)
    rest = told("hr", page_size=3, page_token=page.next_page_token)
    assert [*page.acknowledgements, *rest.acknowledgements] == list(found.acknowledgements)
    assert rest.next_page_token == ""


def test_a_digest_is_of_what_a_plan_says_and_stays_what_it_is(company: Company) -> None:
    """People have acknowledged it: no change of ours may change it."""
    role = "digest-of-a-plan"
    hr = company.as_("hr")
    first = hr.propose(plan(*S07, job_role=role, id="digest-a")).plan
    same = hr.propose(plan(*S07, job_role=role, id="digest-b", reason="换个说法")).plan
    other = hr.propose(plan(S25, job_role=role, id="digest-c")).plan
    assert first.digest == same.digest != other.digest
    every = hr.propose(plan(TREE, job_role=role, id="digest-d")).plan
    assert every.digest == "b811a6cb45f3370c3b25a3cbf9c8f5cf9713a0579a3c113d2ff8100873ced97c"
    assert first.digest == "22afe5745ef83b932b61b793cc98926688358db690985ea60176e0d1bf3c460f"

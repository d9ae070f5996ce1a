"""Who may record, read and set what: own, same department, other branch, and what may not even be seen."""

from collections.abc import Callable
from typing import Any

import grpc
import pytest
from foothold.goals.v1 import facts_pb2, metrics_pb2, progress_pb2, targets_pb2

from chassis.errors import from_rpc_error
from services.goals.permissions import PERMISSIONS
from services.identity.domain.roles import PERMISSIONS as KNOWN
from tests.goals.enterprise import Enterprise, count, fact, yuan


def refused(call: Callable[[], Any]) -> str:
    with pytest.raises(grpc.RpcError) as raised:
        call()
    failure = from_rpc_error(raised.value)
    return f"{failure.code.name} {failure.reason}"


def test_every_permission_is_one_that_identity_knows() -> None:
    assert set(PERMISSIONS.values()) <= set(KNOWN)


@pytest.mark.parametrize(
    ("caller", "person", "outcome"),
    [
        ("li", "li", "RECORDED"),
        ("li", "wang", "PERSON_UNKNOWN"),
        ("li", "zhao", "PERSON_UNKNOWN"),
        ("manager", "wang", "RECORDED"),
        ("manager", "zhao", "PERSON_UNKNOWN"),
        ("crm", "zhao", "RECORDED"),
    ],
)
def test_who_records_for_whom(goals: Enterprise, caller: str, person: str, outcome: str) -> None:
    assert goals.as_(caller).outcomes(fact("EMAIL", person, source="foothold")) == [outcome]


def test_nobody_takes_a_key_before_the_system_it_belongs_to(goals: Enterprise) -> None:
    squat = fact("DEAL_WON", external_id="d", version=2**31 - 1, amount=yuan(1))
    before = goals.rows()
    for caller in ("li", "manager"):
        assert goals.as_(caller).outcomes(squat) == ["PERMISSION_MISSING"]
        alone = facts_pb2.RecordFactRequest(fact=squat)
        answer = refused(lambda who=caller, told=alone: goals.as_(who).facts.RecordFact(told))  # type: ignore[misc]  # bound per round
        assert answer == "PERMISSION_DENIED PERMISSION_MISSING"
    assert goals.rows() == before
    assert goals.as_("crm").outcomes(fact("DEAL_WON", external_id="d", amount=yuan(5))) == ["RECORDED"]


def test_hr_may_see_people_but_not_record_for_them(goals: Enterprise) -> None:
    assert refused(lambda: goals.as_("hr").record(fact("EMAIL"))) == "PERMISSION_DENIED PERMISSION_MISSING"


def test_somebody_elses_fact_can_neither_be_corrected_nor_taken_over_nor_reversed(goals: Enterprise) -> None:
    goals.as_("crm").record(fact("DEAL_WON", "zhao", source="foothold", external_id="d", amount=yuan(5)))
    before = goals.rows()
    li = goals.as_("li")
    assert li.outcomes(
        fact("DEAL_WON", source="foothold", external_id="d", version=1, amount=yuan(1)),
        fact("DEAL_REVERSED", source="foothold", external_id="r1", reverses="d"),
        fact("DEAL_REVERSED", source="foothold", external_id="r2", reverses="not-known-yet"),
    ) == ["PERSON_UNKNOWN", "PERSON_UNKNOWN", "FACT_UNKNOWN"]
    # A row that is refused makes nobody the owner of its key for the rows beside it.
    assert li.outcomes(
        fact("DEAL_REVERSED", source="foothold", external_id="r4", reverses="r3"),
        fact("DEAL_REVERSED", source="foothold", external_id="r3", reverses="not-known-yet"),
    ) == ["FACT_UNKNOWN", "FACT_UNKNOWN"]
    assert goals.rows() == before


@pytest.mark.parametrize(
    ("caller", "person", "answer"),
    [
        ("li", "li", ""),
        ("li", "wang", "NOT_FOUND PERSON_UNKNOWN"),
        ("li", "zhao", "NOT_FOUND PERSON_UNKNOWN"),
        ("li", "no-such-person", "NOT_FOUND PERSON_UNKNOWN"),
        ("mentor", "li", ""),
        ("mentor", "wang", "NOT_FOUND PERSON_UNKNOWN"),
        ("manager", "wang", ""),
        ("manager", "chen", "NOT_FOUND PERSON_UNKNOWN"),
        ("branch-hr", "chen", ""),
        ("branch-hr", "zhao", "NOT_FOUND PERSON_UNKNOWN"),
        ("hr", "zhao", ""),
        ("crm", "li", "PERMISSION_DENIED PERMISSION_MISSING"),
    ],
)
def test_who_sees_whose_progress(goals: Enterprise, caller: str, person: str, answer: str) -> None:
    client = goals.as_(caller)
    calls = (
        lambda: client.get(person),
        lambda: client.explain("close_rate", person),
        lambda: client.progress.GetProgressCourse(
            progress_pb2.GetProgressCourseRequest(person_id=person, metric="revenue", period_kind=3)  # type: ignore[arg-type]  # a plain int serves
        ),
    )
    for call in calls:
        if answer:
            assert refused(call) == answer
        else:
            call()


@pytest.mark.parametrize(
    ("caller", "people"),
    [
        ("li", {"li"}),
        ("manager", {"li", "wang", "mentor", "manager"}),
        ("mentor", {"li"}),
        ("branch-hr", {"li", "wang", "chen", "mentor", "manager", "branch-hr"}),
    ],
)
def test_a_team_is_who_the_caller_may_see(goals: Enterprise, caller: str, people: set[str]) -> None:
    team = goals.as_(caller).progress.ListTeamProgress(progress_pb2.ListTeamProgressRequest())
    assert {each.person_id for each in team.people} == people
    assert team.total_size == len(people)


def test_customers_are_for_those_who_may_know_them(goals: Enterprise) -> None:
    goals.as_("crm").record(fact("FOLLOW_UP", customer="王先生", attributes={"phone": "138"}))
    request = facts_pb2.ListFactsRequest(person_id="li")
    for caller, customer in (("li", "王先生"), ("manager", "王先生"), ("mentor", "")):
        shown = goals.as_(caller).facts.ListFacts(request).facts[0].fact
        assert shown.customer == customer
        assert bool(shown.attributes) == bool(customer)
        explained = goals.as_(caller).explain("customers_followed")
        assert explained.facts[0].fact.customer == customer
    # Headquarters' HR may see progress, and no facts.
    explained = goals.as_("hr").explain("customers_followed")
    assert (explained.value.numerator, len(explained.facts), explained.total_facts) == (1, 0, 0)


def test_metrics_count_only_whom_the_caller_may_read(goals: Enterprise) -> None:
    goals.as_("crm").record(fact("EMAIL", "li"), fact("EMAIL", "wang"), fact("EMAIL", "zhao"))

    def total(caller: str, **fields: Any) -> int:
        request = metrics_pb2.QueryMetricRequest(
            metric="emails_sent", group_by=metrics_pb2.GROUP_BY_PERSON, **fields
        )
        return goals.as_(caller).metrics.QueryMetric(request).total.numerator

    assert [total(caller) for caller in ("li", "manager", "branch-hr", "hr")] == [1, 2, 2, 3]
    assert total("hr", node_id="beijing") == 1
    assert refused(lambda: total("li", node_id="beijing")) == "NOT_FOUND NODE_UNKNOWN"
    assert refused(lambda: total("li", node_id="wang")) == "NOT_FOUND NODE_UNKNOWN"


def test_targets_are_set_where_one_may_and_read_where_they_hold(goals: Enterprise) -> None:
    assert refused(lambda: goals.as_("li").set_target("revenue", count(1))).startswith("PERMISSION_DENIED")
    branch_hr = goals.as_("branch-hr")
    assert refused(lambda: branch_hr.set_target("deals_won", count(1), node="beijing")) == (
        "NOT_FOUND NODE_UNKNOWN"
    )
    goals.as_("hr").set_target("deals_won", count(2))
    theirs = goals.as_("hr").set_target("deals_won", count(3), node="beijing")
    branch_hr.set_target("deals_won", count(4), node="shanghai")

    def listed(caller: str) -> list[int]:
        answer = goals.as_(caller).targets.ListTargets(targets_pb2.ListTargetsRequest())
        return [each.value.numerator for each in answer.targets]

    assert listed("hr") == [3, 2, 4]
    assert listed("li") == [2, 4]
    assert listed("zhao") == [3, 2]
    end = targets_pb2.EndTargetRequest(request_id="end", target_id=theirs.id, reason="over")
    end.effective_to.year, end.effective_to.month, end.effective_to.day = 2025, 4, 1
    assert refused(lambda: branch_hr.targets.EndTarget(end)) == "NOT_FOUND TARGET_UNKNOWN"
    resolve = targets_pb2.ResolveTargetsRequest(person_id="zhao")
    assert refused(lambda: goals.as_("li").targets.ResolveTargets(resolve)) == "NOT_FOUND PERSON_UNKNOWN"


def test_only_who_holds_it_on_the_enterprise_checks_the_ledger_and_follows(goals: Enterprise) -> None:
    assert refused(lambda: goals.as_("manager").check()).startswith("PERMISSION_DENIED")
    assert goals.as_("administrator").check().values_differing == 0


def test_signed_out(goals: Enterprise) -> None:
    assert refused(lambda: goals.signed_out().get()) == "UNAUTHENTICATED TOKEN_MISSING"

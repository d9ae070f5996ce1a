"""What nodes below a standard may do: bounds, locks, approval, days that meet, drift, history."""

from collections.abc import Callable
from datetime import date
from typing import Any

import grpc
import pytest
from foothold.goals.v1 import standards_pb2, targets_pb2, values_pb2

from chassis.errors import Failure, from_rpc_error
from tests.goals.enterprise import Client, Enterprise, count, day, fresh, rate

STATE, CHANGE = targets_pb2.TargetState, targets_pb2.TargetChange
LOCKED = targets_pb2.OverrideRule(latitude=targets_pb2.LATITUDE_LOCKED)
ASKED = targets_pb2.OverrideRule(approval_required=True)
FEBRUARY, MARCH, APRIL, JUNE = (date(2025, month, 1) for month in (2, 3, 4, 6))


def between(low: values_pb2.Value | None, high: values_pb2.Value | None) -> targets_pb2.OverrideRule:
    return targets_pb2.OverrideRule(latitude=targets_pb2.LATITUDE_BOUNDED, minimum=low, maximum=high)


def refused(call: Callable[[], Any]) -> Failure:
    with pytest.raises(grpc.RpcError) as raised:
        call()
    return from_rpc_error(raised.value)


def asked_of(goals: Enterprise, person: str = "li", on: date = MARCH) -> int:
    request = targets_pb2.ResolveTargetsRequest(person_id=person, on=day(on))
    (found,) = goals.as_("hr").targets.ResolveTargets(request).targets
    return found.target.value.numerator


def approve(client: Client, target: targets_pb2.Target, reason: str = "") -> targets_pb2.Target:
    request = standards_pb2.ApproveTargetRequest(request_id=fresh("a"), target_id=target.id, reason=reason)
    return client.standards.ApproveTarget(request).target


def refuse(client: Client, target: targets_pb2.Target, reason: str = "not now") -> targets_pb2.Target:
    request = standards_pb2.RefuseTargetRequest(request_id=fresh("n"), target_id=target.id, reason=reason)
    return client.standards.RefuseTarget(request).target


def end(client: Client, target: targets_pb2.Target, on: date, reason: str = "over") -> targets_pb2.Target:
    request = targets_pb2.EndTargetRequest(
        request_id=fresh("e"), target_id=target.id, effective_to=day(on), reason=reason
    )
    return client.targets.EndTarget(request).target


def restore(client: Client, target: targets_pb2.Target, first: date) -> targets_pb2.Target:
    request = standards_pb2.RestoreTargetRequest(
        request_id=fresh("r"),
        target_id=target.id,
        revision=target.revision,
        effective_from=day(first),
        reason="as it was",
    )
    return client.standards.RestoreTarget(request).target


def listed(client: Client, *states: targets_pb2.TargetState.ValueType) -> list[str]:
    answer = client.targets.ListTargets(targets_pb2.ListTargetsRequest(states=states))
    return [each.id for each in answer.targets]


def drift(client: Client, **fields: Any) -> standards_pb2.ListDriftResponse:
    return client.standards.ListDrift(standards_pb2.ListDriftRequest(on=day(MARCH), **fields))


def changes(client: Client, node: str = "shanghai") -> list[standards_pb2.KnownTarget]:
    request = standards_pb2.ListTargetChangesRequest(
        node_id=node, job_role="sales", metric="deals_won", period_kind=values_pb2.PERIOD_KIND_MONTH
    )
    return list(client.standards.ListTargetChanges(request).changes)


def at(client: Client, node: str, on: date = MARCH) -> standards_pb2.StandardAtNode:
    request = standards_pb2.ResolveStandardRequest(node_id=node, job_role="sales", on=day(on))
    (found,) = client.standards.ResolveStandard(request).standards
    return found


def test_bounds_are_inclusive_and_what_lies_outside_names_the_standard(goals: Enterprise) -> None:
    hr, branch = goals.as_("hr"), goals.as_("branch-hr")
    national = hr.set_target("deals_won", count(20), rule=between(count(15), count(40)))
    for number in (15, 40):
        branch.set_target("deals_won", count(number), node="shanghai")
        assert asked_of(goals) == number
    for number in (14, 41):
        failure = refused(lambda asked=number: branch.set_target("deals_won", count(asked), node="shanghai"))  # type: ignore[misc]  # bound per round
        assert (failure.code.name, failure.reason) == ("FAILED_PRECONDITION", "OVERRIDE_OUT_OF_BOUNDS")
        assert failure.metadata == {
            "target_id": national.id,
            "node_id": "hq",
            "value": "20/1",
            "effective_from": "2025-01-01",
            "minimum": "15/1",
            "maximum": "40/1",
        }
    assert asked_of(goals) == 40


def test_rates_are_held_against_bounds_exactly(goals: Enterprise) -> None:
    hr = goals.as_("hr")
    hr.set_target("close_rate", rate(12, 100), rule=between(rate(1, 10), None))
    hr.set_target("close_rate", rate(10, 100), node="beijing")
    failure = refused(lambda: hr.set_target("close_rate", rate(99_999, 1_000_000), node="beijing"))
    assert failure.reason == "OVERRIDE_OUT_OF_BOUNDS"


def test_a_locked_one_is_overridden_nowhere_below(goals: Enterprise) -> None:
    hr = goals.as_("hr")
    hr.set_target("deals_won", count(20), rule=LOCKED)
    for node in ("shanghai", "shanghai-sales"):
        failure = refused(lambda place=node: hr.set_target("deals_won", count(20), node=place))  # type: ignore[misc]  # bound per round
        assert (failure.reason, failure.metadata["node_id"]) == ("OVERRIDE_LOCKED", "hq")
    assert hr.set_target("deals_won", count(21)).state == STATE.TARGET_STATE_IN_FORCE


def test_a_branch_narrows_for_its_departments_and_cannot_widen(goals: Enterprise) -> None:
    hr, branch = goals.as_("hr"), goals.as_("branch-hr")
    hr.set_target("deals_won", count(20), rule=between(count(10), count(40)))
    branch.set_target("deals_won", count(30), node="shanghai", rule=between(count(25), count(90)))
    for number, node in ((24, "shanghai"), (41, "hq")):
        failure = refused(
            lambda asked=number: branch.set_target("deals_won", count(asked), node="shanghai-sales")  # type: ignore[misc]  # bound per round
        )
        assert (failure.reason, failure.metadata["node_id"]) == ("OVERRIDE_OUT_OF_BOUNDS", node)
    allowed = at(branch, "shanghai-sales").allowance
    assert (allowed.minimum.numerator, allowed.maximum.numerator) == (25, 40)
    assert at(branch, "shanghai").allowance.minimum.numerator == 10


def test_bounds_hold_on_every_day_of_an_override(goals: Enterprise) -> None:
    hr = goals.as_("hr")
    hr.set_target("deals_won", count(20))
    hr.set_target("deals_won", count(20), first=JUNE, rule=between(count(20), count(25)))
    failure = refused(lambda: hr.set_target("deals_won", count(30), node="shanghai", first=MARCH))
    assert (failure.reason, failure.metadata["effective_from"]) == ("OVERRIDE_OUT_OF_BOUNDS", "2025-06-01")
    hr.set_target("deals_won", count(30), node="shanghai", first=MARCH, end=JUNE)
    assert [asked_of(goals, on=on) for on in (FEBRUARY, MARCH, JUNE)] == [20, 30, 20]


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        (between(None, None), "target.rule.minimum"),
        (between(count(21), None), "target.rule.minimum"),
        (between(None, count(19)), "target.rule.maximum"),
        (between(rate(1, 2), None), "target.rule.minimum"),
        (targets_pb2.OverrideRule(minimum=count(1)), "target.rule.latitude"),
        (targets_pb2.OverrideRule(latitude=9), "target.rule.latitude"),  # type: ignore[arg-type]  # an unknown number
    ],
)
def test_what_cannot_be_a_rule(goals: Enterprise, rule: targets_pb2.OverrideRule, field: str) -> None:
    failure = refused(lambda: goals.as_("hr").set_target("deals_won", count(20), rule=rule))
    assert list(failure.fields) == [field]


def test_tightening_later_leaves_what_was_set_and_marks_it(goals: Enterprise) -> None:
    hr = goals.as_("hr")
    hr.set_target("deals_won", count(20))
    override = hr.set_target("deals_won", count(50), node="shanghai", end=JUNE)
    hr.set_target("deals_won", count(20), first=FEBRUARY, rule=between(None, count(30)))
    assert asked_of(goals) == 50
    (found,) = drift(hr).drifts
    assert (found.target.id, found.out_of_bounds, found.difference.numerator) == (override.id, True, 30)
    assert at(hr, "shanghai").out_of_bounds
    # What was allowed once is not allowed anew.
    failure = refused(lambda: restore(hr, override, MARCH))
    assert failure.reason in {"OVERRIDE_OUT_OF_BOUNDS", "OVERRIDE_OVERLAPS"}
    end(hr, override, MARCH)
    assert refused(lambda: restore(hr, override, MARCH)).reason == "OVERRIDE_OUT_OF_BOUNDS"


def test_an_override_waits_for_a_second_person_who_may(goals: Enterprise) -> None:
    hr, branch, second = goals.as_("hr"), goals.as_("branch-hr"), goals.as_("second-hr")
    hr.set_target("deals_won", count(20), rule=ASKED)
    waiting = branch.set_target("deals_won", count(30), node="shanghai", reason="more shops")
    assert (waiting.state, waiting.approval_node_id) == (STATE.TARGET_STATE_PENDING, "hq")
    assert asked_of(goals) == 20
    assert listed(hr, STATE.TARGET_STATE_PENDING) == [waiting.id]
    assert waiting.id not in listed(hr)
    # Not its author's branch, not its author.
    assert refused(lambda: approve(branch, waiting)).reason == "PERMISSION_MISSING"
    own = hr.set_target("deals_won", count(25), node="beijing")
    for decide in (approve, refuse):
        failure = refused(lambda how=decide: how(hr, own))  # type: ignore[misc]  # bound per round
        assert (failure.code.name, failure.reason) == ("PERMISSION_DENIED", "APPROVAL_NEEDS_ANOTHER")
    approved = approve(hr, waiting, "agreed on Monday")
    assert (approved.state, approved.author_id, approved.approver_id) == (
        STATE.TARGET_STATE_IN_FORCE,
        "branch-hr",
        "hr",
    )
    assert (approved.reason, approved.change_reason) == ("more shops", "agreed on Monday")
    assert approved.HasField("decided_at")
    assert asked_of(goals) == 30
    assert asked_of(goals, "zhao") == 20
    assert refused(lambda: refuse(hr, waiting)).reason == "TARGET_NOT_PENDING"
    assert approve(second, own).state == STATE.TARGET_STATE_IN_FORCE
    assert asked_of(goals, "zhao") == 25


def test_a_branch_approves_for_its_departments(goals: Enterprise) -> None:
    hr, branch = goals.as_("hr"), goals.as_("branch-hr")
    hr.set_target("deals_won", count(20))
    hr.set_target("deals_won", count(30), node="shanghai", rule=ASKED)
    waiting = hr.set_target("deals_won", count(35), node="shanghai-sales")
    assert waiting.approval_node_id == "shanghai"
    assert approve(branch, waiting).state == STATE.TARGET_STATE_IN_FORCE
    assert asked_of(goals) == 35


def test_a_refused_one_is_kept_with_the_reason_and_a_withdrawn_one_too(goals: Enterprise) -> None:
    hr, branch = goals.as_("hr"), goals.as_("branch-hr")
    hr.set_target("deals_won", count(20), rule=ASKED)
    first = branch.set_target("deals_won", count(30), node="shanghai")
    said = refuse(hr, first, "too steep for March")
    assert (said.state, said.change_reason, said.approver_id) == (
        STATE.TARGET_STATE_REFUSED,
        "too steep for March",
        "hr",
    )
    second = branch.set_target("deals_won", count(25), node="shanghai")
    assert end(branch, second, MARCH, "thought again").state == STATE.TARGET_STATE_WITHDRAWN
    assert asked_of(goals) == 20
    assert set(listed(branch, STATE.TARGET_STATE_REFUSED, STATE.TARGET_STATE_WITHDRAWN)) == {
        first.id,
        second.id,
    }
    assert refused(lambda: approve(hr, first)).reason == "TARGET_NOT_PENDING"
    assert [each.target.change for each in changes(branch)] == [
        CHANGE.TARGET_CHANGE_WITHDRAWN,
        CHANGE.TARGET_CHANGE_PROPOSED,
        CHANGE.TARGET_CHANGE_REFUSED,
        CHANGE.TARGET_CHANGE_PROPOSED,
    ]


def test_approval_looks_at_the_bounds_again(goals: Enterprise) -> None:
    hr, branch = goals.as_("hr"), goals.as_("branch-hr")
    hr.set_target("deals_won", count(20), rule=ASKED)
    waiting = branch.set_target("deals_won", count(30), node="shanghai")
    tighter = between(None, count(25))
    tighter.approval_required = True
    hr.set_target("deals_won", count(20), first=FEBRUARY, rule=tighter)
    assert refused(lambda: approve(hr, waiting)).reason == "OVERRIDE_OUT_OF_BOUNDS"
    assert asked_of(goals) == 20
    assert refuse(hr, waiting).state == STATE.TARGET_STATE_REFUSED


def test_days_that_meet_are_refused_and_named(goals: Enterprise) -> None:
    hr = goals.as_("hr")
    campaign = hr.set_target("deals_won", count(30), node="shanghai", first=FEBRUARY, end=APRIL)

    def again(first: date, until: date | None = None) -> Failure:
        return refused(lambda: hr.set_target("deals_won", count(9), node="shanghai", first=first, end=until))

    for first, until in ((MARCH, None), (MARCH, JUNE), (date(2025, 1, 1), MARCH)):
        failure = again(first, until)
        assert (failure.reason, failure.metadata["target_id"]) == ("OVERRIDE_OVERLAPS", campaign.id)
        assert (failure.metadata["effective_from"], failure.metadata["effective_to"]) == (
            "2025-02-01",
            "2025-04-01",
        )
    # Days beside it are free, and so is the same place of another metric or branch.
    hr.set_target("deals_won", count(9), node="shanghai", first=APRIL)
    hr.set_target("deals_won", count(8), node="shanghai", first=date(2025, 1, 1), end=FEBRUARY)
    hr.set_target("deals_won", count(7), node="beijing", first=MARCH)
    assert again(JUNE, date(2025, 7, 1)).reason == "OVERRIDE_OVERLAPS"
    later = date(2025, 5, 1)
    assert refused(lambda: end(hr, campaign, later)).reason == "FIELD_INVALID"


def test_what_waits_holds_its_days(goals: Enterprise) -> None:
    hr, branch = goals.as_("hr"), goals.as_("branch-hr")
    hr.set_target("deals_won", count(20), rule=ASKED)
    waiting = branch.set_target("deals_won", count(30), node="shanghai", first=MARCH)
    failure = refused(lambda: branch.set_target("deals_won", count(31), node="shanghai", first=APRIL))
    assert (failure.reason, failure.metadata["target_id"], failure.metadata["state"]) == (
        "OVERRIDE_OVERLAPS",
        waiting.id,
        "pending",
    )


def test_drift_says_where_and_by_how_much_in_the_unit(goals: Enterprise) -> None:
    hr = goals.as_("hr")
    hr.set_target("deals_won", count(20))
    hr.set_target("close_rate", rate(12, 100))
    hr.set_target("deals_won", count(30), node="shanghai")
    hr.set_target("deals_won", count(28), node="shanghai-sales")
    hr.set_target("close_rate", rate(15, 100), node="beijing")
    hr.set_target("emails_sent", count(5), node="beijing")
    hr.set_target("deals_won", count(20), node="beijing")
    found = drift(hr)
    assert [
        (each.target.node_id, each.standard.node_id, each.difference.numerator, each.difference.denominator)
        for each in found.drifts
    ] == [("beijing", "hq", 3, 100), ("shanghai", "hq", 10, 1), ("shanghai-sales", "shanghai", -2, 1)]
    assert (found.total_size, found.out_of_bounds) == (3, 0)
    assert drift(hr, out_of_bounds_only=True).total_size == 0
    assert [each.target.node_id for each in drift(hr, node_id="shanghai").drifts] == [
        "shanghai",
        "shanghai-sales",
    ]
    first = drift(hr, page_size=2)
    second = drift(hr, page_size=2, page_token=first.next_page_token)
    assert [*first.drifts, *second.drifts] == list(found.drifts)
    # Narrowed: a branch's HR sees its own branch, a newcomer where they stand.
    assert {each.target.node_id for each in drift(goals.as_("branch-hr")).drifts} == {
        "shanghai",
        "shanghai-sales",
    }
    assert {each.target.node_id for each in drift(goals.as_("zhao")).drifts} == {"beijing"}


def test_history_says_who_changed_what_and_undo_is_a_new_version(goals: Enterprise) -> None:
    hr, branch = goals.as_("hr"), goals.as_("branch-hr")
    hr.set_target("deals_won", count(20))
    first = branch.set_target("deals_won", count(30), node="shanghai", reason="more shops")
    branch.set_target("deals_won", count(45), node="shanghai", first=FEBRUARY, reason="a slip")
    before = goals.rows()
    undone = restore(branch, first, FEBRUARY)
    assert goals.rows() != before
    assert undone.id != first.id
    assert (undone.value.numerator, undone.reason, undone.author_id) == (30, "as it was", "branch-hr")
    assert [asked_of(goals, on=on) for on in (FEBRUARY, MARCH)] == [30, 30]
    found = changes(branch)
    assert [
        (each.target.change, each.target.value.numerator, each.target.changed_by_id) for each in found
    ] == [
        (CHANGE.TARGET_CHANGE_SET, 30, "branch-hr"),
        (CHANGE.TARGET_CHANGE_SUCCEEDED, 45, "branch-hr"),
        (CHANGE.TARGET_CHANGE_SET, 45, "branch-hr"),
        (CHANGE.TARGET_CHANGE_SUCCEEDED, 30, "branch-hr"),
        (CHANGE.TARGET_CHANGE_SET, 30, "branch-hr"),
    ]
    assert [each.HasField("superseded_at") for each in found] == [False, False, True, False, True]
    another = targets_pb2.Target(id=first.id, revision=undone.revision)
    assert refused(lambda: restore(branch, another, MARCH)).reason == "TARGET_UNKNOWN"


def test_nothing_of_another_branch_is_told(goals: Enterprise) -> None:
    hr, branch = goals.as_("hr"), goals.as_("branch-hr")
    hr.set_target("deals_won", count(20))
    theirs = hr.set_target("deals_won", count(30), node="beijing")
    assert refused(lambda: changes(branch, "beijing")).reason == "NODE_UNKNOWN"
    assert refused(lambda: at(branch, "beijing")).reason == "NODE_UNKNOWN"
    assert refused(lambda: restore(branch, theirs, MARCH)).reason == "TARGET_UNKNOWN"
    assert refused(lambda: approve(branch, theirs)).reason == "TARGET_UNKNOWN"
    # What is set above is there for everybody below.
    assert changes(goals.as_("li"), "hq")
    assert refused(lambda: approve(goals.as_("li"), theirs)).reason == "PERMISSION_MISSING"


def test_an_id_is_given_once(goals: Enterprise) -> None:
    hr = goals.as_("hr")
    known = hr.set_target("deals_won", count(20))
    target = targets_pb2.Target()
    target.CopyFrom(known)
    request = targets_pb2.SetTargetRequest(request_id=fresh("r"), target=target)
    assert refused(lambda: hr.targets.SetTarget(request)).reason == "ALREADY_EXISTS"

"""Targets: what may be asked, what replaces what, and what was known stays known."""

from datetime import date
from typing import Any

import grpc
import pytest
from foothold.goals.v1 import progress_pb2, targets_pb2, values_pb2
from sqlalchemy import text

from chassis.errors import from_rpc_error
from tests.goals.enterprise import Enterprise, count, day, fact, rate


def resolved(goals: Enterprise, on: date, person: str = "li") -> list[int]:
    request = targets_pb2.ResolveTargetsRequest(person_id=person, on=day(on))
    answer = goals.as_("hr").targets.ResolveTargets(request)
    return [each.target.value.numerator for each in answer.targets]


def test_a_new_target_ends_the_one_before_and_is_ended_by_a_later_one(goals: Enterprise) -> None:
    hr = goals.as_("hr")
    hr.set_target("deals_won", count(1), first=date(2025, 1, 1))
    hr.set_target("deals_won", count(3), first=date(2025, 5, 1))
    middle = hr.set_target("deals_won", count(2), first=date(2025, 3, 1))
    assert (middle.effective_to.month, middle.effective_to.day) == (5, 1)
    assert [resolved(goals, date(2025, month, 1)) for month in (1, 2, 3, 4, 5)] == [[1], [1], [2], [2], [3]]
    # Set again for the same day: the later word holds, the earlier never did.
    hr.set_target("deals_won", count(9), first=date(2025, 3, 1))
    assert [resolved(goals, date(2025, month, 1)) for month in (2, 3, 4, 5)] == [[1], [9], [9], [3]]
    with goals.database.read() as connection:
        known = connection.execute(text("SELECT count(*) FROM standard WHERE superseded_at IS NULL"))
        assert known.scalar_one() == 4
        assert connection.execute(text("SELECT count(*) FROM standard")).scalar_one() > 4


def test_an_override_ended_lets_the_inherited_one_hold_again(goals: Enterprise) -> None:
    hr = goals.as_("hr")
    hr.set_target("deals_won", count(1))
    override = hr.set_target("deals_won", count(5), node="shanghai-sales")
    request = targets_pb2.EndTargetRequest(
        request_id="e1", target_id=override.id, effective_to=day(date(2025, 4, 1)), reason="season over"
    )
    ended = hr.targets.EndTarget(request).target
    assert hr.targets.EndTarget(request).target == ended
    assert [resolved(goals, date(2025, month, 1)) for month in (3, 4)] == [[5], [1]]
    assert (ended.change_reason, ended.changed_by_id) == ("season over", "hr")
    assert (ended.reason, ended.author_id) == ("local market", "hr"), "who set it, and why, stays known"


def test_a_request_repeated_answers_the_same_and_another_payload_is_refused(goals: Enterprise) -> None:
    hr = goals.as_("hr")
    target = targets_pb2.Target(
        node_id="hq",
        job_role="sales",
        metric="deals_won",
        period_kind=values_pb2.PERIOD_KIND_MONTH,
        value=count(1),
        effective_from=day(date(2025, 1, 1)),
    )
    request = targets_pb2.SetTargetRequest(request_id="same", target=target)
    first = hr.targets.SetTarget(request)
    assert hr.targets.SetTarget(request) == first
    request.target.value.numerator = 2
    with pytest.raises(grpc.RpcError) as refused:
        hr.targets.SetTarget(request)
    assert from_rpc_error(refused.value).reason == "REQUEST_ID_REUSED"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"metric": "happiness"}, "METRIC_UNKNOWN"),
        ({"value": count(-1)}, "VALUE_INVALID"),
        ({"value": rate(1, 10)}, "VALUE_INVALID"),
        ({"value": values_pb2.Value(unit=values_pb2.UNIT_COUNT, numerator=1)}, "VALUE_INVALID"),
        ({"metric": "close_rate", "value": rate(11, 10)}, "VALUE_INVALID"),
        ({"value": count(1), "node_id": "shanghai", "reason": ""}, "FIELD_INVALID"),
        ({"period_kind": 9}, "FIELD_INVALID"),
        ({"job_role": ""}, "FIELD_INVALID"),
    ],
)
def test_what_cannot_be_a_target(goals: Enterprise, changes: dict[str, Any], reason: str) -> None:
    values: dict[str, Any] = {
        "node_id": "hq",
        "job_role": "sales",
        "metric": "deals_won",
        "period_kind": values_pb2.PERIOD_KIND_MONTH,
        "value": count(1),
        "effective_from": day(date(2025, 1, 1)),
    }
    target = targets_pb2.Target(**{**values, **changes})
    with pytest.raises(grpc.RpcError) as refused:
        goals.as_("hr").targets.SetTarget(targets_pb2.SetTargetRequest(request_id="r-1", target=target))
    assert from_rpc_error(refused.value).reason == reason


def test_the_team_lists_those_who_need_attention_first(goals: Enterprise) -> None:
    goals.as_("hr").set_target("emails_sent", count(2))
    goals.as_("hr").set_target("close_rate", rate(1, 10))
    goals.as_("crm").record(
        *(fact("EMAIL", "wang") for _ in range(3)),
        *(fact("FOLLOW_UP", person, customer=f"c{n}") for person in ("wang", "zhao") for n in range(4)),
        *(fact("DEAL_WON", "wang") for _ in range(2)),
    )
    hr = goals.as_("hr").progress
    team = hr.ListTeamProgress(progress_pb2.ListTeamProgressRequest(newcomers_only=True))
    assert [each.person_id for each in team.people] == ["zhao", "li", "wang"]
    assert [list(each.reasons) for each in team.people] == [
        ["behind"],
        ["behind", "no_data", "no_follow_up"],
        [],
    ]
    assert (team.total_size, team.needing_attention) == (3, 2)
    assert team.people[0].last_follow_up.day == 20
    assert team.people[0].probation_end.month == 6
    met = hr.ListTeamProgress(
        progress_pb2.ListTeamProgressRequest(newcomers_only=True, status=progress_pb2.PROGRESS_STATUS_MET)
    )
    assert [each.person_id for each in met.people] == ["wang"]
    assert met.needing_attention == 2, "a filter hides people, not that they need attention"
    only = progress_pb2.ListTeamProgressRequest(status=progress_pb2.PROGRESS_STATUS_NO_DATA, page_size=1)
    first = hr.ListTeamProgress(only)
    only.page_token = first.next_page_token
    second = hr.ListTeamProgress(only)
    assert [each.person_id for page in (first, second) for each in page.people] == ["chen", "li"]

"""Coaching tasks: what is suggested, opened, answered, closed, and late from the first midnight after its day."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import grpc
import pytest
from foothold.goals.v1 import coaching_pb2, coaching_rules_pb2, feed_pb2
from foothold.identity.v1 import directory_pb2
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import Failure, from_rpc_error
from chassis.feed import StoredEvent
from services.goals.domain.coaching import Matter, Situation, Task, TaskState
from services.goals.domain.periods import local_day
from services.goals.wire.feed import TASK_CHANGED, states_of
from tests.goals.enterprise import Enterprise, count, day, fact, fresh, rate

SITUATION = coaching_rules_pb2.CoachingSituation
STATE = coaching_pb2.CoachingTaskState
TODAY = date(2025, 3, 20)
ZONES = (
    *("Asia/Shanghai", "Pacific/Kiritimati", "Etc/GMT+12", "America/Sao_Paulo"),
    *("Africa/Cairo", "Australia/Lord_Howe", "Pacific/Apia"),
)


def refusal(call: Callable[[], Any]) -> Failure:
    with pytest.raises(grpc.RpcError) as raised:
        call()
    return from_rpc_error(raised.value)


@contextmanager
def later(goals: Enterprise, by: timedelta) -> Iterator[None]:
    goals.clock.advance(by)
    try:
        yield
    finally:
        goals.clock.advance(-by)


def asked(person: str = "li", due: date = TODAY, **fields: Any) -> coaching_pb2.CoachingTask:
    fields.setdefault("situation", SITUATION.COACHING_SITUATION_BEHIND)
    fields.setdefault("metric", "new_customers")
    fields.setdefault("text", "list tomorrow's ten names")
    return coaching_pb2.CoachingTask(person_id=person, due_day=day(due), **fields)


def open_task(
    goals: Enterprise, *, by: str = "manager", request_id: str = "", **fields: Any
) -> coaching_pb2.CoachingTask:
    request = coaching_pb2.OpenTaskRequest(request_id=request_id or fresh("r"), task=asked(**fields))
    return goals.as_(by).coaching.OpenTask(request).task


def answer(goals: Enterprise, task_id: str, text: str, by: str = "li") -> coaching_pb2.CoachingTask:
    request = coaching_pb2.AnswerTaskRequest(request_id=fresh("r"), task_id=task_id, answer=text)
    return goals.as_(by).coaching.AnswerTask(request).task


def close(
    goals: Enterprise, task_id: str, outcome: str = "DONE", by: str = "manager", note: str = ""
) -> coaching_pb2.CoachingTask:
    request = coaching_pb2.CloseTaskRequest(
        request_id=fresh("r"),
        task_id=task_id,
        outcome=STATE.Value(f"COACHING_TASK_STATE_{outcome}"),
        note=note,
    )
    return goals.as_(by).coaching.CloseTask(request).task


def listed(goals: Enterprise, by: str = "manager", **fields: Any) -> coaching_pb2.ListTasksResponse:
    return goals.as_(by).coaching.ListTasks(coaching_pb2.ListTasksRequest(**fields))


def steps(goals: Enterprise, person: str = "li", by: str = "manager") -> list[coaching_pb2.SuggestedStep]:
    request = coaching_pb2.SuggestStepsRequest(person_ids=[person])
    return list(goals.as_(by).coaching.SuggestSteps(request).people[0].steps)


def test_every_situation_is_told_with_its_step_the_most_urgent_first(goals: Enterprise) -> None:
    hr = goals.as_("hr")
    hr.set_target("new_customers", count(20))
    hr.set_target("close_rate", rate(1, 10))
    hr.set_target("emails_sent", count(2))
    hr.set_target("meetings_attended", count(1))
    goals.as_("crm").record(*(fact("EMAIL") for _ in range(2)), *(fact("MEETING") for _ in range(3)))
    found = steps(goals)
    assert [
        (SITUATION.Name(each.situation)[len("COACHING_SITUATION_") :], each.metric) for each in found
    ] == [
        ("BEHIND", "new_customers"),
        ("NO_FOLLOW_UP", ""),
        ("NO_DATA", "close_rate"),
        ("AT_THRESHOLD", "emails_sent"),
        ("MET", "meetings_attended"),
    ]
    assert all(each.rule.step_zh and each.rule.step_en and not each.rule.node_id for each in found)
    assert found[0].rule.metric == "new_customers"
    assert not any(each.HasField("task") for each in found)


def test_a_team_is_told_as_its_progress_is_and_only_newcomers_of_it(goals: Enterprise) -> None:
    goals.as_("hr").set_target("new_customers", count(20))
    goals.as_("crm").record(*(fact("FOLLOW_UP", "li", customer=f"c{n}") for n in range(25)))
    coaching = goals.as_("branch-hr").coaching
    request = coaching_pb2.SuggestStepsRequest(node_id="shanghai", page_size=1)
    told = []
    while True:
        page = coaching.SuggestSteps(request)
        told += [each.person_id for each in page.people]
        request.page_token = page.next_page_token
        if not request.page_token:
            break
    assert told == ["wang", "li"]
    named = coaching_pb2.SuggestStepsRequest(person_ids=["chen", "li"])
    assert [each.person_id for each in coaching.SuggestSteps(named).people] == ["chen", "li"]


def test_a_task_is_opened_answered_and_closed(goals: Enterprise) -> None:
    goals.as_("hr").set_target("new_customers", count(20))
    head = _head(goals)
    made = open_task(goals, due=TODAY + timedelta(days=2))
    assert (made.opener_id, made.state, made.late) == ("manager", STATE.COACHING_TASK_STATE_OPEN, False)
    assert steps(goals)[0].task == made
    first = answer(goals, made.id, "six names so far")
    assert (first.state, first.answer) == (STATE.COACHING_TASK_STATE_ANSWERED, "six names so far")
    assert answer(goals, made.id, "all ten").answer == "all ten"
    closed = close(goals, made.id, note="well done", by="mentor")
    assert (closed.state, closed.note, closed.closer_id) == (
        STATE.COACHING_TASK_STATE_DONE,
        "well done",
        "mentor",
    )
    assert not steps(goals)[0].HasField("task")
    assert list(listed(goals, by="li").tasks) == [closed]
    for again in (lambda: answer(goals, made.id, "more"), lambda: close(goals, made.id)):
        assert refusal(again).reason == "COACHING_TASK_CLOSED"
    assert [(each.task_id, each.person_id, each.state) for each in _told(goals, head)] == [
        (made.id, "li", STATE.COACHING_TASK_STATE_OPEN),
        (made.id, "li", STATE.COACHING_TASK_STATE_ANSWERED),
        (made.id, "li", STATE.COACHING_TASK_STATE_ANSWERED),
        (made.id, "li", STATE.COACHING_TASK_STATE_DONE),
    ]


def test_one_task_at_a_time_for_the_same_situation(goals: Enterprise) -> None:
    made = open_task(goals, by="mentor")
    twice = refusal(lambda: open_task(goals))
    assert (twice.reason, twice.metadata["task_id"]) == ("ALREADY_EXISTS", made.id)
    open_task(goals, metric="deals_won")
    open_task(goals, person="wang")
    close(goals, made.id, "WITHDRAWN")
    assert open_task(goals).id != made.id


def test_sent_twice_it_is_one_task(goals: Enterprise) -> None:
    first = open_task(goals, request_id="same")
    rows = goals.rows()
    assert open_task(goals, request_id="same") == first
    assert goals.rows() == rows
    assert refusal(lambda: open_task(goals, request_id="same", text="another")).reason == "REQUEST_ID_REUSED"


@given(
    st.sampled_from(ZONES),
    st.dates(date(2011, 12, 1), date(2040, 1, 1)),
    st.integers(-3 * 86_400, 3 * 86_400),
)
def test_late_is_the_first_midnight_after_the_day_where_the_person_is(
    zone: str, due: date, seconds: int
) -> None:
    midnight = datetime(due.year, due.month, due.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    now = midnight + timedelta(seconds=seconds)
    task = Task("t", "li", Matter(Situation.BEHIND, ""), "x", "", due, "manager", now)
    assert task.late(now, zone) is (local_day(now, zone) > due)
    for state in (TaskState.DONE, TaskState.WITHDRAWN):
        assert not task.close(state, note="", by="manager", at=now).late(now + timedelta(days=9), zone)


def test_late_begins_at_midnight_in_the_persons_zone(goals: Enterprise) -> None:
    """Noon in Shanghai: its midnight is twelve hours away, and that of the person in Honolulu thirty."""
    goals.tell({"node_changed": goals.node("honolulu", "hq", 2, "Pacific/Honolulu")})
    goals.add_people(["kai"], "honolulu")
    honolulu = date(2025, 3, 19)
    with_us = open_task(goals, by="hr", due=TODAY)
    far = open_task(goals, by="hr", person="kai", due=honolulu)
    assert (with_us.late, far.late) == (False, False)
    midnight = timedelta(hours=12)
    for by, late in (
        (midnight - timedelta(seconds=1), {far.id}),
        (midnight, {far.id, with_us.id}),
        (timedelta(hours=6) - timedelta(seconds=1), set()),
        (timedelta(hours=6), {far.id}),
    ):
        with later(goals, by):
            found = listed(goals, by="hr")
            assert {each.id for each in found.tasks if each.late} == late, by
            assert found.late_size == len(late)
            only = listed(goals, by="hr", late=True)
            assert {each.id for each in only.tasks} == late
            assert (only.total_size, only.late_size) == (len(late), len(late))


def test_what_is_due_first_comes_first_and_closed_ones_last(goals: Enterprise) -> None:
    days = {name: TODAY + timedelta(days=ahead) for name, ahead in (("a", 5), ("b", 1), ("c", 3), ("d", 2))}
    made = {
        name: open_task(goals, metric="", person="li", **_of(name), due=due) for name, due in days.items()
    }
    close(goals, made["c"].id)
    close(goals, made["d"].id, "WITHDRAWN")
    request = coaching_pb2.ListTasksRequest(page_size=1)
    found, total = [], 0
    while True:
        page = goals.as_("manager").coaching.ListTasks(request)
        found += [each.id for each in page.tasks]
        total = page.total_size
        request.page_token = page.next_page_token
        if not request.page_token:
            break
    assert found == [made[name].id for name in ("b", "a", "c", "d")]
    assert total == 4
    waiting = listed(goals, states=[STATE.COACHING_TASK_STATE_OPEN])
    assert [each.id for each in waiting.tasks] == [made["b"].id, made["a"].id]
    assert listed(goals, person_id="wang").total_size == 0
    assert listed(goals, by="hr", node_id="beijing").total_size == 0
    assert listed(goals, by="hr", node_id="shanghai-sales").total_size == 4


def test_nobody_is_asked_for_the_open_task_of_somebody_who_has_left(goals: Enterprise) -> None:
    goals.add_people(["leaves"])
    done, left = open_task(goals, person="leaves"), open_task(goals, person="leaves", metric="deals_won")
    close(goals, done.id)
    person = goals.person("leaves", "shanghai-sales")
    person.status = directory_pb2.PERSON_STATUS_DISMISSED
    goals.tell({"person_changed": person})
    assert [each.id for each in listed(goals).tasks] == [done.id]
    assert refusal(lambda: open_task(goals, person="leaves", metric="revenue")).reason == "PERSON_LEFT"
    assert close(goals, left.id, "WITHDRAWN").state == STATE.COACHING_TASK_STATE_WITHDRAWN


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"situation": 0}, "task.situation"),
        ({"situation": 99}, "task.situation"),
        ({"situation": SITUATION.COACHING_SITUATION_NO_FOLLOW_UP}, "task.metric"),
        ({"text": ""}, "task.text"),
        ({"text": "x" * 301}, "task.text"),
        ({"course_id": "no spaces please"}, "task.course_id"),
        ({"due": TODAY - timedelta(days=1)}, "task.due_day"),
        ({"due": TODAY + timedelta(days=91)}, "task.due_day"),
    ],
)
def test_what_cannot_be_asked_is_refused_on_its_field(
    goals: Enterprise, fields: dict[str, Any], field: str
) -> None:
    before = goals.rows()
    failure = refusal(lambda: open_task(goals, **fields))
    assert (failure.reason, set(failure.fields)) == ("FIELD_INVALID", {field})
    assert goals.rows() == before


def test_what_cannot_be_answered_or_closed_is_refused_on_its_field(goals: Enterprise) -> None:
    made = open_task(goals)
    assert refusal(lambda: open_task(goals, metric="luck")).reason == "METRIC_UNKNOWN"
    for text in ("", " ", "x" * 1001, "\0"):
        assert set(refusal(lambda told=text: answer(goals, made.id, told)).fields) == {"answer"}  # type: ignore[misc]  # bound per round
    for outcome in ("UNSPECIFIED", "OPEN", "ANSWERED"):
        assert set(refusal(lambda told=outcome: close(goals, made.id, told)).fields) == {"outcome"}  # type: ignore[misc]  # bound per round
    assert set(refusal(lambda: close(goals, made.id, note="x" * 501)).fields) == {"note"}
    assert refusal(lambda: answer(goals, "none", "x")).reason == "COACHING_TASK_UNKNOWN"


def test_who_may_what(goals: Enterprise) -> None:
    made = open_task(goals)
    for who, reason in {
        **dict.fromkeys(("li", "trainer", "crm"), "PERMISSION_MISSING"),
        "other-manager": "PERSON_UNKNOWN",
    }.items():
        assert refusal(lambda by=who: open_task(goals, by=by)).reason == reason  # type: ignore[misc]  # bound per round
    for who, reason in {
        "wang": "COACHING_TASK_UNKNOWN",
        "manager": "PERMISSION_MISSING",
        "operator": "PERMISSION_MISSING",
    }.items():
        assert refusal(lambda by=who: answer(goals, made.id, "x", by=by)).reason == reason  # type: ignore[misc]  # bound per round
    for who, reason in {"li": "PERMISSION_MISSING", "other-manager": "COACHING_TASK_UNKNOWN"}.items():
        assert refusal(lambda by=who: close(goals, made.id, by=by)).reason == reason  # type: ignore[misc]  # bound per round
    for who, seen in {"li": 1, "wang": 0, "mentor": 1, "branch-hr": 1, "other-manager": 0, "hr": 1}.items():
        assert listed(goals, by=who).total_size == seen, who


def test_of_a_tasks_old_events_the_newest_stays(goals: Enterprise) -> None:
    told = coaching_pb2.CoachingTaskChanged(task_id="t1", person_id="li")
    event = StoredEvent(1, TASK_CHANGED, "li", told.SerializeToString(), goals.clock.now())
    assert states_of(event) == ["t1"]


def _of(name: str) -> dict[str, Any]:
    """A situation of its own for each name, for one person has one task a situation."""
    return {"situation": "abcd".index(name) + 1}


def _head(goals: Enterprise) -> int:
    return int(goals.as_("operator").feed.ListEvents(feed_pb2.ListEventsRequest(page_size=1)).head_position)


def _told(goals: Enterprise, after: int) -> list[coaching_pb2.CoachingTaskChanged]:
    found: list[coaching_pb2.CoachingTaskChanged] = []
    request = feed_pb2.ListEventsRequest(after_position=after)
    request.wait.seconds = 2
    while len(found) < 4:
        events = goals.as_("operator").feed.ListEvents(request).events
        if not events:
            break
        found += [each.coaching_task_changed for each in events if each.HasField("coaching_task_changed")]
        request.after_position = events[-1].position
    return found

"""Any day as it was known at any time: what is told equals a replay of what was entered until then."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import grpc
from foothold.goals.v1 import standards_pb2, targets_pb2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.errors import from_rpc_error
from tests.goals.enterprise import NOW, Enterprise, count, day, fresh, instant

_FIRST = date(2025, 2, 1)
_DAYS = 8
_PATH = ("shanghai-sales", "shanghai", "hq")
_REFUSALS = {"OVERRIDE_OVERLAPS", "TARGET_NOT_PENDING", "FIELD_INVALID"}
Calendar = dict[str, dict[int, tuple[str, int, int]]]


@dataclass(frozen=True)
class Step:
    """One thing entered: what, where, from which day, until which (0: no end), and which earlier one it is about."""

    what: str
    node: str
    first: int
    length: int
    which: int


steps = st.lists(
    st.builds(
        Step,
        st.sampled_from(["set", "set", "set", "end", "approve", "refuse"]),
        st.sampled_from(_PATH),
        st.integers(0, _DAYS - 2),
        st.sampled_from([0, 0, 0, 1, 3]),
        st.integers(0, 5),
    ),
    min_size=1,
    max_size=9,
)


@dataclass
class Naive:
    """Each place as a calendar: day -> (id, its first day, value), written down day by day as things are entered."""

    calendar: Calendar = field(default_factory=lambda: {node: {} for node in _PATH})

    def put(self, target: targets_pb2.Target) -> None:
        cells = self.calendar[target.node_id]
        first = _number(target.effective_from)
        given_end = _number(target.effective_to) if target.HasField("effective_to") else 10**6
        starts = [at for at, (_, began, _v) in cells.items() if at == began and at > first]
        for at in range(first, min([given_end, _DAYS, *starts])):
            cells[at] = (target.id, first, target.value.numerator)

    def clear(self, target: targets_pb2.Target, on: int) -> None:
        cells = self.calendar[target.node_id]
        for at in [at for at, (id_, _, _v) in cells.items() if id_ == target.id and at >= on]:
            del cells[at]

    def answers(self) -> list[int | None]:
        """The value asked on each day: the nearest place that has one."""
        found: list[int | None] = []
        for at in range(_DAYS):
            values = [self.calendar[node][at][2] for node in _PATH if at in self.calendar[node]]
            found.append(values[0] if values else None)
        return found


def _number(told: object) -> int:
    return (date(told.year, told.month, told.day) - _FIRST).days  # type: ignore[attr-defined]  # a google.type.Date


def _on(at: int) -> date:
    return _FIRST + timedelta(days=at)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps, st.booleans())
def test_every_day_at_every_known_time_equals_a_naive_replay(
    goals: Enterprise, entered: list[Step], approval: bool
) -> None:
    goals.clear()
    goals.clock.set(NOW)
    replay, made = Naive(), list[targets_pb2.Target]()
    known: list[tuple[datetime, list[int | None]]] = []
    asks = targets_pb2.OverrideRule(approval_required=approval)
    replay.put(goals.as_("hr").set_target("deals_won", count(1), first=_FIRST, rule=asks))
    known.append((goals.clock.now(), replay.answers()))
    for number, step in enumerate(entered, 2):
        goals.clock.advance(timedelta(minutes=1))
        try:
            _enter(goals, step, number, made, replay, asks)
        except grpc.RpcError as error:
            if from_rpc_error(error).reason not in _REFUSALS:
                raise
        known.append((goals.clock.now(), replay.answers()))
    for moment, expected in known:
        until_next = timedelta(minutes=1, microseconds=-1)
        assert [_told(goals, at, moment + until_next) for at in range(_DAYS)] == expected, (moment, entered)
    assert [_told(goals, at, None) for at in range(_DAYS)] == known[-1][1]


def _enter(
    goals: Enterprise,
    step: Step,
    number: int,
    made: list[targets_pb2.Target],
    replay: Naive,
    asks: targets_pb2.OverrideRule,
) -> None:
    hr, second = goals.as_("hr"), goals.as_("second-hr")
    if step.what == "set":
        target = hr.set_target(
            "deals_won",
            count(number),
            node=step.node,
            first=_on(step.first),
            end=_on(step.first + step.length) if step.length else None,
            rule=asks if step.node == "hq" else None,
        )
        made.append(target)
        if target.state == targets_pb2.TARGET_STATE_IN_FORCE:
            replay.put(target)
        return
    if not made:
        return
    about = made[step.which % len(made)]
    if step.what == "end":
        ended = hr.targets.EndTarget(
            targets_pb2.EndTargetRequest(
                request_id=fresh("e"), target_id=about.id, effective_to=day(_on(step.first)), reason="over"
            )
        ).target
        if ended.state == targets_pb2.TARGET_STATE_IN_FORCE:
            replay.clear(about, step.first)
    elif step.what == "approve":
        request = standards_pb2.ApproveTargetRequest(request_id=fresh("a"), target_id=about.id)
        replay.put(second.standards.ApproveTarget(request).target)
    else:
        refusal = standards_pb2.RefuseTargetRequest(request_id=fresh("n"), target_id=about.id, reason="no")
        second.standards.RefuseTarget(refusal)


def _told(goals: Enterprise, at: int, known_at: datetime | None) -> int | None:
    request = targets_pb2.ResolveTargetsRequest(
        person_id="li", on=day(_on(at)), known_at=None if known_at is None else instant(known_at)
    )
    answer = goals.as_("hr").targets.ResolveTargets(request)
    return answer.targets[0].target.value.numerator if answer.targets else None


def test_a_server_whose_clock_is_behind_leaves_no_gap_and_no_second_answer(goals: Enterprise) -> None:
    goals.clock.set(NOW)
    hr = goals.as_("hr")
    for number in range(1, 9):
        hr.set_target("deals_won", count(number), first=_FIRST)
        goals.clock.advance(timedelta(minutes=-1))
    # The last one entered is the last one known: recorded no earlier than what it replaced.
    assert _told(goals, 0, NOW) == 8
    assert _told(goals, 0, None) == 8
    goals.clock.set(NOW)

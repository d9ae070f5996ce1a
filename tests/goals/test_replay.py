"""Any past moment as it was shown then, and as it would have been shown with what is known now."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

from foothold.goals.v1 import (
    calendars_pb2,
    cascade_pb2,
    facts_pb2,
    feed_pb2,
    objectives_pb2,
    progress_pb2,
    standards_pb2,
    targets_pb2,
    values_pb2,
)
from foothold.identity.v1 import access_pb2, directory_pb2
from google.protobuf.message import Message
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.goals.cascading import goal, key_result, set_goal, set_objective
from tests.goals.enterprise import Client, Enterprise, count, day, fact, fresh, instant, leave, rate, yuan
from tests.goals.library import CONDITIONS, define, definition

_PEOPLE = ("li", "wang")
_UNITS = ("east", "sales", "key", "west")
_NODES = ("hq", *_UNITS)
_ZONES = ("", "Asia/Shanghai", "America/New_York", "Pacific/Kiritimati", "Pacific/Pago_Pago")
_KINDS = ("FOLLOW_UP", "FOLLOW_UP", "FOLLOW_UP", "DEAL_WON", "DEAL_WON", "ORDER", "DEAL_REVERSED", "MEETING")
_CHANNELS = ("douyin", "phone")


@dataclass(frozen=True)
class Told:
    """A version of one of a few facts, told late: it happened `days_ago`, and is `older` than what was told before."""

    key: int
    older: int
    kind: str
    person: str
    days_ago: int
    customer: int
    amount: int
    names: int
    voided: bool

    def fact(self, number: int, now: datetime) -> facts_pb2.Fact:
        return fact(
            self.kind,
            self.person,
            external_id=f"k{self.key}",
            version=max(number - self.older, 0),
            at=now - timedelta(days=self.days_ago, minutes=5),
            customer=f"c{self.customer}",
            channel=_CHANNELS[self.customer % 2],
            amount=yuan(self.amount),
            reverses=f"k{self.names}" if self.kind == "DEAL_REVERSED" else "",
            voided=self.voided,
        )


@dataclass(frozen=True)
class Away:
    """A version of one of a few absences: a day, or a half of it, of this month; or its cancellation."""

    key: int
    person: str
    day: int
    half: str
    cancelled: bool

    def fact(self, number: int, now: datetime) -> facts_pb2.Fact:
        told: dict[str, Any] = {"external_id": f"L{self.key}", "version": number, "voided": self.cancelled}
        at = now - timedelta(minutes=5)
        return leave(now.date().replace(day=self.day), person=self.person, half=self.half, at=at, **told)


@dataclass(frozen=True)
class Ruled:
    """How leave changes targets, from this year on; or a day entered as one off, or as one worked."""

    node: str
    what: str
    day: int


@dataclass(frozen=True)
class Asked:
    """A target set at a place from a day on."""

    metric: str
    node: str
    days_ago: int
    value: int


@dataclass(frozen=True)
class Goaled:
    """What the branch's goal for this month asks for, which a key result of its department rests on."""

    value: int


@dataclass(frozen=True)
class Placed:
    """Somebody stands in a unit now, in a job role, and works there or has left."""

    person: str
    unit: str
    role: str
    works: bool


@dataclass(frozen=True)
class Zoned:
    """A unit's days are reckoned by a zone, which holds for all they ever were."""

    unit: str
    zone: str


class World:
    """A branch with two departments, a branch beside it, two people and who reads it, made for one example."""

    def __init__(self, goals: Enterprise) -> None:
        self._goals = goals
        self._objective: objectives_pb2.Objective | None = None
        mark = fresh("w")
        self.id = {each: f"{each}-{mark}" for each in (*_PEOPLE, *_UNITS)} | {"hq": "hq"}
        self.place(
            *(Zoned(each, "") for each in _UNITS), *(Placed(each, "sales", "sales", True) for each in _PEOPLE)
        )

    def reader(self, node: str = "hq") -> Client:
        """Somebody who manages a unit, or all."""
        manager = fresh("manager")
        self._goals.add_people([manager], "hq", job_role="manager")
        binding = access_pb2.Binding(
            id=fresh("b"), role_id="department_manager", subject_id=manager, node_id=self.id[node]
        )
        self._goals.tell({"binding_added": binding})
        return self._goals.as_(manager)

    def ask(self, hr: Client, now: datetime, value: int) -> None:
        """Set the branch's goal for this month, and a department's objective that rests on it and on a metric."""
        month, new = now.date().replace(day=1), self._objective is None
        told = set_goal(
            hr, goal(self.id["east"], count(value), metric="customers_followed", kind="MONTH", first=month)
        )
        if new:
            results = (
                key_result(Fraction(1, 2), goal_id=told.id),
                key_result(Fraction(1, 2), metric="new_customers", value=count(4)),
            )
            self._objective = set_objective(
                hr, *results, node=self.id["sales"], period_kind=values_pb2.PERIOD_KIND_MONTH, first=month
            )

    def place(self, *steps: Placed | Zoned) -> None:
        self._goals.tell(*(self._told(each) for each in steps))

    def _told(self, step: Placed | Zoned) -> dict[str, Any]:
        if isinstance(step, Placed):
            person = self._goals.person(self.id[step.person], self.id[step.unit], step.role)
            if not step.works:
                person.status = directory_pb2.PERSON_STATUS_DISMISSED
            return {"person_changed": person}
        branch = step.unit in ("east", "west")
        kind = directory_pb2.NODE_KIND_BRANCH if branch else directory_pb2.NODE_KIND_DEPARTMENT
        return {
            "node_changed": self._goals.node(
                self.id[step.unit], "hq" if branch else self.id["east"], kind, step.zone
            )
        }


steps = st.lists(
    st.one_of(
        st.builds(
            Told,
            st.integers(0, 2),
            st.sampled_from((0, 0, 0, 2)),
            st.sampled_from(_KINDS),
            st.sampled_from(_PEOPLE),
            st.integers(0, 40),
            st.integers(0, 2),
            st.integers(1, 9),
            st.integers(0, 2),
            st.integers(0, 4).map(lambda drawn: drawn == 4),
        ),
        st.builds(
            Asked,
            st.sampled_from(("new_customers", "customers_followed", "close_rate")),
            st.sampled_from(_NODES),
            st.integers(0, 40),
            st.integers(1, 9),
        ),
        st.builds(
            Away,
            st.integers(0, 1),
            st.sampled_from(_PEOPLE),
            st.integers(1, 28),
            st.sampled_from(("", "MORNING", "AFTERNOON")),
            st.integers(0, 3).map(lambda drawn: drawn == 3),
        ),
        st.builds(
            Ruled,
            st.sampled_from(_NODES),
            st.sampled_from(("pro rata", "day off", "day worked")),
            st.integers(1, 28),
        ),
        st.builds(
            Placed,
            st.sampled_from(_PEOPLE),
            st.sampled_from(("sales", "key", "west")),
            st.sampled_from(("sales", "sales", "mentor")),
            st.integers(0, 3).map(lambda drawn: drawn < 3),
        ),
        st.builds(Goaled, st.integers(1, 9)),
        st.builds(Zoned, st.sampled_from(_UNITS), st.sampled_from(_ZONES)),
    ),
    min_size=2,
    max_size=10,
)


def _now(goals: Enterprise) -> datetime:
    """Let goals' clock show what the database's shows; standards go by the one, facts by the other."""
    goals.clock.set(datetime.now(UTC))
    return goals.clock.now()


def _shown(client: Client, world: World, at: datetime | None, known_at: datetime | None) -> list[Message]:
    """Everything a page of progress is made of, without the moments it says it is of."""
    when: dict[str, Any] = {
        "as_of": None if at is None else instant(at),
        "known_at": None if known_at is None else instant(known_at),
    }
    found: list[Message] = []
    for person in (world.id[each] for each in _PEOPLE):
        answer = client.get(person, **when)
        found += [*answer.targets, *answer.values]
        for metric in ("customers_followed", "close_rate", "online_customers"):
            why = client.explain(metric, person, **when)
            why.ClearField("as_of")
            found.append(why)
        course = client.progress.GetProgressCourse(
            progress_pb2.GetProgressCourseRequest(
                person_id=person, metric="close_rate", period_kind=values_pb2.PERIOD_KIND_MONTH, **when
            )
        )
        found.append(course)
        known = targets_pb2.ResolveTargetsRequest(person_id=person, known_at=when["known_at"])
        found += client.targets.ResolveTargets(known).targets
    for unit in _UNITS:
        asked = progress_pb2.ListTeamProgressRequest(node_id=world.id[unit], **when)
        team = client.progress.ListTeamProgress(asked)
        found += client.cascade.ListGoals(
            cascade_pb2.ListGoalsRequest(node_id=world.id[unit], with_progress=True, **when)
        ).goals
        objectives = objectives_pb2.ListObjectivesRequest(node_id=world.id[unit], **when)
        found += client.objectives.ListObjectives(objectives).objectives
        found.append(progress_pb2.ListTeamProgressResponse(people=team.people, total_size=team.total_size))
    return found


def _rule(hr: Client, node: str, step: Ruled, now: datetime) -> None:
    if step.what == "pro rata":
        units = [values_pb2.UNIT_COUNT]
        policy = calendars_pb2.LeavePolicy(mode=calendars_pb2.LEAVE_MODE_PRO_RATA, units=units)
        known = hr.calendars.ListWorkRules(calendars_pb2.ListWorkRulesRequest(node_id=node)).rules
        newest = max((each.revision for each in known), default=0)
        hr.set_rule(node, first=now.date().replace(month=1, day=1), replaces=newest, leave_policy=policy)
    else:
        days = {now.date().replace(day=step.day): "entered"}
        if step.what == "day off":
            hr.set_days(node, off=days)
        else:
            hr.set_days(node, worked=days)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(entered=steps)
def test_every_answer_is_given_again_for_the_time_it_was_given_at(
    goals: Enterprise, entered: list[Told | Asked | Away | Ruled | Placed | Zoned | Goaled]
) -> None:
    goals.clear()
    now = _now(goals)
    world = World(goals)
    online = definition(
        "online_customers", "DISTINCT_CUSTOMERS", "FOLLOW_UP", conditions=CONDITIONS(channels=["douyin"])
    )
    define(goals, online)
    crm, hr, reader = goals.as_("crm"), goals.as_("hr"), world.reader()
    world.ask(hr, now, 5)
    answers: list[tuple[datetime, list[Message]]] = []
    for number, step in enumerate(entered):
        _now(goals)
        if isinstance(step, (Told, Away)):
            crm.record(replace(step, person=world.id[step.person]).fact(number, now))
        elif isinstance(step, Ruled):
            _rule(hr, world.id[step.node], step, now)
        elif isinstance(step, (Placed, Zoned)):
            world.place(step)
        elif isinstance(step, Goaled):
            world.ask(hr, now, step.value)
        else:
            value = rate(step.value, 100) if step.metric == "close_rate" else count(step.value)
            first = (now - timedelta(days=step.days_ago)).date()
            hr.set_target(step.metric, value, node=world.id[step.node], first=first)
        moment = _now(goals)
        answers.append((moment, _shown(reader, world, None, None)))
    _now(goals)
    for moment, shown in answers:
        assert _shown(reader, world, moment, moment) == shown, (moment, entered)
    # What is known now, asked for as the past is, is what is kept: every figure equals its recomputation.
    last, shown = answers[-1]
    assert _shown(reader, world, last, None) == shown
    assert goals.as_("operator").check().values_differing == 0


def test_what_was_shown_and_what_is_known_now_are_two_answers(goals: Enterprise) -> None:
    now = _now(goals)
    crm, reader = goals.as_("crm"), goals.as_("manager")
    at = now - timedelta(minutes=5)

    def told(*facts: facts_pb2.Fact) -> datetime:
        assert set(crm.outcomes(*facts)) == {"RECORDED"}
        return _now(goals)

    def revenue(known_at: datetime | None, as_of: datetime, person: str = "li") -> int:
        known = None if known_at is None else instant(known_at)
        return reader.value("revenue", person, known_at=known, as_of=instant(as_of))[0]

    sold = told(fact("DEAL_WON", external_id="d", customer="c", amount=yuan(100), at=at))
    back = told(fact("DEAL_REVERSED", external_id="r", reverses="d", at=at))
    again = told(fact("DEAL_REVERSED", external_id="r", reverses="d", at=at, version=1, voided=True))
    moved = told(fact("DEAL_WON", "wang", external_id="d", customer="c", amount=yuan(80), at=at, version=1))
    assert [revenue(each, each) for each in (sold, back, again, moved)] == [10_000, 0, 10_000, 0]
    assert [revenue(each, each, "wang") for each in (again, moved)] == [0, 8_000]
    # What was known later, of the time before; and all that is known now, of any of them.
    assert revenue(again, sold) == 10_000
    assert [revenue(None, each, "wang") for each in (sold, moved)] == [8_000, 8_000]
    why = reader.explain("revenue", known_at=instant(back))
    assert [(each.reversed_by, each.counts) for each in why.facts] == [("crm/0/r", False)]
    assert why.as_of == instant(back)
    shown = progress_pb2.ListTeamProgressRequest(known_at=instant(sold - timedelta(seconds=90)))
    assert all(not each.HasField("last_follow_up") for each in reader.progress.ListTeamProgress(shown).people)


def test_a_page_of_the_past_shows_who_stood_where_then(goals: Enterprise) -> None:
    _now(goals)
    world, hr = World(goals), goals.as_("hr")
    li, wang = (world.id[each] for each in _PEOPLE)
    for unit, value in (("sales", 5), ("west", 9)):
        hr.set_target("new_customers", count(value), node=world.id[unit])
    before = _now(goals)
    _now(goals)
    world.place(Placed("li", "west", "sales", True), Placed("wang", "sales", "sales", False))
    _now(goals)

    def asks(**when: Any) -> list[int]:
        return [each.target.target.value.numerator for each in hr.get(li, **when).targets]

    def team(unit: str, **when: Any) -> list[str]:
        request = progress_pb2.ListTeamProgressRequest(node_id=world.id[unit], **when)
        return sorted(each.person_id for each in hr.progress.ListTeamProgress(request).people)

    # As shown then, and as of then with what is known now: a move is no correction.
    for when in ({"known_at": instant(before)}, {"as_of": instant(before)}):
        assert (asks(**when), team("sales", **when), team("west", **when)) == ([5], [li, wang], [])
    assert (asks(), team("sales"), team("west")) == ([9], [], [li])
    # Who looks sees nobody whom they may not see today.
    request = progress_pb2.ListTeamProgressRequest(node_id=world.id["sales"], known_at=instant(before))
    seen = world.reader("sales").progress.ListTeamProgress(request).people
    assert [each.person_id for each in seen] == [wang]
    known = standards_pb2.ResolveStandardRequest(node_id=li, job_role="sales", known_at=instant(before))
    assert [each.resolved.target.node_id for each in hr.standards.ResolveStandard(known).standards] == [
        world.id["sales"]
    ]


def test_deals_are_told_by_the_zone_that_was_known(goals: Enterprise) -> None:
    _now(goals)
    world, crm, follower = World(goals), goals.as_("crm"), goals.as_component("incentives")
    li = world.id["li"]
    # March in Shanghai, February in New York.
    at = datetime(2025, 2, 28, 21, 30, tzinfo=UTC)
    assert crm.outcomes(fact("DEAL_WON", li, at=at, external_id="zoned", amount=yuan(7))) == ["RECORDED"]
    before = _now(goals)
    _now(goals)
    world.place(Zoned("sales", "America/New_York"))
    _now(goals)

    def march(**when: Any) -> tuple[int, list[str]]:
        asked = feed_pb2.GetDealsRequest(
            period_kind=values_pb2.PERIOD_KIND_MONTH, on=day(date(2025, 3, 5)), person_id=li, **when
        )
        told = follower.feed.GetDeals(asked)
        revenue = next(each.value.numerator for each in told.values.values if each.metric == "revenue")
        return revenue, [each.key.external_id for each in told.deals]

    assert (march(known_at=instant(before)), march()) == ((700, ["zoned"]), (0, []))


def test_a_zone_told_later_is_what_the_past_is_reckoned_by_but_not_what_was_shown(goals: Enterprise) -> None:
    _now(goals)
    world, hr, crm = World(goals), goals.as_("hr"), goals.as_("crm")
    li = world.id["li"]
    # Half past five on 1 March in Shanghai is still February in New York.
    at = datetime(2025, 2, 28, 21, 30, tzinfo=UTC)
    assert crm.outcomes(fact("FOLLOW_UP", li, at=at, customer="c", channel="phone")) == ["RECORDED"]
    before = _now(goals)
    _now(goals)
    world.place(Zoned("sales", "America/New_York"))
    _now(goals)

    def march(**when: Any) -> int:
        return hr.value("new_customers", li, as_of=instant(datetime(2025, 3, 5, tzinfo=UTC)), **when)[0]

    assert (march(known_at=instant(before)), march()) == (1, 0)
    explained = world.reader().explain(
        "new_customers", li, known_at=instant(before), as_of=instant(datetime(2025, 3, 5, tzinfo=UTC))
    )
    assert (explained.total_facts, explained.period.start.ToDatetime(UTC)) == (
        1,
        datetime(2025, 2, 28, 16, tzinfo=UTC),
    )

"""Any past moment as it was shown then, and as it would have been shown with what is known now."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from foothold.goals.v1 import calendars_pb2, facts_pb2, progress_pb2, values_pb2
from google.protobuf.message import Message
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.goals.enterprise import Client, Enterprise, count, fact, instant, leave, rate, yuan
from tests.goals.library import CONDITIONS, define, definition

_PEOPLE = ("li", "wang")
_NODES = ("hq", "shanghai", "shanghai-sales")
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
    ),
    min_size=2,
    max_size=10,
)


def _now(goals: Enterprise) -> datetime:
    """Let goals' clock show what the database's shows; standards go by the one, facts by the other."""
    goals.clock.set(datetime.now(UTC))
    return goals.clock.now()


def _shown(client: Client, at: datetime | None, known_at: datetime | None) -> list[Message]:
    """Everything a page of progress is made of, without the moments it says it is of."""
    when: dict[str, Any] = {
        "as_of": None if at is None else instant(at),
        "known_at": None if known_at is None else instant(known_at),
    }
    found: list[Message] = []
    for person in _PEOPLE:
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
    team = client.progress.ListTeamProgress(
        progress_pb2.ListTeamProgressRequest(node_id="shanghai-sales", **when)
    )
    return [*found, *team.people]


def _rule(hr: Client, step: Ruled, now: datetime) -> None:
    if step.what == "pro rata":
        units = [values_pb2.UNIT_COUNT]
        policy = calendars_pb2.LeavePolicy(mode=calendars_pb2.LEAVE_MODE_PRO_RATA, units=units)
        known = hr.calendars.ListWorkRules(calendars_pb2.ListWorkRulesRequest(node_id=step.node)).rules
        newest = max((each.revision for each in known), default=0)
        hr.set_rule(step.node, first=now.date().replace(month=1, day=1), replaces=newest, leave_policy=policy)
    else:
        days = {now.date().replace(day=step.day): "entered"}
        if step.what == "day off":
            hr.set_days(step.node, off=days)
        else:
            hr.set_days(step.node, worked=days)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(entered=steps)
def test_every_answer_is_given_again_for_the_time_it_was_given_at(
    goals: Enterprise, entered: list[Told | Asked | Away | Ruled]
) -> None:
    goals.clear()
    now = _now(goals)
    online = definition(
        "online_customers", "DISTINCT_CUSTOMERS", "FOLLOW_UP", conditions=CONDITIONS(channels=["douyin"])
    )
    define(goals, online)
    crm, hr, reader = goals.as_("crm"), goals.as_("hr"), goals.as_("manager")
    answers: list[tuple[datetime, list[Message]]] = []
    for number, step in enumerate(entered):
        _now(goals)
        if isinstance(step, (Told, Away)):
            crm.record(step.fact(number, now))
        elif isinstance(step, Ruled):
            _rule(hr, step, now)
        else:
            value = rate(step.value, 100) if step.metric == "close_rate" else count(step.value)
            first = (now - timedelta(days=step.days_ago)).date()
            hr.set_target(step.metric, value, node=step.node, first=first)
        moment = _now(goals)
        answers.append((moment, _shown(reader, None, None)))
    _now(goals)
    for moment, shown in answers:
        assert _shown(reader, moment, moment) == shown, (moment, entered)
    # What is known now, asked for as the past is, is what is kept: every figure equals its recomputation.
    last, shown = answers[-1]
    assert _shown(reader, last, None) == shown
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
